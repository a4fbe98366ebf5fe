import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { natsServerMissing, startNatsServers } from '../../src/testing/nats-servers.ts';
import { runCli } from '../cli/run-in-process.ts';
import { serve } from '../cli/serve-process.ts';

// Three NATS servers, and five processes one after the other, on whatever machine.
t.setTimeout(180_000);

interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
  /** The other host it came from. */
  readonly from: string | null;
}
interface Host {
  readonly url: string;
  readonly served: Awaited<ReturnType<typeof serve>>;
  ask(method: string, path: string, body?: unknown): Promise<Reply>;
}

async function startHost(t: Test, store: string, name: string): Promise<Host> {
  const words = ['--no-bundled', '--store', store, '--name', name, '--port', '0'];
  const served = await serve(t, [...words, '--print', 'json', '--log-level', 'error']);
  if (served.first === '') throw new Error(`host ${name} did not start: ${served.err()}`);
  const { url } = JSON.parse(served.first);
  const ask: Host['ask'] = async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      from: response.headers.get('extswitch-host'),
    };
  };
  return { url, served, ask };
}

/** Waits until `look` gives something else than `undefined`, at most `ms`. */
async function until<T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || Date.now() > end) return found;
    await sleep(50);
  }
}

const skip = natsServerMissing();

