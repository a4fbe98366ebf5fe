import t from 'tap';
import { PROPERTY, SWITCH } from './client-samples.ts';
import { fakeServer } from './fake-server.ts';
import { runCli } from './run-in-process.ts';
import { ADAPTER, ADAPTER_ID, UPLINK, VM, VM_ID, VM_PORT } from './vm-samples.ts';

const V = '/v1/vms/TestVm';
const A = `${V}/adapters/eth0`;
const ONLY = `${V}/adapters/${ADAPTER_ID}`;
const HOST = '/v1/switches/TestSwitch/host';

t.test('what each verb of VMs, adapters and uplinks asks of the server', async (t) => {
  const status = {
    featureId: 'c',
    feature: 'F',
    extensionId: 'e',
    version: 256,
    data: { CurrentStatus: 123 },
    raw: 'ewAAAA==',
  };
  const { url, seen } = await fakeServer(t, {
    'GET /v1/vms?limit=1000': [200, { items: [VM] }],
    'POST /v1/vms': [201, VM],
    [`GET ${V}`]: [200, VM],
    [`DELETE ${V}`]: [204],
    ...Object.fromEntries(
      ['start', 'stop', 'pause', 'resume', 'save'].map((verb) => [
        `POST ${V}/${verb}`,
        [200, VM] as const,
      ]),
    ),
    'POST /v1/vms/Second/start': [200, { ...VM, name: 'Second' }],
    [`GET ${V}/adapters?limit=1000`]: [200, { items: [ADAPTER] }],
    [`POST ${V}/adapters`]: [201, ADAPTER],
    [`GET ${A}`]: [200, ADAPTER],
    [`PATCH ${A}`]: [200, ADAPTER],
    [`DELETE ${A}`]: [204],
    [`POST ${A}/vf`]: [200, ADAPTER],
    [`DELETE ${A}/vf`]: [204],
    [`GET ${A}/properties?limit=1000`]: [200, { items: [PROPERTY] }],
    [`GET ${A}/status/F`]: [200, status],
    'POST /v1/switches': [201, SWITCH],
    [`GET ${HOST}/uplink`]: [200, UPLINK],
    [`PUT ${HOST}/uplink`]: [201, UPLINK],
    [`DELETE ${HOST}/uplink`]: [204],
    [`PATCH ${HOST}/uplink/adapters/1`]: [200, UPLINK.adapters[0]],
    [`POST ${HOST}/internal`]: [201, VM_PORT],
  });
  const at = ['--vm', 'TestVm', '--adapter', 'eth0'];
  const cases: readonly [words: readonly string[], asked: string, body: unknown, out: string][] = [
    [['vm', 'list'], 'GET /v1/vms?limit=1000', undefined, 'TestSwitch  00-15-5d-00-00-01'],
    [
      ['vm', 'create', 'TestVm', '-s', 'A', '-s', 'B', '--adapter', 'wan,switch=C,mtu=9000'],
      'POST /v1/vms',
      {
        name: 'TestVm',
        adapters: [{ switch: 'A' }, { switch: 'B' }, { name: 'wan', switch: 'C', mtu: 9000 }],
      },
      `created VM TestVm (${VM_ID})`,
    ],
    [
      ['vm', 'create', 'TestVm', '--adapter', 'a,requires=F,switch=S,requires=G'],
      'POST /v1/vms',
      { name: 'TestVm', adapters: [{ name: 'a', switch: 'S', requiredFeatures: ['F', 'G'] }] },
      'created VM TestVm',
    ],
    [['vm', 'new', 'TestVm'], 'POST /v1/vms', { name: 'TestVm' }, 'created VM TestVm'],
    [['vm', 'start', 'TestVm', 'Second'], `POST ${V}/start`, undefined, 'Second is running\n'],
    [['vm', 'stop', 'TestVm'], `POST ${V}/stop`, undefined, 'TestVm is running\n'],
    [['vm', 'suspend', 'TestVm'], `POST ${V}/pause`, undefined, 'TestVm is'],
    [['vm', 'resume', 'TestVm'], `POST ${V}/resume`, undefined, 'TestVm is'],
    [['vm', 'save', 'TestVm'], `POST ${V}/save`, undefined, 'TestVm is'],
    [['vm', 'remove', 'TestVm'], `DELETE ${V}`, undefined, 'deleted TestVm\n'],
    [
      ['vm', 'adapter', 'list', '--vm', 'TestVm'],
      `GET ${V}/adapters?limit=1000`,
      undefined,
      '  2  ',
    ],
    [['vm', 'adapter', 'show', ...at], `GET ${A}`, undefined, 'TestSwitch, port 2'],
    [
      ['vm', 'adapter', 'add', 'eth0', '--vm', 'TestVm', '--switch', 'S', '--type', 'emulated'],
      `POST ${V}/adapters`,
      { name: 'eth0', switch: 'S', type: 'emulated' },
      'eth0',
    ],
    [
      ['vm', 'adapter', 'add', '--vm', 'TestVm', '--mac', 'm', '--mtu', '1400'],
      `POST ${V}/adapters`,
      { mac: 'm', mtu: 1400 },
      'eth0',
    ],
    [
      ['vm', 'adapter', 'set', ...at, '--name', 'x', '--mac', 'm', '--mtu', '9000'],
      `PATCH ${A}`,
      { name: 'x', mac: 'm', mtu: 9000 },
      'eth0',
    ],
    [
      ['vm', 'adapter', 'add', '--vm', 'TestVm', '--require', 'F', '--require', 'G'],
      `POST ${V}/adapters`,
      { requiredFeatures: ['F', 'G'] },
      'requires  Fabrikam_PortCustomSettingData',
    ],
    [
      ['vm', 'adapter', 'set', ...at, '--require', 'F', '--mtu', '9000'],
      `PATCH ${A}`,
      { mtu: 9000, requiredFeatures: ['F'] },
      'eth0',
    ],
    [
      ['vm', 'adapter', 'set', ...at, '--require-none'],
      `PATCH ${A}`,
      { requiredFeatures: [] },
      'eth0',
    ],
    [['vm', 'adapter', 'connect', ...at, '-s', 'B'], `PATCH ${A}`, { switch: 'B' }, 'connected'],
    [['vm', 'adapter', 'disconnect', ...at], `PATCH ${A}`, { switch: null }, 'eth0'],
    [['vm', 'adapter', 'assign-vf', ...at], `POST ${A}/vf`, undefined, 'VF'],
    [['vm', 'adapter', 'remove-vf', ...at], `DELETE ${A}/vf`, undefined, 'removed the virtual'],
    [['vm', 'adapter', 'remove', ...at], `DELETE ${A}`, undefined, 'removed eth0\n'],
    [['property', 'list', ...at], `GET ${A}/properties?limit=1000`, undefined, 'SettingIntA=100'],
    [['status', 'get', ...at, '--feature', 'F'], `GET ${A}/status/F`, undefined, '123'],
    [
      ['switch', 'create', 'S', '--type', 'external', '--uplink', 'E1', '--management-os'],
      'POST /v1/switches',
      { name: 'S', type: 'external', uplink: { adapters: [{ name: 'E1' }] }, managementOs: true },
      'created switch',
    ],
    [['switch', 'uplink', 'show', 'TestSwitch'], `GET ${HOST}/uplink`, undefined, '1 of 8'],
    [
      ['switch', 'uplink', 'connect', 'TestSwitch', '--team', 'switch', '--adapter']
        .concat('E1,mac=m,virtualFunctions=8,queues=16')
        .concat('--adapter', 'E2'),
      `PUT ${HOST}/uplink`,
      {
        team: 'switch',
        adapters: [{ name: 'E1', mac: 'm', virtualFunctions: 8, queues: 16 }, { name: 'E2' }],
      },
      'Ethernet 2',
    ],
    [
      ['switch', 'uplink', 'remove', 'TestSwitch'],
      `DELETE ${HOST}/uplink`,
      undefined,
      'disconnected the uplink of TestSwitch',
    ],
    [
      ['switch', 'uplink', 'link', 'TestSwitch', '1', 'down'],
      `PATCH ${HOST}/uplink/adapters/1`,
      { linkUp: false },
      'Ethernet 1',
    ],
    [
      ['switch', 'internal', 'add', 'TestSwitch', 'mgmt', '--mac', 'm'],
      `POST ${HOST}/internal`,
      { name: 'mgmt', mac: 'm' },
      'management OS is on port 2',
    ],
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
    for (const line of words[1] === 'start' ? json.out.trim().split('\n') : [json.out]) {
      if (line !== '') t.doesNotThrow(() => JSON.parse(line), `${words.join(' ')} --json`);
    }
  }
});

