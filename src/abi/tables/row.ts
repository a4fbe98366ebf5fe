import type { SinceVersion } from '../ndis-version.ts';
import type { CType } from './ctypes.ts';
import type { StructureName } from './structures.ts';

/**
 * One member. `offset` and `size` in bytes from the start of the structure; for bit-fields they are those of the
 * storage unit and `bitOffset` counts from its least significant bit. A dot in the name is a nested struct or union arm.
 */
export interface FieldRow {
  readonly name: string;
  readonly ctype: CType;
  readonly offset: number;
  readonly size: number;
  /** Elements of an array; `size` covers all of them. */
  readonly count?: number;
  readonly bitOffset?: number;
  readonly bitWidth?: number;
  /** First NDIS version that declares it; absent: as old as the structure. */
  readonly since?: SinceVersion;
  readonly note?: string;
}

/** One structure. `size` and `align` are those of the newest revision; the `…ByNdisVersion` rows tell where builds differ. */
export interface StructureRow {
  readonly size: number;
  readonly align: number;
  /** Value of Header.Size for revision 1, 2, …: the end of its last member, tail padding excluded. Empty: no header. */
  readonly revisionSizes: readonly number[];
  /** Constant that Header.Type carries. */
  readonly headerType: HeaderTypeName | null;
  /** Header file of the WDK that declares it. */
  readonly header: string;
  readonly since: SinceVersion;
  readonly kind?: 'union';
  /** sizeof from that version on. */
  readonly sizeByNdisVersion?: Readonly<Partial<Record<SinceVersion, number>>>;
  readonly alignByNdisVersion?: Readonly<Partial<Record<SinceVersion, number>>>;
  /** Documentation page. */
  readonly source: string;
  readonly confidence: 'crosschecked' | 'documented' | 'inferred';
  readonly note?: string;
  readonly fields: readonly FieldRow[];
}

/** The four header types of the switch ABI. */
export type HeaderTypeName =
  | 'NDIS_OBJECT_TYPE_DEFAULT'
  | 'NDIS_OBJECT_TYPE_OID_REQUEST'
  | 'NDIS_OBJECT_TYPE_STATUS_INDICATION'
  | 'NDIS_OBJECT_TYPE_SWITCH_OPTIONAL_HANDLERS';

/** One OID. */
export interface OidRow {
  readonly code: number;
  readonly kind: 'query' | 'set' | 'method';
  /** Who may issue it. */
  readonly issuer: 'protocolEdge' | 'extension' | 'either' | 'overlying driver';
  /** Structure at the start of the buffer. */
  readonly structure: StructureName;
  readonly layout: readonly string[];
  readonly since: SinceVersion;
  /** An extension may refuse it. */
  readonly vetoable: boolean;
  /** Documentation page; `null`: header only. */
  readonly doc: string | null;
  readonly confidence: 'crosschecked' | 'documented' | 'inferred';
  readonly note?: string;
}
