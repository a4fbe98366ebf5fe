import { xmlText } from '../../../core/xml-text.ts';
import type { VerifyFinding, VerifyReport } from '../verify-report.ts';

/** JUnit XML as CI systems read it: one suite, a case for each rule; findings that no rule names are cases of their own. */
export function junitReport(report: VerifyReport): string {
  const { name } = report.extension;
  const suite = xmlText(`extswitch verify: ${name}`);
  const rules = report.rules.filter(({ outcome }) => outcome !== 'unchecked');
  const cases: string[] = [];
  let failures = 0;
  let skipped = 0;
  const add = (title: string, found: readonly VerifyFinding[], reason?: string): void => {
    const errors = found.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) failures += 1;
    else if (reason !== undefined) skipped += 1;
    cases.push(testCase(title, suite, errors, reason));
  };
  for (const { rule, name: known, text, outcome, reason } of rules) {
    const found = report.findings.filter((one) => one.rule === rule || one.rule === known);
    const isSkipped = outcome === 'notExercised' || outcome === 'unseen';
    add(`${known ?? rule} ${text}`, found, isSkipped ? (reason ?? '') : undefined);
  }
  const named = new Set(rules.flatMap(({ rule, name: known }) => [rule, known]));
  for (const finding of report.findings) {
    if (!named.has(finding.rule)) add(finding.rule ?? finding.message, [finding]);
  }
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="extswitch" ${counts}>\n` +
    `  <testsuite name="${suite}" ${counts} time="0">\n${cases.join('')}  </testsuite>\n</testsuites>\n`
  );
}

function testCase(
  title: string,
  suite: string,
  errors: readonly VerifyFinding[],
  reason: string | undefined,
): string {
  const head = `    <testcase name="${xmlText(title)}" classname="${suite}" time="0"`;
  const [first] = errors;
  if (first !== undefined) {
    const all = errors.map(({ message, stage, seed }) => `${message} (${stage}, seed ${seed})`);
    const text = xmlText(all.join('; '));
    return `${head}>\n      <failure type="${first.rule ?? 'behaviour'}" message="${xmlText(first.message)}">${text}</failure>\n    </testcase>\n`;
  }
  if (reason === undefined) return `${head}/>\n`;
  return `${head}>\n      <skipped message="${xmlText(reason)}"/>\n    </testcase>\n`;
}
