import t from 'tap';
import { openPlane, PORT_SETTING, withPort } from './plane.ts';

const PROPERTIES = '/v1/switches/s/ports/p/properties';
const add = (SettingIntA: number, id?: string) => ({
  method: 'POST',
  path: PROPERTIES,
  body: {
    feature: 'Test_PortSetting',
    settings: { SettingIntA },
    ...(id === undefined ? {} : { id }),
  },
});
const statuses = (items: { status: number }[]): number[] => items.map((item) => item.status);

t.test(
  'a batch answers one result an operation, in order, with status, headers and body',
  async (t) => {
    const plane = await openPlane(t);
    await withPort(plane);
    const { call } = plane;
    const id = '0000aaaa-0000-0000-0000-000000000001';
    const answer = await call('POST', '/v1/batch', {
      operations: [
        { method: 'POST', path: '/v1/switches', body: { name: 'b' } },
        { method: 'POST', path: '/v1/switches/b/ports' },
        add(1, `{${id.toUpperCase()}}`),
        {
          method: 'PUT',
          path: `${PROPERTIES}/${id}`,
          body: { settings: { SettingIntA: 2 } },
          ifMatch: '"1"',
        },
        { method: 'PUT', path: `${PROPERTIES}/${id}`, body: { settings: {} }, ifMatch: '"1"' },
        { method: 'GET', path: `${PROPERTIES}?limit=1` },
        add(666),
        { method: 'GET', path: '/v1/switches/none' },
        { method: 'GET', path: '/v1/nothing' },
        { method: 'PATCH', path: '/v1/switches' },
        { method: 'POST', path: '/v1/switches', body: { nam: 'x' } },
        { method: 'POST', path: '/v1/batch', body: { operations: [] } },
        { method: 'POST', path: '/v1/worlds' },
        { method: 'GET', path: '/v1/switches/%zz' },
        { method: 'DELETE', path: `${PROPERTIES}/${id}` },
      ],
    });
    t.equal(answer.status, 200);
    const { items } = answer.body;
    t.strictSame(
      statuses(items),
      [201, 201, 201, 200, 412, 200, 409, 404, 404, 405, 400, 422, 422, 400, 204],
    );
    t.match(items[2], {
      headers: { location: `${PROPERTIES}/${id}`, etag: '"1"' },
      body: { id, featureId: PORT_SETTING, settings: { SettingIntA: 1 } },
    });
    t.equal(items[3].headers.etag, '"2"');
    t.equal(items[5].body.items.length, 1);
    t.match(items[6].body, {
      type: 'urn:extswitch:error:VETOED',
      oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
    });
    t.match(items[10].body, { type: 'urn:extswitch:error:UNKNOWN_FIELD', member: 'nam' });
    t.strictSame(items[14], { status: 204 });
  },
);

t.test('hundreds of additions take effect in order', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const { call } = plane;
  const operations = Array.from({ length: 500 }, (_, i) => add(1000 + i));
  const { items } = (await call('POST', '/v1/batch', { operations })).body;
  t.ok(items.every((item: { status: number }) => item.status === 201));
  t.strictSame(
    items.map(
      (item: { body: { settings: { SettingIntA: number } } }) => item.body.settings.SettingIntA,
    ),
    operations.map((operation) => operation.body.settings.SettingIntA),
  );
  const trace = (await call('GET', '/v1/trace?oid=OID_SWITCH_PORT_PROPERTY_ADD&limit=1000')).body
    .items;
  t.equal(trace.length, 500);
});

t.test('an operation that names a property still under way waits for it', async (t) => {
  const id = '0000aaaa-0000-0000-0000-000000000002';
  for (const given of [id, `{${id.toUpperCase()}}`]) {
    const plane = await openPlane(t);
    await withPort(plane);
    const running = plane.call('POST', '/v1/batch', {
      operations: [
        add(777, given),
        add(5),
        { method: 'PUT', path: `${PROPERTIES}/${id}`, body: { settings: { SettingIntA: 6 } } },
        { method: 'GET', path: `${PROPERTIES}/${id}` },
      ],
    });
    while (plane.held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    plane.held[0]?.forward();
    const { items } = (await running).body;
    t.strictSame(statuses(items), [201, 201, 200, 200], given);
    t.equal(items[3].body.settings.SettingIntA, 6);
  }
});

t.test('an atomic batch is done as a whole', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const id = '0000aaaa-0000-0000-0000-000000000003';
  const answer = await plane.call('POST', '/v1/batch', {
    atomic: true,
    operations: [
      add(1),
      add(2, id),
      { method: 'PUT', path: `${PROPERTIES}/${id}`, body: { settings: {} } },
    ],
  });
  t.equal(answer.status, 200);
  t.strictSame(statuses(answer.body.items), [201, 201, 200]);
  t.equal((await plane.call('GET', PROPERTIES)).body.items.length, 2);
});

