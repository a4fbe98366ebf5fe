import { harmless } from '../../../core/harmless-text.ts';
import { shellWord } from '../../../core/shell-word.ts';
import { evidence } from '../../verify/reports/evidence.ts';
import { counted, type TextStyle } from '../../verify/reports/text.ts';
import { INVARIANTS } from '../breach.ts';
import type { MishandledFault, SweepReport } from '../sweep-report.ts';

const same = (text: string): string => text;
const PLAIN: TextStyle = { bold: same, dim: same, good: same, warning: same, error: same };

export interface SweepTextOptions {
  readonly style?: TextStyle;
  /** Command that sweeps the same again, e.g. `extswitch sweep ./my.ts`. */
  readonly command?: string | undefined;
}

/** The report as a person reads it on a terminal. */
export function sweepText(report: SweepReport, options: SweepTextOptions = {}): string {
  const { style = PLAIN } = options;
  const { target, mishandled, subjects } = report;
  const lines = [
    `${style.bold(oneLine(target.name))}: ${counted(subjects.length, target.kind === 'scenario' ? 'cell' : 'stage')}, ` +
      `${counted(total(report, 'sites'), 'place')}, ${counted(report.runs, 'run')} with a fault`,
    '',
  ];
  for (const one of mishandled) lines.push(...mishandledLines(one, options), '');
  for (const note of notesOf(report)) lines.push(style.dim(`note  ${oneLine(note)}`));
  lines.push(summaryOf(report, style));
  return `${lines.join('\n')}\n`;
}

/** One defect: where, what did not hold, the bytes, how to play it again. */
export function mishandledLines(
  one: MishandledFault,
  { style = PLAIN, command }: SweepTextOptions = {},
): string[] {
  const { severity, invariant, rule, message, oid, route, count, others } = one;
  const paint =
    severity === 'error' ? style.error : severity === 'warning' ? style.warning : style.dim;
  const [first = '', ...more] = harmless(message).split('\n');
  const lines = [`${paint(`${severity} ${rule ?? invariant}`)}  ${style.bold(first)}`];
  lines.push(...more.map((line) => `    ${line}`));
  lines.push(`  fault  ${oneLine(one.only)}`);
  if (oid !== undefined) {
    const way = route === undefined ? '' : `: ${['protocol edge', ...route].join(' → ')}`;
    lines.push(`  at     ${oneLine(oid + way)}`);
  }
  const seen = evidence(one);
  for (const [index, line] of seen?.lines.entries() ?? []) {
    lines.push(`    ${style.dim(line)}`);
    if (seen?.caret?.line !== index) continue;
    const what = seen.member === undefined ? '' : ` ${seen.member}`;
    lines.push(`    ${' '.repeat(seen.caret.column)}${paint('^^')}${what}`);
  }
  lines.push(`  holds  ${INVARIANTS[invariant]}`);
  const also = others.length === 0 ? '' : `, also ${others.slice(0, 2).map(oneLine).join(', ')}`;
  lines.push(`  seen   after ${counted(count, 'fault')}${also}`);
  const again = replayOf(one, command);
  if (again !== undefined) lines.push(`  again  ${oneLine(again)}`);
  return lines;
}

/** The command that plays exactly this fault; `undefined` where no command line is known. */
export function replayOf(
  { only, seed }: Pick<MishandledFault, 'only' | 'seed'>,
  command: string | undefined,
): string | undefined {
  if (command === undefined) return undefined;
  return `${command} --seed ${shellWord(seed)} --only ${shellWord(only)}`;
}

/** `sites`, `faults` or `played` of all subjects. */
export function total(report: SweepReport, what: 'sites' | 'faults' | 'played'): number {
  return report.subjects.reduce((sum, subject) => sum + subject[what], 0);
}

export function notesOf({ subjects }: SweepReport): string[] {
  return subjects.flatMap(({ name, title, notes, without, unmet }) => {
    const where = name === '' ? title : name;
    return [
      ...notes.map((note) => `${where}: ${note}`),
      ...without.map((message) => `${where}, without any fault: ${message.split('\n', 1)[0]}`),
      ...(unmet === 0
        ? []
        : [`${where}: ${counted(unmet, 'fault')} not met: its run went another way`]),
    ];
  });
}

function summaryOf(report: SweepReport, style: TextStyle): string {
  const { mishandled, runs, ok } = report;
  const left = total(report, 'faults') - total(report, 'played');
  const rest = left === 0 ? 'none is left' : `${left} left for want of a budget`;
  const verdict = ok ? style.good('passed') : style.error('failed');
  const effects = Object.entries(report.effects).map(([effect, times]) => `${times} ${effect}`);
  const list = effects.length === 0 ? '' : ` (${effects.join(', ')})`;
  return `${verdict}: ${counted(mishandled.length, 'fault')} mishandled of ${runs}${list}; ${rest}.`;
}

const oneLine = (text: string): string => harmless(text.replace(/\s+/g, ' '));
