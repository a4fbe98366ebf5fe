import { macText } from '../../switch/parameters.ts';
import type { Port, PropertyInstance } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { FeatureClass } from '../mof/feature-class.ts';
import { classOfFeature } from '../mof/feature-mof.ts';
import { printMof } from '../mof/print.ts';
import { type JsonSetting, settingsToJson } from '../mof/settings.ts';
import { versionText } from './class-relation.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import type {
  JsonSettings,
  PortableAdapter,
  PortableContent,
  PortableDocument,
  PortableFeature,
  PortablePort,
  PortableProperty,
  PortableSwitch,
  PortableVm,
} from './migration-api.ts';
import { nicRecord } from './nic-record.ts';
import { opaqueClass } from './opaque-codec.ts';
import { portRecord } from './port-record.ts';
import { sealed } from './portable-canonical.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { RefusedPort, SwitchEntry, World } from './world.ts';

/*
 * Portable documents from what a world has. Nobody is asked and nothing is changed: the run-time data in a document is what
 * is kept with the VM, that of a saved one and what no extension took at a restore (rule G26).
 */

/** One VM with its policies and the classes these are of. */
export function exportVm(world: World, vm: VmEntry): PortableDocument {
  const classes = new ClassCollector(world);
  const vms = [portableVm(world, vm, classes)];
  return sealed(documentOf(world, classes, [], vms));
}

/** One switch with its own policies and host ports; `vms` also those that are configured for it. */
export function exportSwitch(
  world: World,
  entry: SwitchEntry,
  options: { readonly vms?: boolean } = {},
): PortableDocument {
  const classes = new ClassCollector(world);
  const switches = [portableSwitch(world, entry, classes)];
  const vms: PortableVm[] = [];
  if (options.vms === true) {
    for (const vm of world.vms.values()) {
      if (vm.adapters.some(({ target }) => target?.id === entry.id)) {
        vms.push(portableVm(world, vm, classes));
      }
    }
  }
  return sealed(documentOf(world, classes, switches, vms));
}

function documentOf(
  world: World,
  classes: ClassCollector,
  switches: readonly PortableSwitch[],
  vms: readonly PortableVm[],
): PortableContent {
  return {
    format: 'extswitch-portable',
    version: 1,
    profile: world.profile,
    features: classes.features(),
    switches,
    vms,
  };
}

// --- classes ----------------------------------------------------------------------------------------------------------

/** A compiled class is never changed: its text is printed once. */
const printed = new WeakMap<FeatureClass, string>();

/** The MOF text of a compiled class, which compiles to the same class. */
export function mofOf(feature: FeatureClass): string {
  const known = printed.get(feature);
  if (known !== undefined) return known;
  const text = printMof([classOfFeature(feature)]);
  printed.set(feature, text);
  return text;
}

type ClassVersion = Pick<PortableFeature, 'id' | 'name' | 'version'>;

/** The classes that policies of a document are of; built-in ones are everywhere. */
class ClassCollector {
  readonly #world: World;
  readonly #used = new Map<string, RegisteredFeature>();
  /** Classes that are not registered here, of policies that are kept unread. */
  readonly #kept = new Map<string, PortableFeature>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A policy as a document has it. */
  property(property: PropertyInstance): PortableProperty {
    const { codec, id, revision } = property;
    const kept = opaqueClass(property);
    if (kept !== undefined) return this.#opaque(property, kept);
    const registered = this.#used.get(codec.id) ?? this.#world.registry.byId('setting', codec.id);
    if (registered === undefined) {
      throw new ExtSwitchError('INTERNAL', `property ${id}: class ${codec.name} is not registered`);
    }
    this.#used.set(codec.id, registered);
    const { feature } = registered;
    this.#mustBeOne(feature, this.#kept.get(codec.id));
    const settings = oneZeros(settingsToJson(feature, property.settings));
    const { id: featureId, name, version } = feature;
    return { id, featureId, feature: name, version, settings, revision };
  }

