import { randomBytes } from 'node:crypto';
import { ExtSwitchError, isExtSwitchError } from '../../src/core/errors.ts';
import type { HostDirectory, MigrationPeer } from '../../src/policy/migration-api.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store, StoreOp, StoreValue } from '../../src/store/store.ts';
import { having } from './migration-fault-world.ts';
import { type Host, openHost, runningVm } from './migration-world.ts';
import { contents, first } from './vm-world.ts';

// crash-migration-host.ts <name> <folder>: a host in a process of its own, on LMDB. What it says to other hosts, and what it is told
// to do, goes through the parent (crash-migration.test.ts); it kills itself at a write of its store when it is told to.

/** What goes to the parent. */
export type FromHost =
  | { readonly is: 'open' }
  | { readonly is: 'call'; readonly id: number; readonly to: string; readonly call: Call }
  | {
      readonly is: 'answer';
      readonly id: number;
      readonly value?: unknown;
      readonly error?: Fault;
    };
/** What comes from it: the same of another host, or something to do. */
export type ToHost =
  | { readonly is: 'call'; readonly id: number; readonly call: Call }
  | { readonly is: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: Fault }
  | { readonly is: 'there'; readonly host: string }
  | { readonly is: 'do'; readonly id: number; readonly what: Order };
export type Order =
  | { readonly order: 'create' }
  /** New run-time data in the extension; gives all the VM has. */
  | { readonly order: 'fill' }
  /** Answers when it has ended. */
  | { readonly order: 'migrate'; readonly to: string }
  | { readonly order: 'killAt'; readonly write: number; readonly isAfter: boolean }
  | { readonly order: 'look' };
type Call = {
  readonly name: Exclude<keyof MigrationPeer, 'host'>;
  readonly of: readonly unknown[];
};
interface Fault {
  readonly code: string | undefined;
  readonly message: string;
}

/** What a host has of the VM. */
export interface Look {
  readonly having: string | undefined;
  /** What of VMs is in its store, and ports of its switch. */
  readonly left: readonly string[];
  readonly migrations: readonly string[];
  /** How the records of its migrations stood when it was opened: a migration that was cut off. */
  readonly stored: readonly string[];
}

const [name = '', folder = ''] = process.argv.slice(2);
const send = (message: FromHost): void => void process.send?.(message);

/** LMDB, with a write at which the process is killed. */
class DeadlyStore implements Store {
  readonly description = 'deadly';
  killAt = Number.POSITIVE_INFINITY;
  isAfter = false;
  readonly #inner: Store;

  constructor(inner: Store) {
    this.#inner = inner;
  }
  get(key: string): StoreValue | undefined {
    return this.#inner.get(key);
  }
  range(prefix: string): Iterable<readonly [string, StoreValue]> {
    return this.#inner.range(prefix);
  }
  write(ops: readonly StoreOp[]): Promise<void> | undefined {
    this.killAt -= 1;
    if (this.killAt !== 0) return this.#inner.write(ops);
    if (!this.isAfter) process.kill(process.pid, 'SIGKILL');
    const written = this.#inner.write(ops);
    return Promise.resolve(written).then(() => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    });
  }
  async close(): Promise<void> {
    await this.#inner.close();
  }
}

/** The other hosts, each behind the parent. */
class Distant implements HostDirectory {
  readonly listeners = new Set<(host: string) => void>();
  readonly #asked = new Map<number, (answer: Extract<ToHost, { is: 'answer' }>) => void>();
  self: MigrationPeer | undefined;
  #next = 0;

  peer(host: string): MigrationPeer {
    const ask = (call: Call): Promise<never> =>
      new Promise((resolve, reject) => {
        this.#next += 1;
        const id = this.#next;
        this.#asked.set(id, ({ value, error }) => {
          if (error === undefined) resolve(value as never);
          else reject(new ExtSwitchError('HOST_UNREACHABLE', error.message));
        });
        send({ is: 'call', id, to: host, call });
      });
    return {
      host,
      compare: (...of) => ask({ name: 'compare', of }),
      prepare: (...of) => ask({ name: 'prepare', of }),
      take: (...of) => ask({ name: 'take', of }),
      abandon: (...of) => ask({ name: 'abandon', of }),
      outcome: (...of) => ask({ name: 'outcome', of }),
      supersede: (...of) => ask({ name: 'supersede', of }),
      forget: (...of) => ask({ name: 'forget', of }),
    };
  }
  answered(answer: Extract<ToHost, { is: 'answer' }>): void {
    this.#asked.get(answer.id)?.(answer);
    this.#asked.delete(answer.id);
  }
  join(peer: MigrationPeer): void {
    this.self = peer;
  }
  leave(): void {
    this.self = undefined;
  }
  subscribe(listener: (host: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

const hosts = new Distant();
const store = new DeadlyStore(await openStore(folder));
const migrationsOf = (): string[] =>
  Array.from(store.range('migration/'), ([, value]) => {
    const { role, state } = value as { readonly role: string; readonly state: string };
    return `${role} ${state}`;
  });
const stored = migrationsOf();

/** Messages are answered by what is there; before it is open the host is not. */
let host: Host | undefined;

async function done(what: Order, { fabric, keeper }: Host): Promise<unknown> {
  switch (what.order) {
    case 'create':
      await runningVm(host as Host);
      return;
    case 'fill': {
      const { portId = 0 } = first(fabric.vms.get('vm')).info.port ?? {};
      keeper.held.set(portId, [
        Uint8Array.from(randomBytes(1 + Math.floor(Math.random() * 60_000))),
        Uint8Array.from(randomBytes(3)),
      ]);
      return having(host as Host);
    }
    case 'migrate': {
      const { id } = await fabric.migrations.start({ vm: 'vm', destination: { host: what.to } });
      return (await fabric.migrations.done(id)).state;
    }
    case 'killAt':
      store.killAt = what.write;
      store.isAfter = what.isAfter;
      return;
    default: {
      const kept = contents(store).filter((line) => /^(vm|saved|property\/vm)\//.test(line));
      const ports = [...fabric.switches.get('S').ports.list()].map((port) => port.name);
      return {
        having: fabric.counters()['vms'] === 0 ? undefined : having(host as Host),
        left: [...kept, ...ports],
        migrations: migrationsOf(),
        stored,
      } satisfies Look;
    }
  }
}

async function answer(id: number, work: () => Promise<unknown>): Promise<void> {
  try {
    send({ is: 'answer', id, value: await work() });
  } catch (error) {
    const code = isExtSwitchError(error) ? error.code : undefined;
    send({ is: 'answer', id, error: { code, message: String(error) } });
  }
}

process.on('message', (message: ToHost) => {
  if (message.is === 'answer') hosts.answered(message);
  else if (message.is === 'there') {
    for (const listener of hosts.listeners) listener(message.host);
  } else if (message.is === 'call') {
    const { name: call, of } = message.call;
    void answer(message.id, async () => {
      if (hosts.self === undefined) throw new Error(`host ${name} is not open`);
      const method = hosts.self[call] as (...all: readonly unknown[]) => Promise<unknown>;
      return method.apply(hosts.self, [...of]);
    });
  } else {
    const { what } = message;
    void answer(message.id, async () => done(what, host as Host));
  }
});
process.on('disconnect', () => process.exit(0));

host = await openHost(hosts, name, { store });
const { clock } = host.fabric;
setInterval(() => clock.advance(1000), 5);
send({ is: 'open' });
