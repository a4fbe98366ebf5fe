import { macText } from '../../switch/parameters.ts';
import { settingsToJson } from '../mof/settings.ts';
import type {
  MigrationDocument,
  PortableAdapter,
  PortableProperty,
  PortableVm,
} from './migration-api.ts';
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
    const registered = world.registry.byId('setting', codec.id);
    // An instance keeps its class registered (FEATURE_IN_USE).
    if (registered === undefined) continue;
    const { feature, uint16 } = registered;
    const { name, version, kind, extensionId } = feature;
    properties.push({
      id,
      featureId: codec.id,
      feature: name,
      version,
      settings: settingsToJson(feature, values),
      revision,
    });
    if (!features.has(codec.id)) {
      features.set(codec.id, { id: codec.id, name, kind, version, extensionId, uint16 });
    }
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

function switchOf(world: World, target: NonNullable<AdapterEntry['target']>) {
  return { id: target.id, name: world.switches.get(target.id)?.name ?? target.name };
}
