import { ExtSwitchError } from '../core/errors.ts';

const ROW = 16;

/** Bytes as `80 01 28 00`: lower case, one space between; nothing for no bytes. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/**
 * The bytes of hexadecimal text. White space between bytes and everything from `#` or `;` to the end of a line do not
 * count, so that an expectation can say beside each field what it is. Throws `INVALID_ARGUMENT` naming line and text.
 */
export function unhex(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const word of line.replace(/[#;].*$/, '').split(/\s+/)) {
      if (!/^(?:[0-9a-f]{2})*$/i.test(word)) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          `line ${index + 1}: ${JSON.stringify(word)} is no hexadecimal text; expected two digits a byte`,
          { line: index + 1, expected: 'two digits a byte', found: word },
        );
      }
      for (let i = 0; i < word.length; i += 2)
        bytes.push(Number.parseInt(word.slice(i, i + 2), 16));
    }
  }
  return Uint8Array.from(bytes);
}

/** Sixteen bytes a line, each line with its offset in front: `0010  01 00 …`. */
export function hexDump(bytes: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW) {
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hex(bytes.subarray(at, at + ROW))}`);
  }
  return rows.join('\n');
}
