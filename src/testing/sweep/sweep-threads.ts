import type { Worker } from 'node:worker_threads';
import { ownThread } from '../../scenario/own-thread.ts';
import { stagesNamed } from '../verify/stages.ts';
import { joinedReports } from './joined-reports.ts';
import type { SweepProgress } from './sweep.ts';
import type { ExtensionSweepOptions } from './sweep-extension.ts';
import type { SweepReport } from './sweep-report.ts';
import { type ScenarioSweepOptions, scenarioSubjects } from './sweep-scenario.ts';

/** What is swept, as a thread can be told. */
export type SweepJob =
  | { readonly kind: 'scenario'; readonly file: string; readonly options: ScenarioSweepOptions }
  | {
      readonly kind: 'extension';
      readonly file: string;
      readonly cwd: string;
      readonly options: ExtensionSweepOptions;
    };

/** To a thread: sweep this cell or stage, for so many milliseconds. */
export interface ToSweepThread {
  readonly subject: string;
  readonly budgetMs: number | undefined;
}

export type FromSweepThread =
  | { readonly report: SweepReport; readonly isOver: boolean }
  | { readonly progress: SweepProgress };

/**
 * Sweeps a file in `threads` threads, a cell of a scenario or a stage of an extension in each at a time. The report is that of one
 * thread. Options as for {@link sweepScenario} and {@link sweepExtension} but for `only` and `maxRuns`, which are about one after the
 * other. Rejects when a thread dies.
 */
export async function sweepInThreads(job: SweepJob, threads: number): Promise<SweepReport> {
  const names = await subjectNames(job);
  const { progress, interim, budgetMs } = job.options;
  const begun = performance.now();
  const told = new Map<string, SweepProgress>();
  /** What is known of each, over or not. */
  const parts: (SweepReport | undefined)[] = names.map(() => undefined);
  let next = 0;
  const work = async (): Promise<void> => {
    let thread: SweepThread | undefined;
    try {
      for (let at = next++; at < names.length; at = next++) {
        const subject = names[at] ?? '';
        thread ??= new SweepThread(job);
        const left = budgetMs === undefined ? undefined : budgetMs - (performance.now() - begun);
        parts[at] = await thread.sweep({ subject, budgetMs: left }, (said) => {
          if ('report' in said) {
            parts[at] = said.report;
            interim?.(joined(parts));
            return;
          }
          told.set(subject, said.progress);
          progress?.(summed(said.progress, [...told.values()], { begun, all: names.length }));
        });
      }
    } finally {
      await thread?.end();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, names.length) }, work));
  return joined(parts);
}

/** Of what has begun; what has not is left. */
function joined(parts: readonly (SweepReport | undefined)[]): SweepReport {
  const begun = parts.filter((part) => part !== undefined);
  const [first] = begun;
  if (first === undefined) throw new RangeError('there is nothing to sweep');
  const report = joinedReports(first.target, begun);
  return { ...report, complete: report.complete && begun.length === parts.length };
}

async function subjectNames(job: SweepJob): Promise<readonly string[]> {
  if (job.kind === 'extension') return stagesNamed(job.options.stages).map(({ name }) => name);
  const { subjects } = await scenarioSubjects(job.file, job.options);
  return subjects.map(({ name }) => name);
}

/** Of all threads. What is not begun yet is taken to be as long as what is known. */
function summed(
  state: SweepProgress,
  told: readonly SweepProgress[],
  { begun, all }: { readonly begun: number; readonly all: number },
): SweepProgress {
  const sum = (what: 'played' | 'known' | 'mishandled'): number =>
    told.reduce((total, each) => total + each[what], 0);
  const played = sum('played');
  const known = Math.round((sum('known') * all) / told.length);
  const leftMs = ((performance.now() - begun) / played) * (known - played);
  return {
    ...state,
    played,
    known,
    mishandled: sum('mishandled'),
    leftMs: played === 0 ? undefined : leftMs,
  };
}

/** A thread that sweeps one subject after the other. */
class SweepThread {
  readonly #worker: Worker;

  constructor({ options: { progress: _told, interim: _kept, ...options }, ...job }: SweepJob) {
    this.#worker = ownThread(import.meta.url, 'sweep-worker', { ...job, options });
  }

  sweep(job: ToSweepThread, told: (said: FromSweepThread) => void): Promise<SweepReport> {
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const onMessage = (said: FromSweepThread): void => {
        if (!('report' in said) || !said.isOver) {
          told(said);
          return;
        }
        end();
        resolve(said.report);
      };
      const onEnd = (why: unknown): void => {
        end();
        const reason = why instanceof Error ? (why.stack ?? why.message) : `exit code ${why}`;
        reject(new Error(`the thread that swept ${job.subject} died: ${reason}`));
      };
      const end = (): void => {
        worker.off('message', onMessage);
        worker.off('error', onEnd);
        worker.off('exit', onEnd);
      };
      worker.on('message', onMessage);
      worker.on('error', onEnd);
      worker.on('exit', onEnd);
      worker.postMessage(job);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
