import type { MofValue } from './ast.ts';
import { datetimeProblem } from './datetime.ts';
import type { DiagnosticSink } from './diagnostic.ts';
import type { MemberValue, ScalarType } from './feature-class.ts';
import { MAX_STRING_LENGTH } from './feature-plan.ts';
import { parseInteger } from './lexer.ts';
import { INTEGER_RANGE, is64Bit } from './member-value.ts';

type Scalar = boolean | number | bigint | string;

/** Largest finite real32. */
const MAX_REAL32 = 3.4028234663852886e38;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** What a value must be. */
export interface ValueTarget {
  readonly type: ScalarType;
  readonly isArray: boolean;
  /** Most elements of an array. */
  readonly max?: number | undefined;
  /** Most UTF-16 units of a string. */
  readonly maxLen?: number | undefined;
  readonly minValue?: number | bigint | undefined;
  readonly maxValue?: number | bigint | undefined;
  /** How messages call it, e.g. `SettingIntA`. */
  readonly name: string;
}

/** Range of an integer type; `undefined` for the others. */
export function integerRange(type: ScalarType): readonly [bigint, bigint] | undefined {
  const ranges: Readonly<Partial<Record<ScalarType, readonly [bigint, bigint]>>> = INTEGER_RANGE;
  return ranges[type];
}

/**
 * Converts a constant to the type of a property and reports what does not fit. `undefined`: NULL, or it was wrong.
 * 64-bit integers become `bigint`, char16 a string of one UTF-16 unit.
 */
export function convertValue(
  value: MofValue,
  target: ValueTarget,
  sink: DiagnosticSink,
): MemberValue | undefined {
  if (value.kind === 'null') return undefined;
  if (!target.isArray) {
    if (value.kind === 'array') {
      const message = `${target.name} is not an array`;
      const hint = `write ${target.name}[], or one value without braces`;
      sink.report('E-VALUE-TYPE', value.span, message, { hint });
      return undefined;
    }
    return convertScalar(value, target, sink);
  }
  if (value.kind !== 'array') {
    const message = `${target.name} is an array; the one value is read as {value}`;
    sink.report('W-SCALAR-TO-ARRAY', value.span, message, { hint: 'put braces around it' });
    const item = convertScalar(value, target, sink);
    return item === undefined ? undefined : [item];
  }
  if (target.max !== undefined && value.items.length > target.max) {
    const message = `${target.name} holds at most ${target.max} elements, found ${value.items.length}`;
    sink.report('E-VALUE-LENGTH', value.span, message);
  }
  const items: Scalar[] = [];
  for (const item of value.items) {
    const converted = convertScalar(item, target, sink);
    if (converted !== undefined) items.push(converted);
  }
  return items;
}

function convertScalar(
  value: MofValue,
  target: ValueTarget,
  sink: DiagnosticSink,
): Scalar | undefined {
  const { type } = target;
  if (integerRange(type) !== undefined) return convertInteger(value, target, sink);
  if (type === 'boolean' && value.kind === 'boolean') return value.value;
  if (type === 'real32' || type === 'real64') return convertReal(value, target, sink);
  if (type === 'char16') return convertCharacter(value, target, sink);
  if (type === 'string' && value.kind === 'string') return convertString(value, target, sink);
  if (type === 'datetime' && value.kind === 'string') {
    const problem = datetimeProblem(value.value);
    if (problem === undefined) return value.value;
    const message = `${target.name} is datetime; found "${clip(value.value)}"`;
    const hint = `write ${problem}`;
    sink.report('E-VALUE-TYPE', value.span, message, { hint });
    return undefined;
  }
  return refuse(value, target, sink);
}

function convertInteger(
  value: MofValue,
  target: ValueTarget,
  sink: DiagnosticSink,
): Scalar | undefined {
  let integer: bigint | undefined;
  if (value.kind === 'integer') integer = value.value;
  else if (value.kind === 'real' && Number.isFinite(value.value)) {
    integer = BigInt(Math.round(value.value));
    const message = `${target.name} is ${target.type}; ${value.value} is rounded to ${integer}`;
    sink.report('W-REAL', value.span, message);
  } else if (value.kind === 'string') integer = quotedInteger(value, target, sink);
  if (integer === undefined) return refuse(value, target, sink);
  const [low, high] = integerRange(target.type) as readonly [bigint, bigint];
  const from = target.minValue === undefined ? low : BigInt(target.minValue);
  const to = target.maxValue === undefined ? high : BigInt(target.maxValue);
  if (integer < from || integer > to) {
    const message = `${target.name} is ${target.type}, ${from} to ${to}; found ${integer}`;
    sink.report('E-VALUE-RANGE', value.span, message);
    return undefined;
  }
  return is64Bit(target.type) ? integer : Number(integer);
}

