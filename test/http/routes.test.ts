import t from 'tap';
import { packValue, unpackValue } from '../../src/http/msgpack.ts';
import {
  EXTENSION,
  FORWARDER,
  MOF,
  openPlane,
  PORT_SETTING,
  PORT_STATUS,
  SECOND_FORWARDER,
  SWITCH_SETTING,
  SWITCH_STATUS,
  withPort,
} from './plane.ts';

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

t.test(
  'every route of interfaces.md 3 that this version has answers as written there',
  async (t) => {
    const plane = await openPlane(t);
    const { call } = plane;

    const registered = await call('POST', '/v1/features', MOF, { 'content-type': 'text/plain' });
    t.equal(registered.status, 201);
    t.equal(registered.body.features.length, 4);
    const setting = registered.body.features[0];
    t.match(setting, {
      id: PORT_SETTING,
      name: 'Test_PortSetting',
      extensionId: EXTENSION,
      scope: 'port',
      kind: 'setting',
      version: 256,
      defaults: { SettingIntA: 7, SettingIntB: '0', Label: '' },
    });
    // uint32 at 0, uint64 at 8 (management.md 2.3).
    t.match(setting.members.slice(0, 2), [
      { name: 'SettingIntA', wmiDataId: 1, type: 'uint32', offset: 0, size: 4 },
      { name: 'SettingIntB', wmiDataId: 2, type: 'uint64', offset: 8, size: 8 },
    ]);
    const again = await call('POST', '/v1/features', {
      mof: MOF,
      source: 'test.mof',
      uint16: 'native',
    });
    t.equal(again.status, 200, 'identical again');
    t.ok(
      (await call('GET', '/v1/features?limit=1000')).body.items.length > 20,
      'built-in ones too',
    );
    t.equal(
      (await call('GET', `/v1/features/{${PORT_SETTING.toUpperCase()}}`)).body.name,
      'Test_PortSetting',
    );
    t.equal((await call('GET', '/v1/features/Test_PortStatus?kind=status')).body.kind, 'status');

    const extensions = (await call('GET', '/v1/extensions')).body.items;
    t.strictSame(extensions[1], {
      id: EXTENSION,
      name: 'Test Filter',
      vendor: 'Test',
      version: '1.0',
      type: 'filter',
    });
    t.equal((await call('GET', `/v1/extensions/${EXTENSION}`)).body.name, 'Test Filter');

    const sw = await call('POST', '/v1/switches', { name: 's', type: 'internal' });
    t.equal(sw.status, 201);
    t.match(sw.body, { id: GUID, name: 's', type: 'internal' });
    t.equal(sw.headers['location'], `/v1/switches/${sw.body.id}`);
    t.strictSame((await call('GET', `/v1/switches/${sw.body.id}`)).body.name, 's');
    t.equal((await call('GET', '/v1/switches/s')).body.id, sw.body.id);
    t.equal((await call('GET', '/v1/switches')).body.items.length, 1);

    const ofSwitch = (await call('GET', '/v1/switches/s/extensions')).body.items;
    t.match(
      ofSwitch.find((e: { id: string }) => e.id === EXTENSION),
      { enabled: false, running: false },
      'disabled until enabled (A36)',
    );
    const enabled = await call('PATCH', `/v1/switches/s/extensions/${EXTENSION}`, {
      enabled: true,
    });
    t.match(enabled.body, { enabled: true, running: true, order: 0 });
    t.match((await call('GET', `/v1/switches/s/extensions/${EXTENSION}`)).body, { enabled: true });

    const port = await call('POST', '/v1/switches/s/ports', { name: 'p', type: 'synthetic' });
    t.equal(port.status, 201);
    t.match(port.body, {
      id: GUID,
      portId: Number,
      name: 'p',
      type: 'synthetic',
      state: 'created',
      nics: [],
    });
    t.equal(port.headers['location'], `/v1/switches/${sw.body.id}/ports/${port.body.id}`);
    t.equal((await call('GET', String(port.headers['location']))).body.name, 'p');
    t.equal((await call('GET', `/v1/switches/s/ports/${port.body.portId}`)).body.id, port.body.id);
    t.equal((await call('GET', '/v1/switches/s/ports')).body.items.length, 1);

    const nic = await call('POST', '/v1/switches/s/ports/p/nics', {
      name: 'n',
      mac: '00-15-5d-01-02-03',
    });
    t.equal(nic.status, 201);
    t.match(nic.body, {
      index: 0,
      name: String,
      type: 'synthetic',
      state: 'connected',
      mac: '00-15-5d-01-02-03',
    });
    t.equal((await call('GET', String(nic.headers['location']))).body.mac, '00-15-5d-01-02-03');
    t.equal((await call('GET', '/v1/switches/s/ports/p/nics')).body.items.length, 1);
    const change = { mtu: 9000, name: 'renamed', vmMac: '02-00-00-00-00-01', numaNode: 1 };
    const changed = await call('PATCH', '/v1/switches/s/ports/p/nics/0', change);
    t.equal(changed.status, 200);
    t.match(
      changed.body,
      { mtu: 9000, friendlyName: 'renamed', mac: '00-15-5d-01-02-03', currentMac: nic.body.mac },
      'VMMacAddress is not used without AllowMacSpoofing (C15)',
    );
    const again0 = await call('PATCH', '/v1/switches/s/ports/p/nics/0', {});
    t.strictSame(again0.body, changed.body, 'no change is no OID');
    const updates = await call('GET', '/v1/trace?oid=OID_SWITCH_NIC_UPDATED');
    t.equal(updates.body.items.length, 1);
    const renamed = await call('PATCH', '/v1/switches/s/ports/p', { name: 'q' });
    t.match([renamed.status, renamed.body.name, renamed.body.id], [200, 'q', port.body.id]);
    t.equal((await call('PATCH', '/v1/switches/s/ports/q', { name: 'p' })).body.name, 'p');

    for (const [owner, feature, name] of [
      ['/v1/switches/s/ports/p', PORT_SETTING, 'Test_PortSetting'],
      ['/v1/switches/s', SWITCH_SETTING, 'Test_SwitchSetting'],
    ] as const) {
      const added = await call('POST', `${owner}/properties`, {
        featureId: `{${feature.toUpperCase()}}`,
        settings: { SettingIntA: 100 },
      });
      t.equal(added.status, 201);
      t.match(added.body, {
        id: GUID,
        featureId: feature,
        feature: name,
        version: 256,
        revision: 1,
      });
      t.equal(added.body.settings.SettingIntA, 100);
      t.match(added.body.instanceId, /^Microsoft:/);
      t.equal(added.headers['etag'], '"1"');
      t.equal(added.headers['location'], `${owner}/properties/${added.body.id}`);
      const path = String(added.headers['location']);
      const got = await call('GET', path);
      t.strictSame(got.body, added.body);
      t.equal(got.headers['etag'], '"1"');
      const unchanged = await call('GET', path, undefined, { 'if-none-match': '"1"' });
      t.equal(unchanged.status, 304);
      t.equal(unchanged.bytes.length, 0);
      const put = await call(
        'PUT',
        path,
        { settings: { SettingIntA: 101 } },
        { 'if-match': '"1"' },
      );
      t.match(put.body, { revision: 2, settings: { SettingIntA: 101 } });
      t.equal(put.headers['etag'], '"2"');
      t.equal((await call('GET', `${owner}/properties`)).body.items.length, 1);
      t.equal((await call('DELETE', path, undefined, { 'if-match': '"1", "2"' })).status, 204);
      t.equal((await call('GET', path)).status, 404);
    }

    const status = await call('GET', `/v1/switches/s/ports/p/status/${PORT_STATUS}`);
    t.match(status.body, {
      featureId: PORT_STATUS,
      feature: 'Test_PortStatus',
      extensionId: EXTENSION,
      version: 256,
      data: { CurrentStatus: 123, Bytes: '9223372036854775808' },
    });
    // CurrentStatus 123 at 0, Bytes 2^63 at 8, little-endian.
    t.equal(
      status.body.raw,
      Buffer.from('7b000000000000000000000000000080', 'hex').toString('base64'),
    );
    t.match((await call('GET', '/v1/switches/s/status/Test_SwitchStatus')).body, {
      featureId: SWITCH_STATUS,
      data: { CurrentStatus: 5 },
    });

    const trace = (await call('GET', '/v1/trace?switch=s&oid=OID_SWITCH_PORT_PROPERTY_ADD&limit=1'))
      .body.items;
    t.match(trace, [
      {
        switch: 's',
        oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
        requestType: 'set',
        origin: 'protocolEdge',
        status: 'NDIS_STATUS_SUCCESS',
      },
    ]);
    t.equal(trace[0].route.at(-1).module, 'miniportEdge');
    t.ok(Buffer.from(trace[0].input, 'base64').length > 16, 'the bytes');
    t.ok(Object.keys(trace[0].decoded).length > 0, 'decoded');
    const all = (await call('GET', '/v1/trace')).body.items.map((e: { seq: number }) => e.seq);
    t.strictSame(
      all,
      [...all].sort((a, b) => a - b),
      'newest last',
    );

    t.strictSame((await call('GET', '/v1/sim/pending')).body, { items: [] });
    t.ok((await call('GET', '/v1/sim/parity')).body.items.length > 80);
    t.equal((await call('POST', '/v1/batch', { operations: [] })).body.items.length, 0);

    t.equal(
      (
        await call('POST', '/v1/worlds', {
          name: 'w',
          seed: 'x',
          profile: 'ws2019',
          store: 'memory',
        })
      ).status,
      201,
    );
    t.strictSame((await call('GET', '/v1/worlds/w')).body, {
      name: 'w',
      seed: 'x',
      profile: 'ws2019',
      store: 'memory',
      verifier: 'off',
    });
    t.strictSame(
      (await call('GET', '/v1/worlds')).body.items.map((w: { name: string }) => w.name),
      ['default', 'w'],
    );
    t.equal((await call('DELETE', '/v1/worlds/w')).status, 204);

    t.equal((await call('DELETE', String(nic.headers['location']))).status, 204);
    t.equal((await call('DELETE', '/v1/switches/s/ports/p')).status, 204);
    t.equal((await call('DELETE', '/v1/switches/s')).status, 204);
    t.equal((await call('DELETE', '/v1/features/Test_PortSetting')).status, 204);
    t.equal((await call('POST', '/v1/sim/reset')).status, 204);
    t.strictSame((await call('GET', '/v1/switches')).body, { items: [] });

    t.match((await call('GET', '/v1/hosts')).body.items, [
      { host: 'default', isSelf: true, vms: 0 },
    ]);
    t.equal((await call('GET', '/v1/hosts/default')).body.state, 'alive');

    t.strictSame((await call('GET', '/v1/findings')).body, { items: [], groups: [] });
    const untried = plane.app.plane.compiled
      .filter(
        ({ route }) =>
          !/^\/vms|\/host\/|^\/migrations|^\/arrivals|^\/sim\/(time|snapshots|recording|faults)|\/(export|import)$/.test(
            route.path,
          ),
      )
      .map(({ route }) => route.operationId)
      .filter((id) => !plane.exercised.has(id));
    t.strictSame(
      untried,
      ['streamEvents', 'removeHost'],
      'all routes were called (the stream, removals of hosts, VMs, host connections, documents, migrations, time, snapshots and faults have tests of their own)',
    );
  },
);

