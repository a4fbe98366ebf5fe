import type { Nic, Port, PortOwner } from '../../switch/ports.ts';
import type { Guid } from '../core/guid.ts';
import type { ObjectNames } from './api.ts';
import type { SwitchEntry } from './world.ts';

/*
 * The names one connection has in WMI (management.md 3.8). GUIDs print upper case in InstanceIDs. The prefix property is
 * load-bearing: clients find the features of a connection by `InstanceID LIKE '<connection id>%'`.
 */

/** InstanceID of a VM's network adapter setting: `Microsoft:<VM>\<NIC>`. */
export function adapterId(vmId: Guid, adapter: Guid): string {
  return `Microsoft:${vmId.toUpperCase()}\\${adapter.toUpperCase()}`;
}

/** InstanceID of the connection of a VM's network adapter: `Microsoft:<VM>\<NIC>\C`. */
export function vmConnectionId(vmId: Guid, adapter: Guid): string {
  return `${adapterId(vmId, adapter)}\\C`;
}

/** InstanceID of a connection that belongs to the host, and of a port made by hand: `Microsoft:<SWITCH>\<PORT>`. */
export function hostConnectionId(switchId: Guid, portName: string): string {
  return `Microsoft:${switchId.toUpperCase()}\\${portName.toUpperCase()}`;
}

/** DeviceID of Msvm_EthernetSwitchPort: `Microsoft:<PORT>`. */
export function portDeviceId(portName: string): string {
  return `Microsoft:${portName.toUpperCase()}`;
}

/** InstanceID of the connection a port stands for: what its features' InstanceIDs begin with. */
export function connectionId(entry: SwitchEntry, port: Port): string {
  const { owner } = port;
  return owner === undefined
    ? hostConnectionId(entry.id, port.name)
    : vmConnectionId(owner.vmId, owner.adapterId);
}

/** InstanceID of a feature: connection (or switch), feature id, instance. */
export function featureInstanceId(
  entry: SwitchEntry,
  port: Port | undefined,
  feature: Guid,
  instance: Guid,
): string {
  const owner =
    port === undefined ? `Microsoft:${entry.id.toUpperCase()}` : connectionId(entry, port);
  return `${owner}\\${feature.toUpperCase()}\\${instance.toUpperCase()}`;
}

/** All names of a port; those of its NIC are of the one directly on it (index 0, rule C2). */
export function portNames(entry: SwitchEntry, port: Port): ObjectNames {
  const nic = port.nics.get(0);
  const { owner } = port;
  if (owner !== undefined) return adapterNames(owner, { entry, port });
  return {
    ...placeNames(entry, port),
    ...(nic === undefined ? {} : nicNames(nic)),
    instanceId: hostConnectionId(entry.id, port.name),
  };
}

/** All names of a VM's network adapter, with those of the port and NIC it has now when it is connected. */
export function adapterNames(
  owner: PortOwner,
  at?: { readonly entry: SwitchEntry; readonly port: Port },
): ObjectNames {
  const { vmId, vmName, adapterId: adapter } = owner;
  const instanceId = vmConnectionId(vmId, adapter);
  const own = { vmId, vmName, adapterId: adapter, instanceId };
  if (at === undefined) return own;
  const { entry, port } = at;
  const nic = port.nics.get(0);
  if (nic === undefined) return { ...placeNames(entry, port), ...own };
  // In one piece: every start of a VM says this.
  return {
    portId: port.portId,
    portName: port.name,
    portFriendlyName: port.friendlyName,
    switchId: entry.id,
    switchName: entry.name,
    nicName: nic.name,
    nicFriendlyName: nic.friendlyName,
    vmId,
    vmName,
    adapterId: adapter,
    instanceId,
  };
}

function placeNames(entry: SwitchEntry, port: Port): Omit<ObjectNames, 'instanceId'> {
  return {
    portId: port.portId,
    portName: port.name,
    portFriendlyName: port.friendlyName,
    switchId: entry.id,
    switchName: entry.name,
  };
}

function nicNames(nic: Nic): Pick<ObjectNames, 'nicName' | 'nicFriendlyName'> {
  return { nicName: nic.name, nicFriendlyName: nic.friendlyName };
}
