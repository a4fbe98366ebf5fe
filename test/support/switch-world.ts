import type { NdisVersion } from '../../src/abi/index.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Guid } from '../../src/core/guid.ts';
import { Rng } from '../../src/core/rng.ts';
import { FeatureRegistry } from '../../src/policy/feature-registry.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  PortType,
  Settings,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import {
  DEFAULT_BEHAVIOUR,
  type Finding,
  type SwitchBehaviour,
  type SwitchEnvironment,
} from '../../switch/environment.ts';
import type { OidRequest } from '../../switch/oid-request.ts';
import { type NicOptions, type Port, PropertyInstance } from '../../switch/ports.ts';
import { Switch } from '../../switch/switch.ts';
import { TraceRing } from '../../switch/trace.ts';
import { CLASS_OWNER, featureClass, member } from './feature-classes.ts';

/** Wire bytes of this GUID: 22 22 11 11 33 33 44 44 55 55 66 66 77 77 88 88. */
export const PORT_FEATURE = '11112222-3333-4444-5555-666677778888';
export const SWITCH_FEATURE = 'aaaabbbb-cccc-dddd-eeee-ffff00001111';
export const PORT_STATUS = '0a0b0c0d-0e0f-1011-1213-141516171819';
export const SWITCH_STATUS = '1a1b1c1d-1e1f-2021-2223-242526272829';
/** Instance id of the properties tests add; wire bytes 04 03 02 01 06 05 08 07 09 0a 0b 0c 0d 0e 0f 10. */
export const INSTANCE = '01020304-0506-0708-090a-0b0c0d0e0f10';

/** Custom classes of a fictional vendor: u32 A at 0, u64 B at 8 (R1), 16 bytes; the switch's has one u32. */
export function registerClasses(registry: FeatureRegistry): void {
  registry.put(
    featureClass(
      'Fabrikam_PortSettingData',
      [member(1, 'A', 'uint32'), member(2, 'B', 'uint64', { default: 0n })],
      { id: PORT_FEATURE, version: 0x0102 },
    ),
    'native',
  );
  registry.put(
    featureClass('Fabrikam_SwitchSettingData', [member(1, 'Limit', 'uint32')], {
      id: SWITCH_FEATURE,
      scope: 'switch',
      superclass: 'Msvm_EthernetSwitchFeatureSettingData',
    }),
    'native',
  );
  registry.put(
    featureClass('Fabrikam_PortStatus', [member(1, 'Packets', 'uint32')], {
      id: PORT_STATUS,
      kind: 'status',
      version: 0x0203,
      superclass: 'Msvm_EthernetPortData',
    }),
    'native',
  );
  registry.put(
    featureClass('Fabrikam_SwitchStatus', [member(1, 'PortIds', 'uint32', { array: {} })], {
      id: SWITCH_STATUS,
      kind: 'status',
      scope: 'switch',
      superclass: 'Msvm_EthernetSwitchData',
    }),
    'native',
  );
}

/** Everything a switch needs from outside, with what it reported. */
export interface SwitchWorld {
  readonly clock: VirtualClock;
  readonly environment: SwitchEnvironment;
  readonly registry: FeatureRegistry;
  readonly trace: TraceRing;
  readonly findings: Finding[];
  readonly changes: Readonly<Record<string, unknown>>[];
  readonly logs: string[];
}

export function switchWorld(
  ndis: NdisVersion = '6.85',
  seed = 'test',
  behaviour: Partial<SwitchBehaviour> = {},
): SwitchWorld {
  const clock = new VirtualClock();
  const registry = new FeatureRegistry(ndis);
  registerClasses(registry);
  let seq = 0;
  const trace = new TraceRing(1000, 1 << 20, () => {
    seq += 1;
    return seq;
  });
  const findings: Finding[] = [];
  const changes: Readonly<Record<string, unknown>>[] = [];
  const logs: string[] = [];
  const environment: SwitchEnvironment = {
    clock,
    rng: new Rng(seed),
    ndis,
    catalog: registry,
    trace,
    oidTimeoutMs: 12_000,
    behaviour: { ...DEFAULT_BEHAVIOUR, ...behaviour },
    finding: (_switch, finding) => findings.push(finding),
    stateChange: (_switch, data) => changes.push(data),
    log: (name, extension, message, fields) =>
      logs.push(`${name}/${extension}: ${message} ${JSON.stringify(fields)}`),
  };
  return { clock, environment, registry, trace, findings, changes, logs };
}

let made = 0;

