import type { VerifyReport } from '../verify-report.ts';

const quoted = (text: string): string => JSON.stringify(text);

/** TAP 14: a test point for each rule that was exercised; the others are skipped with their reason. */
export function tapReport(report: VerifyReport): string {
  const points = report.rules.filter(({ outcome }) => outcome !== 'unchecked');
  const nameless = report.findings.filter(
    (finding) =>
      finding.severity !== 'info' &&
      !points.some(({ rule, name }) => rule === finding.rule || name === finding.rule),
  );
  const lines = ['TAP version 14', `1..${points.length + nameless.length}`];
  let number = 0;
  for (const { rule, name, text, outcome, reason } of points) {
    number += 1;
    const title = `${number} - ${name === undefined ? rule : `${rule} ${name}`}: ${text.replaceAll('#', '\\#')}`;
    const found = report.findings.filter((one) => one.rule === rule || one.rule === name);
    const isBroken = found.some(({ severity }) => severity === 'error');
    if (outcome === 'broken') lines.push(`${isBroken ? 'not ok' : 'ok'} ${title}`);
    else if (outcome === 'kept') lines.push(`ok ${title}`);
    else lines.push(`ok ${title} # SKIP ${reason ?? ''}`);
    if (found.length > 0) lines.push(...diagnostics(found));
  }
  for (const finding of nameless) {
    number += 1;
    const isBroken = finding.severity === 'error';
    const title = finding.rule ?? 'behaviour';
    lines.push(`${isBroken ? 'not ok' : 'ok'} ${number} - ${title}`, ...diagnostics([finding]));
  }
  return `${lines.join('\n')}\n`;
}

function diagnostics(found: VerifyReport['findings']): string[] {
  const lines = ['  ---', '  findings:'];
  for (const { severity, message, oid, stage, seed, times, offset } of found) {
    lines.push(`    - severity: ${severity}`, `      message: ${quoted(message)}`);
    if (oid !== undefined) lines.push(`      oid: ${oid}`);
    if (offset !== undefined) lines.push(`      offset: ${offset}`);
    lines.push(`      stage: ${stage}`, `      seed: ${quoted(seed)}`, `      times: ${times}`);
  }
  return [...lines, '  ...'];
}
