import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { META_KEY, openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { encodeValue } from '../../src/store/value-codec.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { fillDisk, mountTmpfs, skipWithoutMount } from '../support/small-disk.ts';
import { put } from '../support/store-contract.ts';
import '../support/uncovered-children.ts';

const base = mkdtempSync(join(tmpdir(), 'extswitch-folder-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
const newPath = () => join(base, `f${folders++}`);

/** A closed store with `records` entries of 100 bytes. */
async function filledStore(records = 200): Promise<string> {
  const path = newPath();
  const store = await openStore(path);
  const ops = Array.from({ length: records }, (_, i) => put(`k/${i}`, 'v'.repeat(100)));
  await store.write([...ops, put('big', new Uint8Array(50_000).fill(3))]);
  await store.close();
  return path;
}

async function refused(t: Test, path: string, code: string, ...found: RegExp[]): Promise<void> {
  const error = await openStore(path).then(
    (store) => store.close().then(() => undefined),
    (cause: unknown) => cause as Error & { code: string },
  );
  if (error === undefined) return void t.fail(`${path} was opened`);
  t.equal(error.code, code, error.message);
  t.ok(error.message.includes(path), `${error.message} names the folder`);
  for (const pattern of found) t.match(error.message, pattern);
}

/** Bytes of all files but the lease and lock files, which every try to open may make. */
function contents(path: string): Record<string, string> {
  const files = readdirSync(path).filter((name) => !/^(owner\.lmdb|lock\.mdb)/.test(name));
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(path, name), 'hex')]));
}

t.test('a missing folder is made, for its owner only', async (t) => {
  const path = join(newPath(), 'deeper');
  const store = await openStore(path);
  t.equal(store.description, `lmdb ${path}`);
  await store.close();
  t.equal(statSync(path).mode & 0o777, 0o700);
  t.equal(statSync(join(path, 'data.mdb')).mode & 0o077, 0);
});

t.test(
  'an existing empty folder is used and what is stored is there after reopening',
  async (t) => {
    const path = newPath();
    mkdirSync(path);
    const store = await openStore(path);
    await store.write([put('a', 1n)]);
    await store.close();
    const again = await openStore(path);
    t.equal(again.get('a'), 1n);
    t.equal([...again.range('')].length, 1, 'the meta record is not among the entries');
    await again.close();
  },
);

t.test('a file where the folder should be is refused and stays', async (t) => {
  const path = newPath();
  writeFileSync(path, 'mine');
  await refused(t, path, 'STORE_UNAVAILABLE', /not a folder/, /choose another path/);
  t.equal(readFileSync(path, 'utf8'), 'mine');
  await refused(t, join(path, 'below'), 'STORE_UNAVAILABLE', /ENOTDIR/);
});

t.test('data.mdb as a folder is refused as damage', async (t) => {
  const path = newPath();
  mkdirSync(join(path, 'data.mdb'), { recursive: true });
  await refused(t, path, 'STORE_CORRUPT', /data\.mdb is not a file/);
});

t.test('a record of a newer format is refused, naming both versions, and stays', async (t) => {
  const path = newPath();
  mkdirSync(path);
  await writeMeta(path, { format: 3, product: '9.8.7', created: '2030-01-01T00:00:00.000Z' });
  const before = contents(path);
  await refused(t, path, 'STORE_VERSION', /format 3/, /extswitch 9\.8\.7/, /reads format 2/);
  t.strictSame(contents(path), before);
});

t.test('an LMDB file of another program is refused and stays', async (t) => {
  for (const meta of [undefined, 'text', { format: 'one' }]) {
    const path = newPath();
    mkdirSync(path);
    await writeMeta(path, meta);
    const before = contents(path);
    await refused(t, path, 'STORE_CORRUPT', /no extswitch store record/);
    t.strictSame(contents(path), before);
  }
});

async function writeMeta(path: string, meta: Parameters<typeof encodeValue>[1] | undefined) {
  const environment = openEnvironment(path);
  if (meta === undefined) environment.putSync('other', encodeValue('other', 1));
  else environment.putSync(META_KEY, encodeValue('meta', meta));
  await environment.close();
}

t.test('a data file that was cut short, emptied or taken away is refused and stays', async (t) => {
  const good = await filledStore();
  const bytes = statSync(join(good, 'data.mdb')).size;
  for (const length of [0, 1, 100, 4096, 4200, 8192, 20_000, bytes - 4096, bytes - 4095]) {
    const path = newPath();
    cpSync(good, path, { recursive: true });
    truncateSync(join(path, 'data.mdb'), length);
    const before = contents(path);
    await refused(t, path, 'STORE_CORRUPT', /damaged/, length === 0 ? /empty/ : /cut short/);
    t.strictSame(contents(path), before, `cut at ${length}`);
  }
  unlinkSync(join(good, 'data.mdb'));
  await refused(t, good, 'STORE_CORRUPT', /data\.mdb is missing/, /put back a copy/);
});