t.test('the server tells of itself: health, readiness, metrics, OpenAPI, docs', async (t) => {
  const { app, call } = await openPlane(t);
  t.strictSame((await call('GET', '/healthz')).body, { status: 'ok', version: '0.0.0-test' });
  t.strictSame((await call('GET', '/readyz')).body, {
    status: 'ready',
    version: '0.0.0-test',
    worlds: 1,
    store: 'memory',
  });
  await call('GET', '/v1/switches');
  const metrics = (await app.inject('/metrics')).payload;
  t.match(
    metrics,
    'extswitch_http_requests_total{method="GET",route="/v1/switches",status="200"} 1\n',
  );
  t.match(metrics, /^extswitch_world_[a-z_]+\{world="default"\} \d+$/m);
  const docs = await app.inject('/docs');
  t.match(docs.headers['content-type'], /^text\/html/);
  t.notMatch(docs.payload, /<script|https?:\/\/|src=/, 'nothing is loaded');
  t.match(docs.headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-/);
  app.plane.draining = true;
  t.equal((await app.inject('/readyz')).statusCode, 503);
  t.equal((await app.inject('/healthz')).statusCode, 200);
  t.match(JSON.parse((await app.inject('/v1/switches')).payload), {
    type: 'urn:extswitch:error:SHUTTING_DOWN',
    status: 503,
  });
});

