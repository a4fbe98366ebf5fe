import t, { type Test } from 'tap';
import { packValue, unpackValue } from '../../src/http/msgpack.ts';
import { EXTENSION, openPlane, type TestPlane } from './plane.ts';
import { extensions, GATEKEEPER, KEEPER, picture, withVm } from './vm-plane.ts';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const A = '/v1/vms/vm/adapters/a';

t.test('every route of VMs, adapters and host connections, through a life of a VM', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);

  const made = await call('POST', '/v1/vms', { name: 'second' });
  t.equal(made.status, 201);
  t.match(made.body, { id: GUID, name: 'second', state: 'off', adapters: [], savedRecords: 0 });
  t.equal(made.headers['location'], `/v1/vms/${made.body.id}`);
  t.strictSame(
    (await call('GET', '/v1/vms')).body.items.map(({ name }: { name: string }) => name),
    ['second', 'vm'],
    'by name',
  );
  t.equal((await call('DELETE', '/v1/vms/second')).status, 204);
  t.equal((await call('GET', '/v1/vms/second')).status, 404);

  const off = (await call('GET', '/v1/vms/vm')).body.adapters[0];
  t.match(off, { name: 'a', type: 'synthetic', macType: 'dynamic', connected: false });
  t.match(off.mac, /^00-15-5d(-[0-9a-f]{2}){3}$/, 'of the pool');
  t.notOk('port' in off, 'no port while it is off');

  const started = await call('POST', '/v1/vms/vm/start');
  t.equal(started.status, 200);
  t.equal(started.body.state, 'running');
  const [adapter] = started.body.adapters;
  t.match(adapter, {
    connected: true,
    switch: { name: 's' },
    port: { type: 'synthetic', state: 'created', nics: [{ index: 0, state: 'connected' }] },
    names: { switchName: 's', vmName: 'vm', vmId: started.body.id, adapterId: adapter.id },
  });
  t.equal(
    adapter.names.instanceId,
    `Microsoft:${`${started.body.id}\\${adapter.id}\\C`.toUpperCase()}`,
    'management.md 3.8',
  );
  t.equal(adapter.names.portId, adapter.port.portId, 'all names in one place');

  const property = await call('POST', `${A}/properties`, {
    feature: 'Test_PortSetting',
    settings: { SettingIntA: 1 },
  });
  t.equal(property.status, 201);
  t.match(property.headers['location'], /^\/v1\/vms\/vm\/adapters\/a\/properties\//);
  const one = String(property.headers['location']);
  t.equal((await call('GET', one)).headers['etag'], '"1"');
  const put = await call('PUT', one, { settings: { SettingIntA: 2 } }, { 'if-match': '"1"' });
  t.match(put.body, { revision: 2, settings: { SettingIntA: 2 }, delivered: true });
  t.equal((await call('PUT', one, { settings: {} }, { 'if-match': '"1"' })).status, 412);
  t.equal((await call('GET', `${A}/properties`)).body.items.length, 1);
  t.equal(
    (await call('GET', `/v1/switches/s/ports/${adapter.port.portId}/properties`)).body.items[0]?.id,
    property.body.id,
    'the port has it, too',
  );
  t.match((await call('GET', `${A}/status/Test_PortStatus`)).body.data, { CurrentStatus: 123 });

  const moved = await call('PATCH', A, { switch: 's2', mtu: 9000, name: 'b' });
  t.equal(moved.status, 200);
  t.match(moved.body, { name: 'b', mtu: 9000, connected: true, switch: { name: 's2' } });
  t.equal((await call('GET', '/v1/vms/vm/adapters/b/properties')).body.items.length, 1, 'S4');
  t.equal((await call('GET', '/v1/switches/s')).body.portCount, 0);
  const unplugged = await call('PATCH', '/v1/vms/vm/adapters/b', { switch: null });
  t.match(unplugged.body, { connected: false });
  t.notOk('switch' in unplugged.body);
  const noChange = await call('PATCH', '/v1/vms/vm/adapters/b', {});
  t.strictSame([noChange.status, noChange.body], [200, unplugged.body]);
  await call('PATCH', '/v1/vms/vm/adapters/b', { name: 'a', switch: 's' });

  const hot = await call('POST', '/v1/vms/vm/adapters', { name: 'hot', switch: 's' });
  t.equal(hot.status, 201);
  t.match(hot.body, { connected: true, name: 'hot' });
  t.equal((await call('GET', String(hot.headers['location']))).body.id, hot.body.id);
  t.equal((await call('GET', '/v1/vms/vm/adapters')).body.items.length, 2);
  t.equal((await call('DELETE', '/v1/vms/vm/adapters/hot')).status, 204);
  t.equal((await call('GET', '/v1/vms/vm/adapters')).body.items.length, 1);

  t.equal((await call('POST', '/v1/vms/vm/pause')).body.state, 'paused');
  t.equal((await call('POST', '/v1/vms/vm/resume')).body.state, 'running');
  t.match((await call('POST', '/v1/vms/vm/save')).body, { state: 'saved', savedRecords: 1 });
  const restored = await call('POST', '/v1/vms/vm/restore');
  t.match(restored.body, { state: 'running', restore: { restored: 1, unowned: [] } });
  t.equal((await call('POST', '/v1/vms/vm/stop')).body.state, 'off');
  t.equal((await call('DELETE', one.replace('/vm/', `/${started.body.id}/`))).status, 204);

  await throughHost(t, call);
  const untried = plane.app.plane.compiled
    .filter(({ route }) => /^\/vms|\/host\//.test(route.path) && !/(ex|im)port$/.test(route.path))
    .map(({ route }) => route.operationId)
    .filter((id) => !plane.exercised.has(id));
  t.strictSame(untried, [], 'all routes were called (documents have tests of their own)');
});

