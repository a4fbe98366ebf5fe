import { ExtSwitchError } from '../core/errors.ts';
import { MemoryStore } from './memory-store.ts';
import type { Store } from './store.ts';

/**
 * Opens the store that `spec` names: `memory`, or a folder for the embedded engine (LMDB, loaded only then).
 *
 * Errors: `USAGE` for a spec no engine is for; for a folder those of `openLmdbStore`.
 */
export async function openStore(spec: string): Promise<Store> {
  if (spec === 'memory') return new MemoryStore();
  if (spec === '') {
    throw new ExtSwitchError('USAGE', 'the store is empty text: expected "memory" or a folder');
  }
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(spec)?.[1];
  if (scheme === undefined) {
    const { openLmdbStore } = await import('./lmdb-store.ts');
    return openLmdbStore(spec);
  }
  const isCluster = /^(nats|tls)$/i.test(scheme);
  const what = isCluster
    ? 'only "serve" and "run" take a cluster (--store nats://…)'
    : `there is no store engine for ${scheme}://`;
  const expected = 'memory or a folder';
  // The address may hold a password, so it is not repeated.
  throw new ExtSwitchError('USAGE', `${what}: expected "memory" or a folder`, {
    expected,
    found: `${scheme}://…`,
  });
}
