import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { runStoreContract } from '../support/store-contract.ts';

const base = mkdtempSync(join(tmpdir(), 'extswitch-contract-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));

runStoreContract(t, { name: 'memory', create: async () => new MemoryStore(), modelRuns: 300 });

let folders = 0;
runStoreContract(t, {
  name: 'lmdb',
  create: () => openLmdbStore(join(base, String(folders++))),
  reopen: (closed) => openLmdbStore(closed.description.slice('lmdb '.length)),
  modelRuns: 100,
});
