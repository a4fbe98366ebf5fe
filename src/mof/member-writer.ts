import type { MemberValue, SerializationProfile } from './feature-class.ts';
import { noRoom, unfitValue } from './feature-error.ts';
import { alignUp, Kind, type MemberPlan, Op } from './feature-plan.ts';
import { writeScalar, writeUint16, writeUint32 } from './scalar-codec.ts';
import { writeUtf16 } from './utf16.ts';

/**
 * Writes one member of a class that starts at `base` into zeroed room; its tail, if it has one, at `cursor` or the next
 * aligned place, counted from `base`. Gives the new end of the tails. One closure per member: each is small enough to be
 * compiled with all it calls, and a class costs one call per member.
 */
export type MemberWriter = (
  value: MemberValue | undefined,
  bytes: Uint8Array,
  base: number,
  cursor: number,
) => number;

type Elements = readonly (boolean | number | bigint | string)[];

/** Below this many bytes a loop zeroes quicker than a call of `fill`. */
const FILL_LIMIT = 48;

export function zero(bytes: Uint8Array, from: number, to: number): void {
  if (to - from > FILL_LIMIT) {
    bytes.fill(0, from, to);
    return;
  }
  for (let i = from; i < to; i += 1) bytes[i] = 0;
}

/** How texts are counted and ended (management.md 2.4). */
export class TextStyle {
  /** 2 when counts are in bytes, 1 when in characters. */
  readonly factor: number;
  /** NULs inside the count; NULs a record has room for. */
  readonly counted: number;
  readonly appended: number;

  constructor(profile: SerializationProfile) {
    this.factor = profile.stringUnit === 'bytes' ? 2 : 1;
    this.counted = profile.nul === 'counted' ? 1 : 0;
    this.appended = profile.nul === 'none' ? 0 : 1;
  }

  /** Bytes of an R7 record. */
  recordSize(text: string): number {
    return 2 + (text.length + this.appended) * 2;
  }
}

/** What all writers of a class share. */
export interface WriterContext {
  readonly className: string;
  readonly style: TextStyle;
}

function scalarWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const { offset, op } = m;
  const { className } = context;
  switch (op) {
    case Kind.uint8:
      return (value, bytes, base, cursor) => {
        if (typeof value !== 'number') throw unfitValue(className, m, value);
        bytes[base + offset] = value;
        return cursor;
      };
    case Kind.uint16:
      return (value, bytes, base, cursor) => {
        if (typeof value !== 'number') throw unfitValue(className, m, value);
        writeUint16(bytes, base + offset, value);
        return cursor;
      };
    case Kind.uint32:
    case Kind.wideUint16:
      return (value, bytes, base, cursor) => {
        if (typeof value !== 'number') throw unfitValue(className, m, value);
        writeUint32(bytes, base + offset, value);
        return cursor;
      };
    default:
      return (value, bytes, base, cursor) => {
        if (!writeScalar(bytes, base + offset, op, value)) throw unfitValue(className, m, value);
        return cursor;
      };
  }
}

/** R5, R6: the room was zeroed, so the tail of the text is. */
function inlineStringWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const { className, style } = context;
  const { factor, counted } = style;
  const { offset, maxLen } = m;
  return (value, bytes, base, cursor) => {
    if (typeof value !== 'string' || value.length > maxLen) throw unfitValue(className, m, value);
    writeUint16(bytes, base + offset, (value.length + counted) * factor);
    writeUtf16(bytes, base + offset + 2, value);
    return cursor;
  };
}

/** Start of a tail (R12): aligned, with room for it, and the gap before it zeroed. */
function tailAt(
  className: string,
  bytes: Uint8Array,
  base: number,
  cursor: number,
  alignment: number,
  sizeBytes: number,
): number {
  const start = alignUp(cursor, alignment);
  if (base + start + sizeBytes > bytes.length) {
    throw noRoom(className, bytes, base, start + sizeBytes);
  }
  for (let i = cursor; i < start; i += 1) bytes[base + i] = 0;
  return start;
}

/** R7, R12, R13: a record even for an empty text, so that the offset can always be followed. `field` holds the offset (R10). */
function writeRecord(
  { className, style }: WriterContext,
  text: string,
  bytes: Uint8Array,
  base: number,
  cursor: number,
  field: number,
): number {
  const sizeBytes = style.recordSize(text);
  const start = tailAt(className, bytes, base, cursor, 2, sizeBytes);
  const end = start + sizeBytes;
  writeUint32(bytes, base + field, start);
  writeUint16(bytes, base + start, (text.length + style.counted) * style.factor);
  writeUtf16(bytes, base + start + 2, text);
  if (style.appended > 0) writeUint16(bytes, base + end - 2, 0);
  return end;
}

function tailStringWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const { offset, maxLen } = m;
  return (value, bytes, base, cursor) => {
    if (typeof value !== 'string' || value.length > maxLen) {
      throw unfitValue(context.className, m, value);
    }
    return writeRecord(context, value, bytes, base, cursor, offset);
  };
}