/** Uplink with two adapters, a NIC of the management OS, a virtual function. */
async function throughHost(t: Test, call: TestPlane['call']): Promise<void> {
  const H = '/v1/switches/out/host';
  const none = { name: 'out', type: 'external' };
  t.equal((await call('POST', '/v1/switches', none)).status, 201);
  t.equal((await call('GET', `${H}/uplink`)).status, 404);
  const uplink = await call('PUT', `${H}/uplink`, {
    team: 'switch',
    adapters: [
      { name: 'E1', mac: '00-11-22-33-44-01', virtualFunctions: 2, queues: 4 },
      { name: 'E2' },
    ],
  });
  t.equal(uplink.status, 201);
  t.match(uplink.headers['location'], /^\/v1\/switches\/[0-9a-f-]{36}\/host\/uplink$/);
  t.match(uplink.body, {
    team: 'switch',
    operational: true,
    port: { type: 'external' },
    adapters: [
      { index: 1, name: 'E1', mac: '00-11-22-33-44-01', linkUp: true, virtualFunctions: 2 },
      { index: 2, name: 'E2' },
    ],
  });
  t.strictSame((await call('GET', `${H}/uplink`)).body, uplink.body);
  t.equal((await call('PUT', `${H}/uplink`, { adapters: [{ name: 'E3' }] })).status, 409, 'C8');
  const down = await call('PATCH', `${H}/uplink/adapters/2`, { linkUp: false });
  t.match([down.status, down.body.index, down.body.linkUp], [200, 2, false]);
  const trace = await call('GET', '/v1/trace?oid=NDIS_STATUS_SWITCH_NIC_STATUS');
  t.match(
    trace.body.items.at(-1),
    { requestType: 'indication', request: 0, status: 'NDIS_STATUS_LINK_STATE' },
    'H1-H3: the link state is told upwards',
  );
  t.equal((await call('PATCH', `${H}/uplink/adapters/3`, { linkUp: false })).status, 404);
  const internal = await call('POST', `${H}/internal`, { name: 'mgmt' });
  t.equal(internal.status, 201);
  t.match(internal.body, { type: 'internal', name: 'mgmt' });
  t.equal((await call('GET', String(internal.headers['location']))).body.id, internal.body.id);

  t.equal((await call('DELETE', `${H}/uplink`)).status, 204);
  t.equal((await call('DELETE', `${H}/uplink`)).status, 404);

  const whole = {
    ...none,
    name: 'whole',
    uplink: { adapters: [{ name: 'E9', virtualFunctions: 2 }] },
    managementOs: true,
  };
  t.equal((await call('POST', '/v1/switches', whole)).body.portCount, 2);
  t.match((await call('GET', '/v1/switches/whole/host/uplink')).body, { team: 'none' });

  await call('POST', '/v1/vms', { name: 'fast', adapters: [{ name: 'a', switch: 'whole' }] });
  await call('POST', '/v1/vms/fast/start');
  const vf = await call('POST', '/v1/vms/fast/adapters/a/vf');
  t.equal(vf.status, 200);
  t.equal(vf.body.vfAssigned, true);
  t.equal(
    (await call('GET', '/v1/switches/whole/host/uplink')).body.adapters[0].virtualFunctionsUsed,
    1,
  );
  t.equal((await call('DELETE', '/v1/vms/fast/adapters/a/vf')).status, 204);
  t.equal((await call('GET', '/v1/vms/fast/adapters/a')).body.vfAssigned, false);
}

