import { datetimeProblem } from './datetime.ts';
import type { FeatureMember, MemberValue, ScalarType } from './feature-class.ts';
import { MAX_STRING_LENGTH } from './feature-plan.ts';

/** One value of a member that is no array. */
export type ScalarValue = boolean | number | bigint | string;

/** Why a value does not fit: what was expected, what was found, and a hint when there is one. */
export class ValueProblem {
  readonly expected: string;
  readonly found: string;
  readonly hint: string | undefined;
  constructor(expected: string, found: string, hint?: string) {
    this.expected = expected;
    this.found = found;
    this.hint = hint;
  }
}

type IntegerType = Exclude<
  ScalarType,
  'boolean' | 'real32' | 'real64' | 'char16' | 'string' | 'datetime'
>;

/** Range of each integer type; `bigint` marks the 64-bit ones. */
export const INTEGER_RANGE: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  uint8: [0n, 0xffn],
  sint8: [-0x80n, 0x7fn],
  uint16: [0n, 0xffffn],
  sint16: [-0x8000n, 0x7fffn],
  uint32: [0n, 0xffff_ffffn],
  sint32: [-0x8000_0000n, 0x7fff_ffffn],
  uint64: [0n, 0xffff_ffff_ffff_ffffn],
  sint64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
};

/** The types a number holds: most values are of these, and need no `bigint` on the way. */
const NUMBER_RANGE: Readonly<
  Record<Exclude<IntegerType, 'uint64' | 'sint64'>, readonly [number, number]>
> = {
  uint8: [0, 0xff],
  sint8: [-0x80, 0x7f],
  uint16: [0, 0xffff],
  sint16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  sint32: [-0x8000_0000, 0x7fff_ffff],
};

/** Sign, leading zeros, and more digits than 2^64 has: longer text is no 64-bit number and is not even parsed. */
const DECIMAL = /^[+-]?[0-9]{1,40}$/;

