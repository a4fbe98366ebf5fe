import type { Journal } from './journal.ts';
import { MARKS_KEPT_MS } from './moment.ts';
import type { StateObjects } from './state-objects.ts';
import type { TakeOver } from './take-over.ts';

/** Entries that may be there beyond what is needed; they are removed together. */
const SURPLUS = 16;

interface Added {
  readonly number: number;
  readonly revision: number;
  readonly object: string | undefined;
}

/**
 * Removes entries that the records have; the newest stays, for it says where the journal is. An object goes after its
 * entry, so that no entry lacks its object.
 */
export class JournalTrimmer {
  readonly #journal: Journal;
  readonly #objects: StateObjects;
  readonly #taken: TakeOver;
  /** Entries of this epoch, in the order of their numbers. */
  #entries: Added[] = [];
  #isOldThere: boolean;
  #running: Promise<void> | undefined = undefined;

  constructor(journal: Journal, objects: StateObjects, taken: TakeOver) {
    this.#journal = journal;
    this.#objects = objects;
    this.#taken = taken;
    this.#isOldThere = taken.entries.length > 0;
  }

  /** An entry came to be. */
  added(number: number, revision: number, object: string | undefined): void {
    this.#entries.push({ number, revision, object });
  }

  /** Trims in the background, once there is enough to trim. */
  progressed(applied: number): void {
    const isSurplus = this.#surplus(applied) >= SURPLUS;
    if (!isSurplus && !(this.#isOldThere && applied >= this.#taken.number)) return;
    // What fails is done with the next round.
    void this.trim(applied);
  }

  /** Trims what can be; failures leave it to the next time. */
  trim(applied: number): Promise<void> {
    this.#running ??= this.#trim(applied)
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  #surplus(applied: number): number {
    let count = 0;
    // The newest is not surplus.
    for (let i = 0; i < this.#entries.length - 1; i++) {
      if ((this.#entries[i] as Added).number > applied) break;
      count++;
    }
    return count;
  }

  async #trim(applied: number): Promise<void> {
    const count = this.#surplus(applied);
    const surplus = this.#entries.slice(0, count);
    if (count > 0) {
      await this.#journal.trim(surplus.map(({ revision }) => revision));
      this.#entries.splice(0, count);
      this.#forget(surplus);
    }
    if (this.#isOldThere && applied >= this.#taken.number && this.#entries.length > 0) {
      await this.#trimOld();
      this.#isOldThere = false;
    }
  }

  /** Entries of epochs before: of each, its opening stays for a while. */
  async #trimOld(): Promise<void> {
    const { entries } = this.#taken;
    const old = Date.now() - MARKS_KEPT_MS;
    const gone = entries.filter(({ entry, time }) => entry.kind !== 'opening' || time < old);
    await this.#journal.trim(gone.map(({ revision }) => revision));
    const objects = entries.flatMap(({ object }) => (object === undefined ? [] : [object]));
    this.#objects.remove(objects);
  }

  #forget(entries: readonly Added[]): void {
    const objects = entries.flatMap(({ object }) => (object === undefined ? [] : [object]));
    this.#objects.remove(objects);
  }
}
