import { offloadOidByCode } from './tables/offload-oids.ts';
import type { OidName } from './tables/oids.ts';
import { OIDS } from './tables/oids.ts';
import type { OidRow } from './tables/row.ts';
import type { StructureName } from './tables/structures.ts';

/** One OID with its name and its place in the table. */
export interface Oid extends OidRow {
  readonly name: OidName;
  /** 0 to {@link OID_COUNT} - 1, ascending with the code: for tables of handlers. */
  readonly index: number;
  readonly structure: StructureName;
}

/** All OIDs, ascending by code; `OID_LIST[i].index === i`. */
export const OID_LIST: readonly Oid[] = Object.entries<OidRow>(OIDS).map(([name, row], index) => ({
  ...row,
  name: name as OidName,
  index,
}));

/** Number of OIDs in the table. */
export const OID_COUNT = OID_LIST.length;

/*
 * The switch's codes fill 0x10263 to 0x1029A with gaps, OID_GEN_ISOLATION_PARAMETERS is 0x10300: one byte table over
 * that range turns a code into its index without hashing.
 */
const FIRST_CODE = 0x10200;
const RANGE = 0x200;
const INDEX = new Int8Array(RANGE).fill(-1);
for (const oid of OID_LIST) INDEX[oid.code - FIRST_CODE] = oid.index;

/** Index of an OID code in {@link OID_LIST}, or -1. Does not allocate. */
export function oidIndex(code: number): number {
  const at = code - FIRST_CODE;
  return at >= 0 && at < RANGE ? (INDEX[at] ?? -1) : -1;
}

/** The OID of a code, or `undefined`. */
export function oidByCode(code: number): Oid | undefined {
  return OID_LIST[oidIndex(code)];
}

/** `OID_…` of a code, also of those a switch only wraps, or its hexadecimal form when it is in no table. */
export function oidName(code: number): string {
  const name = oidByCode(code)?.name ?? offloadOidByCode(code)?.name;
  return name ?? `0x${(code >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The OID of a name, or `undefined`. */
export function oidByName(name: string): Oid | undefined {
  return OID_LIST.find((oid) => oid.name === name);
}

/** Index of a known OID's name in {@link OID_LIST}. */
export function oidIndexOf(name: OidName): number {
  return oidIndex(OIDS[name].code);
}
