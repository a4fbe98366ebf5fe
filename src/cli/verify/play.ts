import { readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { findRule } from '../../rules/rule-book.ts';
import { loadExtension } from '../../sdk/load.ts';
import {
  ruleGuide,
  type VerifyOptions,
  type VerifyReport,
  verifyExtension,
  verifyReport,
  verifyStages,
} from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { didYouMean } from '../nearest.ts';
import { readPolicySettings } from '../policy-settings.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { readVersion } from '../version.ts';
import { type ReportFormat, reportFormatOf } from './report-format.ts';

/** `verify --list`: the stages. */
export async function listRules(call: Invocation, terminal: Terminal): Promise<number> {
  const stages = verifyStages();
  if (call.has('json')) {
    await printJson(terminal, stages);
    return 0;
  }
  for (const { name, title } of stages) {
    await terminal.line(`${terminal.style.bold(name.padEnd(28))}${title}`);
  }
  return 0;
}

/** `verify --explain RULE`. */
export async function explainRule(
  rule: string,
  call: Invocation,
  terminal: Terminal,
): Promise<number> {
  const guide = ruleGuide(rule);
  if (guide === undefined) {
    const known = findRule(rule.toUpperCase());
    const why =
      known === undefined
        ? 'the rule book has no such rule'
        : `it binds the ${known.kind === 'switch' ? 'switch' : 'management layer'}, not extensions`;
    throw new UsageError(`--explain ${rule}: ${why}`, 'verify');
  }
  if (call.has('json')) {
    await printJson(terminal, guide);
    return 0;
  }
  const { style } = terminal;
  const { rule: id, name, force, text, sources, what, why, mend, breaks, close, reason } = guide;
  await terminal.line(
    `${style.bold(name === undefined ? id : `${id} ${name}`)} (${force}): ${text}`,
  );
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['what', what],
    ['why', why],
    ['mend', mend],
    ['breaks', breaks],
    ['close', close],
    ['not seen', reason],
    ['source', sources.join(', ')],
  ];
  for (const [label, line] of lines) {
    if (line !== undefined) await terminal.line(`  ${style.dim(label.padEnd(10))}${line}`);
  }
  return 0;
}

/** `verify`: 1 when an extension broke a rule (with --strict also one that only warns). */
export async function verifyExtensions(call: Invocation, terminal: Terminal): Promise<number> {
  const paths = call.arguments;
  if (paths.length === 0) throw new UsageError('name the extension modules to verify', 'verify');
  const files = call.list('report').map((path) => ({ path, format: reportFormatOf(path) }));
  if (files.length > 0 && paths.length > 1) {
    throw new UsageError('--report takes one extension: verify them one after the other', 'verify');
  }
  const options = await optionsOf(call, terminal);
  // A promise that an extension dropped must not end the run.
  const onRejection = (error: unknown): void =>
    terminal.note(harmless(`a promise was rejected and nobody looked: ${String(error)}`));
  process.on('unhandledRejection', onRejection);
  let failed = 0;
  const shown: VerifyReport[] = [];
  try {
    for (const path of paths) {
      const extension = await loadExtension(path, terminal.cwd);
      const report = await verifyExtension(extension, options);
      shown.push(report);
      if (!report.ok || (call.has('strict') && hasWarning(report))) failed += 1;
      const text = (format: ReportFormat): string =>
        reportText(report, format, path, call, terminal);
      for (const file of files) {
        await writeFile(resolve(terminal.cwd, file.path), text(file.format));
      }
      if (call.has('json')) continue;
      await terminal.print(call.text('format') === 'tap' ? text('tap') : text('text'));
    }
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  if (call.has('json')) await printJson(terminal, shown.length === 1 ? shown[0] : shown);
  return failed === 0 ? 0 : 1;
}

const hasWarning = ({ findings }: VerifyReport): boolean =>
  findings.some(({ severity }) => severity === 'warning');

function reportText(
  report: VerifyReport,
  format: ReportFormat,
  path: string,
  call: Invocation,
  terminal: Terminal,
): string {
  const file = relative(terminal.cwd, resolve(terminal.cwd, path)).split(sep).join('/');
  const isForPerson = format === 'text';
  const text = verifyReport(report, format, {
    file,
    toolVersion: readVersion(),
    command: `extswitch verify ${path}`,
    coverage: call.has('coverage'),
    ...(isForPerson ? { style: terminal.style } : {}),
  });
  return text;
}

async function optionsOf(call: Invocation, terminal: Terminal): Promise<VerifyOptions> {
  const { cwd } = terminal;
  const settings = call.text('settings');
  const mof = call.text('mof');
  const stages = call.list('stage');
  const known = verifyStages().map(({ name }) => name);
  for (const name of stages) {
    if (known.includes(name)) continue;
    throw new UsageError(
      `no stage is named ${JSON.stringify(name)}${didYouMean(name, known)} (--list)`,
      'verify',
    );
  }
  const seed = call.text('seed');
  const seeds = call.integer('seeds');
  const profile = call.text('profile') as VerifyOptions['profile'];
  const { stderr } = terminal;
  const isWatched = stderr.isTTY === true;
  return {
    ...(settings === undefined ? {} : { settings: await readPolicySettings(settings, cwd) }),
    ...(mof === undefined ? {} : { mof: await readFile(resolve(cwd, mof)) }),
    ...(stages.length === 0 ? {} : { stages }),
    ...(seed === undefined ? {} : { seed }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(profile === undefined ? {} : { profile }),
    ...(isWatched
      ? {
          progress: (stage, index, count) =>
            void stderr.write(
              stage === '' ? '\r\u001b[K' : `\r\u001b[K${index + 1}/${count} ${stage}`,
            ),
        }
      : {}),
  };
}
