import { assert } from '../core/assert.ts';
import type { MemberValue } from './feature-class.ts';
import { DATETIME_LENGTH, Kind } from './feature-plan.ts';
import { readUtf16, trimmedLength, writeUtf16 } from './utf16.ts';

/*
 * Little-endian scalars (R1, R3, R4), byte by byte: the target may start at any address and a DataView over it would be
 * an allocation per call. 64-bit values and reals go through eight bytes of our own, seen as arrays of each type: quicker
 * than a DataView, and the same on every machine Node runs x64 and ARM code on (little-endian).
 */
const eightBytes = new Uint8Array(8);
const asUint32 = new Uint32Array(eightBytes.buffer);
const asUint64 = new BigUint64Array(eightBytes.buffer);
const asSint64 = new BigInt64Array(eightBytes.buffer);
const asReal32 = new Float32Array(eightBytes.buffer);
const asReal64 = new Float64Array(eightBytes.buffer);
asUint64[0] = 1n;
assert(eightBytes[0] === 1, 'the serializer needs a little-endian machine');

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
  asUint32[0] = readSint32(bytes, at);
  asUint32[1] = readSint32(bytes, at + 4);
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
    asUint64[0] = value;
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
    case 1: // uint8
    case 2: // sint8
      bytes[at] = value;
      return true;
    case 3: // uint16
    case 4: // sint16
      writeUint16(bytes, at, value);
      return true;
    case 5: // uint32
    case 6: // sint32
    case 14: // wideUint16
      writeUint32(bytes, at, value);
      return true;
    case 9: // real32
      asReal32[0] = value;
      bytes[at] = eightBytes[0] as number;
      bytes[at + 1] = eightBytes[1] as number;
      bytes[at + 2] = eightBytes[2] as number;
      bytes[at + 3] = eightBytes[3] as number;
      return true;
    case 10: // real64
      asReal64[0] = value;
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
    case 0: // boolean
      return bytes[at] !== 0;
    case 1: // uint8
      return bytes[at] as number;
    case 2: // sint8
      return ((bytes[at] as number) << 24) >> 24;
    case 3: // uint16
      return readUint16(bytes, at);
    case 4: // sint16
      return (readUint16(bytes, at) << 16) >> 16;
    case 5: // uint32
    case 14: // wideUint16
      return readUint32(bytes, at);
    case 6: // sint32
      return readSint32(bytes, at);
    case 7: // uint64
      takeEight(bytes, at);
      return asUint64[0] as bigint;
    case 8: // sint64
      takeEight(bytes, at);
      return asSint64[0] as bigint;
    case 9: // real32
      asUint32[0] = readSint32(bytes, at);
      return asReal32[0] as number;
    case 10: // real64
      takeEight(bytes, at);
      return asReal64[0] as number;
    case 11: // char16
      return readUtf16(bytes, at, trimmedLength(bytes, at, 1));
    default:
      return readUtf16(bytes, at, trimmedLength(bytes, at, DATETIME_LENGTH));
  }
}
