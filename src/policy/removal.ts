import type { StoreOp } from '../store/store.ts';

/**
 * A removal under way, from the moment it has noted what it would make again until it is known whether it stands. An undo of what
 * it takes away has nothing to go by meanwhile, and what the removal has noted is the state with the change in it: such undos are
 * held, and follow the removal's own when that comes.
 *
 * @typeParam Held - a change that is to be undone after this one
 */
export class Removal<Held> {
  readonly #keys: readonly string[];
  readonly #part: string | undefined;
  #held: Held[] = [];

  /** `keys`: keys of records, and prefixes that end in a slash; `part`: only changes of this part of the record. */
  constructor(keys: readonly string[], part: string | undefined) {
    this.#keys = keys;
    this.#part = part;
  }

  /** Whether everything written there is part of what is removed. */
  covers(ops: readonly StoreOp[], part: string | undefined): boolean {
    if (this.#part !== undefined && part !== this.#part) return false;
    return ops.length > 0 && ops.every(({ key }) => this.#keys.some((own) => isOf(key, own)));
  }

  hold(change: Held): void {
    this.#held.push(change);
  }

  /** What was held, once. */
  release(): Held[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}

function isOf(key: string, own: string): boolean {
  return own.endsWith('/') ? key.startsWith(own) : key === own;
}
