import { ExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { MigrationInfo, MigrationPeer } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import type { StoreOp } from '../../src/store/store.ts';
import { type Host, openHost } from './migration-world.ts';
import { contents, KeptStore } from './vm-world.ts';

/** A store that fails its n-th write, or from which on the process is dead. */
export class TrappedStore extends KeptStore {
  writes = 0;
  /** Number of the write that fails; counted from {@link arm}. */
  failAt = Number.POSITIVE_INFINITY;
  /** Number of the write at which the process is killed: just before it is on the disk, or just after. */
  killAt = Number.POSITIVE_INFINITY;
  isKilledAfter = false;
  /** From then on nothing is written, and no message goes out or comes in. */
  dead = false;

  arm(at: { failAt?: number; killAt?: number; isKilledAfter?: boolean } = {}): void {
    this.writes = 0;
    this.failAt = at.failAt ?? Number.POSITIVE_INFINITY;
    this.killAt = at.killAt ?? Number.POSITIVE_INFINITY;
    this.isKilledAfter = at.isKilledAfter ?? false;
  }

  override write(ops: readonly StoreOp[]): undefined {
    this.writes += 1;
    const isKilled = this.writes === this.killAt;
    const isLost = this.dead || this.writes === this.failAt || (isKilled && !this.isKilledAfter);
    if (isKilled) this.dead = true;
    if (isLost) throw new ExtSwitchError('STORE_UNAVAILABLE', `write ${this.writes} fails`);
    super.write(ops);
  }

  /** What is on the disk when the process is started again. */
  copy(): TrappedStore {
    const store = new TrappedStore();
    store.write(Array.from(this.range(''), ([key, value]) => ({ op: 'put', key, value })));
    store.arm();
    return store;
  }
}

/** Which message to a peer is lost, and whether before or after it took effect. */
export interface MessageTrap {
  at: number;
  readonly when: 'before' | 'after';
  count: number;
  what?: string;
}

const lost = (what: string): ExtSwitchError => new ExtSwitchError('HOST_UNREACHABLE', what);

/** A directory whose messages get lost. */
export class LossyHosts extends LocalHosts {
  trap: MessageTrap | undefined;
  /** A process that was killed hears and says nothing. */
  isDead: () => boolean = () => false;

  override peer(host: string): MigrationPeer | undefined {
    const peer = super.peer(host);
    if (peer === undefined) return undefined;
    const lossy = async <T>(what: string, send: () => Promise<T>): Promise<T> => {
      const { trap } = this;
      if (this.isDead()) throw lost('the process is gone');
      if (trap === undefined) {
        const answer = await send();
        if (this.isDead()) throw lost('the process is gone');
        return answer;
      }
      trap.count += 1;
      const isLost = trap.count === trap.at;
      if (isLost) trap.what = what;
      if (isLost && trap.when === 'before') throw lost(`the request ${what} was lost`);
      const answer = await send();
      if (isLost) throw lost(`the answer to ${what} was lost`);
      return answer;
    };
    return {
      host,
      compare: (...of) => lossy('compare', () => peer.compare(...of)),
      prepare: (...of) => lossy('prepare', () => peer.prepare(...of)),
      take: (...of) => lossy('take', () => peer.take(...of)),
      abandon: (...of) => lossy('abandon', () => peer.abandon(...of)),
      outcome: (...of) => lossy('outcome', () => peer.outcome(...of)),
      supersede: (...of) => lossy('supersede', () => peer.supersede(...of)),
      forget: (...of) => lossy('forget', () => peer.forget(...of)),
    };
  }
}

export interface Scene {
  readonly hosts: LossyHosts;
  readonly a: Host;
  readonly b: Host;
  readonly storeA: TrappedStore;
  readonly storeB: TrappedStore;
}

export async function openScene(): Promise<Scene> {
  const hosts = new LossyHosts();
  const storeA = new TrappedStore();
  const storeB = new TrappedStore();
  const a = await openHost(hosts, 'a', { store: storeA });
  const b = await openHost(hosts, 'b', { store: storeB });
  storeA.arm();
  storeB.arm();
  return { hosts, a, b, storeA, storeB };
}

export async function closeScene({ a, b }: Pick<Scene, 'a' | 'b'>): Promise<void> {
  await a.fabric.close();
  await b.fabric.close();
}

/** Starts and sees it through, with time for retries to come. */
export async function migrate(from: Host, to: string, vm = 'vm'): Promise<MigrationInfo> {
  const { migrations, clock } = from.fabric;
  const { id } = await migrations.start({ vm, destination: { host: to } });
  const done = migrations.done(id);
  let isOver = false;
  void done.then(() => {
    isOver = true;
  });
  for (let turn = 0; turn < 200 && !isOver; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
  }
  if (!isOver) throw new Error(`undecided: ${JSON.stringify(migrations.get(id).steps)}`);
  return done;
}

/** Everything of a VM that a person could miss, whatever host it is on; port ids are of the switch (OP-38). */
export function having({ fabric, keeper }: Host, name = 'vm'): string {
  const handle = fabric.vms.get(name);
  const { id, state } = handle.info;
  const adapters = handle.adapters.map(({ info, properties }) => ({
    id: info.id,
    name: info.name,
    mac: info.mac,
    macType: info.macType,
    mtu: info.mtu,
    connected: info.connected,
    portName: info.port?.name,
    portState: info.port?.state,
    policies: Array.from(properties.list(), ({ id: at, settings, revision, delivered }) => ({
      at,
      settings,
      revision,
      delivered,
    })),
    data: (keeper.held.get(info.port?.portId ?? 0) ?? []).map((bytes) => [...bytes]),
  }));
  return JSON.stringify({ id, name, state, adapters }, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
}

/** What a host has of VMs: nothing, when it does not own one. History of migrations is no VM. */
export function remains({ fabric }: Host, store: KeptStore): string[] {
  const kept = contents(store).filter((line) => /^(vm|saved|property\/vm)\//.test(line));
  const ports = [...fabric.switches.get('S').ports.list()].map(({ name }) => name);
  const counters = fabric.counters();
  return [...kept, ...ports, ...(counters['vms'] === 0 ? [] : [`${counters['vms']} VMs`])];
}

export const REFUSALS = {
  DATA_NOT_ACCEPTED: () => NdisStatus.DATA_NOT_ACCEPTED,
  RESOURCES: () => NdisStatus.RESOURCES,
  throw: () => {
    throw new Error('the extension fell over');
  },
  late: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return NdisStatus.DATA_NOT_ACCEPTED;
  },
} as const;
