import { isExtSwitchError } from '../core/errors.ts';
import type { Ground } from './ground.ts';
import { loadScenario, type ScenarioSource } from './load.ts';
import type { ScenarioOutcome } from './outcome.ts';
import { type Cell, type PlanOptions, planScenario, unknownParameters } from './plan.ts';
import { playScenario } from './play-scenario.ts';
import { readScenario } from './read-scenario.ts';
import { type GroundMaker, groundMaker } from './store-option.ts';

export interface RunOptions extends PlanOptions {
  readonly cwd: string;
  /** Scenarios played at once, default 1. */
  readonly parallel?: number;
  /** `memory` (default), or the address of NATS servers: each scenario's hosts are then members of a cluster (store-option.ts). */
  readonly store?: string;
  /** One line about what goes on, for a terminal. */
  readonly onProgress?: (text: string) => void;
}

/** One cell of one file, or a file that is wrong. */
interface Job {
  readonly file: string;
  readonly cell: Cell | undefined;
  readonly error: unknown;
}

/** What can be played: the cells of these files, in order; a file that cannot be read is one job that fails. */
async function jobsOf(
  files: readonly string[],
  options: RunOptions,
): Promise<{ readonly jobs: readonly Job[]; readonly sources: readonly ScenarioSource[] }> {
  const jobs: Job[] = [];
  const sources: ScenarioSource[] = [];
  for (const file of files) {
    try {
      const source = await loadScenario(file, options.cwd);
      sources.push(source);
      for (const cell of planScenario(source, options)) jobs.push({ file, cell, error: undefined });
    } catch (error) {
      jobs.push({ file, cell: undefined, error });
    }
  }
  return { jobs, sources };
}

/**
 * Scenario files with what can be played of them. Outcomes come in the order of the files and of their cells, however many are
 * played at once. A wrong file is an outcome that failed; nothing is thrown but what is a mistake of ours.
 */
export class ScenarioRunner {
  readonly #jobs: readonly Job[];
  readonly #options: RunOptions;
  readonly #makeGround: GroundMaker;

  /** Given parameters that none of the files has, with the name that was probably meant. */
  readonly unknownParameters: ReturnType<typeof unknownParameters>;

  private constructor(
    jobs: readonly Job[],
    sources: readonly ScenarioSource[],
    options: RunOptions,
    makeGround: GroundMaker,
  ) {
    this.#jobs = jobs;
    this.#options = options;
    this.#makeGround = makeGround;
    this.unknownParameters = unknownParameters(sources, options);
  }

  /** Throws `USAGE` for a store that is none for scenarios. */
  static async open(files: readonly string[], options: RunOptions): Promise<ScenarioRunner> {
    const makeGround = await groundMaker(options.store);
    const { jobs, sources } = await jobsOf(files, options);
    return new ScenarioRunner(jobs, sources, options, makeGround);
  }

  /** Outcomes that {@link play} gives. */
  get count(): number {
    return this.#jobs.length;
  }

  play(): AsyncGenerator<ScenarioOutcome, void, undefined> {
    const { parallel = 1 } = this.#options;
    return inOrder(this.#jobs, parallel, (job, i) =>
      runJob(job, this.#options, () => this.#makeGround(i)),
    );
  }
}

async function runJob(
  { file, cell, error }: Job,
  options: RunOptions,
  makeGround: () => Ground,
): Promise<ScenarioOutcome> {
  if (cell === undefined) return notPlayed(file, undefined, error);
  try {
    const source = await loadScenario(file, options.cwd);
    const scenario = await readScenario(source, cell);
    const { onProgress } = options;
    return await playScenario(scenario, cell, {
      ground: makeGround(),
      ...(onProgress === undefined
        ? {}
        : { onStep: (title) => onProgress(`${scenario.name}: ${title}`) }),
    });
  } catch (problem) {
    return notPlayed(file, cell, problem);
  }
}

/** A file that is wrong: nothing of it was played. */
function notPlayed(file: string, cell: Cell | undefined, error: unknown): ScenarioOutcome {
  if (!isExtSwitchError(error)) throw error;
  return {
    name: file,
    file,
    cell: cell?.label ?? '',
    ...(cell?.profile === undefined ? {} : { profile: cell.profile }),
    seed: cell?.seed ?? '',
    ok: false,
    failure: { in: 'file', message: error.message, line: error.place.line ?? 0 },
    steps: [],
    checks: [],
    policies: { before: new Map(), after: new Map(), diff: [] },
    timeline: [],
    traceEntries: 0,
    traceSha256: '',
    durationMs: 0,
    virtualMs: 0,
  };
}

/** Works on `parallel` items at once; results in the order of the items. */
async function* inOrder<T, R>(
  items: readonly T[],
  parallel: number,
  work: (item: T, index: number) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = [];
  let next = 0;
  for (let i = 0; i < items.length; i += 1) {
    while (next < items.length && next < i + parallel) {
      const begun = work(items[next] as T, next);
      // Whoever is ahead may fail before it is looked at.
      begun.catch(() => {});
      running.push(begun);
      next += 1;
    }
    yield await (running[i] as Promise<R>);
  }
}
