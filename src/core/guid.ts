import { ExtSwitchError } from './errors.ts';

/** A GUID as text: lower case, no braces, 36 characters. Made by {@link parseGuid}, {@link readGuid} or {@link makeGuid}. */
export type Guid = string;

export const NULL_GUID: Guid = '00000000-0000-0000-0000-000000000000';

const GUID_TEXT = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** Canonical form of a GUID in any case, with or without braces; `undefined` when it is not one. */
export function tryParseGuid(text: string): Guid | undefined {
  const match = GUID_TEXT.exec(text);
  if (match === null) return undefined;
  if (text.startsWith('{') !== text.endsWith('}')) return undefined;
  return match[1]?.toLowerCase();
}

/** As {@link tryParseGuid}, but throws `INVALID_ARGUMENT` naming `what`. */
export function parseGuid(text: string, what = 'GUID'): Guid {
  const guid = tryParseGuid(text);
  if (guid === undefined) {
    throw new ExtSwitchError('INVALID_ARGUMENT', `${what} ${JSON.stringify(text)} is not a GUID`, {
      member: what,
      expected: 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx',
      found: text,
    });
  }
  return guid;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
);
const hex = (byte: number | undefined): string => HEX[byte ?? 0] as string;

/** Reads the 16 wire bytes of a GUID: u32, u16, u16 little-endian, then 8 raw bytes (ndis-switch-abi.md 1). */
export function readGuid(bytes: Uint8Array, offset: number): Guid {
  const b = bytes;
  const o = offset;
  return (
    hex(b[o + 3]) +
    hex(b[o + 2]) +
    hex(b[o + 1]) +
    hex(b[o]) +
    '-' +
    hex(b[o + 5]) +
    hex(b[o + 4]) +
    '-' +
    hex(b[o + 7]) +
    hex(b[o + 6]) +
    '-' +
    hex(b[o + 8]) +
    hex(b[o + 9]) +
    '-' +
    hex(b[o + 10]) +
    hex(b[o + 11]) +
    hex(b[o + 12]) +
    hex(b[o + 13]) +
    hex(b[o + 14]) +
    hex(b[o + 15])
  );
}

/** The 16 wire bytes of a canonical GUID. */
export function guidBytes(guid: Guid): Uint8Array {
  const digits = guid.replaceAll('-', '');
  const raw = Uint8Array.from({ length: 16 }, (_, i) =>
    Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16),
  );
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Uint8Array.from(order, (i) => raw[i] ?? 0);
}

/** The 16 wire bytes of a canonical GUID as four little-endian words. */
export function guidWords(guid: Guid): Uint32Array {
  const bytes = new Uint8Array(16);
  writeGuid(bytes, 0, guid);
  const view = new DataView(bytes.buffer);
  return Uint32Array.of(
    view.getUint32(0, true),
    view.getUint32(4, true),
    view.getUint32(8, true),
    view.getUint32(12, true),
  );
}

const DIGIT = new Uint8Array(128);
for (let i = 0; i < 10; i += 1) DIGIT[48 + i] = i;
for (let i = 0; i < 6; i += 1) DIGIT[97 + i] = 10 + i;

/** Position in the text of the two digits of each wire byte. */
const TEXT_POSITION = Uint8Array.of(6, 4, 2, 0, 11, 9, 16, 14, 19, 21, 24, 26, 28, 30, 32, 34);

/** Writes a canonical GUID as its 16 wire bytes, without allocating. */
export function writeGuid(bytes: Uint8Array, offset: number, guid: Guid): void {
  for (let i = 0; i < 16; i += 1) {
    const at = TEXT_POSITION[i] as number;
    bytes[offset + i] =
      ((DIGIT[guid.charCodeAt(at)] as number) << 4) | (DIGIT[guid.charCodeAt(at + 1)] as number);
  }
}
