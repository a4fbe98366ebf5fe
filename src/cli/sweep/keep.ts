import { renameSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type SweepOptions, type SweepReport, sweepReport } from '../../testing/index.ts';
import { replayOf } from '../../testing/sweep/reports/text.ts';
import { harmless, type Terminal } from '../terminal.ts';
import type { ReportFile } from '../verify/report-files.ts';

type ReportOptions = NonNullable<Parameters<typeof sweepReport>[2]>;

/**
 * What a sweep has found goes to standard error and into the report files as it shows, so that one that is killed has said it. `say`
 * writes a line where it is not overwritten.
 */
export function keeperOf(
  files: readonly ReportFile[],
  { cwd }: Pick<Terminal, 'cwd'>,
  options: ReportOptions,
  say: (line: string) => void,
): NonNullable<SweepOptions['interim']> {
  const told = new Set<string>();
  return (report) => {
    for (const { path, format } of files) {
      keep(resolve(cwd, path), sweepReport(report, format, options));
    }
    for (const line of news(report, told, options)) say(line);
  };
}

/** Two lines for each defect that was not told yet: the mistake, and the command that plays it again. */
function news(
  { mishandled }: SweepReport,
  told: Set<string>,
  { command }: ReportOptions,
): string[] {
  return mishandled.flatMap(({ severity, rule, invariant, message, only, seed }) => {
    const [line = ''] = message.split('\n', 1);
    const what = harmless(`${severity} ${rule ?? invariant}  ${line}`);
    if (told.has(`${only} ${what}`)) return [];
    told.add(`${only} ${what}`);
    const again = replayOf({ only, seed }, command) ?? only;
    return [what, harmless(`  again  ${again}`)];
  });
}

/** In one step, so that a kill leaves a whole report. The last one, with everything in it, says when it cannot be written. */
function keep(path: string, text: string): void {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) return;
    writeFileSync(`${path}.part`, text);
    renameSync(`${path}.part`, path);
  } catch {
    // Said at the end.
  }
}
