import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Test } from 'tap';
import type { Store, StoreOp, StoreValue } from '../../src/store/store.ts';

/** How the contract suite makes one engine's stores. */
export interface StoreEngine {
  readonly name: string;
  /** A new, empty store. */
  create(): Promise<Store>;
  /** The store that `closed` was, in a new object; absent when nothing outlives the object. */
  readonly reopen?: (closed: Store) => Promise<Store>;
  /** Runs of the model test. */
  readonly modelRuns: number;
}

export type Entry = readonly [key: string, value: StoreValue];

export const put = (key: string, value: StoreValue): StoreOp => ({ op: 'put', key, value });
export const del = (key: string): StoreOp => ({ op: 'delete', key });

/** Runs the laws of `Store` (src/store/store.ts) against one engine. */
export function runStoreContract(t: Test, engine: StoreEngine): void {
  const test = (name: string, body: (store: Store, t: Test) => Promise<void>) =>
    t.test(`${engine.name}: ${name}`, async (t) => {
      const store = await engine.create();
      t.teardown(() => store.close());
      await body(store, t);
    });
  readsAndWrites(test);
  orderAndPrefixes(test);
  badInput(test);
  concurrency(test);
  iteration(test);
  closing(test);
  laws(t, engine);
}

type DefineTest = (name: string, body: (store: Store, t: Test) => Promise<void>) => void;

function readsAndWrites(test: DefineTest): void {
  test('an empty store has no entries and a name for people', async (store, t) => {
    t.equal(store.get('a'), undefined);
    assert.deepEqual([...store.range('')], []);
    t.match(store.description, /^(memory|lmdb |cluster )/);
  });

  test('a put is read back, replaced by the next put and gone after a delete', async (store, t) => {
    await store.write([put('sw/1', { name: 'one' })]);
    assert.deepEqual(store.get('sw/1'), { name: 'one' });
    await store.write([put('sw/1', 'two')]);
    t.equal(store.get('sw/1'), 'two');
    await store.write([del('sw/1')]);
    t.equal(store.get('sw/1'), undefined);
    assert.deepEqual([...store.range('')], []);
  });

  test('a delete of an absent key is no error and changes nothing', async (store) => {
    await store.write([put('a/b', 1)]);
    await store.write([del('a/c'), del('x'), del('a'), del('a/b/c')]);
    assert.deepEqual([...store.range('')], [['a/b', 1]]);
  });

  test('operations of one write take effect in their order', async (store) => {
    await store.write([put('k', 1), del('k'), put('k', 2), put('gone', 1), del('gone')]);
    assert.deepEqual([...store.range('')], [['k', 2]]);
  });

  test('a write of no operations is done like any other', async (store) => {
    await store.write([]);
    assert.deepEqual([...store.range('')], []);
  });

  test('every kind of value comes back as it was, empty ones too', async (store) => {
    const values: StoreValue[] = [
      null,
      true,
      false,
      0,
      -0,
      1.5,
      -1,
      2 ** 32,
      2 ** 53,
      Number.MAX_VALUE,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      0n,
      1n,
      -1n,
      2n ** 63n,
      2n ** 64n - 1n,
      -(2n ** 63n),
      2n ** 200n,
      '',
      'a',
      'ünïcödé 🙂',
      'x'.repeat(70_000),
      new Uint8Array(0),
      new Uint8Array([0, 255, 1]),
      new Uint8Array(100_000).fill(7),
      [],
      {},
      [null, [], {}, [1n, -0]],
      { a: 1, b: 1n, c: new Uint8Array([1]), d: { e: [{ f: null }] }, g: undefined, h: -0 },
      { constructor: 'x', toJSON: 1, hasOwnProperty: 2, length: 3, '': 4, '10': 5 },
    ];
    await store.write(values.map((value, i) => put(`v/${String(i).padStart(3, '0')}`, value)));
    const found = [...store.range('v/')].map(([, value]) => value);
    assert.deepStrictEqual(found, values);
    for (const [i, value] of values.entries()) {
      assert.deepStrictEqual(store.get(`v/${String(i).padStart(3, '0')}`), value);
    }
  });

  test('bytes read stay as they are while other values are read and written', async (store) => {
    await store.write([put('a', new Uint8Array([1, 2, 3])), put('b', new Uint8Array([9, 9, 9]))]);
    const a = store.get('a');
    store.get('b');
    await store.write([put('c', new Uint8Array([8, 8, 8]))]);
    for (const _ of store.range(''));
    assert.deepStrictEqual(a, new Uint8Array([1, 2, 3]));
  });
}

