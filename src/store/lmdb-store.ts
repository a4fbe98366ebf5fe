import { ExtSwitchError } from '../core/errors.ts';
import { type CommitBatch, GroupCommit } from './group-commit.ts';
import type { Environment, LentRecord } from './lmdb-environment.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import type { Store, StoreOp, StoreReport, StoreValue } from './store.ts';
import { copyEnvironment, makeCopy } from './store-copy.ts';
import { storeFault } from './store-fault.ts';
import { openFolder, type StoreFolder } from './store-folder.ts';
import { checkKey, checkPrefix, prefixBounds } from './store-key.ts';

export interface LmdbStoreOptions {
  /**
   * Stands between the store and the disk: is given the commit of one batch and runs it, late, or not at all. For fault
   * injection; by default the commit is run.
   */
  readonly medium?: (commit: () => Promise<void>) => Promise<void>;
}

/**
 * Opens the store in `folder`, which is made (mode 0700) when it is missing.
 *
 * Throws `STORE_UNAVAILABLE` (no access, read-only, full, not a folder, in use by another server), `STORE_VERSION`
 * (written by a newer version) or `STORE_CORRUPT` (damaged), naming the folder, what was found and what to do; the data
 * is then as it was.
 */
export async function openLmdbStore(
  folder: string,
  options: LmdbStoreOptions = {},
): Promise<Store> {
  return new LmdbStore(await openFolder(folder), options.medium ?? ((commit) => commit()));
}

/** Another process that made a backup and was killed holds back the reuse of pages until its reader is struck off. */
const COMMITS_A_READER_CHECK = 1_024;

type Entry = readonly [key: string, value: StoreValue];

class LmdbStore implements Store {
  readonly description: string;
  readonly #folder: StoreFolder;
  readonly #medium: (commit: () => Promise<void>) => Promise<void>;
  readonly #commits: GroupCommit;
  readonly #openRanges = new Set<LmdbRange>();
  readonly #copies = new Set<Promise<void>>();
  #environment: Environment;
  /** After a failed commit LMDB may refuse all further ones until the environment is opened anew. */
  #suspect = false;
  #reopening: Promise<void> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;
  #commitCount = 0;

  constructor(folder: StoreFolder, medium: (commit: () => Promise<void>) => Promise<void>) {
    this.#folder = folder;
    this.#medium = medium;
    this.#environment = folder.environment;
    this.description = `lmdb ${folder.given}`;
    this.#commits = new GroupCommit((batch) => this.#commit(batch));
  }

