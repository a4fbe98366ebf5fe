import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { openPlane, withPort } from '../http/plane.ts';
import { runCli } from './run-in-process.ts';

const SDK = pathToFileURL(join(import.meta.dirname, '../../src/sdk/index.ts')).href;

/** A plane that listens, and the command line against it. */
async function listening(t: Test) {
  const plane = await openPlane(t);
  const url = await plane.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...plane, cli: (...words: string[]) => runCli([...words, '--url', url]) };
}

t.test('sim time: shown, stopped, moved; what is wrong is said', async (t) => {
  const { cli } = await listening(t);
  t.strictSame(await cli('sim', 'time'), {
    code: 0,
    out: 'manual  1970-01-01T00:00:00.000Z  (0 ms)\n',
    err: '',
  });
  t.equal(
    (await cli('sim', 'time', 'warp', '--by', '12000')).out,
    'manual  1970-01-01T00:00:12.000Z  (12000 ms)\n',
  );
  t.match(JSON.parse((await cli('sim', 'time', 'stop', '--json')).out), { nowMs: 12_000 });
  const resumed = await cli('sim', 'time', 'resume');
  t.equal(resumed.code, 1);
  t.match(resumed.err, 'the clock of this world is manual');
  for (const words of [['warp'], ['back'], ['stop', '--by', '5'], ['warp', '--by', '-1']]) {
    t.equal((await cli('sim', 'time', ...words)).code, 2, words.join(' '));
  }
});

t.test('sim snapshot: made, listed, restored, forked, forgotten', async (t) => {
  const plane = await listening(t);
  const { cli, call } = plane;
  await withPort(plane);
  t.equal((await cli('sim', 'snapshot', 'create', 'a')).out, 'snapshot a\n');
  await call('DELETE', '/v1/switches/s');
  t.match((await cli('sim', 'snapshot', 'list')).out, /^NAME .*\na +0 +1 +1 +0 +0$/m);
  t.equal((await cli('sim', 'snapshot', 'restore', 'a')).out, 'restored snapshot a\n');
  t.equal((await call('GET', '/v1/switches/s/ports/p')).status, 200);
  t.equal((await cli('sim', 'snapshot', 'fork', 'a', 'branch')).out, 'created world branch\n');
  t.equal((await call('GET', '/worlds/branch/v1/switches/s')).status, 200);
  t.equal((await cli('sim', 'snapshot', 'delete', 'a')).out, 'deleted snapshot a\n');
  const gone = await cli('sim', 'snapshot', 'restore', 'a');
  t.equal(gone.code, 1);
  t.match(gone.err, 'there is no snapshot "a"');
});

t.test(
  'trace --save and replay: 0 when all is as recorded, 1 when not, with what differs',
  async (t) => {
    const plane = await listening(t);
    const { cli, call } = plane;
    await withPort(plane);
    const folder = t.testdir();
    const file = join(folder, 'bug.jsonl');
    const property = { feature: 'Test_PortSetting', settings: { SettingIntA: 666 } };
    await call('POST', '/v1/switches/s/ports/p/properties', property);
    const saved = await cli('trace', '--save', file);
    t.equal(saved.code, 0, saved.err);
    t.match(await readFile(file, 'utf8'), /^\{"format":"extswitch-trace","version":1,/);
    const module = async (name: string, refused: number): Promise<string> => {
      const path = join(folder, `${name}.mjs`);
      await writeFile(
        path,
        `import { defineExtension } from '${SDK}';
      export default defineExtension({
        id: '5cbf81be-5055-47cd-9055-a76b2b4e369e', name: '${name}', vendor: 'Test', version: '1.0', type: 'filter',
        attach: () => ({
          addPortProperty: ({ settings }) => settings.SettingIntA === ${refused} ? 0xc0010015 : 'forward',
        }),
      });`,
      );
      return path;
    };
    // NDIS_STATUS_DATA_NOT_ACCEPTED is what the recorded one said; these say NDIS_STATUS_INVALID_DATA, and one says nothing.
    const changed = await runCli(['replay', file, '--extension', await module('v2', 666)]);
    t.equal(changed.code, 1, changed.err);
    t.match(
      changed.out,
      /- status NDIS_STATUS_DATA_NOT_ACCEPTED\n\+ status NDIS_STATUS_INVALID_DATA\n/,
    );
    t.match(changed.out, /^--- recorded: Test Filter 1\.0, as ws2022\n\+\+\+ replayed: v2 1\.0\n/);
    const local = await runCli(['replay', file, '--extension', await module('v3', 1)]);
    t.equal(local.code, 1);
    t.match(local.out, /- verdict NDIS_STATUS_DATA_NOT_ACCEPTED\n\+ verdict forward\n/);
    t.match(local.out, /1 of 2 requests as recorded\n$/);
    await call('DELETE', '/v1/switches/s/ports/p');
    await call('POST', '/v1/sim/snapshots', { name: 'a' });
    await call('POST', '/v1/switches/s/ports', { name: 'q' });
    await cli('trace', '--save', file, '--from', 'a');
    const same = await runCli(['replay', file, '-e', await module('v4', 666), '--json']);
    t.equal(same.code, 0);
    t.match(JSON.parse(same.out), { requests: 1, same: 1, differences: [] });
    const dropping = join(folder, 'v5.mjs');
    const source = await readFile(await module('v5', 666), 'utf8');
    await writeFile(
      dropping,
      source.replace(
        'attach: () => ({',
        'attach: () => ({ createPort() { Promise.reject(new Error("dropped")); },',
      ),
    );
    const dropped = await runCli(['replay', file, '-e', dropping]);
    t.equal(dropped.code, 0, dropped.err);
    t.match(dropped.err, 'a promise was rejected and nobody looked: Error: dropped');
    t.equal((await runCli(['replay', file])).code, 2, 'no extension named');
    t.equal(
      (await cli('trace', '--save', file, '--follow')).code,
      2,
      'not with what is for reading',
    );
    t.equal((await cli('trace', '--from', 'a')).code, 2);
  },
);
