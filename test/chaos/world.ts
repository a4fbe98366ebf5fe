import { setTimeout as sleep } from 'node:timers/promises';
import { EndWithParent } from '../../src/testing/end-with-parent.ts';
import { type NatsServers, startNatsServers } from '../../src/testing/nats-servers.ts';
import { extswitchCommand } from '../support/extswitch-command.ts';
import { type Cut, TcpProxy } from '../support/tcp-proxy.ts';
import { ChaosHost } from './chaos-host.ts';
import { ask, type Outcome } from './client.ts';
import { VmLedger } from './ledger.ts';
import type { Random } from './random.ts';

const KEEPER = '0c4a05e1-3b52-4d0e-9d6a-5a1f7b2c9e01';
const EXTENSION = 'test/chaos/keeper.ts';
/** Name of the cluster: prefix of its buckets. */
export const CLUSTER = 'chaos';

export interface ChaosOptions {
  readonly random: Random;
  /** Hosts `a`, `b`, …; default 3. */
  readonly hosts?: number;
  /** VMs of each host at the beginning; default 3. */
  readonly vmsPerHost?: number;
  /** Milliseconds; default 2,000. */
  readonly leaseMs?: number;
  /** Most bytes of each bucket; default 64 MiB. */
  readonly maxBytes?: number;
}

/** Three NATS servers and hosts that are processes, every line between any two of them a proxy that can be cut. */
export class ChaosWorld {
  readonly nats: NatsServers;
  readonly hosts: readonly ChaosHost[];
  readonly vms: VmLedger[] = [];
  readonly random: Random;
  readonly leaseMs: number;
  /** `nats://…` of the servers themselves, past the proxies. */
  readonly store: string;
  readonly #lines: readonly NatsLine[];
  readonly #watchdog: EndWithParent;
  #value = 0;

  private constructor(
    options: ChaosOptions,
    nats: NatsServers,
    lines: readonly NatsLine[],
    hosts: readonly ChaosHost[],
    watchdog: EndWithParent,
  ) {
    this.nats = nats;
    this.hosts = hosts;
    this.random = options.random;
    this.leaseMs = options.leaseMs ?? 2_000;
    this.store = `${nats.url}/${CLUSTER}`;
    this.#lines = lines;
    this.#watchdog = watchdog;
  }

  static async open(options: ChaosOptions): Promise<ChaosWorld> {
    const { hosts: count = 3, leaseMs = 2_000, maxBytes = 64 << 20 } = options;
    const lines: NatsLine[] = [];
    const nats = await startNatsServers({
      routeThrough: async (from, to, port) => {
        const proxy = await TcpProxy.open(port);
        lines.push({ ends: [from, to], proxy });
        return proxy.port;
      },
    });
    const watchdog = new EndWithParent();
    const ports = nats.servers.map(({ port }) => port);
    const store = `/${CLUSTER}?lease=${leaseMs}ms&writeTimeout=15s&maxBytes=${maxBytes}`;
    const words = [...extswitchCommand(), 'serve', '--extension', EXTENSION];
    const hosts: ChaosHost[] = [];
    for (let at = 0; at < count; at += 1) {
      const name = String.fromCharCode(97 + at);
      hosts.push(await ChaosHost.make(name, ports, store, words, watchdog));
    }
    const world = new ChaosWorld(options, nats, lines, hosts, watchdog);
    try {
      await world.#fill(options.vmsPerHost ?? 3);
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Hosts with a switch each, and VMs on it, all off. */
  async #fill(vmsPerHost: number): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.start()));
    for (const { name, url } of this.hosts) {
      const base = `${url}/hosts/${name}`;
      await insist(() => ask(base, 'POST', '/v1/switches', { name: 'Lan' }));
      const extension = `/v1/switches/Lan/extensions/${KEEPER}`;
      await insist(() => ask(base, 'PATCH', extension, { enabled: true }));
      for (let at = 1; at <= vmsPerHost; at += 1) {
        const vm = { name: `${name}${at}`, adapters: [{ name: 'nic', switch: 'Lan' }] };
        const { body } = await insist(() => ask(base, 'POST', '/v1/vms', vm));
        this.vms.push(new VmLedger(vm.name, String(body['id'])));
      }
    }
  }

  /** Never given before; every tenth ends in 7, which the extension refuses. */
  nextValue(): number {
    this.#value += 1;
    return this.#value;
  }

  host(name: string): ChaosHost {
    const found = this.hosts.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no host ${name}`);
    return found;
  }

  /** Cuts a NATS server off from the two others; clients still reach it. */
  cutServer(name: string, how: Cut): void {
    for (const { ends, proxy } of this.#lines) if (ends.includes(name)) proxy.cut(how);
  }

  /** Everything runs and every line is whole again. */
  async heal(): Promise<void> {
    for (const { proxy } of this.#lines) proxy.heal();
    for (const server of this.nats.servers) {
      server.resume();
      await server.start();
    }
    for (const host of this.hosts) host.heal();
    await Promise.all(this.hosts.map((host) => (host.isRunning ? undefined : host.start())));
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
    await this.nats.stop();
    await Promise.all(this.#lines.map(({ proxy }) => proxy.close()));
    await this.#watchdog.end();
  }
}

interface NatsLine {
  readonly ends: readonly [string, string];
  readonly proxy: TcpProxy;
}

/** Asks until it is done: a machine that is busy may keep a host from its lease for a moment. */
async function insist(asked: () => Promise<Outcome>): Promise<Outcome & { readonly kind: 'done' }> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await asked();
    if (outcome.kind === 'done') return outcome;
    if (attempt === 20) throw new Error(`the world cannot be made: ${outcome.code}`);
    await sleep(500);
  }
}
