import type { SaveRecord } from '../../switch/save-record.ts';
import type { Guid } from '../core/guid.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import type { PortType, Settings } from '../sdk/extension.ts';
import type { StoreOp, StoreValue } from '../store/store.ts';
import type { UplinkOptions, VmState } from './api.ts';
import type { PortableFeature } from './migration-api.ts';

export type UplinkTeam = NonNullable<UplinkOptions['team']>;

/*
 * What a world keeps in its store, by key:
 *
 *   feature/<kind>/<uuid>                      FeatureRecord
 *   switch/<switch id>                         SwitchRecord
 *   port/<switch id>/<port id>                 PortRecord
 *   property/<switch id>/<port id|switch>/<instance id>   PropertyRecord
 *   vm/<vm id>                                 VmRecord
 *   property/vm/<adapter id>/<instance id>     PropertyRecord
 *   saved/<vm id>/<adapter id>                 SavedRecord
 *   migration/<migration id>                   DepartureRecord or ArrivalRecord (migration-records.ts)
 *
 * Typed values, never serialized buffers (design.md 6).
 */

export interface FeatureRecord {
  readonly feature: FeatureClass;
  readonly uint16: SerializationProfile['uint16'];
}

export interface SwitchRecord {
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  /** Order of creation in the world. */
  readonly order: number;
  /** Every extension bound to the switch, top to bottom inside its class. */
  readonly extensions: readonly {
    readonly id: Guid;
    readonly enabled: boolean;
    /** The switch does not run without it (rule A50). */
    readonly required?: boolean;
  }[];
}

export interface NicRecord {
  readonly index: number;
  readonly name: string;
  readonly friendlyName: string;
  /** Twelve hexadecimal digits with dashes. */
  readonly mac: string;
  readonly mtu: number;
  /** What the guest set, when it is another address. */
  readonly vmMac?: string;
  readonly netCfgInstanceId?: Guid;
  readonly numaNode?: number;
  readonly vmName?: string;
  readonly vmFriendlyName?: string;
  /** External NIC, index 1 and more. */
  readonly adapter?: {
    readonly name: string;
    readonly virtualFunctions: number;
    readonly queues: number;
    /** Stored while it is down. */
    readonly linkUp?: boolean;
  };
}

export interface PortRecord {
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly order: number;
  readonly nics: readonly NicRecord[];
  /** The external port of an uplink: what is below its NIC. */
  readonly team?: UplinkTeam;
}

/** A VM with its adapters; ports of its own are not stored, they follow from this. */
export interface VmRecord {
  readonly name: string;
  readonly state: VmState;
  readonly order: number;
  readonly adapters: readonly AdapterRecord[];
}

export interface AdapterRecord {
  readonly id: Guid;
  readonly portName: Guid;
  readonly type: 'synthetic' | 'emulated';
  readonly order: number;
  readonly name: string;
  /** Twelve hexadecimal digits with dashes. */
  readonly mac: string;
  readonly macType: 'static' | 'dynamic';
  readonly vmMac: string | undefined;
  readonly numaNode: number;
  /** Bytes. */
  readonly mtu: number;
  /** Rule C17: it had its first NIC_CREATE. */
  readonly isKnown: boolean;
  /** The switch it connects to, with the name it had last. */
  readonly switchId: Guid | undefined;
  readonly switchName: string | undefined;
  /** While it is connected. */
  readonly portId: number | undefined;
  readonly vfAssigned: boolean;
  /** NetCfgInstanceId of the physical adapter the virtual function is of: it goes with that one. */
  readonly vfAdapter?: Guid;
  /** Features the switch must offer; left out: none. */
  readonly requiredFeatures?: readonly { readonly id: Guid; readonly name: string }[];
}

/** Run-time data of one adapter, in the order it was saved (rule G11, OP-18). */
export interface SavedRecord {
  readonly records: readonly SaveRecord[];
}

export interface PropertyRecord {
  readonly feature: Guid;
  readonly name: string;
  readonly version: number;
  readonly settings: Settings;
  readonly revision: number;
  readonly order: number;
  /** Its class, which is not registered here: the settings are as JSON has them (opaque-codec.ts). */
  readonly opaque?: PortableFeature;
}

export const featureKey = (kind: string, id: Guid): string => `feature/${kind}/${id}`;
export const switchKey = (id: Guid): string => `switch/${id}`;
export const portKey = (switchId: Guid, id: Guid): string => `port/${switchId}/${id}`;
/** `owner` is a port's GUID or `switch`. */
export const propertyKey = (switchId: Guid, owner: string, id: Guid): string =>
  `property/${switchId}/${owner}/${id}`;

export const vmKey = (id: Guid): string => `vm/${id}`;
export const savedKey = (vmId: Guid, adapterId: Guid): string => `saved/${vmId}/${adapterId}`;
/** Policies of an adapter travel with it, whatever switch it is on. */
export const adapterPropertyKey = (adapterId: Guid, id: Guid): string =>
  propertyKey('vm', adapterId, id);

/** A put of any record above. */
export function put(key: string, record: object): StoreOp {
  return { op: 'put', key, value: record as StoreValue };
}

export function remove(key: string): StoreOp {
  return { op: 'delete', key };
}
