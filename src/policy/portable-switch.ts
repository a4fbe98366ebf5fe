import type { NicOptions, Port, PropertyInstance } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { type Guid, tryParseGuid } from '../core/guid.ts';
import { isErrorStatus } from '../core/status.ts';
import { undoAdd } from './compensation.ts';
import { mustTakeNic } from './host-ports.ts';
import { checkName } from './lookup.ts';
import { type MacClaim, nicOwner } from './mac-pool.ts';
import type { PortablePort, PortableSwitch } from './migration-api.ts';
import { teamInstanceId } from './nic-names.ts';
import { storedNic } from './nic-record.ts';
import { claimName, portOps } from './port-record.ts';
import { type Intake, idOf, keepsIds, undelivered } from './portable-vm.ts';
import { propertyRecord } from './property-rules.ts';
import type { NicRecord } from './records.ts';
import { propertyKey, put } from './records.ts';
import { portOptions } from './recreate.ts';
import { createSwitch } from './switch-create.ts';
import { refused } from './veto.ts';
import {
  addPort,
  type Binding,
  presentPort,
  presentSwitch,
  removePort,
  type SwitchEntry,
  type World,
} from './world.ts';

/**
 * A switch of a document with its extensions, policies and host ports, each asked about as when it is made (S1, S8): a
 * refusal refuses the import.
 */
export async function importSwitch(
  intake: Intake,
  given: PortableSwitch,
  path: string,
): Promise<SwitchEntry> {
  const { world, transaction, options, notes } = intake;
  const name = options.name ?? given.name;
  const id = idOf(intake, given.id, 'switch', `${path}.id`, (one) => world.switches.get(one)?.name);
  const bindings = bindingsOf(world, given, name, path, notes);
  const { type } = given;
  const entry = await createSwitch(world, transaction, { name, type }, { id, bindings });
  for (const binding of entry.bindings) {
    if (binding.enabled && !world.extensions.has(binding.id)) binding.problem = 'not installed';
  }
  const own = intake.classes.instances(given.properties, 'switch', !keepsIds(intake), path);
  for (const property of own.values()) {
    await addProperty(intake, entry, property);
    noteDelivery(intake, entry, property, `switch ${JSON.stringify(name)}`);
  }
  for (const [i, port] of given.ports.entries()) {
    await importPort(intake, entry, port, `${path}.ports[${i}]`);
  }
  return entry;
}

/**
 * The bindings of the document in its order, those it does not know on top and disabled (rules A36, A42). One whose extension
 * is not installed stays bound as it was and does not run, which is noted; a required one is refused (rule A50).
 */
function bindingsOf(
  world: World,
  given: PortableSwitch,
  name: string,
  path: string,
  notes: string[],
): Binding[] {
  const known = new Set(given.extensions.map(({ id }) => id));
  const rest = [...world.extensions.keys()].reverse().filter((id) => !known.has(id));
  const bound = given.extensions.map((one, i): Binding => {
    const { id, enabled, required } = one;
    if (!world.extensions.has(id)) {
      const what = `extension ${one.name === '' ? id : `${one.name} (${id})`}`;
      if (required) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          `${path}.extensions[${i}]: switch ${JSON.stringify(name)} does not run without ${what}, which is not installed here (rule A50)`,
          { rule: 'A50', member: `${path}.extensions[${i}]`, extensionId: id },
        );
      }
      if (enabled) {
        notes.push(
          `${what} of switch ${JSON.stringify(name)} is not installed here: it stays bound and does not run`,
        );
      }
    }
    return { id, enabled, ...(required ? { required } : {}) };
  });
  return [...rest.map((id): Binding => ({ id, enabled: false })), ...bound];
}

async function addProperty(
  { world, transaction }: Intake,
  entry: SwitchEntry,
  property: PropertyInstance,
): Promise<void> {
  const { machine } = entry;
  const outcome = await machine.addProperty(machine.state, property, {
    accepted: () => {
      const key = propertyKey(entry.id, 'switch', property.id);
      void world.changes.commit(transaction, [put(key, propertyRecord(property))], () =>
        undoAdd({ world, entry, port: undefined }, property),
      );
    },
  });
  if (outcome === undefined || !isErrorStatus(outcome.status)) return;
  throw refused(world, outcome, `property ${property.codec.name} of switch ${entry.name}`);
}

function noteDelivery(
  { world, notes }: Intake,
  entry: SwitchEntry,
  { codec }: PropertyInstance,
  owner: string,
): void {
  const why = codec.propertyType === 1 ? undelivered(world, codec.extensionId, entry) : undefined;
  if (why === undefined) return;
  const text = `policies ${codec.name} of ${owner} are kept and delivered to nobody: ${why}`;
  if (!notes.includes(text)) notes.push(text);
}

