import { statusName } from '../core/status.ts';
import { hex } from './abi-error.ts';
import { U64Member } from './member-array.ts';
import { oidName } from './oid-codes.ts';
import { fieldEnd, revisionOf } from './revision.ts';
import type { AnyStructure } from './structure.ts';
import { CONSTANTS } from './tables/constants.ts';
import type { CType } from './tables/ctypes.ts';
import { isEnumType, kindOf } from './tables/ctypes.ts';
import { ENUMS } from './tables/enums.ts';
import type { FlagName } from './tables/flags.ts';
import { FLAGS, STRUCTURE_FLAGS } from './tables/flags.ts';
import type { FieldRow } from './tables/row.ts';

/** A stretch of a buffer with its meaning. */
export interface AnnotatedNode {
  /** Member name as NDIS has it, `[i]` for the elements of a list, or a word for a nested piece. */
  readonly name: string;
  readonly ctype: string;
  /** Absolute, in bytes; for bit-fields that of their storage unit. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** `undefined` for what only has children. Byte arrays are lower-case hex text. */
  readonly value: number | bigint | boolean | string | undefined;
  /** The value's name or reading: enumerator, flags, OID, status, MAC address, version. */
  readonly text?: string;
  readonly children?: readonly AnnotatedNode[];
  /** Values by name, where the reader of vendor data gave them instead of parts. */
  readonly plain?: Readonly<Record<string, unknown>>;
}

/** Lower-case hex text of bytes, without blanks. */
export function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Union arm to show: member prefix → whether the bytes select it. Members without an entry are always shown. */
type ArmChoice = (view: Readonly<Record<string, unknown>>, member: string) => boolean;

const REQUEST_ARMS: Readonly<Record<string, number>> = {
  'DATA.QUERY_INFORMATION.': ENUMS.NDIS_REQUEST_TYPE.NdisRequestQueryInformation,
  'DATA.SET_INFORMATION.': ENUMS.NDIS_REQUEST_TYPE.NdisRequestSetInformation,
  'DATA.METHOD_INFORMATION.': ENUMS.NDIS_REQUEST_TYPE.NdisRequestMethod,
};

/** Never read one arm of a union through another (note of NDIS_OID_REQUEST). */
const ARMS: Readonly<Record<string, ArmChoice>> = {
  NDIS_OID_REQUEST: (view, member) => {
    const arm = Object.keys(REQUEST_ARMS).find((prefix) => member.startsWith(prefix));
    return arm === undefined || REQUEST_ARMS[arm] === view['RequestType'];
  },
  NDIS_SWITCH_PORT_PROPERTY_VLAN: (view, member) => {
    const isPrivate =
      view['OperationMode'] === ENUMS.NDIS_SWITCH_PORT_VLAN_MODE.NdisSwitchPortVlanModePrivate;
    if (member.startsWith('VlanProperties.')) return !isPrivate;
    if (!member.startsWith('PvlanProperties.')) return true;
    if (!isPrivate) return false;
    const { PvlanMode } = view['PvlanProperties'] as { PvlanMode: number };
    const many = PvlanMode === ENUMS.NDIS_SWITCH_PORT_PVLAN_MODE.NdisSwitchPortPvlanModePromiscuous;
    if (member.endsWith('.SecondaryVlanId')) return !many;
    return !member.endsWith('.SecondaryVlanIdArray') || many;
  },
};

/**
 * The members of the structure at `offset` as nodes: absent members of newer revisions and unselected union arms left
 * out. The caller has checked the structure.
 */
export function memberNodes(
  of: AnyStructure,
  bytes: Uint8Array,
  offset: number,
  length: number,
): AnnotatedNode[] {
  const view = of.view(bytes, offset, length) as unknown as Readonly<Record<string, unknown>>;
  const choose = ARMS[of.name];
  const nodes: AnnotatedNode[] = [];
  for (const field of of.row.fields) {
    if (revisionOf(of.row, field) > 1 && !present(of, field, bytes, offset, length)) continue;
    if (choose !== undefined && !choose(view, field.name)) continue;
    nodes.push(memberNode(of, field, bytes, offset, valueAt(view, field.name)));
  }
  return nodes;
}