/** An extension of one class with these handlers. */
export function extension(
  type: ExtensionType,
  handlers: ExtensionHandlers | ((sw: SwitchContext) => ExtensionHandlers),
  name = type as string,
): ExtensionDefinition {
  made += 1;
  return {
    id: `e0000000-0000-0000-0000-${String(made).padStart(12, '0')}`,
    name,
    vendor: 'Fabrikam',
    version: '1.0',
    type,
    attach: typeof handlers === 'function' ? handlers : () => handlers,
  };
}

/** The extension whose classes {@link registerClasses} registers (rule A32). */
export function owner(...given: Parameters<typeof extension>): ExtensionDefinition {
  return { ...extension(...given), id: CLASS_OWNER };
}

/** The value itself: fails when it is a promise, which nothing on the plain way may make. */
export function now<T>(value: T | Promise<T>): T {
  if (value instanceof Promise) throw new Error('a promise was made although nothing pended');
  return value;
}

/** A started switch with these extensions, top to bottom. */
export function startSwitch(
  world: SwitchWorld,
  extensions: readonly ExtensionDefinition[],
  type: 'private' | 'internal' | 'external' = 'external',
  name = 'sw',
): Switch {
  const machine = new Switch(
    { id: '5a5a5a5a-0000-0000-0000-000000000001', name, type },
    world.environment,
  );
  now(machine.start(extensions));
  return machine;
}

export function portOptions(
  type: PortType = 'synthetic',
  name = 'port',
): {
  id: Guid;
  name: string;
  friendlyName: string;
  type: PortType;
} {
  return {
    id: `00000000-0000-0000-0000-${name.padStart(12, '0')}`,
    name,
    friendlyName: name,
    type,
  };
}

/** A port made at once. */
export function makePort(machine: Switch, type: PortType = 'synthetic', name = 'port'): Port {
  return now(machine.createPort(portOptions(type, name))).port;
}

export function nicOptions(more: Partial<NicOptions> = {}): NicOptions {
  return {
    index: 0,
    type: 'synthetic',
    name: 'nic',
    friendlyName: 'Network Adapter',
    mac: Uint8Array.of(0x00, 0x15, 0x5d, 1, 2, 3),
    mtu: 1500,
    ...more,
  };
}

export function portProperty(
  world: SwitchWorld,
  settings: Settings = { A: 1, B: 2n },
  id: Guid = INSTANCE,
): PropertyInstance {
  const codec = world.registry.setting('port', PORT_FEATURE);
  if (codec === undefined) throw new Error('the port class is registered above');
  return new PropertyInstance(id, codec, settings);
}

export function switchProperty(
  world: SwitchWorld,
  settings: Settings = { Limit: 7 },
  id: Guid = INSTANCE,
): PropertyInstance {
  const codec = world.registry.setting('switch', SWITCH_FEATURE);
  if (codec === undefined) throw new Error('the switch class is registered above');
  return new PropertyInstance(id, codec, settings);
}

export function standardProperty(
  world: SwitchWorld,
  propertyType: number,
  settings: Settings,
  id: Guid = INSTANCE,
): PropertyInstance {
  const codec = world.registry.standard(propertyType);
  if (codec === undefined) throw new Error(`no standard property type ${propertyType}`);
  return new PropertyInstance(id, codec, codec.normalize(settings));
}

/** Bytes as `80 01 40 00 …`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Bytes written by hand; `4*00` stands for four zero bytes, line breaks and comments after `;` do not count. */
export function fromHex(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of text.split('\n')) {
    for (const word of (line.split(';')[0] ?? '').split(/\s+/)) {
      if (word === '') continue;
      const [times, digits] = word.includes('*') ? word.split('*') : ['1', word];
      const byte = Number.parseInt(digits ?? '', 16);
      if (Number.isNaN(byte) || (digits ?? '').length !== 2) throw new Error(`bad hex ${word}`);
      for (let i = 0; i < Number(times); i += 1) bytes.push(byte);
    }
  }
  return Uint8Array.from(bytes);
}

/** `verdict` of every stop, top to bottom, with module names. */
export function route(request: OidRequest | undefined, world: SwitchWorld): string[] {
  const entry = world.trace.entries().find(({ request: id }) => id === request?.id);
  return entry?.route.map(({ module, verdict }) => `${module}:${verdict}`) ?? [];
}

/** Rules of the findings so far. */
export function rules(world: SwitchWorld): string[] {
  return world.findings.map(({ rule }) => rule);
}

/** Lets every pending microtask run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await Promise.resolve();
}
