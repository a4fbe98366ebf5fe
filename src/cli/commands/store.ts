import { resolve } from 'node:path';
import { ExtSwitchError, isExtSwitchError } from '../../core/errors.ts';
import type { StoreReport } from '../../policy/api.ts';
import { ColumnPrinter } from '../columns.ts';
import type { CommandHandler, Invocation } from '../command.ts';
import { printJson } from '../print-items.ts';
import { withProgress } from '../progress.ts';
import { harmless, type Terminal } from '../terminal.ts';

/** `store check`: counts by kind, damaged records; exit code 1 when there are any. */
export const check: CommandHandler = async (call, terminal) => {
  const { checkStore } = await import('../../store/store-check.ts');
  const folder = resolve(terminal.cwd, call.arguments[0] ?? '');
  const report = await withProgress(terminal, `reading ${folder}`, () => checkStore(folder));
  await printReport(call, terminal, report, 'checked');
  return report.damaged.length === 0 ? 0 : 1;
};

/** `store backup` */
export const backup: CommandHandler = (call, terminal) => copy(call, terminal, 'backed up to');

/** `store restore` */
export const restore: CommandHandler = (call, terminal) => copy(call, terminal, 'restored to');

async function copy(call: Invocation, terminal: Terminal, done: string): Promise<number> {
  const { copyStore } = await import('../../store/store-copy.ts');
  const from = resolve(terminal.cwd, call.text('from') ?? '');
  const to = resolve(terminal.cwd, call.text('to') ?? '');
  const isRestore = call.spec.words.includes('restore');
  const replace = isRestore && call.has('replace');
  const report = await withProgress(terminal, `copying ${from}`, () =>
    copyStore(from, to, { replace }).catch((error: unknown) => {
      throw isRestore ? withFlag(error) : error;
    }),
  );
  await printReport(call, terminal, report, done);
  return 0;
}

/** A store in the way, with what would take it out of the way. */
function withFlag(error: unknown): unknown {
  if (!isExtSwitchError(error) || error.code !== 'ALREADY_EXISTS') return error;
  const flag = '--replace, which moves what is there to FOLDER.replaced-TIME';
  return new ExtSwitchError('ALREADY_EXISTS', `${error.message}, or ${flag}`, error.place);
}

async function printReport(
  call: Invocation,
  terminal: Terminal,
  report: StoreReport,
  done: string,
): Promise<void> {
  if (call.has('json')) return printJson(terminal, report);
  const kinds = Object.entries(report.kinds).map(([kind, counts]) => ({ kind, ...counts }));
  await new ColumnPrinter<(typeof kinds)[number]>(terminal, [
    { title: 'kind', value: (row) => row.kind },
    { title: 'records', value: (row) => row.records, align: 'right' },
    { title: 'bytes', value: (row) => row.bytes, align: 'right' },
  ]).print(kinds);
  for (const { key, found } of report.damaged) {
    await terminal.line(terminal.style.error(harmless(`damaged: ${key}: ${found}`)));
  }
  const use = report.isInUse ? ', in use by a server' : '';
  const damaged = report.damaged.length === 0 ? '' : `, ${report.damaged.length} damaged`;
  await terminal.line(
    `${done} ${harmless(report.folder)}: ${report.records} records${damaged}, format ${report.format}${use}`,
  );
}
