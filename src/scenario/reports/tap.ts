import { harmless } from '../../core/harmless-text.ts';
import { tapTitle, yamlText } from '../../core/tap-text.ts';
import type { ScenarioOutcome, StepOutcome } from '../outcome.ts';

/** First lines of a TAP stream with so many scenarios. */
export function tapHead(count: number): string {
  return `TAP version 14\n1..${count}\n`;
}

/** One scenario: its steps and invariants as a subtest, then its own test point. */
export function tapPoint(number: number, outcome: ScenarioOutcome): string {
  const title = titleOf(outcome);
  const lines: string[] = [];
  const points = [
    ...outcome.steps.map((step) => stepPoint(step, outcome.failedAsExpected !== undefined)),
    ...outcome.checks.map(({ name, ok, message }) =>
      point(ok || outcome.failedAsExpected !== undefined, name, message),
    ),
  ];
  if (points.length > 0) {
    lines.push(`# Subtest: ${tapTitle(title)}`);
    lines.push(...points.map((write, i) => write(i + 1)), `    1..${points.length}`);
  }
  lines.push(`${outcome.ok ? 'ok' : 'not ok'} ${number} - ${tapTitle(title)}`, '  ---');
  lines.push(`  file: ${yamlText(outcome.file)}`, `  seed: ${yamlText(outcome.seed)}`);
  lines.push(`  oids: ${outcome.traceEntries}`, `  trace: ${outcome.traceSha256}`);
  if (outcome.failedAsExpected !== undefined) {
    lines.push(`  failedAsExpected: ${yamlText(outcome.failedAsExpected)}`);
  }
  const { failure } = outcome;
  if (failure !== undefined) {
    lines.push(`  failedIn: ${yamlText(failure.in)}`);
    if (failure.line > 0) lines.push(`  line: ${failure.line}`);
    lines.push(block('message', failure.message, '  '));
  }
  lines.push('  ...');
  return `${lines.join('\n')}\n`;
}

/** What a scenario is called, with the cell of its matrix. */
export function titleOf({ name, cell }: ScenarioOutcome): string {
  return cell === '' ? name : `${name} [${cell}]`;
}

function stepPoint(step: StepOutcome, isExpected: boolean): (number: number) => string {
  if (step.state === 'notRun') {
    return (number) => `    ok ${number} - ${tapTitle(step.title)} # SKIP an earlier step failed`;
  }
  return point(step.state === 'passed' || isExpected, step.title, step.message);
}

function point(ok: boolean, title: string, message?: string): (number: number) => string {
  return (number) => {
    const line = `    ${ok ? 'ok' : 'not ok'} ${number} - ${tapTitle(title)}`;
    if (message === undefined) return line;
    return `${line}\n      ---\n${block('message', message, '      ')}\n      ...`;
  };
}

/** A text of several lines as YAML shows it. */
function block(name: string, text: string, indent: string): string {
  if (!text.includes('\n')) return `${indent}${name}: ${yamlText(text)}`;
  const lines = text.split('\n').map((line) => `${indent}  ${harmless(line)}`);
  return `${indent}${name}: |-\n${lines.join('\n')}`;
}
