import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { META_KEY, openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openStore } from '../../src/store/open-store.ts';
import { checkStore } from '../../src/store/store-check.ts';
import { encodeValue } from '../../src/store/value-codec.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { fillDisk, mountTmpfs, skipWithoutMount } from '../support/small-disk.ts';

/*
 * test/fixtures/store-format-1 was made by commit a7e5467, the last that wrote format 1: switch S, its port Port A with 20
 * policies of SettingIntA 1 to 20, VMs vm1 (off), vm2 (running) and vm3 (saved, with the five bytes 1 2 3 4 5 of the
 * extension), one policy each with 101, 102, 103.
 */
const FIXTURE = 'test/fixtures/store-format-1/data.mdb';

const base = mkdtempSync(join(tmpdir(), 'extswitch-upgrade-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;

function oldStore(): string {
  const path = join(base, `f${folders++}`);
  mkdirSync(path);
  cpSync(FIXTURE, join(path, 'data.mdb'));
  return path;
}

const COUNTS = { feature: 4, port: 1, property: 23, saved: 1, switch: 1, vm: 3 };
const countsOf = (kinds: Awaited<ReturnType<typeof checkStore>>['kinds']) =>
  Object.fromEntries(Object.entries(kinds).map(([kind, { records }]) => [kind, records]));

t.test('a store of format 1 is checked without being changed', async (t) => {
  const path = oldStore();
  const report = await checkStore(path);
  t.match(report, { format: 1, product: '0.1.0', isInUse: false, records: 33, damaged: [] });
  t.strictSame(countsOf(report.kinds), COUNTS);
  t.ok(readFileSync(join(path, 'data.mdb')).equals(readFileSync(FIXTURE)));
});

t.test(
  'opened, a store of format 1 has all it had, in format 2, and a copy beside it',
  async (t) => {
    const path = oldStore();
    const told: number[] = [];
    const restored: number[][] = [];
    const extension = extensionWith(() => ({
      addPortProperty: (p) => {
        told.push(Number(p.settings?.['SettingIntA']));
        return 'forward';
      },
      restoreNic: (state) => {
        restored.push([...state.data]);
        return NdisStatus.SUCCESS;
      },
    }));
    const fabric = await Fabric.open({ store: path, clock: 'manual', extensions: [extension] });
    const properties = fabric.switches.get('S').ports.get('Port A').properties.list();
    t.strictSame(
      Array.from(properties, ({ settings }) => settings['SettingIntA']),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    t.strictSame(
      Array.from(fabric.vms.list(), ({ name, state }) => `${name} ${state}`),
      ['vm1 off', 'vm2 running', 'vm3 saved'],
    );
    await fabric.vms.get('vm3').restore();
    t.strictSame(restored, [[1, 2, 3, 4, 5]]);
    t.strictSame(told.slice(-2), [102, 103]);
    await fabric.close();

    const report = await checkStore(path);
    t.match(report, { format: 2, product: '0.1.0', damaged: [] });
    const kept = join(base, 'kept');
    mkdirSync(kept);
    cpSync(join(path, 'data.format-1.mdb'), join(kept, 'data.mdb'));
    const before = await checkStore(kept);
    t.match(before, { format: 1, records: 33 });
    t.strictSame(countsOf(before.kinds), COUNTS);

    // Once is enough.
    rmSync(join(path, 'data.format-1.mdb'));
    await (await openStore(path)).close();
    t.notOk(existsSync(join(path, 'data.format-1.mdb')));
  },
);

t.test('what an attempt that was killed left behind is replaced', async (t) => {
  const path = oldStore();
  mkdirSync(join(path, 'data.format-1.mdb.new'));
  cpSync(FIXTURE, join(path, 'data.format-1.mdb.new', 'data.mdb'));
  cpSync('package.json', join(path, 'data.format-1.mdb'));
  await (await openStore(path)).close();
  t.strictSame(readdirSync(path).sort(), [
    'data.format-1.mdb',
    'data.mdb',
    'lock.mdb',
    'owner.lmdb',
    'owner.lmdb-lock',
  ]);
  t.notOk(readFileSync(join(path, 'data.format-1.mdb')).equals(readFileSync('package.json')));
});

t.test('a record that cannot be read is named, and the store stays of format 1', async (t) => {
  const path = oldStore();
  const raw = openEnvironment(path);
  // 0xC7 announces an extension of 255 bytes that are not there (MessagePack specification, ext 8).
  raw.putSync('vm/broken', Buffer.from([0xc7, 0xff, 0x01]));
  await raw.close();
  await t.rejects(openStore(path), {
    code: 'STORE_CORRUPT',
    message: /record "vm\/broken".*extswitch store restore/,
    place: { member: 'vm/broken' },
  });
  const report = await checkStore(path);
  t.match(report, { format: 1, records: 34 });
  t.strictSame(
    report.damaged.map(({ key }) => key),
    ['vm/broken'],
  );
  const again = openEnvironment(path);
  again.removeSync('vm/broken');
  await again.close();
  const store = await openStore(path);
  t.equal([...store.range('')].length, 33);
  await store.close();
});

t.test('format 0 and a format that is no number are no store', async (t) => {
  for (const format of [0, -1, 1.5, 'two']) {
    const path = oldStore();
    const raw = openEnvironment(path);
    raw.putSync(META_KEY, encodeValue('meta', { format }));
    await raw.close();
    await t.rejects(openStore(path), {
      code: 'STORE_CORRUPT',
      message: /no extswitch store record/,
    });
  }
});

t.test(
  'a disk too full for the upgrade: refused, nothing changed, done when there is space',
  { skip: skipWithoutMount() },
  async (t) => {
    // From no space at all to space for everything: refused at each step of it, then done.
    let refusals = 0;
    for (let free = 0; free <= 80; free += 8) {
      const disk = mountTmpfs(t, join(base, `disk${free}`), 1024);
      const path = join(disk, 'store');
      mkdirSync(path);
      cpSync(FIXTURE, join(path, 'data.mdb'));
      // The lock files are there, as they are beside any store that was ever opened.
      await checkStore(path);
      const ballast = fillDisk(disk, free);
      const outcome = await openStore(path).then(
        (store) => store.close().then(() => 'open'),
        (error) => `${error.code} ${error.message}`,
      );
      if (outcome !== 'open') {
        refusals += 1;
        t.match(outcome, /^STORE_UNAVAILABLE .*disk is full/, `${free} KiB`);
        const { format, records, damaged } = await checkStore(path);
        t.strictSame({ format, records, damaged }, { format: 1, records: 33, damaged: [] });
      }
      rmSync(ballast);
      const store = await openStore(path);
      t.equal([...store.range('')].length, 33);
      await store.close();
      t.equal((await checkStore(path)).format, 2);
    }
    t.ok(refusals >= 3 && refusals < 11, `${refusals} of 11 refused`);
  },
);