t.test('a record nobody takes at the restore is reported and kept (G26)', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  await call('POST', '/v1/vms/vm/start');
  await call('POST', '/v1/vms/vm/save');
  await call('PATCH', `/v1/switches/s/extensions/${KEEPER}`, { enabled: false });
  const restored = await call('POST', '/v1/vms/vm/restore');
  t.equal(restored.status, 200);
  t.match(restored.body, {
    state: 'running',
    restore: {
      restored: 0,
      unowned: [{ extensionId: KEEPER, extensionFriendlyName: 'Keeper', bytes: 3 }],
    },
    savedRecords: 1,
  });
});

t.test('a repeated start with the same Idempotency-Key starts once', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  const key = { 'idempotency-key': 'start-1' };
  const first = await call('POST', '/v1/vms/vm/start', undefined, key);
  const again = await call('POST', '/v1/vms/vm/start', undefined, key);
  t.strictSame([again.status, again.body], [first.status, first.body]);
  t.equal(again.headers['idempotency-replayed'], 'true');
  t.equal((await call('POST', '/v1/vms/vm/start')).status, 409, 'without the key it is refused');
  const body = { name: 'new' };
  const create = { 'idempotency-key': 'create-1' };
  const made = await call('POST', '/v1/vms', body, create);
  t.equal((await call('POST', '/v1/vms', body, create)).body.id, made.body.id);
  t.equal((await call('POST', '/v1/vms', { name: 'other' }, create)).status, 409);
});

t.test('an atomic batch makes switch, VM and policy and starts it, or nothing of it', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  const operations = [
    { method: 'POST', path: '/v1/switches', body: { name: 'n', type: 'external' } },
    { method: 'PUT', path: '/v1/switches/n/host/uplink', body: { adapters: [{ name: 'E1' }] } },
    { method: 'POST', path: '/v1/switches/n/host/internal', body: { name: 'mgmt' } },
    {
      method: 'POST',
      path: '/v1/vms',
      body: { name: 'v', adapters: [{ name: 'a', switch: 'n' }] },
    },
    {
      method: 'POST',
      path: '/v1/vms/v/adapters/a/properties',
      body: { feature: 'Test_PortSetting', settings: { SettingIntA: 5 } },
    },
    { method: 'POST', path: '/v1/vms/v/start' },
    { method: 'PATCH', path: '/v1/vms/v/adapters/a', body: { mtu: 9000, switch: 's' } },
    { method: 'POST', path: '/v1/vms/vm/start' },
    { method: 'POST', path: '/v1/vms/vm/save' },
  ];
  const before = await picture(plane);
  const wrong = { method: 'POST', path: '/v1/vms/v/restore' };
  const refused = await call('POST', '/v1/batch', {
    atomic: true,
    operations: [...operations, wrong],
  });
  t.equal(refused.status, 409);
  t.equal(refused.body.operation, operations.length);
  t.strictSame(await picture(plane), before, 'nothing of it stays');
  const done = await call('POST', '/v1/batch', { atomic: true, operations });
  t.equal(done.status, 200);
  t.strictSame(
    done.body.items.map(({ status }: { status: number }) => status),
    [201, 201, 201, 201, 201, 200, 200, 200, 200],
  );
  t.match((await call('GET', '/v1/vms/v')).body, {
    state: 'running',
    adapters: [{ mtu: 9000, connected: true, switch: { name: 's' } }],
  });
  t.match((await call('GET', '/v1/vms/vm')).body, { state: 'saved', savedRecords: 1 });
});

t.test('a change and a move in one PATCH are both done, or neither', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  await call('POST', '/v1/vms/vm/start');
  const before = await picture(plane);
  const refused = await call('PATCH', A, { mtu: 9000, switch: 'nowhere' });
  t.equal(refused.status, 404);
  t.strictSame(await picture(plane), before);
});

