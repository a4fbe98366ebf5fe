import { NIC_TYPE_OF_PORT } from '../../switch/nic-rules.ts';
import { macText, parseMac } from '../../switch/parameters.ts';
import type { AdapterFacts } from '../../switch/physical-adapter.ts';
import type { Nic, NicOptions } from '../../switch/ports.ts';
import { NULL_GUID } from '../core/guid.ts';
import type { PortType } from '../sdk/extension.ts';
import type { NicRecord } from './records.ts';

/** The stored form of a NIC: CurrentMacAddress is left out, it follows from the rest (rule C15). */
export function nicRecord(nic: NicOptions): NicRecord {
  const { vmMac, netCfgInstanceId, numaNodeId, vmName, vmFriendlyName, adapter } = nic;
  return {
    index: nic.index,
    name: nic.name,
    friendlyName: nic.friendlyName,
    mac: macText(nic.mac),
    mtu: nic.mtu,
    ...(vmMac === undefined || macText(vmMac) === macText(nic.mac)
      ? {}
      : { vmMac: macText(vmMac) }),
    ...(netCfgInstanceId === undefined ? {} : { netCfgInstanceId }),
    ...(numaNodeId === undefined || numaNodeId === 0 ? {} : { numaNode: numaNodeId }),
    ...(vmName === undefined || vmName === '' ? {} : { vmName }),
    ...(vmFriendlyName === undefined || vmFriendlyName === '' ? {} : { vmFriendlyName }),
    ...(adapter === undefined ? {} : { adapter: adapterFacts(adapter) }),
  };
}

/** What NIC_CREATE needs of a stored NIC; it is known already (rule C17). */
export function storedNic(record: NicRecord, portType: PortType): NicOptions {
  const { index, name, friendlyName, mtu, netCfgInstanceId, vmName, vmFriendlyName } = record;
  const mac = parseMac(record.mac) ?? new Uint8Array(6);
  const vmMac = record.vmMac === undefined ? undefined : parseMac(record.vmMac);
  return {
    index,
    type: NIC_TYPE_OF_PORT[portType],
    name,
    friendlyName,
    mac,
    mtu,
    isKnown: true,
    ...(vmMac === undefined ? {} : { vmMac }),
    ...(netCfgInstanceId === undefined ? {} : { netCfgInstanceId }),
    ...(record.numaNode === undefined ? {} : { numaNodeId: record.numaNode }),
    ...(vmName === undefined ? {} : { vmName }),
    ...(vmFriendlyName === undefined ? {} : { vmFriendlyName }),
    ...(record.adapter === undefined ? {} : { adapter: record.adapter }),
  };
}

/** What NIC_CREATE needs to make a NIC that is there once more. */
export function nicAgain(nic: Nic): NicOptions {
  const { index, type, name, friendlyName, vmName, vmFriendlyName, mtu, numaNodeId } = nic;
  return {
    index,
    type,
    name,
    friendlyName,
    vmName,
    vmFriendlyName,
    mac: nic.permanentMac,
    ...(nic.vmMac === undefined ? {} : { vmMac: nic.vmMac }),
    ...(nic.netCfgInstanceId === NULL_GUID ? {} : { netCfgInstanceId: nic.netCfgInstanceId }),
    numaNodeId,
    mtu,
    isKnown: true,
    ...(nic.adapter === undefined ? {} : { adapter: adapterFacts(nic.adapter) }),
  };
}

/** A link that is down is kept; one that is up needs no saying. */
function adapterFacts({
  name,
  virtualFunctions = 0,
  queues = 0,
  linkUp = true,
}: AdapterFacts): NicRecord['adapter'] & object {
  return { name, virtualFunctions, queues, ...(linkUp ? {} : { linkUp }) };
}
