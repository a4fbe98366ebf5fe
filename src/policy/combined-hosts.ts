import type { HostDirectory, MigrationPeer } from './migration-api.ts';

/** Two directories as one: the worlds of this process and the hosts of the cluster. What the first one knows goes first. */
export class CombinedHosts implements HostDirectory {
  readonly #near: HostDirectory;
  readonly #far: HostDirectory;

  constructor(near: HostDirectory, far: HostDirectory) {
    this.#near = near;
    this.#far = far;
  }

  peer(host: string): MigrationPeer | undefined {
    return this.#near.peer(host) ?? this.#far.peer(host);
  }

  knows(host: string): boolean {
    return this.#near.knows?.(host) === true || this.#far.knows?.(host) === true;
  }

  /** Joins both, or none. */
  join(peer: MigrationPeer): void {
    this.#near.join(peer);
    try {
      this.#far.join(peer);
    } catch (error) {
      this.#near.leave(peer);
      throw error;
    }
  }

  leave(peer: MigrationPeer): void {
    this.#far.leave(peer);
    this.#near.leave(peer);
  }

  subscribe(listener: (host: string) => void): () => void {
    const near = this.#near.subscribe(listener);
    const far = this.#far.subscribe(listener);
    return () => {
      near();
      far();
    };
  }
}