function orderAndPrefixes(test: DefineTest): void {
  test('range gives keys in byte order, not in path order', async (store) => {
    // 0x2D (-) and 0x2E (.) sort before 0x2F (/), 0x30 (0) after it.
    const keys = ['a', 'a-x', 'a-x/c', 'a.', 'a/', 'a//', 'a/b', 'a/b/c', 'a0', 'a0/b', 'ab'];
    await store.write([...keys].reverse().map((key) => put(key, key)));
    assert.deepEqual(
      [...store.range('')].map(([key]) => key),
      keys,
    );
  });

  test('range is by text prefix: it may end within a segment', async (store) => {
    const keys = ['p/1', 'p/10', 'p/10/x', 'p/2', 'p1', 'q'];
    await store.write(keys.map((key) => put(key, null)));
    const found = (prefix: string) => [...store.range(prefix)].map(([key]) => key);
    assert.deepEqual(found('p/1'), ['p/1', 'p/10', 'p/10/x']);
    assert.deepEqual(found('p/'), ['p/1', 'p/10', 'p/10/x', 'p/2']);
    assert.deepEqual(found('p'), ['p/1', 'p/10', 'p/10/x', 'p/2', 'p1']);
    assert.deepEqual(found('p/10/'), ['p/10/x']);
    assert.deepEqual(found('p/10/x/'), []);
    assert.deepEqual(found('nobody/'), []);
    assert.deepEqual(found('q'), ['q']);
  });

  test('order holds after deletes and new keys between', async (store) => {
    await store.write([put('m/1', 1), put('m/3', 3), put('m/5', 5)]);
    assert.equal([...store.range('m/')].length, 3);
    await store.write([del('m/3'), put('m/2', 2), put('m/4', 4)]);
    assert.deepEqual(
      [...store.range('m/')],
      [
        ['m/1', 1],
        ['m/2', 2],
        ['m/4', 4],
        ['m/5', 5],
      ],
    );
  });

  test('keys of 1 and of 512 bytes and of the first and last printable work', async (store) => {
    const keys = [' ', ' ~', 'k'.repeat(512), '~', '~~'];
    await store.write(keys.map((key) => put(key, key.length)));
    assert.deepEqual(
      [...store.range('')],
      keys.map((key) => [key, key.length]),
    );
    assert.deepEqual(
      [...store.range('~')],
      [
        ['~', 1],
        ['~~', 2],
      ],
    );
  });
}

function badInput(test: DefineTest): void {
  const badKeys = ['', 'k'.repeat(513), 'a\0b', 'tab\t', 'é', '\x7f'];

  test('a bad key is refused with INVALID_ARGUMENT and nothing of its write stays', async (store, t) => {
    await store.write([put('kept', 1)]);
    for (const key of badKeys) {
      t.throws(
        () => store.write([put('first', 1), put(key, 2)]),
        { code: 'INVALID_ARGUMENT' },
        key,
      );
      t.throws(() => store.write([del('kept'), del(key)]), { code: 'INVALID_ARGUMENT' }, key);
      t.throws(() => store.get(key), { code: 'INVALID_ARGUMENT' }, key);
      if (key !== '') t.throws(() => store.range(key), { code: 'INVALID_ARGUMENT' }, key);
    }
    await store.write([]);
    assert.deepEqual([...store.range('')], [['kept', 1]]);
  });
}

