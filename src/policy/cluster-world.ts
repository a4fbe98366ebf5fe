import type { Cluster } from '../cluster/api.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { FabricInterface, FabricOptions } from './api.ts';
import { CombinedHosts } from './combined-hosts.ts';
import { DEFAULT_PROFILE } from './profile.ts';
import type { World } from './world.ts';

/** What a world whose store is in a cluster has beside it. */
export interface ClusterLink {
  readonly cluster: Cluster;
  /** The cluster's hosts, and those that were given. */
  readonly hosts: NonNullable<FabricOptions['hosts']>;
}

/**
 * The cluster that `options.store` names, entered as host `options.name`; `undefined` when it names none. It is loaded only then.
 * Errors: `INVALID_ARGUMENT` without a name; those of `openCluster`.
 */
export async function enterCluster(options: FabricOptions): Promise<ClusterLink | undefined> {
  const { store, name, profile = DEFAULT_PROFILE, hosts, log } = options;
  if (typeof store !== 'string' || !/^[a-z]+:\/\//i.test(store)) return undefined;
  const { isClusterAddress } = await import('../cluster/address.ts');
  if (!isClusterAddress(store)) return undefined;
  if (name === undefined) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      'a world in a cluster is one of its hosts: give it a name, which no other process has',
      { member: 'name', expected: 'letters, digits, "_" and "-"', found: 'nothing' },
    );
  }
  const { openCluster } = await import('../cluster/open-cluster.ts');
  const cluster = await openCluster(store, {
    name,
    profile,
    ...(log === undefined ? {} : { log }),
  });
  return {
    cluster,
    hosts: hosts === undefined ? cluster.hosts : new CombinedHosts(hosts, cluster.hosts),
  };
}

/** Tells the cluster what happens in the world; returns what ends that. */
export async function tellCluster(
  world: Pick<FabricInterface, 'events' | 'trace'>,
  { events }: Cluster,
): Promise<() => void> {
  const { tapEvents } = await import('../cluster/event-tap.ts');
  return tapEvents(world, events);
}

/**
 * While the lease has run out, nothing is answered from memory, by handles that are held from before either. From the moment another
 * process is this host, nothing is changed, asked or taken here any more: its migrations are the other's to go on with, changes and
 * queries are refused with `LEASE_LOST`.
 */
export function endWhenLost(world: World, cluster: Cluster): void {
  const { lost, host } = cluster;
  world.mustHold = () => mustHold({ cluster });
  const end = (): void => {
    const reason: unknown = lost.reason;
    world.changes.end(
      reason instanceof ExtSwitchError
        ? reason
        : new ExtSwitchError('LEASE_LOST', `another process is host ${JSON.stringify(host)}`),
    );
    world.isClosed = true;
    world.leaveHosts();
    for (const { wake } of [...world.departures.values()]) wake?.();
  };
  if (lost.aborted) end();
  else lost.addEventListener('abort', end, { once: true });
}

/** Throws `LEASE_LOST` while what this process remembers may not be so any more. */
export function mustHold({ cluster }: { readonly cluster?: Cluster | undefined }): void {
  if (cluster === undefined || cluster.isHolding) return;
  if (cluster.lost.aborted) throw cluster.lost.reason;
  const name = JSON.stringify(cluster.host);
  throw new ExtSwitchError(
    'LEASE_LOST',
    `host ${name} has not reached cluster ${JSON.stringify(cluster.name)} for the length of its lease, or was stopped for as long`,
    { found: cluster.host },
  );
}
