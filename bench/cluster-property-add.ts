import { performance } from 'node:perf_hooks';
import { StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { PortHandle } from '../src/policy/api.ts';
import { Fabric } from '../src/policy/fabric.ts';
import { natsServerMissing, startNatsServers } from '../src/testing/nats-servers.ts';
import type { MeasuredCase } from './bench-case.ts';
import { extension, MOF, OWNER } from './oid.ts';

/*
 * A policy added to a host of a cluster, acknowledged when a quorum of three JetStream servers has it, beside `kv.put` as a client
 * of JetStream does it: the same servers, the same number in flight, values as large as the record of a policy (issue 4:
 * cluster.property.add).
 */

/** Additions, and puts, on their way at any time. */
const IN_FLIGHT = 64;
const ADDS = 4_000;
const SAMPLES = 9;
const WARM_UP = 2;
/** Bytes of the record of such a policy: its key and its value. */
const RECORD_BYTES = 300;

async function inFlight(count: number, act: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const from = performance.now();
  const worker = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      await act(n);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return (count * 1000) / (performance.now() - from);
}

async function openPorts(store: string) {
  const fabric = await Fabric.open({
    ...{ store, name: 'bench', seed: 'bench' },
    extensions: [extension('filter', OWNER)],
  });
  await fabric.features.register(MOF);
  const sw = await fabric.switches.create({ name: 'Bench', extensions: [OWNER] });
  const ports: PortHandle[] = [];
  for (let i = 0; i < IN_FLIGHT; i += 1) ports.push(await sw.ports.create({ name: `p${i}` }));
  const add = (n: number) =>
    ports[n % IN_FLIGHT]?.properties.add('Bench_PortSettingData', { SettingIntA: n }) ??
    Promise.reject(new Error('no port'));
  return { fabric, add };
}

async function openBucket(connection: NatsConnection) {
  const options = { history: 1, replicas: 3, storage: StorageType.File };
  return new Kvm(connection).create('raw', options);
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'cluster.property.add',
    unit: 'adds/s',
    skip: natsServerMissing(),
    async measure() {
      const servers = await startNatsServers();
      try {
        const { fabric, add } = await openPorts(`${servers.url}/bench?replicas=3`);
        const connection = await connect({
          servers: servers.servers.map(({ port }) => `127.0.0.1:${port}`),
        });
        const bucket = await openBucket(connection);
        const value = new Uint8Array(RECORD_BYTES).fill(7);
        const ours: number[] = [];
        const values: number[] = [];
        for (let i = -WARM_UP; i < SAMPLES; i += 1) {
          const rate = await inFlight(ADDS, add);
          const raw = await inFlight(ADDS, (n) => bucket.put(`policy.${i + WARM_UP}.${n}`, value));
          if (i < 0) continue;
          ours.push(rate);
          values.push(raw);
        }
        await connection.close();
        await fabric.close();
        return { ours, baseline: { name: `kv.put, ${IN_FLIGHT} in flight as well`, values } };
      } finally {
        await servers.stop();
      }
    },
  },
];
