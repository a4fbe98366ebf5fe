/**
 * Up to which commit the records have everything. A commit is open while a key whose oldest change not yet in its record
 * is of that commit; the mark is the last number before the first open commit.
 */
export class AppliedMark {
  /** Open keys of commits, in the order of their numbers. */
  readonly #open = new Map<number, number>();
  #committed: number;
  #applied: number;

  constructor(number: number) {
    this.#committed = number;
    this.#applied = number;
  }

  /** Number of the last commit. */
  get committed(): number {
    return this.#committed;
  }

  get applied(): number {
    return this.#applied;
  }

  /** Commits whose records are not all there. */
  get ahead(): number {
    return this.#committed - this.#applied;
  }

  /** Commit `number`, not smaller than any before, has `openKeys` more keys that had no older change open. */
  commit(number: number, openKeys: number): void {
    this.#committed = number;
    if (openKeys > 0) this.#open.set(number, (this.#open.get(number) ?? 0) + openKeys);
    this.#advance();
  }

  /** One key of commit `number` has its record. True when the mark moved. */
  done(number: number): boolean {
    const left = (this.#open.get(number) ?? 0) - 1;
    if (left > 0) {
      this.#open.set(number, left);
      return false;
    }
    this.#open.delete(number);
    return this.#advance();
  }

  #advance(): boolean {
    const before = this.#applied;
    const [first] = this.#open.keys();
    this.#applied = first === undefined ? this.#committed : first - 1;
    return this.#applied > before;
  }
}
