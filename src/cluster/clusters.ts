import { ExtSwitchError } from '../core/errors.ts';
import { AckedPublisher } from './acked-publisher.ts';
import { describe } from './address.ts';
import type { ClusterAddress, HostLeftover } from './api.ts';
import { Journal } from './journal.ts';
import { peekLeftovers } from './leftovers.ts';
import { decodeMember, type MemberRecord } from './member-record.ts';
import { registeredHosts } from './read-records.ts';
import {
  type ClusterSession,
  dropCluster,
  dropLeftRuns,
  isRunName,
  type ServerVisit,
  visitServers,
} from './session.ts';
import { StateObjects } from './state-objects.ts';

/*
 * The clusters that are on NATS servers, looked at from outside: no host is asked, none is needed, and nothing is made.
 */

/** A host of a cluster, by its lease and its records. */
export interface FoundHost {
  readonly host: string;
  /** `silent`: no process holds its lease. */
  readonly state: 'alive' | 'silent';
  /** Of one that is alive. */
  readonly epoch?: number;
  readonly url?: string;
  readonly version?: string;
  /** ISO 8601. */
  readonly since?: string;
  readonly vms: readonly HostLeftover[];
}

export interface FoundCluster {
  readonly cluster: string;
  /** ISO 8601, by the servers' clock. */
  readonly created: string;
  /** Of its buckets of policies. */
  readonly replicas: number;
  /** Milliseconds: how long a lease lasts. */
  readonly leaseMs: number;
  /** `extswitch run` made it for itself: it goes with the run, or the run was killed. */
  readonly isOfRun: boolean;
  /** In the order of names. */
  readonly hosts: readonly FoundHost[];
}

const CLIENT = 'extswitch cluster';
/** For one host to be read. */
const READ_MS = 30_000;
/** Buckets without which it is no cluster of ours, or one that is just being made or removed. */
const BUCKETS = ['journal', 'policies', 'hosts'] as const;

/**
 * The clusters on the servers of `address`, in the order of names; `only`: this one. What its path names is not looked at.
 *
 * Errors: `NOT_FOUND` (`only`), `STORE_UNAVAILABLE`.
 */
export async function listClusters(
  address: ClusterAddress,
  only?: string,
): Promise<readonly FoundCluster[]> {
  return visiting(address, async (visit) => {
    const names = await clusterNames(visit);
    if (only !== undefined && !names.includes(only)) throw unknown(address, only, names);
    const found: FoundCluster[] = [];
    for (const name of only === undefined ? names : [only]) found.push(await look(visit, name));
    return found;
  });
}

/**
 * Removes a cluster with all its hosts, their records, VMs and events, for good. Gives what it was.
 *
 * Errors: `NOT_FOUND`; `ILLEGAL_TRANSITION` while a host is alive and, without `withVms`, while VMs are left: nothing is changed then.
 */
export async function removeCluster(
  address: ClusterAddress,
  cluster: string,
  { withVms }: { readonly withVms: boolean },
): Promise<FoundCluster> {
  return visiting(address, async (visit) => {
    const names = await clusterNames(visit);
    if (!names.includes(cluster)) throw unknown(address, cluster, names);
    const found = await look(visit, cluster);
    const named = `cluster ${JSON.stringify(cluster)}`;
    const place = { member: 'cluster', found: cluster };
    const alive = found.hosts.filter(({ state }) => state === 'alive').map(({ host }) => host);
    if (alive.length > 0) {
      const hosts = alive.length === 1 ? `host ${alive[0]} is` : `hosts ${alive.join(', ')} are`;
      const message = `${hosts} alive in ${named}: end what runs there first`;
      throw new ExtSwitchError('ILLEGAL_TRANSITION', message, place);
    }
    const vms = found.hosts.flatMap(({ host, vms: all }) => all.map((vm) => ({ host, ...vm })));
    if (vms.length > 0 && !withVms) {
      const some = vms.slice(0, 10).map(({ name, host }) => `${JSON.stringify(name)} of ${host}`);
      const more = vms.length > 10 ? ` and ${vms.length - 10} more` : '';
      const count = vms.length === 1 ? 'a VM' : `${vms.length} VMs`;
      const message = `${named} still has ${count}: ${some.join(', ')}${more}. Start their hosts and export them, or remove it with its VMs`;
      throw new ExtSwitchError('ILLEGAL_TRANSITION', message, { ...place, problems: vms });
    }
    await dropCluster({ address: { ...address, cluster }, manager: visit.manager });
    return found;
  });
}

