import { bundledExtensions } from '../extensions/index.ts';
import { Fabric } from '../src/policy/fabric.ts';
import { MemoryStore } from '../src/store/memory-store.ts';
import type { BenchCase } from './bench-case.ts';

const PORTS = 1_000;
const SNAPSHOT = 'full';

/** Three extensions, as `oid.roundtrip.3ext` has. */
const extensions = (await bundledExtensions()).slice(0, 3);

/** A world whose switch has the ports, its content in a store of its own, and a snapshot. */
async function openFull(hasNics: boolean): Promise<{ fabric: Fabric; content: MemoryStore }> {
  const store = new MemoryStore();
  const fabric = await Fabric.open({ clock: 'manual', seed: 'bench', extensions, store });
  const sw = await fabric.switches.create({ name: 'S', extensions });
  for (let i = 0; i < PORTS; i += 1) {
    const port = await sw.ports.create({ name: `p${i}` });
    if (hasNics) await port.nics.connect();
  }
  await fabric.snapshots.create({ name: SNAPSHOT });
  return { fabric, content: store.fork() };
}

const bare = await openFull(false);
const connected = await openFull(true);

/** Forks, and closes what it made. */
function forkOf({ fabric }: { readonly fabric: Fabric }): () => Promise<number> {
  return async () => {
    const fork = await fabric.snapshots.fork(SNAPSHOT);
    await fork.close();
    return 1;
  };
}

/** The same world by the way of a service start: a store that has the content, entry by entry, and a world opened on it. */
function openOf({ content }: { readonly content: MemoryStore }): () => Promise<number> {
  return async () => {
    const store = new MemoryStore();
    store.write(
      Array.from(content.range(''), ([key, value]) => ({ op: 'put', key, value }) as const),
    );
    const fabric = await Fabric.open({ clock: 'manual', seed: 'bench', extensions, store });
    await fabric.close();
    return 1;
  };
}

const openedInstead = 'opening a world from a store with the same content';

export const benches: readonly BenchCase[] = [
  {
    name: 'world.fork',
    unit: 'forks/s (1,000 ports, 3 extensions; forked and closed)',
    run: forkOf(bare),
    baseline: { name: openedInstead, run: openOf(bare) },
  },
  {
    name: 'world.fork.connected',
    unit: 'forks/s (1,000 ports, each with a connected NIC; forked and closed)',
    run: forkOf(connected),
    baseline: { name: openedInstead, run: openOf(connected) },
  },
];
