import { abiInvalid } from './abi-error.ts';

/** What an array member needs of the view it belongs to. */
export interface ArrayOwner {
  readonly data: DataView;
  /** Position of the structure in `data`. */
  readonly base: number;
  /** Position of the structure in the caller's bytes, for messages. */
  readonly offset: number;
  /** True when the bound bytes hold that revision's members up to `end`. */
  holds(revision: number, end: number): boolean;
}

/** Place of an array member, known once per structure. */
export interface ArrayPlace {
  readonly structure: string;
  readonly member: string;
  readonly offset: number;
  readonly count: number;
  /** Revision of the structure that has the member. */
  readonly revision: number;
}

/**
 * An array member of 64-bit elements (`ULONG64`, `UINT64`, pointers), read and written in place. Elements of a member
 * that the bound revision does not have read as 0n and cannot be written.
 */
export class U64Member {
  readonly #owner: ArrayOwner;
  readonly #place: ArrayPlace;
  /** Elements. */
  readonly length: number;

  constructor(owner: ArrayOwner, place: ArrayPlace) {
    this.#owner = owner;
    this.#place = place;
    this.length = place.count;
  }

  #present(): boolean {
    const { offset, count, revision } = this.#place;
    return revision === 1 || this.#owner.holds(revision, offset + count * 8);
  }

  /** Position in the DataView of element `index`. */
  #at(index: number): number {
    return this.#owner.base + this.#place.offset + checkIndex(this.#place, this.#owner, index) * 8;
  }

  /** Element `index`, 0 to `length - 1`. */
  get(index: number): bigint {
    const at = this.#at(index);
    return this.#present() ? this.#owner.data.getBigUint64(at, true) : 0n;
  }

  set(index: number, value: bigint): void {
    const at = this.#at(index);
    if (!this.#present()) throw absentMember(this.#place, this.#owner.offset);
    this.#owner.data.setBigUint64(at, value, true);
  }

  /** Bit `bit` of the whole set: bit `bit & 63` of word `bit >> 6` (ndis-switch-abi.md 4, VLAN bitmaps). */
  hasBit(bit: number): boolean {
    const at = this.#at(bit >> 6) + ((bit & 63) >> 3);
    return this.#present() && ((this.#owner.data.getUint8(at) >> (bit & 7)) & 1) === 1;
  }

  setBit(bit: number, on: boolean): void {
    const at = this.#at(bit >> 6) + ((bit & 63) >> 3);
    if (!this.#present()) throw absentMember(this.#place, this.#owner.offset);
    const mask = 1 << (bit & 7);
    const byte = this.#owner.data.getUint8(at);
    this.#owner.data.setUint8(at, on ? byte | mask : byte & ~mask);
  }

  /** Numbers of the bits that are set, ascending. */
  bits(): number[] {
    const found: number[] = [];
    if (!this.#present()) return found;
    const start = this.#at(0);
    for (let i = 0; i < this.length * 8; i += 1) {
      const byte = this.#owner.data.getUint8(start + i);
      for (let b = 0; byte >> b !== 0; b += 1) {
        if (((byte >> b) & 1) === 1) found.push(i * 8 + b);
      }
    }
    return found;
  }

  /** Sets exactly the bits named. */
  setBits(bits: Iterable<number>): void {
    for (let i = 0; i < this.length; i += 1) this.set(i, 0n);
    for (const bit of bits) this.setBit(bit, true);
  }

  toArray(): bigint[] {
    return Array.from({ length: this.length }, (_, i) => this.get(i));
  }
}

/** An array member of UTF-16 units (`WCHAR`), read and written in place. */
export class U16Member {
  readonly #owner: ArrayOwner;
  readonly #place: ArrayPlace;
  /** Elements. */
  readonly length: number;

  constructor(owner: ArrayOwner, place: ArrayPlace) {
    this.#owner = owner;
    this.#place = place;
    this.length = place.count;
  }

  get(index: number): number {
    const at = checkIndex(this.#place, this.#owner, index) * 2 + this.#place.offset;
    return this.#owner.data.getUint16(this.#owner.base + at, true);
  }

  set(index: number, value: number): void {
    const at = checkIndex(this.#place, this.#owner, index) * 2 + this.#place.offset;
    this.#owner.data.setUint16(this.#owner.base + at, value, true);
  }

  toArray(): number[] {
    return Array.from({ length: this.length }, (_, i) => this.get(i));
  }
}

function checkIndex(place: ArrayPlace, owner: ArrayOwner, index: number): number {
  if (!(Number.isInteger(index) && index >= 0 && index < place.count)) {
    throw abiInvalid(
      place.structure,
      place.member,
      owner.offset + place.offset,
      `an index from 0 to ${place.count - 1}`,
      String(index),
    );
  }
  return index;
}

function absentMember(place: ArrayPlace, offset: number): Error {
  return abiInvalid(
    place.structure,
    place.member,
    offset + place.offset,
    `revision ${place.revision} of the structure`,
    'an older one that has no such member',
  );
}
