import { harmless } from '../../../core/harmless-text.ts';
import { xmlText } from '../../../core/xml-text.ts';
import type { MishandledFault, SweepReport } from '../sweep-report.ts';
import { mishandledLines } from './text.ts';

/** JUnit XML as CI systems read it: a case for each scenario cell or stage, with what was mishandled in it. */
export function sweepJunit(report: SweepReport, command: string | undefined): string {
  const suite = xmlText(`extswitch sweep: ${harmless(report.target.name)}`);
  let failures = 0;
  const cases = report.subjects.map(({ name, title }) => {
    const found = report.mishandled.filter(({ subject }) => subject === name);
    const errors = found.filter(({ severity }) => severity === 'error');
    if (errors.length > 0) failures += 1;
    const head = `    <testcase name="${xmlText(harmless(title))}" classname="${suite}" time="0"`;
    const inner = content(found, errors, command);
    return inner === '' ? `${head}/>\n` : `${head}>\n${inner}    </testcase>\n`;
  });
  const { target, runs, complete } = report;
  const { kind, profile = '' } = target;
  const properties = Object.entries({ kind, profile, runs, complete })
    .map(([name, value]) => `      <property name="${name}" value="${xmlText(String(value))}"/>\n`)
    .join('');
  const counts = `tests="${cases.length}" failures="${failures}" errors="0"`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="extswitch" ${counts}>\n` +
    `  <testsuite name="${suite}" id="0" ${counts} skipped="0" time="0">\n` +
    `    <properties>\n${properties}    </properties>\n${cases.join('')}` +
    '  </testsuite>\n</testsuites>\n'
  );
}

function content(
  found: readonly MishandledFault[],
  errors: readonly MishandledFault[],
  command: string | undefined,
): string {
  const told = (of: readonly MishandledFault[]): string =>
    xmlText(of.map((one) => mishandledLines(one, { command }).join('\n')).join('\n\n')).replaceAll(
      '&#10;',
      '\n',
    );
  const [first] = errors;
  if (first !== undefined) {
    const [line = ''] = harmless(first.message).split('\n', 1);
    const type = xmlText(first.rule ?? first.invariant);
    return `      <failure type="${type}" message="${xmlText(line)}">${told(errors)}</failure>\n`;
  }
  return found.length === 0 ? '' : `      <system-out>${told(found)}</system-out>\n`;
}
