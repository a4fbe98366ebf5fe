import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { MemoryStore } from '../src/store/memory-store.ts';
import { openStore } from '../src/store/open-store.ts';
import type { Store, StoreOp, StoreValue } from '../src/store/store.ts';
import type { BenchCase } from './bench-case.ts';

/** Stored properties in the large cases. */
const MANY = 1_000_000;
const FEW = 1_000;
/** Connections of the HTTP case that these writers stand for. */
const WRITERS = 64;
const DURABLE_WRITES = 6_400;

const folder = mkdtempSync(join(tmpdir(), 'extswitch-bench-store-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const hex = (n: number) => n.toString(16).padStart(8, '0');
const guid = (n: number) => `${hex(n)}-7a5e-4c1b-9c61-000000000000`;

/** Ten properties a port, a thousand ports a switch. */
function keyOf(n: number): string {
  const port = Math.floor(n / 10);
  return `switch/${guid(Math.floor(port / 1000))}/port/${port % 1000}/property/${guid(n)}`;
}

function propertyOf(n: number): StoreValue {
  return {
    featureId: guid(3),
    version: '1.0.0',
    settings: { SettingIntA: n, SettingIntB: BigInt(n), SettingString: 'allow' },
  };
}

/** Key texts as a caller makes them: new strings each run, so that every run pays for hashing them. */
function keysFrom(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => keyOf(first + i));
}

const PROPERTY = propertyOf(1);
/** A thousand properties go in and out again, ten a port, on the first ports of a store that keeps its size. */
const CHANGED = 1_000;

function changeMemory(store: MemoryStore): number {
  const put = { op: 'put' as const, key: '', value: PROPERTY };
  const puts: StoreOp[] = [put];
  let done = 0;
  for (let round = 0; round < 50; round++) {
    const keys = keysFrom(0, CHANGED).map((key) => `${key}+`);
    for (const key of keys) {
      put.key = key;
      store.write(puts);
    }
    for (const key of keys) store.write([{ op: 'delete', key }]);
    done += 2 * CHANGED;
  }
  return done;
}

function filledMemory(size: number): () => MemoryStore {
  let store: MemoryStore | undefined;
  return () => {
    if (store !== undefined) return store;
    store = new MemoryStore();
    for (const key of keysFrom(0, size)) store.write([{ op: 'put', key, value: PROPERTY }]);
    return store;
  };
}

const manyInMemory = filledMemory(MANY);
const fewInMemory = filledMemory(FEW);

async function runWriters(write: (n: number) => unknown, first: number): Promise<number> {
  let next = first;
  const end = first + DURABLE_WRITES;
  const writer = async () => {
    while (next < end) await write(next++);
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
  return DURABLE_WRITES;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const durableStore = once(() => openStore(join(folder, 'durable')));
const durableRaw = once(async () => openRaw('durable-raw'));

/** lmdb as its README shows it, flushing each commit as the store does. */
function openRaw(name: string): RootDatabase {
  return open({ path: join(folder, name), overlappingSync: false });
}

let nextOurs = 0;
let nextRaw = 0;

const fullStore = once(async (): Promise<Store> => {
  const store = await openStore(join(folder, 'full'));
  for (let first = 0; first < MANY; first += 10_000) {
    await store.write(
      keysFrom(first, 10_000).map((key, i) => ({ op: 'put', key, value: propertyOf(first + i) })),
    );
  }
  await store.close();
  return openStore(join(folder, 'full'));
});

const fullRaw = once(async () => {
  const db = openRaw('full-raw');
  for (let first = 0; first < MANY; first += 10_000) {
    await Promise.all(keysFrom(first, 10_000).map((key, i) => db.put(key, propertyOf(first + i))));
  }
  return db;
});

export const benches: BenchCase[] = [
  {
    name: 'store.memory.create',
    unit: 'stores',
    run() {
      let open = 0;
      for (let i = 0; i < 100_000; i++) if (new MemoryStore().get('a') === undefined) open++;
      return open;
    },
  },
  {
    name: 'store.memory.change.1M',
    unit: 'puts and deletes',
    run: () => changeMemory(manyInMemory()),
    baseline: { name: 'the same with 1,000 stored', run: () => changeMemory(fewInMemory()) },
  },
  {
    name: 'store.lmdb.durable',
    unit: 'writes',
    async run() {
      const store = await durableStore();
      const first = nextOurs;
      nextOurs += DURABLE_WRITES;
      return runWriters(
        (n) => store.write([{ op: 'put', key: keyOf(n), value: propertyOf(n) }]),
        first,
      );
    },
    baseline: {
      name: 'lmdb put with its own batching, flushed as well',
      async run() {
        const db = await durableRaw();
        const first = nextRaw;
        nextRaw += DURABLE_WRITES;
        return runWriters((n) => db.put(keyOf(n), propertyOf(n)), first);
      },
    },
  },
  {
    name: 'store.reopen.raw',
    unit: 'records',
    async run() {
      let count = 0;
      for (const entry of (await fullStore()).range('')) if (entry[0] !== '') count++;
      return count;
    },
    baseline: {
      name: 'lmdb getRange',
      async run() {
        let count = 0;
        for (const { key } of (await fullRaw()).getRange()) if (key !== '') count++;
        return count;
      },
    },
  },
];
