import type { Port } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreOp } from '../store/store.ts';
import { nicAgain, nicRecord } from './nic-record.ts';
import { type PortRecord, portKey, put } from './records.ts';
import { presentSwitch, type SwitchEntry, type World } from './world.ts';

/** The stored form of a port, with the NICs that were refused at the last restart: what was acknowledged is not lost. */
export function portRecord(entry: SwitchEntry, port: Port): PortRecord {
  const { team, refusedNics = [] } = entry.portFacts.get(port.id) ?? {};
  const absent = refusedNics.filter(({ index }) => !port.nics.has(index));
  return {
    portId: port.portId,
    name: port.friendlyName,
    type: port.type,
    order: port.order,
    nics: [...[...port.nics.values()].map(nicAgain), ...absent].map(nicRecord),
    ...(team === undefined ? {} : { team }),
  };
}

/** What keeps a port as it is now. The ports of VMs are kept with the VM. */
export function portOps(entry: SwitchEntry, port: Port): StoreOp[] {
  if (port.owner !== undefined) return [];
  return [put(portKey(entry.id, port.id), portRecord(entry, port))];
}

/** {@link portOps} of the port that stands for this one by now; nothing when it is gone. */
export function portOpsNow(world: World, entry: SwitchEntry, port: Port): StoreOp[] {
  const now = presentSwitch(world, entry);
  const present = now.ports.get(port.id);
  return present === undefined ? [] : portOps(now, present);
}

/** Throws `NOT_FOUND` for a port that is gone or going. */
export function mustExist(entry: SwitchEntry, port: Port): void {
  if (entry.ports.get(port.id) === port && port.state === 'created') return;
  const refused = entry.refusedPorts.get(port.id);
  if (refused?.port === port) {
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `port ${port.friendlyName} was refused with ${refused.status} when it was made again: it can only be deleted (rule B17)`,
      { rule: 'B17', ndisStatus: refused.status },
    );
  }
  throw new ExtSwitchError('NOT_FOUND', `port ${port.friendlyName} no longer exists`, {
    found: port.id,
  });
}

/**
 * Takes a port's name for the time of an operation, also while another one runs in between; the answer gives it back. Rule B2:
 * management finds a port by its name, so no second one gets it. `owner`: the port that may have it already.
 */
export function claimName(entry: SwitchEntry, name: string, owner?: Port): () => void {
  const others = entry.portsByName.get(name) ?? [];
  const isTaken =
    others.some((port) => port !== owner) ||
    entry.claimedNames.has(name) ||
    [...entry.refusedPorts.values()].some(({ snapshot }) => snapshot.name === name);
  if (isTaken) {
    throw new ExtSwitchError(
      'ALREADY_EXISTS',
      `switch ${entry.name} has a port named ${JSON.stringify(name)} (rule B2)`,
      { rule: 'B2', member: 'name', found: name },
    );
  }
  entry.claimedNames.add(name);
  return () => {
    entry.claimedNames.delete(name);
  };
}

/** A refused NIC that another one replaces, or that is given up, is no longer stored. Gives back how to keep it again. */
export function dropRefusedNic(entry: SwitchEntry, port: Port, index: number): () => void {
  const facts = entry.portFacts.get(port.id);
  if (facts?.refusedNics === undefined) return () => undefined;
  entry.portFacts.set(port.id, {
    ...facts,
    refusedNics: facts.refusedNics.filter((nic) => nic.index !== index),
  });
  return () => {
    if (entry.ports.has(port.id)) entry.portFacts.set(port.id, facts);
  };
}
