import type { Store, StoreOp, StoreReport } from './store.ts';

/**
 * A copy of what any store holds, as a store folder `to`: as of one moment, between two writes. `to` must be missing or an
 * empty folder, else `ALREADY_EXISTS`; when it fails, nothing is at `to`.
 */
export async function backupStore(store: Store, to: string): Promise<StoreReport> {
  if (store.backup !== undefined) return store.backup(to);
  // As of now: the store may change while the engine is loaded.
  const ops = Array.from(store.range(''), ([key, value]): StoreOp => ({ op: 'put', key, value }));
  const { makeCopy } = await import('./store-copy.ts');
  const { openLmdbStore } = await import('./lmdb-store.ts');
  return makeCopy(to, async (folder) => {
    const copy = await openLmdbStore(folder);
    try {
      await copy.write(ops);
    } finally {
      await copy.close();
    }
  });
}
