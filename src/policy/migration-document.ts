import { macText } from '../../switch/parameters.ts';
import type { Guid } from '../core/guid.ts';
import { settingsToJson } from '../mof/settings.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import type {
  JsonSettings,
  MigrationDocument,
  PortableAdapter,
  PortableProperty,
  PortableVm,
} from './migration-api.ts';
import { OpaqueCodec } from './opaque-codec.ts';
import { mofOf } from './portable-export.ts';
import type { AdapterEntry, VmEntry } from './vm-entry.ts';
import type { World } from './world.ts';

type TravellingClass = MigrationDocument['features'][number];

/** A VM as it travels: configuration, policies, what their classes are here. Run-time data follows when it is saved (rule G42). */
export function documentOf(world: World, vm: VmEntry): MigrationDocument {
  const features = new Map<string, TravellingClass>();
  const travelling: PortableVm = {
    id: vm.id,
    name: vm.name,
    state: vm.state,
    adapters: vm.adapters.map((adapter) => adapterOf(world, adapter, features)),
  };
  return { profile: world.profile, features: [...features.values()], vm: travelling };
}

function adapterOf(
  world: World,
  adapter: AdapterEntry,
  features: Map<string, TravellingClass>,
): PortableAdapter {
  const { settings, target } = adapter;
  const properties: PortableProperty[] = [];
  for (const { id, codec, settings: values, revision } of adapter.properties.values()) {
    const { id: featureId, name, version } = codec;
    const kept = codec instanceof OpaqueCodec ? codec.feature : undefined;
    const registered = kept === undefined ? world.registry.byId('setting', featureId) : undefined;
    // An instance keeps its class registered (FEATURE_IN_USE).
    if (kept === undefined && registered === undefined) continue;
    const settings = registered === undefined ? values : settingsToJson(registered.feature, values);
    properties.push({
      id,
      featureId,
      feature: name,
      version,
      settings: settings as JsonSettings,
      revision,
    });
    const key = classKey(featureId, version);
    if (features.has(key)) continue;
    if (registered !== undefined) features.set(key, travellingClass(registered));
    else if (kept !== undefined) features.set(key, kept);
  }
  const on = target === undefined ? {} : { switch: switchOf(world, target) };
  return {
    id: adapter.id,
    portName: adapter.portName,
    name: settings.name,
    type: adapter.type,
    mac: macText(settings.mac),
    macType: settings.macType,
    mtu: settings.mtu,
    ...(settings.vmMac === undefined ? {} : { vmMac: macText(settings.vmMac) }),
    numaNode: settings.numaNode,
    isKnown: adapter.isKnown,
    ...on,
    requiredFeatures: adapter.requiredFeatures,
    properties,
    saved: adapter.saved,
  };
}

/** A class of a document: of what is kept unread, and of what is read, there may be two versions. */
export const classKey = (id: Guid, version: number): string => `${id} ${version}`;

/** With the text a host can keep that does not have the class; built-in ones are everywhere. */
function travellingClass({ feature, uint16 }: RegisteredFeature): TravellingClass {
  const { id, name, kind, version, extensionId, builtIn } = feature;
  const mof = builtIn ? {} : { mof: mofOf(feature) };
  return { id, name, kind, version, extensionId, uint16, ...mof };
}

function switchOf(world: World, target: NonNullable<AdapterEntry['target']>) {
  return { id: target.id, name: world.switches.get(target.id)?.name ?? target.name };
}
