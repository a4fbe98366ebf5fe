import type { EnumName } from './enums.ts';
import { ENUMS } from './enums.ts';
import { TYPEDEFS } from './typedefs.ts';

/** How the bytes of a type are read: what a view's accessor does. */
export type Kind =
  | 'u8'
  | 'u16'
  | 'u32'
  | 'u64'
  | 'bool'
  | 'wchar'
  | 'pointer'
  | 'guid'
  | 'countedString'
  | 'isolationName'
  | 'header';

/**
 * C types that are not typedefs of another. Everything is little-endian; BOOLEAN is one byte, pointers are eight
 * (ndis-switch-abi.md 1). LONG is only the base of NDIS_STATUS, and statuses compare unsigned, as in core/status.ts.
 */
const BASE_KINDS = {
  UCHAR: 'u8',
  USHORT: 'u16',
  UINT16: 'u16',
  ULONG: 'u32',
  UINT: 'u32',
  UINT32: 'u32',
  LONG: 'u32',
  ULONG64: 'u64',
  UINT64: 'u64',
  BOOLEAN: 'bool',
  WCHAR: 'wchar',
  PVOID: 'pointer',
  PCHAR: 'pointer',
  PGUID: 'pointer',
  PNDIS_OID_REQUEST: 'pointer',
  PNDIS_STATUS_INDICATION: 'pointer',
  'function pointer': 'pointer',
  GUID: 'guid',
  IF_COUNTED_STRING: 'countedString',
  NDIS_ISOLATION_NAME: 'isolationName',
  NDIS_OBJECT_HEADER: 'header',
} as const satisfies Record<string, Kind>;

type BaseType = keyof typeof BASE_KINDS;
type Typedef = keyof typeof TYPEDEFS;

/** Every type name a member may have. */
export type CType = BaseType | Typedef | EnumName;

/** Kind of a type name, for the types of view members. */
export type KindOf<C extends CType> = C extends BaseType
  ? (typeof BASE_KINDS)[C]
  : C extends Typedef
    ? (typeof BASE_KINDS)[(typeof TYPEDEFS)[C] & BaseType]
    : 'u32';

/** Kind of a type name. */
export function kindOf(ctype: CType): Kind {
  if (ctype in BASE_KINDS) return BASE_KINDS[ctype as BaseType];
  if (ctype in TYPEDEFS) return BASE_KINDS[TYPEDEFS[ctype as Typedef]];
  return 'u32';
}

/** True for the enumerations of {@link ENUMS}. */
export function isEnumType(ctype: string): ctype is EnumName {
  return Object.hasOwn(ENUMS, ctype);
}

/** True for the type names of the tables. */
export function isCType(name: string): name is CType {
  return Object.hasOwn(BASE_KINDS, name) || Object.hasOwn(TYPEDEFS, name) || isEnumType(name);
}
