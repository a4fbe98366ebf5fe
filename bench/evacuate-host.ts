import { performance } from 'node:perf_hooks';
import { Fabric } from '../src/policy/fabric.ts';
import { extension, MOF, OWNER } from './oid.ts';

/*
 * A host of bench/evacuate.ts in a process of its own: `node evacuate-host.js <store> <name>`. Does what each message says and
 * answers it.
 */

export type EvacuateOrder =
  | { readonly do: 'make'; readonly vms: number; readonly policies: number }
  | { readonly do: 'evacuate'; readonly to: string; readonly atOnce: number }
  | { readonly do: 'count' }
  | { readonly do: 'close' };

/** VMs a second of an evacuation; VMs and policies that are here; 0. */
export type EvacuateAnswer =
  | { readonly value: number; readonly vms: number; readonly policies: number }
  | { readonly error: string };

async function openHost(store: string, name: string): Promise<Fabric> {
  const extensions = [
    extension('filter', OWNER),
    extension('forward', '33333333-3333-4333-8333-333333333333'),
  ];
  const fabric = await Fabric.open({ store, name, seed: name, extensions });
  await fabric.features.register(MOF);
  await fabric.switches.create({ name: 'Bench', extensions });
  return fabric;
}

async function make(fabric: Fabric, vms: number, policies: number): Promise<void> {
  const makeOne = async (i: number): Promise<void> => {
    const vm = await fabric.vms.create({ name: `vm${i}`, adapters: [{ switch: 'Bench' }] });
    const { properties } = vm.adapters[0] ?? {};
    const each = Array.from({ length: policies }, (_, k) =>
      properties?.add('Bench_PortSettingData', { SettingIntA: k }),
    );
    await Promise.all(each);
    await vm.start();
  };
  await inFlight(
    Array.from({ length: vms }, (_, i) => i),
    32,
    makeOne,
  );
}

async function evacuate(fabric: Fabric, host: string, atOnce: number): Promise<number> {
  const vms = Array.from(fabric.vms.list(), ({ id }) => id);
  const begin = performance.now();
  await inFlight(vms, atOnce, async (vm) => {
    const { id } = await fabric.migrations.start({ vm, destination: { host } });
    const { state, error } = await fabric.migrations.done(id);
    if (state !== 'succeeded') throw new Error(error?.message);
  });
  return (vms.length * 1000) / (performance.now() - begin);
}

async function inFlight<T>(items: readonly T[], atOnce: number, act: (item: T) => Promise<void>) {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function obey(fabric: Fabric, order: EvacuateOrder): Promise<number> {
  if (order.do === 'make') await make(fabric, order.vms, order.policies);
  else if (order.do === 'evacuate') return evacuate(fabric, order.to, order.atOnce);
  else if (order.do === 'close') await fabric.close();
  return 0;
}

function answer(given: EvacuateAnswer): void {
  process.send?.(given);
}

if (process.send !== undefined) {
  const [, , store = '', name = ''] = process.argv;
  const fabric = await openHost(store, name);
  process.on('disconnect', () => process.exit());
  process.on('message', (order: EvacuateOrder) => {
    obey(fabric, order).then(
      (value) => {
        const { vms = 0, properties = 0 } = order.do === 'close' ? {} : fabric.counters();
        answer({ value, vms, policies: properties });
        if (order.do === 'close') process.disconnect();
      },
      (error: unknown) => answer({ error: String(error) }),
    );
  });
  answer({ value: 0, vms: 0, policies: 0 });
}
