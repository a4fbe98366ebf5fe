import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ExtSwitchError } from '../../src/core/errors.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import type { Store } from '../../src/store/store.ts';
import { del, put } from '../support/store-contract.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'extswitch-lmdb-')));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
const newPath = () => join(base, `f${folders++}`);

/** What became of each write, in the order of the calls. */
function outcomes(writes: (Promise<void> | undefined)[]): Promise<unknown[]> {
  return Promise.all(
    writes.map((write) =>
      write?.then(
        () => 'durable',
        (cause: unknown) => cause,
      ),
    ),
  );
}

const keysOf = (store: Store) => [...store.range('')].map(([key]) => key);

t.test(
  'the medium fails: that write and all queued behind it reject with one cause, later ones work',
  async (t) => {
    let broken: Error | undefined;
    const cause = new Error('the medium is gone');
    const path = newPath();
    const store = await openLmdbStore(path, {
      medium: async (commit) => {
        if (broken === undefined) return commit();
        await new Promise((resolve) => setTimeout(resolve, 30));
        throw broken;
      },
    });
    await store.write([put('a', 1)]);
    broken = cause;
    const failing = outcomes([store.write([put('a', 2), put('b', 2)])]);
    // The first is under way after a turn of the event loop, so that the others queue behind it.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const behind = [store.write([put('c', 3)]), store.write([del('a')]), store.write([])];
    const found = [...(await failing), ...(await outcomes(behind))];
    for (const error of found) {
      t.equal(error, found[0], 'one error object for all');
      t.ok(error instanceof ExtSwitchError);
      t.match(error, { code: 'STORE_UNAVAILABLE', cause });
      t.ok(String((error as Error).message).includes(path));
    }
    t.strictSame([...store.range('')], [['a', 1]], 'none of them was applied');

    broken = undefined;
    await store.write([put('d', 4)]);
    t.strictSame(keysOf(store), ['a', 'd']);
    await store.close();
    const again = await openLmdbStore(path);
    t.strictSame(
      [...again.range('')],
      [
        ['a', 1],
        ['d', 4],
      ],
    );
    await again.close();
  },
);

t.test('a write called from the handler of a failed one is a new write', async (t) => {
  let failures = 1;
  const store = await openLmdbStore(newPath(), {
    medium: (commit) => (failures-- > 0 ? Promise.reject(new Error('once')) : commit()),
  });
  await store.write([put('a', 1)])?.catch(() => store.write([put('b', 2)]));
  t.strictSame(keysOf(store), ['b']);
  await store.close();
});

t.test('close while the medium fails ends, and the writes reject', async (t) => {
  const path = newPath();
  const store = await openLmdbStore(path, { medium: () => Promise.reject(new Error('no')) });
  const writes = outcomes([store.write([put('a', 1)])]);
  await store.close();
  t.match(await writes, [{ code: 'STORE_UNAVAILABLE' }]);
  const again = await openLmdbStore(path);
  t.strictSame(keysOf(again), []);
  await again.close();
});

t.test('a slow medium: writes meanwhile go into one later commit, in call order', async (t) => {
  let commits = 0;
  const store = await openLmdbStore(newPath(), {
    medium: async (commit) => {
      commits++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      await commit();
    },
  });
  const first = store.write([put('k', 0)]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const rest = Array.from({ length: 300 }, (_, i) => store.write([put('k', i + 1)]));
  await first;
  t.equal(store.get('k'), 0);
  await Promise.all(rest);
  t.equal(store.get('k'), 300);
  t.equal(commits, 2);
  await store.close();
});

t.test(
  'a value that cannot be stored is refused at once, by path of class, and stops no other write',
  async (t) => {
    const store = await openLmdbStore(newPath());
    const good = store.write([put('good', 1)]);
    let deep: unknown = 1;
    for (let i = 0; i < 70; i++) deep = [deep];
    const bad: [unknown, RegExp][] = [
      [undefined, /undefined/],
      [() => 1, /a function/],
      [Symbol('x'), /a symbol/],
      [new Date(0), /class Date/],
      [new Map(), /class Map/],
      [new Float64Array(1), /class Float64Array/],
      [{ a: { b: [new Set()] } }, /class Set/],
      ['\ud800', /lone surrogate/],
      [{ '\udc00': 1 }, /field name with a lone surrogate/],
      [JSON.parse('{"__proto__": 1}'), /__proto__/],
      [deep, /deeper than 64/],
    ];
    for (const [value, found] of bad) {
      const write = () => store.write([put('first', 1), put('bad', value as null)]);
      t.throws(write, { code: 'INVALID_ARGUMENT', message: found }, String(found));
    }
    await good;
    t.strictSame(keysOf(store), ['good']);
    await store.close();
  },
);

t.test('bytes of a caller changed after the call do not reach the store', async (t) => {
  const store = await openLmdbStore(newPath());
  const bytes = new Uint8Array([1, 2, 3]);
  const write = store.write([put('a', bytes)]);
  bytes.fill(9);
  await write;
  t.strictSame(store.get('a'), new Uint8Array([1, 2, 3]));
  await store.close();
});

t.test(
  'a record that is no value is STORE_CORRUPT when read, and the others stay readable',
  async (t) => {
    const path = newPath();
    const first = await openLmdbStore(path);
    await first.write([put('a', 1), put('c', 3)]);
    await first.close();
    const raw = openEnvironment(path);
    // 0xC7 announces an extension of 255 bytes that are not there (MessagePack specification, ext 8).
    raw.putSync('b', Buffer.from([0xc7, 0xff, 0x01]));
    await raw.close();
    const store = await openLmdbStore(path);
    t.equal(store.get('a'), 1);
    t.throws(() => store.get('b'), { code: 'STORE_CORRUPT', message: path });
    t.throws(() => [...store.range('')], { code: 'STORE_CORRUPT' });
    t.equal(store.get('c'), 3);
    await store.write([put('b', 2)]);
    t.strictSame(
      [...store.range('')],
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
      ],
    );
    await store.close();
  },
);

