import { NIC_TYPE_OF_PORT } from '../../switch/nic-rules.ts';
import type {
  NicOptions,
  Port,
  PortOptions,
  PropertyInstance,
  PropertyOwner,
} from '../../switch/ports.ts';
import type { PropertyOutcome } from '../../switch/property-operations.ts';
import type { Guid } from '../core/guid.ts';
import { isErrorStatus, statusName } from '../core/status.ts';
import type { PortType } from '../sdk/extension.ts';
import { addPort, type SwitchEntry, type World } from './world.ts';

/** Everything it takes to make a port again as it was. */
export interface PortSnapshot {
  readonly id: Guid;
  readonly portId: number;
  readonly name: string;
  readonly type: PortType;
  readonly order: number;
  readonly nics: readonly NicOptions[];
  /** In order of creation. */
  readonly properties: readonly PropertyInstance[];
}

export function snapshotPort(port: Port): PortSnapshot {
  return {
    id: port.id,
    portId: port.portId,
    name: port.friendlyName,
    type: port.type,
    order: port.order,
    nics: [...port.nics.values()].map((nic) => ({ ...nicFacts(nic), mac: nic.permanentMac })),
    properties: [...port.properties.values()],
  };
}

/** What NIC_CREATE needs beside the address, of a NIC that was there before. */
export function nicFacts(
  nic: Pick<NicOptions, 'index' | 'type' | 'name' | 'friendlyName' | 'mtu'>,
): Omit<NicOptions, 'mac'> {
  const { index, type, name, friendlyName, mtu } = nic;
  return { index, type, name, friendlyName, mtu, isKnown: true };
}

/** NDIS names of a port: PortName is unique and for management, PortFriendlyName is what people gave it (rule B2). */
export function portOptions(
  id: Guid,
  friendlyName: string,
  type: PortType,
  portId?: number,
): PortOptions {
  return {
    id,
    name: id,
    friendlyName,
    type,
    ...(portId === undefined ? {} : { portId }),
  };
}

/**
 * Makes a stored port anew in the canonical order (S2): PORT_CREATE, its properties, then NIC_CREATE and NIC_CONNECT. What
 * an extension refuses stays stored and is reported (nothing acknowledged is lost, design.md 5).
 */
export async function recreatePort(
  world: World,
  entry: SwitchEntry,
  snapshot: PortSnapshot,
): Promise<Port | undefined> {
  const { machine } = entry;
  const created = machine.createPort(
    portOptions(snapshot.id, snapshot.name, snapshot.type, snapshot.portId),
  );
  const { port, request } = created instanceof Promise ? await created : created;
  port.order = snapshot.order;
  if (isErrorStatus(request.status)) {
    world.environment.finding(entry.name, {
      rule: 'B16',
      severity: 'error',
      message: `port ${snapshot.name} was refused with ${statusName(request.status)} when it was made again; it stays stored`,
      ...(request.completedBy === undefined ? {} : { extensionId: request.completedBy.id }),
    });
    return undefined;
  }
  addPort(entry, port);
  for (const property of snapshot.properties) {
    const told = reissue(world, entry, port, property);
    if (told !== undefined) await told;
  }
  for (const nic of snapshot.nics) {
    const type = NIC_TYPE_OF_PORT[port.type];
    const connected = machine.connectNic(port, { ...nic, type });
    const outcome = connected instanceof Promise ? await connected : connected;
    if (!isErrorStatus(outcome.request.status)) continue;
    world.environment.finding(entry.name, {
      rule: 'C23',
      severity: 'error',
      message: `NIC ${port.portId}/${nic.index} was refused with ${statusName(outcome.request.status)} when it was made again`,
    });
  }
  return port;
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
