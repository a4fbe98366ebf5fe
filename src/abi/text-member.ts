import { abiInvalid } from './abi-error.ts';

/*
 * IF_COUNTED_STRING (516 bytes) and NDIS_ISOLATION_NAME (258 bytes): u16 Length in bytes, then UTF-16LE units, stored
 * inline at full size. The terminator is optional and never counted (ndis-switch-abi.md 1, quirk 12).
 */

/** Highest Length of an IF_COUNTED_STRING, in bytes: IF_MAX_STRING_SIZE (256) units. */
export const COUNTED_STRING_MAX_BYTES = 512;
/** Highest Length of an NDIS_ISOLATION_NAME, in bytes: NDIS_ISOLATION_NAME_MAX_STRING_SIZE (127) units. */
export const ISOLATION_NAME_MAX_BYTES = 254;

/** Room for the longest text whose units are all below 256; of no reader while another one reads. */
const letters = Buffer.alloc(COUNTED_STRING_MAX_BYTES / 2);

/**
 * Text of the string at `at`: exactly Length bytes, never more than `maxBytes`; a half unit at the end is ignored.
 * Lone surrogates come through unchanged.
 */
export function readTextMember(data: DataView, at: number, maxBytes: number): string {
  const units = Math.min(data.getUint16(at, true), maxBytes) >>> 1;
  if (units === 0) return '';
  // Read out as Latin-1, which nearly every name is, it becomes one flat text of one byte a unit. Pieces put together with
  // `+` would be a tree that the first look-up flattens, and text read as UTF-16 stays twice as long.
  let all = 0;
  for (let i = 0; i < units; i += 1) {
    const unit = data.getUint16(at + 2 + i * 2, true);
    all |= unit;
    letters[i] = unit;
  }
  if (all < 256) return letters.toString('latin1', 0, units);
  return Buffer.from(data.buffer as ArrayBuffer, at + 2, units * 2).toString('utf16le');
}

/**
 * Writes Length and text and zeros up to the end of the member, which starts at `offset` of `bytes` and is `size` bytes
 * long; `data` is a DataView in which the same byte lies at `at`. A text longer than `maxBytes` is `ABI_INVALID`, and
 * nothing is written.
 */
export function writeTextMember(
  data: DataView,
  at: number,
  bytes: Uint8Array,
  offset: number,
  text: string,
  place: TextPlace,
): void {
  const units = text.length;
  if (units * 2 > place.maxBytes) {
    throw abiInvalid(
      place.structure,
      place.member,
      offset,
      `at most ${place.maxBytes / 2} UTF-16 units`,
      `${units} units`,
    );
  }
  data.setUint16(at, units * 2, true);
  for (let i = 0; i < units; i += 1) data.setUint16(at + 2 + i * 2, text.charCodeAt(i), true);
  bytes.fill(0, offset + 2 + units * 2, offset + place.size);
}

/** A text member, known once per structure. */
export interface TextPlace {
  readonly structure: string;
  readonly member: string;
  /** Of the whole member. */
  readonly size: number;
  readonly maxBytes: number;
}
