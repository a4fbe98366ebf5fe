import type { MofProperty, MofQualifier, MofValue } from '../ast.ts';
import type { DiagnosticSink } from '../diagnostic.ts';
import type { FeatureMember, ScalarType } from '../feature-class.ts';
import { MAX_FIXED_SIZE_BYTES, MAX_STRING_LENGTH } from '../feature-plan.ts';
import { is64Bit } from '../member-value.ts';
import { findQualifier, stringItems, stringValue } from '../qualifiers.ts';
import { convertValue, integerRange } from '../values.ts';
import type { CandidateMember } from './state.ts';

/** A UINT16 byte count must hold the characters and a counted NUL (management.md 2.8). */
const MAX_MAXLEN = BigInt(MAX_STRING_LENGTH);
/** Most elements of an inline array; the layout also bounds their size. */
const MAX_MAX = BigInt(MAX_FIXED_SIZE_BYTES);

/** Builds the serialized member of one property and checks its bounds and its default. */
export function buildMember(
  candidate: CandidateMember,
  version: number,
  sink: DiagnosticSink,
): FeatureMember | undefined {
  const { property, wmiDataId } = candidate;
  const { name, qualifiers } = property;
  if (property.type.kind !== 'scalar') return undefined;
  const type = property.type.name;
  const isArray = property.array !== undefined;
  const max = readMax(property, sink);
  const maxLen = readMaxLen(property, type, sink);
  const bounds = readBounds(property, type, sink);
  const target = { name, type, isArray, max, maxLen, ...bounds };
  const { initial } = property;
  const value = initial === undefined ? undefined : convertValue(initial, target, sink);
  const displayName = stringValue(findQualifier(qualifiers, 'displayname'));
  const description = stringValue(findQualifier(qualifiers, 'description'));
  const names = valueNames(qualifiers);
  return {
    name,
    wmiDataId,
    type,
    ...(isArray ? { array: max === undefined ? {} : { max } } : {}),
    ...(maxLen === undefined ? {} : { maxLen }),
    ...bounds,
    version,
    ...(value === undefined ? {} : { default: value }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    ...(names === undefined ? {} : { valueNames: names }),
  };
}

/** Max(n), or the size in brackets (R16). */
function readMax(property: MofProperty, sink: DiagnosticSink): number | undefined {
  const { name, array } = property;
  const qualifier = findQualifier(property.qualifiers, 'max');
  const value = qualifier?.value;
  const size = array?.size;
  if (qualifier !== undefined && array === undefined) {
    const message = `Max limits the elements of an array; ${name} is not one`;
    sink.report('E-MAX-TYPE', qualifier.span, message, { hint: `write ${name}[]` });
    return undefined;
  }
  if (value?.kind === 'integer' && size !== undefined && value.value !== BigInt(size)) {
    const message = `${name} has Max(${value.value}) and the size ${size}`;
    sink.report('E-MAX-RANGE', value.span, message);
    return size;
  }
  const max =
    value?.kind === 'integer' ? value.value : size === undefined ? undefined : BigInt(size);
  if (max === undefined) return undefined;
  if (max >= 1n && max <= MAX_MAX) return Number(max);
  const message = `${name} has at most ${max} elements; allowed are 1 to ${MAX_MAX}`;
  sink.report('E-MAX-RANGE', value?.span ?? property.span, message);
  return undefined;
}

function readMaxLen(
  property: MofProperty,
  type: ScalarType,
  sink: DiagnosticSink,
): number | undefined {
  const qualifier = findQualifier(property.qualifiers, 'maxlen');
  const value = qualifier?.value;
  if (qualifier === undefined || value?.kind !== 'integer') return undefined;
  if (type !== 'string') {
    const message = `MaxLen limits a string; ${property.name} is ${type}`;
    const hint =
      property.array === undefined ? undefined : 'the elements of an array are limited by Max';
    sink.report('E-MAXLEN-TYPE', qualifier.span, message, { hint });
    return undefined;
  }
  if (value.value >= 1n && value.value <= MAX_MAXLEN) return Number(value.value);
  const message = `MaxLen of ${property.name} is ${value.value}; allowed are 1 to ${MAX_MAXLEN}`;
  sink.report('E-MAXLEN-RANGE', value.span, message);
  return undefined;
}

interface Bounds {
  readonly minValue?: number | bigint;
  readonly maxValue?: number | bigint;
}

function readBounds(property: MofProperty, type: ScalarType, sink: DiagnosticSink): Bounds {
  const low = findQualifier(property.qualifiers, 'minvalue');
  const high = findQualifier(property.qualifiers, 'maxvalue');
  const minValue = low === undefined ? undefined : readBound(property, low, type, sink);
  const maxValue = high === undefined ? undefined : readBound(property, high, type, sink);
  if (high !== undefined && minValue !== undefined && maxValue !== undefined) {
    if (minValue > maxValue) {
      const message = `MinValue ${minValue} of ${property.name} is above MaxValue ${maxValue}`;
      sink.report('E-RANGE', high.span, message);
      return {};
    }
  }
  return {
    ...(minValue === undefined ? {} : { minValue }),
    ...(maxValue === undefined ? {} : { maxValue }),
  };
}

function readBound(
  property: MofProperty,
  qualifier: MofQualifier,
  type: ScalarType,
  sink: DiagnosticSink,
): number | bigint | undefined {
  const { value, name, span } = qualifier;
  const range = integerRange(type);
  if (range === undefined && type !== 'real32' && type !== 'real64') {
    const message = `${name} limits a number; ${property.name} is ${type}`;
    sink.report('E-RANGE', span, message);
    return undefined;
  }
  const number = numberOf(value);
  if (range === undefined) {
    if (number !== undefined) return Number(number);
  } else if (typeof number === 'bigint') {
    if (number >= range[0] && number <= range[1]) return is64Bit(type) ? number : Number(number);
    const message = `${name} ${number} of ${property.name} does not fit ${type}, ${range[0]} to ${range[1]}`;
    sink.report('E-RANGE', value?.span ?? span, message);
    return undefined;
  }
  sink.report('E-RANGE', value?.span ?? span, `${name} of ${property.name} is not a ${type}`);
  return undefined;
}

function numberOf(value: MofValue | undefined): bigint | number | undefined {
  if (value?.kind === 'integer' || value?.kind === 'real') return value.value;
  if (value?.kind !== 'string' || value.value.length > 80) return undefined;
  if (/^\s*-?\d+\s*$/.test(value.value)) return BigInt(value.value.trim());
  const number = Number(value.value);
  return value.value.trim() === '' || !Number.isFinite(number) ? undefined : number;
}

/** `ValueMap` gives the values, `Values` their names; without a map they count from 0 (management.md 1.5). */
function valueNames(
  qualifiers: readonly MofQualifier[],
): Readonly<Record<string, string>> | undefined {
  const names = stringItems(findQualifier(qualifiers, 'values', 'bitvalues')?.value);
  if (names.length === 0) return undefined;
  const keys = stringItems(findQualifier(qualifiers, 'valuemap', 'bitmap')?.value);
  return Object.fromEntries(names.map((name, index) => [keys[index] ?? String(index), name]));
}