t.test('MessagePack and JSON say the same, with real 64-bit integers and bytes', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const { app, call } = plane;
  const path = '/v1/switches/s/ports/p/properties';
  const max = 2n ** 64n - 1n;
  const packed = await app.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
    payload: packValue({
      feature: 'Test_PortSetting',
      settings: { SettingIntB: max, SettingIntA: 1n },
    }),
  });
  t.equal(packed.statusCode, 201);
  t.equal(packed.headers['content-type'], 'application/msgpack');
  t.equal(packed.headers['vary'], 'Accept');
  const made = unpackValue(packed.rawPayload) as { id: string; settings: Record<string, unknown> };
  t.strictSame(made.settings, { SettingIntA: 1, SettingIntB: max, Label: '' });
  const json = await call('GET', `${path}/${made.id}`);
  t.equal(json.body.settings.SettingIntB, '18446744073709551615');
  for (const value of ['18446744073709551615', 5, '5', '0']) {
    const answer = await call('POST', path, {
      feature: 'Test_PortSetting',
      settings: { SettingIntB: value },
    });
    t.equal(answer.body.settings.SettingIntB, String(value));
  }
  const literal = await call(
    'POST',
    path,
    '{"feature":"Test_PortSetting","settings":{"SettingIntB":18446744073709551615}}',
    { 'content-type': 'application/json' },
  );
  t.equal(literal.body.settings.SettingIntB, '18446744073709551615', 'an integer literal is exact');
  const status = await app.inject({
    url: `/v1/switches/s/ports/p/status/${PORT_STATUS}`,
    headers: { accept: 'application/msgpack' },
  });
  const value = unpackValue(status.rawPayload) as { data: { Bytes: bigint }; raw: Buffer };
  t.equal(value.data.Bytes, 2n ** 63n);
  t.equal(value.raw.toString('hex'), '7b000000000000000000000000000080');
  const refused = await app.inject({
    url: '/v1/switches/none',
    headers: { accept: 'application/msgpack' },
  });
  t.match(
    refused.headers['content-type'],
    /^application\/problem\+json/,
    'problems are JSON for all',
  );
});