/** Port, policies, NICs (S2, S8): all of it or nothing. */
async function importPort(
  intake: Intake,
  entry: SwitchEntry,
  given: PortablePort,
  path: string,
): Promise<void> {
  const { world, transaction } = intake;
  const name = checkName(given.name, 'port');
  const id = idOf(intake, given.id, 'port', `${path}.id`, (one) => portNamed(world, one));
  const properties = intake.classes.instances(given.properties, 'port', !keepsIds(intake), path);
  const nics = nicsOf(intake, given, `port ${JSON.stringify(name)} of switch ${entry.name}`, path);
  const { portId, type, team } = given;
  const facts = portOptions(id, name, type, keepsIds(intake) ? { portId } : {});
  const owner = nicOwner(entry, facts);
  const claims: MacClaim[] = [];
  let giveBack: (() => void) | undefined;
  let opened: Port | undefined;
  try {
    const outcome = await entry.machine.openConnection(
      { port: facts, properties: [...properties.values()], nics },
      {
        check: () => {
          if (nics.length > 0) mustTakeNic(world, entry, type);
          giveBack = claimName(entry, name);
          for (const { mac } of nics) claims.push(world.macs.claim(mac, owner));
        },
        accepted: (port) => {
          opened = port;
          port.order = world.nextOrder();
          addPort(entry, port);
          if (team !== undefined) entry.portFacts.set(port.id, { team });
          void world.changes.commit(transaction, importedOps(entry, port), async () => {
            const at = presentSwitch(world, entry);
            const made = presentPort(world, entry, port);
            await at.machine.deletePort(made);
            removePort(at, made);
          });
        },
      },
    );
    if (outcome.refused !== undefined) {
      const { step, property } = outcome;
      const what = step === 'property' ? `property ${property?.codec.name} of port` : 'port';
      throw refused(world, outcome.refused, `${what} ${name}`);
    }
  } finally {
    giveBack?.();
    for (const [i, claim] of claims.entries()) {
      world.macs.settle(claim, opened?.nics.get(nics[i]?.index ?? -1));
    }
  }
  for (const property of properties.values()) {
    noteDelivery(intake, entry, property, `port ${JSON.stringify(name)}`);
  }
}

function importedOps(entry: SwitchEntry, port: Port) {
  const ops = portOps(entry, port);
  for (const property of port.properties.values()) {
    ops.push(put(propertyKey(entry.id, port.id, property.id), propertyRecord(property)));
  }
  return ops;
}

function portNamed(world: World, id: Guid): string | undefined {
  for (const { ports, refusedPorts } of world.switches.values()) {
    const port = ports.get(id) ?? refusedPorts.get(id)?.port;
    if (port !== undefined) return port.friendlyName;
  }
  return undefined;
}

/** NICs by index: the external one and its only adapter share an address (rule C4). */
function nicsOf(
  intake: Intake,
  given: PortablePort,
  owner: string,
  path: string,
): readonly NicOptions[] {
  const addresses = new Map<string, Uint8Array>();
  const ids = new Map<string, string>();
  const newId = (id: string): string => {
    if (tryParseGuid(id) === undefined) return id;
    const known = ids.get(id) ?? intake.world.rng.guid();
    ids.set(id, known);
    return known;
  };
  return given.nics.map((nic, i) => {
    const at = `${path}.nics[${i}].mac`;
    // Only a NIC of the management OS has its address from the pool; others' are their hardware's, or a person gave them.
    const mac =
      addresses.get(nic.mac) ?? intake.macs.take(nic.mac, given.type === 'internal', owner, at).mac;
    addresses.set(nic.mac, mac);
    const record = keepsIds(intake) ? nic : withNewIds(nic, given, newId);
    const { mac: _text, ...facts } = storedNic(record, given.type);
    return { ...facts, mac };
  });
}

/** Names are made of ids: a copy has its own. */
function withNewIds(
  nic: NicRecord,
  { type, team }: PortablePort,
  newId: (id: string) => string,
): NicRecord {
  const { netCfgInstanceId: old, vmName } = nic;
  const netCfgInstanceId = old === undefined ? undefined : newId(old);
  const isTeam = team === 'lbfo' && netCfgInstanceId !== undefined;
  const name = isTeam
    ? teamInstanceId(netCfgInstanceId)
    : type === 'external'
      ? nic.name
      : newId(nic.name);
  return {
    ...nic,
    name,
    ...(netCfgInstanceId === undefined ? {} : { netCfgInstanceId }),
    ...(vmName === undefined ? {} : { vmName: newId(vmName) }),
  };
}
