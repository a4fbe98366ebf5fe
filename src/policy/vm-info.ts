import { macText } from '../../switch/parameters.ts';
import type { PropertyInstance } from '../../switch/ports.ts';
import type { AdapterInfo, PropertyInfo, VmInfo } from './api.ts';
import { isConsumed, portInfo } from './info.ts';
import { adapterNames, vmConnectionId } from './names.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

export function vmInfo(world: World, vm: VmEntry): VmInfo {
  const adapters: AdapterInfo[] = [];
  let savedRecords = 0;
  for (const adapter of vm.adapters) {
    adapters.push(adapterInfo(world, adapter));
    savedRecords += adapter.saved.length;
  }
  return { id: vm.id, name: vm.name, state: vm.state, adapters, savedRecords };
}

export function adapterInfo(world: World, adapter: AdapterEntry): AdapterInfo {
  const { settings, target, connection } = adapter;
  const port = connection === undefined ? undefined : portInfo(connection.entry, connection.port);
  const info = {
    id: adapter.id,
    name: settings.name,
    type: adapter.type,
    mac: macText(settings.mac),
    macType: settings.macType,
    mtu: settings.mtu,
    connected: adapter.isConnected,
    vfAssigned: connection?.port.nics.get(0)?.vfAssigned ?? false,
    names: port?.names ?? adapterNames(adapter.owner),
  };
  if (target === undefined) return info;
  // A switch that is gone keeps the name it had (management.md 5, LastKnownSwitchName).
  const name = world.switches.get(target.id)?.name ?? target.name;
  const on = { ...info, switch: { id: target.id, name } };
  return port === undefined ? on : { ...on, port };
}

/** A policy of an adapter; its InstanceID begins with the connection's, whatever port it is on (management.md 3.8). */
export function adapterPropertyInfo(
  adapter: AdapterEntry,
  property: PropertyInstance,
): PropertyInfo {
  const { codec, id } = property;
  const connection = vmConnectionId(adapter.vm.id, adapter.id);
  return {
    id,
    featureId: codec.id,
    feature: codec.name,
    version: codec.version,
    settings: property.settings,
    revision: property.revision,
    instanceId: `${connection}\\${codec.id.toUpperCase()}\\${id.toUpperCase()}`,
    // Nobody holds it while no port does.
    delivered: adapter.connection !== undefined && isConsumed(adapter.connection.entry, property),
  };
}
