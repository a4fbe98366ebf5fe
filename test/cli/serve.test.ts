import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FABRIKAM_MOF } from './mof-samples.ts';
import { runCli } from './run-in-process.ts';
import { serve } from './serve-process.ts';

// A dozen processes start here, on whatever machine.
t.setTimeout(120_000);

const QUICK = ['--no-bundled', '--store', 'memory', '--port', '0'];

/** A folder outside the project. */
function folder(t: Test, files: Readonly<Record<string, string>> = {}): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'extswitch-serve-')));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const EXTENSION = `
import { defineExtension, NdisStatus, pend, type PortProperty } from 'extswitch/extension';
export default defineExtension({
  id: '5CBF81BE-5055-47CD-9055-A76B2B4E369E',
  name: 'Fabrikam', vendor: 'Fabrikam', version: '1.0', type: 'filter',
  mof: ['./fabrikam.mof'],
  attach: () => ({
    addPortProperty(property: PortProperty) {
      if (property.feature !== 'Fabrikam_PortCustomSettingData') return 'forward';
      const { SettingIntA } = property.settings as { SettingIntA: number };
      if (SettingIntA === 13) return NdisStatus.DATA_NOT_ACCEPTED;
      if (SettingIntA === 99) return pend(property.request);
      return NdisStatus.SUCCESS;
    },
  }),
});
`;

t.test(
  'serve --print json: one JSON line, ready at once; SIGTERM drains and exits 0',
  async (t) => {
    const served = await serve(t, [...QUICK, '--print', 'json', '--log-level', 'warn']);
    const { url, host, port, pid, store } = JSON.parse(served.first);
    t.equal(host, '127.0.0.1');
    t.equal(pid, served.child.pid);
    t.equal(store, 'memory');
    t.equal(url, `http://127.0.0.1:${port}`);
    t.equal((await fetch(`${url}/readyz`)).status, 200);
    served.child.kill('SIGTERM');
    t.equal(await served.ended, 0);
    t.equal(served.out(), `${served.first}\n`, 'nothing but that line');
    t.equal(served.err(), '');
  },
);

t.test(
  'serve for people: the URL first, then three commands to try; SIGINT drains too',
  async (t) => {
    const served = await serve(t, QUICK);
    t.match(served.first, /^http:\/\/127\.0\.0\.1:\d+$/);
    const tries = served
      .out()
      .split('\n')
      .filter((line) => line.startsWith('  curl '));
    t.equal(tries.length, 3);
    for (const line of tries) t.ok(line.includes(served.first), line);
    served.child.kill('SIGINT');
    t.equal(await served.ended, 0);
  },
);

t.test('what keeps serve from starting is one line on standard error, exit 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const dir = folder(t, { 'a-file': '', 'bad.mjs': 'export default {' });
  const cases: readonly [readonly string[], RegExp][] = [
    [
      [...QUICK.slice(0, 3), '--port', String(port)],
      new RegExp(`127\\.0\\.0\\.1:${port} is in use`),
    ],
    [[...QUICK, '--host', '0.0.0.0'], /0\.0\.0\.0.*token/],
    [[...QUICK, '--host', '192.0.2.1', '--token', 't'], /192\.0\.2\.1/],
    [['--no-bundled', '--port', '0', '--store', join(dir, 'a-file')], /a-file/],
    [[...QUICK, '--extension', join(dir, 'none.ts')], /none\.ts: no such file/],
    [[...QUICK, '--extension', join(dir, 'bad.mjs')], /bad\.mjs: syntax error at .*bad\.mjs:1/],
  ];
  const check = async ([words, message]: (typeof cases)[number]): Promise<void> => {
    const served = await serve(t, [...words, '--print', 'json']);
    t.equal(await served.ended, 1, words.join(' '));
    t.equal(served.out(), '');
    const lines = served.err().trimEnd().split('\n');
    t.match(lines.at(-1), message);
    t.match(lines.at(-1), /^extswitch: /);
    t.equal(lines.length, 1, served.err());
  };
  await Promise.all(cases.map(check));
});

t.test('a host others reach is served with a token, from the environment', async (t) => {
  const served = await serve(t, [...QUICK, '--host', '0.0.0.0', '--print', 'json'], {
    EXTSWITCH_TOKEN: 'secret',
  });
  const { port } = JSON.parse(served.first);
  const url = `http://127.0.0.1:${port}`;
  t.equal((await fetch(`${url}/readyz`)).status, 200, 'the health check needs no token');
  const without = await runCli(['switch', 'list', '--url', url]);
  t.equal(without.code, 1);
  t.match(without.err, '(401)');
  t.equal((await runCli(['switch', 'list', '--url', url, '--token', 'secret'])).code, 0);
});

