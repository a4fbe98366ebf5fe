import { hostname } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import t from 'tap';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { legalName, readServeSettings, type ServeSettings } from '../../src/cli/serve/settings.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { COMMANDS } from '../../src/cli/verbs.ts';

type Env = Readonly<Record<string, string>>;

function settings(
  words: readonly string[],
  env: Env = {},
  cwd = '/nowhere',
  isTTY = false,
): Promise<ServeSettings> {
  const spec = COMMANDS.find(({ words: [verb] }) => verb === 'serve');
  if (spec === undefined) throw new Error('there is no serve');
  const output = { write: () => true, isTTY };
  const streams = { stdin: process.stdin, stdout: output, stderr: output, env, cwd };
  return readServeSettings(parseCommandLine(spec, words), createTerminal(streams));
}

t.test('nothing said: loopback, 4630, an embedded store in the working folder', async (t) => {
  t.strictSame(await settings([]), {
    host: '127.0.0.1',
    port: 4630,
    store: resolve('/nowhere/.extswitch'),
    shownStore: resolve('/nowhere/.extswitch'),
    extensions: [],
    allowedHosts: [],
    bundled: true,
    profile: 'ws2022',
    logLevel: 'info',
    verifier: 'off',
    onCrash: 'report',
    print: 'text',
  });
  t.equal((await settings([], {}, '/nowhere', true)).logLevel, 'warn', 'quiet on a terminal');
});

t.test('flag before environment before file before default, for every setting', async (t) => {
  const file = {
    host: '127.0.0.3',
    port: 3,
    store: './file',
    name: 'file-name',
    extensions: ['./file.ts', '/abs.ts'],
    allowHosts: ['file.test'],
    bundled: false,
    token: 'file',
    profile: 'ws2012',
    seed: 3,
    logLevel: 'error',
    verifier: 'enforce',
    onCrash: 'disable',
  };
  const dir = t.testdir({ 'extswitch.config.json': JSON.stringify(file), env: {}, flag: {} });
  const fromFile = await settings([], {}, dir);
  const { allowHosts, ...rest } = file;
  t.strictSame(fromFile, {
    ...rest,
    allowedHosts: allowHosts,
    store: join(dir, 'file'),
    shownStore: join(dir, 'file'),
    extensions: [join(dir, 'file.ts'), resolve('/abs.ts')],
    seed: '3',
    print: 'text',
  });
  const env = {
    EXTSWITCH_HOST: '127.0.0.2',
    EXTSWITCH_PORT: '2',
    EXTSWITCH_STORE: 'env',
    EXTSWITCH_NAME: 'env_name',
    EXTSWITCH_EXTENSION: ['env.ts', '/e.ts'].join(delimiter),
    EXTSWITCH_ALLOW_HOST: 'env.test,e.test',
    EXTSWITCH_NO_BUNDLED: 'no',
    EXTSWITCH_TOKEN: 'env',
    EXTSWITCH_PROFILE: 'ws2016',
    EXTSWITCH_SEED: '2',
    EXTSWITCH_LOG_LEVEL: 'debug',
    EXTSWITCH_VERIFIER: 'observe',
    EXTSWITCH_ON_CRASH: 'restart',
  };
  t.strictSame(await settings([], env, dir), {
    host: '127.0.0.2',
    port: 2,
    store: join(dir, 'env'),
    shownStore: join(dir, 'env'),
    name: 'env_name',
    extensions: [join(dir, 'env.ts'), resolve('/e.ts')],
    allowedHosts: ['env.test', 'e.test'],
    bundled: true,
    token: 'env',
    profile: 'ws2016',
    seed: '2',
    logLevel: 'debug',
    verifier: 'observe',
    onCrash: 'restart',
    print: 'text',
  });
  const flags =
    '--host ::1 --port 0 --store memory --name flag-name --extension a.ts --extension b.ts --no-bundled --allow-host flag.test';
  const more =
    '--token flag --profile ws2025 --seed 1 --log-level silent --verifier off --on-crash report --print json';
  t.strictSame(await settings(`${flags} ${more}`.split(' '), env, dir), {
    host: '::1',
    port: 0,
    store: 'memory',
    shownStore: 'memory',
    name: 'flag-name',
    extensions: [join(dir, 'a.ts'), join(dir, 'b.ts')],
    allowedHosts: ['flag.test'],
    bundled: false,
    token: 'flag',
    profile: 'ws2025',
    seed: '1',
    logLevel: 'silent',
    verifier: 'off',
    onCrash: 'report',
    print: 'json',
  });
  t.equal((await settings(['--json'])).print, 'json');
});

t.test('a host of a cluster has a name, and its store is shown without credentials', async (t) => {
  const store = 'nats://u:p%40ss@n1,n2:4333/lab?replicas=3&lease=5s';
  const given = await settings(['--store', store, '--name', 'a']);
  t.match(given, { store, name: 'a', shownStore: 'nats://n1:4222,n2:4333/lab' });
  const unnamed = await settings([], { EXTSWITCH_STORE: 'tls://token@n1/lab' });
  t.equal(unnamed.shownStore, 'tls://n1:4222/lab');
  t.equal(unnamed.name, legalName(hostname()));
  t.equal(legalName('build.example.org'), 'build');
  t.equal(legalName('pc von ä'), 'pc-von--');
  t.equal(legalName('x'.repeat(100)), 'x'.repeat(63));
  t.equal(legalName('.local'), 'host');
});