t.test(
  'two serve processes are hosts of one cluster: each serves all VMs, a killed one keeps its own (issue 4, items 5 and 6)',
  { skip },
  async (t) => {
    const nats = await startNatsServers();
    t.teardown(() => nats.stop());
    const store = `${nats.url.replace('nats://', 'nats://someone:s3cret@')}/lab?lease=2s`;
    const [a, b] = await Promise.all([startHost(t, store, 'a'), startHost(t, store, 'b')]);
    t.match(JSON.parse(a.served.first), { name: 'a', cluster: 'lab' });
    t.notMatch(a.served.first, /s3cret|someone/, 'credentials are not told');

    const mof = readFileSync('policies/fabrikam.mof', 'utf8');
    for (const host of [a, b]) {
      t.equal((await host.ask('POST', '/v1/features', { mof })).status, 201);
      t.equal((await host.ask('POST', '/v1/switches', { name: 's' })).status, 201);
    }
    for (const name of ['one', 'two', 'three']) {
      const adapters = [{ name: 'n', switch: 's' }];
      t.equal((await a.ask('POST', '/v1/vms', { name, adapters })).status, 201);
    }
    await b.ask('POST', '/v1/vms', { name: 'own' });

    const read = await b.ask('GET', '/v1/vms/one');
    t.match(read, { status: 200, from: 'a', body: { name: 'one', host: 'a' } });
    t.equal((await b.ask('PATCH', '/v1/vms/one/adapters/n', { name: 'lan' })).body.name, 'lan');
    t.equal((await b.ask('POST', '/v1/vms/one/start')).body.state, 'running');
    const properties = '/v1/vms/one/adapters/lan/properties';
    const feature = 'Fabrikam_PortCustomSettingData';
    const added = await b.ask('POST', properties, { feature, settings: { SettingIntA: 7 } });
    t.equal(added.status, 201);
    const hosts = (await b.ask('GET', '/v1/hosts')).body.items;
    t.match(hosts, [
      { host: 'a', state: 'alive', vms: 3, url: a.url, epoch: 1, isSelf: false },
      { host: 'b', state: 'alive', vms: 1, url: b.url, epoch: 1, isSelf: true },
    ]);
    for (const host of [a, b]) {
      const { items } = (await host.ask('GET', '/v1/vms')).body;
      t.strictSame(
        items.map((vm: { name: string; host: string }) => `${vm.name} on ${vm.host}`),
        ['one on a', 'own on b', 'three on a', 'two on a'],
      );
    }
    t.equal((await b.ask('GET', '/hosts/a/v1/switches/s')).status, 200);
    t.match(JSON.stringify((await a.ask('GET', '/v1/worlds')).body), /"store":"nats:/);
    t.notMatch(JSON.stringify((await a.ask('GET', '/v1/worlds')).body), /s3cret/);

    const destination = { host: 'b' };
    const begun = await b.ask('POST', '/v1/migrations', { vm: 'two', destination });
    t.equal(begun.status, 202);
    const migration = await until(30_000, async () => {
      const { body } = await b.ask('GET', `/v1/migrations/${begun.body.id}`);
      return body.state === 'running' ? undefined : body;
    });
    t.match(migration, { state: 'succeeded', host: 'a' });
    t.equal((await a.ask('GET', '/v1/vms/two')).body.host, 'b');

    a.served.child.kill('SIGKILL');
    await a.served.ended;
    const gone = await b.ask('GET', '/v1/vms/one');
    t.equal(gone.status, 503, 'at once, and as long as it is away');
    t.match(gone.body.detail, 'VM "one" is on host "a"');
    t.equal((await b.ask('GET', '/v1/vms/three')).status, 503, 'one that was never asked for');
    t.equal((await b.ask('GET', '/v1/vms/two')).status, 200, 'what came in time is here');
    t.match((await b.ask('GET', '/v1/vms')).body, {
      unreachable: ['a'],
      items: [{ name: 'own' }, { name: 'two' }],
    });
    const silent = await until(15_000, async () => {
      const { body } = await b.ask('GET', '/v1/hosts/a');
      return body.state === 'alive' ? undefined : body;
    });
    t.equal(silent?.state, 'silent');
    t.equal((await b.ask('GET', '/v1/vms/three')).status, 503, 'after its lease, too');

    const again = await startHost(t, store, 'a');
    const back = await until(15_000, async () => {
      const answer = await b.ask('GET', '/v1/vms/one');
      return answer.status === 200 ? answer : undefined;
    });
    t.match(back, { from: 'a', body: { name: 'one', adapters: [{ name: 'lan' }] } });
    t.match((await b.ask('GET', properties)).body.items, [{ settings: { SettingIntA: 7 } }]);
    t.match((await b.ask('GET', '/v1/hosts/a')).body, { state: 'alive', vms: 2, epoch: 2 });
    const all = (await again.ask('GET', '/v1/vms')).body;
    t.notOk('unreachable' in all);
    t.strictSame(
      all.items.map((vm: { name: string }) => vm.name),
      ['one', 'own', 'three', 'two'],
    );
    t.equal((await b.ask('GET', '/v1/vms/nowhere')).status, 404, 'all answer');

    // Another process becomes host a while it cannot say so itself: it finds that out, says it, and ends.
    again.served.child.kill('SIGSTOP');
    const third = await startHost(t, store, 'a');
    again.served.child.kill('SIGCONT');
    t.equal(await again.served.ended, 1);
    const lines = again.served.err().trimEnd().split('\n');
    t.match(lines.at(-1), /^extswitch: .*host "a"/);
    t.equal((await third.ask('GET', '/v1/vms/one')).status, 200);
    t.equal((await b.ask('GET', '/v1/hosts/a')).body.epoch, 3);

    b.served.child.kill('SIGTERM');
    t.equal(await b.served.ended, 0);
    t.equal((await third.ask('GET', '/v1/hosts/b')).body.state, 'left');
    t.equal((await third.ask('GET', '/v1/vms/two')).status, 503, 'one that left keeps its VMs');

    t.match(await third.ask('DELETE', '/v1/hosts/b'), {
      status: 409,
      body: { member: 'host', problems: [{ name: 'own' }, { name: 'two' }] },
    });
    t.match(await third.ask('DELETE', '/v1/hosts/a'), { status: 409 }, 'itself');
    t.equal((await third.ask('DELETE', '/v1/hosts/nobody')).status, 404);
    t.equal((await third.ask('GET', '/v1/vms/two')).status, 503, 'refused, nothing has changed');
    const removed = await runCli(['host', 'remove', 'b', '--with-vms', '--url', third.url]);
    t.match(removed, { code: 0, out: /^removed host b, and with it VM (own, two|two, own)$/m });
    t.equal((await third.ask('GET', '/v1/vms/two')).status, 404, 'all hosts answer');
    t.match((await third.ask('GET', '/v1/hosts')).body.items, [{ host: 'a' }]);
    t.equal((await third.ask('GET', '/v1/hosts')).body.items.length, 1);
    t.equal((await third.ask('DELETE', '/v1/hosts/b')).status, 404);
    third.served.child.kill('SIGTERM');
    t.equal(await third.served.ended, 0);
  },
);
