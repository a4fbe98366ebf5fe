import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { backupStore } from '../../src/store/backup-store.ts';
import { openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openLmdbStore } from '../../src/store/lmdb-store.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import { sealRecord } from '../../src/store/record.ts';
import { checkStore } from '../../src/store/store-check.ts';
import { copyStore } from '../../src/store/store-copy.ts';
import { encodeValue } from '../../src/store/value-codec.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { fillDisk, mountTmpfs, skipWithoutMount } from '../support/small-disk.ts';
import { put } from '../support/store-contract.ts';
import '../support/uncovered-children.ts';

const base = mkdtempSync(join(tmpdir(), 'extswitch-backup-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
const newPath = () => join(base, `f${folders++}`);

async function filled(path = newPath()): Promise<string> {
  const store = await openStore(path);
  await store.write([put('vm/a', 1n), put('vm/b', 'two'), put('saved/a/b', new Uint8Array(9_000))]);
  await store.close();
  return path;
}

async function entries(path: string): Promise<unknown[]> {
  const store = await openStore(path);
  const all = [...store.range('')];
  await store.close();
  return all;
}

/** Nothing is at `to`, and nothing beside it. */
function isAbsent(t: Test, to: string): void {
  t.notOk(existsSync(to), 'nothing at the destination');
  t.notOk(existsSync(`${to}.partial`), 'nothing beside it');
}

/**
 * Writes numbers n = 0, 1, … as pairs that belong together until told to stop; `acknowledged()` is how many are durable.
 */
function load(store: Awaited<ReturnType<typeof openStore>>) {
  let next = 0;
  let acknowledged = 0;
  let isOver = false;
  const writer = async () => {
    while (!isOver) {
      const n = next++;
      await store.write([put(`a/${n}`, n), put(`b/${n}`, n), put('newest', n)]);
      acknowledged = Math.max(acknowledged, n + 1);
    }
  };
  const all = Promise.all(Array.from({ length: 16 }, writer));
  return {
    acknowledged: () => acknowledged,
    asked: () => next,
    stop: () => {
      isOver = true;
      return all;
    },
  };
}

/** A state between two writes: every number up to some newest one, both halves, none beyond. */
async function isAMoment(t: Test, path: string, from: number, to: number): Promise<void> {
  const store = await openStore(path);
  const newest = Number(store.get('newest') ?? -1);
  t.ok(newest + 1 >= from && newest < to, `${newest} is between ${from} and ${to}`);
  const numbers = (prefix: string) =>
    Array.from(store.range(prefix), ([, value]) => Number(value)).sort((a, b) => a - b);
  const all = Array.from({ length: newest + 1 }, (_, n) => n);
  t.strictSame(numbers('a/'), all);
  t.strictSame(numbers('b/'), all);
  await store.close();
}

t.test(
  'backups under load are states between two writes, with all acknowledged before',
  async (t) => {
    const path = newPath();
    const store = await openLmdbStore(path);
    const writing = load(store);
    for (let n = 0; n < 4; n++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      const before = writing.acknowledged();
      const to = newPath();
      const report = await store.backup?.(to);
      t.match(report, { folder: to, format: 2, damaged: [], isInUse: false });
      await isAMoment(t, to, before, writing.asked());
    }
    await writing.stop();
    await store.close();
  },
);

t.test('a store another process writes to is checked and copied meanwhile', async (t) => {
  const path = newPath();
  const child = spawn(
    process.execPath,
    [...FROM_SOURCES, 'test/store/crash-writer.ts', path, '1', 'write'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  child.stdout.resume();
  await once(child.stdout, 'data');
  for (;;) {
    if (existsSync(join(path, 'data.mdb')) && (await checkStore(path)).records > 50) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const report = await checkStore(path);
  t.equal(report.isInUse, true);
  t.strictSame(report.damaged, []);
  for (let n = 0; n < 3; n++) {
    const to = newPath();
    await copyStore(path, to);
    const wanted = new Map<string, number>();
    const found = new Map<string, number>();
    for (const [key, value] of (await entries(to)) as [string, { of: number }][]) {
      const id = key.split('/')[1];
      if (id === undefined) continue;
      found.set(id, (found.get(id) ?? 0) + 1);
      wanted.set(id, value.of);
    }
    t.ok(found.size > 0);
    t.strictSame([...found], [...wanted], 'no batch is torn');
  }
  t.equal(child.exitCode, null, 'the writer goes on');
});

t.test('closing the store waits for its backup, and a closed store makes none', async (t) => {
  const store = await openLmdbStore(newPath());
  await store.write([put('a', 1)]);
  const to = newPath();
  const [report] = await Promise.all([store.backup?.(to), new Promise(setImmediate)]);
  t.equal(report?.records, 1);
  await store.close();
  await t.rejects(Promise.resolve(store.backup?.(newPath())), { code: 'STORE_UNAVAILABLE' });
});

t.test('a memory store is backed up to a folder', async (t) => {
  const store = new MemoryStore();
  store.write([put('switch/a', { name: 'S' }), put('vm/b', -0)]);
  const to = newPath();
  const copying = backupStore(store, to);
  store.write([put('vm/later', 1)]);
  const report = await copying;
  t.strictSame(Object.keys(report.kinds), ['switch', 'vm']);
  t.strictSame(await entries(to), [
    ['switch/a', { name: 'S' }],
    ['vm/b', -0],
  ]);
});

t.test('a world is backed up while it is in use, and the backup is a world', async (t) => {
  const extension = extensionWith(() => ({}));
  for (const spec of ['memory', newPath()]) {
    const fabric = await Fabric.open({ store: spec, clock: 'manual', extensions: [extension] });
    await fabric.features.register(FABRIKAM_MOF);
    const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
    const port = await sw.ports.create({ name: 'P' });
    await port.properties.add('Fabrikam_PortCustomSettingData', { SettingIntA: 7 });
    const to = newPath();
    const report = await fabric.backup(to);
    t.equal(report.kinds['property']?.records, 1);
    await port.properties.add('Fabrikam_PortCustomSettingData', { SettingIntA: 8 });
    await t.rejects(
      fabric.atomic((world) => world.backup(newPath())),
      {
        code: 'ILLEGAL_TRANSITION',
      },
    );
    await fabric.close();
    const copy = await Fabric.open({ store: to, clock: 'manual', extensions: [extension] });
    const settings = copy.switches.get('S').ports.get('P').properties.list();
    t.strictSame(
      Array.from(settings, (one) => one.settings['SettingIntA']),
      [7],
    );
    await copy.close();
  }
});

t.test('a destination that is in use is refused, and stays as it is', async (t) => {
  const from = await filled();
  const to = newPath();
  mkdirSync(to);
  writeFileSync(join(to, 'mine'), 'x');
  await t.rejects(copyStore(from, to), { code: 'ALREADY_EXISTS', message: to });
  t.strictSame(readdirSync(to), ['mine']);
  const empty = newPath();
  mkdirSync(empty);
  await copyStore(from, empty);
  t.strictSame(readdirSync(empty), ['data.mdb'], 'an empty folder is taken');
  t.equal(statSync(empty).mode & 0o777, 0o700);
  t.equal(statSync(join(empty, 'data.mdb')).mode & 0o777, 0o600);
  t.strictSame(await entries(empty), await entries(from));
});

t.test('--replace moves the store that is there aside, unless a server has it', async (t) => {
  const from = await filled();
  const to = newPath();
  const old = await openStore(to);
  await old.write([put('old', 1)]);
  await t.rejects(copyStore(from, to, { replace: true }), {
    code: 'STORE_UNAVAILABLE',
    message: /in use by this process/,
  });
  await old.close();
  await copyStore(from, to, { replace: true });
  t.strictSame(await entries(to), await entries(from));
  const aside = readdirSync(base).filter((name) => name.startsWith(`${to.split('/').at(-1)}.repl`));
  t.equal(aside.length, 1);
  t.strictSame(await entries(join(base, aside[0] ?? '')), [['old', 1]]);
});

t.test(
  'a copy under way is no store, nor is what is left of a killed one; the next cleans up',
  async (t) => {
    const from = await filled();
    const to = newPath();
    const left = join(`${to}.partial`, 'unfinished-copy');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'data.mdb'), 'half');
    await t.rejects(openStore(`${to}.partial`), { code: 'STORE_CORRUPT', message: /unfinished/ });
    await copyStore(from, to);
    t.notOk(existsSync(`${to}.partial`));
    t.equal((await entries(to)).length, 3);
  },
);

t.test('damaged records are named by the check, and no copy is made of them', async (t) => {
  const path = await filled();
  const raw = openEnvironment(path);
  // One flipped bit; another record's bytes under this key; too short for any record.
  const flipped = sealRecord('vm/a', encodeValue('vm/a', 1n));
  flipped[0] = Number(flipped[0]) ^ 0x20;
  raw.putSync('vm/a', flipped);
  raw.putSync('vm/c', sealRecord('vm/b', encodeValue('vm/b', 'two')));
  raw.putSync('vm/d', Buffer.from([1, 2, 3]));
  await raw.close();
  const report = await checkStore(path);
  t.equal(report.records, 5);
  t.match(report.damaged, [
    { key: 'vm/a', found: /checksum/ },
    { key: 'vm/c', found: /checksum/ },
    { key: 'vm/d', found: /3 bytes/ },
  ]);
  const to = newPath();
  await t.rejects(copyStore(path, to), {
    code: 'STORE_CORRUPT',
    message: /3 of 5 records .* "vm\/a"/,
    place: { member: 'vm/a' },
  });
  isAbsent(t, to);
  const store = await openStore(path);
  t.throws(() => store.get('vm/a'), { code: 'STORE_CORRUPT', place: { member: 'vm/a' } });
  const read: string[] = [];
  t.throws(
    () => {
      for (const [key] of store.range('')) read.push(key);
    },
    { code: 'STORE_CORRUPT', message: /"vm\/a".*extswitch store restore/ },
  );
  t.strictSame(read, ['saved/a/b'], 'what comes before it is read');
  t.equal(store.get('vm/b'), 'two');
  await store.write([put('vm/a', 2)]);
  t.equal(store.get('vm/a'), 2);
  await store.close();
});

t.test('what is no store is neither checked nor copied', async (t) => {
  const missing = newPath();
  await t.rejects(checkStore(missing), { code: 'STORE_UNAVAILABLE', message: /no such folder/ });
  const empty = newPath();
  mkdirSync(empty);
  await t.rejects(checkStore(empty), { code: 'STORE_CORRUPT', message: /data\.mdb is missing/ });
  t.strictSame(readdirSync(empty), [], 'and nothing is made in it');
  const cut = await filled();
  writeFileSync(join(cut, 'data.mdb'), 'short');
  await t.rejects(copyStore(cut, newPath()), { code: 'STORE_CORRUPT', message: /cut short/ });
  const own = await openStore(newPath());
  await t.rejects(checkStore(own.description.slice(5)), { code: 'STORE_UNAVAILABLE' });
  await own.close();
});

const skip = skipWithoutMount();

t.test(
  'a backup to a full disk is refused, leaves nothing, and works with space',
  { skip },
  async (t) => {
    const from = await filled();
    for (let free = 0; free <= 64; free += 16) {
      const disk = mountTmpfs(t, newPath(), 512);
      const to = join(disk, 'backup');
      const ballast = fillDisk(disk, free);
      const outcome = await copyStore(from, to).then(
        () => 'done',
        (error) => `${error.code} ${error.message}`,
      );
      if (outcome !== 'done') {
        t.match(outcome, /^STORE_UNAVAILABLE .*disk is full/, `${free} KiB`);
        isAbsent(t, to);
      }
      if (free === 0) t.not(outcome, 'done');
      rmSync(ballast);
      if (outcome !== 'done') await copyStore(from, to);
      t.strictSame(await entries(to), await entries(from));
    }
  },
);

t.test('a backup on a read-only medium is checked and restored from', { skip }, async (t) => {
  const from = await filled();
  const disk = mountTmpfs(t, newPath(), 512);
  const backup = join(disk, 'backup');
  await copyStore(from, backup);
  const { execFileSync } = await import('node:child_process');
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  t.match(await checkStore(backup), { records: 3, damaged: [] });
  const to = newPath();
  await copyStore(backup, to);
  t.strictSame(await entries(to), await entries(from));
});

t.test('the folder itself, copied by hand while no server runs, is a backup too', async (t) => {
  const from = await filled();
  const to = newPath();
  mkdirSync(to);
  cpSync(join(from, 'data.mdb'), join(to, 'data.mdb'));
  t.strictSame(await entries(to), await entries(from));
});
