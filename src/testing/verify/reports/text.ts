import { harmless } from '../../../core/harmless-text.ts';
import type { VerifyConsequence, VerifyFinding, VerifyReport } from '../verify-report.ts';
import { consequenceCount, consequenceLine } from './consequences.ts';
import { coverageGroups } from './coverage.ts';
import { evidence } from './evidence.ts';
import { findingRule } from './finding-rule.ts';
import { playAgain } from './play-again.ts';

/** Colours by meaning; the identity where nobody looks. */
export interface TextStyle {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly error: (text: string) => string;
}

const same = (text: string): string => text;
const PLAIN: TextStyle = { bold: same, dim: same, good: same, warning: same, error: same };

export interface TextReportOptions {
  readonly style?: TextStyle;
  /** List the rules that were not exercised, with what would, and those that cannot be seen, with why. */
  readonly coverage?: boolean;
  /** Command that plays a stage again, without stage and seed, e.g. `extswitch verify ./my.ts`. */
  readonly command?: string;
}

/** The report as a person reads it on a terminal. */
export function textReport(report: VerifyReport, options: TextReportOptions = {}): string {
  const style = options.style ?? PLAIN;
  const { name, version, type } = report.extension;
  const lines = [
    `${style.bold(oneLine(`${name} ${version}`))}, ${type === 'filter' ? 'a filter' : `a ${type}`} extension, as ${report.profile}: ` +
      counted(report.stages.length, 'stage'),
    '',
  ];
  const explained = new Set<string | undefined>();
  for (const finding of report.findings) {
    const { rule } = finding;
    const isShort = explained.has(rule);
    explained.add(rule);
    lines.push(...findingLines(finding, report, { style, command: options.command, isShort }), '');
  }
  lines.push(...notesOf(report, style), summary(report, style));
  if (options.coverage === true) lines.push(...coverageLines(report, style));
  return `${lines.join('\n')}\n`;
}

/** `1 error`, `2 errors`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

interface FindingTextOptions {
  readonly style?: TextStyle;
  readonly command?: string | undefined;
  /** Its rule has been explained. */
  readonly isShort?: boolean;
}

/** One finding: what, where, the bytes with a caret, why and how to mend it, how to play it again, what came of it. */
export function findingLines(
  finding: VerifyConsequence & Partial<VerifyFinding>,
  report: VerifyReport,
  { style = PLAIN, command, isShort = false }: FindingTextOptions,
): string[] {
  const { severity, rule = 'no rule', message, oid, route, times, stage } = finding;
  const paint =
    severity === 'error' ? style.error : severity === 'warning' ? style.warning : style.dim;
  const [first = '', ...more] = harmless(message).split('\n');
  const lines = [`${paint(`${severity} ${rule}`)}  ${style.bold(first)}`];
  lines.push(...more.map((line) => `    ${line}`));
  if (oid !== undefined) {
    const way = route === undefined ? '' : `: ${['protocol edge', ...route].join(' → ')}`;
    lines.push(`  ${oneLine(oid + way)}`);
  }
  const seen = evidence(finding);
  for (const [index, line] of seen?.lines.entries() ?? []) {
    lines.push(`    ${style.dim(line)}`);
    if (seen?.caret?.line !== index) continue;
    const what = seen.member === undefined ? '' : ` ${seen.member}`;
    lines.push(`    ${' '.repeat(seen.caret.column)}${paint('^^')}${what}`);
  }
  const about = findingRule(report, finding);
  if (about !== undefined && !isShort) {
    if (about.why !== undefined) lines.push(`  why   ${about.why}`);
    if (about.mend !== undefined) lines.push(`  mend  ${about.mend}`);
    lines.push(`  rule  ${about.rule}: ${about.text} (${about.sources.join(', ')})`);
  }
  lines.push(`  seen  ${times === 1 ? 'once' : `${times} times`}, first in ${stage}`);
  const again = playAgain(command, finding);
  if (again !== undefined) lines.push(`  again ${oneLine(again)}`);
  const { consequences = [] } = finding;
  if (consequences.length > 0) {
    lines.push(`  also  ${consequenceCount(consequences)}, of the same cause:`);
    lines.push(...consequences.map((one) => `    ${consequenceLine(one, finding)}`));
  }
  return lines;
}

const oneLine = (text: string): string => harmless(text.replace(/\s+/g, ' '));

function notesOf(report: VerifyReport, style: TextStyle): string[] {
  const notes = new Set(report.stages.flatMap((stage) => stage.notes));
  const lines = Array.from(notes, (note) => style.dim(`note  ${oneLine(note)}`));
  return lines.length === 0 ? [] : [...lines, ''];
}

function summary(report: VerifyReport, style: TextStyle): string {
  const count = (wanted: VerifyFinding['severity']): number =>
    report.findings.filter(({ severity }) => severity === wanted).length;
  const verdict = report.ok ? style.good('passed') : style.error('failed');
  const more = report.findings.reduce((sum, { consequences }) => sum + consequences.length, 0);
  const also = more === 0 ? '' : `, with ${counted(more, 'consequence')}`;
  const rules = coverageGroups(report)
    .filter(({ key, rules }) => rules.length > 0 || key === 'broken')
    .map(({ label, rules }) => `${rules.length} ${label}`)
    .join(', ');
  return (
    `${verdict}: ${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}${also}. ` +
    `Of ${report.rules.length} rules ${rules}.`
  );
}

function coverageLines(report: VerifyReport, style: TextStyle): string[] {
  const lines: string[] = [];
  for (const { key, title, rules } of coverageGroups(report)) {
    if (rules.length === 0 || key === 'broken') continue;
    lines.push('', style.bold(`${title}:`));
    for (const { rule, name, text, reason } of rules) {
      const known = name === undefined ? '' : `${name}: `;
      lines.push(
        `  ${rule.padEnd(5)}${key === 'notExercised' ? known : ''}${reason ?? `${known}${text}`}`,
      );
    }
  }
  return lines;
}
