import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { FEATURE, P, PROPERTY, SWITCH } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';

t.test('switch list prints a table; with --json one array of every page', async (t) => {
  const second = { ...SWITCH, name: 'Other', isActive: false };
  const { url } = await fakeServer(t, {
    'GET /v1/switches?limit=1000': [200, { items: [SWITCH], next: 'k1' }],
    'GET /v1/switches?limit=1000&cursor=k1': [200, { items: [second] }],
    'GET /v1/switches?limit=1': [200, { items: [SWITCH], next: 'k1' }],
  });
  const table = await runCli(['switch', 'list', '--url', url]);
  t.equal(table.code, 0);
  t.match(table.out, /^NAME +TYPE +ACTIVE +PORTS +ID\nTestSwitch +private +yes +2 +0c5f1f4e/);
  t.match(table.out, /\nOther +private +no +2 /);
  const json = await runCli(['switch', 'list', '--json'], { env: { EXTSWITCH_URL: `${url}/` } });
  t.strictSame(JSON.parse(json.out), [SWITCH, second]);
  const limited = await runCli(['switch', 'list', '--json', '--limit', '1', '--url', url]);
  t.strictSame(JSON.parse(limited.out), [SWITCH], '--limit stops before the second page');
});

t.test('an empty list is a note for people and [] for machines', async (t) => {
  const { url } = await fakeServer(t, { 'GET /v1/switches?limit=1000': [200, { items: [] }] });
  t.strictSame(await runCli(['switch', 'list', '--url', url]), {
    code: 0,
    out: '',
    err: 'there are no switches\n',
  });
  t.strictSame((await runCli(['switch', 'list', '--url', url, '--json'])).out, '[]\n');
});

t.test('flag before environment: --url, --token, --world', async (t) => {
  const { url, seen } = await fakeServer(t, {
    'GET /worlds/w2/v1/switches/a%2Fb': [200, SWITCH],
    'GET /worlds/w2/v1/switches/a%2Fb/extensions?limit=1000': [200, { items: [] }],
    'GET /worlds/w2/v1/switches/a%2Fb/ports?limit=1000': [200, { items: [] }],
  });
  const env = { EXTSWITCH_URL: 'http://127.0.0.1:1', EXTSWITCH_TOKEN: 'no', EXTSWITCH_WORLD: 'w1' };
  const words = ['switch', 'show', 'a/b', '--url', url, '--token', 'secret', '--world', 'w2'];
  const { code } = await runCli(words, { env });
  t.equal(code, 0);
  t.equal(seen[0]?.headers.authorization, 'Bearer secret');
  t.equal(
    seen[0]?.path,
    '/worlds/w2/v1/switches/a%2Fb',
    'a name is one segment, whatever is in it',
  );
});