/** WMI's own dumps print 64-bit integers in quotes; accepted for every integer type (management.md 1.2). */
function quotedInteger(
  value: MofValue & { readonly kind: 'string' },
  target: ValueTarget,
  sink: DiagnosticSink,
): bigint | undefined {
  const text = value.value.trim();
  if (text.length > 80 || !/^[+-]?(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const integer = parseInteger(text);
  if (integer !== undefined && !is64Bit(target.type)) {
    const message = `${target.name} is ${target.type}; the number is in quotes`;
    sink.report('W-QUOTED-NUMBER', value.span, message, { hint: `write ${integer}` });
  }
  return integer;
}

function convertReal(
  value: MofValue,
  target: ValueTarget,
  sink: DiagnosticSink,
): Scalar | undefined {
  if (value.kind !== 'real' && value.kind !== 'integer') return refuse(value, target, sink);
  const number = Number(value.value);
  const limit = target.type === 'real32' ? MAX_REAL32 : Number.MAX_VALUE;
  const from = Number(target.minValue ?? -limit);
  const to = Number(target.maxValue ?? limit);
  if (number >= from && number <= to) return number;
  const message = `${target.name} is ${target.type}, ${from} to ${to}; found ${number}`;
  sink.report('E-VALUE-RANGE', value.span, message);
  return undefined;
}

function convertCharacter(
  value: MofValue,
  target: ValueTarget,
  sink: DiagnosticSink,
): Scalar | undefined {
  if (value.kind !== 'integer' && value.kind !== 'char') return refuse(value, target, sink);
  const unit = Number(value.value);
  // Settings write the null character as an empty text, as the codec does.
  if (unit === 0) return '';
  if (unit > 0 && unit <= 0xffff && (unit & 0xf800) !== 0xd800) return String.fromCharCode(unit);
  sink.report(
    'E-VALUE-RANGE',
    value.span,
    `${target.name} is char16, 0 to 65535 and no surrogate; found ${value.value}`,
  );
  return undefined;
}

function convertString(
  value: MofValue & { readonly kind: 'string' },
  target: ValueTarget,
  sink: DiagnosticSink,
): string | undefined {
  const { length } = value.value;
  const most = target.maxLen ?? MAX_STRING_LENGTH;
  if (length > most) {
    const message = `${target.name} holds at most ${most} characters, found ${length}`;
    sink.report('E-VALUE-LENGTH', value.span, message);
    return undefined;
  }
  const bad = value.value.includes('\0') ? 'NUL' : 'a lone surrogate';
  if (bad !== 'NUL' && !LONE_SURROGATE.test(value.value)) return value.value;
  sink.report('E-VALUE-TYPE', value.span, `${target.name} is a string; it cannot hold ${bad}`);
  return undefined;
}

function refuse(value: MofValue, target: ValueTarget, sink: DiagnosticSink): undefined {
  const message = `${target.name} is ${target.type}; found ${describeValue(value)}`;
  const hint = target.type === 'string' ? 'text is written in quotes: "text"' : undefined;
  sink.report('E-VALUE-TYPE', value.span, message, { hint });
  return undefined;
}

/** A constant as an error message names it. */
export function describeValue(value: MofValue): string {
  switch (value.kind) {
    case 'integer':
    case 'boolean':
    case 'real':
      return `the ${value.kind} ${value.value}`;
    case 'string':
      return `the string "${clip(value.value)}"`;
    case 'char':
      return 'a character';
    case 'null':
      return 'NULL';
    case 'alias':
      return `the alias $${value.name}`;
    case 'array':
      return 'an array';
    case 'instance':
      return `an instance of ${value.instance.className}`;
  }
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
