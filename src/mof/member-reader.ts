import type { MemberValue, SerializationProfile } from './feature-class.ts';
import { wrongBytes } from './feature-error.ts';
import { Kind, type MemberPlan, Op } from './feature-plan.ts';
import { readScalar, readUint16, readUint32 } from './scalar-codec.ts';
import { readUtf16, trimmedLength } from './utf16.ts';

/**
 * Most bytes of tails one buffer may make us read beyond its own length. Overlap is allowed (R12), so without a limit a
 * megabyte of offsets that all point at one long text would become gigabytes.
 */
const MAX_SHARED_BYTES = 16_777_216;

/** Told of every tail while one buffer is read, in reading order: for overlaps and dumps. */
export type TailListener = (m: MemberPlan, start: number, sizeBytes: number) => void;

/** One buffer while it is read. Offsets count from `base`, where the class starts (R10); all checks are against `length`. */
export class ReadSource {
  readonly className: string;
  /** sizeof the class: tails lie behind it (management.md 2.5). */
  readonly fixedSize: number;
  bytes: Uint8Array = new Uint8Array(0);
  base = 0;
  length = 0;
  listener: TailListener | undefined;
  private tailBytes = 0;

  constructor(className: string, fixedSize: number) {
    this.className = className;
    this.fixedSize = fixedSize;
  }

  start(bytes: Uint8Array, base: number, length: number, listener?: TailListener): void {
    this.bytes = bytes;
    this.base = base;
    this.length = length;
    this.listener = listener;
    this.tailBytes = 0;
  }

  /** Checks that a tail is inside and behind the fixed part. All sums stay below 2^49, so they are exact. */
  checkTail(m: MemberPlan, field: number, start: number, sizeBytes: number): void {
    if (start < this.fixedSize || start + sizeBytes > this.length) {
      const expected = `${sizeBytes} bytes within ${this.fixedSize}..${this.length}`;
      throw this.wrong(m, field, expected, `offset ${start}`);
    }
    this.tailBytes += sizeBytes;
    if (this.tailBytes > this.length + MAX_SHARED_BYTES) {
      const expected = `tails that share at most ${MAX_SHARED_BYTES} bytes`;
      throw this.wrong(m, field, expected, `${this.tailBytes - this.length} and more`);
    }
    if (this.listener !== undefined) this.listener(m, start, sizeBytes);
  }

  wrong(m: MemberPlan, offset: number, expected: string, found: string): Error {
    return wrongBytes(this.className, m.name, offset, expected, found);
  }
}

/** Reads one member. One closure per member, as in {@link MemberWriter}. */
export type MemberReader = (source: ReadSource) => MemberValue;

/** uint8, uint16 and uint32 are read by the class's own loop. */
function scalarReader(m: MemberPlan): MemberReader {
  const { offset, op } = m;
  if (op !== Kind.wideUint16) return ({ bytes, base }) => readScalar(bytes, base + offset, op);
  // doc32: four bytes for a value of two.
  return (source) => {
    const value = readUint32(source.bytes, source.base + offset);
    if (value <= 0xffff) return value;
    throw source.wrong(m, offset, 'a uint16, 0..65535', `${value}`);
  };
}

/** Units of the text whose count is at `at`. An odd byte count is an error (management.md 2.4). */
function readUnits(m: MemberPlan, source: ReadSource, at: number, isBytes: boolean): number {
  const count = readUint16(source.bytes, source.base + at);
  if (!isBytes) return count;
  if ((count & 1) !== 0) throw source.wrong(m, at, 'an even byte count', `${count}`);
  return count >> 1;
}

/** R5. The last unit is for the terminator, which a writer may count; NULs at the end are no part of the text. */
function readBlock(m: MemberPlan, source: ReadSource, at: number, isBytes: boolean): string {
  const units = readUnits(m, source, at, isBytes);
  const start = source.base + at + 2;
  const kept = units > m.maxLen + 1 ? units : trimmedLength(source.bytes, start, units);
  if (kept > m.maxLen) throw source.wrong(m, at, `at most ${m.maxLen} characters`, `${kept}`);
  return readUtf16(source.bytes, start, kept);
}