const FLOAT32_MAX = 3.4028234663852886e38;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** A value as an error shows it: JSON, shortened. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return String(value).slice(0, 60);
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') {
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}…` : JSON.stringify(value);
  }
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

export function is64Bit(type: ScalarType): type is 'uint64' | 'sint64' {
  return type === 'uint64' || type === 'sint64';
}

function asBigint(value: unknown, type: IntegerType): bigint | ValueProblem {
  if (typeof value === 'bigint') return value;
  const wide = is64Bit(type);
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) return new ValueProblem(`${type}, a whole number`, shown(value));
    if (Number.isSafeInteger(value)) return BigInt(value);
    if (!wide) return new ValueProblem(rangeText(...INTEGER_RANGE[type], type), shown(value));
    const hint = 'numbers above 2^53 lose digits in JSON: send a decimal string';
    return new ValueProblem(`${type} as a decimal string`, shown(value), hint);
  }
  if (wide && typeof value === 'string') {
    if (DECIMAL.test(value)) return BigInt(value.startsWith('+') ? value.slice(1) : value);
    return new ValueProblem(`${type}, digits only`, shown(value));
  }
  const expected = wide ? `${type}, a number or a decimal string` : `${type}, a number`;
  return new ValueProblem(expected, shown(value));
}

function rangeText(low: bigint | number, high: bigint | number, type: ScalarType): string {
  return `${type} ${low}..${high}`;
}

function integer(m: FeatureMember, type: IntegerType, value: unknown): ScalarValue | ValueProblem {
  if (Number.isInteger(value) && !is64Bit(type)) {
    const [low, high] = NUMBER_RANGE[type];
    // Integers have one zero.
    const number = Number(value) + 0;
    if (number >= low && number <= high) return outsideQualifiers(m, number) ?? number;
  }
  const number = asBigint(value, type);
  if (number instanceof ValueProblem) return number;
  const [low, high] = INTEGER_RANGE[type];
  if (number < low || number > high) {
    return new ValueProblem(rangeText(low, high, type), shown(number));
  }
  return outsideQualifiers(m, number) ?? (is64Bit(type) ? number : Number(number));
}

/** MinValue and MaxValue (management.md 1.5). */
function outsideQualifiers(m: FeatureMember, value: bigint | number): ValueProblem | undefined {
  const isLow = m.minValue !== undefined && value < m.minValue;
  const isHigh = m.maxValue !== undefined && value > m.maxValue;
  if (!isLow && !isHigh) return undefined;
  const expected = `MinValue ${m.minValue ?? 'none'}, MaxValue ${m.maxValue ?? 'none'}`;
  return new ValueProblem(expected, shown(value));
}

function real(m: FeatureMember, value: unknown): ScalarValue | ValueProblem {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    return new ValueProblem(`${m.type}, a finite number`, shown(value));
  }
  if (m.type === 'real32') {
    const rounded = Math.fround(number);
    if (!Number.isFinite(rounded)) {
      return new ValueProblem(`real32 ${-FLOAT32_MAX}..${FLOAT32_MAX}`, shown(value));
    }
    return outsideQualifiers(m, number) ?? rounded;
  }
  return outsideQualifiers(m, number) ?? number;
}

function char16(value: unknown): ScalarValue | ValueProblem {
  const expected = 'char16, one UTF-16 unit as text or 0..65535, no surrogate';
  let text: unknown = value;
  if (typeof value === 'number') {
    if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
      return new ValueProblem(expected, shown(value));
    }
    text = value === 0 ? '' : String.fromCharCode(value);
  }
  if (typeof text !== 'string' || text.length > 1 || LONE_SURROGATE.test(text)) {
    return new ValueProblem(expected, shown(value));
  }
  return text === '\0' ? '' : text;
}

/** Characters are UTF-16 units: they are what WCHAR[MaxLen + 1] has room for (R5). */
function string(m: FeatureMember, value: unknown): ScalarValue | ValueProblem {
  if (typeof value !== 'string') return new ValueProblem('a string', shown(value));
  const max = m.maxLen ?? MAX_STRING_LENGTH;
  if (value.length > max) {
    const name = m.maxLen === undefined ? 'characters' : `characters (MaxLen ${max})`;
    return new ValueProblem(`at most ${max} ${name}`, `${value.length} characters`);
  }
  const nul = value.indexOf('\0');
  if (nul >= 0) return new ValueProblem('a string without NUL', `NUL at character ${nul}`);
  const lone = value.search(LONE_SURROGATE);
  if (lone >= 0) {
    return new ValueProblem('well-formed UTF-16', `a lone surrogate at character ${lone}`);
  }
  return value;
}

function datetime(value: unknown): ScalarValue | ValueProblem {
  if (value === '') return '';
  if (typeof value !== 'string') return new ValueProblem('a datetime string', shown(value));
  const problem = datetimeProblem(value);
  return problem === undefined ? value : new ValueProblem(problem, shown(value));
}

/** One value converted to the form settings have, or what is wrong with it. */
export function convertValue(m: FeatureMember, value: unknown): ScalarValue | ValueProblem {
  switch (m.type) {
    case 'boolean':
      return typeof value === 'boolean'
        ? value
        : new ValueProblem('boolean, true or false', shown(value));
    case 'real32':
    case 'real64':
      return real(m, value);
    case 'char16':
      return char16(value);
    case 'string':
      return string(m, value);
    case 'datetime':
      return datetime(value);
    default:
      return integer(m, m.type, value);
  }
}

/** Zero, empty or false: what NULL becomes (R14). */
export function zeroOf(m: FeatureMember): MemberValue {
  if (m.array !== undefined) return [];
  switch (m.type) {
    case 'boolean':
      return false;
    case 'uint64':
    case 'sint64':
      return 0n;
    case 'char16':
    case 'string':
    case 'datetime':
      return '';
    default:
      return 0;
  }
}
