/** Above these many units Node's own conversion is quicker than a loop, in spite of the copy (measured, bench/mof.ts). */
const WRITE_LOOP_LIMIT = 56;
const READ_LOOP_LIMIT = 56;

/** Room for the longest string a UINT16 byte count can describe. */
const scratch = Buffer.alloc(65_536);

/** Writes `text` (at most 32,768 units) as UTF-16LE without a terminator; the caller made sure of the room. */
export function writeUtf16(bytes: Uint8Array, offset: number, text: string): void {
  const length = text.length;
  if (length > WRITE_LOOP_LIMIT) {
    scratch.write(text, 0, 'utf16le');
    scratch.copy(bytes, offset, 0, length * 2);
    return;
  }
  let at = offset;
  for (let i = 0; i < length; i += 1) {
    const code = text.charCodeAt(i);
    bytes[at] = code;
    bytes[at + 1] = code >>> 8;
    at += 2;
  }
}

const unit = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8);

/** Reads `length` UTF-16LE units; the caller made sure they are inside. Lone surrogates are kept. */
export function readUtf16(bytes: Uint8Array, offset: number, length: number): string {
  if (length > READ_LOOP_LIMIT) {
    return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length * 2).toString('utf16le');
  }
  let text = '';
  let at = offset;
  const end = offset + length * 2;
  // Eight at a time: an eighth of the intermediate strings.
  for (; at + 16 <= end; at += 16) {
    text += String.fromCharCode(
      unit(bytes, at),
      unit(bytes, at + 2),
      unit(bytes, at + 4),
      unit(bytes, at + 6),
      unit(bytes, at + 8),
      unit(bytes, at + 10),
      unit(bytes, at + 12),
      unit(bytes, at + 14),
    );
  }
  for (; at < end; at += 2) text += String.fromCharCode(unit(bytes, at));
  return text;
}

/** How many of `length` units remain when NUL units at the end are left out (management.md 2.4: the reader trims them). */
export function trimmedLength(bytes: Uint8Array, offset: number, length: number): number {
  let kept = length;
  while (kept > 0 && bytes[offset + kept * 2 - 2] === 0 && bytes[offset + kept * 2 - 1] === 0) {
    kept -= 1;
  }
  return kept;
}
