import { ExtSwitchError } from '../core/errors.ts';
import { tryParseGuid } from '../core/guid.ts';

/*
 * What a document from outside may be, as functions from `unknown` to the checked value. Each names the place, what was
 * expected and what was found, and copies what it takes: nothing of the input is kept.
 */

/** Checks the value at `path` and gives it back; throws `INVALID_ARGUMENT` naming the path. */
export type Shape<T> = (value: unknown, path: string) => T;

/** The error of a wrong value. */
export function wrongAt(path: string, expected: string, value: unknown): ExtSwitchError {
  const found = described(value);
  return new ExtSwitchError('INVALID_ARGUMENT', `${path}: expected ${expected}, found ${found}`, {
    member: path,
    expected,
    found,
  });
}

function described(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 59)}…` : value);
  }
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol'
    ? `a ${typeof value}`
    : String(value);
}

/** Well-formed text of `min` to `max` UTF-16 units. */
export function text(max: number, min = 0): Shape<string> {
  return (value, path) => {
    if (typeof value !== 'string') throw wrongAt(path, 'text', value);
    if (value.length < min || value.length > max) {
      throw wrongAt(path, `${min} to ${max} characters`, `${value.length} characters`);
    }
    if (!value.isWellFormed()) throw wrongAt(path, 'text without lone surrogates', value);
    return value;
  };
}

/** Text of a pattern; `expected` names it. */
export function pattern(regex: RegExp, expected: string): Shape<string> {
  return (value, path) => {
    if (typeof value === 'string' && value.length <= 256 && regex.test(value)) return value;
    throw wrongAt(path, expected, value);
  };
}

/** Lower case, no braces: a document has one form of a GUID, so that its checksum has one value. */
export const guid: Shape<string> = (value, path) => {
  if (typeof value === 'string' && tryParseGuid(value) === value) return value;
  throw wrongAt(path, 'a GUID in lower case without braces', value);
};

export function integer(min: number, max: number): Shape<number> {
  return (value, path) => {
    if (Number.isInteger(value) && Number(value) >= min && Number(value) <= max) {
      return Number(value);
    }
    throw wrongAt(path, `a whole number from ${min} to ${max}`, value);
  };
}

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value === 'boolean') return value;
  throw wrongAt(path, 'true or false', value);
};

export function oneOf<const T extends string | number>(...all: readonly T[]): Shape<T> {
  return (value, path) => {
    const found = all.find((one) => one === value);
    if (found !== undefined) return found;
    throw wrongAt(path, all.join(', '), value);
  };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** `min` to `max` bytes: binary, or base64 with padding as JSON carries them. */
export function bytes(max: number, min = 0): Shape<Uint8Array> {
  const size = `${min} to ${max} bytes`;
  return (value, path) => {
    let found: Uint8Array;
    if (value instanceof Uint8Array) found = Uint8Array.from(value);
    else if (typeof value !== 'string') throw wrongAt(path, `${size}, or their base64`, value);
    else if (value.length > Math.ceil(max / 3) * 4) {
      throw wrongAt(path, size, `${value.length} characters of base64`);
    } else if (!BASE64.test(value)) throw wrongAt(path, 'base64 with padding', value);
    else found = Uint8Array.from(Buffer.from(value, 'base64'));
    if (found.length >= min && found.length <= max) return found;
    throw wrongAt(path, size, found);
  };
}

/** At most `max` elements. */
export function list<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongAt(path, 'an array', value);
    if (value.length > max) throw wrongAt(path, `at most ${max} elements`, value);
    return value.map((one, i) => item(one, `${path}[${i}]`));
  };
}

type Shapes = Readonly<Record<string, Shape<unknown>>>;
type Checked<S extends Shapes> = {
  readonly [K in keyof S]: S[K] extends Shape<infer T> ? T : never;
};
type Optional<S extends Shapes> = { readonly [K in keyof S]?: Checked<S>[K] };

/** An object of exactly these members, `optional` ones when they are there. */
export function record<R extends Shapes, O extends Shapes = Record<never, never>>(
  required: R,
  optional?: O,
): Shape<Checked<R> & Optional<O>> {
  const may: Shapes = optional ?? {};
  return (value, path) => {
    const input = object(value, path);
    for (const name of Object.keys(input)) {
      if (Object.hasOwn(required, name) || Object.hasOwn(may, name)) continue;
      throw wrongAt(
        path === '' ? shown(name) : `${path}.${shown(name)}`,
        'no such member',
        input[name],
      );
    }
    const result: Record<string, unknown> = {};
    const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
    for (const [name, shape] of Object.entries(required))
      result[name] = shape(own(input, name), at(name));
    for (const [name, shape] of Object.entries(may)) {
      const member = own(input, name);
      if (member !== undefined) result[name] = shape(member, at(name));
    }
    return result as Checked<R> & Optional<O>;
  };
}

/** An object with any names of at most 256 characters; `max` members at most. */
export function dictionary<T>(item: Shape<T>, max: number): Shape<Readonly<Record<string, T>>> {
  return (value, path) => {
    const entries = Object.entries(object(value, path));
    if (entries.length > max) {
      throw wrongAt(path, `at most ${max} members`, `${entries.length} members`);
    }
    return Object.fromEntries(
      entries.map(([name, one]) => {
        if (name.length > 256) throw wrongAt(path, 'names of at most 256 characters', name);
        return [name, item(one, `${path}.${shown(name)}`)];
      }),
    );
  };
}

function object(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  ) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw wrongAt(path === '' ? 'the document' : path, 'an object', value);
}

/** Never what a prototype has. */
function own(input: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(input, name) ? input[name] : undefined;
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 79)}…` : name;
}