t.test('an iteration open at close gets an error, not fewer entries', async (t) => {
  const store = await openLmdbStore(newPath());
  await store.write([put('a', 1), put('b', 2)]);
  const iterator = store.range('')[Symbol.iterator]();
  iterator.next();
  await store.close();
  t.throws(() => iterator.next(), { code: 'STORE_UNAVAILABLE', message: /closed while/ });
  t.same(iterator.return?.(), { done: true, value: undefined });
});

t.test('more operations than one commit takes are all stored, in order', async (t) => {
  const store = await openLmdbStore(newPath());
  const writes = Array.from({ length: 30 }, (_, w) =>
    store.write(Array.from({ length: 1000 }, (_, i) => put(`k/${i}`, w))),
  );
  await Promise.all(writes);
  t.equal(keysOf(store).length, 1000);
  t.ok([...store.range('')].every(([, value]) => value === 29));
  await store.close();
});

/** Descriptors of `data.mdb`: the one for pages and the one, opened with O_DSYNC, for meta pages. */
function dataFiles(path: string): { pages: number; metas: number } {
  let pages = -1;
  let metas = -1;
  for (const name of readdirSync('/proc/self/fd')) {
    const target = (() => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`);
      } catch {
        return '';
      }
    })();
    if (target !== join(path, 'data.mdb')) continue;
    const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
    if ((Number.parseInt(flags ?? '0', 8) & 0o10000) !== 0) metas = Number(name);
    else pages = Number(name);
  }
  return { pages, metas };
}

/** Lets a descriptor that LMDB uses stand for `file` instead. */
function replaceFile(descriptor: number, file: string, flags: string): void {
  // The system gives out the lowest free number: all below must be taken.
  const fillers: number[] = [];
  while ((fillers.at(-1) ?? 0) < descriptor) fillers.push(openSync('/dev/null', 'r'));
  closeSync(descriptor);
  const got = openSync(file, flags);
  for (const filler of fillers) closeSync(filler);
  if (got !== descriptor) throw new Error(`descriptor ${got} instead of ${descriptor}`);
}

const skip = process.platform === 'linux' ? false : 'needs /proc and /dev/full';

t.test(
  'pages cannot be written (/dev/full): refused, nothing applied, works when they can',
  { skip },
  async (t) => {
    const path = newPath();
    const store = await openLmdbStore(path);
    await store.write([put('a', 1)]);
    const { pages } = dataFiles(path);
    replaceFile(pages, '/dev/full', 'r+');
    const found = await outcomes([
      store.write([put('a', 2), put('b', 2)]),
      store.write([put('c', 3)]),
    ]);
    for (const error of found)
      t.match(error, { code: 'STORE_UNAVAILABLE', message: /disk is full/ });
    t.strictSame([...store.range('')], [['a', 1]]);
    replaceFile(pages, join(path, 'data.mdb'), 'r+');
    await store.write([put('d', 4)]);
    await store.close();
    const again = await openLmdbStore(path);
    t.strictSame(
      [...again.range('')],
      [
        ['a', 1],
        ['d', 4],
      ],
    );
    await again.close();
  },
);

t.test(
  'the meta page cannot be written, after which LMDB refuses all: the store recovers by itself',
  { skip },
  async (t) => {
    const path = newPath();
    const store = await openLmdbStore(path);
    await store.write([put('a', 1)]);
    const open = store.range('')[Symbol.iterator]();
    open.next();
    replaceFile(dataFiles(path).metas, '/dev/full', 'r+');
    const [error] = await outcomes([store.write([put('a', 2)])]);
    t.match(error, { code: 'STORE_UNAVAILABLE', message: /disk is full/ });
    t.equal(store.get('a'), 1);
    await store.write([put('b', 2)]);
    t.strictSame(
      [...store.range('')],
      [
        ['a', 1],
        ['b', 2],
      ],
    );
    t.throws(() => open.next(), { code: 'STORE_UNAVAILABLE' }, 'its environment is gone');
    await store.close();
    const again = await openLmdbStore(path);
    t.strictSame(keysOf(again), ['a', 'b']);
    await again.close();
  },
);

t.test('group commit: a batch fails as a whole, with all batches behind it', async (t) => {
  const seen: string[][] = [];
  let fail = true;
  const commits = new GroupCommit(async (batch) => {
    seen.push([...batch.keys]);
    if (fail) throw new Error('first');
  });
  const many = Array.from({ length: 10_000 }, (_, i) => `m${i}`);
  const results = outcomes([
    commits.write(['a'], [undefined]),
    commits.write(
      many,
      many.map(() => undefined),
    ),
    commits.write(['z'], [undefined]),
  ]);
  t.match(await results, [{ message: 'first' }, { message: 'first' }, { message: 'first' }]);
  t.equal(seen.length, 1, 'the batch behind was not tried');
  t.equal(seen[0]?.length, 10_001);
  fail = false;
  await commits.write(['b'], [undefined]);
  t.strictSame(seen[1], ['b']);
  await commits.idle();
});
