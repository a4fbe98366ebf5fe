import type { PropertyCodec } from '../../switch/environment.ts';
import { parseMac } from '../../switch/parameters.ts';
import { PropertyInstance } from '../../switch/ports.ts';
import { isExtSwitchError } from '../core/errors.ts';
import type { JsonSetting } from '../mof/settings.ts';
import type { Settings } from '../sdk/extension.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import { findSwitch } from './find-switch.ts';
import type {
  MigrationDocument,
  MigrationMapping,
  PortableAdapter,
  PortableFeature,
  PortableProperty,
} from './migration-api.ts';
import { classKey } from './migration-document.ts';
import { OpaqueCodec } from './opaque-codec.ts';
import { checkScope } from './property-rules.ts';
import { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { SwitchEntry, World } from './world.ts';

/*
 * The skeleton of a VM that arrives (S12): its adapters with their policies, not yet in the world's tables. The order of its
 * objects among those of this world is that of arrival.
 */

/** The switch of this world that an adapter of the document is to connect to; throws what {@link findSwitch} throws. */
export function switchFor(
  world: World,
  adapter: PortableAdapter,
  switches: MigrationMapping,
): SwitchEntry | undefined {
  const { switch: from } = adapter;
  if (from === undefined) return undefined;
  const wanted = Object.hasOwn(switches, from.name) ? switches[from.name] : undefined;
  return findSwitch(world, wanted ?? from.name);
}

/**
 * Typed values of what travelled as JSON. A newer class completes them with its defaults; values of the same version are taken
 * as they are, also a zero below MinValue, which a `null` once made (R14). Throws `SETTINGS_INVALID`.
 */
export function arrivedSettings(
  { codec }: RegisteredFeature,
  property: Pick<PortableProperty, 'settings' | 'version'>,
  typed?: TypedSettings,
): Settings {
  const known = typed?.get(property);
  if (known !== undefined) return known;
  const settings = typedSettings(codec, property);
  typed?.set(property, settings);
  return settings;
}

/** Of the policies of one document, for one look at it: the report asks for them, then the skeleton. */
export type TypedSettings = Map<object, Settings>;

function typedSettings(
  codec: PropertyCodec,
  property: Pick<PortableProperty, 'settings' | 'version'>,
): Settings {
  try {
    return codec.normalize(property.settings) as Settings;
  } catch (error) {
    if (property.version !== codec.version) throw error;
    const values = Object.entries(property.settings).map(([name, value]) => [
      name,
      isZero(value) ? null : value,
    ]);
    return codec.normalize(Object.fromEntries(values)) as Settings;
  }
}

function isZero(value: JsonSetting): boolean {
  return value === 0 || value === '0';
}

/**
 * Throws for a switch, a class or a value that does not fit; the report has told of it by then. `tolerant` leaves it out, for
 * questions about the rest.
 */
export function skeletonOf(
  world: World,
  document: MigrationDocument,
  switches: MigrationMapping,
  tolerant = false,
  typed?: TypedSettings,
): VmEntry {
  const vm = new VmEntry(document.vm.id, document.vm.name, world.nextOrder());
  const classes = classesOf(document);
  vm.adapters = document.vm.adapters.map((from) => {
    const adapter = bareAdapter(world, vm, from);
    attempt(tolerant, () => {
      const entry = switchFor(world, from, switches);
      if (entry?.machine.state.life === 'down' && tolerant) return;
      if (entry !== undefined) adapter.target = { id: entry.id, name: entry.name };
    });
    for (const one of from.properties) {
      attempt(tolerant, () => {
        const property = arrivedProperty(world, one, classes, typed);
        adapter.properties.set(property.id, property);
      });
    }
    return adapter;
  });
  return vm;
}

function attempt(tolerant: boolean, part: () => void): void {
  try {
    part();
  } catch (error) {
    if (!tolerant || !isExtSwitchError(error)) throw error;
  }
}

function bareAdapter(world: World, vm: VmEntry, from: PortableAdapter): AdapterEntry {
  const { id, type, name, macType, mtu, numaNode } = from;
  const portName = from.portName ?? world.rng.guid();
  const mac = parseMac(from.mac) ?? new Uint8Array(6);
  const vmMac = from.vmMac === undefined ? undefined : parseMac(from.vmMac);
  const adapter = new AdapterEntry(
    vm,
    { id, portName, type, order: world.nextOrder() },
    { name, mac, macType, vmMac, numaNode, mtu },
  );
  adapter.isKnown = from.isKnown;
  adapter.requiredFeatures = from.requiredFeatures;
  return adapter;
}

type TravellingClass = MigrationDocument['features'][number];

/** What the classes of a document's policies are where the VM is, by {@link classKey}. */
export function classesOf({ features }: MigrationDocument): ReadonlyMap<string, TravellingClass> {
  return new Map(features.map((one) => [classKey(one.id, one.version), one]));
}

/** A policy of a class that is not registered here is kept as it came, when the class came with it (management.md 5). */
function arrivedProperty(
  world: World,
  from: PortableProperty,
  classes: ReadonlyMap<string, TravellingClass>,
  typed: TypedSettings | undefined,
): PropertyInstance {
  const { id, featureId } = from;
  const theirs = classes.get(classKey(featureId, from.version));
  const isKnown = world.registry.byId('setting', featureId) !== undefined;
  let property: PropertyInstance;
  if (!isKnown && theirs !== undefined && mayBeKept(theirs)) {
    property = new PropertyInstance(id, new OpaqueCodec(theirs), from.settings);
  } else {
    const registered = world.registry.get(featureId, 'setting');
    checkScope(registered, 'port');
    property = new PropertyInstance(id, registered.codec, arrivedSettings(registered, from, typed));
  }
  property.revision = from.revision;
  property.order = world.nextOrder();
  return property;
}

/** Without its text nobody could read its policies ever again. */
export function mayBeKept(feature: TravellingClass): feature is PortableFeature {
  return feature.mof !== undefined;
}