  /** One that is kept unread goes as it came, with the class it came with. */
  #opaque({ id, settings, revision }: PropertyInstance, kept: PortableFeature): PortableProperty {
    const { id: featureId, name, version } = kept;
    this.#mustBeOne(kept, this.#kept.get(featureId) ?? this.#used.get(featureId)?.feature);
    this.#kept.set(featureId, kept);
    const values = oneZeros({ ...(settings as JsonSettings) });
    return { id, featureId, feature: name, version, settings: values, revision };
  }

  /** A document has one version of a class, by which all its policies are read. */
  #mustBeOne({ id, name, version }: ClassVersion, other: ClassVersion | undefined): void {
    if (other === undefined || other.version === version) return;
    const [one, two] = [versionText(version), versionText(other.version)];
    throw new ExtSwitchError(
      'CLASS_MISMATCH',
      `policies of class ${name} (${id}) ${one} and ${two}, of which one is kept unread: a document has one version of a class; delete either`,
      { member: 'version', expected: two, found: one },
    );
  }

  properties(all: Iterable<PropertyInstance>): PortableProperty[] {
    return Array.from(all, (property) => this.property(property));
  }

  features(): PortableFeature[] {
    const features: PortableFeature[] = [...this.#kept.values()];
    for (const { feature, uint16 } of this.#used.values()) {
      if (feature.builtIn) continue;
      const { id, name, kind, version, extensionId } = feature;
      features.push({ id, name, kind, version, extensionId, uint16, mof: mofOf(feature) });
    }
    return features.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** JSON has one zero: a document is the same in both formats. */
function oneZeros(settings: Record<string, JsonSetting>): Record<string, JsonSetting> {
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'object') settings[name] = value.map(oneZero);
    else settings[name] = oneZero(value);
  }
  return settings;
}

function oneZero<T>(value: T): T | 0 {
  return Object.is(value, -0) ? 0 : value;
}

// --- VMs --------------------------------------------------------------------------------------------------------------

function portableVm(world: World, vm: VmEntry, classes: ClassCollector): PortableVm {
  const { id, name, state } = vm;
  const adapters = vm.adapters.map((adapter) => portableAdapter(world, adapter, classes));
  return { id, name, state, adapters };
}

function portableAdapter(
  world: World,
  adapter: AdapterEntry,
  classes: ClassCollector,
): PortableAdapter {
  const { id, portName, type, settings, target, isKnown } = adapter;
  const { name, mac, macType, mtu, vmMac, numaNode } = settings;
  return {
    id,
    portName,
    name,
    type,
    mac: macText(mac),
    macType,
    mtu,
    ...(vmMac === undefined ? {} : { vmMac: macText(vmMac) }),
    numaNode,
    isKnown,
    ...(target === undefined
      ? {}
      : { switch: { id: target.id, name: world.switches.get(target.id)?.name ?? target.name } }),
    requiredFeatures: adapter.requiredFeatures,
    properties: classes.properties(adapter.properties.values()),
    saved: adapter.saved.map((record) => ({ ...record, data: Uint8Array.from(record.data) })),
  };
}

// --- switches -----------------------------------------------------------------------------------------------------------

function portableSwitch(world: World, entry: SwitchEntry, classes: ClassCollector): PortableSwitch {
  const { id, name, type, machine } = entry;
  const own = [...entry.ports.values()].filter(({ owner }) => owner === undefined);
  const ports = [
    ...own.map((port) => ({ order: port.order, port: livePort(entry, port, classes) })),
    ...[...entry.refusedPorts.values()].map((refused) => ({
      order: refused.snapshot.order,
      port: refusedPort(refused, classes),
    })),
  ].sort((a, b) => a.order - b.order);
  return {
    id,
    name,
    type,
    extensions: entry.bindings.map((binding) => {
      const definition = world.extensions.get(binding.id);
      return {
        id: binding.id,
        name: definition?.name ?? '',
        version: definition?.version ?? '',
        enabled: binding.enabled,
        required: binding.required === true,
      };
    }),
    properties: classes.properties(machine.state.properties.values()),
    ports: ports.map(({ port }) => port),
  };
}

function livePort(entry: SwitchEntry, port: Port, classes: ClassCollector): PortablePort {
  const { portId, name, type, nics, team } = portRecord(entry, port);
  return {
    id: port.id,
    portId,
    name,
    type,
    ...(team === undefined ? {} : { team }),
    nics,
    properties: classes.properties(port.properties.values()),
  };
}

/** A stored port an extension refused at the last restart: nothing acknowledged is lost. */
function refusedPort({ snapshot }: RefusedPort, classes: ClassCollector): PortablePort {
  const { id, portId, name, type, facts, nics, properties } = snapshot;
  const team = facts?.team;
  return {
    id,
    portId,
    name,
    type,
    ...(team === undefined ? {} : { team }),
    nics: nics.map(nicRecord),
    properties: classes.properties(properties),
  };
}