/** Every value of `filledStore(records)`, or the code of the error that opening or reading it ends with. */
async function readAll(path: string, records: number): Promise<string> {
  let store: Store | undefined;
  try {
    store = await openStore(path);
    const found = [...store.range('')];
    const big = found.shift();
    const isWhole =
      found.length === records &&
      found.every(([key, value]) => key.startsWith('k/') && value === 'v'.repeat(100)) &&
      big?.[0] === 'big' &&
      Buffer.alloc(50_000, 3).equals(big[1] as Uint8Array);
    return isWhole ? 'whole' : 'WRONG';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await store?.close();
  }
}

t.test('a data file with overwritten pages: refused, or nothing of it is missing', async (t) => {
  const good = await filledStore();
  const data = readFileSync(join(good, 'data.mdb'));
  const path = newPath();
  cpSync(good, path, { recursive: true });
  const outcomes: Record<string, number> = {};
  for (let page = 0; page * 4096 < data.length; page++) {
    const broken = Buffer.from(data);
    broken.fill(0xa5, page * 4096, (page + 1) * 4096);
    writeFileSync(join(path, 'data.mdb'), broken);
    const outcome = await readAll(path, 200);
    t.match(outcome, /^(STORE_CORRUPT|whole)$/, `page ${page}`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  // The 13 pages of the large value, the leaves, the root and the meta pages; what is left are free pages.
  t.ok(Number(outcomes['STORE_CORRUPT']) >= 20, JSON.stringify(outcomes));
});

t.test('bytes changed anywhere are found, and never take the process down', async (t) => {
  const good = await filledStore(60);
  const data = readFileSync(join(good, 'data.mdb'));
  let seed = 12_345;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const outcomes: Record<string, number> = {};
  for (let round = 0; round < 300; round++) {
    const broken = Buffer.from(data);
    const isHeader = round % 2 === 0;
    // Headers and node tables are at the beginning of pages, where a changed byte does most harm; a single changed bit
    // of a value or a key is what only the checksum can tell.
    if (isHeader) {
      for (let i = 0; i < 4; i++) {
        broken[random(data.length / 4096) * 4096 + random(64)] = random(256);
      }
    } else {
      const at = 8192 + random(data.length - 8192);
      broken[at] = Number(broken[at]) ^ (1 << random(8));
    }
    writeFileSync(join(good, 'data.mdb'), broken);
    const outcome = await readAll(good, 60);
    t.match(outcome, /^(STORE_(CORRUPT|VERSION|UNAVAILABLE)|whole)$/, `round ${round}`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  t.comment(JSON.stringify(outcomes));
});

t.test('a folder this process has open is refused by name until it is closed', async (t) => {
  const path = await filledStore();
  const store = await openStore(path);
  await refused(t, path, 'STORE_UNAVAILABLE', /in use by this process/);
  await store.write([put('still', 'works')]);
  await store.close();
  await (await openStore(path)).close();
});

t.test(
  'another process has the folder: refused, naming it; free at once when it is killed',
  async (t) => {
    const path = await filledStore();
    const child = spawn(process.execPath, [...FROM_SOURCES, 'test/store/holder.ts', path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    t.equal(String(line).trim(), 'open');
    await refused(t, path, 'STORE_UNAVAILABLE', new RegExp(`in use by process ${child.pid}`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await openStore(path);
    t.equal([...store.range('k/')].length, 200);
    await store.close();
  },
);

t.test('of servers started together on one folder exactly one gets it', async (t) => {
  const path = newPath();
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, [...FROM_SOURCES, 'test/store/holder.ts', path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const exits = children.map((child) => once(child, 'exit'));
  const answers = await Promise.all(
    children.map(async (child) => String(((await once(child.stdout, 'data')) as [Buffer])[0])),
  );
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(exits);
  t.equal(answers.filter((answer) => answer.trim() === 'open').length, 1, answers.join(''));
  t.equal(answers.filter((answer) => answer.startsWith('STORE_UNAVAILABLE')).length, 3);
  await (await openStore(path)).close();
});

t.test('a damaged lease file is named, with what to do', async (t) => {
  const path = await filledStore();
  writeFileSync(join(path, 'owner.lmdb'), 'garbage');
  await refused(t, path, 'STORE_CORRUPT', /owner\.lmdb is damaged/, /remove it/);
  unlinkSync(join(path, 'owner.lmdb'));
  await (await openStore(path)).close();
});

t.test('a folder without permission is refused for a user who is not root', async (t) => {
  const path = await filledStore();
  chmodSync(base, 0o755);
  chmodSync(path, 0o500);
  const opener = `test/store/holder.ts`;
  const result = spawnSync(process.execPath, [...FROM_SOURCES, opener, path, '65534'], {
    encoding: 'utf8',
  });
  t.match(result.stdout, /^STORE_UNAVAILABLE .*permission denied.*EACCES/);
  t.ok(result.stdout.includes(path));
  t.equal(result.status, 0, 'the process stays up');
});

const skip = skipWithoutMount();
const mount = (t: Test, kilobytes: number) => mountTmpfs(t, newPath(), kilobytes);

t.test('a read-only file system is refused and nothing changes', { skip }, async (t) => {
  const path = await filledStore();
  execFileSync('mount', ['--bind', path, path]);
  t.teardown(() => execFileSync('umount', ['-l', path]));
  execFileSync('mount', ['-o', 'remount,ro,bind', path]);
  const before = contents(path);
  await refused(t, path, 'STORE_UNAVAILABLE', /read-only/, /EROFS/);
  t.strictSame(contents(path), before);
});

t.test('a missing folder on a read-only file system is refused', { skip }, async (t) => {
  const path = mount(t, 64);
  execFileSync('mount', ['-o', 'remount,ro', path]);
  await refused(t, join(path, 'new'), 'STORE_UNAVAILABLE', /EROFS/);
});

t.test(
  'a full disk, however full, is refused without a crash; opening works once there is space',
  { skip },
  async (t) => {
    for (let free = 0; free <= 72; free += 4) {
      const disk = mount(t, 512);
      const path = join(disk, 'store');
      mkdirSync(path);
      const ballast = fillDisk(disk, free);
      const outcome = await openStore(path).then(
        (store) => store.close().then(() => 'open'),
        (error) => `${error.code} ${error.message}`,
      );
      if (outcome !== 'open')
        t.match(outcome, /^STORE_UNAVAILABLE .*disk is full.*ENOSPC/, `${free} KiB`);
      if (free === 0) t.not(outcome, 'open');
      t.notOk(existsSync(join(path, 'data.mdb')) && outcome !== 'open', 'no half-made data file');
      unlinkSync(ballast);
      const store = await openStore(path);
      await store.write([put('a', 1)]);
      await store.close();
    }
  },
);

t.test(
  'a disk that fills while writing: the write is refused, all else stays, later writes work',
  { skip },
  async (t) => {
    const path = mount(t, 2048);
    const store = await openStore(path);
    await store.write([put('before', 'x')]);
    const ballast = fillDisk(path, 200);
    const acknowledged: string[] = [];
    const errors: { code: string; message: string }[] = [];
    for (let i = 0; i < 40; i++) {
      try {
        await store.write([put(`w/${i}/a`, new Uint8Array(10_000)), put(`w/${i}/b`, i)]);
        acknowledged.push(`w/${i}/a`, `w/${i}/b`);
      } catch (error) {
        errors.push(error as { code: string; message: string });
      }
    }
    t.ok(acknowledged.length > 0 && errors.length > 0, `${acknowledged.length} / ${errors.length}`);
    for (const error of errors) {
      t.equal(error.code, 'STORE_UNAVAILABLE');
      t.match(error.message, /cannot write to the store in .*disk is full: free some space/);
    }
    const keys = () => [...store.range('w/')].map(([key]) => key);
    t.strictSame(keys(), [...acknowledged].sort());
    t.equal(store.get('before'), 'x');

    unlinkSync(ballast);
    await store.write([put('after', 'y')]);
    await store.close();
    const again = await openStore(path);
    t.strictSame(
      [...again.range('w/')].map(([key]) => key),
      [...acknowledged].sort(),
    );
    t.equal(again.get('after'), 'y');
    await again.close();
  },
);

t.test('a store whose disk is full opens and is read', { skip }, async (t) => {
  const path = mount(t, 512);
  const first = await openStore(path);
  await first.write([put('a', 1)]);
  await first.close();
  fillDisk(path, 0);
  const store = await openStore(path);
  t.equal(store.get('a'), 1);
  await t.rejects(Promise.resolve(store.write([put('b', new Uint8Array(200_000))])), {
    code: 'STORE_UNAVAILABLE',
  });
  await store.close();
});
