import { harmless } from '../../../core/harmless-text.ts';
import { tapTitle, yamlText } from '../../../core/tap-text.ts';
import { doesFail, type VerifyFinding, type VerifyReport } from '../verify-report.ts';
import { consequenceLine } from './consequences.ts';
import { evidence } from './evidence.ts';
import { findingRule, findingsOf, otherFindings } from './finding-rule.ts';
import { playAgain } from './play-again.ts';

/**
 * TAP 14: a test point for each rule, `not ok` when an error broke it (with `strict` a warning too); what was not exercised or cannot be seen is skipped with the
 * reason, and so is what was broken only as a consequence of another finding. Findings that no rule of extensions names are points of their own. Findings are in the YAML block of their point.
 */
export function tapReport(report: VerifyReport, command?: string): string {
  const others = otherFindings(report);
  const { name, version, type } = report.extension;
  const lines = [
    'TAP version 14',
    `1..${report.rules.length + others.length}`,
    `# extension: ${tapTitle(`${name} ${version}, ${type}, as ${report.profile}`)}`,
  ];
  let number = 0;
  let failed = 0;
  const point = (title: string, found: readonly VerifyFinding[], skip?: string): void => {
    number += 1;
    const isBroken = found.some((one) => doesFail(one, report));
    if (isBroken) failed += 1;
    const directive = skip === undefined ? '' : ` # SKIP ${tapTitle(skip)}`;
    lines.push(`${isBroken ? 'not ok' : 'ok'} ${number} - ${tapTitle(title)}${directive}`);
    if (found.length > 0) lines.push(...diagnostics(found, report, command));
  };
  for (const rule of report.rules) {
    const { name: known, outcome, reason, text } = rule;
    const isSkipped = outcome !== 'broken' && outcome !== 'kept';
    const title = `${rule.rule}${known === undefined ? '' : ` ${known}`}: ${text}`;
    point(title, findingsOf(report, rule), isSkipped ? (reason ?? outcome) : undefined);
  }
  for (const finding of others) {
    const about = findingRule(report, finding);
    point(about === undefined ? 'behaviour' : `${about.rule}: ${about.text}`, [finding]);
  }
  lines.push(`# pass ${number - failed}, fail ${failed}`);
  return `${lines.join('\n')}\n`;
}

function diagnostics(
  found: readonly VerifyFinding[],
  report: VerifyReport,
  command: string | undefined,
): string[] {
  const lines = ['  ---', '  findings:'];
  for (const finding of found) {
    const { severity, message, oid, route, stage, seed, times, offset, consequences } = finding;
    lines.push(`    - severity: ${severity}`, `      message: ${yamlText(message)}`);
    if (oid !== undefined) lines.push(`      oid: ${yamlText(oid)}`);
    if (route !== undefined) lines.push(`      route: [${route.map(yamlText).join(', ')}]`);
    if (offset !== undefined) lines.push(`      offset: ${offset}`);
    const seen = evidence(finding);
    if (seen?.member !== undefined) lines.push(`      member: ${yamlText(seen.member)}`);
    if (seen !== undefined) {
      lines.push('      bytes: |-', ...seen.lines.map((line) => `        ${harmless(line)}`));
    }
    lines.push(`      stage: ${yamlText(stage)}`, `      seed: ${yamlText(seed)}`);
    lines.push(`      times: ${times}`);
    const again = playAgain(command, finding);
    if (again !== undefined) lines.push(`      again: ${yamlText(again)}`);
    if (consequences.length === 0) continue;
    const told = consequences.map((one) => `        - ${yamlText(consequenceLine(one, finding))}`);
    lines.push('      consequences:', ...told);
  }
  const [first] = found;
  const about = first === undefined ? undefined : findingRule(report, first);
  if (about?.why !== undefined) lines.push(`  why: ${yamlText(about.why)}`);
  if (about?.mend !== undefined) lines.push(`  mend: ${yamlText(about.mend)}`);
  return [...lines, '  ...'];
}
