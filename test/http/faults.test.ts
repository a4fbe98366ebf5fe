import t from 'tap';
import { openPlane, withPort } from './plane.ts';

const CREATE = { at: 'oid', oid: 'OID_SWITCH_PORT_CREATE', effect: 'status', times: 1 };

t.test('fault rules: made, met, listed, changed, removed, of each world', async (t) => {
  const plane = await openPlane(t);
  const { call, app } = plane;
  await withPort(plane);
  const made = await call('POST', '/v1/sim/faults', { ...CREATE, extension: 'Test Filter' });
  t.equal(made.status, 201);
  t.equal(made.headers['location'], '/v1/sim/faults/fault-1');
  t.match(made.body, {
    id: 'fault-1',
    status: 'NDIS_STATUS_RESOURCES',
    nth: 1,
    matched: 0,
    hits: 0,
  });
  const refused = await call('POST', '/v1/switches/s/ports', { name: 'x' });
  t.match(refused.body, { status: 409, ndisStatus: 'NDIS_STATUS_RESOURCES' });
  t.match((await call('GET', '/v1/sim/faults')).body.items, [{ matched: 1, hits: 1 }]);
  t.match(
    (await app.inject('/metrics')).payload,
    'extswitch_fault_hits_total{world="default",rule="fault-1",effect="status"} 1\n',
  );
  const changed = await call('PATCH', '/v1/sim/faults/fault-1', { times: null, probability: 0 });
  t.match(changed.body, { hits: 1, probability: 0, times: undefined });
  t.equal((await call('POST', '/v1/switches/s/ports', { name: 'x' })).status, 201);
  t.equal((await call('GET', '/v1/sim/faults/fault-1')).body.matched, 2);
  t.equal((await call('DELETE', '/v1/sim/faults/fault-1')).status, 204);
  t.equal((await call('GET', '/v1/sim/faults/fault-1')).status, 404);
  await call('POST', '/v1/sim/faults', CREATE);
  t.equal((await call('DELETE', '/v1/sim/faults')).status, 204);
  t.strictSame((await call('GET', '/v1/sim/faults')).body.items, []);
  await call('POST', '/v1/worlds', {
    name: 'w',
    faults: [{ at: 'store', effect: 'fail', nth: 500 }],
  });
  t.match((await call('GET', '/worlds/w/v1/sim/faults')).body.items, [{ at: 'store', nth: 500 }]);
});

t.test('a fault in the words of interfaces.md 3 is met, and shown as it was said', async (t) => {
  const plane = await openPlane(t);
  const { call } = plane;
  await withPort(plane);
  const words = {
    target: 'oid',
    match: { oid: 'OID_SWITCH_PORT_CREATE', extension: 'Test Filter' },
    effect: 'fail',
    status: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
    probability: 1,
    skip: 1,
    count: 1,
  };
  const made = await call('POST', '/v1/sim/faults', words);
  t.equal(made.status, 201);
  t.strictSame(made.body, { ...words, id: 'fault-1', matched: 0, hits: 0 });
  const statuses: number[] = [];
  for (const name of ['a', 'b', 'c']) {
    statuses.push((await call('POST', '/v1/switches/s/ports', { name })).status);
  }
  t.strictSame(statuses, [201, 409, 201], 'one is let pass, one is hit');
  t.strictSame((await call('GET', '/v1/sim/faults')).body.items, [
    { ...words, id: 'fault-1', matched: 3, hits: 1 },
  ]);
  await call('PATCH', '/v1/sim/faults/fault-1', { probability: 0.5 });
  t.match((await call('GET', '/v1/sim/faults/fault-1')).body, {
    at: 'oid',
    effect: 'status',
    nth: 2,
    times: 1,
    probability: 0.5,
    target: undefined,
  });
  await call('DELETE', '/v1/sim/faults');
  await call('POST', '/v1/sim/faults', { id: 'fault-1', at: 'store', effect: 'fail', nth: 99 });
  t.match((await call('GET', '/v1/sim/faults/fault-1')).body, { at: 'store', target: undefined });
});