t.test('state changes of VMs are events, their number by state is a metric', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call, fabric } = plane;
  await withVm(plane);
  const before = fabric.events.lastSeq;
  for (const verb of ['start', 'pause', 'resume', 'save', 'restore', 'stop']) {
    t.equal((await call('POST', `/v1/vms/vm/${verb}`)).status, 200, verb);
  }
  const states = fabric.events
    .after(before)
    .filter(({ type, data }) => type === 'state' && data['vm'] !== undefined);
  t.strictSame(
    states.map(({ data }) => data['state']),
    ['running', 'paused', 'running', 'saved', 'running', 'off'],
  );
  await call('POST', '/v1/vms/vm/start');
  await call('POST', '/v1/vms', { name: 'idle' });
  const metrics = (await plane.app.inject('/metrics')).payload;
  for (const [state, count] of [
    ['off', 1],
    ['running', 1],
    ['paused', 0],
    ['saved', 0],
  ]) {
    t.ok(
      metrics.includes(`extswitch_vms{world="default",state="${state}"} ${count}\n`),
      `${state}`,
    );
  }
});

t.test('pending shows where a request of a VM is and when the switch ends it', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call, fabric } = plane;
  await withVm(plane);
  await call('POST', '/v1/vms/vm/start');
  const add = (value: number) =>
    call('POST', `${A}/properties`, {
      feature: 'Test_PortSetting',
      settings: { SettingIntA: value },
    });
  // 777 is pended by the filter; the stop waits behind it.
  const held = add(777);
  for (let turn = 0; fabric.pending().length === 0 && turn < 1_000; turn += 1) {
    await new Promise((done) => setImmediate(done));
  }
  const stop = call('POST', '/v1/vms/vm/stop');
  fabric.clock.advance(500);
  const { items } = (await call('GET', '/v1/sim/pending')).body;
  t.equal(items.length, 1);
  t.match(items[0], {
    switch: 's',
    oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
    requestType: 'set',
    origin: 'protocolEdge',
    heldBy: EXTENSION,
    route: [KEEPER, GATEKEEPER, EXTENSION],
    pendingForMs: 500,
    endsInMs: 11_500,
  });
  fabric.clock.advance(11_500);
  t.equal((await held).status, 409, 'NdisTimedOidComplete: 12 s');
  t.equal((await stop).body.state, 'off');
  t.strictSame((await call('GET', '/v1/sim/pending')).body, { items: [] });
});

t.test('a world takes scheduling and behaviour; each option is checked', async (t) => {
  const { call } = await openPlane(t);
  const made = await call('POST', '/v1/worlds', {
    name: 'w',
    scheduling: 'seeded',
    behaviour: { internalNics: 2, activation: 'last', transientRetries: 3, suspendOids: true },
  });
  t.equal(made.status, 201);
  await call('POST', '/worlds/w/v1/switches', { name: 's', type: 'internal' });
  for (const name of ['one', 'two']) {
    const nic = await call('POST', '/worlds/w/v1/switches/s/host/internal', { name });
    t.equal(nic.status, 201, 'OP-36: internalNics is 2 here');
  }
  t.equal((await call('POST', '/worlds/w/v1/switches/s/host/internal')).status, 409);
  const bad: readonly [object, string, string][] = [
    [{ scheduling: 'lifo' }, 'scheduling', 'must be one of fifo, seeded'],
    [{ behaviour: { validationPorts: 'long' } }, 'behaviour.validationPorts', 'short, standing'],
    [{ behaviour: { activation: 'never' } }, 'behaviour.activation', 'first, last'],
    [{ behaviour: { transientRetries: -1 } }, 'behaviour.transientRetries', '>= 0'],
    [{ behaviour: { transientRetries: 1_001 } }, 'behaviour.transientRetries', '<= 1000'],
    [{ behaviour: { internalNics: 0 } }, 'behaviour.internalNics', '>= 1'],
  ];
  for (const [body, member, expected] of bad) {
    const { status, body: problem } = await call('POST', '/v1/worlds', body);
    t.equal(status, 422, JSON.stringify(body));
    t.equal(problem.member, member);
    t.ok(problem.expected.includes(expected), problem.expected);
  }
  const wrongType = await call('POST', '/v1/worlds', { behaviour: { saveOnStop: 'yes' } });
  t.match([wrongType.status, wrongType.body.member], [400, 'behaviour.saveOnStop']);
  const unknown = await call('POST', '/v1/worlds', { behaviour: { retries: 1 } });
  t.match([unknown.status, unknown.body.member], [400, 'behaviour.retries']);
  t.equal((await call('GET', '/v1/worlds')).body.items.length, 2, 'nothing was made');
});

t.test('a MessagePack client makes a VM', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  await withVm(plane);
  const response = await plane.app.inject({
    method: 'POST',
    url: '/v1/vms',
    headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
    payload: packValue({ name: 'm', adapters: [{ switch: 's' }] }),
  });
  t.equal(response.statusCode, 201);
  t.match(unpackValue(response.rawPayload), { name: 'm', adapters: [{ switch: { name: 's' } }] });
});
