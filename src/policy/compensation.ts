import type { OidRequest } from '../../switch/oid-request.ts';
import type { Port, PropertyInstance, PropertyOwner } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import { isErrorStatus, statusName } from '../core/status.ts';
import type { Settings } from '../sdk/extension.ts';
import { refreshCurrentMac, SECURITY_TYPE } from './current-mac.ts';
import { presentPort, presentSwitch, type SwitchEntry, type World } from './world.ts';

/*
 * Taking a property change back after the store refused it (design.md 5): the inverse OID tells the extensions. What an
 * extension says to that cannot matter, since nothing was stored: it is reported, and the switch is as before.
 */

function report(
  world: World,
  machine: Switch,
  outcome: OidRequest | undefined,
  what: string,
): string | undefined {
  if (outcome === undefined || !isErrorStatus(outcome.status)) return undefined;
  const status = statusName(outcome.status);
  world.environment.finding(machine.state.name, {
    rule: 'E17',
    severity: 'error',
    message: `${outcome.completedBy?.name ?? 'the switch'} refused with ${status} to take back ${what} that was not stored`,
    ...(outcome.completedBy === undefined ? {} : { extensionId: outcome.completedBy.id }),
  });
  return status;
}

/** Where a property is: on a port, or on the switch itself (`port` undefined). */
export interface PropertyPlace {
  readonly world: World;
  readonly entry: SwitchEntry;
  readonly port: Port | undefined;
}

function present({ world, entry, port }: PropertyPlace): { machine: Switch; owner: PropertyOwner } {
  const { machine } = presentSwitch(world, entry);
  return { machine, owner: port === undefined ? machine.state : presentPort(world, entry, port) };
}

/** Rule C15: what the security property decided is decided again. */
async function refreshMac({ world, entry, port }: PropertyPlace, { codec }: PropertyInstance) {
  if (codec.propertyType !== SECURITY_TYPE || port === undefined) return;
  const now = presentSwitch(world, entry);
  await refreshCurrentMac(world, now.machine, presentPort(world, entry, port));
}

export async function undoAdd(place: PropertyPlace, property: PropertyInstance): Promise<void> {
  const { machine, owner } = present(place);
  const outcome = await machine.deleteProperty(owner, property);
  report(place.world, machine, outcome, `the addition of property ${property.id}`);
  owner.properties.delete(property.id);
  await refreshMac(place, property);
}

/** Thrown in the turn of an undo that a later change has made pointless. */
const SUPERSEDED = new Error('a later update replaced the value');
/** The same, when it is gone. */
const REMOVED = new Error('a later change removed the property');

/**
 * `before`: settings and refusal the property had. One that was refused was told as new, so it is taken back as a whole.
 * `failed`: the value that was not stored. An update that waited for its turn meanwhile and was accepted has replaced it:
 * its own write decides about it, and there is nothing to take back.
 */
export async function undoUpdate(
  place: PropertyPlace,
  property: PropertyInstance,
  before: Pick<PropertyInstance, 'settings' | 'refused'>,
  failed: Settings,
): Promise<void> {
  const { machine, owner } = present(place);
  const revision = property.revision - 1;
  const turn = {
    check: () => {
      if (property.settings !== failed) throw SUPERSEDED;
      if (owner.properties.get(property.id) !== property) throw REMOVED;
    },
  };
  let outcome: OidRequest | undefined;
  try {
    outcome =
      before.refused === undefined
        ? await machine.updateProperty(owner, property, before.settings, turn)
        : await machine.deleteProperty(owner, property, turn);
  } catch (error) {
    if (error === SUPERSEDED) return;
    if (error !== REMOVED) throw error;
    // Nobody is told of a policy that is gone. Should its removal be taken back, it has the value that is stored.
    property.settings = before.settings;
    property.refused = before.refused;
    property.revision = revision;
    return;
  }
  report(place.world, machine, outcome, `the update of property ${property.id}`);
  property.settings = before.settings;
  property.refused = before.refused;
  property.revision = revision;
  owner.properties.set(property.id, property);
  await refreshMac(place, property);
}

export async function undoDelete(place: PropertyPlace, property: PropertyInstance): Promise<void> {
  const { machine, owner } = present(place);
  const outcome = await machine.addProperty(owner, property);
  property.refused = report(
    place.world,
    machine,
    outcome,
    `the removal of property ${property.id}`,
  );
  // In its place again: the order of creation is the order in which properties are told and listed.
  owner.properties.set(property.id, property);
  inOrder(owner);
  await refreshMac(place, property);
}

/** Policies in order of creation. */
export function inOrder({ properties }: Pick<PropertyOwner, 'properties'>): void {
  const all = [...properties.values()].sort((a, b) => a.order - b.order);
  properties.clear();
  for (const one of all) properties.set(one.id, one);
}
