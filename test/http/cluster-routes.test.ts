import fc from 'fast-check';
import t from 'tap';
import { unpackValue } from '../../src/http/msgpack.ts';
import { mergePages, type PageQuery, pageByKey } from '../../src/http/page.ts';
import { runCli } from '../cli/run-in-process.ts';
import { unreachable } from '../support/fake-cluster.ts';
import { move, openHosts } from './cluster-hosts.ts';
import { openPlane, PORT_SETTING } from './plane.ts';

// Three worlds for each test, on whatever machine.
t.setTimeout(120_000);

type Named = { readonly name: string; readonly host: string };

t.test('lists are of all hosts, in one order, page after page at whatever host', async (t) => {
  const { a, b, c } = await openHosts(t);
  const names = ['d1', 'a1', 'c1', 'b1', 'e1', 'f1', 'b2'];
  for (const [i, name] of names.entries()) {
    await [a, b, c][i % 3]?.call('POST', '/v1/vms', { name });
  }
  const sorted = [...names].sort();
  const all = await b.call('GET', '/v1/vms');
  t.strictSame(
    all.body.items.map(({ name }: Named) => name),
    sorted,
  );
  t.strictSame(
    all.body.items.map(({ host }: Named) => host),
    ['b', 'a', 'a', 'c', 'a', 'b', 'c'],
    'each with its host',
  );
  t.notOk('unreachable' in all.body);
  t.notOk('next' in all.body);
  for (const limit of [1, 2, 3, 6, 7]) {
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; ; page += 1) {
      const plane = [a, b, c][page % 3] ?? a;
      const { body } = await plane.call('GET', `/v1/vms?limit=${limit}${cursor}`);
      seen.push(...body.items.map(({ name }: Named) => name));
      if (body.next === undefined) break;
      cursor = `&cursor=${body.next}`;
    }
    t.strictSame(seen, sorted, `pages of ${limit}`);
  }
  const packed = await c.app.inject({
    url: '/v1/vms?limit=2',
    headers: { accept: 'application/msgpack' },
  });
  t.match(unpackValue(packed.rawPayload), { items: [{ name: 'a1' }, { name: 'b1' }] });
  t.equal((await b.call('GET', '/v1/vms?limit=0')).status, 400, 'the query is checked first');
  t.equal((await b.call('GET', '/v1/vms?cursor=x')).status, 400);
});

t.test('pages of several lists are the pages of all their items, whatever the split', (t) => {
  const items = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 30 });
  const law = fc.property(
    items,
    fc.array(fc.nat(2), { minLength: 30, maxLength: 30 }),
    fc.integer({ min: 1, max: 7 }),
    (keys, places, limit) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const query: PageQuery = { limit, ...(cursor === undefined ? {} : { cursor }) };
        const pages = [0, 1, 2].map((host) =>
          pageByKey(
            keys.filter((_, i) => places[i] === host),
            (key) => key,
            query,
          ),
        );
        const page = mergePages(pages, (key) => key, query);
        if (page.next !== undefined && page.items.length !== limit) return false;
        seen.push(...page.items);
        cursor = page.next;
      } while (cursor !== undefined);
      const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1));
      return JSON.stringify(seen) === JSON.stringify(sorted);
    },
  );
  fc.assert(law, { numRuns: 300 });
  t.end();
});

