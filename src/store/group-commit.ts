/** Writes that become durable together. `values[i]` is `undefined` where `keys[i]` is deleted. */
export interface CommitBatch {
  readonly keys: string[];
  readonly values: (Uint8Array | undefined)[];
}

interface PendingBatch extends CommitBatch {
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** A batch takes no further write once it has this many operations, so that no commit holds up the next for long. */
const BATCH_OPS_MAX = 10_000;

/**
 * Gathers writes into commits: one commit is under way at a time, what is written meanwhile goes into the next. Writes
 * are committed in call order. When a commit fails, it and everything queued behind it rejects with the same cause, and
 * the next write starts afresh.
 *
 * `commit` makes one batch durable, all of it or nothing.
 */
export class GroupCommit {
  readonly #commit: (batch: CommitBatch) => Promise<void>;
  #queue: PendingBatch[] = [];
  #running = false;

  constructor(commit: (batch: CommitBatch) => Promise<void>) {
    this.#commit = commit;
  }

  /** The promise of durability of these operations; every write of one batch gets the same promise. */
  write(keys: readonly string[], values: readonly (Uint8Array | undefined)[]): Promise<void> {
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.keys.length >= BATCH_OPS_MAX) {
      batch = newBatch();
      this.#queue.push(batch);
    }
    for (let i = 0; i < keys.length; i++) {
      batch.keys.push(keys[i] as string);
      batch.values.push(values[i]);
    }
    if (!this.#running) {
      this.#running = true;
      // A turn of the event loop later every writer that the last commit woke, and every request that arrived
      // together with this one, is in the batch too.
      setImmediate(() => void this.#run());
    }
    return batch.done;
  }

  /** Resolves when nothing is queued or under way; never rejects. */
  async idle(): Promise<void> {
    while (this.#running) {
      const last = this.#queue.at(-1) ?? this.#underWay;
      await last?.done.catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #underWay: PendingBatch | undefined = undefined;

  async #run(): Promise<void> {
    for (;;) {
      const batch = this.#queue.shift();
      this.#underWay = batch;
      if (batch === undefined) break;
      try {
        await this.#commit(batch);
        batch.resolve();
      } catch (cause) {
        const behind = this.#queue;
        this.#queue = [];
        batch.reject(cause);
        for (const next of behind) next.reject(cause);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }
}

function newBatch(): PendingBatch {
  let resolve: () => void = () => undefined;
  let reject: (cause: unknown) => void = () => undefined;
  const done = new Promise<void>((onDone, onFailed) => {
    resolve = onDone;
    reject = onFailed;
  });
  return { keys: [], values: [], done, resolve, reject };
}
