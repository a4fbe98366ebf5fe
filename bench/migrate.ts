import { performance } from 'node:perf_hooks';
import { Fabric } from '../src/policy/fabric.ts';
import { LocalHosts } from '../src/policy/migration-hosts.ts';
import type { MeasuredCase } from './bench-case.ts';
import { extension, MOF, makeSwitch, OWNER, roundtrip } from './oid.ts';

/*
 * Live migrations between two worlds of one process, in memory: 10 policies, 2 extensions, no run-time data (issue 4:
 * migrate.vm). All VMs go there, and the next sample brings them back.
 */

const POLICIES = 10;
const VMS = 200;
const SAMPLES = 15;
/**
 * Rounds before: a migration goes through so much code that V8 compiles for about 4,000 of them. An even number, so that the
 * samples begin on the first host.
 */
const WARM_UP = 20;
/**
 * Here NIC_SAVE, NIC_SAVE_COMPLETE, NIC_DISCONNECT, NIC_DELETE, PORT_TEARDOWN, PORT_DELETE; there PORT_CREATE and the policies
 * twice, PORT_TEARDOWN, PORT_DELETE, NIC_CREATE, NIC_CONNECT, NIC_RESTORE_COMPLETE.
 */
const OIDS = 6 + 2 * (1 + POLICIES) + 2 + 3;

const EXTENSIONS = [
  extension('filter', OWNER),
  extension('forward', '33333333-3333-4333-8333-333333333333'),
];

async function openHost(hosts: LocalHosts, name: string): Promise<Fabric> {
  const fabric = await Fabric.open({ seed: name, name, hosts, extensions: EXTENSIONS });
  await fabric.features.register(MOF);
  await fabric.switches.create({ name: 'Bench', extensions: EXTENSIONS });
  return fabric;
}

async function allTo(from: Fabric, host: string): Promise<number> {
  const ids = Array.from(from.vms.list(), ({ id }) => id);
  const begin = performance.now();
  for (const vm of ids) {
    const { id } = await from.migrations.start({ vm, destination: { host } });
    const { state, error } = await from.migrations.done(id);
    if (state !== 'succeeded') throw new Error(error?.message);
  }
  return (ids.length * 1000) / (performance.now() - begin);
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'migrate.vm',
    unit: 'migrations/s',
    async measure() {
      const hosts = new LocalHosts();
      const a = await openHost(hosts, 'a');
      const b = await openHost(hosts, 'b');
      for (let i = 0; i < VMS; i += 1) {
        const vm = await a.vms.create({ name: `vm${i}`, adapters: [{ switch: 'Bench' }] });
        for (let k = 0; k < POLICIES; k += 1) {
          await vm.adapters[0]?.properties.add('Bench_PortSettingData', { SettingIntA: k });
        }
        await vm.start();
      }
      const plain = makeSwitch();
      const ours: number[] = [];
      const values: number[] = [];
      for (let i = -WARM_UP; i < SAMPLES; i += 1) {
        const rate = i % 2 === 0 ? await allTo(a, 'b') : await allTo(b, 'a');
        const from = performance.now();
        roundtrip(plain, VMS * OIDS);
        if (i < 0) continue;
        ours.push(rate);
        values.push((VMS * 1000) / (performance.now() - from));
      }
      await a.close();
      await b.close();
      return { ours, baseline: { name: `${OIDS} oid.roundtrip.3ext a migration`, values } };
    },
  },
];
