import { ExtSwitchError } from '../core/errors.ts';
import { type CommitBatch, GroupCommit } from '../store/group-commit.ts';
import type { MemoryStore } from '../store/memory-store.ts';
import { encodeRecord } from '../store/record.ts';
import type { Store, StoreOp, StoreValue } from '../store/store.ts';
import { checkKey, checkPrefix } from '../store/store-key.ts';
import { AckedPublisher } from './acked-publisher.ts';
import { describe } from './address.ts';
import { CommitWriter } from './commit-writer.ts';
import { Journal } from './journal.ts';
import { openHost } from './open-host.ts';
import type { ClusterSession } from './session.ts';
import { StateObjects } from './state-objects.ts';

export interface ClusterStoreOptions {
  /** Of this process, unlike that of any other. */
  readonly incarnation: string;
  /** Called once, when another process has become the host: the store is dead for good. */
  readonly onFenced?: (error: ExtSwitchError) => void;
}

export interface OpenedStore {
  readonly store: Store;
  /** Fencing token of this process. */
  readonly epoch: number;
  /**
   * Asks the servers whether this process is the host still; false for ever once it is not. `STORE_UNAVAILABLE` when
   * they do not answer.
   */
  readonly isCurrent: () => Promise<boolean>;
}

/** One token of a subject. */
const HOST_NAME = /^[A-Za-z0-9_-]{1,63}$/;
/** For writes under way when a host is closed: longer than an election, whatever `writeTimeout` is. */
const CLOSE_WAIT_MS = 10_000;
/** Opening may have to wait for a leader in each of its steps. */
const OPEN_LEAST_MS = 30_000;

/**
 * Becomes `host` and opens its records; the process that was the host can write nothing from then on. The session stays
 * the caller's: it is closed after the store.
 *
 * Writes wait up to `writeTimeoutMs` of the address. A write that failed with `STORE_UNAVAILABLE` because nobody answered
 * is undone before the next one, should it have come through after all.
 *
 * Errors: `INVALID_ARGUMENT` for a host name that is none, `STORE_UNAVAILABLE`, `STORE_CORRUPT`, `STORE_VERSION`. Writes of
 * a process that is the host no more reject with `LEASE_LOST`.
 */
export async function openClusterStore(
  session: ClusterSession,
  host: string,
  options: ClusterStoreOptions,
): Promise<OpenedStore> {
  if (!HOST_NAME.test(host)) {
    const expected = '1 to 63 of letters, digits, "_" and "-"';
    const found = JSON.stringify(host);
    const message = `the name of the host: expected ${expected}, found ${found}`;
    throw new ExtSwitchError('INVALID_ARGUMENT', message, { expected, found });
  }
  const publisher = new AckedPublisher(session.connection);
  try {
    const journal = new Journal(session, publisher, host, options.incarnation);
    const objects = new StateObjects(session, host);
    const deadline = performance.now() + Math.max(OPEN_LEAST_MS, session.address.writeTimeoutMs);
    const opened = await openHost(session, publisher, journal, objects, deadline);
    const parts = { session, publisher, journal, objects, opened };
    const writer = new CommitWriter(parts, (error) => options.onFenced?.(error));
    const store = new ClusterStore(`${describe(session.address)} ${host}`, opened.mirror, writer);
    return { store, epoch: opened.taken.epoch, isCurrent: () => writer.isCurrent() };
  } catch (cause) {
    publisher.close();
    if (cause instanceof ExtSwitchError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot open host ${host} in ${describe(session.address)}: ${found}`;
    throw new ExtSwitchError('STORE_UNAVAILABLE', message, { found }, { cause });
  }
}

class ClusterStore implements Store {
  readonly description: string;
  readonly #mirror: MemoryStore;
  readonly #writer: CommitWriter;
  readonly #commits: GroupCommit;
  #closing: Promise<void> | undefined = undefined;

  constructor(place: string, mirror: MemoryStore, writer: CommitWriter) {
    this.description = `cluster ${place}`;
    this.#mirror = mirror;
    this.#writer = writer;
    this.#commits = new GroupCommit((batch: CommitBatch) => writer.commit(batch));
  }

  get(key: string): StoreValue | undefined {
    this.#checkOpen();
    return this.#mirror.get(key);
  }

  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    this.#checkOpen();
    checkPrefix(prefix);
    return {
      [Symbol.iterator]: () => {
        this.#checkOpen();
        return this.#mirror.range(prefix)[Symbol.iterator]();
      },
    };
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

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const late = setTimeout(() => this.#writer.end(), CLOSE_WAIT_MS);
    await this.#commits.idle();
    clearTimeout(late);
    await this.#writer.close();
    await this.#mirror.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new ExtSwitchError('STORE_UNAVAILABLE', `the store ${this.description} is closed`);
    }
  }
}
