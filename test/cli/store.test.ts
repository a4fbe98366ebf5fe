import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openStore } from '../../src/store/open-store.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { put } from '../support/store-contract.ts';
import { runCli } from './run-in-process.ts';
import '../support/uncovered-children.ts';

const base = mkdtempSync(join(tmpdir(), 'extswitch-cli-store-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));
const cli = (...argv: string[]) => runCli(['store', ...argv], { cwd: base });

async function fill(name: string): Promise<string> {
  const path = join(base, name);
  const store = await openStore(path);
  await store.write([put('switch/a', 1), put('vm/a', 2), put('vm/b', 3)]);
  await store.close();
  return path;
}

t.test('store check prints counts by kind; nothing wrong is exit code 0', async (t) => {
  const path = await fill('checked');
  const { code, out, err } = await cli('check', 'checked');
  t.equal(code, 0, err);
  t.match(out, /^KIND +RECORDS +BYTES\nswitch +1 +5\nvm +2 +10\n/);
  t.match(out, new RegExp(`checked ${path}: 3 records, format 2\n$`));
  const json = JSON.parse((await cli('check', path, '--json')).out);
  t.match(json, { records: 3, format: 2, kinds: { vm: { records: 2, bytes: 10 } }, damaged: [] });
});

t.test('store check names a damaged record; exit code 1', async (t) => {
  const path = await fill('damaged');
  const raw = openEnvironment(path);
  raw.putSync('vm/b', Buffer.from([3, 0, 0, 0, 0]));
  await raw.close();
  const { code, out } = await cli('check', 'damaged');
  t.equal(code, 1);
  t.match(out, /damaged: vm\/b: .*checksum/);
  t.match(out, /3 records, 1 damaged, format 2\n$/);
  const backup = await cli('backup', '--from', 'damaged', '--to', 'never');
  t.not(backup.code, 0);
  t.match(backup.err, /"vm\/b"/);
  t.notOk(existsSync(join(base, 'never')));
});

t.test('backup of a store that a process has open, then restore over it', async (t) => {
  const path = await fill('used');
  const child = spawn(process.execPath, [...FROM_SOURCES, 'test/store/holder.ts', path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  t.equal(String(((await once(child.stdout, 'data')) as [Buffer])[0]), 'open\n');
  t.match((await cli('check', 'used')).out, /, in use by a server\n$/);
  const backup = await cli('backup', '--from', 'used', '--to', 'backups/monday');
  t.equal(backup.code, 0, backup.err);
  t.match(backup.out, /backed up to .*backups\/monday: 3 records, format 2\n$/);
  const restore = ['restore', '--from', 'backups/monday', '--to', 'used'];
  const busy = await cli(...restore, '--replace');
  t.not(busy.code, 0);
  t.match(busy.err, new RegExp(`in use by process ${child.pid}`));
  child.kill('SIGKILL');
  await once(child, 'exit');

  const there = await cli(...restore);
  t.not(there.code, 0);
  t.match(
    there.err,
    /is there already and is not empty: give a folder that is not there yet, or --replace, which moves what is there to FOLDER\.replaced-TIME/,
  );
  t.notMatch(
    (await cli('backup', '--from', 'backups/monday', '--to', 'used')).err,
    /--replace/,
    'a backup goes over nothing',
  );
  const store = await openStore(path);
  await store.write([put('vm/later', 4)]);
  await store.close();
  const done = await cli(...restore, '--replace', '--json');
  t.equal(done.code, 0, done.err);
  t.match(JSON.parse(done.out), { folder: path, records: 3 });
  const restored = await openStore(path);
  t.equal(restored.get('vm/later'), undefined);
  t.equal(restored.get('vm/b'), 3);
  await restored.close();
});

t.test('a folder that is not given, or not there, is an error', async (t) => {
  t.match(await cli('backup', '--to', 'x'), { code: 2, err: /--from/ });
  const { code, err } = await cli('check', 'nowhere');
  t.not(code, 0);
  t.match(err, /no such folder/);
});
