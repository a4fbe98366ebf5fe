import { Rng } from '../../src/core/rng.ts';
import type { FabricInterface, FabricOptions } from '../../src/policy/api.ts';
import type { FaultRuleOptions } from '../../src/policy/faults-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { type Host, openHost, PORT_SETTING, runningVm } from './migration-world.ts';

/** An extension that takes references, asks its switch, draws from the world and pends now and then. */
export const ASKING = extensionWith(
  (sw) => ({
    createPort: ({ portId }) => {
      sw.referencePort(portId);
      if (sw.random() < 0.5) sw.dereferencePort(portId);
    },
    teardownPort: ({ portId }) => {
      sw.dereferencePort(portId);
    },
    connectNic: ({ portId, index: nicIndex }) => {
      if (sw.referenceNic(portId, nicIndex) === 0) sw.dereferenceNic(portId, nicIndex);
      sw.ports();
    },
  }),
  { id: 'a5ca5ca5-0000-4000-8000-0000000000a5', name: 'Asking' },
);

/** All that can be seen of a world: trace with its bytes, events, ids in what is stored, counters. */
function seen({ fabric }: Host, store: MemoryStore): string {
  const text = (_name: string, value: unknown): unknown =>
    typeof value === 'bigint'
      ? `${value}n`
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : value;
  return JSON.stringify(
    {
      trace: fabric.trace.entries(),
      events: fabric.events.after(0),
      stored: [...store.range('')],
      counters: fabric.counters(),
    },
    text,
  );
}

type Act = (world: FabricInterface, rng: Rng) => Promise<unknown>;

const pick = <T>(rng: Rng, all: readonly T[]): T | undefined => all[rng.uint32() % all.length];

const ACTS: readonly Act[] = [
  async (world) => world.switches.get('S').ports.create(),
  async (world, rng) => {
    const ports = [...world.switches.get('S').ports.list()];
    await world.switches
      .get('S')
      .ports.get(pick(rng, ports)?.id ?? '')
      .delete();
  },
  async (world, rng) => {
    const ports = [...world.switches.get('S').ports.list()];
    const port = world.switches.get('S').ports.get(pick(rng, ports)?.id ?? '');
    await port.properties.add(PORT_SETTING, { SettingIntA: rng.uint32() % 100 });
  },
  async (world, rng) => {
    const ports = [...world.switches.get('S').ports.list()];
    await world.switches
      .get('S')
      .ports.get(pick(rng, ports)?.id ?? '')
      .nics.connect();
  },
  async (world, rng) => {
    const all = world.switches.get('S').extensions;
    const one = pick(rng, all.list());
    await all.change(one?.id ?? '', { enabled: one?.enabled !== true });
  },
  (world) =>
    world.atomic(async (inside) => {
      await inside.switches.create({ name: 'T' });
      await inside.switches.get('T').delete();
    }),
];

/**
 * Two hosts, changes that the seed picks, and a VM that moves: what can be seen afterwards of both. `late`: the rules are set when
 * the hosts are there, for those with which no host would come up.
 */
export async function playHistory(
  seed: string,
  rules: readonly FaultRuleOptions[],
  options: { readonly steps?: number; readonly late?: boolean } = {},
): Promise<string> {
  const { steps = 14, late = false } = options;
  const hosts = new LocalHosts();
  const stores = [new MemoryStore(), new MemoryStore()];
  const open = (i: number): FabricOptions => ({
    seed: `${seed}/${i}`,
    store: stores[i] as MemoryStore,
    scheduling: 'seeded',
    faults: { rules: late ? [] : rules },
  });
  const both = [await openHost(hosts, 'a', open(0)), await openHost(hosts, 'b', open(1))];
  const [a, b] = both as [Host, Host];
  const rng = new Rng(seed);
  for (const { fabric } of both) {
    await tried(fabric.extensions.install(ASKING));
    await tried(fabric.switches.get('S').extensions.change(ASKING.id, { enabled: true }));
  }
  const vm = await runningVm(a).catch(() => undefined);
  if (late) for (const { fabric } of both) fabric.faults.add(...rules);
  for (let i = 0; i < steps; i += 1) {
    const { fabric } = pick(rng, both) as Host;
    const act = pick(rng, ACTS) as Act;
    const done = tried(act(fabric, rng));
    await ended(done, both);
  }
  if (vm !== undefined) {
    const destination = { host: 'b' };
    await ended(tried(a.fabric.migrations.start({ vm: vm.info.id, destination })), both);
    for (const { fabric } of both) await fabric.time.warp(20_000);
  }
  const all = both.map((host, i) => seen(host, stores[i] as MemoryStore)).join('\n');
  await a.fabric.close();
  await b.fabric.close();
  return all;
}

/** What a fault, or chance, refuses is part of the history. */
const tried = (work: Promise<unknown>): Promise<unknown> => work.catch(() => undefined);

/** Time passes on both hosts until `work` has ended. */
async function ended(work: Promise<unknown>, both: readonly Host[]): Promise<void> {
  let isOver = false;
  const over = work.then(() => {
    isOver = true;
  });
  for (let i = 0; i < 500 && !isOver; i += 1) {
    for (const { fabric } of both) await fabric.time.warp(i === 0 ? 0 : 20_000);
  }
  if (!isOver) throw new Error('it has not ended within 10,000 virtual seconds');
  await over;
}