t.test('an atomic batch with one refused operation leaves nothing, and says which', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const { call } = plane;
  const kept = (
    await call('POST', PROPERTIES, { feature: 'Test_PortSetting', settings: { SettingIntA: 50 } })
  ).body;
  const before = (await call('GET', PROPERTIES)).body;
  const answer = await call('POST', '/v1/batch', {
    atomic: true,
    operations: [
      { method: 'POST', path: '/v1/switches', body: { name: 'gone' } },
      add(1),
      { method: 'PUT', path: `${PROPERTIES}/${kept.id}`, body: { settings: { SettingIntA: 51 } } },
      add(666),
      add(2),
    ],
  });
  t.equal(answer.status, 409);
  t.match(answer.body, {
    type: 'urn:extswitch:error:VETOED',
    ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
    operation: 3,
    detail: /^operation 3 \(POST /,
  });
  t.strictSame(statuses(answer.body.items), [424, 424, 424, 409, 424]);
  t.strictSame(
    answer.body.items.map((item: { body: { title: string } }) => item.body.title),
    ['Undone', 'Undone', 'Undone', 'Vetoed by an extension', 'Not tried'],
  );
  t.strictSame((await call('GET', PROPERTIES)).body.items[0].settings, before.items[0].settings);
  t.equal((await call('GET', PROPERTIES)).body.items.length, 1);
  t.equal((await call('GET', '/v1/switches/gone')).status, 404);
  const oids = (await call('GET', '/v1/trace?limit=4')).body.items.map(
    (e: { oid: string }) => e.oid,
  );
  t.ok(oids.includes('OID_SWITCH_PORT_PROPERTY_DELETE'), 'undone by the inverse OID');
});

t.test(
  'an atomic batch refuses by schema and path too, and an unexpected error ends it',
  async (t) => {
    const plane = await openPlane(t);
    await withPort(plane);
    const unknown = await plane.call('POST', '/v1/batch', {
      atomic: true,
      operations: [add(1), { method: 'GET', path: '/v1/nothing' }],
    });
    t.equal(unknown.status, 404);
    t.equal((await plane.call('GET', PROPERTIES)).body.items.length, 0);
  },
);

t.test('in a world, paths with and without its prefix mean that world', async (t) => {
  const plane = await openPlane(t);
  const { call } = plane;
  await call('POST', '/v1/worlds', { name: 'w' });
  const { items } = (
    await call('POST', '/worlds/w/v1/batch', {
      operations: [
        { method: 'POST', path: '/v1/switches', body: { name: 'one' } },
        { method: 'GET', path: '/worlds/w/v1/switches/one' },
        { method: 'GET', path: '/worlds/default/v1/switches' },
      ],
    })
  ).body;
  t.strictSame(statuses(items), [201, 200, 404]);
  t.match(items[0].headers.location, /^\/worlds\/w\/v1\/switches\//);
  t.strictSame((await call('GET', '/v1/switches')).body.items, []);
});

t.test('a batch of too many or wrong operations is refused whole', async (t) => {
  const { call } = await openPlane(t);
  const many = new Array(10_001).fill({ method: 'GET', path: '/v1/switches' });
  const refused = await call('POST', '/v1/batch', { operations: many });
  t.equal(refused.status, 422);
  t.equal(refused.body.member, 'operations');
  const wrong = await call('POST', '/v1/batch', {
    operations: [
      { method: 'GET', path: '/v1/switches' },
      { method: 'TRACE', path: '/' },
    ],
  });
  t.equal(wrong.status, 422);
  t.equal(wrong.body.member, 'operations[1].method');
});
