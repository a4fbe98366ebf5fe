import { fileURLToPath } from 'node:url';
import t from 'tap';
import { serve } from '../cli/serve-process.ts';

/*
 * The server answers, and its other worlds go on, after whatever an isolated extension did.
 */

t.setTimeout(300_000);

type Item = Readonly<Record<string, unknown>>;
type Body = Item & { readonly items: readonly Item[] };

const MODULE = fileURLToPath(new URL('./fixtures/misbehaving.ts', import.meta.url));
const HANGS = fileURLToPath(new URL('./fixtures/hangs-at-load.ts', import.meta.url));
const QUICK = ['--no-bundled', '--store', 'memory', '--port', '0', '--print', 'json'];

t.test('serve --isolate: health, other worlds, metrics and trace after each misdeed', async (t) => {
  const { first, child, ended } = await serve(t, [
    ...QUICK,
    ...['--extension', MODULE, '--isolate', 'all', '--watchdog-ms', '2000', '--memory-mb', '64'],
  ]);
  const { url } = JSON.parse(first);
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, { method, ...sent });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, text, body: (isJson ? JSON.parse(text) : {}) as Body };
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (let i = 0; i < 1_200; i += 1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`never: ${what}`);
  };
  const one = { name: 'S', extensions: ['Misbehaving'] };
  t.equal((await call('POST', '/v1/switches', one)).status, 201);
  t.equal((await call('POST', '/v1/worlds', { name: 'other' })).status, 201);
  t.equal((await call('POST', '/worlds/other/v1/switches', one)).status, 201);
  let restarts = 0;
  for (const misdeed of ['hang', 'eat', 'exit', 'throwLater', 'hangLater']) {
    const refused = ['hang', 'eat', 'exit'].includes(misdeed);
    const made = await call('POST', '/v1/switches/S/ports', { name: misdeed });
    t.equal(made.status, refused ? 409 : 201, `${misdeed}: ${made.text}`);
    t.equal((await call('GET', '/healthz')).status, 200, `health after ${misdeed}`);
    const other = await call('POST', '/worlds/other/v1/switches/S/ports', {
      name: `not ${misdeed}`,
    });
    t.equal(other.status, 201, `another world after ${misdeed}`);
    restarts += 1;
    await until(`attached anew after ${misdeed}`, async () => {
      const { body: shown } = await call('GET', '/v1/extensions/Misbehaving');
      const { body: on } = await call('GET', '/v1/switches/S/extensions/Misbehaving');
      return (shown['isolated'] as Item)['restarts'] === restarts && on['running'] === true;
    });
  }
  const limits = { watchdogMs: 2000, memoryMb: 64, loadMs: 10_000, onCrash: 'restart' };
  const worlds = (await call('GET', '/v1/worlds')).body.items;
  t.match(worlds[0], { name: 'default', isolate: { extensions: 'all', ...limits } });
  const metrics = (await call('GET', '/metrics')).text;
  t.match(metrics, /^extswitch_world_isolated_restarts_total\{world="default"\} 5$/m);
  t.match(metrics, /^extswitch_world_isolated_restarts_total\{world="other"\} 0$/m);
  const { body: trace } = await call('GET', '/v1/trace?oid=OID_SWITCH_PORT_CREATE');
  const told = trace.items.filter(({ findings }) => findings !== undefined);
  t.equal(told.length, 3, 'each request that failed tells why');
  t.match(told[0]?.['findings'], [{ rule: 'D6', severity: 'error', message: /did not return/ }]);

  const plain = await call('POST', '/v1/worlds', {
    name: 'plain',
    isolate: { extensions: ['Nobody'] },
  });
  t.equal(plain.status, 404, 'a world that isolates nobody there is');
  t.match(plain.text, /no extension is named/);
  child.kill('SIGTERM');
  t.equal(await ended, 0, 'it drains and ends in order');
});

t.test(
  'serve --isolate of a module that never ends loading: the start ends with its name',
  async (t) => {
    const { ended, err } = await serve(t, [
      ...QUICK,
      ...['--extension', HANGS, '--isolate', 'all', '--watchdog-ms', '1000'],
    ]);
    t.not(await ended, 0);
    t.match(err(), /hangs-at-load\.ts was not loaded within 10000 ms/);
  },
);
