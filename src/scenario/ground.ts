import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FabricInterface, FabricOptions } from '../policy/api.ts';
import type { HostDirectory } from '../policy/migration-api.ts';
import { LocalHosts } from '../policy/migration-hosts.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import type { HostSpec } from './scenario.ts';

/** What one life of a host stands on. */
export interface Footing {
  readonly store: Store;
  /** The other hosts as this one finds them. */
  readonly hosts: HostDirectory;
  /** What the world is opened with beside what its scenario says; left out: nothing. */
  readonly options?: Pick<FabricOptions, 'faults' | 'observer'>;
  /** The host's world is open on it. */
  opened(fabric: FabricInterface): Promise<void>;
  /** The world is closed, and its store with it. */
  close(): Promise<void>;
}

/** Where the hosts of one run keep what outlives them, and how they reach each other. */
export interface Ground {
  /** Something is on its way that takes real time: virtual time does not pass meanwhile. */
  readonly isBusy: boolean;
  open(spec: HostSpec): Promise<Footing>;
  /** The run is over. */
  close(): Promise<void>;
}

/** One process: stores in memory, or on disk where a host says so; hosts call each other. */
export class LocalGround implements Ground {
  readonly isBusy = false;
  readonly #hosts = new LocalHosts();
  readonly #memories = new Map<string, MemoryStore>();
  #folder: string | undefined;

  async open({ name, store }: HostSpec): Promise<Footing> {
    const none = async (): Promise<void> => undefined;
    const rest = { hosts: this.#hosts, opened: none, close: none };
    if (store === 'memory') return { store: this.#memory(name), ...rest };
    this.#folder ??= await mkdtemp(join(tmpdir(), 'extswitch-scenario-'));
    return { store: await openStore(join(this.#folder, encodeURIComponent(name))), ...rest };
  }

  #memory(name: string): Store {
    const memory = this.#memories.get(name) ?? new MemoryStore();
    this.#memories.set(name, memory);
    return memory;
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
