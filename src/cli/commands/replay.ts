import type { CommandHandler } from '../command.ts';
import { readInput } from '../input.ts';
import { printJson } from '../print-items.ts';
import { StrayNotes } from '../stray-notes.ts';
import { harmless } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** `replay`: 1 when anything is not as recorded. What plays it is loaded only now. */
export const replay: CommandHandler = async (call, terminal) => {
  const path = call.text('extension');
  if (path === undefined) {
    throw new UsageError('name the extension to replay it against: --extension PATH', 'replay');
  }
  const [file = '-'] = call.arguments;
  const text = new TextDecoder().decode(await readInput(terminal, file));
  const [{ loadExtension }, { replayText, replayTrace }] = await Promise.all([
    import('../../sdk/load.ts'),
    import('../../testing/index.ts'),
  ]);
  const extension = await loadExtension(path, terminal.cwd);
  const inPlaceOf = call.text('in-place-of');
  const stray = new StrayNotes(terminal);
  const report = await replayTrace(
    text,
    extension,
    inPlaceOf === undefined ? {} : { inPlaceOf },
  ).finally(() => stray.end());
  if (call.has('json')) await printJson(terminal, report);
  else await terminal.print(harmless(replayText(report)));
  return report.differences.length + stray.exceptions === 0 ? 0 : 1;
};
