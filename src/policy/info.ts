import { macText } from '../../switch/parameters.ts';
import type { Nic, Port, PropertyInstance } from '../../switch/ports.ts';
import { defaultSettings } from '../mof/settings.ts';
import type { NicState, PortState } from '../sdk/extension.ts';
import type { FeatureInfo, NicInfo, PortInfo, PropertyInfo, SwitchInfo } from './api.ts';
import type { RegisteredFeature } from './feature-registry.ts';
import { featureInstanceId, portNames } from './names.ts';
import { opaqueClass } from './opaque-codec.ts';
import type { SwitchEntry } from './world.ts';

/** A class as `GET /v1/features` shows it. */
export function featureInfo(entry: RegisteredFeature): FeatureInfo {
  const { feature, layout } = entry;
  const types = new Map(feature.members.map((m) => [m.wmiDataId, m.type as string]));
  return {
    id: feature.id,
    name: feature.name,
    displayName: feature.displayName,
    extensionId: feature.extensionId,
    scope: feature.scope,
    kind: feature.kind,
    version: feature.version,
    size: layout.layout.size,
    builtIn: feature.builtIn,
    members: layout.layout.members.map((m) => ({
      name: m.name,
      wmiDataId: m.wmiDataId,
      type: types.get(m.wmiDataId) ?? '',
      ctype: m.ctype,
      offset: m.offset,
      size: m.size,
    })),
    // Rule E56: the template.
    defaults: defaultSettings(feature),
  };
}

export function switchInfo(entry: SwitchEntry): SwitchInfo {
  return {
    id: entry.id,
    name: entry.name,
    type: entry.type,
    isActive: entry.machine.state.isActive,
    portCount: entry.ports.size,
  };
}

export function nicInfo(nic: Nic): NicInfo {
  return {
    index: nic.index,
    name: nic.name,
    friendlyName: nic.friendlyName,
    type: nic.type,
    state: nic.state === 'notCreated' ? 'deleted' : (nic.state as NicState),
    mac: macText(nic.permanentMac),
    currentMac: macText(nic.currentMac),
    mtu: nic.mtu,
    vfAssigned: nic.vfAssigned,
  };
}

const PORT_STATES: Readonly<Record<Port['state'], PortState>> = {
  notCreated: 'deleted',
  created: 'created',
  tearingDown: 'teardown',
};

export function portInfo(entry: SwitchEntry, port: Port): PortInfo {
  const refused = port.state === 'created' ? undefined : entry.refusedPorts.get(port.id);
  return {
    id: port.id,
    portId: port.portId,
    name: port.friendlyName,
    type: port.type,
    state: PORT_STATES[port.state],
    isValidationPort: port.isValidationPort,
    nics: port.nics.size === 0 ? [] : [...port.nics.values()].map(nicInfo),
    names: portNames(entry, port),
    ...(refused === undefined
      ? {}
      : { problem: `refused with ${refused.status} when it was made again` }),
  };
}

/** `delivered`: an extension of the property's class runs on the switch, or the switch itself enforces it (OP-6). */
export function propertyInfo(
  entry: SwitchEntry,
  port: Port | undefined,
  property: PropertyInstance,
): PropertyInfo {
  const { codec } = property;
  return {
    id: property.id,
    featureId: codec.id,
    feature: codec.name,
    version: codec.version,
    settings: property.settings,
    revision: property.revision,
    instanceId: featureInstanceId(entry, port, codec.id, property.id),
    delivered: (port === undefined || port.state === 'created') && isConsumed(entry, property),
    ...(opaqueClass(property) === undefined ? {} : { opaque: true }),
  };
}

/** Somebody on the switch takes the property: its extension, or the switch itself (OP-6). */
export function isConsumed(entry: SwitchEntry, property: PropertyInstance): boolean {
  const { codec, refused } = property;
  if (refused !== undefined || opaqueClass(property) !== undefined) return false;
  return codec.propertyType !== 1 || runs(entry, codec.extensionId);
}

function runs(entry: SwitchEntry, extensionId: string): boolean {
  for (const module of entry.machine.modules) {
    if (module.id === extensionId) return module.state === 'running';
  }
  return false;
}
