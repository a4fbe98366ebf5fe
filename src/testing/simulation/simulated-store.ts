import { ExtSwitchError } from '../../core/errors.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../store/store.ts';
import type { Planted } from './plants.ts';

/** The disk of a simulated host: it outlives the world on it, and gets nothing more of one that has died. */
export class SimulatedStore implements Store {
  readonly description = 'simulated store';
  readonly #disk: MemoryStore;
  readonly #planted: Planted;
  #isDead = false;
  /** Keys of what was written since somebody took them. */
  readonly touched: string[] = [];

  constructor(planted: Planted, disk = new MemoryStore()) {
    this.#disk = disk;
    this.#planted = planted;
  }

  /** The host has died: nothing more reaches the disk. */
  get isDead(): boolean {
    return this.#isDead;
  }

  kill(): void {
    this.#isDead = true;
  }

  /** The disk as the next process of the host finds it. */
  again(): SimulatedStore {
    return new SimulatedStore(this.#planted, this.#disk);
  }

  /** A copy to open beside. */
  copy(): MemoryStore {
    return this.#disk.fork();
  }

  get(key: string): StoreValue | undefined {
    return this.#disk.get(key);
  }

  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    return this.#disk.range(prefix);
  }

  write(ops: readonly StoreOp[]): Promise<void> | undefined {
    if (this.#isDead) {
      return Promise.reject(new ExtSwitchError('STORE_UNAVAILABLE', 'the host died'));
    }
    for (const { key } of ops) this.touched.push(key);
    if (this.#planted.strikes('storeHangs')) return new Promise(() => undefined);
    return this.#disk.write(this.#planted.written(ops));
  }

  async close(): Promise<void> {
    // The disk stays.
  }
}
