import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { put } from '../support/store-contract.ts';
import '../support/uncovered-children.ts';

t.test('"memory" opens a memory store', async (t) => {
  const store = await openStore('memory');
  t.equal(store.description, 'memory');
  t.equal(store.write([put('a', 1)]), undefined, 'a write is done at once');
  await store.close();
});

t.test('a path opens an LMDB store', async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'extswitch-open-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  for (const path of [join(base, 'data'), join(base, 'with.dots.d')]) {
    const store = await openStore(path);
    t.equal(store.description, `lmdb ${path}`);
    await store.close();
  }
});

t.test(
  'a cluster address alone is refused naming the verbs that take one, without its password',
  async (t) => {
    for (const spec of ['nats://user:secret@host:4222', 'NATS://a,nats://b', 'tls://secret@h']) {
      const error = (await openStore(spec).catch((cause: unknown) => cause)) as Error;
      t.match(error, { code: 'USAGE', message: /only "serve" and "run" take a cluster/ });
      t.notMatch(error.message, /secret/);
    }
    await t.rejects(openStore('redis://host'), {
      code: 'USAGE',
      message: /no store engine for redis/,
    });
    await t.rejects(openStore(''), { code: 'USAGE' });
  },
);

t.test('memory use loads neither lmdb nor msgpackr', (t) => {
  const script = `
    import { openStore } from './src/store/open-store.ts';
    import { createRequire } from 'node:module';
    const store = await openStore('memory');
    store.write([{ op: 'put', key: 'a', value: 1 }]);
    const loaded = process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node'));
    console.log(store.get('a'), loaded.filter((path) => /lmdb|msgpackr/.test(path)).length);
  `;
  const result = spawnSync(
    process.execPath,
    [...FROM_SOURCES, '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  t.equal(result.stdout.trim(), '1 0', result.stderr);
  t.end();
});

t.test(
  'a new memory store costs less than a kilobyte, and an emptied one no more',
  { skip: false },
  (t) => {
    const script = `
    import { MemoryStore } from './src/store/memory-store.ts';
    const used = () => { gc(); gc(); return process.memoryUsage().heapUsed; };
    const make = (fill) => Array.from({ length: 2000 }, () => {
      const store = new MemoryStore();
      if (fill) {
        const keys = Array.from({ length: 20 }, (_, i) => 'switch/' + i + '/port/' + i);
        for (const key of keys) store.write([{ op: 'put', key, value: 1 }]);
        for (const key of keys) store.write([{ op: 'delete', key }]);
      }
      return store;
    });
    make(true);
    const before = used();
    const fresh = make(false);
    const middle = used();
    const emptied = make(true);
    const after = used();
    console.log(Math.round((middle - before) / 2000), Math.round((after - middle) / 2000), fresh.length, emptied.length);
  `;
    const result = spawnSync(
      process.execPath,
      ['--expose-gc', ...FROM_SOURCES, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    const [fresh = Number.NaN, emptied = Number.NaN] = result.stdout.split(' ').map(Number);
    t.ok(fresh > 0 && fresh < 1024, `a new store takes ${fresh} bytes ${result.stderr}`);
    t.ok(emptied > 0 && emptied < 1024, `an emptied store takes ${emptied} bytes`);
    t.end();
  },
);

t.test('the levels of deleted keys go, and writing near them afterwards works', async (t) => {
  const store = new MemoryStore();
  store.write([put('a/b/c', 1), put('a/b/d', 2)]);
  store.write([
    { op: 'delete', key: 'a/b/c' },
    { op: 'delete', key: 'a/b/d' },
  ]);
  t.strictSame([...store.range('')], []);
  // The last level used is remembered; it must not be one that is gone.
  store.write([put('a/b/e', 3)]);
  t.equal(store.get('a/b/e'), 3);
  t.strictSame([...store.range('a/')], [['a/b/e', 3]]);
  t.equal(store.get('a/b'), undefined);
  t.equal(store.get('a/b/'), undefined);
  await store.close();
});
