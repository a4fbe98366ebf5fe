import { ExtSwitchError } from '../../core/errors.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../store/store.ts';
import type { Planted } from './plants.ts';
import type { StoreTrap } from './step.ts';

const gone = (what: string): Promise<never> =>
  Promise.reject(new ExtSwitchError('STORE_UNAVAILABLE', what));

/** The disk of a simulated host: it outlives the world on it, fails where a step says so, and the host may die writing. */
export class SimulatedStore implements Store {
  readonly description = 'simulated store';
  readonly #disk: MemoryStore;
  readonly #planted: Planted;
  #trap: StoreTrap | undefined;
  #writes = 0;
  readonly #behind: (() => void)[] = [];
  #isDead = false;
  /** Keys of what was written, or was to be, since somebody took them. */
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

  /** Counts writes anew. */
  arm(trap: StoreTrap | undefined): void {
    this.#trap = trap;
    this.#writes = 0;
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
    if (this.#isDead) return gone('the host died');
    this.#writes += 1;
    for (const { key } of ops) this.touched.push(key);
    const effect = this.#writes === this.#trap?.nth ? this.#trap.effect : undefined;
    if (effect === 'fails' || this.#behind.length > 0) return this.#fail();
    if (effect === 'dies') this.#isDead = true;
    if (effect === 'dies') return gone('the host died');
    if (this.#planted.strikes('storeHangs')) return new Promise(() => undefined);
    this.#disk.write(this.#planted.written(ops));
    if (effect !== 'diesAfter') return undefined;
    this.#isDead = true;
    return gone('the host died');
  }

  /** The write that fails and those called before that is known, which are queued behind it, reject together. */
  #fail(): Promise<void> {
    if (this.#behind.length === 0) {
      queueMicrotask(() => {
        for (const reject of this.#behind.splice(0)) reject();
      });
    }
    return new Promise((_resolve, refuse) => {
      this.#behind.push(() => {
        refuse(new ExtSwitchError('STORE_UNAVAILABLE', 'no space left on device'));
      });
    });
  }

  async close(): Promise<void> {
    // The disk stays.
  }
}
