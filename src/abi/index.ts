/**
 * `extswitch/abi`: the binary ABI of the Hyper-V extensible switch, NDIS 6.30 to 6.85 on x64. Structures with views that
 * read and write in place, checks for hostile bytes, the composite buffers of OID requests, OIDs, statuses, constants,
 * and annotated dumps.
 */
export * from '../core/status.ts';
export { U16Member, U64Member } from './member-array.ts';
export type { NdisVersion } from './ndis-version.ts';
export { NDIS_VERSIONS, NEWEST_NDIS, ndisHas, parseNdisVersion } from './ndis-version.ts';
export type { Oid } from './oid-codes.ts';
export {
  OID_COUNT,
  OID_LIST,
  oidByCode,
  oidByName,
  oidIndex,
  oidIndexOf,
  oidName,
} from './oid-codes.ts';
export type { Revision } from './revision.ts';
export type { HeaderCheck, PlainObject, PlainValue, RevisionChoice } from './structure.ts';
export { isStructureName, revisionFor, Structure, structure } from './structure.ts';
export { CONSTANTS, GUIDS } from './tables/constants.ts';
export type { EnumName } from './tables/enums.ts';
export { ENUMS } from './tables/enums.ts';
export type { FlagName } from './tables/flags.ts';
export { FLAGS, STRUCTURE_FLAGS } from './tables/flags.ts';
export type { OidName } from './tables/oids.ts';
export { OIDS } from './tables/oids.ts';
export type { FieldRow, OidRow, StructureRow } from './tables/row.ts';
export type { StructureName } from './tables/structures.ts';
export { STRUCTURES } from './tables/structures.ts';
export type { HeaderView, MembersOf, View, ViewBase } from './view.ts';
