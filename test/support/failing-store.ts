import { ExtSwitchError } from '../../src/core/errors.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../src/store/store.ts';

/**
 * A durable store under the test's thumb: writes wait until the test releases them, and fail while `failing` is set —
 * the failed one and all queued behind it, as the store contract says.
 */
export class FailingStore implements Store {
  readonly description = 'failing store';
  readonly inner = new MemoryStore();
  failing = false;
  /** Writes are held back while set. */
  holding = false;
  #queue: { ops: readonly StoreOp[]; resolve: () => void; reject: (error: unknown) => void }[] = [];

  get(key: string): StoreValue | undefined {
    return this.inner.get(key);
  }
  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    return this.inner.range(prefix);
  }
  write(ops: readonly StoreOp[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ops, resolve, reject });
      if (!this.holding) queueMicrotask(() => this.release());
    });
  }
  /** Settles everything queued: done in order, or all rejected. */
  release(): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const { ops, resolve, reject } of queue) {
      if (this.failing) {
        reject(new ExtSwitchError('STORE_UNAVAILABLE', 'no space left on device'));
      } else {
        this.inner.write(ops);
        resolve();
      }
    }
  }
  async close(): Promise<void> {
    await this.inner.close();
  }
}
