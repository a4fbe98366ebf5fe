import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PolicySet } from './policies.ts';

/** A backup of a host's store, and the policies its host was meant to have then. */
export interface Backup {
  readonly folder: string;
  readonly policies: PolicySet;
}

/** Moments of one run: what its steps have kept to go back to, in memory and in a folder that goes with the run, and waited for. */
export class Moments {
  /** Virtual time until which a step has asked to wait. */
  waitsUntilMs = 0;
  readonly #snapshots = new Map<string, PolicySet>();
  readonly #backups = new Map<string, Backup>();
  #folder: string | undefined;
  #working = 0;

  /** A disk is at work, which has a time of its own: virtual time does not pass meanwhile. */
  get isBusy(): boolean {
    return this.#working > 0;
  }

  async working<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  /** The policies a host was meant to have when it took a snapshot; `undefined`: no step has taken it. */
  snapshot(host: string, name: string): PolicySet | undefined {
    return this.#snapshots.get(JSON.stringify([host, name]));
  }

  keepSnapshot(host: string, name: string, policies: PolicySet): void {
    this.#snapshots.set(JSON.stringify([host, name]), policies);
  }

  /** Throws when no step has made it. */
  backup(name: string): Backup {
    const found = this.#backups.get(name);
    if (found === undefined) throw new Error(`no step has made the backup ${name} so far`);
    return found;
  }

  /** `make` gets a folder that is not there yet. */
  async keepBackup(
    name: string,
    policies: PolicySet,
    make: (folder: string) => Promise<unknown>,
  ): Promise<void> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'extswitch-scenario-'));
    const folder = join(this.#folder, String(this.#backups.size + 1));
    await rm(folder, { recursive: true, force: true });
    await make(folder);
    this.#backups.delete(name);
    this.#backups.set(name, { folder, policies });
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
