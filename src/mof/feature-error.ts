import { ExtSwitchError } from '../core/errors.ts';
import type { MemberValue } from './feature-class.ts';
import type { MemberPlan } from './feature-plan.ts';

/** `ABI_INVALID`: bytes that cannot be the class. `member` is empty for the buffer as a whole; `offset` from its start. */
export function wrongBytes(
  className: string,
  member: string,
  offset: number,
  expected: string,
  found: string,
): ExtSwitchError {
  const name = member === '' ? className : `${className}.${member}`;
  return new ExtSwitchError(
    'ABI_INVALID',
    `${name} at offset ${offset}: expected ${expected}, found ${found}`,
    { structure: className, ...(member === '' ? {} : { member }), offset, expected, found },
  );
}

/** `SETTINGS_INVALID`: a value the writer cannot put into the room of its member. */
export function unfitValue(
  className: string,
  m: MemberPlan,
  value: MemberValue | undefined,
): ExtSwitchError {
  const isText = typeof value === 'string' && m.type === 'string' && !m.isArray;
  const isList = Array.isArray(value) && m.isArray;
  let expected = m.isArray ? `a normalized array of ${m.type}` : `a normalized ${m.type}`;
  let found: string = Array.isArray(value) ? 'an array' : typeof value;
  if (isText || isList) {
    expected = `a length of at most ${isText ? m.maxLen : m.max}`;
    found = `${value.length}`;
  }
  const message = `${className}.${m.name}: expected ${expected}, found ${found}`;
  return new ExtSwitchError('SETTINGS_INVALID', message, {
    structure: className,
    member: m.name,
    expected,
    found,
    problems: [{ member: m.name, message, expected, found }],
  });
}

/** `INVALID_ARGUMENT`: the caller's buffer is too small. */
export function noRoom(className: string, bytes: Uint8Array, base: number, sizeBytes: number) {
  const room = Math.max(0, bytes.length - base);
  return new ExtSwitchError(
    'INVALID_ARGUMENT',
    `${className} does not fit: expected room for ${sizeBytes} bytes at offset ${base}, found ${room}`,
    {
      structure: className,
      offset: base,
      expected: `${sizeBytes} bytes`,
      found: `${room} bytes`,
    },
  );
}