t.test('--adapter may be left out when the VM has one adapter', async (t) => {
  const second = { ...ADAPTER, id: 'x', name: 'eth1' };
  const { url, seen } = await fakeServer(t, {
    [`GET ${V}`]: [200, VM],
    [`GET ${ONLY}/properties/${PROPERTY.id}`]: [200, PROPERTY],
    'GET /v1/vms/Two': [200, { ...VM, adapters: [ADAPTER, second] }],
    'GET /v1/vms/None': [200, { ...VM, adapters: [] }],
  });
  const show = (vm: string) => runCli(['property', 'show', PROPERTY.id, '--vm', vm, '--url', url]);
  t.ok((await show('TestVm')).out.includes(PROPERTY.id));
  t.equal(seen.at(-1)?.path, `${ONLY}/properties/${PROPERTY.id}`);
  const two = await show('Two');
  t.equal(two.code, 2);
  t.match(two.err, 'VM Two has 2 adapters, name one with --adapter: "eth0", "eth1"');
  const none = await show('None');
  t.equal(none.code, 1);
  t.match(none.err, 'VM None has no network adapters');
});

t.test('feature list of an adapter shows the classes it has policies of, each once', async (t) => {
  const other = { ...PROPERTY, id: 'p2' };
  const third = { ...PROPERTY, id: 'p3', featureId: 'f3', feature: 'Third', version: 256 };
  const { url } = await fakeServer(t, {
    [`GET ${A}/properties?limit=1000`]: [
      [200, { items: [PROPERTY, other, third] }],
      [200, { items: [PROPERTY, other, third] }],
      [200, { items: [] }],
    ],
  });
  const words = ['feature', 'list', '--vm', 'TestVm', '--adapter', 'eth0', '--url', url];
  const { out } = await runCli(words);
  t.match(out, /^NAME +VERSION +PROPERTIES +ID\nFabrikam_PortCustomSettingData +1\.2 +2 /);
  t.match(out, /\nThird +1\.0 +1 +f3\n/);
  const json = await runCli([...words, '--json', '--limit', '1']);
  const { featureId: id, feature: name, version } = PROPERTY;
  t.strictSame(JSON.parse(json.out), [{ id, name, version, properties: [PROPERTY.id, 'p2'] }]);
  t.match((await runCli(words)).err, 'there are no properties');
});

