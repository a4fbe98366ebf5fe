import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { StorageType } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';
import {
  type NatsServers,
  natsServerMissing,
  startNatsServers,
} from '../src/testing/nats-servers.ts';
import type { MeasuredCase } from './bench-case.ts';
import type { EvacuateAnswer, EvacuateOrder } from './evacuate-host.ts';

/*
 * 1,000 running VMs with 10 policies each leave one process for another, live, over request and reply; both keep what they have in
 * three JetStream servers (issue 4: evacuate.1000). The next sample brings them back. Beside it the least that a durable move could
 * be: for each VM its bytes put twice, once for either host, with as many in flight.
 */

const VMS = 1_000;
const POLICIES = 10;
const AT_ONCE = 32;
const SAMPLES = 4;
const HOST = resolve(
  import.meta.dirname,
  `evacuate-host.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
);
/** Of the document of such a VM: configuration, ten policies. */
const VM_BYTES = 4_096;

class HostProcess {
  readonly name: string;
  readonly #child: ChildProcess;

  constructor(store: string, name: string) {
    this.name = name;
    this.#child = fork(HOST, [store, name], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  async ready(): Promise<void> {
    await this.#answer();
  }

  order(order: EvacuateOrder): Promise<Exclude<EvacuateAnswer, { readonly error: string }>> {
    this.#child.send(order);
    return this.#answer();
  }

  async #answer(): Promise<Exclude<EvacuateAnswer, { readonly error: string }>> {
    const ended = new AbortController();
    const { signal } = ended;
    const [given] = await Promise.race([
      once(this.#child, 'message', { signal }),
      once(this.#child, 'exit', { signal }).then(([code]) => [{ error: `it ended with ${code}` }]),
    ]);
    ended.abort();
    const answer = given as EvacuateAnswer;
    if ('error' in answer) throw new Error(`host ${this.name}: ${answer.error}`);
    return answer;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.order({ do: 'close' });
    await ended;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/** All VMs of one host to the other; throws unless all of them, with all their policies, are there. */
async function move(from: HostProcess, to: HostProcess): Promise<number> {
  const { value, vms } = await from.order({ do: 'evacuate', to: to.name, atOnce: AT_ONCE });
  const there = await to.order({ do: 'count' });
  if (vms !== 0 || there.vms !== VMS || there.policies !== VMS * POLICIES) {
    throw new Error(`${vms} VMs are left; ${there.vms} with ${there.policies} policies arrived`);
  }
  return value;
}

async function rawPuts(servers: NatsServers): Promise<() => Promise<number>> {
  const connection = await connect({
    servers: servers.servers.map(({ port }) => `127.0.0.1:${port}`),
  });
  const bucket = await new Kvm(connection).create('raw', {
    history: 1,
    replicas: 3,
    storage: StorageType.File,
  });
  const value = new Uint8Array(VM_BYTES).fill(7);
  return async () => {
    let next = 0;
    const from = performance.now();
    const worker = async (): Promise<void> => {
      while (next < VMS) {
        next += 1;
        const n = next;
        await bucket.put(`b.${n}`, value);
        await bucket.put(`a.${n}`, value);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return (VMS * 1000) / (performance.now() - from);
  };
}

async function measureHosts(servers: NatsServers, hosts: HostProcess[]) {
  const store = `${servers.url}/bench?replicas=3`;
  const [a, b] = [new HostProcess(store, 'a'), new HostProcess(store, 'b')];
  hosts.push(a, b);
  await a.ready();
  await b.ready();
  await a.order({ do: 'make', vms: VMS, policies: POLICIES });
  const raw = await rawPuts(servers);
  await raw();
  const ours: number[] = [];
  const values: number[] = [];
  for (let i = -2; i < SAMPLES; i += 1) {
    const rate = i % 2 === 0 ? await move(a, b) : await move(b, a);
    const puts = await raw();
    if (i < 0) continue;
    ours.push(rate);
    values.push(puts);
  }
  for (const host of hosts) await host.close();
  return {
    ours,
    baseline: { name: `two kv.put of ${VM_BYTES} bytes a VM, ${AT_ONCE} in flight`, values },
  };
}

export const benches: readonly MeasuredCase[] = [
  {
    name: 'evacuate.1000',
    unit: 'VMs/s',
    skip: natsServerMissing(),
    async measure() {
      const servers = await startNatsServers();
      const hosts: HostProcess[] = [];
      try {
        return await measureHosts(servers, hosts);
      } finally {
        for (const host of hosts) host.end();
        await servers.stop();
      }
    },
  },
];
