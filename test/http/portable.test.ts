import t from 'tap';
import { packValue, unpackValue } from '../../src/http/msgpack.ts';
import { checksumOf } from '../../src/policy/portable-canonical.ts';
import { openPlane, type TestPlane } from './plane.ts';
import { extensions, withVm } from './vm-plane.ts';

const JSON_BODY = { 'content-type': 'application/json' };
const PACKED = { 'content-type': 'application/msgpack', accept: 'application/msgpack' };

/** A plane whose VM `vm` has one policy and is saved with three bytes. */
async function savedVm(t: Parameters<typeof openPlane>[0]): Promise<TestPlane> {
  const plane = await openPlane(t, { fabric: { extensions } });
  await withVm(plane);
  await plane.call('POST', '/v1/vms/vm/adapters/a/properties', {
    feature: 'Test_PortSetting',
    settings: { SettingIntB: '18446744073709551615', Label: 'ü' },
  });
  await plane.call('POST', '/v1/vms/vm/start');
  await plane.call('POST', '/v1/vms/vm/save');
  return plane;
}

t.test('a VM goes out and comes in as JSON and as MessagePack with the same content', async (t) => {
  const plane = await savedVm(t);
  const { call, app } = plane;
  const { body: document, status } = await call('POST', '/v1/vms/vm/export');
  t.equal(status, 200);
  t.match(document, {
    format: 'extswitch-portable',
    version: 1,
    features: [{ name: 'Test_PortSetting' }],
    vms: [
      {
        state: 'saved',
        adapters: [
          {
            properties: [{ settings: { SettingIntB: '18446744073709551615', Label: 'ü' } }],
            // RFC 4648: the bytes 1, 2, 3.
            saved: [{ data: 'AQID' }],
          },
        ],
      },
    ],
  });
  t.equal(document.checksum, checksumOf(document), 'the sum is over what JSON shows');
  const packed = await app.inject({
    method: 'POST',
    url: '/v1/vms/vm/export',
    headers: { accept: 'application/msgpack' },
  });
  const binary = unpackValue(packed.rawPayload) as typeof document;
  t.same(new Uint8Array(binary.vms[0].adapters[0].saved[0].data), Uint8Array.of(1, 2, 3), 'bin');
  t.equal(binary.checksum, document.checksum);
  await call('DELETE', '/v1/vms/vm');
  const taken = await app.inject({
    method: 'POST',
    url: '/v1/vms/import',
    headers: PACKED,
    payload: packValue({ document: binary, ids: 'keep' }),
  });
  t.equal(taken.statusCode, 201);
  t.match(unpackValue(taken.rawPayload), {
    vms: [{ name: 'vm', state: 'saved', savedRecords: 1 }],
    notes: [],
  });
  t.same((await call('POST', '/v1/vms/vm/export')).body, document, 'ids and all');
  const copy = await call('POST', '/v1/vms/import', {
    document,
    name: 'copy',
    switches: { s: 's2' },
  });
  t.equal(copy.status, 201);
  t.match(copy.body, {
    switches: [],
    vms: [{ name: 'copy', adapters: [{ switch: { name: 's2' } }] }],
    notes: [/has the dynamic address/],
  });
  t.match((await call('POST', '/v1/vms/copy/restore')).body, {
    state: 'running',
    restore: { restored: 1 },
  });
});

t.test('a switch goes to another world of the server, with its VMs', async (t) => {
  const { call } = await savedVm(t);
  await call('POST', '/v1/switches/s/properties', {
    feature: 'Test_SwitchSetting',
    settings: { SettingIntA: 3 },
  });
  const alone = await call('POST', '/v1/switches/s/export');
  t.match(alone.body, { switches: [{ name: 's' }], vms: [] });
  const { body: document } = await call('POST', '/v1/switches/s/export', { vms: true });
  t.match(document, { switches: [{ name: 's', properties: [{}] }], vms: [{ name: 'vm' }] });
  await call('POST', '/v1/worlds', { name: 'other' });
  const { status, body } = await call('POST', '/worlds/other/v1/switches/import', {
    document,
    name: 'moved',
  });
  t.equal(status, 201);
  t.match(body, {
    switches: [{ name: 'moved' }],
    vms: [{ adapters: [{ switch: { name: 'moved' } }] }],
  });
});