t.test('vm restore tells what was restored and which records nobody took (G26)', async (t) => {
  const record = {
    adapterId: ADAPTER_ID,
    extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
    extensionFriendlyName: 'Gone',
    featureClassId: 'f',
    bytes: 40,
  };
  const restored = { ...VM, restore: { restored: 1, unowned: [record] } };
  const { url } = await fakeServer(t, { [`POST ${V}/restore`]: [200, restored] });
  const ran = await runCli(['vm', 'restore', 'TestVm', '--url', url]);
  t.equal(ran.code, 0);
  t.equal(ran.out, 'TestVm is running\n1 record restored\n');
  t.equal(ran.err, `no owner: 40 bytes of Gone (${record.extensionId}), kept with the VM\n`);
  const json = await runCli(['vm', 'restore', 'TestVm', '--url', url, '--json']);
  t.strictSame(JSON.parse(json.out), restored);
});

t.test('vm show draws the VM with every name of its adapters', async (t) => {
  const { url } = await fakeServer(t, { [`GET ${V}`]: [200, { ...VM, savedRecords: 2 }] });
  const { out } = await runCli(['vm', 'show', 'TestVm', '--url', url], {
    env: { LC_ALL: 'C.UTF-8' },
  });
  t.equal(
    out,
    `TestVm  running  2 saved records  ${VM_ID}
└─ eth0  synthetic  connected  TestSwitch, port 2  00-15-5d-00-00-01 (dynamic)  MTU 1500  VF
   ├─ requires  Fabrikam_PortCustomSettingData  eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb
   ├─ adapter id  ${ADAPTER_ID}
   ├─ NIC name    nic-e0
   ├─ port name   b0000000-0000-4000-8000-000000000002
   └─ InstanceID  Microsoft:${VM_ID.toUpperCase()}\\${ADAPTER_ID.toUpperCase()}\\C
`,
  );
});

