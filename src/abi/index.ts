/**
 * `extswitch/abi`: the binary ABI of the Hyper-V extensible switch, NDIS 6.30 to 6.85 on x64. Structures with views that
 * read and write in place, checks for hostile bytes, the composite buffers of OID requests, OIDs, statuses, constants,
 * and annotated dumps.
 */
export * from '../core/status.ts';
export type { AnnotatedNode } from './annotate.ts';
export type { ArrayElement, ArrayKind } from './arrays.ts';
export { arraySize, walkArray, writeArray } from './arrays.ts';
export { formatDump } from './dump.ts';
export type {
  EncapsulatedEnds,
  NicRequestCounters,
  NicRequestHead,
  NicRequestParts,
  NicStatusHead,
  NicStatusParts,
} from './encapsulated.ts';
export {
  nicRequestDataOffset,
  nicRequestSize,
  nicStatusSize,
  readNicRequest,
  readNicRequestCounters,
  readNicStatus,
  writeNicRequest,
  writeNicRequestCounters,
  writeNicStatus,
} from './encapsulated.ts';
export type { EnumEntry, EnumEntryHead, EnumParametersView } from './enumeration.ts';
export {
  checkEnumQuestion,
  enumEntrySize,
  enumParametersSize,
  walkEnum,
  writeEnumEntry,
  writeEnumQuestion,
  writeEnumReplyHead,
} from './enumeration.ts';
export type { FeatureStatusHead, FeatureStatusParametersView } from './feature-status.ts';
export {
  FeatureStatusBuffer,
  featureStatusSize,
  statusData,
  writeFeatureStatusQuery,
} from './feature-status.ts';
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
export type { Piece } from './piece.ts';
export { align8 } from './piece.ts';
export type { FeatureKind } from './pieces.ts';
export type {
  PropertyCustomView,
  PropertyHead,
  PropertyParametersView,
  Scope,
} from './property.ts';
export {
  CUSTOM_TYPE,
  customData,
  customSize,
  PropertyBuffer,
  propertySize,
  writeCustom,
  writeProperty,
  writePropertyDelete,
} from './property.ts';
export type { CustomNodes, CustomValues } from './registry.ts';
export { decodePayload, describe } from './registry.ts';
export type { Revision } from './revision.ts';
export type { IsolationEntry, IsolationParameters, RoutingDomain } from './routing-domain.ts';
export {
  isolationParametersSize,
  readIsolationParameters,
  readRoutingDomain,
  routingDomainSize,
  writeIsolationParameters,
  writeRoutingDomain,
} from './routing-domain.ts';
export type { SaveStateHead } from './save-state.ts';
export { checkSaveState, saveDataOffset, writeSaveState } from './save-state.ts';
export type {
  IsolationProperty,
  ProfileProperty,
  SecurityProperty,
  VlanProperty,
} from './standard-properties.ts';
export {
  readIsolation,
  readProfile,
  readSecurity,
  readVlan,
  writeIsolation,
  writeProfile,
  writeSecurity,
  writeVlan,
} from './standard-properties.ts';
export type {
  AnyStructure,
  HeaderCheck,
  PlainObject,
  PlainValue,
  RevisionChoice,
} from './structure.ts';
export { isStructureName, revisionFor, Structure, structure } from './structure.ts';
export { CONSTANTS, GUIDS } from './tables/constants.ts';
export type { EnumName } from './tables/enums.ts';
export { ENUMS } from './tables/enums.ts';
export type { FlagName } from './tables/flags.ts';
export { FLAGS, STRUCTURE_FLAGS } from './tables/flags.ts';
export type {
  OffloadClass,
  OffloadKind,
  OffloadOid,
  OffloadOidName,
} from './tables/offload-oids.ts';
export { OFFLOAD_OIDS, offloadOidByCode } from './tables/offload-oids.ts';
export type { OidName } from './tables/oids.ts';
export { OIDS } from './tables/oids.ts';
export type { FieldRow, OidRow, StructureRow } from './tables/row.ts';
export type { StructureName } from './tables/structures.ts';
export { STRUCTURES } from './tables/structures.ts';
export type { HeaderView, MembersOf, View, ViewBase } from './view.ts';
