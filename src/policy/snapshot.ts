import type { Guid } from '../core/guid.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { Store } from '../store/store.ts';
import type { FaultRuleState } from './fault-rule.ts';
import { restoreFeatures } from './restore.ts';
import type { SnapshotInfo } from './sim-api.ts';
import type { World, WorldPosition } from './world.ts';

/** One moment of a world: all of it that is not made anew from this. */
export interface Snapshot {
  readonly info: SnapshotInfo;
  /** Never written: what goes on from it is a fork. */
  readonly store: MemoryStore;
  readonly extensions: ReadonlyMap<Guid, ExtensionDefinition>;
  readonly position: WorldPosition;
  /** Fault rules with their counts. */
  readonly faults: readonly FaultRuleState[];
  /** {@link World.epoch}: the trace it has a number of. */
  readonly epoch: number;
}

/** Call it while no change is under way. */
export function takeSnapshot(world: World, name: string): Snapshot {
  const store = copyOf(world.store);
  return {
    info: { name, time: world.clock.now(), seq: world.events.lastSeq, ...countsOf(store) },
    store,
    extensions: new Map(world.extensions),
    position: world.position,
    faults: world.faults.rules.state,
    epoch: world.epoch,
  };
}

/** In memory. A memory store costs nothing to copy; of others every record is read. */
function copyOf(store: Store): MemoryStore {
  if (store instanceof MemoryStore) return store.fork();
  const copy = new MemoryStore();
  copy.write(Array.from(store.range(''), ([key, value]) => ({ op: 'put', key, value }) as const));
  return copy;
}

type Counts = Pick<SnapshotInfo, 'switches' | 'ports' | 'properties' | 'vms' | 'records'>;

function countsOf(store: MemoryStore): Counts {
  const of = (kind: string): number => store.count(`${kind}/`);
  return {
    switches: of('switch'),
    ports: of('port'),
    properties: of('property'),
    vms: of('vm'),
    records: store.count(''),
  };
}

/** Classes and extensions of a world whose switches are down become what the store, and these extensions, say. */
export function replaceCatalog(
  world: World,
  extensions: ReadonlyMap<Guid, ExtensionDefinition>,
): void {
  world.registry.clear();
  restoreFeatures(world);
  world.extensions.clear();
  // Their classes are stored, as far as nobody has deleted them.
  for (const [id, definition] of extensions) world.extensions.set(id, definition);
  world.macs.clear();
}