t.test('lists are paged by keys that stay put while others come', async (t) => {
  const { call } = await openPlane(t);
  for (const name of ['b', 'd', 'f']) await call('POST', '/v1/switches', { name });
  const names = (answer: { body: { items: { name: string }[] } }): string[] =>
    answer.body.items.map((item) => item.name);
  const first = await call('GET', '/v1/switches?limit=2');
  t.strictSame(names(first), ['b', 'd']);
  await call('POST', '/v1/switches', { name: 'a' });
  await call('POST', '/v1/switches', { name: 'e' });
  const second = await call('GET', `/v1/switches?limit=2&cursor=${first.body.next}`);
  t.strictSame(names(second), ['e', 'f']);
  t.notOk('next' in second.body);
});

t.test('worlds do not see each other', async (t) => {
  const plane = await openPlane(t, { worldLimit: 2 });
  const { call, worlds } = plane;
  t.equal(
    (await call('POST', '/v1/worlds', { name: 'one' })).headers['location'],
    '/v1/worlds/one',
  );
  t.equal((await call('POST', '/v1/worlds')).body.name, 'world-1', 'a name is found');
  t.equal((await call('POST', '/v1/worlds')).status, 403, 'the limit');
  t.equal((await call('POST', '/v1/worlds', { name: 'one' })).status, 409);
  await withPort(plane, '/worlds/one/v1');
  t.equal((await call('GET', '/v1/switches')).body.items.length, 0);
  t.equal((await call('GET', '/worlds/world-1/v1/switches')).body.items.length, 0);
  const made = await call('POST', '/worlds/one/v1/switches', { name: 'x' });
  t.equal(made.headers['location'], `/worlds/one/v1/switches/${made.body.id}`);
  t.equal((await call('GET', String(made.headers['location']))).status, 200);
  t.equal((await call('GET', '/worlds/default/v1/switches')).body.items.length, 0);
  t.equal((await call('GET', '/worlds/none/v1/switches')).status, 404);
  t.equal((await call('GET', '/worlds/one/v1/worlds')).status, 404, 'worlds hold no worlds');
  t.equal((await call('DELETE', '/v1/worlds/one')).status, 204);
  t.equal((await call('GET', '/worlds/one/v1/switches')).status, 404);
  t.equal((await call('DELETE', '/v1/worlds/one')).status, 404);
  t.equal((await call('DELETE', '/v1/worlds/default')).status, 403);
  t.equal(worlds.count, 2);
  await worlds.close();
  t.equal((await call('POST', '/v1/worlds')).status, 503);
});

