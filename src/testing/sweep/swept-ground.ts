import type { FabricInterface, FabricOptions } from '../../policy/api.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import type { Footing, Ground } from '../../scenario/ground.ts';
import type { HostSpec } from '../../scenario/scenario.ts';
import { MemoryStore } from '../../store/memory-store.ts';

/** What the ground of a sweep tells of the hosts that stand on it. */
export interface GroundListener {
  /** A process of a host is about to begin: what to open its world with, and what to call when it is open and when it has ended. */
  opening(host: string): {
    readonly options: Pick<FabricOptions, 'faults' | 'observer'>;
    opened(fabric: FabricInterface): void;
    ended(): void;
  };
}

/** Hosts of one process whose stores are in memory, whatever the scenario says, and can be copied. */
export class SweptGround implements Ground {
  readonly isBusy = false;
  readonly hosts = new LocalHosts();
  readonly stores = new Map<string, MemoryStore>();
  readonly #listener: GroundListener;

  constructor(listener: GroundListener) {
    this.#listener = listener;
  }

  async open({ name }: HostSpec): Promise<Footing> {
    const store = this.stores.get(name) ?? new MemoryStore();
    this.stores.set(name, store);
    const { options, opened, ended } = this.#listener.opening(name);
    return {
      store,
      hosts: this.hosts,
      options,
      opened: async (fabric) => opened(fabric),
      close: async () => ended(),
    };
  }

  async close(): Promise<void> {
    // Everything is in memory.
  }
}
