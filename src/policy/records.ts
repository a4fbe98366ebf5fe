import type { Guid } from '../core/guid.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import type { PortType, Settings } from '../sdk/extension.ts';
import type { StoreOp, StoreValue } from '../store/store.ts';

/*
 * What a world keeps in its store, by key:
 *
 *   feature/<kind>/<uuid>                      FeatureRecord
 *   switch/<switch id>                         SwitchRecord
 *   port/<switch id>/<port id>                 PortRecord
 *   property/<switch id>/<port id|switch>/<instance id>   PropertyRecord
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
  readonly extensions: readonly { readonly id: Guid; readonly enabled: boolean }[];
}

export interface NicRecord {
  readonly index: number;
  readonly name: string;
  readonly friendlyName: string;
  /** Twelve hexadecimal digits with dashes. */
  readonly mac: string;
  readonly mtu: number;
}

export interface PortRecord {
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly order: number;
  readonly nics: readonly NicRecord[];
}

export interface PropertyRecord {
  readonly feature: Guid;
  readonly name: string;
  readonly version: number;
  readonly settings: Settings;
  readonly revision: number;
  readonly order: number;
}

export const featureKey = (kind: string, id: Guid): string => `feature/${kind}/${id}`;
export const switchKey = (id: Guid): string => `switch/${id}`;
export const portKey = (switchId: Guid, id: Guid): string => `port/${switchId}/${id}`;
/** `owner` is a port's GUID or `switch`. */
export const propertyKey = (switchId: Guid, owner: string, id: Guid): string =>
  `property/${switchId}/${owner}/${id}`;

/** A put of any record above. */
export function put(key: string, record: object): StoreOp {
  return { op: 'put', key, value: record as StoreValue };
}

export function remove(key: string): StoreOp {
  return { op: 'delete', key };
}