t.test('Idempotency-Key: done once, told twice', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const { call, held } = plane;
  const path = '/v1/switches/s/ports/p/properties';
  const body = { feature: 'Test_PortSetting', settings: { SettingIntA: 1 } };
  const key = { 'idempotency-key': 'k1' };
  const first = await call('POST', path, body, key);
  const second = await call('POST', path, body, key);
  t.strictSame(second.body, first.body);
  t.equal(second.status, 201);
  t.equal(second.headers['etag'], '"1"');
  t.equal(second.headers['location'], first.headers['location']);
  t.equal(second.headers['idempotency-replayed'], 'true');
  t.notOk(first.headers['idempotency-replayed']);
  t.equal((await call('GET', path)).body.items.length, 1);
  const other = await call('POST', path, { ...body, settings: {} }, key);
  t.equal(other.body.type, 'urn:extswitch:error:IDEMPOTENCY_MISMATCH');
  t.equal(other.status, 409);
  const vetoed = { feature: 'Test_PortSetting', settings: { SettingIntA: 666 } };
  t.equal((await call('POST', path, vetoed, { 'idempotency-key': 'k2' })).status, 409);
  const replayed = await call('POST', path, vetoed, { 'idempotency-key': 'k2' });
  t.equal(replayed.headers['idempotency-replayed'], 'true', 'a veto is an answer too');

  const slow = { feature: 'Test_PortSetting', settings: { SettingIntA: 777 } };
  const a = call('POST', path, slow, { 'idempotency-key': 'k3' });
  const b = call('POST', path, slow, { 'idempotency-key': 'k3' });
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.match((await call('GET', '/v1/sim/pending')).body.items, [
    { switch: 's', oid: 'OID_SWITCH_PORT_PROPERTY_ADD', heldBy: EXTENSION, queued: 0 },
  ]);
  held[0]?.complete(0);
  t.strictSame((await a).body, (await b).body);
  t.equal((await b).headers['idempotency-replayed'], 'true');
  t.equal(held.length, 1, 'asked once');

  await call('POST', '/v1/sim/reset', {});
  t.equal((await call('POST', path, body, key)).status, 404, 'a reset forgets keys');
});

t.test('a second forwarding extension cannot be enabled', async (t) => {
  const { call } = await openPlane(t);
  await call('POST', '/v1/switches', { name: 's' });
  t.equal(
    (await call('PATCH', `/v1/switches/s/extensions/${FORWARDER}`, { enabled: true })).status,
    200,
  );
  const second = await call('PATCH', `/v1/switches/s/extensions/${SECOND_FORWARDER}`, {
    enabled: true,
  });
  t.equal(second.status, 409);
  t.equal(second.body.type, 'urn:extswitch:error:SECOND_FORWARDING_EXTENSION');
  t.match((await call('GET', `/v1/switches/s/extensions/${SECOND_FORWARDER}`)).body, {
    enabled: false,
  });
});

t.test('the standard port policies travel as their own structures and are read back', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const { call } = plane;
  const path = '/v1/switches/s/ports/p/properties';
  for (const [feature, settings, again] of [
    ['Msvm_EthernetSwitchPortVlanSettingData', { OperationMode: 1, AccessVlanId: 5 }, 409],
    ['Msvm_EthernetSwitchPortSecuritySettingData', { AllowMacSpoofing: true }, 409],
    ['Msvm_EthernetSwitchPortProfileSettingData', { ProfileName: 'gold' }, 409],
    [
      'Msvm_EthernetSwitchPortIsolationSettingData',
      { IsolationMode: 1, DefaultIsolationId: 7 },
      409,
    ],
    ['Msvm_EthernetSwitchPortRoutingDomainSettingData', { RoutingDomainName: 'blue' }, 201],
  ] as const) {
    const added = await call('POST', path, { feature, settings });
    t.equal(added.status, 201, `${feature}: ${added.body.detail}`);
    t.match(added.body, { feature, settings, delivered: true });
    const [entry] = (await call('GET', '/v1/trace?oid=OID_SWITCH_PORT_PROPERTY_ADD&limit=1')).body
      .items;
    t.equal(entry.status, 'NDIS_STATUS_SUCCESS');
    t.strictSame(
      (await call('GET', `${path}/${added.body.id}`)).body.settings,
      added.body.settings,
    );
    t.equal((await call('POST', path, { feature, settings })).status, again, `${feature} again`);
  }
});
