import { Rng } from '../../src/core/rng.ts';

/** Seeded choices of a chaos run: one seed makes the same choices, though not at the same moments. */
export class Random {
  readonly #rng: Rng;

  constructor(seed: string) {
    this.#rng = new Rng(seed);
  }

  /** 0 up to, not including, `count`. */
  below(count: number): number {
    return Math.floor(this.#rng.float() * count);
  }

  /** Both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** One of the list; undefined of an empty one. */
  of<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }

  /** The list in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    return list.flatMap(() => left.splice(this.below(left.length), 1));
  }

  isOnceIn(count: number): boolean {
    return this.below(count) === 0;
  }
}
