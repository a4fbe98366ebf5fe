import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ownerOf } from '../../src/cli/serve/error-owner.ts';
import { type Served, serve } from './serve-process.ts';

// Processes start here, on whatever machine.
t.setTimeout(120_000);

const ID = '5cbf81be-5055-47cd-9055-a76b2b4e369e';

const HELPER_FILE = './later.ts';

/** A port's name tells it what to do, in a timer of Node's own: nothing the switch could catch. */
const EXTENSION = `
import { defineExtension } from 'extswitch/extension';
import { later } from '${HELPER_FILE}';
export default defineExtension({
  id: '${ID}',
  name: 'Crasher', vendor: 'Fabrikam', version: '1.0', type: 'filter',
  attach: (sw) => ({
    restart: () => sw.log('attached'),
    createPort(port) {
      const name = port.friendlyName;
      if (name === 'throw') setTimeout(() => { throw new Error('in a timer'); }, 1);
      if (name === 'helper') setTimeout(later, 1);
      if (name === 'reject') void Promise.reject(new Error('dropped'));
      if (name === 'trap') void Promise.reject(new Proxy({}, { getPrototypeOf: () => { throw null; } }));
      if (name === 'text') setTimeout(() => { throw 'no stack'; }, 1);
      return 'forward';
    },
  }),
});
`;
/** A module beside it: the extension itself is not in the stack. */
const HELPER = `export function later(): void { throw new TypeError('in a helper'); }\n`;

interface Crashing extends Served {
  readonly first: string;
  call(method: string, path: string, body?: object): Promise<{ status: number; body: Body }>;
  findings(count: number): Promise<readonly Item[]>;
}
type Item = Readonly<Record<string, unknown>>;
type Body = Item & { readonly items: readonly Item[] };

async function crashing(t: Test, words: readonly string[]): Promise<Crashing> {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'extswitch-crash-')));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  writeFileSync(join(path, 'crasher.ts'), EXTENSION);
  writeFileSync(join(path, 'later.ts'), HELPER);
  const quick = ['--no-bundled', '--store', 'memory', '--port', '0', '--print', 'json'];
  const served = await serve(t, [...quick, '--extension', join(path, 'crasher.ts'), ...words]);
  const { url } = JSON.parse(served.first);
  const call: Crashing['call'] = async (method, route, body) => {
    const response = await fetch(`${url}${route}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  };
  const findings: Crashing['findings'] = async (count) => {
    for (let tries = 0; tries < 500; tries += 1) {
      const { items } = (await call('GET', '/v1/findings')).body;
      if (items.length >= count) return items;
      await new Promise((done) => setTimeout(done, 20));
    }
    throw new Error(`fewer than ${count} findings: ${served.err()}`);
  };
  await call('POST', '/v1/switches', { name: 'S' });
  await call('PATCH', `/v1/switches/S/extensions/${ID}`, { enabled: true });
  return { ...served, call, findings };
}

t.test(
  'an extension that throws in timers of its own: findings, and the server goes on',
  async (t) => {
    const { call, findings, child, ended, err } = await crashing(t, ['--verifier', 'observe']);
    const worlds = (await call('GET', '/v1/worlds')).body.items;
    t.match(worlds, [{ name: 'default', verifier: 'observe' }]);
    for (const [i, name] of ['throw', 'helper', 'reject'].entries()) {
      t.equal((await call('POST', '/v1/switches/S/ports', { name })).status, 201, name);
      await findings(i + 1);
    }
    const found = await findings(3);
    const at = { rule: 'D6', severity: 'error', switch: 'S', extensionId: ID };
    t.match(found, [
      { ...at, message: 'Crasher threw outside its handlers: Error: in a timer' },
      { ...at, message: 'Crasher threw outside its handlers: TypeError: in a helper' },
      { ...at, message: /^Crasher dropped a promise that was rejected outside.*: Error: dropped$/ },
    ]);
    const { body } = await call('GET', `/v1/switches/S/extensions`);
    t.match(body.items, [{ id: ID, running: true }], 'it was only reported');
    t.match(err(), /crasher\.ts:\d+/, 'the log has the stack');
    child.kill('SIGTERM');
    t.equal(await ended, 0);
  },
);

t.test('--on-crash restart: attached anew three times in a minute, then disabled', async (t) => {
  const { call, findings, err, child, ended } = await crashing(t, ['--on-crash', 'restart']);
  for (let i = 1; i <= 4; i += 1) {
    await call('POST', '/v1/switches/S/ports', { name: 'throw' });
    await findings(i);
    const wanted = i <= 3 ? 'was detached and attached anew' : 'was disabled';
    const lines = (): number => err().split(`Crasher ${wanted}`).length - 1;
    for (let tries = 0; tries < 500 && lines() < (i <= 3 ? i : 1); tries += 1) {
      await new Promise((done) => setTimeout(done, 20));
    }
    const { body } = await call('GET', `/v1/switches/S/extensions`);
    t.match(body.items, [{ id: ID, enabled: i <= 3, running: i <= 3 }], `crash ${i}`);
    await call('DELETE', '/v1/switches/S/ports/throw');
  }
  child.kill('SIGTERM');
  t.equal(await ended, 0);
});

t.test(
  'a dropped promise whose reason throws when it is looked at: the server goes on',
  async (t) => {
    const { call, ended, child, err } = await crashing(t, []);
    for (const name of ['trap', 'later']) {
      t.equal((await call('POST', '/v1/switches/S/ports', { name })).status, 201, name);
    }
    t.equal((await call('GET', '/v1/switches/S/ports')).body.items.length, 2);
    child.kill('SIGTERM');
    t.equal(await ended, 0);
    t.match(err(), /a promise was rejected and nobody looked/);
  },
);

t.test('what no extension can be told to have thrown: drained, exit code 1', async (t) => {
  const { call, ended, err } = await crashing(t, ['--on-crash', 'disable']);
  await call('POST', '/v1/switches/S/ports', { name: 'text' });
  t.equal(await ended, 1);
  t.match(err(), /an error nobody caught: the server drains and ends/);
});

t.test(
  'whose code threw: the innermost extension module, then its folder, never our own',
  async (t) => {
    const { loadExtension } = await import('../../src/sdk/load.ts');
    const path = realpathSync(mkdtempSync(join(tmpdir(), 'extswitch-owner-')));
    t.teardown(() => rmSync(path, { recursive: true, force: true }));
    writeFileSync(join(path, 'x.ts'), EXTENSION);
    writeFileSync(join(path, 'later.ts'), HELPER);
    const extension = await loadExtension(join(path, 'x.ts'), path);
    const at = (...files: readonly string[]): unknown =>
      Object.assign(new Error('m'), {
        stack: ['Error: m', ...files.map((file) => `    at f (${file}:1:2)`)].join('\n'),
      });
    const own = new URL('../../src/policy/world.ts', import.meta.url).pathname;
    const owner = (error: unknown): string | undefined => ownerOf(error, [extension])?.name;
    t.equal(owner(at(own, join(path, 'x.ts'))), 'Crasher', 'it called us');
    t.equal(owner(at(`file://${path}/x.ts?tsx=1`)), 'Crasher');
    t.equal(owner(at(join(path, 'later.ts'))), 'Crasher');
    t.equal(owner(at(join(path, 'node_modules', 'p', 'index.js'))), undefined);
    t.equal(owner(at(own)), undefined);
    t.equal(owner('text'), undefined);
    t.equal(
      owner(Object.assign(new Error('m'), { stack: `Error: at ${path}/x.ts:1:2` })),
      undefined,
    );
  },
);
