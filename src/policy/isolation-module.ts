import type { Isolation } from '../isolation/isolation.ts';

let loaded: typeof Isolation | undefined;

/** What runs extensions in worker threads, read from the disk with the first world that wants it. */
export async function loadIsolation(): Promise<typeof Isolation> {
  loaded ??= (await import('../isolation/isolation.ts')).Isolation;
  return loaded;
}
