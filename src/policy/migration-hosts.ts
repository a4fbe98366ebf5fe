import { ExtSwitchError } from '../core/errors.ts';
import type { HostDirectory, MigrationPeer } from './migration-api.ts';

/**
 * The worlds of one process as each other's hosts: give the same object to every `Fabric.open` as `hosts`, each with a `name` of
 * its own.
 */
export class LocalHosts implements HostDirectory {
  readonly #peers = new Map<string, MigrationPeer>();
  readonly #listeners = new Set<(host: string) => void>();

  peer(host: string): MigrationPeer | undefined {
    return this.#peers.get(host);
  }

  join(peer: MigrationPeer): void {
    const { host } = peer;
    if (this.#peers.has(host)) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `a host named ${JSON.stringify(host)} is there already: open the world with another name`,
        { member: 'name', found: host },
      );
    }
    this.#peers.set(host, peer);
    for (const listener of [...this.#listeners]) listener(host);
  }

  leave(peer: MigrationPeer): void {
    if (this.#peers.get(peer.host) === peer) this.#peers.delete(peer.host);
  }

  subscribe(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