/** R7: the record that the offset at `field` points to. */
function readRecord(m: MemberPlan, source: ReadSource, field: number, isBytes: boolean): string {
  const { bytes, base } = source;
  const start = readUint32(bytes, base + field);
  if (start < source.fixedSize || start + 2 > source.length) {
    const expected = `a string record within ${source.fixedSize}..${source.length}`;
    throw source.wrong(m, field, expected, `offset ${start}`);
  }
  const units = readUnits(m, source, start, isBytes);
  source.checkTail(m, field, start, 2 + units * 2);
  const text = base + start + 2;
  return readUtf16(bytes, text, trimmedLength(bytes, text, units));
}

type Scalar = number | bigint | boolean | string;

/** Reads packed elements that are known to be inside. */
type ElementsReader = (source: ReadSource, start: number, count: number) => Scalar[];

function elementsReader(m: MemberPlan, isBytes: boolean): ElementsReader {
  const { kind, elementSize } = m;
  if (kind === Kind.uint32) {
    return ({ bytes, base }, start, count) => {
      const values = new Array<number>(count);
      for (let i = 0; i < count; i += 1) values[i] = readUint32(bytes, base + start + i * 4);
      return values;
    };
  }
  if (kind === Kind.string) {
    return (source, start, count) => {
      const texts = new Array<string>(count);
      for (let i = 0; i < count; i += 1) {
        texts[i] = readBlock(m, source, start + i * elementSize, isBytes);
      }
      return texts;
    };
  }
  return ({ bytes, base }, start, count) => {
    const values = new Array<Scalar>(count);
    for (let i = 0; i < count; i += 1) {
      values[i] = readScalar(bytes, base + start + i * elementSize, kind);
    }
    return values;
  };
}

function readCount(m: MemberPlan, source: ReadSource): number {
  const count = readUint32(source.bytes, source.base + m.offset);
  if (count > m.max) {
    throw source.wrong(m, m.offset, `an element count of at most ${m.max}`, `${count}`);
  }
  return count;
}

function inlineArrayReader(m: MemberPlan, isBytes: boolean): MemberReader {
  const readElements = elementsReader(m, isBytes);
  const { dataOffset } = m;
  return (source) => readElements(source, dataOffset, readCount(m, source));
}

/** R9, R13: with a count of 0 the offset means nothing. */
function tailArrayReader(m: MemberPlan, isBytes: boolean): MemberReader {
  const readElements = elementsReader(m, isBytes);
  const { dataOffset, elementSize } = m;
  return (source) => {
    const count = readCount(m, source);
    if (count === 0) return [];
    const start = readUint32(source.bytes, source.base + dataOffset);
    source.checkTail(m, dataOffset, start, count * elementSize);
    return readElements(source, start, count);
  };
}

/** R17. */
function tailStringsReader(m: MemberPlan, isBytes: boolean): MemberReader {
  const { dataOffset } = m;
  return (source) => {
    const count = readCount(m, source);
    const texts: string[] = [];
    if (count === 0) return texts;
    const start = readUint32(source.bytes, source.base + dataOffset);
    source.checkTail(m, dataOffset, start, count * 4);
    for (let i = 0; i < count; i += 1) texts.push(readRecord(m, source, start + i * 4, isBytes));
    return texts;
  };
}

/** The reader of one member; which one is decided here once. */
export function memberReader(profile: SerializationProfile, m: MemberPlan): MemberReader {
  const isBytes = profile.stringUnit === 'bytes';
  const { offset } = m;
  switch (m.op) {
    case Op.inlineString:
      return (source) => readBlock(m, source, offset, isBytes);
    case Op.tailString:
      return (source) => readRecord(m, source, offset, isBytes);
    case Op.inlineArray:
    case Op.inlineBlocks:
      return inlineArrayReader(m, isBytes);
    case Op.tailArray:
    case Op.tailBlocks:
      return tailArrayReader(m, isBytes);
    case Op.tailStrings:
      return tailStringsReader(m, isBytes);
    default:
      return scalarReader(m);
  }
}
