import type { NicsOutcome } from '../../switch/nic-operations.ts';
import { NIC_TYPE_OF_PORT } from '../../switch/nic-rules.ts';
import type {
  NicOptions,
  Port,
  PortOptions,
  PortOwner,
  PropertyInstance,
  PropertyOwner,
} from '../../switch/ports.ts';
import type { PropertyOutcome } from '../../switch/property-operations.ts';
import type { Guid } from '../core/guid.ts';
import { isErrorStatus, statusName } from '../core/status.ts';
import type { PortType } from '../sdk/extension.ts';
import { currentMacOf } from './current-mac.ts';
import { nicOwner } from './mac-pool.ts';
import { nicAgain } from './nic-record.ts';
import { addPort, type PortFacts, removePort, type SwitchEntry, type World } from './world.ts';

/** Everything it takes to make a port again as it was. */
export interface PortSnapshot {
  readonly id: Guid;
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly order: number;
  readonly flags?: number;
  readonly owner?: PortOwner;
  readonly facts?: PortFacts;
  readonly nics: readonly NicOptions[];
  /** In order of creation. */
  readonly properties: readonly PropertyInstance[];
}

export function snapshotPort(entry: SwitchEntry, port: Port): PortSnapshot {
  const { owner } = port;
  const facts = entry.portFacts.get(port.id);
  return {
    id: port.id,
    portId: port.portId,
    name: port.friendlyName,
    type: port.type,
    order: port.order,
    flags: port.flags,
    ...(owner === undefined ? {} : { owner }),
    ...(facts === undefined ? {} : { facts }),
    nics: [...port.nics.values()].map(nicAgain),
    properties: [...port.properties.values()],
  };
}

/** NDIS names of a port: PortName is unique and for management, PortFriendlyName is what people gave it (rule B2). */
export function portOptions(
  id: Guid,
  friendlyName: string,
  type: PortType,
  more: Pick<PortOptions, 'portId' | 'flags' | 'owner'> = {},
): PortOptions {
  return { id, name: id, friendlyName, type, ...more };
}

/**
 * Makes a stored port anew in the canonical order (S2, S8): PORT_CREATE, its properties, then its NICs, all created before
 * the first is connected (rule C52). What an extension refuses stays stored and is reported (nothing acknowledged is lost,
 * design.md 5).
 */
export async function recreatePort(
  world: World,
  entry: SwitchEntry,
  snapshot: PortSnapshot,
): Promise<Port | undefined> {
  const { machine } = entry;
  const { portId, flags, owner, facts } = snapshot;
  const created = machine.createPort(
    portOptions(snapshot.id, snapshot.name, snapshot.type, {
      portId,
      ...(flags === undefined ? {} : { flags }),
      ...(owner === undefined ? {} : { owner }),
    }),
  );
  const { port, request } = created instanceof Promise ? await created : created;
  port.order = snapshot.order;
  if (isErrorStatus(request.status)) {
    const status = statusName(request.status);
    for (const property of snapshot.properties) port.properties.set(property.id, property);
    for (const { mac } of snapshot.nics) world.macs.keep(mac);
    entry.refusedPorts.set(snapshot.id, { port, snapshot, status });
    world.environment.finding(entry.name, {
      rule: 'B16',
      severity: 'error',
      message: `port ${snapshot.name} was refused with ${status} when it was made again; it stays stored`,
      ...(request.completedBy === undefined ? {} : { extensionId: request.completedBy.id }),
    });
    return undefined;
  }
  entry.refusedPorts.delete(snapshot.id);
  addPort(entry, port);
  if (facts !== undefined) entry.portFacts.set(port.id, facts);
  for (const property of snapshot.properties) {
    const told = reissue(world, entry, port, property);
    if (told !== undefined) await told;
    // Somebody has deleted it meanwhile: a change of its own, that is done and stored (rule B13).
    if (port.state !== 'created') return undefined;
  }
  if (snapshot.nics.length > 0) {
    try {
      const opened = reopenNics(world, entry, port, snapshot.nics);
      if (opened !== undefined) await opened;
    } catch (error) {
      if (port.state !== 'created') return undefined;
      // Another has its place by now, such as the one external NIC of a switch (rule C8): all of it, or nothing.
      await machine.deletePort(port);
      removePort(entry, port);
      throw error;
    }
  }
  return port;
}

/** The NICs of a stored port; refused ones stay stored. */
function reopenNics(
  world: World,
  entry: SwitchEntry,
  port: Port,
  stored: readonly NicOptions[],
): Promise<void> | undefined {
  const nics = stored.map((nic) => ({
    ...nic,
    type: NIC_TYPE_OF_PORT[port.type],
    currentMac: currentMacOf(world, port.properties.values(), nic),
  }));
  const finish = ({ refused }: NicsOutcome): void => {
    for (const nic of port.nics.values()) world.macs.register(nic, nicOwner(entry, port));
    if (refused === undefined) return;
    for (const nic of nics) world.macs.keep(nic.mac);
    entry.portFacts.set(port.id, { ...entry.portFacts.get(port.id), refusedNics: nics });
    world.environment.finding(entry.name, {
      rule: 'C23',
      severity: 'error',
      message: `the NIC of port ${port.friendlyName} was refused with ${statusName(refused.status)} when it was made again; it stays stored`,
      ...(refused.completedBy === undefined ? {} : { extensionId: refused.completedBy.id }),
    });
  };
  const opened = entry.machine.openNics(port, nics);
  if (opened instanceof Promise) return opened.then(finish);
  finish(opened);
  return undefined;
}

/**
 * Tells the extensions a stored property again; refused ones stay, marked. A promise only when an extension pends: a
 * million of them would cost more than all the rest of a restart.
 */
export function reissue(
  world: World,
  entry: SwitchEntry,
  port: Port | undefined,
  property: PropertyInstance,
): Promise<void> | undefined {
  const owner = port ?? entry.machine.state;
  const sent = entry.machine.addProperty(owner, property);
  if (sent instanceof Promise) {
    return sent.then((outcome) => noteRefusal(world, entry, owner, property, outcome));
  }
  noteRefusal(world, entry, owner, property, sent);
  return undefined;
}

function noteRefusal(
  world: World,
  entry: SwitchEntry,
  owner: PropertyOwner,
  property: PropertyInstance,
  outcome: PropertyOutcome,
): void {
  if (outcome === undefined || !isErrorStatus(outcome.status)) return;
  property.refused = statusName(outcome.status);
  owner.properties.set(property.id, property);
  world.environment.finding(entry.name, {
    rule: 'E17',
    severity: 'error',
    message: `property ${property.id} (${property.codec.name}) was refused with ${property.refused} when it was told again; it stays stored`,
    ...(outcome.completedBy === undefined ? {} : { extensionId: outcome.completedBy.id }),
  });
}
