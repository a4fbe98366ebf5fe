import t from 'tap';
import { openPlane, withPort } from './plane.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

t.test('the address that serve prints says what this is and where to go on', async (t) => {
  const { app, call } = await openPlane(t);
  for (const path of ['/', '/v1']) {
    const { status, body } = await call('GET', path);
    t.equal(status, 200, path);
    t.strictSame(body, {
      name: 'extswitch',
      version: '0.0.0-test',
      api: '/v1',
      openapi: '/openapi.json',
      docs: '/docs',
      health: '/healthz',
      metrics: '/metrics',
    });
  }
  const page = await app.inject({ url: '/', headers: { host: 'localhost', accept: BROWSER } });
  t.equal(page.statusCode, 200);
  t.match(page.headers['content-type'], 'text/html');
  t.match(String(page.headers['content-security-policy']), "default-src 'none'");
  const links = Array.from(page.body.matchAll(/href="([^"]+)"/g), ([, path = '']) => path);
  t.ok(links.includes('/docs'));
  for (const url of links) {
    t.equal((await app.inject({ url, headers: { host: 'localhost' } })).statusCode, 200, url);
  }
  t.equal(
    (await app.inject({ method: 'HEAD', url: '/', headers: { host: 'localhost' } })).body,
    '',
  );
});

t.test('a MAC address is taken with dashes, colons and as PowerShell prints it', async (t) => {
  const { call } = await openPlane(t);
  await call('POST', '/v1/switches', { name: 's' });
  const written = ['00-15-5D-01-02-03', '00:15:5d:01:02:04', '00155D010205'];
  const adapters = written.map((mac, i) => ({ name: `a${i}`, switch: 's', mac }));
  const { status, body } = await call('POST', '/v1/vms', { name: 'v', adapters });
  t.equal(status, 201, body.detail);
  t.strictSame(
    body.adapters.map(({ mac }: { mac: string }) => mac),
    ['00-15-5d-01-02-03', '00-15-5d-01-02-04', '00-15-5d-01-02-05'],
  );
  for (const mac of ['00155D01020', '00-15-5D010203', '00155D01020G']) {
    const refused = await call('POST', '/v1/vms', { name: 'w', adapters: [{ switch: 's', mac }] });
    t.match(refused, { status: 422, body: { member: 'adapters[0].mac' } }, mac);
    t.match(refused.body.detail, 'must be a MAC address such as 00-15-5d-01-02-03');
  }
});

t.test('what is no GUID is refused with one that is, and no regular expression', async (t) => {
  const plane = await openPlane(t);
  await withPort(plane);
  const properties = '/v1/switches/s/ports/p/properties';
  for (const member of ['featureId', 'id']) {
    const { status, body } = await plane.call('POST', properties, {
      ...(member === 'id' ? { feature: 'Test_PortSetting' } : {}),
      settings: {},
      [member]: 'no-guid',
    });
    t.match({ status, member: body.member }, { status: 422, member }, member);
    t.match(body.detail, 'must be a GUID such as 5cbf81be-5055-47cd-9055-a76b2b4e369e');
    t.notMatch(body.detail, /[\\^$]/);
  }
  for (const [method, body] of [
    ['GET', undefined],
    ['PUT', { settings: {} }],
    ['DELETE', undefined],
  ] as const) {
    const answer = await plane.call(method, `${properties}/no-guid`, body);
    t.equal(answer.status, 404);
    t.equal(answer.body.detail, 'port p has no property "no-guid"', method);
  }
});

t.test('a misspelt OID of the trace is refused with the nearest one', async (t) => {
  const { call } = await openPlane(t);
  await call('POST', '/v1/switches', { name: 's' });
  t.match(await call('GET', '/v1/trace?oid=OID_SWITCH_PORT_CRATE'), {
    status: 400,
    body: { member: 'oid', expected: 'OID_SWITCH_PORT_CREATE', detail: 'OID_SWITCH_PORT_CREATE?' },
  });
  t.match(await call('GET', '/v1/trace?oid=zzzzzzzzzzzz'), {
    status: 400,
    body: { member: 'oid' },
  });
  t.match(await call('GET', '/v1/trace?switch=nobody'), { status: 404 });
  for (const oid of [
    'OID_SWITCH_PORT_CREATE',
    'OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX',
    'NDIS_STATUS_SWITCH_NIC_STATUS',
    '0x00FF0001',
  ]) {
    t.equal((await call('GET', `/v1/trace?oid=${oid}`)).status, 200, oid);
  }
});
