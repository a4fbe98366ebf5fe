import { isUtf8 } from 'node:buffer';
import { ExtSwitchError } from '../core/errors.ts';
import { BODY_LIMITS } from './body-limits.ts';
import { findJsonError } from './json-error.ts';

/** An integer literal of 16 digits and more may be beyond 2^53: such text is looked at again. */
const LONG_INTEGER = /[0-9]{16}/;

/**
 * Value of a JSON request body; `undefined` when it is empty. Integers beyond 2^53 come out exact, as `bigint`.
 * Throws `MALFORMED` with the place for bytes that are not UTF-8 or not JSON, members that would reach a prototype, and
 * what exceeds {@link BODY_LIMITS}.
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new ExtSwitchError('MALFORMED', 'the body is not UTF-8 text');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(text);
  }
  checkStructure(value, 0);
  return LONG_INTEGER.test(text) ? JSON.parse(markLongIntegers(text), reviveLongInteger) : value;
}

function malformed(text: string): ExtSwitchError {
  const { at, expected } = findJsonError(text);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const found =
    at >= text.length ? 'the end' : JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0));
  return new ExtSwitchError(
    'MALFORMED',
    `malformed JSON at line ${line}, column ${column}: expected ${expected}, found ${found}`,
    { line, column, offset: at, expected, found },
  );
}

function checkStructure(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= BODY_LIMITS.depth) {
    throw new ExtSwitchError('MALFORMED', `the body nests deeper than ${BODY_LIMITS.depth}`);
  }
  if (Array.isArray(value)) {
    if (value.length > BODY_LIMITS.elements) {
      throw new ExtSwitchError(
        'MALFORMED',
        `an array has ${value.length} elements, at most ${BODY_LIMITS.elements} are taken`,
      );
    }
    for (let i = 0; i < value.length; i += 1) checkStructure(value[i], depth + 1);
    return;
  }
  let count = 0;
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (name === '__proto__' || (name === 'constructor' && reachesPrototype(member))) {
      throw new ExtSwitchError('MALFORMED', `a member may not be called ${JSON.stringify(name)}`, {
        member: name,
      });
    }
    count += 1;
    checkStructure(member, depth + 1);
  }
  if (count > BODY_LIMITS.members) {
    throw new ExtSwitchError(
      'MALFORMED',
      `an object has ${count} members, at most ${BODY_LIMITS.members} are taken`,
    );
  }
}

/** `constructor.prototype`: what careless copying would write through; a plain setting called so is fine. */
function reachesPrototype(member: unknown): boolean {
  return typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype');
}

/** U+E000 (private use) with a word: text a client did not write, checked for before it is used. */
const MARK = '\ue000integer:';

/** The text with every long integer literal outside strings turned into a marked string. The text is valid JSON. */
function markLongIntegers(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/g, (token) =>
    /^-?[0-9]{16,}$/.test(token) ? `"${MARK}${token}"` : token,
  );
}

function reviveLongInteger(_name: string, value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
  const digits = value.slice(MARK.length);
  if (!/^-?[0-9]{16,400}$/.test(digits)) return value;
  const exact = BigInt(digits);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
