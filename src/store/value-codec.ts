import { addExtension, Packr } from 'msgpackr';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreValue } from './store.ts';

/**
 * Values as MessagePack bytes. What goes in comes out equal: `bigint` stays `bigint` however small, `Uint8Array` comes
 * back as a plain `Uint8Array` of its own memory, -0 keeps its sign, `undefined` fields stay.
 */

/** Nesting beyond this is refused, so that no value can exhaust the stack when it is read back. */
const DEPTH_MAX = 64;

/** Stands for -0, which MessagePack as msgpackr writes it would turn into the integer 0. */
class NegativeZero {}
const NEGATIVE_ZERO = new NegativeZero();
const NEGATIVE_ZERO_TYPE = 0x10;

addExtension({
  Class: NegativeZero,
  type: NEGATIVE_ZERO_TYPE,
  pack: () => new Uint8Array(0),
  unpack: () => -0,
});

// No records and no shared structures: every value stands alone. variableMapSize also makes msgpackr take a field named
// `hasOwnProperty` for what it is, and useToJSON keeps it from calling a field named `toJSON`.
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  useBigIntExtension: true,
  copyBuffers: true,
  useToJSON: false,
} as ConstructorParameters<typeof Packr>[0]);

/** Bytes of `value`; `key` is named in the `INVALID_ARGUMENT` error when the value is not a {@link StoreValue}. */
export function encodeValue(key: string, value: StoreValue): Uint8Array {
  const special = inspect(key, value, 0);
  return packr.pack(special ? withNegativeZeros(value) : value);
}

/**
 * The value in the first `lengthBytes` of `bytes`. Nothing of `bytes` is kept. Throws what msgpackr throws when the bytes
 * are no value.
 */
export function decodeValue(bytes: Uint8Array, lengthBytes: number): StoreValue {
  return packr.unpack(plainView(bytes), lengthBytes) as StoreValue;
}

let viewed: Uint8Array | undefined;
let view: Uint8Array = new Uint8Array(0);

/**
 * `bytes` as a plain `Uint8Array`: what msgpackr copies out of a `Buffer` would be a `Buffer` again. Readers hand in the
 * same bytes over and over, so the last view is kept; msgpackr keeps a DataView with it.
 */
function plainView(bytes: Uint8Array): Uint8Array {
  if (bytes !== viewed) {
    viewed = bytes;
    view = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  return view;
}

/** Throws when something below `value` cannot be stored; true when a -0 is in it. */
function inspect(key: string, value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0);
    case 'boolean':
      return false;
    case 'string':
      if (!isWellFormed(value)) throw unstorable(key, 'a string with a lone surrogate');
      return false;
    case 'bigint':
      return false;
    case 'object':
      return inspectObject(key, value, depth);
    case 'undefined':
      if (depth > 0) return false;
      throw unstorable(key, 'undefined');
    default:
      throw unstorable(key, `a ${typeof value}`);
  }
}

function inspectObject(key: string, value: object | null, depth: number): boolean {
  if (value === null || value instanceof Uint8Array) return false;
  if (depth >= DEPTH_MAX) throw unstorable(key, `nesting deeper than ${DEPTH_MAX}`);
  let special = false;
  if (Array.isArray(value)) {
    for (const item of value) if (inspect(key, item, depth + 1)) special = true;
    return special;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unstorable(key, `an object of class ${String(value.constructor?.name)}`);
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    if (name === '__proto__') throw unstorable(key, 'a field named __proto__');
    if (!isWellFormed(name)) throw unstorable(key, 'a field name with a lone surrogate');
    if (inspect(key, fields[name], depth + 1)) special = true;
  }
  return special;
}

function withNegativeZeros(value: unknown): unknown {
  if (Object.is(value, -0)) return NEGATIVE_ZERO;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(withNegativeZeros);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withNegativeZeros(item)]),
  );
}

/** `String.prototype.isWellFormed` is in Node 20 but not yet in the ES2023 library types. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

function unstorable(key: string, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'INVALID_ARGUMENT',
    `the value of store key ${JSON.stringify(key)} holds ${found}, which cannot be stored`,
    { expected: 'JSON-like values, bigint and Uint8Array', found },
  );
}