function present(
  of: AnyStructure,
  field: FieldRow,
  bytes: Uint8Array,
  offset: number,
  length: number,
): boolean {
  const end = fieldEnd(field);
  const size = (bytes[offset + 2] as number) | ((bytes[offset + 3] as number) << 8);
  const revision = bytes[offset + 1] as number;
  return length >= end && size >= end && revision >= revisionOf(of.row, field);
}

function valueAt(view: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = view;
  for (const name of path.split('.')) value = (value as Record<string, unknown>)[name];
  return value;
}

function memberNode(
  of: AnyStructure,
  field: FieldRow,
  bytes: Uint8Array,
  offset: number,
  value: unknown,
): AnnotatedNode {
  const at = offset + field.offset;
  const ctype = field.count === undefined ? field.ctype : `${field.ctype}[${field.count}]`;
  const base = { name: field.name, ctype, offset: at, size: field.size };
  if (kindOf(field.ctype) === 'header') {
    return { ...base, value: undefined, children: headerNodes(bytes, at) };
  }
  if (value instanceof U64Member && field.name.endsWith('VlanIdArray')) {
    return { ...base, value: ranges(value.bits()) };
  }
  if (field.count !== undefined) {
    const raw = bytes.subarray(at, at + field.size);
    const isMac = field.name.endsWith('MacAddress');
    const shown = { ...base, value: hexText(raw) };
    return isMac ? { ...shown, text: macText(raw) } : shown;
  }
  const known = value as number | bigint | boolean | string;
  const text = reading(of.name, field.name, field.ctype, known);
  return text === undefined ? { ...base, value: known } : { ...base, value: known, text };
}

function headerNodes(bytes: Uint8Array, at: number): AnnotatedNode[] {
  const type = bytes[at] as number;
  const typeName = Object.entries(CONSTANTS).find(
    ([name, value]) => name.startsWith('NDIS_OBJECT_TYPE_') && value === type,
  );
  return [
    {
      name: 'Type',
      ctype: 'UCHAR',
      offset: at,
      size: 1,
      value: type,
      ...(typeName === undefined ? {} : { text: typeName[0] }),
    },
    { name: 'Revision', ctype: 'UCHAR', offset: at + 1, size: 1, value: bytes[at + 1] as number },
    {
      name: 'Size',
      ctype: 'USHORT',
      offset: at + 2,
      size: 2,
      value: (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8),
    },
  ];
}

/** Ethernet's six bytes of a physical address, as Windows writes them. */
function macText(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join('-');
}

/** Ascending numbers as `1-10,64`; empty text for none. */
function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i] as number;
    let last = first;
    for (i += 1; numbers[i] === last + 1; i += 1) last += 1;
    parts.push(first === last ? `${first}` : `${first}-${last}`);
  }
  return parts.join(',');
}

/** Name of an enumerator, or `undefined`. */
export function enumeratorName(ctype: string, value: number): string | undefined {
  if (!isEnumType(ctype)) return undefined;
  return Object.entries(ENUMS[ctype]).find(([, known]) => known === value)?.[0];
}

/** Names of the flags that are set, joined by `|`, unknown bits in hex; `undefined` for 0 or when none are defined. */
function flagNames(structureName: string, value: number): string | undefined {
  const table: Readonly<Record<string, readonly FlagName[]>> = STRUCTURE_FLAGS;
  const names = table[structureName];
  if (names === undefined || value === 0) return undefined;
  const set = names.filter((name) => (value & FLAGS[name]) !== 0);
  const rest = set.reduce((bits, name) => bits & ~FLAGS[name], value) >>> 0;
  return [...set, ...(rest === 0 ? [] : [hex(rest)])].join('|');
}

const VERSION_TYPE: CType = 'NDIS_SWITCH_OBJECT_VERSION';

/** What a person reads beside the value. */
function reading(
  structureName: string,
  member: string,
  ctype: CType,
  value: number | bigint | boolean | string,
): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (isEnumType(ctype)) return enumeratorName(ctype, value);
  if (member === 'Flags') return flagNames(structureName, value);
  if (ctype === 'NDIS_OID') return oidName(value);
  if (ctype === 'NDIS_STATUS') return statusName(value);
  // major * 256 + minor (rule E9).
  if (ctype === VERSION_TYPE) return `${value >> 8}.${value & 0xff}`;
  return undefined;
}
