import type { MemberValue } from './feature-class.ts';
import { DATETIME_LENGTH, Kind } from './feature-plan.ts';
import { readUtf16, trimmedLength, writeUtf16 } from './utf16.ts';

/*
 * Little-endian scalars (R1, R3, R4), byte by byte: the target may start at any address and a DataView over it would be
 * an allocation per call. 64-bit values and reals go through eight bytes of our own.
 */
const eight = new DataView(new ArrayBuffer(8));
const eightBytes = new Uint8Array(eight.buffer);

function copyEight(bytes: Uint8Array, at: number): void {
  bytes[at] = eightBytes[0] as number;
  bytes[at + 1] = eightBytes[1] as number;
  bytes[at + 2] = eightBytes[2] as number;
  bytes[at + 3] = eightBytes[3] as number;
  bytes[at + 4] = eightBytes[4] as number;
  bytes[at + 5] = eightBytes[5] as number;
  bytes[at + 6] = eightBytes[6] as number;
  bytes[at + 7] = eightBytes[7] as number;
}

function takeEight(bytes: Uint8Array, at: number): void {
  eightBytes[0] = bytes[at] as number;
  eightBytes[1] = bytes[at + 1] as number;
  eightBytes[2] = bytes[at + 2] as number;
  eightBytes[3] = bytes[at + 3] as number;
  eightBytes[4] = bytes[at + 4] as number;
  eightBytes[5] = bytes[at + 5] as number;
  eightBytes[6] = bytes[at + 6] as number;
  eightBytes[7] = bytes[at + 7] as number;
}

export function writeUint16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return readSint32(bytes, at) >>> 0;
}

function readSint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/**
 * Writes one scalar of a {@link Kind} into zeroed bytes. False when the value is not of the kind's JavaScript type (then
 * nothing was written); ranges are `normalizeSettings`' business, what is too large loses its upper bits.
 */
export function writeScalar(
  bytes: Uint8Array,
  at: number,
  kind: number,
  value: MemberValue | undefined,
): boolean {
  if (typeof value === 'number') return writeNumber(bytes, at, kind, value);
  if (typeof value === 'bigint') {
    if (kind !== Kind.uint64 && kind !== Kind.sint64) return false;
    eight.setBigUint64(0, value, true);
    copyEight(bytes, at);
    return true;
  }
  if (typeof value === 'boolean') {
    if (kind !== Kind.boolean) return false;
    bytes[at] = value ? 1 : 0;
    return true;
  }
  if (typeof value !== 'string') return false;
  if (kind === Kind.char16 ? value.length > 1 : kind !== Kind.datetime) return false;
  if (value.length > DATETIME_LENGTH) return false;
  writeUtf16(bytes, at, value);
  return true;
}

function writeNumber(bytes: Uint8Array, at: number, kind: number, value: number): boolean {
  switch (kind) {
    case Kind.uint8:
    case Kind.sint8:
      bytes[at] = value;
      return true;
    case Kind.uint16:
    case Kind.sint16:
      writeUint16(bytes, at, value);
      return true;
    case Kind.uint32:
    case Kind.sint32:
    case Kind.wideUint16:
      writeUint32(bytes, at, value);
      return true;
    case Kind.real32:
      eight.setFloat32(0, value, true);
      bytes[at] = eightBytes[0] as number;
      bytes[at + 1] = eightBytes[1] as number;
      bytes[at + 2] = eightBytes[2] as number;
      bytes[at + 3] = eightBytes[3] as number;
      return true;
    case Kind.real64:
      eight.setFloat64(0, value, true);
      copyEight(bytes, at);
      return true;
    default:
      return false;
  }
}

/** Reads one scalar of a {@link Kind}; the caller made sure it is inside. A boolean is true when not zero (R3). */
export function readScalar(
  bytes: Uint8Array,
  at: number,
  kind: number,
): number | bigint | boolean | string {
  switch (kind) {
    case Kind.boolean:
      return bytes[at] !== 0;
    case Kind.uint8:
      return bytes[at] as number;
    case Kind.sint8:
      return ((bytes[at] as number) << 24) >> 24;
    case Kind.uint16:
      return readUint16(bytes, at);
    case Kind.sint16:
      return (readUint16(bytes, at) << 16) >> 16;
    case Kind.uint32:
    case Kind.wideUint16:
      return readUint32(bytes, at);
    case Kind.sint32:
      return readSint32(bytes, at);
    case Kind.uint64:
      takeEight(bytes, at);
      return eight.getBigUint64(0, true);
    case Kind.sint64:
      takeEight(bytes, at);
      return eight.getBigInt64(0, true);
    case Kind.real32:
      takeFour(bytes, at);
      return eight.getFloat32(0, true);
    case Kind.real64:
      takeEight(bytes, at);
      return eight.getFloat64(0, true);
    case Kind.char16:
      return readUtf16(bytes, at, trimmedLength(bytes, at, 1));
    default:
      return readUtf16(bytes, at, trimmedLength(bytes, at, DATETIME_LENGTH));
  }
}

function takeFour(bytes: Uint8Array, at: number): void {
  eightBytes[0] = bytes[at] as number;
  eightBytes[1] = bytes[at + 1] as number;
  eightBytes[2] = bytes[at + 2] as number;
  eightBytes[3] = bytes[at + 3] as number;
}
