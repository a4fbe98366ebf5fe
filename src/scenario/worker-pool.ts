import type { Worker } from 'node:worker_threads';
import type { ScenarioOutcome } from './outcome.ts';
import { ownThread } from './own-thread.ts';
import type { PlanOptions } from './plan.ts';

/** What every thread knows. */
export interface WorkerOptions {
  readonly cwd: string;
  readonly store: string | undefined;
  readonly plan: PlanOptions;
  /** Somebody wants to know what goes on. */
  readonly tells: boolean;
}

/** One cell of one file, by its place among those that the file's plan gives; `index`: among all that are played. */
export interface ToWorker {
  readonly file: string;
  readonly cell: number;
  readonly index: number;
}

export type FromWorker = { readonly outcome: ScenarioOutcome } | { readonly progress: string };

/** A thread ended while it played. */
export class WorkerDied extends Error {}

interface Played {
  readonly resolve: (outcome: ScenarioOutcome) => void;
  readonly reject: (error: WorkerDied) => void;
}

/**
 * Threads that play scenarios, each one at a time: worlds share nothing, so that what comes of them is what one thread gives. A
 * thread that dies takes its scenario with it and no other: another takes its place.
 */
export class WorkerPool {
  readonly #options: WorkerOptions;
  readonly #size: number;
  readonly #onProgress: ((text: string) => void) | undefined;
  readonly #threads = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: (() => void)[] = [];

  /** At most `size` threads, begun as they are needed. */
  constructor(
    size: number,
    options: Omit<WorkerOptions, 'tells'>,
    onProgress: ((text: string) => void) | undefined,
  ) {
    this.#size = size;
    this.#options = { ...options, tells: onProgress !== undefined };
    this.#onProgress = onProgress;
  }

  /** Rejects with {@link WorkerDied}, its message the reason. */
  async play(job: ToWorker): Promise<ScenarioOutcome> {
    const thread = await this.#free();
    try {
      const outcome = await this.#played(thread, job);
      this.#idle.push(thread);
      return outcome;
    } finally {
      this.#waiting.shift()?.();
    }
  }

  async #free(): Promise<Worker> {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle !== undefined) return idle;
      if (this.#threads.size < this.#size) return this.#begin();
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #begin(): Worker {
    const thread = ownThread(import.meta.url, 'play-worker', this.#options);
    this.#threads.add(thread);
    // What it dies of is told to who waits for it.
    thread.on('error', () => undefined);
    thread.on('exit', () => {
      this.#threads.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return thread;
  }

  async #played(thread: Worker, job: ToWorker): Promise<ScenarioOutcome> {
    let end: (() => void) | undefined;
    try {
      return await new Promise<ScenarioOutcome>((...settle) => {
        end = this.#listen(thread, { resolve: settle[0], reject: settle[1] });
        thread.postMessage(job);
      });
    } finally {
      end?.();
    }
  }

  /** Returns what ends the listening. */
  #listen(thread: Worker, { resolve, reject }: Played): () => void {
    let reason: string | undefined;
    const onMessage = (answer: FromWorker): void => {
      if ('outcome' in answer) resolve(answer.outcome);
      else this.#onProgress?.(answer.progress);
    };
    const onError = (error: unknown): void => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    };
    const onExit = (code: number): void => {
      const how = reason ?? `it ended itself with exit code ${code}`;
      reject(new WorkerDied(`the thread that played it died: ${how}`));
    };
    const onUnread = (error: Error): void => onError(error);
    thread.on('message', onMessage);
    thread.on('messageerror', onUnread);
    thread.on('error', onError);
    thread.on('exit', onExit);
    return () => {
      thread.off('message', onMessage);
      thread.off('messageerror', onUnread);
      thread.off('error', onError);
      thread.off('exit', onExit);
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((thread) => thread.terminate()));
    this.#threads.clear();
  }
}