/** Writes packed elements of one kind at `at`; false when one is not of the kind. */
type ElementsWriter = (values: Elements, bytes: Uint8Array, at: number) => boolean;

function elementsWriter(context: WriterContext, m: MemberPlan): ElementsWriter {
  const { kind, elementSize, maxLen } = m;
  const { factor, counted } = context.style;
  if (kind === Kind.uint32) {
    return (values, bytes, at) => {
      for (let i = 0; i < values.length; i += 1) {
        const value = values[i];
        if (typeof value !== 'number') return false;
        writeUint32(bytes, at + i * 4, value);
      }
      return true;
    };
  }
  if (kind !== Kind.string) {
    return (values, bytes, at) => {
      for (let i = 0; i < values.length; i += 1) {
        if (!writeScalar(bytes, at + i * elementSize, kind, values[i])) return false;
      }
      return true;
    };
  }
  return (values, bytes, at) => {
    for (let i = 0; i < values.length; i += 1) {
      const text = values[i];
      if (typeof text !== 'string' || text.length > maxLen) return false;
      writeUint16(bytes, at + i * elementSize, (text.length + counted) * factor);
      writeUtf16(bytes, at + i * elementSize + 2, text);
    }
    return true;
  };
}

function isFitting(value: MemberValue | undefined, max: number): value is Elements {
  return typeof value === 'object' && value !== null && value.length <= max;
}

/** R8. */
function inlineArrayWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const writeElements = elementsWriter(context, m);
  const { offset, dataOffset, max } = m;
  return (value, bytes, base, cursor) => {
    if (!isFitting(value, max)) throw unfitValue(context.className, m, value);
    writeUint32(bytes, base + offset, value.length);
    if (writeElements(value, bytes, base + dataOffset)) return cursor;
    throw unfitElement(context, m, value);
  };
}

/** R9, R13: an empty array keeps count 0 and offset 0. */
function tailArrayWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const writeElements = elementsWriter(context, m);
  const { offset, dataOffset, max, elementSize, tailAlignment } = m;
  const { className } = context;
  /** Texts do not fill their room. */
  const needsZeroes = m.kind === Kind.char16 || m.kind >= Kind.datetime;
  return (value, bytes, base, cursor) => {
    if (!isFitting(value, max)) throw unfitValue(className, m, value);
    const count = value.length;
    if (count === 0) return cursor;
    const sizeBytes = count * elementSize;
    const start = tailAt(className, bytes, base, cursor, tailAlignment, sizeBytes);
    writeUint32(bytes, base + offset, count);
    writeUint32(bytes, base + dataOffset, start);
    if (needsZeroes) zero(bytes, base + start, base + start + sizeBytes);
    if (writeElements(value, bytes, base + start)) return start + sizeBytes;
    throw unfitElement(context, m, value);
  };
}

/** R17: first the offsets, then the records. */
function tailStringsWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  const { offset, dataOffset, max, maxLen } = m;
  const { className } = context;
  return (value, bytes, base, cursor) => {
    if (!isFitting(value, max)) throw unfitValue(className, m, value);
    if (value.length === 0) return cursor;
    const start = tailAt(className, bytes, base, cursor, 4, value.length * 4);
    writeUint32(bytes, base + offset, value.length);
    writeUint32(bytes, base + dataOffset, start);
    let end = start + value.length * 4;
    for (let i = 0; i < value.length; i += 1) {
      const text = value[i];
      if (typeof text !== 'string' || text.length > maxLen) throw unfitElement(context, m, value);
      end = writeRecord(context, text, bytes, base, end, start + i * 4);
    }
    return end;
  };
}

/** Names the first element that is not what the member holds. */
function unfitElement(context: WriterContext, m: MemberPlan, values: Elements): Error {
  const one: MemberPlan = { ...m, isArray: false };
  const probe = new Uint8Array(64);
  const found = values.findIndex((value) =>
    m.type === 'string'
      ? typeof value !== 'string' || value.length > m.maxLen
      : !writeScalar(probe, 0, m.kind, value),
  );
  return unfitValue(context.className, { ...one, name: `${m.name}[${found}]` }, values[found]);
}

/** The writer of one member; which one is decided here once. */
export function memberWriter(context: WriterContext, m: MemberPlan): MemberWriter {
  switch (m.op) {
    case Op.inlineString:
      return inlineStringWriter(context, m);
    case Op.tailString:
      return tailStringWriter(context, m);
    case Op.inlineArray:
    case Op.inlineBlocks:
      return inlineArrayWriter(context, m);
    case Op.tailArray:
    case Op.tailBlocks:
      return tailArrayWriter(context, m);
    case Op.tailStrings:
      return tailStringsWriter(context, m);
    default:
      return scalarWriter(context, m);
  }
}