t.test(
  'what is wrong with a body or a document is said with its status and its place',
  async (t) => {
    const { call, app } = await savedVm(t);
    const { body: document } = await call('POST', '/v1/vms/vm/export');
    const refused: readonly (readonly [unknown, number, object])[] = [
      [{}, 400, { code: 'MALFORMED', member: 'document' }],
      [{ document, idz: 'keep' }, 400, { code: 'UNKNOWN_FIELD', member: 'idz' }],
      [{ document, ids: 'old' }, 422, { code: 'INVALID_ARGUMENT', member: 'ids' }],
      [{ document: 'text' }, 400, { code: 'MALFORMED', member: 'document' }],
      [
        { document: { ...document, version: 9 } },
        422,
        { code: 'INVALID_ARGUMENT', member: 'version', found: '9' },
      ],
      [
        { document: { ...document, profile: 'ws2012' } },
        422,
        { member: 'checksum', found: `"${document.checksum.slice(0, 59)}…"` },
      ],
      [{ document }, 409, { code: 'ALREADY_EXISTS', member: 'name', found: 'vm' }],
      [
        { document, name: 'w', switches: { s: 'gone' } },
        404,
        { code: 'NOT_FOUND', member: 'vms[0].adapters[0].switch', found: 'gone' },
      ],
    ];
    for (const [given, status, place] of refused) {
      const { status: found, body } = await call('POST', '/v1/vms/import', given);
      const { code, ...rest } = place as { code?: string };
      t.equal(found, status, body.detail);
      t.match(body, {
        ...rest,
        ...(code === undefined ? {} : { type: `urn:extswitch:error:${code}` }),
      });
    }
    t.match((await call('POST', '/v1/vms/gone/export')).status, 404);
    t.match((await call('POST', '/v1/switches/import', { document })).body, {
      status: 422,
      member: 'switches',
    });
    const operations = [
      { method: 'POST', path: '/v1/vms', body: { name: 'first' } },
      { method: 'POST', path: '/v1/vms/import', body: { document } },
    ];
    t.match((await call('POST', '/v1/batch', { atomic: true, operations })).status, 409);
    t.match(
      (await call('GET', '/v1/vms/first')).status,
      404,
      'in an atomic batch nothing of it stays',
    );
    // Above what other routes take (1 MiB), below what this one does.
    const big = {
      ...document,
      features: [
        { ...document.features[0], mof: `${document.features[0].mof}${' '.repeat(4_000_000)}` },
      ],
    };
    const payload = JSON.stringify({
      document: { ...big, checksum: checksumOf(big) },
      name: 'big',
    });
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/vms/import',
      headers: JSON_BODY,
      payload,
    });
    t.equal(answer.statusCode, 201, answer.payload.slice(0, 200));
    const huge = Buffer.alloc(64 * 1024 * 1024 + 1, 32);
    const tooLarge = await app.inject({
      method: 'POST',
      url: '/v1/switches/import',
      headers: JSON_BODY,
      payload: huge,
    });
    t.equal(tooLarge.statusCode, 413);
  },
);

t.test('what an export answers is what an import takes, as it is', async (t) => {
  const { call } = await savedVm(t);
  const { body: document } = await call('POST', '/v1/vms/vm/export');
  await call('DELETE', '/v1/vms/vm');
  const taken = await call('POST', '/v1/vms/import', document);
  t.equal(taken.status, 201);
  t.match(taken.body, { vms: [{ name: 'vm', state: 'saved' }] });
  t.not(taken.body.vms[0].id, document.vms[0].id, 'fresh ids, the default');
  const listed = await call('GET', '/v1/vms/vm/adapters/a/properties');
  t.match(listed.body.items, [{ settings: { Label: 'ü' } }]);
  const changed = await call('POST', '/v1/vms/import', { ...document, profile: 'ws2019' });
  t.match(changed.body, { status: 422, member: 'checksum' });
  const { body: whole } = await call('POST', '/v1/switches/s/export');
  await call('POST', '/v1/worlds', { name: 'w' });
  const copied = await call('POST', '/worlds/w/v1/switches/import', whole);
  t.match(copied.body, { switches: [{ name: 's' }] });
});
