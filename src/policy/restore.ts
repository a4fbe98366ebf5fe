import type { PropertyCodec } from '../../switch/environment.ts';
import { PropertyInstance } from '../../switch/ports.ts';
import { isExtSwitchError } from '../core/errors.ts';
import type { PortableFeature } from './migration-api.ts';
import { storedNic } from './nic-record.ts';
import { OpaqueCodec } from './opaque-codec.ts';
import { readPolicy } from './opaque-policies.ts';
import { checkVersion } from './property-rules.ts';
import type { FeatureRecord, PortRecord, PropertyRecord, SwitchRecord } from './records.ts';
import { type PortSnapshot, recreatePort, reissue } from './recreate.ts';
import { newSwitch } from './switch-create.ts';
import { startStack } from './switch-extensions.ts';
import type { Binding, SwitchEntry, World } from './world.ts';

/** Registers the stored classes; before extensions are installed, which may bring newer versions. */
export function restoreFeatures(world: World): void {
  for (const [, value] of world.store.range('feature/')) {
    const { feature, uint16 } = value as unknown as FeatureRecord;
    world.registry.put(feature, uint16);
  }
}

/**
 * Makes the stored switches again and tells the extensions everything in the canonical order (S1, S2): switch with its
 * stack, switch properties, then per port PORT_CREATE, properties, NICs, each in order of creation.
 */
export async function restoreSwitches(world: World): Promise<void> {
  const switches: SwitchEntry[] = [];
  for (const [key, value] of world.store.range('switch/')) {
    const record = value as unknown as SwitchRecord;
    world.sawOrder(record.order);
    const bindings: Binding[] = record.extensions.map((binding) => ({ ...binding }));
    for (const id of world.extensions.keys()) {
      if (!bindings.some((binding) => binding.id === id)) bindings.unshift({ id, enabled: false });
    }
    const id = key.slice('switch/'.length);
    switches.push(
      newSwitch(world, { id, name: record.name, type: record.type, order: record.order, bindings }),
    );
  }
  switches.sort((a, b) => a.order - b.order);
  for (const entry of switches) await restoreSwitch(world, entry);
}

async function restoreSwitch(world: World, entry: SwitchEntry): Promise<void> {
  world.switches.set(entry.id, entry);
  world.switchNames.add(entry.name);
  const activate = world.activation === 'first';
  await startStack(world, entry, { activate });
  for (const binding of entry.bindings) tellWhetherInstalled(world, entry, binding);
  const properties = propertiesByOwner(world, entry.id, () => entry.name);
  const ports = storedPorts(world, entry, properties);
  const isHost = ({ type }: PortSnapshot): boolean => type === 'external' || type === 'internal';
  const early = activate ? [] : ports.filter(isHost);
  // OP-20: begun before the activation; who holds their OIDs until then gets the event all the same.
  const opening = early.map((port) => recreatePort(world, entry, port));
  if (entry.machine.state.life === 'starting') entry.machine.activateNow();
  await Promise.all(opening);
  for (const property of properties.get('switch') ?? [])
    await reissue(world, entry, undefined, property);
  for (const port of ports) {
    if (!early.includes(port)) await recreatePort(world, entry, port);
  }
}

/** An extension that was enabled or required and that nobody installed this time: it shows nowhere else. */
function tellWhetherInstalled(world: World, { name }: SwitchEntry, binding: Binding): void {
  const { id, enabled, required = false } = binding;
  if (world.extensions.has(id) || !(enabled || required)) return;
  binding.problem = 'not installed';
  const message = required
    ? `extension ${id}, required on switch ${name}, is not installed: the switch is down until it is (rule A50)`
    : `extension ${id}, enabled on switch ${name}, is not installed: the switch runs without it`;
  world.log('warn', message, { switch: name, extensionId: id });
}

/** In order of creation. */
function storedPorts(
  world: World,
  entry: SwitchEntry,
  properties: ReadonlyMap<string, readonly PropertyInstance[]>,
): PortSnapshot[] {
  const ports: PortSnapshot[] = [];
  for (const [key, value] of world.store.range(`port/${entry.id}/`)) {
    const id = key.slice(key.lastIndexOf('/') + 1);
    const record = value as unknown as PortRecord;
    world.sawOrder(record.order);
    for (const nic of record.nics) world.sawNic(nic.name);
    ports.push({
      id,
      portId: record.portId,
      name: record.name,
      type: record.type,
      order: record.order,
      nics: record.nics.map((nic) => storedNic(nic, record.type)),
      ...(record.team === undefined ? {} : { facts: { team: record.team } }),
      properties: properties.get(id) ?? [],
    });
  }
  return ports.sort((a, b) => a.order - b.order);
}

/**
 * Stored properties of a switch by owner (port GUID or `switch`), or of `vm` by network adapter; each list in order of
 * creation. `switchOf`: name of the switch an owner is on, for what is reported.
 */
export function propertiesByOwner(
  world: World,
  scope: string,
  switchOf: (owner: string) => string,
): Map<string, PropertyInstance[]> {
  const owners = new Map<string, PropertyInstance[]>();
  const prefix = `property/${scope}/`;
  for (const [key, value] of world.store.range(prefix)) {
    const slash = key.indexOf('/', prefix.length);
    const owner = key.slice(prefix.length, slash);
    const record = value as unknown as PropertyRecord;
    const property = restoreProperty(world, switchOf(owner), key.slice(slash + 1), record);
    if (property === undefined) continue;
    const list = owners.get(owner);
    if (list === undefined) owners.set(owner, [property]);
    else list.push(property);
  }
  for (const list of owners.values()) list.sort((a, b) => a.order - b.order);
  return owners;
}

/** Values of an older class version are completed by the newer class's defaults; what does not fit stays stored, untouched. */
function restoreProperty(
  world: World,
  switchName: string,
  id: string,
  record: PropertyRecord,
): PropertyInstance | undefined {
  world.sawOrder(record.order);
  const registered = world.registry.byId('setting', record.feature);
  const kept = record.opaque && keptUnread(id, record, record.opaque);
  if (kept !== undefined && registered === undefined) return kept;
  try {
    if (kept !== undefined && record.opaque !== undefined)
      return readPolicy(world, kept, record.opaque);
    if (registered === undefined) throw new Error(`class ${record.name} is not registered`);
    checkVersion(registered);
    const { codec } = registered;
    const settings =
      codec.version === record.version ? record.settings : codec.normalize(record.settings);
    return instanceOf(id, codec, settings, record);
  } catch (error) {
    world.environment.finding(switchName, {
      rule: 'E61',
      severity: 'error',
      message: `stored property ${id} (${record.name}) cannot be told to anybody: ${
        isExtSwitchError(error) ? error.message : String(error)
      }; it stays stored`,
    });
    return kept;
  }
}

/** Of a class that was not registered when it came (management.md 5). */
function keptUnread(
  id: string,
  record: PropertyRecord,
  feature: PortableFeature,
): PropertyInstance {
  return instanceOf(id, new OpaqueCodec(feature), record.settings, record);
}

function instanceOf(
  id: string,
  codec: PropertyCodec,
  settings: PropertyInstance['settings'],
  { revision, order }: PropertyRecord,
): PropertyInstance {
  const property = new PropertyInstance(id, codec, settings);
  property.revision = revision;
  property.order = order;
  return property;
}
