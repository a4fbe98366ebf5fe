import { VirtualClock } from '../src/core/clock.ts';
import { Rng } from '../src/core/rng.ts';
import { NdisStatus } from '../src/core/status.ts';
import { compileMof } from '../src/mof/compiler.ts';
import { FeatureRegistry } from '../src/policy/feature-registry.ts';
import { defineExtension } from '../src/sdk/define.ts';
import type { ExtensionType, PortProperty, Settings } from '../src/sdk/extension.ts';
import { DEFAULT_BEHAVIOUR } from '../switch/environment.ts';
import type { SwitchObserver } from '../switch/observer.ts';
import { type Port, PropertyInstance } from '../switch/ports.ts';
import { Switch } from '../switch/switch.ts';
import { TraceRing } from '../switch/trace.ts';
import type { BenchCase } from './bench-case.ts';

/* A custom port property update through capture, filter and forward, trace on (issue: oid.roundtrip.3ext). */

const BATCH = 2000;
export const OWNER = '5cbf81be-5055-47cd-9055-a76b2b4e369e';

export const MOF = `
[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("b0cbe2f4-6a3e-4d7e-9a3a-2b1a5f0c1d2e"),
 ExtensionId("${OWNER}"), DisplayName("Bench"), InterfaceVersion("1"), InterfaceRevision("0")]
class Bench_PortSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 SettingIntA;
  [Read, Write, WmiDataId(2)] uint64 SettingIntB;
};`;

let seen = 0;

/** Rule E23: each decides by the class whether it owns the property; the filter does. */
function look(property: PortProperty, type: ExtensionType): 'forward' {
  if (property.feature === 'Bench_PortSettingData' && type === 'filter') {
    const { SettingIntA } = property.settings as { SettingIntA: number };
    seen += SettingIntA;
  }
  return 'forward';
}

/** Each looks at what an extension must look at to decide (type, owner, values) and forwards. */
export function extension(type: ExtensionType, id: string) {
  return defineExtension({
    id,
    name: `bench ${type}`,
    vendor: 'Bench',
    version: '1.0',
    type,
    attach: () => ({
      addPortProperty: (property) => look(property, type),
      updatePortProperty: (property) => look(property, type),
    }),
  });
}

/** A switch with one port, one property, and capture, filter and forward above it. */
export function makeSwitch(observer?: (clock: VirtualClock) => SwitchObserver): {
  sw: Switch;
  port: Port;
  property: PropertyInstance;
} {
  const registry = new FeatureRegistry('6.85');
  for (const feature of compileMof(MOF).features) registry.put(feature, 'native');
  let seq = 0;
  const trace = new TraceRing(10_000, 16 * 1024 * 1024, () => {
    seq += 1;
    return seq;
  });
  const clock = new VirtualClock();
  const sw = new Switch(
    { id: 'a5e3d609-950c-4237-b8cf-97b6874ecffa', name: 'Bench', type: 'private' },
    {
      clock,
      rng: new Rng('bench'),
      ndis: '6.85',
      catalog: registry,
      trace,
      oidTimeoutMs: 12_000,
      behaviour: DEFAULT_BEHAVIOUR,
      observer: observer?.(clock),
      finding: (_name, finding) => {
        throw new Error(finding.message);
      },
      stateChange: () => undefined,
      log: () => undefined,
    },
  );
  const started = sw.start([
    extension('capture', '11111111-1111-4111-8111-111111111111'),
    extension('filter', OWNER),
    extension('forward', '33333333-3333-4333-8333-333333333333'),
  ]);
  if (started instanceof Promise) throw new Error('nothing pends here');
  const created = sw.createPort({
    id: 'c4a1362d-ba9e-4b65-a094-84559c75ceb1',
    name: 'p',
    friendlyName: 'p',
    type: 'synthetic',
  });
  if (created instanceof Promise) throw new Error('nothing pends here');
  const codec = registry.get('Bench_PortSettingData').codec;
  const property = new PropertyInstance('0f0e0d0c-0b0a-4908-8706-050403020100', codec, {
    SettingIntA: 1,
    SettingIntB: 1n,
  });
  if (sw.addProperty(created.port, property) instanceof Promise)
    throw new Error('nothing pends here');
  return { sw, port: created.port, property };
}

const ours = makeSwitch();