t.test('each word for an effect is the rule it means at its target', async (t) => {
  const { call, fabric } = await openPlane(t);
  for (const [target, effect, rule] of [
    ['oid', 'fail', { at: 'oid', effect: 'status', status: 'NDIS_STATUS_RESOURCES' }],
    ['oid', 'delay', { at: 'oid', effect: 'delay', delayMs: 1_000 }],
    ['oid', 'drop', { at: 'oid', effect: 'hang' }],
    ['oid', 'hang', { at: 'oid', effect: 'hang' }],
    ['Test Filter', 'crash', { at: 'oid', extension: 'Test Filter', effect: 'throw' }],
    ['miniportEdge', 'fail', { at: 'oid', extension: 'miniportEdge', effect: 'status' }],
    ['call', 'fail', { at: 'call', effect: 'status' }],
    ['store', 'fail', { at: 'store', effect: 'fail' }],
    ['store', 'delay', { at: 'store', effect: 'delay' }],
    ['message', 'drop', { at: 'message', effect: 'lost' }],
    ['message', 'fail', { at: 'message', effect: 'lost' }],
    ['message', 'delay', { at: 'message', effect: 'delay' }],
  ] as const) {
    const answer = await call('POST', '/v1/sim/faults', { target, match: {}, effect });
    t.match(answer.body, { target, match: {}, effect }, `${effect} at ${target}`);
    t.match(fabric.faults.get(answer.body.id), { ...rule, nth: 1, probability: 1 });
  }
});

t.test('fault rules that are wrong: status, member, what was expected', async (t) => {
  const { call } = await openPlane(t);
  for (const [body, status, member] of [
    [{ at: 'oid' }, 400, 'effect'],
    [{ at: 'disk', effect: 'fail' }, 422, 'at'],
    [{ at: 'store', effect: 'hang' }, 422, 'effect'],
    [{ ...CREATE, probability: 2 }, 422, 'probability'],
    [{ ...CREATE, oid: 'OID_NOWHERE' }, 422, 'oid'],
    [{ ...CREATE, colour: 'red' }, 400, 'colour'],
    [{ at: 'store', effect: 'crash' }, 422, 'effect'],
    [{ target: 'oid' }, 400, 'effect'],
    [{ target: 'oid', effect: 'status' }, 422, 'effect'],
    [{ target: 'store', effect: 'crash' }, 422, 'effect'],
    [{ target: 'oid', effect: 'fail', match: { colour: 'red' } }, 400, 'match.colour'],
    [{ target: 'oid', effect: 'fail', at: 'oid' }, 400, 'at'],
    [{ target: 'oid', effect: 'fail', skip: -1 }, 422, 'skip'],
    [{ target: 'f', match: { extension: 'g' }, effect: 'fail' }, 422, 'match.extension'],
  ] as const) {
    const answer = await call('POST', '/v1/sim/faults', body);
    t.match([answer.status, answer.body.member], [status, member], JSON.stringify(body));
  }
});

t.test(
  'an atomic batch: a rule hits what follows, and goes when the batch is refused',
  async (t) => {
    const plane = await openPlane(t);
    const { call } = plane;
    await withPort(plane);
    const batch = (...ports: string[]) =>
      call('POST', '/v1/batch', {
        atomic: true,
        operations: [
          {
            method: 'POST',
            path: '/v1/sim/faults',
            body: { ...CREATE, extension: 'Test Filter', nth: 2 },
          },
          ...ports.map((name) => ({
            method: 'POST',
            path: '/v1/switches/s/ports',
            body: { name },
          })),
        ],
      });
    const refused = await batch('a', 'b');
    t.match([refused.status, refused.body.operation], [409, 2]);
    t.strictSame((await call('GET', '/v1/sim/faults')).body.items, []);
    t.equal((await call('GET', '/v1/switches/s/ports')).body.items.length, 1);
    t.equal((await batch('a')).status, 200);
    t.match((await call('GET', '/v1/sim/faults')).body.items, [{ matched: 1, hits: 0 }]);
  },
);

t.test(
  'faults with a switch: of it, from its first OID; taken back when it is refused',
  async (t) => {
    const { call } = await openPlane(t);
    const faults = [{ ...CREATE, extension: 'Test Filter' }];
    const extensions = ['Test Filter'];
    const internal = { name: 'i', type: 'internal', managementOs: true, extensions, faults };
    t.equal((await call('POST', '/v1/switches', internal)).status, 409);
    t.strictSame((await call('GET', '/v1/sim/faults')).body.items, []);
    t.equal((await call('POST', '/v1/switches', { name: 'p', extensions, faults })).status, 201);
    t.match((await call('GET', '/v1/sim/faults')).body.items, [{ switch: 'p', hits: 0 }]);
  },
);
