import { ExtSwitchError } from '../core/errors.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../store/store.ts';

/**
 * The store of a scenario's host. In memory it outlives the host, as a disk does, so that a host can be restarted on it;
 * nothing reaches it once the host is dead; and it tells how many writes are on their way, for time does not pass meanwhile.
 */
export class HostStore implements Store {
  readonly description: string;
  readonly #inner: Store;
  readonly #outlives: boolean;
  #writing = 0;
  #written = 0;
  #isDead = false;
  #closed = false;

  /** `inner`: what keeps the values; closed with this one, unless it is in memory. */
  constructor(inner: Store) {
    this.#inner = inner;
    this.#outlives = inner instanceof MemoryStore;
    this.description = inner.description;
  }

  /** The process is killed: nothing more reaches the store. */
  kill(): void {
    this.#isDead = true;
  }

  /** Writes that are not yet durable. */
  get writing(): number {
    return this.#writing;
  }

  /** Writes so far. */
  get written(): number {
    return this.#written;
  }

  get(key: string): StoreValue | undefined {
    this.#checkOpen();
    return this.#inner.get(key);
  }

  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    this.#checkOpen();
    return this.#inner.range(prefix);
  }

  write(ops: readonly StoreOp[]): Promise<void> | undefined {
    this.#checkOpen();
    if (this.#isDead)
      return Promise.reject(new ExtSwitchError('STORE_UNAVAILABLE', 'the host died'));
    const written = this.#inner.write(ops);
    this.#written += 1;
    if (written === undefined) return undefined;
    this.#writing += 1;
    return written.finally(() => {
      this.#writing -= 1;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#outlives) await this.#inner.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ExtSwitchError('STORE_UNAVAILABLE', 'the store is closed');
  }
}