t.test('what each verb asks of the server', async (t) => {
  const nic = {
    index: 0,
    name: 'e7e0',
    friendlyName: 'eth0',
    type: 'synthetic',
    state: 'connected',
    mac: 'm',
    mtu: 1500,
  };
  const port = {
    id: 'b0000000-0000-4000-8000-000000000001',
    portId: 1,
    name: 'web',
    type: 'synthetic',
    state: 'created',
    isValidationPort: false,
    nics: [nic],
    names: { portId: 1, vmName: 'TestVm', instanceId: 'Microsoft:V\\N\\C' },
  };
  const extension = { id: 'e', name: 'ACL', vendor: 'V', version: '1.0', type: 'filter' };
  const onSwitch = { ...extension, enabled: true, running: false, order: 0, problem: 'it threw' };
  const status = {
    featureId: 'c',
    feature: 'Fabrikam_CustomPortData',
    extensionId: 'e',
    version: 256,
    data: { CurrentStatus: 123 },
    raw: 'ewAAAA==',
  };
  const pending = {
    request: 9,
    switch: 'S',
    oid: 'OID_X',
    heldBy: 'acl',
    pendingForMs: 5,
    queued: 2,
    requestType: 'set',
    origin: 'protocolEdge',
    route: ['protocolEdge', 'acl'],
  };
  const world = { name: 'w', seed: 's', profile: 'ws2022', store: 'memory' };
  const { url, seen } = await fakeServer(t, {
    'POST /v1/switches': [201, SWITCH],
    'DELETE /v1/switches/TestSwitch': [204],
    'GET /v1/switches/TestSwitch': [200, SWITCH],
    'GET /v1/switches/TestSwitch/extensions?limit=1000': [200, { items: [onSwitch] }],
    'GET /v1/switches/TestSwitch/extensions/ACL': [200, onSwitch],
    'PATCH /v1/switches/TestSwitch/extensions/ACL': [200, onSwitch],
    'GET /v1/extensions?limit=1000': [200, { items: [extension] }],
    'GET /v1/switches/TestSwitch/ports?limit=1000': [200, { items: [port] }],
    'POST /v1/switches/TestSwitch/ports': [201, port],
    [`GET ${P}`]: [200, port],
    [`DELETE ${P}`]: [204],
    [`PATCH ${P}`]: [200, port],
    [`PATCH ${P}/nics/0`]: [200, nic],
    [`POST ${P}/nics`]: [201, nic],
    [`DELETE ${P}/nics/0`]: [204],
    [`GET ${P}/properties?limit=1000`]: [200, { items: [PROPERTY] }],
    [`GET ${P}/properties/${PROPERTY.id}`]: [200, PROPERTY],
    [`DELETE ${P}/properties/${PROPERTY.id}`]: [204],
    [`GET ${P}/status/Fabrikam_CustomPortData`]: [200, status],
    'GET /v1/switches/TestSwitch/status/X': [200, status],
    'GET /v1/sim/pending?limit=1000': [200, { items: [pending] }],
    'GET /v1/features?limit=1000': [200, { items: [FEATURE] }],
    [`GET /v1/features/${FEATURE.name}`]: [200, FEATURE],
    [`DELETE /v1/features/${FEATURE.name}`]: [204],
    'GET /v1/worlds?limit=1000': [200, { items: [world] }],
    'POST /v1/worlds': [201, world],
    'DELETE /v1/worlds/w': [204],
    'POST /worlds/w/v1/sim/reset': [204],
    'GET /openapi.json': [200, { openapi: '3.1.0' }],
  });
  const on = ['--switch', 'TestSwitch'];
  const at = [...on, '--port', 'web'];
  const cases: readonly [words: readonly string[], asked: string, body: unknown, out: string][] = [
    [
      ['switch', 'create', 'TestSwitch'],
      'POST /v1/switches',
      { name: 'TestSwitch' },
      'created switch TestSwitch',
    ],
    [
      ['switch', 'new', 'T', '--type', 'external'],
      'POST /v1/switches',
      { name: 'T', type: 'external' },
      'created',
    ],
    [
      ['switch', 'remove', 'TestSwitch'],
      'DELETE /v1/switches/TestSwitch',
      undefined,
      'deleted TestSwitch',
    ],
    [['port', 'list', ...on], 'GET /v1/switches/TestSwitch/ports?limit=1000', undefined, 'web'],
    [
      ['port', 'create', 'web', ...on, '--type', 'synthetic'],
      'POST /v1/switches/TestSwitch/ports',
      { name: 'web', type: 'synthetic' },
      'created port 1 web',
    ],
    [['port', 'create', ...on], 'POST /v1/switches/TestSwitch/ports', {}, 'created port 1 web'],
    [['port', 'show', 'web', ...on], `GET ${P}`, undefined, 'eth0'],
    [['port', 'show', 'web', ...on], `GET ${P}`, undefined, 'Microsoft:V\\N\\C'],
    [['port', 'rename', 'web', 'x', ...on], `PATCH ${P}`, { name: 'x' }, 'port 1 is called web'],
    [
      ['nic', 'set', '0', ...at, '--mtu', '9000', '--vm-mac', 'm', '--numa-node', '1'],
      `PATCH ${P}/nics/0`,
      { vmMac: 'm', mtu: 9000, numaNode: 1 },
      'eth0',
    ],
    [['port', 'delete', 'web', ...on], `DELETE ${P}`, undefined, 'deleted web'],
    [['nic', 'list', ...at], `GET ${P}`, undefined, 'eth0'],
    [
      ['nic', 'connect', 'eth0', ...at, '--mac', 'm', '--mtu', '1500', '--index', '0'],
      `POST ${P}/nics`,
      { name: 'eth0', mac: 'm', mtu: 1500, index: 0 },
      'connected NIC 0 eth0',
    ],
    [['nic', 'disconnect', '0', ...at], `DELETE ${P}/nics/0`, undefined, 'disconnected NIC 0'],
    [['extension', 'list'], 'GET /v1/extensions?limit=1000', undefined, 'ACL'],
    [
      ['extension', 'list', ...on],
      'GET /v1/switches/TestSwitch/extensions?limit=1000',
      undefined,
      'it threw',
    ],
    [
      ['extension', 'show', 'ACL', ...on],
      'GET /v1/switches/TestSwitch/extensions/ACL',
      undefined,
      'running:',
    ],
    [
      ['extension', 'enable', 'ACL', ...on],
      'PATCH /v1/switches/TestSwitch/extensions/ACL',
      { enabled: true },
      'ACL',
    ],
    [
      ['extension', 'disable', 'ACL', ...on],
      'PATCH /v1/switches/TestSwitch/extensions/ACL',
      { enabled: false },
      'ACL',
    ],
    [
      ['extension', 'require', 'ACL', ...on],
      'PATCH /v1/switches/TestSwitch/extensions/ACL',
      { required: true },
      'ACL',
    ],
    [
      ['extension', 'require', 'ACL', '--off', ...on],
      'PATCH /v1/switches/TestSwitch/extensions/ACL',
      { required: false },
      'ACL',
    ],
    [
      ['extension', 'move', 'ACL', '2', ...on],
      'PATCH /v1/switches/TestSwitch/extensions/ACL',
      { order: 2 },
      'ACL',
    ],
    [['property', 'list', ...at], `GET ${P}/properties?limit=1000`, undefined, 'SettingIntA=100'],
    [
      ['property', 'show', PROPERTY.id, ...at],
      `GET ${P}/properties/${PROPERTY.id}`,
      undefined,
      '18446744073709551615',
    ],
    [
      ['property', 'delete', PROPERTY.id, ...at],
      `DELETE ${P}/properties/${PROPERTY.id}`,
      undefined,
      'deleted',
    ],
    [
      ['status', 'get', ...at, '--feature', 'Fabrikam_CustomPortData'],
      `GET ${P}/status/Fabrikam_CustomPortData`,
      undefined,
      'CurrentStatus: 123',
    ],
    [
      ['status', 'get', ...on, '--feature', 'X'],
      'GET /v1/switches/TestSwitch/status/X',
      undefined,
      'bytes:',
    ],
    [['oid', 'pending'], 'GET /v1/sim/pending?limit=1000', undefined, 'OID_X'],
    [['feature', 'list'], 'GET /v1/features?limit=1000', undefined, '1.2'],
    [['feature', 'show', FEATURE.name], `GET /v1/features/${FEATURE.name}`, undefined, 'UINT64'],
    [
      ['feature', 'delete', FEATURE.name],
      `DELETE /v1/features/${FEATURE.name}`,
      undefined,
      'deleted',
    ],
    [['world', 'list'], 'GET /v1/worlds?limit=1000', undefined, 'memory'],
    [
      ['world', 'create', 'w', '--seed', 's', '--profile', 'ws2019'],
      'POST /v1/worlds',
      { name: 'w', seed: 's', profile: 'ws2019' },
      'created world w',
    ],
    [
      [
        'world',
        'create',
        '--scheduling',
        'seeded',
        '--behaviour',
        'activation=last,transientRetries=3,saveOnStop=true',
      ],
      'POST /v1/worlds',
      {
        scheduling: 'seeded',
        behaviour: { activation: 'last', transientRetries: 3, saveOnStop: true },
      },
      'created world w',
    ],
    [['world', 'delete', 'w'], 'DELETE /v1/worlds/w', undefined, 'deleted world w'],
    [['world', 'reset', 'w'], 'POST /worlds/w/v1/sim/reset', undefined, 'reset world w'],
    [['openapi'], 'GET /openapi.json', undefined, '"openapi": "3.1.0"'],
  ];
  for (const [words, asked, body, out] of cases) {
    seen.length = 0;
    const ran = await runCli([...words, '--url', url]);
    t.equal(ran.code, 0, `${words.join(' ')} ${ran.err}`);
    t.equal(`${seen[0]?.method} ${seen[0]?.path}`, asked);
    t.strictSame(seen[0]?.body, body);
    t.ok(ran.out.includes(out), `${words.join(' ')} prints ${out}\n${ran.out}`);
    const json = await runCli([...words, '--url', url, '--json']);
    t.equal(json.code, 0);
    if (json.out !== '') t.doesNotThrow(() => JSON.parse(json.out), `${words.join(' ')} --json`);
  }
});