  get(key: string): StoreValue | undefined {
    this.#checkOpen();
    checkKey(key);
    const record = this.#environment.get(key) as LentRecord | undefined;
    if (record === undefined) return undefined;
    return decodeRecord(key, record.bytes, record.lengthBytes, this.#folder.path);
  }

  /** The entries as of the start of each iteration: writes made while iterating are not seen by it. */
  range(prefix: string): Iterable<Entry> {
    this.#checkOpen();
    checkPrefix(prefix);
    return { [Symbol.iterator]: () => this.#iterate(prefix) };
  }

  write(ops: readonly StoreOp[]): Promise<void> {
    this.#checkOpen();
    const keys: string[] = [];
    const values: (Uint8Array | undefined)[] = [];
    for (const op of ops) {
      checkKey(op.key);
      keys.push(op.key);
      values.push(op.op === 'put' ? encodeRecord(op.key, op.value) : undefined);
    }
    return this.#commits.write(keys, values);
  }

  async backup(folder: string): Promise<StoreReport> {
    this.#checkOpen();
    return makeCopy(folder, (target) => this.#copyTo(target));
  }

  /** LMDB reads the environment from a thread of its own: it must stay open until the copy has ended. */
  async #copyTo(target: string): Promise<void> {
    await this.#reopening;
    this.#checkOpen();
    const copy = copyEnvironment(this.#environment, target);
    this.#copies.add(copy);
    try {
      await copy;
    } finally {
      this.#copies.delete(copy);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#commits.idle();
    await this.#closeEnvironment();
    await this.#folder.release();
  }

  async #closeEnvironment(): Promise<void> {
    while (this.#copies.size > 0) await Promise.allSettled(this.#copies);
    for (const range of this.#openRanges) range.cut();
    await this.#environment.close();
  }

  async #commit(batch: CommitBatch): Promise<void> {
    try {
      if (this.#suspect) await this.#recover();
      await this.#medium(() => this.#apply(batch));
      this.#commitCount += 1;
      if (this.#commitCount % COMMITS_A_READER_CHECK === 0) this.#environment.readerCheck();
    } catch (cause) {
      this.#suspect = true;
      throw storeFault('write to', this.#folder.path, await rootCause(cause));
    }
  }

  /** One LMDB transaction: `batch` runs its function at once and commits what it queued as a whole. */
  async #apply({ keys, values }: CommitBatch): Promise<void> {
    const environment = this.#environment;
    await environment.batch(() => {
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i] as string;
        const value = values[i];
        if (value === undefined) void environment.remove(key);
        else void environment.put(key, value);
      }
    });
  }

  async #recover(): Promise<void> {
    try {
      this.#environment.transactionSync(() => undefined);
    } catch {
      this.#reopening = this.#reopen();
      await this.#reopening;
    }
    this.#suspect = false;
  }

  async #reopen(): Promise<void> {
    try {
      await this.#closeEnvironment();
      this.#environment = this.#folder.reopen();
    } finally {
      this.#reopening = undefined;
    }
  }

  #iterate(prefix: string): LmdbRange {
    this.#checkOpen();
    const entries = this.#environment.getRange(prefixBounds(prefix))[Symbol.iterator]();
    return new LmdbRange(entries, this.#openRanges, this.#folder.path);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new ExtSwitchError('STORE_UNAVAILABLE', `the store in ${this.#folder.path} is closed`);
    }
  }
}

/** lmdb rejects with a general error whose `commitError` is the promise of the real one. */
async function rootCause(cause: unknown): Promise<unknown> {
  if (!(cause instanceof Error) || !('commitError' in cause)) return cause;
  try {
    await cause.commitError;
    return cause;
  } catch (commitError) {
    return commitError;
  }
}

/** One iteration of a range. It must end before its environment is closed, or LMDB would read freed memory. */
class LmdbRange implements IterableIterator<Entry> {
  readonly #entries: Iterator<{ key: string; value: unknown }>;
  readonly #open: Set<LmdbRange>;
  readonly #path: string;
  #state: 'open' | 'ended' | 'cut' = 'open';

  constructor(
    entries: Iterator<{ key: string; value: unknown }>,
    open: Set<LmdbRange>,
    path: string,
  ) {
    this.#entries = entries;
    this.#open = open;
    this.#path = path;
    open.add(this);
  }

  next(): IteratorResult<Entry> {
    if (this.#state === 'open') {
      const { done, value } = this.#entries.next();
      if (done !== true) return { done: false, value: [value.key, this.#read(value)] };
      this.#end();
    }
    if (this.#state === 'ended') return { done: true, value: undefined };
    throw new ExtSwitchError(
      'STORE_UNAVAILABLE',
      `the store in ${this.#path} was closed while its entries were read`,
    );
  }

  /** After an error the iteration is over: whoever reads on gets no more entries, and LMDB has its cursor back. */
  #read(entry: { readonly key: string; readonly value: unknown }): StoreValue {
    const { bytes, lengthBytes } = entry.value as LentRecord;
    try {
      return decodeRecord(entry.key, bytes, lengthBytes, this.#path);
    } catch (cause) {
      this.return();
      throw cause;
    }
  }

  return(): IteratorResult<Entry> {
    if (this.#state === 'open') {
      this.#entries.return?.();
      this.#end();
    }
    return { done: true, value: undefined };
  }

  /** Ends it from the store's side: the reader gets an error instead of fewer entries than there are. */
  cut(): void {
    this.return();
    this.#state = 'cut';
  }

  [Symbol.iterator](): this {
    return this;
  }

  #end(): void {
    this.#state = 'ended';
    this.#open.delete(this);
  }
}
