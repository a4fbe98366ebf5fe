import type { Guid } from './guid.ts';

/** The two digits of a byte as character codes, low digit in the upper half; every new property takes a GUID. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, i) => {
  const text = i.toString(16).padStart(2, '0');
  return text.charCodeAt(0) | (text.charCodeAt(1) << 8);
});

/**
 * The text of the GUID being made. Reading it out gives one flat text; pieces put together with `+` would be a tree that
 * the first look-up has to flatten, at twice the cost.
 */
const letters = Buffer.alloc(36, '-');

/** Puts the low 16 bits of `n` at `at` as four hexadecimal digits. */
function putHalf(at: number, n: number): void {
  const high = DIGITS[(n >>> 8) & 0xff] as number;
  const low = DIGITS[n & 0xff] as number;
  letters[at] = high;
  letters[at + 1] = high >>> 8;
  letters[at + 2] = low;
  letters[at + 3] = low >>> 8;
}

/** A place in the sequence of an {@link Rng}. */
export type RngPosition = readonly [number, number, number, number];

/** Seeded random numbers (xoshiro128**): the only randomness inside a world, so one seed gives one history. */
export class Rng {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** `seed` is any text; equal texts give equal sequences on every machine. */
  constructor(seed: string) {
    this.reseed(seed);
  }

  /** Goes on as if it were made with this seed. */
  reseed(seed: string): void {
    // FNV-1a over the text, then splitmix32 spreads it over the state.
    let h = 0x811c9dc5;
    for (let i = 0; i < seed.length; i += 1) h = Math.imul(h ^ seed.charCodeAt(i), 0x01000193);
    const next = (): number => {
      h = (h + 0x9e3779b9) | 0;
      let z = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** Where in its sequence it is, for {@link goTo}. */
  get position(): RngPosition {
    return [this.#a, this.#b, this.#c, this.#d];
  }

  /** Goes on from where it, or another one, was. */
  goTo([a, b, c, d]: RngPosition): void {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A number in [0, 1). */
  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A version 4 GUID in canonical form. */
  guid(): Guid {
    const a = this.uint32();
    const b = (this.uint32() & 0xffff0fff) | 0x4000;
    const c = (this.uint32() & 0x3fffffff) | 0x80000000;
    const d = this.uint32();
    putHalf(0, a >>> 16);
    putHalf(4, a);
    putHalf(9, b >>> 16);
    putHalf(14, b);
    putHalf(19, c >>> 16);
    putHalf(24, c);
    putHalf(28, d >>> 16);
    putHalf(32, d);
    return letters.toString('latin1');
  }
}
