import type { Guid } from '../core/guid.ts';
import type { HostDirectory } from './migration-api.ts';

/** Migrations that one process remembers to tell of. */
const MOST = 1000;

/**
 * The last message of a migration: the source has written that the VM is the destination's and never asks again, so that nobody
 * needs the destination's answer any more (decision 0010). One that did not come through is said again: with the next one to that
 * host, when that host joins, and after a restart of this one, which may have died between its write and the message.
 */
export class Farewells {
  readonly #hosts: HostDirectory | undefined;
  /** Oldest first. */
  readonly #untold = new Map<Guid, string>();
  /** Hosts that are being told. */
  readonly #busy = new Set<string>();

  constructor(hosts: HostDirectory | undefined) {
    this.#hosts = hosts;
  }

  /** It has ended, and perhaps that host does not know. */
  remember(migration: Guid, host: string): void {
    this.#untold.set(migration, host);
    for (const oldest of this.#untold.keys()) {
      if (this.#untold.size <= MOST) return;
      this.#untold.delete(oldest);
    }
  }

  /** That host has not heard of this one: its record stays, so that a restart knows of it too. */
  owes(migration: Guid): boolean {
    return this.#untold.has(migration);
  }

  /** Never throws. */
  async tell(migration: Guid, host: string): Promise<void> {
    if (!(await this.#told(migration, host))) return this.remember(migration, host);
    if (this.#untold.size > 0) await this.tellAll(host);
  }

  /** Everything that host has not been told, as long as it answers. */
  async tellAll(host: string): Promise<void> {
    if (this.#busy.has(host)) return;
    this.#busy.add(host);
    try {
      for (const [migration, destination] of [...this.#untold]) {
        if (destination !== host || !this.#untold.has(migration)) continue;
        if (!(await this.#told(migration, host))) return;
        this.#untold.delete(migration);
      }
    } finally {
      this.#busy.delete(host);
    }
  }

  /** Every host that has not been told something and is there. */
  async tellEveryone(): Promise<void> {
    await Promise.all([...new Set(this.#untold.values())].map((host) => this.tellAll(host)));
  }

  /** The world was emptied. */
  clear(): void {
    this.#untold.clear();
  }

  async #told(migration: Guid, host: string): Promise<boolean> {
    try {
      const peer = this.#hosts?.peer(host);
      await peer?.forget(migration);
      return peer !== undefined;
    } catch {
      return false;
    }
  }
}