t.test(
  '?host= gives the list of one host; hosts without an answer are in `unreachable`',
  async (t) => {
    const { network, a, b, c } = await openHosts(t);
    for (const [plane, name] of [
      [a, 'x'],
      [b, 'y'],
      [c, 'z'],
    ] as const) {
      await plane.call('POST', '/v1/vms', { name });
    }
    const at = async (query: string): Promise<unknown> => {
      const { body } = await b.call('GET', `/v1/vms${query}`);
      return { ...body, items: body.items.map(({ name }: Named) => name) };
    };
    t.strictSame(await at('?host=b'), { items: ['y'] });
    t.strictSame(await at('?host=a'), { items: ['x'] });
    t.equal((await b.call('GET', '/v1/vms?host=none')).status, 404);
    t.equal((await b.call('GET', '/v1/vms?host=a&limit=0')).status, 400);

    a.cluster.state = 'silent';
    t.strictSame(await at(''), { items: ['y', 'z'], unreachable: ['a'] });
    t.strictSame(await at('?host=a'), { items: [], unreachable: ['a'] });
    network.before = ({ to }) => {
      if (to === 'c') throw unreachable(to);
    };
    t.strictSame(await at(''), { items: ['y'], unreachable: ['a', 'c'] });
    t.strictSame(await at('?host=c'), { items: [], unreachable: ['c'] });
    network.before = undefined;
    c.cluster.isHolding = false;
    t.strictSame(await at(''), { items: ['y'], unreachable: ['a', 'c'] }, 'c answers nothing now');
    t.strictSame((await b.call('GET', '/v1/migrations')).body, {
      items: [],
      unreachable: ['a', 'c'],
    });
  },
);

