import { ExtSwitchError } from '../../core/errors.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../store/store.ts';

/** What outlives the worlds that are opened on it, as a disk does; a world whose process is killed writes nothing more to it. */
export class StageDisk implements Store {
  readonly memory: MemoryStore;
  readonly description = 'the disk of a stage';
  #isDead = false;

  constructor(memory = new MemoryStore()) {
    this.memory = memory;
  }

  kill(): void {
    this.#isDead = true;
  }

  get(key: string): StoreValue | undefined {
    return this.memory.get(key);
  }

  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]> {
    return this.memory.range(prefix);
  }

  write(ops: readonly StoreOp[]): Promise<void> | undefined {
    if (!this.#isDead) return this.memory.write(ops);
    return Promise.reject(new ExtSwitchError('STORE_UNAVAILABLE', 'the host died'));
  }

  async close(): Promise<void> {
    // The disk stays.
  }
}
