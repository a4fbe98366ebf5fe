import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/api.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { FabricInterface } from '../policy/api.ts';
import type { HostDirectory, MigrationPeer } from '../policy/migration-api.ts';
import type { Footing, Ground } from './ground.ts';
import type { HostSpec } from './scenario.ts';

/** How long hosts may take to find each other. */
const MEET_MS = 15_000;
const LOOK_EVERY_MS = 5;

/** Questions between the hosts of a run: those on their way take real time, those being answered take virtual time. */
class Traffic {
  asking = 0;
  answering = 0;

  get isOnItsWay(): boolean {
    return this.asking > this.answering;
  }
}

/** Clusters that killed runs have left are looked for once in a process. */
let hasLooked: Promise<unknown> | undefined;

/** A member of the cluster whose world is open. */
interface Member {
  readonly name: string;
  readonly hosts: HostDirectory;
}

/**
 * A real cluster: each host is a member with a connection of its own, its records are in the buckets, what it asks another goes over
 * request and reply. The processes are one, since the steps look into every host.
 */
export class ClusterGround implements Ground {
  readonly #address: string;
  readonly #isOwn: boolean;
  readonly #traffic = new Traffic();
  readonly #members = new Set<Member>();
  /** Hosts that were members before: what they find is theirs. */
  readonly #known = new Set<string>();
  #opening = 0;

  /** `isOwn`: the cluster was made for this run and goes with it. */
  constructor(address: string, isOwn: boolean) {
    this.#address = address;
    this.#isOwn = isOwn;
  }

  get isBusy(): boolean {
    return this.#opening > 0 || this.#traffic.isOnItsWay;
  }

  async open({ name, profile }: HostSpec): Promise<Footing> {
    this.#opening += 1;
    try {
      const { openCluster } = await import('../cluster/open-cluster.ts');
      const cluster = await openCluster(this.#address, { name, profile });
      try {
        this.#refuseStrangers(cluster);
        return await this.#footing(cluster);
      } catch (error) {
        await cluster.close();
        throw error;
      }
    } finally {
      this.#opening -= 1;
    }
  }

  /** A run begins with nothing: what another run has left is not overwritten. */
  #refuseStrangers({ host, name, store }: Cluster): void {
    if (this.#known.has(host)) return;
    for (const [key] of store.range('')) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `host ${JSON.stringify(host)} of cluster ${JSON.stringify(name)} has records already (${key}): expected a cluster that ` +
          'no run and no server has used; leave the name out of --store to have one made',
        { found: key },
      );
    }
    this.#known.add(host);
  }

  async #footing(cluster: Cluster): Promise<Footing> {
    const { tapEvents } = await import('../cluster/event-tap.ts');
    const hosts = counted(cluster.hosts, this.#traffic);
    const member = { name: cluster.host, hosts };
    let endTap = (): void => undefined;
    return {
      store: cluster.store,
      hosts,
      opened: async (fabric: FabricInterface) => {
        endTap = tapEvents(fabric, cluster.events);
        this.#members.add(member);
        await this.#meet();
      },
      close: async () => {
        this.#members.delete(member);
        endTap();
        await cluster.close();
      },
    };
  }

  /** Until every host finds every other: it takes a message to know of one. */
  async #meet(): Promise<void> {
    this.#opening += 1;
    const until = Date.now() + MEET_MS;
    try {
      for (;;) {
        const missing = this.#missing();
        if (missing === undefined) return;
        if (Date.now() > until) throw new ExtSwitchError('HOST_UNREACHABLE', missing);
        await sleep(LOOK_EVERY_MS);
      }
    } finally {
      this.#opening -= 1;
    }
  }

  #missing(): string | undefined {
    const members = [...this.#members];
    for (const { name, hosts } of members) {
      const other = members.find((each) => each.name !== name && !hosts.peer(each.name));
      if (other !== undefined) return `host ${name} has not found host ${other.name}`;
    }
    return undefined;
  }

  async close(): Promise<void> {
    if (!this.#isOwn) return;
    const { parseClusterAddress } = await import('../cluster/address.ts');
    const { dropCluster, dropLeftRuns, openSession } = await import('../cluster/session.ts');
    const session = await openSession(parseClusterAddress(this.#address), 'extswitch run');
    try {
      await dropCluster(session);
      // What runs before were killed too soon to remove. No fault of this one's.
      hasLooked ??= dropLeftRuns(session).catch(() => []);
      await hasLooked;
    } finally {
      await session.close();
    }
  }
}

/** The directory with every question that goes through it counted, on both of its ends. */
function counted(hosts: HostDirectory, traffic: Traffic): HostDirectory {
  const joined = new Map<MigrationPeer, MigrationPeer>();
  return {
    peer: (host) => {
      const peer = hosts.peer(host);
      return peer && wrapped(peer, 'asking', traffic);
    },
    join: (peer) => {
      const answering = wrapped(peer, 'answering', traffic);
      hosts.join(answering);
      joined.set(peer, answering);
    },
    leave: (peer) => {
      hosts.leave(joined.get(peer) ?? peer);
      joined.delete(peer);
    },
    subscribe: (listener) => hosts.subscribe(listener),
  };
}

/** The peer with its calls counted while they last. */
function wrapped(
  peer: MigrationPeer,
  count: 'asking' | 'answering',
  traffic: Traffic,
): MigrationPeer {
  return new Proxy(peer, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...given: unknown[]): Promise<unknown> => {
        traffic[count] += 1;
        try {
          return await member.apply(target, given);
        } finally {
          traffic[count] -= 1;
        }
      };
    },
  });
}