/** `count` updates through the three extensions. */
export function roundtrip(
  { sw, port, property }: ReturnType<typeof makeSwitch>,
  count: number,
): number {
  for (let i = 0; i < count; i += 1) {
    const settings: Settings = { SettingIntA: i, SettingIntB: 9999n };
    const done = sw.updateProperty(port, property, settings);
    if (done === undefined || done instanceof Promise || done.status !== NdisStatus.SUCCESS) {
      throw new Error('the update did not complete at once');
    }
  }
  return count;
}

const roundtrips = (): number => roundtrip(ours, BATCH);

// --- baseline: the same DataView encode, five plain calls down and up, decode ---------------------------------------

const bytes = new Uint8Array(4096);
const view = new DataView(bytes.buffer);

/** Bytes of b0cbe2f4-… and 0f0e0d0c-… as they stand on the wire. */
const PROPERTY_ID = Uint8Array.of(
  0xf4,
  0xe2,
  0xcb,
  0xb0,
  0x3e,
  0x6a,
  0x7e,
  0x4d,
  0x9a,
  0x3a,
  0x2b,
  0x1a,
  0x5f,
  0x0c,
  0x1d,
  0x2e,
);
const INSTANCE_ID = Uint8Array.of(
  0x0c,
  0x0d,
  0x0e,
  0x0f,
  0x0a,
  0x0b,
  0x08,
  0x49,
  0x87,
  0x06,
  0x05,
  0x04,
  0x03,
  0x02,
  0x01,
  0x00,
);

function encode(settings: { SettingIntA: number; SettingIntB: bigint }): void {
  view.setUint8(0, 0x80);
  view.setUint8(1, 1);
  view.setUint16(2, 64, true);
  view.setUint32(4, 0, true);
  view.setUint32(8, 1, true);
  view.setUint32(12, 1, true);
  for (let i = 0; i < 16; i += 1) view.setUint8(16 + i, PROPERTY_ID[i] as number);
  view.setUint16(32, 0x0100, true);
  view.setUint16(34, 1, true);
  for (let i = 0; i < 16; i += 1) view.setUint8(36 + i, INSTANCE_ID[i] as number);
  view.setUint32(52, 32, true);
  view.setUint32(56, 64, true);
  view.setUint32(60, 0, true);
  view.setUint8(64, 0x80);
  view.setUint8(65, 1);
  view.setUint16(66, 16, true);
  view.setUint32(68, 0, true);
  view.setUint32(72, 16, true);
  view.setUint32(76, 16, true);
  view.setUint32(80, settings.SettingIntA, true);
  view.setUint32(84, 0, true);
  view.setBigUint64(88, settings.SettingIntB, true);
}

/** Rule E23 by hand: the type is custom and the PropertyId is the extension's own. */
function owns(): boolean {
  if (view.getUint32(12, true) !== 1) return false;
  for (let i = 0; i < 16; i += 1) if (view.getUint8(16 + i) !== PROPERTY_ID[i]) return false;
  return true;
}

function decode(): { SettingIntA: number; SettingIntB: bigint } {
  return { SettingIntA: view.getUint32(80, true), SettingIntB: view.getBigUint64(88, true) };
}

let visited = 0;
const miniport = (): number => {
  visited += 1;
  return 0;
};
const forward = (): number => {
  if (!owns()) return -1;
  const status = miniport();
  visited += status + 1;
  return status;
};
const filter = (): number => {
  if (owns()) seen += decode().SettingIntA;
  const status = forward();
  visited += status + 1;
  return status;
};
const capture = (): number => {
  if (!owns()) return -1;
  const status = filter();
  visited += status + 1;
  return status;
};
const protocol = (settings: { SettingIntA: number; SettingIntB: bigint }): number => {
  encode(settings);
  const status = capture();
  visited += status + 1;
  return status;
};

function plainCalls(): number {
  for (let i = 0; i < BATCH; i += 1) {
    if (protocol({ SettingIntA: i, SettingIntB: 9999n }) !== 0) throw new Error('unreachable');
  }
  return BATCH;
}

export const benches: readonly BenchCase[] = [
  {
    name: 'oid.roundtrip.3ext',
    unit: 'updates/s',
    run: roundtrips,
    baseline: { name: 'DataView encode, five plain calls, decode', run: plainCalls },
  },
];

/** What the calls left behind; read so that nothing above can be optimized away. */
export function work(): number {
  return seen + visited;
}
