import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsServer } from '../../src/testing/nats-servers.ts';
import type { ChaosHost } from './chaos-host.ts';
import { fillBucket } from './full-bucket.ts';
import type { Load } from './load.ts';
import { takeOver } from './take-over.ts';
import { type ChaosWorld, CLUSTER } from './world.ts';

/** Something that goes wrong while clients work, at a moment that the seed picks. */
export interface Fault {
  readonly name: string;
  /** No process is killed: what was refused for the store is certainly not there. */
  readonly isStoreCertain?: true;
  /** Brings it about; returns when whoever supervises would begin to mend it. What it finds wrong itself, it returns. */
  run(world: ChaosWorld, load: Load): Promise<readonly string[]>;
}

/** Milliseconds of a migration from its request to its end, on an idle machine and on a busy one. */
const MIGRATION_MS = 250;
/** Milliseconds something stays broken. */
const SHORT = [100, 1_500] as const;

async function whileBroken({ random }: ChaosWorld, extraMs = 0): Promise<void> {
  await sleep(random.between(...SHORT) + extraMs);
}

/** In the middle of a migration, or of whatever is going on where none is asked for. */
async function inAMigration(
  world: ChaosWorld,
  load: Load,
): Promise<{ readonly from: ChaosHost; readonly to: ChaosHost }> {
  const departure = await load.nextDeparture(4_000);
  await sleep(world.random.below(MIGRATION_MS));
  const [from = 'a', to = 'b'] = departure === undefined ? [] : [departure.from, departure.to];
  return { from: world.host(from), to: world.host(to) };
}

async function killServer(server: NatsServer | undefined, world: ChaosWorld): Promise<string[]> {
  if (server === undefined) return ['there was no such leader to kill'];
  await server.kill();
  // Elections take 4 to 9 s: less is a server that is back before, more one that was not needed.
  await sleep(world.random.between(500, 7_000));
  return [];
}

const leaderOf = (kind: string, stream: string): Fault => ({
  name: `kill -9 the leader of the ${kind}`,
  run: async (world) => killServer(await world.nats.leaderOf(stream), world),
});

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 the source of a migration',
    async run(world, load) {
      const { from } = await inAMigration(world, load);
      await from.kill();
      await whileBroken(world);
      return [];
    },
  },
  {
    name: 'kill -9 the destination of a migration',
    async run(world, load) {
      const { to } = await inAMigration(world, load);
      await to.kill();
      await whileBroken(world);
      return [];
    },
  },
  {
    name: 'kill -9 both hosts of a migration',
    async run(world, load) {
      const { from, to } = await inAMigration(world, load);
      await Promise.all([from.kill(), to.kill()]);
      await whileBroken(world);
      return [];
    },
  },
  {
    name: 'SIGTERM to a host in the middle of a migration',
    async run(world, load) {
      const { from, to } = await inAMigration(world, load);
      const host = world.random.isOnceIn(2) ? from : to;
      await host.kill('SIGTERM');
      const code = host.process?.ending?.code;
      return code === 0 ? [] : [`host ${host.name} ended with ${code} after SIGTERM`];
    },
  },
  {
    name: 'kill -9 any NATS server',
    run: (world) => killServer(world.random.of(world.nats.servers), world),
  },
  leaderOf('journal', `KV_${CLUSTER}-journal`),
  leaderOf('records', `KV_${CLUSTER}-policies`),
  leaderOf('leases', `KV_${CLUSTER}-hosts`),
  leaderOf('object store', `OBJ_${CLUSTER}-state`),
  {
    name: 'kill -9 the meta leader of JetStream',
    run: async (world) => killServer(await world.nats.metaLeader(), world),
  },
  {
    name: 'kill -9 all NATS servers at once',
    async run(world) {
      await Promise.all(world.nats.servers.map((server) => server.kill()));
      await whileBroken(world);
      return [];
    },
  },
  {
    name: 'SIGSTOP a NATS server',
    isStoreCertain: true,
    async run(world) {
      world.random.of(world.nats.servers)?.pause();
      await whileBroken(world, 6_000);
      return [];
    },
  },
  {
    name: 'cut a NATS server off from the others',
    isStoreCertain: true,
    async run(world) {
      const { random, nats } = world;
      const name = random.of(nats.servers)?.name ?? 'n1';
      world.cutServer(name, random.isOnceIn(2) ? 'stall' : 'refuse');
      await whileBroken(world, 6_000);
      return [];
    },
  },
  {
    name: 'cut a host off from NATS, shorter than its lease',
    isStoreCertain: true,
    async run(world, load) {
      const { from, to } = await inAMigration(world, load);
      const host = world.random.isOnceIn(2) ? from : to;
      host.cut(world.random.isOnceIn(2) ? 'stall' : 'refuse');
      await sleep(world.random.below(world.leaseMs));
      return [];
    },
  },
  {
    name: 'cut a host off from NATS, past its lease',
    isStoreCertain: true,
    async run(world, load) {
      const { from, to } = await inAMigration(world, load);
      const host = world.random.isOnceIn(2) ? from : to;
      host.cut(world.random.isOnceIn(2) ? 'stall' : 'refuse');
      await whileBroken(world, 2 * world.leaseMs);
      return [];
    },
  },
  {
    name: 'SIGSTOP a host past its lease; another process becomes it; SIGCONT',
    run: takeOver,
  },
  {
    name: 'a full bucket, then room again',
    isStoreCertain: true,
    run: fillBucket,
  },
];

/** Faults of which two at once leave enough to go on. */
const PAIRED = FAULTS.filter(({ name }) => !/all NATS|full bucket|another process/.test(name));

/** Two of {@link FAULTS} at the same time. */
export const TWO_FAULTS: Fault = {
  name: 'two faults at once',
  async run(world, load) {
    const first = world.random.of(PAIRED);
    const second = world.random.of(PAIRED.filter((each) => each !== first));
    if (first === undefined || second === undefined) return [];
    const found = await Promise.all([first.run(world, load), second.run(world, load)]);
    return found.flat().map((problem) => `${first.name} + ${second.name}: ${problem}`);
  },
};