t.test('vm show of a VM that is off: what each adapter is configured for', async (t) => {
  const { port: _, ...off } = { ...ADAPTER, connected: false, vfAssigned: false, mtu: 9000 };
  const { vmId, vmName, adapterId, instanceId } = ADAPTER.names;
  const names = { vmId, vmName, adapterId, instanceId };
  const {
    switch: __,
    requiredFeatures: ___,
    ...loose
  } = { ...off, name: 'eth1', type: 'emulated', macType: 'static' };
  const vm = {
    ...VM,
    state: 'off',
    savedRecords: 1,
    adapters: [
      { ...off, names },
      { ...loose, names },
    ],
  };
  const { url } = await fakeServer(t, { [`GET ${V}`]: [200, vm] });
  const { out } = await runCli(['vm', 'show', 'TestVm', '--ascii', '--url', url]);
  t.equal(
    out,
    `TestVm  off  1 saved record  ${VM_ID}
|- eth0  synthetic  not connected  TestSwitch  00-15-5d-00-00-01 (dynamic)  MTU 9000
|  |- requires  Fabrikam_PortCustomSettingData  eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb
|  |- adapter id  ${ADAPTER_ID}
|  \`- InstanceID  ${instanceId}
\`- eth1  emulated   not connected  no switch   00-15-5d-00-00-01 (static)   MTU 9000
   |- adapter id  ${ADAPTER_ID}
   \`- InstanceID  ${instanceId}
`,
  );
});

t.test('oid pending shows each request as !ndiskd.oid does', async (t) => {
  const acl = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
  const held = {
    request: 9,
    switch: 'TestSwitch',
    oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
    heldBy: acl,
    pendingForMs: 2_500,
    queued: 3,
    requestType: 'set',
    origin: 'protocolEdge',
    route: ['capture', acl],
    endsInMs: 12_000,
  };
  const { endsInMs: _, ...atEdge } = { ...held, oid: 'OID_NEW', heldBy: 'miniportEdge' };
  const { url } = await fakeServer(t, {
    'GET /v1/sim/pending?limit=1000': [
      [200, { items: [held, atEdge] }],
      [200, { items: [held, atEdge] }],
      [200, { items: [] }],
    ],
    'GET /v1/extensions?limit=1000': [200, { items: [{ id: acl, name: 'Port ACL' }] }],
  });
  const ran = await runCli(['oid', 'pending', '--url', url]);
  // 0x10271: rules.md, D.3.
  t.equal(
    ran.out,
    `OID_SWITCH_PORT_PROPERTY_ADD (0x00010271)
  request:       9 on TestSwitch, set
  from:          protocolEdge
  held by:       Port ACL {${acl}}
  way so far:    capture > Port ACL {${acl}}
  pending for:   2500 ms
  times out in:  12.000 s
  queued behind: 3

OID_NEW (code unknown)
  request:       9 on TestSwitch, set
  from:          protocolEdge
  held by:       miniportEdge
  way so far:    capture > Port ACL {${acl}}
  pending for:   2500 ms
  times out in:  never
  queued behind: 3
`,
  );
  const json = await runCli(['oid', 'pending', '--url', url, '--json']);
  t.strictSame(JSON.parse(json.out), [held, atEdge]);
  const none = await runCli(['oid', 'pending', '--url', url]);
  t.equal(none.err, 'no OID requests are pending\n');
});
