import { harmless } from '../../../core/harmless-text.ts';
import { xmlText } from '../../../core/xml-text.ts';
import { doesFail, type VerifyFinding, type VerifyReport } from '../verify-report.ts';
import { findingRule, findingsOf, otherFindings } from './finding-rule.ts';
import { findingLines } from './text.ts';

/**
 * JUnit XML as CI systems read it (elements and attributes of junit-10.xsd of Jenkins' xUnit plugin): one suite, a case for each
 * rule; findings that no rule of extensions names are cases of their own. What only warns is in the output of its case, unless the report is `strict`.
 */
export function junitReport(report: VerifyReport, command?: string): string {
  const { id, name, version, type } = report.extension;
  const suite = xmlText(`extswitch verify: ${harmless(name)}`);
  const cases: string[] = [];
  let failures = 0;
  let skipped = 0;
  const add = (title: string, found: readonly VerifyFinding[], reason?: string): void => {
    const isBroken = found.some((one) => doesFail(one, report));
    if (isBroken) failures += 1;
    else if (reason !== undefined) skipped += 1;
    const head = `    <testcase name="${xmlText(title)}" classname="${suite}" time="0"`;
    const inner = content(found, reason, report, command);
    cases.push(inner === '' ? `${head}/>\n` : `${head}>\n${inner}    </testcase>\n`);
  };
  for (const rule of report.rules) {
    const { name: known, text, outcome, reason } = rule;
    const isSkipped = outcome !== 'broken' && outcome !== 'kept';
    const title = `${rule.rule}${known === undefined ? '' : ` ${known}`}: ${text}`;
    add(title, findingsOf(report, rule), isSkipped ? (reason ?? outcome) : undefined);
  }
  for (const finding of otherFindings(report)) {
    const about = findingRule(report, finding);
    add(about === undefined ? 'behaviour' : `${about.rule}: ${about.text}`, [finding]);
  }
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"`;
  const properties = Object.entries({ id, version, type, profile: report.profile })
    .map(([key, value]) => `      <property name="${key}" value="${xmlText(harmless(value))}"/>\n`)
    .join('');
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="extswitch" ${counts}>\n` +
    `  <testsuite name="${suite}" id="0" ${counts} skipped="${skipped}" time="0">\n` +
    `    <properties>\n${properties}    </properties>\n${cases.join('')}  </testsuite>\n</testsuites>\n`
  );
}

function content(
  found: readonly VerifyFinding[],
  reason: string | undefined,
  report: VerifyReport,
  command: string | undefined,
): string {
  const errors = found.filter((one) => doesFail(one, report));
  const told = (of: readonly VerifyFinding[]): string =>
    xmlText(of.map((one) => findingLines(one, report, { command }).join('\n')).join('\n\n'))
      // The parser gives the same; a person who opens the file sees lines.
      .replaceAll('&#10;', '\n');
  const [first] = errors;
  if (first !== undefined) {
    const [line = ''] = harmless(first.message).split('\n', 1);
    const type = xmlText(first.rule ?? 'behaviour');
    return `      <failure type="${type}" message="${xmlText(line)}">${told(errors)}</failure>\n`;
  }
  if (reason !== undefined) return `      <skipped message="${xmlText(harmless(reason))}"/>\n`;
  return found.length === 0 ? '' : `      <system-out>${told(found)}</system-out>\n`;
}
