import type { RuleOutcome, VerifyFinding, VerifyReport } from '../verify-report.ts';
import { evidence } from './evidence.ts';

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
    `${style.bold(`${name} ${version}`)}, a ${type} extension, as ${report.profile}: ` +
      `${report.stages.length} stages`,
    '',
  ];
  for (const finding of report.findings) {
    lines.push(...findingLines(finding, report, style, options.command), '');
  }
  lines.push(...notesOf(report, style), summary(report, style));
  if (options.coverage === true) lines.push('', ...coverageLines(report, style));
  return `${lines.join('\n')}\n`;
}

function findingLines(
  finding: VerifyFinding,
  report: VerifyReport,
  style: TextStyle,
  command: string | undefined,
): string[] {
  const { severity, rule = 'no rule', message, oid, route, times, stage, seed } = finding;
  const paint =
    severity === 'error' ? style.error : severity === 'warning' ? style.warning : style.dim;
  const lines = [`${paint(`${severity} ${rule}`)}  ${style.bold(message)}`];
  if (oid !== undefined) {
    const way = route === undefined ? '' : `: ${['protocol edge', ...route].join(' → ')}`;
    lines.push(`  ${oid}${way}`);
  }
  const seen = evidence(finding);
  for (const [index, line] of seen?.lines.entries() ?? []) {
    lines.push(`    ${style.dim(line)}`);
    if (seen?.caret?.line !== index) continue;
    const what = seen.member === undefined ? '' : ` ${seen.member}`;
    lines.push(`    ${' '.repeat(seen.caret.column)}${paint('^^')}${what}`);
  }
  const about = ruleOf(report, finding);
  if (about?.why !== undefined) lines.push(`  why   ${about.why}`);
  if (about?.mend !== undefined) lines.push(`  mend  ${about.mend}`);
  if (about !== undefined) {
    lines.push(`  rule  ${about.rule} ${about.text} (${about.sources.join(', ')})`);
  }
  const again = command === undefined ? '' : `: ${command} --stage ${stage} --seed ${seed}`;
  lines.push(`  seen  ${times === 1 ? 'once' : `${times} times`}, first in ${stage}${again}`);
  return lines;
}

/** Findings carry Driver Verifier's name where it has the rule. */
function ruleOf(report: VerifyReport, { rule }: VerifyFinding): RuleOutcome | undefined {
  return report.rules.find((one) => one.rule === rule || one.name === rule);
}

function notesOf(report: VerifyReport, style: TextStyle): string[] {
  const notes = new Set(report.stages.flatMap((stage) => stage.notes));
  const lines = Array.from(notes, (note) => style.dim(`note  ${note}`));
  return lines.length === 0 ? [] : [...lines, ''];
}

function summary(report: VerifyReport, style: TextStyle): string {
  const count = (wanted: VerifyFinding['severity']): number =>
    report.findings.filter(({ severity }) => severity === wanted).length;
  const rules = (wanted: RuleOutcome['outcome']): number =>
    report.rules.filter(({ outcome }) => outcome === wanted).length;
  const verdict = report.ok ? style.good('passed') : style.error('failed');
  return (
    `${verdict}: ${count('error')} errors, ${count('warning')} warnings. Of ${report.rules.length} rules ` +
    `${rules('broken')} broken, ${rules('kept')} kept, ${rules('notExercised')} not exercised, ` +
    `${rules('unseen')} not to be seen from outside, ${rules('unchecked')} without a check.`
  );
}

function coverageLines(report: VerifyReport, style: TextStyle): string[] {
  const lines: string[] = [];
  const list = (outcome: RuleOutcome['outcome'], title: string): void => {
    const rules = report.rules.filter((rule) => rule.outcome === outcome);
    if (rules.length === 0) return;
    lines.push(style.bold(title));
    for (const { rule, text, reason } of rules) lines.push(`  ${rule.padEnd(5)}${reason ?? text}`);
  };
  list('notExercised', 'Not exercised; what would:');
  list('unseen', 'Not to be seen:');
  list('unchecked', 'Without a check in this version:');
  return lines;
}
