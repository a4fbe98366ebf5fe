import { ExtSwitchError } from '../core/errors.ts';
import type { HostDirectory, MigrationPeer } from '../policy/migration-api.ts';
import type { Cluster } from './api.ts';
import { answerPeerCall, PEER_SERVICE } from './peer-service.ts';
import { RemotePeer } from './remote-peer.ts';

/** What {@link ClusterHosts} needs of the cluster it is part of. */
export interface ClusterHostsOptions extends Pick<Cluster, 'ask' | 'serve' | 'subscribe'> {
  readonly host: string;
  /** Epochs of the other hosts whose worlds are open. */
  open(): ReadonlyMap<string, number>;
  /** Names of all other hosts. */
  known(): ReadonlySet<string>;
  /** Says whether VMs can be migrated to this host now. */
  sayOpen(isOpen: boolean): void;
}

/** The other hosts of a cluster, for migrations; this one, for theirs. */
export class ClusterHosts implements HostDirectory {
  readonly #options: ClusterHostsOptions;
  readonly #listeners = new Set<(host: string) => void>();
  #open: ReadonlyMap<string, number>;
  #joined: { readonly peer: MigrationPeer; readonly end: () => void } | undefined;

  constructor(options: ClusterHostsOptions) {
    this.#options = options;
    this.#open = options.open();
    options.subscribe(() => this.#changed());
  }

  peer(host: string): MigrationPeer | undefined {
    if (!this.#options.open().has(host)) return undefined;
    return new RemotePeer(this.#options, host);
  }

  knows(host: string): boolean {
    return this.#options.known().has(host);
  }

  join(peer: MigrationPeer): void {
    const { host } = this.#options;
    if (peer.host !== host) {
      throw new ExtSwitchError(
        'INVALID_ARGUMENT',
        `a world named ${JSON.stringify(peer.host)} cannot join the cluster as host ${JSON.stringify(host)}`,
        { member: 'name', expected: host, found: peer.host },
      );
    }
    if (this.#joined !== undefined) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `a world is host ${JSON.stringify(host)} of the cluster already`,
        { member: 'name', found: host },
      );
    }
    const end = this.#options.serve(PEER_SERVICE, (body) => answerPeerCall(peer, body));
    this.#joined = { peer, end };
    this.#options.sayOpen(true);
  }

  leave(peer: MigrationPeer): void {
    if (this.#joined?.peer !== peer) return;
    this.#joined.end();
    this.#joined = undefined;
    this.#options.sayOpen(false);
  }

  subscribe(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One that was not there, or is another process now: what waits for it goes on. */
  #changed(): void {
    const before = this.#open;
    const open = this.#options.open();
    this.#open = open;
    for (const [host, epoch] of open) {
      if (before.get(host) === epoch) continue;
      for (const listener of [...this.#listeners]) listener(host);
    }
  }
}
