import { ExtSwitchError } from '../core/errors.ts';

/**
 * The error of a wrong buffer: names structure, member (empty: the structure as a whole), byte offset in the buffer,
 * what was expected and what was found. To be thrown by the caller, so that control flow stays visible.
 */
export function abiInvalid(
  structure: string,
  member: string,
  offset: number,
  expected: string,
  found: string,
): ExtSwitchError {
  const what = member === '' ? structure : `${structure}.${member}`;
  return new ExtSwitchError(
    'ABI_INVALID',
    `${what} at offset ${offset}: expected ${expected}, found ${found}`,
    { structure, offset, expected, found, ...(member === '' ? {} : { member }) },
  );
}

/** `0x…` with at least `digits` upper-case digits. */
export function hex(value: number | bigint, digits = 0): string {
  return `0x${value.toString(16).toUpperCase().padStart(digits, '0')}`;
}
