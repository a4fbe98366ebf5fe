import { ExtSwitchError } from '../../src/core/errors.ts';
import type { MigrationInfo, MigrationPeer } from '../../src/policy/migration-api.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { type Host, type Keeper, openHost } from '../policy/migration-world.ts';

/** Calls of a peer as a test sees them: `before` it is sent, `after` it was answered. */
export type Hook = (what: keyof MigrationPeer, when: 'before' | 'after') => Promise<void>;

/** The hosts of a cluster with somebody who listens in on what this one asks the others. */
export class HookedHosts extends LocalHosts {
  far: { peer(host: string): MigrationPeer | undefined } | undefined;
  hook: Hook | undefined;
  /** The first call of it is sent, and given up at once. */
  isLate: ((what: keyof MigrationPeer) => boolean) | undefined;

  override peer(host: string): MigrationPeer | undefined {
    const peer = this.far?.peer(host);
    if (peer === undefined) return undefined;
    const hooked = async <T>(what: keyof MigrationPeer, send: () => Promise<T>): Promise<T> => {
      await this.hook?.(what, 'before');
      if (this.isLate?.(what) === true) {
        this.isLate = undefined;
        void send().catch(() => undefined);
        throw new ExtSwitchError('HOST_UNREACHABLE', `${what}: no answer in time`);
      }
      const answer = await send();
      await this.hook?.(what, 'after');
      return answer;
    };
    return {
      host,
      compare: (...of) => hooked('compare', () => peer.compare(...of)),
      prepare: (...of) => hooked('prepare', () => peer.prepare(...of)),
      take: (...of) => hooked('take', () => peer.take(...of)),
      abandon: (...of) => hooked('abandon', () => peer.abandon(...of)),
      outcome: (...of) => hooked('outcome', () => peer.outcome(...of)),
      supersede: (...of) => hooked('supersede', () => peer.supersede(...of)),
      forget: (...of) => hooked('forget', () => peer.forget(...of)),
    };
  }
}

export interface ClusterHost extends Host {
  readonly hooks: HookedHosts;
  readonly told: string[];
}

/** A host of the cluster at `url`, with switch `S`; one that was there before comes back as it was. */
export async function openMember(
  url: string,
  name: string,
  keeper: Keeper = { held: new Map(), decide: () => undefined },
): Promise<ClusterHost> {
  const hooks = new HookedHosts();
  const told: string[] = [];
  const host = await openHost(
    hooks,
    name,
    {
      store: url,
      clock: 'wall',
      log: (level, message) => {
        if (level !== 'info') told.push(message);
      },
    },
    keeper,
  );
  hooks.far = host.fabric.cluster?.hosts;
  return Object.assign(host, { hooks, told });
}

/** The same host as another process would open it: nothing is left of what it had in memory. */
export function reopen(url: string, name: string): Promise<ClusterHost> {
  return openMember(url, name);
}

/** Until `other` can be migrated to from `host`. */
export async function sees(host: ClusterHost, other: string): Promise<void> {
  await until(`host ${other} is found`, () => host.fabric.cluster?.hosts.peer(other) !== undefined);
}

export async function until(what: string, isSo: () => unknown, timeoutMs = 20_000): Promise<void> {
  const begun = performance.now();
  while (!isSo()) {
    if (performance.now() - begun > timeoutMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function migrateTo(from: ClusterHost, to: string, vm: string): Promise<MigrationInfo> {
  const { migrations } = from.fabric;
  const { id } = await migrations.start({ vm, destination: { host: to } });
  return migrations.done(id);
}

export function hasVm({ fabric }: Host, name: string): boolean {
  for (const vm of fabric.vms.list()) if (vm.name === name) return true;
  return false;
}

/** What a host has that would be left of a VM it has not: ports of its switch, names and addresses of VMs, records. */
export function leftovers({ fabric }: Host): string[] {
  const ports = [...fabric.switches.get('S').ports.list()].map(({ name }) => `port ${name}`);
  const vms = [...fabric.vms.list()].map(({ name }) => `VM ${name}`);
  const records = Array.from(fabric.cluster?.store.range('') ?? [], ([key]) => key).filter((key) =>
    /^(vm|saved|property\/vm)\//.test(key),
  );
  return [...ports, ...vms, ...records];
}
