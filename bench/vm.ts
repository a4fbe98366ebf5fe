import { performance } from 'node:perf_hooks';
import type { VmHandle } from '../src/policy/api.ts';
import { Fabric } from '../src/policy/fabric.ts';
import type { MeasuredCase } from './bench-case.ts';
import { extension, MOF, makeSwitch, OWNER, roundtrip } from './oid.ts';

/*
 * VM starts through the library: PORT_CREATE to NIC_CONNECT with five policies and three extensions, in memory (issue 3:
 * vm.start, scale.ports).
 */

const POLICIES = 5;
/** PORT_CREATE, the policies, NIC_CREATE, NIC_CONNECT. */
const OIDS_A_START = POLICIES + 3;
const SAMPLES = 15;

const EXTENSIONS = [
  extension('capture', '11111111-1111-4111-8111-111111111111'),
  extension('filter', OWNER),
  extension('forward', '33333333-3333-4333-8333-333333333333'),
];

interface Farm {
  readonly fabric: Fabric;
  /** Off, ready to start. */
  readonly vms: readonly VmHandle[];
}

/** `ports` ports that stay, and `count` VMs that are off. */
async function farm(count: number, ports: number): Promise<Farm> {
  const fabric = await Fabric.open({ seed: 'bench', extensions: EXTENSIONS });
  await fabric.features.register(MOF);
  const sw = await fabric.switches.create({ name: 'Bench', extensions: EXTENSIONS });
  for (let i = 0; i < ports; i += 1) await sw.ports.create({});
  const vms: VmHandle[] = [];
  for (let i = 0; i < count; i += 1) {
    const vm = await fabric.vms.create({ name: `vm${i}`, adapters: [{ switch: 'Bench' }] });
    const [adapter] = vm.adapters;
    for (let k = 0; k < POLICIES; k += 1) {
      await adapter?.properties.add('Bench_PortSettingData', { SettingIntA: k });
    }
    vms.push(vm);
  }
  return { fabric, vms };
}

/** Starts a second; they are stopped again outside the time. */
async function startRate({ vms }: Farm): Promise<number> {
  const from = performance.now();
  for (const vm of vms) await vm.start();
  const rate = (vms.length * 1000) / (performance.now() - from);
  for (const vm of vms) await vm.stop();
  return rate;
}

async function turns(
  ours: () => Promise<number>,
  theirs: () => number | Promise<number>,
): Promise<{ ours: number[]; values: number[] }> {
  const measured: { ours: number[]; values: number[] } = { ours: [], values: [] };
  for (let i = 0; i < 3; i += 1) await ours();
  await theirs();
  for (let i = 0; i < SAMPLES; i += 1) {
    measured.ours.push(await ours());
    measured.values.push(await theirs());
  }
  return measured;
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'vm.start',
    unit: 'VM starts/s',
    async measure() {
      const ready = await farm(1000, 0);
      const plain = makeSwitch();
      const updates = ready.vms.length * OIDS_A_START;
      const { ours, values } = await turns(
        () => startRate(ready),
        () => {
          const from = performance.now();
          roundtrip(plain, updates);
          return (ready.vms.length * 1000) / (performance.now() - from);
        },
      );
      await ready.fabric.close();
      return { ours, baseline: { name: `${OIDS_A_START} oid.roundtrip.3ext a VM`, values } };
    },
  },
  {
    name: 'scale.ports',
    unit: 'VM starts/s with 10,000 ports present',
    async measure() {
      const small = await farm(200, 100);
      const large = await farm(200, 10_000);
      const { ours, values } = await turns(
        () => startRate(large),
        () => startRate(small),
      );
      await small.fabric.close();
      await large.fabric.close();
      return { ours, baseline: { name: 'the same with 100 ports', values } };
    },
  },
];
