import t from 'tap';
import { packValue, unpackValue } from '../../src/http/msgpack.ts';
import { unreachable } from '../support/fake-cluster.ts';
import { ended, move, openHosts } from './cluster-hosts.ts';
import { PORT_SETTING } from './plane.ts';

// Three worlds for each test, on whatever machine.
t.setTimeout(120_000);

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

t.test('a VM of host a lives its whole life through host b (issue 4, item 5)', async (t) => {
  const { a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm', adapters: [{ name: 'n', switch: 's' }] });

  const seen = await b.call('GET', '/v1/vms/vm');
  t.match(seen.body, { id: GUID, name: 'vm', state: 'off', host: 'a' });
  t.equal(seen.headers['extswitch-host'], 'a');
  t.equal((await a.call('GET', '/v1/vms/vm')).headers['extswitch-host'], undefined, 'its own');

  const started = await b.call('POST', '/v1/vms/vm/start');
  t.equal(started.status, 200);
  t.match(started.body, { state: 'running', adapters: [{ connected: true }] });
  const at = '/v1/vms/vm/adapters/n';
  const patched = await b.call('PATCH', at, { name: 'lan' });
  t.match(patched.body, { name: 'lan' });
  const properties = '/v1/vms/vm/adapters/lan/properties';
  const added = await b.call('POST', properties, {
    feature: PORT_SETTING,
    settings: { SettingIntA: 5 },
  });
  t.equal(added.status, 201);
  const one = String(added.headers['location']);
  const read = await b.call('GET', one);
  t.equal(read.headers['etag'], '"1"');
  t.equal((await b.call('GET', one, undefined, { 'if-none-match': '"1"' })).status, 304);
  const put = { settings: { SettingIntA: 6 } };
  t.equal((await b.call('PUT', one, put, { 'if-match': '"1"' })).body.revision, 2);
  t.equal((await b.call('PUT', one, put, { 'if-match': '"1"' })).status, 412, 'If-Match goes too');
  t.match((await a.call('GET', one)).body, { revision: 2, settings: { SettingIntA: 6 } });

  const veto = await b.call('POST', properties, {
    feature: PORT_SETTING,
    settings: { SettingIntA: 666 },
  });
  t.equal(veto.status, 409);
  t.match(veto.body, { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED' }, 'a refusal is passed, too');

  const exported = await b.call('POST', '/v1/vms/vm/export');
  t.match(exported.body, { format: 'extswitch-portable', vms: [{ name: 'vm' }] });
  t.equal((await b.call('DELETE', '/v1/vms/vm')).status, 409, 'it runs');
  t.equal((await b.call('POST', '/v1/vms/vm/stop')).body.state, 'off');
  t.equal((await b.call('DELETE', '/v1/vms/vm')).status, 204);
  t.equal((await a.call('GET', '/v1/vms/vm')).status, 404);
  t.equal((await b.call('GET', '/v1/vms/vm')).status, 404, 'all answered, nobody has it');
});

t.test('an answer comes back byte for byte, in each representation and for HEAD', async (t) => {
  const { a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm', adapters: [{ name: 'n', switch: 's' }] });
  const cases: readonly [string, string, Record<string, string>][] = [
    ['GET', '/v1/vms/vm', {}],
    ['GET', '/v1/vms/vm', { accept: 'application/msgpack' }],
    ['HEAD', '/v1/vms/vm', {}],
    ['GET', '/v1/vms/vm/adapters?limit=1', {}],
    ['GET', '/v1/vms/vm/adapters?limit=0', {}],
    ['GET', '/v1/vms/vm/adapters/none', {}],
    ['POST', '/v1/vms/vm/resume', { accept: 'application/msgpack' }],
    ['POST', '/v1/vms/vm/adapters/n/properties', {}],
  ];
  for (const [method, url, headers] of cases) {
    const ask = (app: typeof a.app) => app.inject({ method: method as 'GET', url, headers });
    const [own, passed] = [await ask(a.app), await ask(b.app)];
    t.equal(passed.statusCode, own.statusCode, `${method} ${url}`);
    t.ok(passed.rawPayload.equals(own.rawPayload), `${method} ${url}: bytes`);
    const { 'extswitch-host': host, date: _date, ...rest } = passed.headers;
    const { date: _ownDate, ...ownRest } = own.headers;
    t.equal(host, 'a');
    t.strictSame(rest, ownRest, `${method} ${url}: headers`);
  }

  const body = packValue({ feature: PORT_SETTING, settings: { SettingIntB: 2n ** 63n } });
  const made = await b.app.inject({
    method: 'POST',
    url: '/v1/vms/vm/adapters/n/properties',
    headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
    payload: body,
  });
  t.equal(made.statusCode, 201);
  t.match(unpackValue(made.rawPayload), { settings: { SettingIntB: 2n ** 63n } }, '64 bits stay');
});

t.test('what is wrong with a request is told by the host that was asked, as ever', async (t) => {
  const { a, b, network } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  const before = network.asked.length;
  const refused = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const { status } = await b.call(method, path, undefined, headers);
    return status;
  };
  t.equal(await refused('PUT', '/v1/vms/vm'), 405);
  t.equal(await refused('GET', '/v1/vms/vm/none'), 404);
  t.equal(await refused('GET', '/v1/vms/vm', { accept: 'text/html' }), 406);
  const malformed = await b.app.inject({
    method: 'POST',
    url: '/v1/vms/vm/adapters',
    headers: { 'content-type': 'application/json' },
    payload: '{',
  });
  t.equal(malformed.statusCode, 400);
  t.equal(network.asked.length, before, 'nobody else was asked');
});

t.test('the owner is remembered, and asked for again when it was wrong', async (t) => {
  const { a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  await b.call('GET', '/v1/vms/vm');
  t.equal(b.asked('http.whose'), 2, 'both others, once');
  await b.call('GET', '/v1/vms/vm');
  t.equal(b.asked('http.whose'), 2, 'remembered');
  await move(a, 'vm', 'c');
  const moved = await b.call('GET', '/v1/vms/vm');
  t.equal(moved.headers['extswitch-host'], 'c');
  t.equal(b.asked('http.whose'), 4, 'wrong once, asked once');

  await move(b, 'vm', 'b');
  t.equal((await b.call('GET', '/v1/vms/vm')).body.host, 'b', 'it came here');
  const before = b.asked('http.whose');
  t.equal((await b.call('GET', '/v1/vms/vm')).status, 200);
  t.equal(b.asked('http.whose'), before, 'local first, nobody is asked');
});

t.test('a VM that moves while it is asked for is asked for once more', async (t) => {
  const { network, a, b, c } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  await b.call('GET', '/v1/vms/vm');

  // It leaves between the search and the request.
  let isMoved = false;
  network.before = async ({ service, from }) => {
    if (service !== 'http' || from !== 'b' || isMoved) return;
    isMoved = true;
    await move(a, 'vm', 'c');
  };
  t.equal((await b.call('POST', '/v1/vms/vm/start')).body.host, 'c');

  // It leaves the host that was asked while a change of it waits there (decision 0010).
  network.before = undefined;
  const started = await c.call('POST', '/v1/migrations', {
    vm: 'vm',
    destination: { host: 'a' },
  });
  const stopped = await c.call('POST', '/v1/vms/vm/stop', undefined, { 'idempotency-key': 'k1' });
  t.match(stopped.body, { state: 'off', host: 'a' }, 'what waited here was done there');
  t.equal((await ended(c, started.headers['location']))['state'], 'succeeded');
  const again = await c.call('POST', '/v1/vms/vm/stop', undefined, { 'idempotency-key': 'k1' });
  t.equal(
    again.headers['idempotency-replayed'],
    'true',
    'the answer is remembered where it was given',
  );

  // From one host that was asked already to another that was asked before: the search is made twice.
  await b.call('GET', '/v1/vms/vm');
  let asked = 0;
  network.after = async ({ service, to }) => {
    if (service !== 'http.whose') return;
    asked += 1;
    if (asked === 1 && to === 'a') await move(c, 'other', 'a');
  };
  await c.call('POST', '/v1/vms', { name: 'other' });
  t.equal((await b.call('GET', '/v1/vms/other')).body.host, 'a');
  t.equal(asked, 4, 'both others, twice');
});

t.test(
  'a VM that will not stay anywhere is asked for twice, and is not said to be absent',
  async (t) => {
    const { network, a, b } = await openHosts(t);
    await a.call('POST', '/v1/vms', { name: 'vm' });
    let at = 'a';
    network.before = async ({ service, from }) => {
      if (service !== 'http' || from !== 'b') return;
      const next = at === 'a' ? 'c' : 'a';
      await move(a, 'vm', next);
      at = next;
    };
    const asked = await b.call('GET', '/v1/vms/vm');
    t.equal(asked.status, 503);
    t.match(asked.body.detail, 'VM "vm" moves from host to host');
    t.equal(b.asked('http'), 2, 'one more try, no more');
  },
);

t.test('one name on two hosts is AMBIGUOUS_NAME naming host and id of each', async (t) => {
  const { a, b, c } = await openHosts(t);
  const onA = (await a.call('POST', '/v1/vms', { name: 'web' })).body.id;
  const onC = (await c.call('POST', '/v1/vms', { name: 'web' })).body.id;
  const asked = await b.call('GET', '/v1/vms/web');
  t.equal(asked.status, 409);
  t.equal(asked.body.type, 'urn:extswitch:error:AMBIGUOUS_NAME');
  t.strictSame(asked.body.problems, [
    { host: 'a', id: onA },
    { host: 'c', id: onC },
  ]);
  t.match(asked.body.detail, `host "a" (id ${onA})`);
  t.equal((await b.call('GET', `/v1/vms/${onC}`)).body.host, 'c', 'ids are one');
  t.equal((await a.call('GET', '/v1/vms/web')).body.id, onA, 'the one here is meant first');
  t.equal((await b.call('GET', '/hosts/c/v1/vms/web')).body.id, onC);
});

t.test('a host that is silent keeps its VMs: 503 that names it, never 404', async (t) => {
  const { network, a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  await b.call('GET', '/v1/vms/vm');
  for (const state of ['silent', 'left'] as const) {
    a.cluster.state = state;
    const known = await b.call('GET', '/v1/vms/vm');
    t.equal(known.status, 503);
    t.equal(known.headers['retry-after'], '1');
    t.equal(known.body.type, 'urn:extswitch:error:HOST_UNREACHABLE');
    t.match(known.body.detail, 'VM "vm" is on host "a", which does not answer');
    const unknown = await b.call('POST', '/v1/vms/another/start');
    t.equal(unknown.status, 503, 'it may be there');
    t.match(unknown.body.detail, 'it may be on host "a", which does not');
  }
  const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
  t.equal((await b.call('GET', `/v1/migrations/${id}`)).status, 503, 'a migration, too');
  t.equal((await b.call('GET', '/v1/switches')).status, 200, 'what is its own goes on');

  // Alive by its lease, and without an answer.
  a.cluster.state = 'alive';
  network.before = ({ to }) => {
    if (to === 'a') throw unreachable('a');
  };
  const got = await b.call('GET', '/v1/vms/vm');
  t.equal(got.status, 503);
  t.notMatch(got.body.detail, /took effect/);
  const changed = await b.call('POST', '/v1/vms/vm/start');
  t.match(
    changed.body.detail,
    /host "a", which does not answer: .*; whether the request took effect is not known/,
  );
  // Stopped while it answers: its lease runs out before the time for an answer does.
  network.before = ({ to, service }) => {
    if (to === 'a' && service === 'http') {
      setImmediate(() => {
        a.cluster.state = 'silent';
      });
      return new Promise(() => {});
    }
    return undefined;
  };
  const stopped = await b.call('POST', '/v1/vms/vm/start');
  t.match(stopped.body.detail, /host "a" is gone.*not known/);
  a.cluster.state = 'alive';
  network.before = undefined;
  t.equal((await b.call('GET', '/v1/vms/vm')).status, 200, 'back');
  t.equal((await b.call('GET', '/v1/vms/another')).status, 404, 'all answer: it is nowhere');
});

t.test('a VM that had left a host before it fell silent is found', async (t) => {
  const { a, b } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm' });
  await b.call('GET', '/v1/vms/vm');
  await move(a, 'vm', 'c');
  a.cluster.state = 'silent';
  t.equal((await b.call('GET', '/v1/vms/vm')).body.host, 'c');
});

t.test(
  'an answer that was lost is given again under its Idempotency-Key, wherever it is asked',
  async (t) => {
    const { network, a, b, c } = await openHosts(t);
    await a.call('POST', '/v1/vms', { name: 'vm' });
    await b.call('GET', '/v1/vms/vm');
    const key = { 'idempotency-key': 'del-1' };
    network.after = ({ service }) => {
      if (service === 'http') throw unreachable('a');
    };
    t.equal(
      (await b.call('DELETE', '/v1/vms/vm', undefined, key)).status,
      503,
      'the answer is lost',
    );
    network.after = undefined;
    t.equal((await a.call('GET', '/v1/vms')).body.items.length, 0, 'it was done');
    for (const plane of [b, c, a]) {
      const again = await plane.call('DELETE', '/v1/vms/vm', undefined, key);
      t.equal(again.status, 204);
      t.equal(again.headers['idempotency-replayed'], 'true');
    }
    t.equal((await c.call('DELETE', '/v1/vms/vm')).status, 404, 'another request');
    const mismatch = await c.call('POST', '/v1/vms/vm/stop', undefined, key);
    t.equal(mismatch.body.type, 'urn:extswitch:error:IDEMPOTENCY_MISMATCH');
  },
);

t.test('a migration is begun, seen and resumed through any host, by its id', async (t) => {
  const { a, b, c } = await openHosts(t);
  await a.call('POST', '/v1/vms', { name: 'vm', adapters: [{ name: 'n', switch: 's' }] });
  await a.call('POST', '/v1/vms/vm/start');
  const begun = await c.call('POST', '/v1/migrations', { vm: 'vm', destination: { host: 'b' } });
  t.equal(begun.status, 202);
  t.match(begun.body, { host: 'a', destination: { host: 'b' } });
  t.equal(begun.headers['extswitch-host'], 'a');
  const location = String(begun.headers['location']);
  t.match(await ended(c, location), { state: 'succeeded', host: 'a' });
  t.match((await c.call('GET', '/v1/vms/vm')).body, { state: 'running', host: 'b' });
  t.equal((await b.call('POST', `${location}/resume`)).body.state, 'succeeded');

  const dry = await a.call('POST', '/v1/migrations', {
    vm: 'vm',
    destination: { host: 'c' },
    dryRun: true,
  });
  t.match(dry.body, { host: 'b', dryRun: true, report: { ok: true } });
  const wrong = await a.call('POST', '/v1/migrations', { vm: 'vm', destination: { host: 'x' } });
  t.equal(wrong.status, 404);
  t.match(wrong.body.detail, 'no host "x" can be reached from host "b"');
  t.equal((await a.call('POST', '/v1/migrations', { vm: 'none', destination: {} })).status, 404);
  t.equal((await a.call('POST', '/v1/migrations', { vm: 5 })).status, 400);
  const unknown = await c.call('GET', '/v1/migrations/no-id');
  t.equal(unknown.status, 404, 'what is no GUID names no migration');
  t.match(unknown.body.detail, 'no-id');
});
