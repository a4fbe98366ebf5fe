import { macText } from '../../switch/parameters.ts';
import type { PropertyInstance } from '../../switch/ports.ts';
import type { AdapterInfo, PropertyInfo, VmInfo } from './api.ts';
import { isConsumed, portInfo } from './info.ts';
import { adapterNames, vmConnectionId } from './names.ts';
import { opaqueClass } from './opaque-codec.ts';
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
  const info = infoOf(world, adapter);
  const { requiredFeatures } = adapter;
  return requiredFeatures.length === 0 ? info : { ...info, requiredFeatures };
}

function infoOf(world: World, adapter: AdapterEntry): AdapterInfo {
  const { settings, target, connection } = adapter;
  const { id, type } = adapter;
  const { name, macType, mtu } = settings;
  const mac = macText(settings.mac);
  // A switch that is gone keeps the name it had (management.md 5, LastKnownSwitchName).
  const on =
    target === undefined
      ? undefined
      : { id: target.id, name: world.switches.get(target.id)?.name ?? target.name };
  if (connection === undefined || on === undefined) {
    const names = adapterNames(adapter.owner);
    const off = { connected: false, vfAssigned: false, names };
    const info = { id, name, type, mac, macType, mtu, ...off };
    return on === undefined ? info : { ...info, switch: on };
  }
  const port = portInfo(connection.entry, connection.port);
  const vfAssigned = connection.port.nics.get(0)?.vfAssigned ?? false;
  const { isConnected: connected } = adapter;
  const { names } = port;
  return { id, name, type, mac, macType, mtu, switch: on, connected, vfAssigned, port, names };
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
    ...(opaqueClass(property) === undefined ? {} : { opaque: true }),
  };
}
