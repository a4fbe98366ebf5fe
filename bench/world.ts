import { bundledExtensions } from '../extensions/index.ts';
import { Fabric } from '../src/policy/fabric.ts';
import type { BenchCase } from './bench-case.ts';

const BATCH = 200;

const extensions = await bundledExtensions();

let worlds: Fabric[] = [];

/** Opens worlds in memory, each with the bundled extensions and ready to take a switch; they are closed outside the measured batch's own share. */
async function openWorlds(): Promise<number> {
  for (const world of worlds) await world.close();
  worlds = [];
  for (let i = 0; i < BATCH; i += 1) worlds.push(await Fabric.open({ seed: 'bench', extensions }));
  return BATCH;
}

export const benches: readonly BenchCase[] = [
  { name: 'world.create', unit: 'worlds/s (opened and closed)', run: openWorlds },
];
