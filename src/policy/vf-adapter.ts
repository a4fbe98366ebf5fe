import type { Port } from '../../switch/ports.ts';
import type { Guid } from '../core/guid.ts';
import type { AdapterRecord } from './records.ts';
import type { Footing } from './vm-connection.ts';
import type { AdapterEntry } from './vm-entry.ts';
import type { SwitchEntry, World } from './world.ts';

/*
 * A virtual function lives in a physical adapter below the external NIC and goes with it (S17). What the store has of a VM
 * names that adapter: a record older than the adapter's removal gives no virtual function, so that the removal need not be
 * written to every VM.
 */

function* externalPorts(entry: SwitchEntry): Iterable<Port> {
  for (const port of entry.ports.values()) if (port.type === 'external') yield port;
}

/** NetCfgInstanceId of the adapter that has the virtual function of this NIC; `undefined`: none has. */
export function vfAdapterOf({ connection }: AdapterEntry): Guid | undefined {
  if (connection?.port.nics.get(0)?.vfAssigned !== true) return undefined;
  const { entry, port } = connection;
  for (const { nics } of externalPorts(entry)) {
    for (const { adapter, netCfgInstanceId } of nics.values()) {
      const isHere = adapter?.resources.some(
        ({ kind, source }) => kind === 'vf' && source.portId === port.portId,
      );
      if (isHere === true) return netCfgInstanceId;
    }
  }
  return undefined;
}

/** What a stored adapter had, as far as it can have it still. */
export function storedFooting(world: World, record: AdapterRecord): Footing {
  const { portId, vfAssigned, vfAdapter, switchId } = record;
  const entry = switchId === undefined ? undefined : world.switches.get(switchId);
  const isThere = entry === undefined || hasAdapter(entry, vfAdapter);
  return { portId, vfAssigned: vfAssigned && isThere };
}

/**
 * Also one that an extension refused when it was made again: that is for the VM to report. `id` left out: any, as for a record
 * written while the adapter was going.
 */
function hasAdapter(entry: SwitchEntry, id: Guid | undefined): boolean {
  const isIt = (nic: { readonly netCfgInstanceId?: Guid }): boolean =>
    id === undefined || nic.netCfgInstanceId === id;
  for (const port of externalPorts(entry)) {
    const { refusedNics = [] } = entry.portFacts.get(port.id) ?? {};
    if ([...port.nics.values(), ...refusedNics].some(isIt)) return true;
  }
  return [...entry.refusedPorts.values()].some(({ snapshot }) => snapshot.nics.some(isIt));
}