t.test('errors of the server are printed with title, detail and place, exit 1', async (t) => {
  const problem = {
    type: 'urn:extswitch:error:VETOED',
    title: 'Vetoed by an extension',
    status: 409,
    detail: 'Port ACL\u001b[31m refused it',
    ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
    extensionId: FEATURE.extensionId,
    oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
    member: 'Rules',
  };
  const { url } = await fakeServer(t, {
    'DELETE /v1/switches/a': [409, problem],
    'DELETE /v1/switches/b': (response) => {
      response.writeHead(502, 'Bad Gateway', { 'content-type': 'text/html' }).end('<html>');
    },
    'DELETE /v1/switches/c': (response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>hello</html>');
    },
    'DELETE /v1/switches/d': (response) => response.destroy(),
  });
  const ran = await runCli(['switch', 'delete', 'a', '--url', url]);
  t.equal(ran.code, 1);
  t.match(ran.err, 'extswitch: Vetoed by an extension (409)');
  t.match(ran.err, 'Port ACL\\u001b[31m refused it', 'csi sequences are made visible');
  for (const member of ['ndisStatus', 'extensionId', 'oid', 'member'] as const) {
    t.match(ran.err, `  ${member}: ${problem[member]}\n`);
  }
  const json = await runCli(['switch', 'delete', 'a', '--url', url, '--json']);
  t.strictSame(JSON.parse(json.err), problem);
  t.match((await runCli(['switch', 'delete', 'b', '--url', url])).err, 'Bad Gateway (502)');
  t.match(
    (await runCli(['switch', 'delete', 'c', '--url', url])).err,
    'not as an extswitch server',
  );
  t.match((await runCli(['switch', 'delete', 'd', '--url', url])).err, `cannot reach ${url}`);
});

t.test('no server at the address: says so and how to start one, exit 1', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  const { code, err } = await runCli(['switch', 'list', '--url', `http://127.0.0.1:${port}`]);
  t.equal(code, 1);
  t.match(err, `cannot reach http://127.0.0.1:${port}: connection refused`);
  t.match(err, 'start a server with "extswitch serve"');
});