function concurrency(test: DefineTest): void {
  test('writes called together become visible in call order', async (store, t) => {
    const done: number[] = [];
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 500; i++) {
      const write = store.write([put('last', i), put(`each/${i}`, i)]);
      writes.push(Promise.resolve(write).then(() => done.push(i)));
    }
    await Promise.all(writes);
    t.equal(store.get('last'), 499);
    t.equal([...store.range('each/')].length, 500);
    assert.deepEqual(
      done,
      [...done].sort((a, b) => a - b),
    );
  });

  test('64 writers each see their own write as soon as it is acknowledged', async (store, t) => {
    let missed = 0;
    const writer = async (id: number) => {
      for (let i = 0; i < 20; i++) {
        await store.write([put(`w/${id}/${i}`, i), put(`n/${id}`, i)]);
        if (store.get(`w/${id}/${i}`) !== i || store.get(`n/${id}`) !== i) missed++;
      }
    };
    await Promise.all(Array.from({ length: 64 }, (_, id) => writer(id)));
    t.equal(missed, 0);
    t.equal([...store.range('w/')].length, 64 * 20);
  });

  test('a reader never sees half of a write', async (store, t) => {
    let torn = 0;
    let reading = true;
    const check = () => {
      const pair = [...store.range('pair/')].map(([, value]) => value);
      if (pair.length !== 0 && (pair.length !== 2 || pair[0] !== pair[1])) torn++;
    };
    const reader = (async () => {
      while (reading) {
        check();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let i = 0; i < 200; i++) {
      const write = store.write([put('pair/a', i), put('pair/b', i)]);
      check();
      if (i % 3 === 0) await write;
    }
    await store.write([]);
    reading = false;
    await reader;
    check();
    t.equal(torn, 0);
  });
}

function iteration(test: DefineTest): void {
  test('an iteration does not see writes made after it began, the next one does', async (store, t) => {
    await store.write([put('a', 1), put('b', 2), put('c', 3)]);
    const range = store.range('');
    const iterator = range[Symbol.iterator]();
    t.strictSame(iterator.next().value, ['a', 1]);
    await store.write([del('a'), del('b'), put('c', 30), put('d', 4)]);
    t.strictSame(iterator.next().value, ['b', 2]);
    t.strictSame(iterator.next().value, ['c', 3]);
    t.equal(iterator.next().done, true);
    t.equal(iterator.next().done, true);
    assert.deepEqual(
      [...range],
      [
        ['c', 30],
        ['d', 4],
      ],
    );
  });

  test('everything can be deleted while it is iterated', async (store) => {
    await store.write(Array.from({ length: 300 }, (_, i) => put(`x/${i}/y`, i)));
    for (const [key] of store.range('x/')) void store.write([del(key)]);
    await store.write([]);
    assert.deepEqual([...store.range('')], []);
  });

  test('an iteration may be left early, many times over', async (store, t) => {
    await store.write([put('a', 1), put('b', 2)]);
    for (let i = 0; i < 500; i++) {
      for (const [key] of store.range('')) {
        t.equal(key, 'a');
        break;
      }
    }
    assert.equal([...store.range('')].length, 2);
  });
}

function closing(test: DefineTest): void {
  test('close waits for what was written, and may be called again', async (store, t) => {
    const writes = [store.write([put('a', 1)]), store.write([put('b', 2)])];
    const first = store.close();
    await Promise.all([first, store.close()]);
    await Promise.all(writes);
    await store.close();
    t.pass();
  });

  test('a closed store refuses everything with STORE_UNAVAILABLE', async (store, t) => {
    await store.write([put('a', 1)]);
    const range = store.range('');
    await store.close();
    t.throws(() => store.get('a'), { code: 'STORE_UNAVAILABLE' });
    t.throws(() => store.range(''), { code: 'STORE_UNAVAILABLE' });
    t.throws(() => [...range], { code: 'STORE_UNAVAILABLE' });
    t.throws(() => store.write([put('a', 2)]), { code: 'STORE_UNAVAILABLE' });
  });
}

/** Values of every kind a store takes, nested up to four levels. */
export const anyValue: fc.Arbitrary<StoreValue> = fc.letrec<{ value: StoreValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.integer(),
    fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((name) => name !== '__proto__'),
      fc.option(tie('value'), { nil: undefined }),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

const anyKey = fc
  .array(fc.constantFrom('', ' ', '-', '0', '10', '9', 'a', 'a-b', 'b', 'port', '~'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((segments) => segments.join('/'))
  .filter((key) => key !== '');

const anyOp: fc.Arbitrary<StoreOp> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('put'), key: anyKey, value: anyValue }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete'), key: anyKey }) },
);

type Step =
  | { readonly kind: 'write'; readonly writes: readonly (readonly StoreOp[])[] }
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'range'; readonly prefix: string }
  | { readonly kind: 'reopen' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write'),
      writes: fc.array(fc.array(anyOp, { maxLength: 6 }), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('get'), key: anyKey }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('range'), prefix: anyPrefix() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
);

function anyPrefix(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constant(''),
    fc.tuple(anyKey, fc.nat({ max: 20 })).map(([key, length]) => key.slice(0, length)),
  );
}

function laws(t: Test, engine: StoreEngine): void {
  t.test(`${engine.name}: any sequence of steps agrees with a plain Map`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        let store = await engine.create();
        const model = new Map<string, StoreValue>();
        try {
          for (const step of steps) store = await runStep(engine, store, model, step);
          assert.deepStrictEqual([...store.range('')], sortedEntries(model, ''));
        } finally {
          await store.close();
        }
      }),
      { numRuns: engine.modelRuns },
    );
  });
}

async function runStep(
  engine: StoreEngine,
  store: Store,
  model: Map<string, StoreValue>,
  step: Step,
): Promise<Store> {
  if (step.kind === 'write') {
    await Promise.all(step.writes.map((ops) => store.write(ops)));
    for (const op of step.writes.flat()) {
      if (op.op === 'put') model.set(op.key, op.value);
      else model.delete(op.key);
    }
  } else if (step.kind === 'get') {
    assert.deepStrictEqual(store.get(step.key), model.get(step.key));
  } else if (step.kind === 'range') {
    assert.deepStrictEqual([...store.range(step.prefix)], sortedEntries(model, step.prefix));
  } else if (engine.reopen !== undefined) {
    await store.close();
    return engine.reopen(store);
  }
  return store;
}

function sortedEntries(model: Map<string, StoreValue>, prefix: string): Entry[] {
  const order = (a: Entry, b: Entry) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0]));
  return [...model].filter(([key]) => key.startsWith(prefix)).sort(order);
}
