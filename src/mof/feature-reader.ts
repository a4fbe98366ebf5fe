import { ExtSwitchError } from '../core/errors.ts';
import type { MemberValue, SerializationProfile } from './feature-class.ts';
import type { FeaturePlan, MemberPlan } from './feature-plan.ts';
import { readScalar, readUint16, readUint32 } from './scalar-codec.ts';
import type { Settings } from './settings.ts';
import { storeAll } from './settings-object.ts';
import { readUtf16, trimmedLength } from './utf16.ts';

/**
 * Most bytes of tails one buffer may make us read beyond its own length. Overlap is allowed (R12), so without a limit a
 * megabyte of offsets that all point at one long text would become gigabytes.
 */
const MAX_SHARED_BYTES = 16_777_216;

const EMPTY = new Uint8Array(0);

/** Two tails of one buffer that share bytes, which no writer of ours does; offsets from the start of the class. */
export interface TailOverlap {
  readonly first: string;
  readonly second: string;
  readonly offset: number;
  readonly sizeBytes: number;
}
export type OverlapListener = (overlap: TailOverlap) => void;

/** Told of every tail while one buffer is read, in reading order: for overlaps and dumps. */
export type TailListener = (m: MemberPlan, start: number, sizeBytes: number) => void;

/**
 * Reads settings from bytes somebody else wrote (management.md 2.5). Anything that points outside, or a count that cannot
 * be, throws `ABI_INVALID` naming class, member, offset from the start of the class, expected and found. A buffer longer
 * than the class (written by a newer version of it) is read as far as it is known (rule E51).
 */
export class FeatureReader {
  private readonly className: string;
  private readonly plan: FeaturePlan;
  private readonly members: readonly MemberPlan[];
  private readonly isBytes: boolean;
  /** Has every member in order; copying it gives all results of a class one hidden class. */
  private readonly template: Settings;

  private readonly names: readonly string[];
  /** Values of the buffer being read, by member. */
  private readonly values: MemberValue[];

  private bytes: Uint8Array = EMPTY;
  private base = 0;
  private length = 0;
  private shared = 0;
  private listener: TailListener | undefined;

  constructor(
    className: string,
    plan: FeaturePlan,
    profile: SerializationProfile,
    template: Settings,
  ) {
    this.className = className;
    this.plan = plan;
    this.members = plan.members;
    this.isBytes = profile.stringUnit === 'bytes';
    this.template = template;
    this.names = plan.members.map((m) => m.name);
    this.values = plan.members.map(() => 0);
  }

  read(bytes: Uint8Array, offset: number, length: number, listener?: TailListener): Settings {
    this.start(bytes, offset, length);
    this.listener = listener;
    const members = this.members;
    const values = this.values;
    for (let i = 0; i < members.length; i += 1) values[i] = this.member(members[i] as MemberPlan);
    this.bytes = EMPTY;
    const settings: Record<string, MemberValue> = { ...this.template };
    storeAll(settings, this.names, values);
    return settings;
  }

  private start(bytes: Uint8Array, offset: number, length: number): void {
    const isInside =
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset + length <= bytes.length;
    if (!isInside) {
      throw this.wrong(
        this.className,
        0,
        `at most ${bytes.length} bytes`,
        `${length} bytes at offset ${offset}`,
      );
    }
    if (length < this.plan.size) {
      throw this.wrong(this.className, 0, `at least ${this.plan.size} bytes`, `${length} bytes`);
    }
    this.bytes = bytes;
    this.base = offset;
    this.length = length;
    this.shared = 0;
  }

  private member(m: MemberPlan): MemberValue {
    switch (m.op) {
      case 15: // inlineString
        return this.inlineString(m, m.offset);
      case 16: // tailString
        return this.record(m, m.offset);
      case 17: // inlineArray
        return this.scalars(m, m.dataOffset, this.count(m));
      case 18: {
        // tailArray
        const count = this.count(m);
        return count === 0 ? [] : this.scalars(m, this.tail(m, count), count);
      }
      case 19: // inlineBlocks
        return this.blocks(m, m.dataOffset, this.count(m));
      case 20: {
        // tailBlocks
        const count = this.count(m);
        return count === 0 ? [] : this.blocks(m, this.tail(m, count), count);
      }
      case 21: // tailStrings
        return this.records(m);
      case 14: // wideUint16
        return this.wideUint16(m);
      default:
        return readScalar(this.bytes, this.base + m.offset, m.op);
    }
  }