t.test(
  'migrations and arrivals are of all hosts; a VM on its way is in the list once',
  async (t) => {
    const { network, a, b, c } = await openHosts(t);
    await a.call('POST', '/v1/vms', { name: 'p' });
    await b.call('POST', '/v1/vms', { name: 'q' });
    await move(c, 'p', 'c');
    await move(c, 'q', 'c');
    const migrations = (await c.call('GET', '/v1/migrations')).body.items;
    t.strictSame(migrations.map(({ host }: Named) => host).sort(), ['a', 'b']);
    const arrivals = (await a.call('GET', '/v1/arrivals?host=c')).body.items;
    t.ok(arrivals.every(({ host }: Named) => host === 'c'));
    t.strictSame((await b.call('GET', '/v1/arrivals')).body.items, arrivals);

    // The destination has taken it, and the source does not know yet: its peer's answer is lost.
    const peer = network.hosts.peer('a');
    if (peer === undefined) throw new Error('host a has joined');
    network.hosts.leave(peer);
    const lost = async (): Promise<never> => Promise.reject(unreachable('a'));
    const altered: Record<PropertyKey, unknown> = {
      take: async (...given: Parameters<typeof peer.take>) => {
        await peer.take(...given);
        return lost();
      },
      outcome: lost,
      abandon: lost,
    };
    const slow = new Proxy(peer, {
      get: (target, name) => {
        const member: unknown = altered[name] ?? Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    network.hosts.join(slow);
    const begun = await c.call('POST', '/v1/migrations', { vm: 'p', destination: { host: 'a' } });
    t.equal(begun.status, 202);
    const twice = async (): Promise<boolean> => {
      const on = async (host: string): Promise<string[]> =>
        (await b.call('GET', `/v1/vms?host=${host}`)).body.items.map(({ name }: Named) => name);
      return (await on('a')).includes('p') && (await on('c')).includes('p');
    };
    while (!(await twice())) await new Promise((resolve) => setTimeout(resolve, 5));
    const list = (await b.call('GET', '/v1/vms')).body.items;
    t.strictSame(
      list.map(({ name, host }: Named) => `${name} on ${host}`),
      ['p on a', 'q on c'],
      'the destination has it (decision 0010)',
    );
    t.equal((await b.call('GET', '/v1/vms/p')).body.host, 'a');

    // Somebody decides for the source (rule G39); when the destination is back it keeps what it had, and any host finds that.
    const settle = `${begun.headers['location']}/settle`;
    const settled = await b.call('POST', settle, { owner: 'source', confirm: 'a' });
    t.match(settled.body, { host: 'c', state: 'failed' });
    network.hosts.leave(slow);
    network.hosts.join(peer);
    const kept = `${begun.headers['location']}/kept`;
    for (let tries = 0; tries < 400; tries += 1) {
      if ((await b.call('GET', kept)).status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const found = await b.call('GET', kept);
    t.equal(found.headers['extswitch-host'], 'a');
    t.match(found.body, { format: 'extswitch-portable', vms: [{ name: 'p' }] });
    t.equal((await b.call('GET', `/hosts/c${kept}`)).status, 404, 'the source keeps nothing');
    t.equal((await b.call('GET', `/hosts/a${kept}`)).status, 200);
    t.equal((await b.call('GET', '/v1/vms/p')).body.host, 'c');
    t.equal((await c.call('DELETE', kept)).status, 204);
    t.equal((await a.call('GET', kept)).status, 404);
  },
);

t.test('GET /v1/hosts tells of every host; alone, a server is one', async (t) => {
  const { a, b, c } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  c.cluster.state = 'left';
  const { items } = (await b.call('GET', '/v1/hosts')).body;
  t.match(items, [
    { host: 'a', state: 'alive', isSelf: false, epoch: 1, url: 'http://a.example:4630', vms: 1 },
    { host: 'b', state: 'alive', isSelf: true, vms: 0, profile: 'ws2022' },
    { host: 'c', state: 'left', isSelf: false, since: '2026-01-02T03:04:05.000Z' },
  ]);
  t.notOk('vms' in items[2], 'nobody tells');
  t.equal((await b.call('GET', '/v1/hosts/a')).body.vms, 1);
  t.equal((await b.call('GET', '/v1/hosts/x')).status, 404);
  t.equal((await b.call('GET', '/v1/hosts?limit=1')).body.items[0].host, 'a');

  const alone = await openPlane(t, { hostName: 'me' });
  await alone.call('POST', '/v1/vms', { name: 'vm' });
  const only = (await alone.call('GET', '/v1/hosts')).body.items;
  t.match(only, [{ host: 'me', state: 'alive', isSelf: true, vms: 1, version: '0.0.0-test' }]);
  t.notOk('epoch' in only[0]);
  t.equal((await alone.call('GET', '/hosts/me/v1/vms/vm')).status, 200);
  t.equal((await alone.call('GET', '/hosts/you/v1/vms/vm')).status, 404);
  t.equal((await alone.call('GET', '/v1/vms?host=me')).body.items.length, 1);
  t.equal((await alone.call('GET', '/v1/vms?host=you')).status, 404);
  t.notOk('host' in (await alone.call('GET', '/v1/vms/vm')).body, 'no cluster, no host');
});

t.test('/hosts/{host}/v1 is that host, with its checks, and nobody else', async (t) => {
  const { network, a, b } = await openHosts(t);
  const made = await b.call('POST', '/hosts/a/v1/switches', { name: 'only-a' });
  t.equal(made.status, 201);
  t.equal(made.headers['extswitch-host'], 'a');
  t.equal(made.headers['location'], `/hosts/a/v1/switches/${made.body.id}`);
  t.equal((await b.call('GET', String(made.headers['location']))).body.name, 'only-a');
  t.equal((await b.call('GET', '/v1/switches/only-a')).status, 404, "switches are each host's own");
  t.equal((await a.call('GET', '/hosts/a/v1/switches/only-a')).status, 200, 'itself');
  t.equal((await b.call('PUT', '/hosts/a/v1/switches')).status, 405);
  t.equal((await b.call('GET', '/hosts/a/v1/none')).status, 404);
  t.equal((await b.call('GET', '/hosts/a/v1/worlds')).status, 404, "worlds are the server's");
  t.equal((await b.call('POST', '/hosts/a/v1/switches', { nam: 'x' })).status, 400);
  t.equal((await b.call('GET', '/hosts/x/v1/switches')).status, 404);
  const mof = await b.app.inject({
    method: 'POST',
    url: '/hosts/a/v1/features',
    headers: { 'content-type': 'text/plain' },
    payload: 'class Broken',
  });
  t.equal(mof.statusCode, 422, 'text goes as it is');
  const large = await b.app.inject({
    method: 'POST',
    url: '/hosts/a/v1/switches',
    headers: { 'content-type': 'application/json' },
    payload: Buffer.alloc(2 * 1024 * 1024, ' '),
  });
  t.equal(large.statusCode, 413);

  await a.call('POST', '/v1/vms', { name: 'vm' });
  t.equal((await b.call('GET', '/hosts/b/v1/vms/vm')).status, 404, 'looked for on b only');
  t.strictSame((await a.call('GET', '/hosts/b/v1/vms')).body, { items: [] });
  const stream = await b.call('GET', '/hosts/a/v1/events');
  t.equal(stream.status, 406);
  t.match(stream.body.detail, 'http://a.example:4630/v1/events');
  network.before = ({ to }) => {
    if (to === 'a') throw unreachable(to);
  };
  t.equal((await b.call('GET', '/hosts/a/v1/switches')).status, 503);
});

t.test('a request is passed on once, and nobody outside can say that it was', async (t) => {
  const token = 'secret';
  const { network, a, b } = await openHosts(t, token);
  const headers = { authorization: `Bearer ${token}` };
  await a.call('POST', '/v1/vms', { name: 'vm' }, headers);
  t.equal((await b.call('GET', '/v1/vms/vm', undefined, headers)).status, 200);
  const [passed] = network.asked.filter(({ service }) => service === 'http');
  const text = Buffer.from(passed?.body ?? []).toString('latin1');
  t.notMatch(text, /secret|authorization/i, 'the token stays with the host that was asked');
  for (const inside of ['1', 'true', '0'.repeat(48)]) {
    const forged = await b.call('GET', '/v1/vms', undefined, { 'extswitch-inside': inside });
    t.equal(forged.status, 401);
  }
  const before = network.asked.length;
  await b.call('GET', '/v1/vms/none', undefined, headers);
  const services = network.asked.slice(before).map(({ from, service }) => `${from} ${service}`);
  t.strictSame([...new Set(services)], ['b http.whose'], 'who was asked asks nobody');
});

t.test("a batch does what is about other hosts' VMs there, one by one and in order", async (t) => {
  const { a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'far', adapters: [{ name: 'n', switch: 's' }] });
  const at = '/v1/vms/far/adapters/n/properties';
  const property = { feature: PORT_SETTING, settings: { SettingIntB: '18446744073709551615' } };
  const operations = [
    { method: 'POST', path: '/v1/vms', body: { name: 'near' } },
    { method: 'POST', path: at, body: property },
    { method: 'POST', path: at, body: { ...property, settings: { SettingIntA: 666 } } },
    { method: 'POST', path: '/v1/vms/far/start' },
    { method: 'GET', path: '/v1/vms/near' },
    { method: 'GET', path: '/v1/vms?limit=1' },
    { method: 'GET', path: '/v1/vms/none' },
    { method: 'GET', path: '/hosts/b/v1/vms/far' },
  ];
  const { body } = await b.call('POST', '/v1/batch', { operations });
  t.strictSame(
    body.items.map(({ status }: { status: number }) => status),
    [201, 201, 409, 200, 200, 200, 404, 404],
  );
  t.match(body.items[1], {
    headers: { etag: '"1"', location: /^\/v1\/vms\/far\/adapters\/n\/properties\// },
    body: { settings: { SettingIntB: '18446744073709551615' } },
  });
  t.match(body.items[2].body, { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED', status: 409 });
  t.match(body.items[3].body, { state: 'running', host: 'a' });
  t.match(body.items[4].body, { host: 'b' });
  t.match(body.items[5].body, { items: [{ name: 'far', host: 'a' }] });
  const location = body.items[1].headers.location;
  const put = { method: 'PUT', path: location, body: { settings: {} }, ifMatch: '"7"' };
  const stale = await b.call('POST', '/v1/batch', { operations: [put] });
  t.equal(stale.body.items[0].status, 412, 'If-Match goes along');

  a.cluster.state = 'silent';
  const half = await b.call('POST', '/v1/batch', {
    operations: [
      { method: 'GET', path: '/v1/vms/far' },
      { method: 'GET', path: '/v1/vms/near' },
    ],
  });
  t.match(half.body.items, [{ status: 503 }, { status: 200 }]);
});

t.test(
  'an atomic batch is about one host, this one or another, or is refused before anything',
  async (t) => {
    const { network, a, b, c } = await openHosts(t);
    await a.call('POST', '/v1/vms', { name: 'on-a' });
    await c.call('POST', '/v1/vms', { name: 'on-c' });
    const atomic = (...given: [string, string, unknown?][]) =>
      b.call('POST', '/v1/batch', {
        atomic: true,
        operations: given.map(([method, path, body]) => ({
          method,
          path,
          ...(body === undefined ? {} : { body }),
        })),
      });
    const mixed = await atomic(
      ['POST', '/v1/vms', { name: 'new' }],
      ['POST', '/v1/vms/on-a/adapters', { name: 'n' }],
    );
    t.equal(mixed.status, 422);
    t.match(mixed.body.detail, /^operation 1 \(\/v1\/vms\/on-a\/adapters\) .* host "a"/);
    const three = await atomic(['POST', '/v1/vms/on-a/start'], ['POST', '/v1/vms/on-c/start']);
    t.match(three.body.detail, /^operation 1 .* host "c"/);
    const after = await atomic(
      ['POST', '/v1/vms/on-a/start'],
      ['POST', '/v1/vms', { name: 'new' }],
    );
    t.match(after.body.detail, /^operation 0 .* host "a"/);
    t.equal((await b.call('GET', '/v1/vms/new')).status, 404, 'nothing was done');
    t.equal((await a.call('GET', '/v1/vms/on-a')).body.state, 'off');

    const there = await atomic(
      ['POST', '/v1/vms/on-a/adapters', { name: 'n', switch: 's' }],
      ['POST', '/v1/vms/on-a/start'],
    );
    t.match(there.body.items, [
      { status: 201 },
      { status: 200, body: { state: 'running', host: 'a' } },
    ]);
    const undone = await atomic(['POST', '/v1/vms/on-a/stop'], ['POST', '/v1/vms/on-a/resume']);
    t.equal(undone.status, 409);
    t.equal(undone.body.operation, 1);
    t.equal((await a.call('GET', '/v1/vms/on-a')).body.state, 'running', 'all of it, or nothing');

    // The answer of a whole batch may be lost, too.
    const stop = { method: 'POST', path: '/v1/vms/on-a/stop' };
    const start = { method: 'POST', path: '/v1/vms/on-a/start' };
    const key = { 'idempotency-key': 'batch-1' };
    const whole = { atomic: true, operations: [stop, start] };
    network.after = ({ service }) => {
      if (service === 'http') throw unreachable('a');
    };
    t.equal((await b.call('POST', '/v1/batch', whole, key)).status, 503);
    network.after = undefined;
    const oids = a.fabric.trace.entries().length;
    t.equal((await c.call('POST', '/v1/batch', whole, key)).status, 200);
    t.equal(a.fabric.trace.entries().length, oids, 'done once');
    const direct = await b.call('POST', '/hosts/a/v1/batch', { operations: [stop, start] });
    t.match(direct.body.items, [{ status: 200 }, { status: 200 }]);

    const here = await atomic(['POST', '/v1/vms', { name: 'new' }], ['POST', '/v1/vms/new/start']);
    t.equal(here.status, 200, 'what it makes itself is here');
    a.cluster.state = 'silent';
    t.equal((await atomic(['POST', '/v1/vms/on-a/stop'])).status, 503);
    t.equal((await atomic(['POST', '/v1/vms/new/stop'])).status, 200);
  },
);

t.test(
  'without its lease a host answers nothing of its main world, and /readyz says why',
  async (t) => {
    const { a, b } = await openHosts(t);
    await a.call('POST', '/v1/vms', { name: 'vm' });
    await b.call('POST', '/v1/worlds', { name: 'other' });
    const ready = await b.app.inject('/readyz');
    t.match(JSON.parse(ready.payload), { status: 'ready', store: 'cluster' });
    b.cluster.isHolding = false;
    for (const path of [
      '/v1/vms',
      '/v1/switches/s',
      '/v1/vms/vm',
      '/hosts/b/v1/vms',
      '/worlds/default/v1/vms',
    ]) {
      const refused = await b.call('GET', path);
      t.equal(refused.status, 503, path);
      t.equal(refused.body.type, 'urn:extswitch:error:LEASE_LOST');
    }
    t.equal((await b.call('GET', '/worlds/other/v1/vms')).status, 200, 'other worlds go on');
    t.equal((await b.call('GET', '/v1/worlds')).status, 200);
    t.equal((await b.app.inject('/healthz')).statusCode, 200);
    const unready = await b.app.inject('/readyz');
    t.equal(unready.statusCode, 503);
    t.match(JSON.parse(unready.payload).reason, 'host "b" has no lease of cluster "lab" now');
    t.match((await b.app.inject('/metrics')).payload, /^extswitch_cluster_holding 0$/m);
    b.cluster.isHolding = true;
    t.equal((await b.call('GET', '/v1/vms/vm')).status, 200);
    const { payload } = await b.app.inject('/metrics');
    t.match(payload, /^extswitch_cluster_holding 1$/m);
    t.match(payload, /^extswitch_cluster_members 3$/m);
    t.match(payload, /^extswitch_cluster_forwarded_requests_total 1$/m);
    t.match(
      (await a.app.inject('/metrics')).payload,
      /^extswitch_cluster_received_requests_total 1$/m,
    );
    b.cluster.lose();
    t.match((await b.call('GET', '/v1/vms')).body.detail, 'another process is host "b"');
  },
);

t.test('the verbs show hosts: host list and show, vm list, --on', async (t) => {
  const { a, b, c } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'far' });
  await b.call('POST', '/v1/vms', { name: 'near' });
  const url = await b.app.listen({ port: 0, host: '127.0.0.1' });
  const run = (...words: string[]) => runCli([...words, '--url', url]);
  const hosts = await run('host', 'list');
  t.match(hosts.out, /^HOST +STATE +VMS +URL/);
  t.match(hosts.out, /^a +alive +1 +http:\/\/a\.example:4630 +1 /m);
  t.match((await run('host', 'show', 'a')).out, /^state: +alive$/m);
  t.equal(JSON.parse((await run('host', 'show', 'b', '--json')).out).isSelf, true);
  t.equal((await run('host', 'show', 'x')).code, 1);
  const vms = await run('vm', 'list');
  t.match(vms.out, /^NAME +HOST +STATE/);
  t.match(vms.out, /^far +a +off/m);
  t.match(vms.out, /^near +b +off/m);
  t.match((await run('vm', 'show', 'far')).out, /far .*off .*on a/);
  t.match((await run('vm', 'list', '--on', 'a')).out, /far/);
  t.notMatch((await run('vm', 'list', '--on', 'a')).out, /near/);
  t.equal((await run('switch', 'create', 'sw', '--on', 'c')).code, 0);
  t.equal((await c.call('GET', '/v1/switches/sw')).status, 200);
  t.equal((await run('vm', 'list', '--on', 'a', '--world', 'w')).code, 2);
  const moved = await run('migration', 'start', 'far', '--to', 'c', '--wait');
  t.match(moved.out, /^migration of far on c: succeeded/);
  const ending = new AbortController();
  const stream = await fetch(`${url}/v1/events?lastEventId=0`, { signal: ending.signal });
  const { value } = (await stream.body?.getReader().read()) ?? {};
  t.match(Buffer.from(value ?? []).toString(), /^retry: /, 'its own events are streamed');
  ending.abort();
  t.match((await run('migration', 'list')).out, /^STARTED +VM +FROM +TO/);
  t.match(
    (await run('trace', '--follow', '--on', 'a')).err,
    /http:\/\/a\.example:4630\/v1\/events/,
  );
  c.cluster.state = 'silent';
  const part = await run('vm', 'list');
  t.equal(part.code, 0);
  t.match(part.err, 'incomplete: no answer from host c');
});