/** Removes what killed runs have left longer than `afterMs` ago, and in which no host is alive. Gives their names. */
export async function removeLeftRuns(
  address: ClusterAddress,
  afterMs?: number,
): Promise<readonly string[]> {
  return visiting(address, ({ manager }) =>
    dropLeftRuns({ address: { ...address, cluster: '' }, manager }, afterMs),
  );
}

async function visiting<T>(
  address: ClusterAddress,
  work: (visit: ServerVisit) => Promise<T>,
): Promise<T> {
  const visit = await visitServers(address, CLIENT);
  try {
    return await work(visit);
  } catch (cause) {
    if (cause instanceof ExtSwitchError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot look at the clusters of ${address.servers.join(', ')}: ${found}`;
    throw new ExtSwitchError('STORE_UNAVAILABLE', message, { found }, { cause });
  } finally {
    await visit.close();
  }
}

/** Those with every bucket: what others keep on the same servers may have a name like one of them. */
async function clusterNames({ manager }: ServerVisit): Promise<string[]> {
  const streams = new Set<string>();
  for await (const stream of await manager.streams.names()) streams.add(stream);
  const names: string[] = [];
  for (const stream of streams) {
    const name = /^KV_(.+)-hosts$/.exec(stream)?.[1];
    if (name === undefined) continue;
    if (BUCKETS.every((bucket) => streams.has(`KV_${name}-${bucket}`))) names.push(name);
  }
  return names.sort();
}

async function look(visit: ServerVisit, cluster: string): Promise<FoundCluster> {
  const session = await visit.sessionOf(cluster);
  const { config, created } = await visit.manager.streams.info(`KV_${cluster}-policies`);
  const leases = await leasesOf(session);
  const names = new Set([...(await registeredHosts(session)), ...leases.keys()]);
  const hosts: FoundHost[] = [];
  for (const host of [...names].sort()) {
    const lease = leases.get(host);
    const vms = await vmsOf(session, host);
    hosts.push(
      lease === undefined
        ? { host, state: 'silent', vms }
        : {
            host,
            state: 'alive',
            epoch: lease.epoch,
            version: lease.version,
            since: lease.since,
            ...(lease.url === undefined ? {} : { url: lease.url }),
            vms,
          },
    );
  }
  return {
    cluster,
    created,
    replicas: config.num_replicas,
    leaseMs: (await session.kv('hosts').status()).ttl,
    isOfRun: isRunName(cluster),
    hosts,
  };
}

/** Those that stand: the servers take away what was not renewed. */
async function leasesOf(session: ClusterSession): Promise<Map<string, MemberRecord>> {
  const bucket = session.kv('hosts');
  const leases = new Map<string, MemberRecord>();
  for await (const host of await bucket.keys()) {
    const entry = await bucket.get(host);
    const record = entry?.operation === 'PUT' ? decodeMember(entry.value) : undefined;
    if (record !== undefined) leases.set(host, record);
  }
  return leases;
}

async function vmsOf(session: ClusterSession, host: string): Promise<readonly HostLeftover[]> {
  const publisher = new AckedPublisher(session.connection);
  try {
    const journal = new Journal(session, publisher, host, CLIENT);
    const objects = new StateObjects(session, host);
    return await peekLeftovers(session, journal, objects, performance.now() + READ_MS);
  } finally {
    publisher.close();
  }
}

function unknown(
  address: ClusterAddress,
  cluster: string,
  names: readonly string[],
): ExtSwitchError {
  const there = names.length === 0 ? 'none' : names.join(', ');
  const message = `there is no cluster ${JSON.stringify(cluster)} on ${describe({ ...address, cluster })}; there is ${there}`;
  return new ExtSwitchError('NOT_FOUND', message, { member: 'cluster', found: cluster });
}
