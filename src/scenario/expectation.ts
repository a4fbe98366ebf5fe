import { canonical } from './canonical.ts';

/** What an expectation did not find: the message says expected and found. */
export class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed';
}

export function fail(message: string): never {
  throw new ExpectationFailed(message);
}

/** Every member that is named has this value; members that are not named are not looked at. */
export function hasMembers(
  found: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(expected).every(([name, value]) => isLike(found[name], value));
}

/** Equal as people write it: 64-bit numbers and their decimal text, parts of maps. */
export function isLike(found: unknown, expected: unknown): boolean {
  const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap(expected)) return isMap(found) && hasMembers(found, expected);
  return canonical(found) === canonical(expected);
}

/** `expected`, `found` as two blocks. */
export function difference(what: string, expected: unknown, found: unknown): string {
  return `${what}\n  expected: ${textOf(expected)}\n  found:    ${textOf(found)}`;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? 'nothing' : value.map((each) => textOf(each)).join(', ');
  }
  return typeof value === 'string' ? value : canonical(value);
}

/** Pairs each expected one with another of the found ones; gives what is left of both. */
export function pairUp<E, F>(
  expected: readonly E[],
  found: readonly F[],
  fits: (expected: E, found: F) => boolean,
): { readonly missing: readonly E[]; readonly extra: readonly F[] } {
  const extra = [...found];
  const missing = expected.filter((one) => {
    const at = extra.findIndex((each) => fits(one, each));
    if (at >= 0) extra.splice(at, 1);
    return at < 0;
  });
  return { missing, extra };
}
