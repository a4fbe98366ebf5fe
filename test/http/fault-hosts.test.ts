import t from 'tap';
import { openHosts } from './cluster-hosts.ts';
import { openPlane, withPort } from './plane.ts';

t.setTimeout(120_000);

const CREATE = { at: 'oid', oid: 'OID_SWITCH_PORT_CREATE', effect: 'status', times: 1 };

t.test('/hosts/{host}/v1/sim/faults: rules are of that host, whichever is asked', async (t) => {
  const { a, b, c } = await openHosts(t);
  const path = '/hosts/b/v1/sim/faults';
  const made = await a.call('POST', path, { ...CREATE, id: 'there' });
  t.equal(made.status, 201);
  t.equal(made.headers['location'], `${path}/there`);
  for (const { call } of [a, b, c]) {
    t.match((await call('GET', path)).body.items, [{ id: 'there', matched: 0 }]);
  }
  t.match((await b.call('GET', '/v1/sim/faults')).body.items, [{ id: 'there' }]);
  t.strictSame((await a.call('GET', '/v1/sim/faults')).body.items, [], 'not here');
  t.equal((await a.call('POST', '/v1/switches/s/ports', { name: 'x' })).status, 201, 'not met');
  const refused = await c.call('POST', '/hosts/b/v1/switches/s/ports', { name: 'x' });
  t.match(refused.body, { status: 409, ndisStatus: 'NDIS_STATUS_RESOURCES' });
  t.match((await a.call('GET', `${path}/there`)).body, { hits: 1 });
  t.match((await c.call('PATCH', `${path}/there`, { times: 2 })).body, { times: 2, hits: 1 });
  const wrong = await a.call('PATCH', `${path}/there`, { probability: 7 });
  t.match([wrong.status, wrong.body.member], [422, 'probability']);
  t.equal((await a.call('DELETE', `${path}/there`)).status, 204);
  t.equal((await a.call('GET', `${path}/there`)).status, 404);
  await a.call('POST', path, CREATE);
  t.equal((await c.call('DELETE', path)).status, 204);
  t.strictSame((await b.call('GET', '/v1/sim/faults')).body.items, []);
  t.equal((await a.call('GET', '/hosts/nobody/v1/sim/faults')).status, 404);
});

t.test('GET /v1/trace: entries name the rules they met', async (t) => {
  const plane = await openPlane(t);
  const { call } = plane;
  await withPort(plane);
  await call('POST', '/v1/sim/faults', { ...CREATE, id: 'r', extension: 'Test Filter' });
  await call('POST', '/v1/switches/s/ports', { name: 'x' });
  await call('POST', '/v1/switches/s/ports', { name: 'y' });
  const { items } = (await call('GET', '/v1/trace?oid=OID_SWITCH_PORT_CREATE&limit=2')).body;
  t.match(items[0].faults, [{ rule: 'r', effect: 'status', module: /^[0-9a-f-]{36}$/ }]);
  t.notOk('faults' in items[1]);
});

t.test('PATCH: every member is changed, taken away, and refused when it is wrong', async (t) => {
  const { call } = await openPlane(t);
  const path = '/v1/sim/faults/r';
  const rules: Readonly<Record<string, object>> = {
    oid: { at: 'oid', effect: 'delay' },
    status: { at: 'oid', effect: 'status' },
    call: { at: 'call', effect: 'status' },
    message: { at: 'message', effect: 'lost' },
    act: { at: 'oid', effect: 'act', act: 'restartStack' },
  };
  for (const [kind, member, good, bad] of [
    ['oid', 'extension', 'Some Filter', ''],
    ['oid', 'oid', 'OID_SWITCH_NIC_CREATE', 'OID_SWITCH_NIC'],
    ['oid', 'requestType', 'set', 'put'],
    ['oid', 'switch', 's', 'x'.repeat(257)],
    ['oid', 'portId', 4_294_967_295, 4_294_967_296],
    ['oid', 'delayMs', 31_536_000_000, 31_536_000_001],
    ['oid', 'nth', 3, 0],
    ['oid', 'times', 3, -1],
    ['oid', 'probability', 0.25, 1.01],
    ['status', 'status', 'NDIS_STATUS_FAILURE', 'NDIS_STATUS_PENDING'],
    ['call', 'call', 'request', 'malloc'],
    ['message', 'message', 'prepare', 'hello'],
    ['message', 'to', 'b', ''],
    ['act', 'act', 'deleteSwitch', 'reboot'],
  ] as const) {
    await call('DELETE', '/v1/sim/faults');
    await call('POST', '/v1/sim/faults', { id: 'r', ...rules[kind] });
    const before = (await call('GET', path)).body;
    const refused = await call('PATCH', path, { [member]: bad });
    t.match([refused.status, refused.body.member], [422, member], `${member}: ${bad}`);
    t.strictSame((await call('GET', path)).body, before, `${member}: as it was`);
    t.equal((await call('PATCH', path, { [member]: good })).body[member], good, member);
    const taken = await call('PATCH', path, { [member]: null });
    if (member === 'act') t.equal(taken.status, 422, 'an act without one');
    else t.strictSame(taken.body, before, `${member}: taken away`);
  }
  for (const member of ['at', 'effect']) {
    const refused = await call('PATCH', path, { [member]: null });
    t.match([refused.status, refused.body.member], [422, member]);
  }
  t.match((await call('PATCH', path, { id: 'other' })).body, { status: 422, member: 'id' });
  t.equal((await call('PATCH', path, { colour: 'red' })).status, 400);
  t.equal((await call('PATCH', path, [])).status, 400);
});

t.test('at most 1,000 rules; one more, or a list of them, changes nothing', async (t) => {
  const { call } = await openPlane(t);
  const rule = { at: 'store', effect: 'fail', probability: 0 };
  const operations = Array.from({ length: 500 }, () => ({
    method: 'POST',
    path: '/v1/sim/faults',
    body: rule,
  }));
  for (let i = 0; i < 2; i += 1) {
    t.equal((await call('POST', '/v1/batch', { atomic: true, operations })).status, 200);
  }
  t.match((await call('POST', '/v1/sim/faults', rule)).body, {
    status: 403,
    detail: /1000 fault rules/,
  });
  const faults = [rule, rule];
  t.equal((await call('POST', '/v1/switches', { name: 'n', faults })).status, 403);
  t.equal((await call('GET', '/v1/switches/n')).status, 404);
  t.equal((await call('GET', '/v1/sim/faults?limit=1000')).body.items.length, 1_000);
});
