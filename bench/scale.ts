import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Rng } from '../src/core/rng.ts';
import type { PortHandle } from '../src/policy/api.ts';
import { Fabric } from '../src/policy/fabric.ts';
import { portKey, propertyKey } from '../src/policy/records.ts';
import { openStore } from '../src/store/open-store.ts';
import type { StoreOp } from '../src/store/store.ts';
import type { MeasuredCase } from './bench-case.ts';

/* What a property costs when a million are there already, and how fast a million come back at a restart. */

const MILLION = 1_000_000;
const PORTS = 100;
/** Properties added and removed again for one sample. */
const SAMPLE = 10_000;
const SAMPLES = 9;
const FEATURE = 'Bench_PortSettingData';
const ID = 'b0cbe2f4-6a3e-4d7e-9a3a-2b1a5f0c1d2e';
const MOF = `
[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${ID}"),
 ExtensionId("5cbf81be-5055-47cd-9055-a76b2b4e369e"), DisplayName("Bench"), InterfaceVersion("1"), InterfaceRevision("0")]
class ${FEATURE} : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 SettingIntA;
  [Read, Write, WmiDataId(2)] uint64 SettingIntB;
};`;

interface Filled {
  readonly fabric: Fabric;
  readonly ports: readonly PortHandle[];
}

async function filled(count: number): Promise<Filled> {
  const fabric = await Fabric.open({ seed: 'scale' });
  await fabric.features.register(MOF);
  const sw = await fabric.switches.create({ name: 'Scale' });
  const ports: PortHandle[] = [];
  for (let i = 0; i < PORTS; i += 1) ports.push(await sw.ports.create({ name: `p${i}` }));
  for (let i = 0; i < count; i += 1) {
    await ports[i % PORTS]?.properties.add(FEATURE, { SettingIntA: i });
  }
  return { fabric, ports };
}

/** Adds a second; what was added is removed again outside the time. */
async function addRate({ ports }: Filled): Promise<number> {
  const added: { readonly port: PortHandle; readonly id: string }[] = [];
  const from = performance.now();
  for (let i = 0; i < SAMPLE; i += 1) {
    const port = ports[i % PORTS] as PortHandle;
    added.push({ port, id: (await port.properties.add(FEATURE, { SettingIntA: i })).id });
  }
  const rate = (SAMPLE * 1000) / (performance.now() - from);
  for (const { port, id } of added) await port.properties.delete(id);
  return rate;
}

const heapBytes = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

export const benches: readonly MeasuredCase[] = [
  {
    name: 'scale.property.add',
    unit: 'adds/s with 1,000,000 stored',
    async measure() {
      const small = await filled(1000);
      const before = heapBytes();
      const large = await filled(MILLION);
      const bytes = Math.round((heapBytes() - before) / MILLION);
      const ours: number[] = [];
      const values: number[] = [];
      await addRate(small);
      await addRate(large);
      for (let i = 0; i < SAMPLES; i += 1) {
        values.push(await addRate(small));
        ours.push(await addRate(large));
      }
      await small.fabric.close();
      await large.fabric.close();
      return {
        ours,
        baseline: { name: `1,000 stored (${bytes} bytes of heap a property)`, values },
      };
    },
  },
  {
    name: 'store.reopen.1M',
    unit: 'properties/s at a restart from LMDB',
    async measure() {
      const folder = mkdtempSync(join(tmpdir(), 'extswitch-bench-'));
      try {
        await fillFolder(folder);
        const ours: number[] = [];
        const values: number[] = [];
        for (let i = 0; i < 3; i += 1) {
          const from = performance.now();
          const fabric = await Fabric.open({ store: folder });
          ours.push((MILLION * 1000) / (performance.now() - from));
          if (fabric.counters()['properties'] !== MILLION)
            throw new Error('properties are missing');
          await fabric.close();
          values.push(await rawRead(folder));
        }
        return { ours, baseline: { name: 'reading the records alone', values } };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];

async function fillFolder(folder: string): Promise<void> {
  const fabric = await Fabric.open({ store: folder, seed: 'scale' });
  await fabric.features.register(MOF);
  const sw = await fabric.switches.create({ name: 'Scale' });
  const ports: string[] = [];
  for (let i = 0; i < PORTS; i += 1) ports.push((await sw.ports.create({ name: `p${i}` })).info.id);
  await fabric.close();
  const store = await openStore(folder);
  const rng = new Rng('scale');
  if (store.get(portKey(sw.info.id, ports[0] ?? '')) === undefined)
    throw new Error('no port stored');
  for (let done = 0; done < MILLION; ) {
    const ops: StoreOp[] = [];
    for (let i = 0; i < 5000; i += 1, done += 1) {
      ops.push({
        op: 'put',
        key: propertyKey(sw.info.id, ports[done % PORTS] ?? '', rng.guid()),
        value: {
          feature: ID,
          name: FEATURE,
          version: 256,
          settings: { SettingIntA: done, SettingIntB: 0n },
          revision: 1,
          order: 200 + done,
        },
      });
    }
    await store.write(ops);
  }
  await store.close();
}

async function rawRead(folder: string): Promise<number> {
  const store = await openStore(folder);
  const from = performance.now();
  let count = 0;
  for (const _entry of store.range('property/')) count += 1;
  const rate = (count * 1000) / (performance.now() - from);
  await store.close();
  return rate;
}
