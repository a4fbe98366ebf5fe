import type { ScalarType } from './feature-class.ts';
import { nearestName } from './nearest-name.ts';

/** The scalar types of MOF. */
export const SCALAR_TYPES: readonly ScalarType[] = [
  'boolean',
  'uint8',
  'sint8',
  'uint16',
  'sint16',
  'uint32',
  'sint32',
  'uint64',
  'sint64',
  'real32',
  'real64',
  'char16',
  'string',
  'datetime',
];

/** Type words of published texts that are not MOF (management.md 1.2): accepted with a warning. */
const ALIASES: ReadonlyMap<string, ScalarType> = new Map([
  ['int8', 'sint8'],
  ['int16', 'sint16'],
  ['int32', 'sint32'],
  ['int64', 'sint64'],
  ['byte', 'uint8'],
]);

/** Words people write for a type, with the type they mean: hints only. */
const MEANT: ReadonlyMap<string, string> = new Map([
  ['bool', 'boolean'],
  ['u8', 'uint8'],
  ['u16', 'uint16'],
  ['u32', 'uint32'],
  ['u64', 'uint64'],
  ['int', 'sint32'],
  ['uint', 'uint32'],
  ['integer', 'sint32'],
  ['long', 'sint32'],
  ['ulong', 'uint32'],
  ['dword', 'uint32'],
  ['short', 'sint16'],
  ['ushort', 'uint16'],
  ['word', 'uint16'],
  ['qword', 'uint64'],
  ['float', 'real32'],
  ['double', 'real64'],
  ['char', 'char16'],
  ['wchar', 'char16'],
  ['date', 'datetime'],
  ['time', 'datetime'],
  ['guid', 'string with MaxLen(38)'],
  ['uuid', 'string with MaxLen(38)'],
  ['str', 'string'],
  ['text', 'string'],
  ['bytes', 'uint8 Name[]'],
]);

const SCALARS: ReadonlyMap<string, ScalarType> = new Map(SCALAR_TYPES.map((type) => [type, type]));

export function scalarType(word: string): ScalarType | undefined {
  return SCALARS.get(word.toLowerCase());
}

export function aliasType(word: string): ScalarType | undefined {
  return ALIASES.get(word.toLowerCase());
}

/** What the writer of an unknown type word may have meant. */
export function typeHint(word: string): string | undefined {
  const lower = word.toLowerCase();
  const meant = MEANT.get(lower) ?? nearestName(lower, SCALAR_TYPES);
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}