t.test('what is printed when ready: flag, environment, file, text', async (t) => {
  const dir = t.testdir({ 'extswitch.config.yaml': 'print: json\n' });
  t.equal((await settings([])).print, 'text');
  t.equal((await settings([], {}, dir)).print, 'json');
  t.equal((await settings([], { EXTSWITCH_PRINT: 'text' }, dir)).print, 'text');
  t.equal((await settings(['--print', 'json'], { EXTSWITCH_PRINT: 'text' })).print, 'json');
  await t.rejects(settings([], { EXTSWITCH_PRINT: 'xml' }), {
    message: /EXTSWITCH_PRINT must be one of text, json/,
  });
});

t.test('an empty variable is no setting', async (t) => {
  t.equal((await settings([], { EXTSWITCH_TOKEN: '', EXTSWITCH_PORT: '' })).port, 4630);
  t.notOk('token' in (await settings([], { EXTSWITCH_TOKEN: '' })));
});

t.test('the file may be YAML, or named by --config or EXTSWITCH_CONFIG', async (t) => {
  const dir = t.testdir({
    'extswitch.config.yaml': '# settings\nport: 7 # lucky\nstore: memory\n',
    other: { 'my.yaml': 'port: 8\nstore: ./s\ntoken: ~\n', 'empty.yaml': '' },
  });
  t.equal((await settings([], {}, dir)).port, 7);
  const named = await settings(['--config', 'other/my.yaml'], {}, dir);
  t.equal(named.port, 8);
  t.equal(named.store, join(dir, 'other', 's'), 'its paths start at its folder');
  t.notOk('token' in named, 'null is no setting');
  t.equal((await settings([], { EXTSWITCH_CONFIG: 'other/my.yaml' }, dir)).port, 8);
  t.equal((await settings(['--config', 'other/empty.yaml'], {}, dir)).port, 4630);
});

t.test('a wrong settings file is refused with its line', async (t) => {
  const cases: readonly [string, RegExp][] = [
    ['host: 127.0.0.1\nprot: 5\n', /:2: unknown key "prot"; did you mean port\? \(known are host/],
    ['port: 5\nport: 6\n', /:2:\d+: .*unique/],
    ['port: [5\n', /extswitch\.config\.yaml:\d+:\d+: /],
    ['- port\n', /:1: the settings must be a map/],
    ['port: eighty\n', /:1: port must be a port from 0 to 65535, found "eighty"/],
    ['\nport: 70000\n', /:2: port must be a port from 0 to 65535, found 70000/],
    ['host: [a]\n', /:1: host must be text, found \["a"\]/],
    ['extensions: a.ts\n', /extensions must be a list of paths/],
    ['extensions: [5]\n', /extensions must be a list of paths/],
    ['bundled: sure\n', /bundled must be true or false, found "sure"/],
    ['profile: ws2008\n', /profile must be one of ws2012, /],
    ['store: redis://u:pw@x:1\n', /store must be "memory", a folder or nats:.*, found "redis:…"$/],
    ['store: nats://u:pw@x:1/a.b\n', /store: the name of the cluster: expected .*, found "a\.b"$/],
    ['name: a.b\n', /name must be 1 to 63 letters, digits, "_" and "-", found "a\.b"$/],
    ['logLevel: loud\n', /logLevel must be one of trace, /],
    ['token: "a b"\n', /token must be of visible ASCII characters$/],
  ];
  for (const [text, message] of cases) {
    const dir = t.testdir({ 'extswitch.config.yaml': text });
    await t.rejects(settings([], {}, dir), { code: 'INVALID_ARGUMENT', message });
  }
});

t.test('two settings files at once, or a named one that is missing, are refused', async (t) => {
  const dir = t.testdir({ 'extswitch.config.json': '{}', 'extswitch.config.yaml': '' });
  await t.rejects(settings([], {}, dir), { message: /extswitch\.config\.json is there too/ });
  await t.rejects(settings(['--config', 'x.yaml'], {}, dir), { message: /x\.yaml: no such file/ });
  await t.rejects(settings(['--config', '.'], {}, dir), { code: 'INVALID_ARGUMENT' });
});

t.test('a wrong variable is refused by its name; a token is never shown', async (t) => {
  const cases: readonly [Env, RegExp][] = [
    [{ EXTSWITCH_PORT: 'tcp://10.0.0.1:4630' }, /^EXTSWITCH_PORT must be a port/],
    [{ EXTSWITCH_NO_BUNDLED: 'maybe' }, /^EXTSWITCH_NO_BUNDLED must be true or false/],
    [{ EXTSWITCH_PROFILE: 'x' }, /^EXTSWITCH_PROFILE must be one of/],
    [{ EXTSWITCH_TOKEN: 'gr\u00fcn' }, /^EXTSWITCH_TOKEN must be of visible ASCII characters$/],
  ];
  for (const [env, message] of cases) await t.rejects(settings([], env), { message });
  t.equal((await settings([], { EXTSWITCH_NO_BUNDLED: '1' })).bundled, false);
});
