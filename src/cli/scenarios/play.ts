import { isExtSwitchError } from '../../core/errors.ts';
import {
  parameterValue,
  type RunOptions,
  reportParts,
  type ScenarioOutcome,
  ScenarioRunner,
  tapHead,
  tapPoint,
} from '../../scenario/index.ts';
import type { Invocation } from '../command.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { findScenarios } from './find-files.ts';
import { reportFiles, writeReport } from './report-files.ts';

/** `run FILE…`: 1 when a scenario failed or a file is wrong. */
export async function playScenarios(call: Invocation, terminal: Terminal): Promise<number> {
  const reports = await reportFiles(call, terminal.cwd);
  const allLines = call.has('all-lines');
  const files = await findScenarios(call.arguments, terminal.cwd);
  const progress = new Progress(terminal);
  const runner = await openRunner(files, optionsOf(call, terminal.cwd, progress));
  for (const { name, near } of runner.unknownParameters) {
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new UsageError(`--param ${name}: no file has this parameter${hint}`, 'run');
  }
  const outcomes: ScenarioOutcome[] = [];
  const isJson = call.has('json');
  if (!isJson) await terminal.print(tapHead(runner.count));
  let failed = 0;
  // What is wrong in a file is wrong in each cell of its matrix.
  const told = new Set<string>();
  progress.total = runner.count;
  try {
    for await (const outcome of runner.play()) {
      progress.clear();
      progress.done += 1;
      if (!outcome.ok) failed += 1;
      const { failure } = outcome;
      if (failure?.in === 'file' && !told.has(failure.message)) {
        told.add(failure.message);
        terminal.note(harmless(failure.message));
      }
      if (!isJson) await terminal.print(tapPoint(outcomes.length + 1, outcome));
      outcomes.push(outcome);
    }
  } finally {
    progress.clear();
  }
  for (const report of reports) await writeReport(report, outcomes, allLines);
  if (isJson) {
    for (const part of reportParts(outcomes, 'json', { allLines })) await terminal.print(part);
  } else await terminal.line(`# pass ${outcomes.length - failed}, fail ${failed}`);
  return failed === 0 ? 0 : 1;
}

async function openRunner(files: readonly string[], options: RunOptions): Promise<ScenarioRunner> {
  try {
    return await ScenarioRunner.open(files, options);
  } catch (error) {
    if (isExtSwitchError(error) && options.store !== undefined) {
      throw new UsageError(`--store: ${error.message}`, 'run');
    }
    throw error;
  }
}

function optionsOf(call: Invocation, cwd: string, progress: Progress): RunOptions {
  const seed = call.text('seed');
  const profile = call.text('profile') as RunOptions['profile'];
  const parallel = call.integer('parallel');
  const store = call.text('store');
  const parameters: Record<string, unknown> = {};
  for (const word of call.list('param')) {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`--param ${word}: expected NAME=VALUE`, 'run');
    parameters[word.slice(0, at)] = parameterValue(word.slice(at + 1));
  }
  return {
    cwd,
    ...(seed === undefined ? {} : { seed }),
    ...(profile === undefined ? {} : { profile }),
    ...(parallel === undefined ? {} : { parallel }),
    ...(store === undefined ? {} : { store }),
    parameters,
    ...(progress.isShown ? { onProgress: (text: string) => progress.show(text) } : {}),
  };
}

const SHOW_AFTER_MS = 1000;
const SHOW_EVERY_MS = 100;

/** One line on standard error that says what goes on; only on a terminal, and only when it lasts. */
class Progress {
  readonly #terminal: Terminal;
  readonly #begun = Date.now();
  #shownAt = 0;
  total = 0;
  done = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get isShown(): boolean {
    return this.#terminal.stderr.isTTY === true;
  }

  show(text: string): void {
    const now = Date.now();
    if (now - this.#begun < SHOW_AFTER_MS || now - this.#shownAt < SHOW_EVERY_MS) return;
    this.#shownAt = now;
    const { stderr } = this.#terminal;
    const width = (stderr.columns ?? 80) - 1;
    stderr.write(`\r\u001b[K${harmless(`${this.done}/${this.total} ${text}`).slice(0, width)}`);
  }

  clear(): void {
    if (this.#shownAt > 0) this.#terminal.stderr.write('\r\u001b[K');
    this.#shownAt = 0;
  }
}