t.test(
  'the command line drives a real server with an extension from outside the project',
  async (t) => {
    const dir = folder(t, { 'fabrikam.ts': EXTENSION, 'fabrikam.mof': FABRIKAM_MOF });
    const store = join(dir, 'store');
    const words = ['--no-bundled', '--port', '0', '--store', store, '--print', 'json'];
    const first = await serve(t, [...words, '--extension', join(dir, 'fabrikam.ts')]);
    const env = { EXTSWITCH_URL: JSON.parse(first.first).url as string };
    const cli = (...of: string[]) => runCli(of, { env, cwd: dir });
    const done = async (...of: string[]) => {
      const ran = await cli(...of);
      t.equal(ran.code, 0, `${of.join(' ')}: ${ran.err}`);
      return ran.out;
    };
    await done('switch', 'create', 'TestSwitch');
    await done('extension', 'enable', 'Fabrikam', '--switch', 'TestSwitch');
    t.match(await done('extension', 'list', '-s', 'TestSwitch'), /Fabrikam +filter +0 +yes +yes/);
    await done('port', 'create', 'web', '-s', 'TestSwitch');
    await done('nic', 'connect', 'eth0', '-s', 'TestSwitch', '-p', 'web');
    t.match(await done('port', 'show', 'web', '-s', 'TestSwitch'), 'eth0');
    t.match(await done('feature', 'show', 'Fabrikam_PortCustomSettingData'), 'SettingIntB');
    const target = ['-s', 'TestSwitch', '-p', 'web'];
    const add = ['property', 'add', ...target, '--feature', 'Fabrikam_PortCustomSettingData'];
    const big = '18446744073709551615';
    const added = JSON.parse(
      await done(...add, '--set', 'SettingIntA=100', '--set', `SettingIntB=${big}`, '--json'),
    );
    t.match(added.settings, { SettingIntA: 100, SettingIntB: big });
    const vetoed = await cli(...add, '--set', 'SettingIntA=13');
    t.equal(vetoed.code, 1);
    t.match(vetoed.err, 'ndisStatus: NDIS_STATUS_DATA_NOT_ACCEPTED');
    t.match(vetoed.err, '(409)');
    const updated = JSON.parse(
      await done('property', 'update', added.id, ...target, '--set', 'SettingIntA=101', '--json'),
    );
    t.match(updated, { revision: 2, settings: { SettingIntA: 101, SettingIntB: big } });
    const stale = await cli(
      'property',
      'update',
      added.id,
      ...target,
      '--settings',
      '{}',
      '--if-revision',
      '1',
    );
    t.match(stale.err, '(412)');
    const trace = await done('trace', '--oid', 'OID_SWITCH_PORT_PROPERTY_ADD', '--verbose');
    t.match(trace, 'NDIS_STATUS_DATA_NOT_ACCEPTED');
    t.match(trace, '"SettingIntA": 100');
    const nobody = await cli(
      'status',
      'get',
      ...target,
      '--feature',
      'Fabrikam_PortCustomSettingData',
    );
    t.equal(nobody.code, 1);
    await done('world', 'create', 'w1', '--seed', '1');
    t.match(await done('world', 'list'), /w1 /);
    t.equal(JSON.parse(await done('switch', 'list', '--world', 'w1', '--json')).length, 0);
    await done('world', 'delete', 'w1');
    t.match(JSON.parse(await done('openapi')), { openapi: /^3\.1/ });
    first.child.kill('SIGTERM');
    t.equal(await first.ended, 0, first.err());

    const again = await serve(t, [...words, '--extension', join(dir, 'fabrikam.ts')]);
    env.EXTSWITCH_URL = JSON.parse(again.first).url;
    const kept = JSON.parse(await done('property', 'list', ...target, '--json'));
    t.match(kept, [{ id: added.id, settings: { SettingIntA: 101, SettingIntB: big } }]);
  },
);

t.test('a pended request shows in oid pending; a second signal ends a drain at once', async (t) => {
  const dir = folder(t, { 'fabrikam.ts': EXTENSION, 'fabrikam.mof': FABRIKAM_MOF });
  const served = await serve(t, [
    ...QUICK,
    '--print',
    'json',
    '--extension',
    join(dir, 'fabrikam.ts'),
  ]);
  const env = { EXTSWITCH_URL: JSON.parse(served.first).url as string };
  const cli = (...of: string[]) => runCli(of, { env });
  await cli('switch', 'create', 'S');
  await cli('extension', 'enable', 'Fabrikam', '-s', 'S');
  await cli('port', 'create', 'p', '-s', 'S');
  const follow = new AbortController();
  const followed = runCli(['trace', '-f', '-n', '0', '--json'], { env, signal: follow.signal });
  const words = [
    'property',
    'add',
    '-s',
    'S',
    '-p',
    'p',
    '--feature',
    'Fabrikam_PortCustomSettingData',
  ];
  const held = cli(...words, '--set', 'SettingIntA=99');
  let pending: { oid: string; switch: string }[] = [];
  for (let attempt = 0; pending.length === 0 && attempt < 100; attempt += 1) {
    pending = JSON.parse((await cli('oid', 'pending', '--json')).out);
  }
  t.match(pending, [{ oid: 'OID_SWITCH_PORT_PROPERTY_ADD', switch: 'S' }]);
  follow.abort();
  t.equal((await followed).code, 0);
  const isReady = () =>
    fetch(`${env.EXTSWITCH_URL}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  served.child.kill('SIGTERM');
  // A second signal that came before the first was taken would be one with it.
  while (await isReady()) await new Promise((done) => setTimeout(done, 20));
  const before = Date.now();
  served.child.kill('SIGTERM');
  const ended = await served.ended;
  t.ok(Date.now() - before < 2000, 'it did not wait for the request');
  t.ok(ended === 'SIGTERM' || ended === 0, String(ended));
  t.equal((await held).code, 1);
});
