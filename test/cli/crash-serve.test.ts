import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { checkStore } from '../../src/store/store-check.ts';
import { FABRIKAM_MOF } from '../support/fabrikam.ts';
import { serve } from './serve-process.ts';

/*
 * The whole product: `extswitch serve` on a folder, clients that make VMs, give them policies, start, save and delete them
 * over HTTP, and SIGKILL at a random moment. What the next server has is compared with what the clients had been answered.
 */
const ROUNDS = Number(process.env['EXTSWITCH_CRASH_ROUNDS'] ?? 4);
const SEED = Number(process.env['EXTSWITCH_CRASH_SEED'] ?? Date.now() % 1_000_000);
const CLIENTS = 6;

let random = SEED;
function below(limit: number): number {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  return (random >>> 8) % limit;
}

const folder = mkdtempSync(join(tmpdir(), 'extswitch-crash-serve-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function call(base: string, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${base}/v1${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const text = await response.text();
  const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  return { status: response.status, body: parsed };
}

/** What a VM may be: as last answered, or as last asked for. `gone`: it is not there. */
interface Expected {
  state: string;
  asked: string;
  /** Values of its policies that were answered, and the one that was asked for. */
  values: Set<number>;
  askedValue: number | undefined;
}

let serial = 0;

/** One client and its VM after VM, until the server is gone. Its own VMs are nobody else's. */
async function client(
  base: string,
  world: Map<string, Expected>,
  count: () => void,
): Promise<never> {
  const own: string[] = [];
  const ask = async (name: string, asked: string, method: string, path: string, body?: object) => {
    const vm = world.get(name) as Expected;
    vm.asked = asked;
    const answer = await call(base, method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    vm.state = asked;
    count();
    return answer.body;
  };
  for (;;) {
    const name = `vm-${serial++}`;
    world.set(name, { state: 'gone', asked: 'gone', values: new Set(), askedValue: undefined });
    const vm = world.get(name) as Expected;
    const made = await ask(name, 'off', 'POST', '/vms', { name, adapters: [{ switch: 'S' }] });
    own.push(name);
    const [adapter] = made['adapters'] as { id: string }[];
    for (let n = 0; n < 1 + below(3); n += 1) {
      vm.askedValue = below(1_000_000);
      await ask(name, 'off', 'POST', `/vms/${name}/adapters/${adapter?.id}/properties`, {
        feature: 'Fabrikam_PortCustomSettingData',
        settings: { SettingIntA: vm.askedValue },
      });
      vm.values.add(vm.askedValue);
      vm.askedValue = undefined;
    }
    await ask(name, 'running', 'POST', `/vms/${name}/start`);
    if (below(2) === 0) await ask(name, 'saved', 'POST', `/vms/${name}/save`);
    if (vm.state === 'saved' && below(3) === 0) {
      await ask(name, 'running', 'POST', `/vms/${name}/restore`);
    }
    if (own.length > 5) {
      const old = own.shift() ?? '';
      if (world.get(old)?.state !== 'off') await ask(old, 'off', 'POST', `/vms/${old}/stop`);
      await ask(old, 'gone', 'DELETE', `/vms/${old}`);
    }
  }
}

/** Everything of a VM that is neither as last answered nor as last asked for. */
async function faultsOf(base: string, name: string, vm: Expected): Promise<string[]> {
  const { status, body } = await call(base, 'GET', `/vms/${name}`);
  const state = status === 404 ? 'gone' : String(body['state']);
  if (state !== vm.state && state !== vm.asked) {
    return [`${name} is ${state}: answered ${vm.state}, asked for ${vm.asked}`];
  }
  if (state === 'gone') return [];
  const [adapter] = body['adapters'] as { id: string }[];
  const listed = await call(base, 'GET', `/vms/${name}/adapters/${adapter?.id}/properties`);
  const items = listed.body['items'] as { settings: { SettingIntA: number } }[];
  const there = new Set(items.map(({ settings }) => Number(settings.SettingIntA)));
  return [
    ...[...vm.values].filter((value) => !there.has(value)).map((value) => `${name} lost ${value}`),
    ...[...there]
      .filter((value) => !vm.values.has(value) && value !== vm.askedValue)
      .map((value) => `${name} has ${value}, which nobody asked for`),
  ];
}

t.setTimeout(60_000 + ROUNDS * 20_000);
t.test(
  `kill -9 of the server under HTTP load, ${ROUNDS} rounds, seed ${SEED}: what was answered is there`,
  { timeout: 60_000 + ROUNDS * 20_000 },
  async (t) => {
    const options = ['--no-bundled', '--port', '0', '--print', 'json', '--store', folder];
    const world = new Map<string, Expected>();
    let answered = 0;
    for (let round = 0; round <= ROUNDS; round += 1) {
      const server = await serve(t, options);
      const { url } = JSON.parse(server.first) as { url: string };
      if (round === 0) {
        const registered = await call(url, 'POST', '/features', { mof: FABRIKAM_MOF });
        t.ok(registered.status < 300, JSON.stringify(registered.body));
        t.equal((await call(url, 'POST', '/switches', { name: 'S' })).status, 201);
      }
      const faults: string[] = [];
      for (const [name, vm] of world) faults.push(...(await faultsOf(url, name, vm)));
      t.strictSame(faults, [], `start ${round}: ${world.size} VMs as answered`);
      world.clear();
      const clients = Array.from({ length: CLIENTS }, () =>
        client(url, world, () => {
          answered += 1;
        }).catch((error: Error) => error),
      );
      // The moment is random; that something was answered before is not left to the load of the machine.
      const before = answered;
      let areGone = false;
      void Promise.all(clients).then(() => {
        areGone = true;
      });
      while (answered - before <= 20 && !areGone) await sleep(5);
      await sleep(below(600));
      server.child.kill('SIGKILL');
      t.equal(await server.ended, 'SIGKILL');
      for (const error of await Promise.all(clients))
        t.match(error.message, /fetch failed|terminated/);
      t.match(await checkStore(folder), { damaged: [], isInUse: false });
    }
    t.ok(answered > (ROUNDS + 1) * 20, `${answered} changes answered`);
  },
);
