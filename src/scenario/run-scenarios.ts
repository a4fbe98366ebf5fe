import { isExtSwitchError } from '../core/errors.ts';
import { loadScenario, type ScenarioSource } from './load.ts';
import type { ScenarioOutcome } from './outcome.ts';
import { type Cell, type PlanOptions, planScenario, unknownParameters } from './plan.ts';
import { notPlayed, playCell } from './play-cell.ts';
import { type GroundMaker, groundMaker } from './store-option.ts';
import { WorkerDied, WorkerPool } from './worker-pool.ts';

export interface RunOptions extends PlanOptions {
  readonly cwd: string;
  /** Scenarios played at once, each in a thread of its own; default 1: here. */
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
  /** Its place among the cells of the file. */
  readonly at: number;
  readonly failure: NonNullable<ScenarioOutcome['failure']>;
}

function inFile(message: string, line: number): Job['failure'] {
  return { in: 'file', message, line };
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
      for (const [at, cell] of planScenario(source, options).entries()) {
        jobs.push({ file, cell, at, failure: inFile('', 0) });
      }
    } catch (error) {
      if (!isExtSwitchError(error)) throw error;
      const failure = inFile(error.message, error.place.line ?? 0);
      jobs.push({ file, cell: undefined, at: 0, failure });
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

  async *play(): AsyncGenerator<ScenarioOutcome, void, undefined> {
    const { parallel = 1, cwd, store, onProgress, seed, profile, parameters } = this.#options;
    const size = Math.min(parallel, this.#jobs.length);
    if (size < 2) {
      for (const [i, job] of this.#jobs.entries()) yield await this.#playHere(job, i);
      return;
    }
    const plan = {
      ...(seed === undefined ? {} : { seed }),
      ...(profile === undefined ? {} : { profile }),
      ...(parameters === undefined ? {} : { parameters }),
    };
    const pool = new WorkerPool(size, { cwd, store, plan }, onProgress);
    try {
      yield* inOrder(this.#jobs, (job, i) => playThere(pool, job, i));
    } finally {
      await pool.close();
    }
  }

  #playHere({ file, cell, failure }: Job, index: number): Promise<ScenarioOutcome> {
    if (cell === undefined) return Promise.resolve(notPlayed(file, undefined, failure));
    const { cwd, onProgress } = this.#options;
    return playCell(file, cell, cwd, () => this.#makeGround(index), onProgress);
  }
}

async function playThere(pool: WorkerPool, job: Job, index: number): Promise<ScenarioOutcome> {
  const { file, cell, at, failure } = job;
  if (cell === undefined) return notPlayed(file, undefined, failure);
  try {
    return await pool.play({ file, cell: at, index });
  } catch (error) {
    if (!(error instanceof WorkerDied)) throw error;
    return notPlayed(file, cell, { in: 'thread', message: error.message, line: 0 });
  }
}

/** Works on all items, as far as `work` lets them; results in the order of the items. */
async function* inOrder<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running = items.map(work);
  // Whoever is ahead may fail before it is looked at.
  for (const one of running) one.catch(() => undefined);
  for (const one of running) yield await one;
}