  /** doc32: four bytes for a value of two. */
  private wideUint16(m: MemberPlan): number {
    const value = readUint32(this.bytes, this.base + m.offset);
    if (value > 0xffff) throw this.wrong(m.name, m.offset, 'a uint16, 0..65535', `${value}`);
    return value;
  }

  private count(m: MemberPlan): number {
    const count = readUint32(this.bytes, this.base + m.offset);
    if (count > m.max) {
      throw this.wrong(m.name, m.offset, `an element count of at most ${m.max}`, `${count}`);
    }
    return count;
  }

  /** Where the tail starts. All sums stay below 2^49, so they are exact (2.5). */
  private tail(m: MemberPlan, count: number): number {
    const start = readUint32(this.bytes, this.base + m.dataOffset);
    this.checkTail(m, m.dataOffset, start, count * m.elementSize);
    return start;
  }

  private checkTail(m: MemberPlan, field: number, start: number, sizeBytes: number): void {
    if (start < this.plan.size || start + sizeBytes > this.length) {
      const expected = `${sizeBytes} bytes within ${this.plan.size}..${this.length}`;
      throw this.wrong(m.name, field, expected, `offset ${start}`);
    }
    this.shared += sizeBytes;
    if (this.shared > this.length + MAX_SHARED_BYTES) {
      const expected = `tails that share at most ${MAX_SHARED_BYTES} bytes`;
      throw this.wrong(m.name, field, expected, 'more');
    }
    if (this.listener !== undefined) this.listener(m, start, sizeBytes);
  }

  /** Units of a text whose count is at `at`: odd byte counts are an error, NULs at the end are no part of the text. */
  private units(m: MemberPlan, at: number): number {
    const count = readUint16(this.bytes, this.base + at);
    if (!this.isBytes) return count;
    if (count % 2 !== 0) throw this.wrong(m.name, at, 'an even byte count', `${count}`);
    return count / 2;
  }

  private inlineString(m: MemberPlan, at: number): string {
    const units = this.units(m, at);
    // The last unit is for the terminator, which a writer may count (management.md 2.4).
    if (units > m.maxLen + 1) {
      throw this.wrong(m.name, at, `at most ${m.maxLen} characters`, `${units}`);
    }
    const start = this.base + at + 2;
    const length = trimmedLength(this.bytes, start, units);
    if (length > m.maxLen) {
      throw this.wrong(m.name, at, `at most ${m.maxLen} characters`, `${length}`);
    }
    return readUtf16(this.bytes, start, length);
  }

  /** R7: the record that the offset at `field` points to. */
  private record(m: MemberPlan, field: number): string {
    const start = readUint32(this.bytes, this.base + field);
    if (start < this.plan.size || start + 2 > this.length) {
      const expected = `a string record within ${this.plan.size}..${this.length}`;
      throw this.wrong(m.name, field, expected, `offset ${start}`);
    }
    const units = this.units(m, start);
    this.checkTail(m, field, start, 2 + units * 2);
    const length = trimmedLength(this.bytes, this.base + start + 2, units);
    return readUtf16(this.bytes, this.base + start + 2, length);
  }

  private scalars(
    m: MemberPlan,
    start: number,
    count: number,
  ): (number | bigint | boolean | string)[] {
    const { kind, elementSize } = m;
    const values: (number | bigint | boolean | string)[] = [];
    let at = this.base + start;
    for (let i = 0; i < count; i += 1) {
      values.push(readScalar(this.bytes, at, kind));
      at += elementSize;
    }
    return values;
  }

  private blocks(m: MemberPlan, start: number, count: number): string[] {
    const texts: string[] = [];
    for (let i = 0; i < count; i += 1) texts.push(this.inlineString(m, start + i * m.elementSize));
    return texts;
  }

  private records(m: MemberPlan): string[] {
    const count = this.count(m);
    const texts: string[] = [];
    if (count === 0) return texts;
    const start = this.tail(m, count);
    for (let i = 0; i < count; i += 1) texts.push(this.record(m, start + i * 4));
    return texts;
  }

  private wrong(member: string, offset: number, expected: string, found: string): ExtSwitchError {
    const name = member === this.className ? member : `${this.className}.${member}`;
    return new ExtSwitchError(
      'ABI_INVALID',
      `${name} at offset ${offset}: expected ${expected}, found ${found}`,
      { structure: this.className, member, offset, expected, found },
    );
  }
}
