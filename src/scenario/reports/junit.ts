import { xmlText } from '../../core/xml-text.ts';
import type { CheckOutcome, ScenarioOutcome, StepOutcome } from '../outcome.ts';
import { titleOf } from './tap.ts';

/**
 * JUnit XML as CI systems read it: a suite a scenario, a case a step and an invariant. Elements and attributes are those of the
 * schema of Jenkins' xUnit plugin (junit-10.xsd); what a suite was made of is in its properties.
 */
export function junitReport(outcomes: readonly ScenarioOutcome[]): string {
  const suites = outcomes.map(suiteOf);
  const sum = (pick: (suite: Suite) => number): number =>
    suites.reduce((total, suite) => total + pick(suite), 0);
  const counts = `tests="${sum((s) => s.tests)}" failures="${sum((s) => s.failures)}" errors="${sum((s) => s.errors)}"`;
  const body = suites.map(({ text }) => text).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="extswitch" ${counts}>\n${body}</testsuites>\n`;
}

interface Suite {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly text: string;
}

function suiteOf(outcome: ScenarioOutcome, index: number): Suite {
  const name = xmlText(titleOf(outcome));
  const isExpected = outcome.failedAsExpected !== undefined;
  const cases = [
    ...outcome.steps.map((step, i) => stepCase(step, i, name, isExpected)),
    ...outcome.checks.map((check) => checkCase(check, name, isExpected)),
  ];
  const inFile = outcome.steps.length === 0 && outcome.failure !== undefined;
  if (inFile) {
    cases.push(testCase(outcome.failure?.in ?? 'file', name, ['error', outcome.failure?.message]));
  } else if (outcome.failure?.in === 'expectFailure') {
    cases.push(testCase('expectFailure', name, ['failure', outcome.failure.message]));
  }
  const failures = cases.filter((text) => text.includes('<failure')).length;
  const errors = cases.filter((text) => text.includes('<error')).length;
  const skipped = cases.filter((text) => text.includes('<skipped')).length;
  const seconds = (outcome.durationMs / 1000).toFixed(3);
  const counts = `tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
  const properties = [
    ['file', outcome.file],
    ['seed', outcome.seed],
    ['cell', outcome.cell],
    ['trace', outcome.traceSha256],
  ]
    .map(([key, value]) => `      <property name="${key}" value="${xmlText(value ?? '')}"/>\n`)
    .join('');
  const text = `  <testsuite name="${name}" id="${index}" ${counts} time="${seconds}">\n    <properties>\n${properties}    </properties>\n${cases.join('')}  </testsuite>\n`;
  return { tests: cases.length, failures, errors, text };
}

function stepCase(step: StepOutcome, index: number, suite: string, isExpected: boolean): string {
  const title = `${index + 1} ${step.title}`;
  if (step.state === 'notRun') return testCase(title, suite, ['skipped', 'an earlier step failed']);
  if (step.state === 'failed' && !isExpected) {
    return testCase(title, suite, ['failure', step.message]);
  }
  return testCase(title, suite);
}

function checkCase({ name, ok, message }: CheckOutcome, suite: string, isExpected: boolean) {
  return ok || isExpected ? testCase(name, suite) : testCase(name, suite, ['failure', message]);
}

function testCase(
  title: string,
  suite: string,
  problem?: readonly ['failure' | 'error' | 'skipped', string | undefined],
): string {
  const head = `    <testcase name="${xmlText(title)}" classname="${suite}" time="0"`;
  if (problem === undefined) return `${head}/>\n`;
  const [kind, message = ''] = problem;
  const [first = ''] = message.split('\n', 1);
  const type = kind === 'skipped' ? '' : ' type="scenario"';
  const inner =
    kind === 'skipped'
      ? `<skipped message="${xmlText(first)}"/>`
      : `<${kind} message="${xmlText(first)}"${type}>${xmlText(message).replaceAll('&#10;', '\n')}</${kind}>`;
  return `${head}>${inner}</testcase>\n`;
}
