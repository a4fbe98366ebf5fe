import { BUILTIN_TABLE, type BuiltinRow } from './builtin-feature-table.ts';
import type { FeatureClass, FeatureMember, MemberValue, ScalarType } from './feature-class.ts';

const NATIVE_EXTENSION = '11ec6134-128a-4a23-b12f-164184b48348';
const VFP_EXTENSION = 'e9b59cfa-2be1-4b21-828f-b6fbdbddc017';

const BASES = {
  'port setting': 'Msvm_EthernetSwitchPortFeatureSettingData',
  'switch setting': 'Msvm_EthernetSwitchFeatureSettingData',
  'port status': 'Msvm_EthernetPortData',
  'switch status': 'Msvm_EthernetSwitchData',
} as const;

const TYPES: Readonly<Record<string, ScalarType>> = {
  b: 'boolean',
  u8: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  u64: 'uint64',
  s: 'string',
};

let features: readonly FeatureClass[] | undefined;

/** The feature classes every switch has (management.md 3.4, 3.5): made on first use, shared and never changed. */
export function builtinFeatures(): readonly FeatureClass[] {
  features ??= BUILTIN_TABLE.map(featureOfRow);
  return features;
}

function featureOfRow(row: BuiltinRow): FeatureClass {
  const version = row.version * 256;
  const [scope, kind] = row.base.split(' ') as ['port' | 'switch', 'setting' | 'status'];
  return {
    name: row.name,
    id: row.id.toLowerCase(),
    extensionId: row.extension === 'vfp' ? VFP_EXTENSION : NATIVE_EXTENSION,
    scope,
    kind,
    version,
    displayName: row.displayName,
    description: row.displayName,
    superclass: BASES[row.base],
    members: row.members.map((text, index) => memberOfText(text, index + 1, row)),
    source: { file: 'built-in', line: 1 },
    builtIn: true,
  };
}

/** `Name type [= default] [@version] [min..max] [value:name,…]` — the notation of {@link BUILTIN_TABLE}. */
const MEMBER =
  /^(\w+) (b|u8|u16|u32|u64|s(\d*))(\[\])?(?: = (\S+))?(?: @(\d+))?(?: (\d+)\.\.(\d+))?(?: <(.+)>)?$/;

function memberOfText(text: string, wmiDataId: number, row: BuiltinRow): FeatureMember {
  const match = MEMBER.exec(text);
  if (match === null) throw new Error(`built-in member "${text}" of ${row.name} is not readable`);
  const [, name, word, maxLen, array, initial, version, minValue, maxValue, names] = match;
  const type = TYPES[(word ?? '').startsWith('s') ? 's' : (word ?? '')] as ScalarType;
  return {
    name: name ?? '',
    wmiDataId,
    type,
    version: Number(version ?? 1) * 256,
    ...(array === undefined ? {} : { array: {} }),
    ...(maxLen === undefined || maxLen === '' ? {} : { maxLen: Number(maxLen) }),
    ...(minValue === undefined ? {} : { minValue: Number(minValue) }),
    ...(maxValue === undefined ? {} : { maxValue: Number(maxValue) }),
    ...(names === undefined ? {} : { valueNames: valueNames(names) }),
    default: array === undefined ? scalarDefault(type, initial) : arrayDefault(type, initial),
  };
}

function arrayDefault(type: ScalarType, initial: string | undefined): MemberValue {
  const value = initial === undefined ? undefined : scalarDefault(type, initial);
  return typeof value === 'number' || typeof value === 'string' ? [value] : [];
}

function scalarDefault(
  type: ScalarType,
  initial: string | undefined,
): boolean | number | bigint | string {
  if (type === 'boolean') return initial === 'true';
  if (type === 'string') return initial ?? '';
  return type === 'uint64' ? BigInt(initial ?? 0) : Number(initial ?? 0);
}

function valueNames(text: string): Record<string, string> {
  return Object.fromEntries(text.split(', ').map((pair) => pair.split(': ') as [string, string]));
}
