import type { NicOptions } from '../../switch/ports.ts';
import type { NicType } from '../sdk/extension.ts';
import { macHex } from './mac-pool.ts';
import type { World } from './world.ts';

/**
 * NDIS names of a NIC of the host: NicName is the PnP instance id of an external adapter, a generated GUID of an internal
 * one (rule C10, OP-37: its display name goes to NicFriendlyName); both have a NetCfgInstanceId (rule C12).
 */
export function hostNicFacts(
  world: World,
  type: NicType,
  mac: Uint8Array,
): Pick<NicOptions, 'name' | 'netCfgInstanceId'> {
  const netCfgInstanceId = world.rng.guid();
  return type === 'external'
    ? { name: pnpInstanceId(mac), netCfgInstanceId }
    : { name: world.rng.guid(), netCfgInstanceId };
}

/** PnP instance id of a PCI adapter: its serial number is the MAC address as EUI-64, as server adapters have it. */
export function pnpInstanceId(mac: Uint8Array): string {
  const digits = macHex(mac).toUpperCase();
  return `PCI\\VEN_8086&DEV_1572&SUBSYS_00078086&REV_01\\${digits.slice(0, 6)}FFFF${digits.slice(6)}00`;
}

/** PnP instance id of an LBFO team: the Microsoft Network Adapter Multiplexor Driver (rule C5). */
export function teamInstanceId(netCfgInstanceId: string): string {
  return `COMPOSITEBUS\\MS_IMPLAT_MP\\{${netCfgInstanceId.toUpperCase()}}`;
}
