import t from 'tap';
import { openPlane } from './plane.ts';
import { extensions, KEEPER, picture, withVm } from './vm-plane.ts';

const A = '/v1/vms/vm/adapters/a';
const RUN = '/v1/vms/run/adapters/a';
const H = '/v1/switches/out/host';
const team = (count: number, kind = 'switch') => ({
  team: kind,
  adapters: Array.from({ length: count }, (_, i) => ({ name: `E${i + 1}` })),
});
const adapters = (one: object) => ({ name: 'new', adapters: [one] });

type Case = readonly [
  what: string,
  method: string,
  path: string,
  body: unknown,
  status: number,
  place: Readonly<Record<string, unknown>>,
];

/** Wrong order: 409 with the rule that forbids it. States: `vm` is off, `run` runs, `rest` is paused, `kept` is saved. */
const WRONG_ORDER: readonly Case[] = [
  [
    'restore without save',
    'POST',
    '/v1/vms/vm/restore',
    undefined,
    409,
    { rule: 'S10', found: 'off' },
  ],
  ['restore while it runs', 'POST', '/v1/vms/run/restore', undefined, 409, { rule: 'S10' }],
  ['start twice', 'POST', '/v1/vms/run/start', undefined, 409, { rule: 'S2', found: 'running' }],
  [
    'start a saved VM',
    'POST',
    '/v1/vms/kept/start',
    undefined,
    409,
    { rule: 'S2', found: 'saved' },
  ],
  ['start a paused VM', 'POST', '/v1/vms/rest/start', undefined, 409, { rule: 'S2' }],
  [
    'stop a VM that is off',
    'POST',
    '/v1/vms/vm/stop',
    undefined,
    409,
    { rule: 'S3', found: 'off' },
  ],
  ['pause a VM that is off', 'POST', '/v1/vms/vm/pause', undefined, 409, { rule: 'OP-16' }],
  ['pause twice', 'POST', '/v1/vms/rest/pause', undefined, 409, { rule: 'OP-16' }],
  ['resume a running VM', 'POST', '/v1/vms/run/resume', undefined, 409, { rule: 'OP-16' }],
  ['save a VM that is off', 'POST', '/v1/vms/vm/save', undefined, 409, { rule: 'S9' }],
  ['save twice', 'POST', '/v1/vms/kept/save', undefined, 409, { rule: 'S9' }],
  [
    'delete a running VM',
    'DELETE',
    '/v1/vms/run',
    undefined,
    409,
    { rule: 'S3', found: 'running' },
  ],
  ['delete a paused VM', 'DELETE', '/v1/vms/rest', undefined, 409, { rule: 'S3', found: 'paused' }],
  ['add an adapter to a saved VM', 'POST', '/v1/vms/kept/adapters', {}, 409, { rule: 'S4' }],
  [
    'remove one of a saved VM',
    'DELETE',
    '/v1/vms/kept/adapters/a',
    undefined,
    409,
    { rule: 'G41' },
  ],
  ['a second uplink', 'PUT', `${H}/uplink`, team(1, 'none'), 409, { rule: 'C8' }],
  ['a second internal NIC', 'POST', `${H}/internal`, {}, 409, { rule: 'OP-36' }],
  [
    'an internal NIC on a private switch',
    'POST',
    '/v1/switches/s/host/internal',
    {},
    409,
    { rule: 'C9' },
  ],
  [
    'a synthetic NIC beside the one of the VM',
    'POST',
    '/v1/switches/s/ports/{run}/nics',
    {},
    409,
    { rule: 'C22' },
  ],
  [
    'delete a port under its VM',
    'DELETE',
    '/v1/switches/s/ports/{run}',
    undefined,
    409,
    { rule: 'B20' },
  ],
  [
    'disconnect a NIC under its VM',
    'DELETE',
    '/v1/switches/s/ports/{run}/nics/0',
    undefined,
    409,
    { rule: 'C30' },
  ],
  ['delete a switch with running VMs', 'DELETE', '/v1/switches/s', undefined, 409, { rule: 'B20' }],
  ['delete a VM that is not there', 'DELETE', '/v1/vms/gone', undefined, 404, {}],
  [
    'change a NIC that is not there',
    'PATCH',
    '/v1/switches/s/ports/{run}/nics/1',
    { mtu: 1400 },
    404,
    {},
  ],
  ['a virtual function while off', 'POST', `${A}/vf`, undefined, 409, { rule: 'C28' }],
  ['a virtual function without SR-IOV', 'POST', `${RUN}/vf`, undefined, 409, { rule: 'D25' }],
  ['take back none', 'DELETE', `${RUN}/vf`, undefined, 409, { rule: 'H12' }],
  ['status of an adapter without a port', 'GET', `${A}/status/Test_PortStatus`, undefined, 404, {}],
];

/** Well-formed but wrong, or in conflict with what is there. */
const WRONG_VALUES: readonly Case[] = [
  ['a VM name that is taken', 'POST', '/v1/vms', { name: 'vm' }, 409, { member: 'name' }],
  [
    'a port name that is taken',
    'POST',
    '/v1/switches/out/ports',
    { name: 'mgmt' },
    409,
    { rule: 'B2' },
  ],
  [
    'rename to a name that is taken',
    'PATCH',
    '/v1/switches/out/ports/plain',
    { name: 'mgmt' },
    409,
    { rule: 'B2' },
  ],
  ['an empty VM name', 'POST', '/v1/vms', { name: '' }, 422, { member: 'name' }],
  ['a VM name of 257', 'POST', '/v1/vms', { name: 'x'.repeat(257) }, 422, { member: 'name' }],
  ['no VM name', 'POST', '/v1/vms', {}, 400, { member: 'name' }],
  [
    'unknown adapter field',
    'POST',
    '/v1/vms',
    adapters({ vlan: 1 }),
    400,
    { member: 'adapters[0].vlan' },
  ],
  ['unknown switch', 'POST', '/v1/vms', adapters({ switch: 'nowhere' }), 404, {}],
  ['unknown switch of a hot add', 'POST', '/v1/vms/run/adapters', { switch: 'nowhere' }, 404, {}],
  ['unknown switch of a move', 'PATCH', RUN, { switch: 'nowhere' }, 404, {}],
  [
    'unknown NIC type',
    'POST',
    '/v1/vms',
    adapters({ type: 'quantum' }),
    422,
    { rule: 'C6', member: 'adapters[0].type' },
  ],
  [
    'external NIC for a VM',
    'POST',
    '/v1/vms/vm/adapters',
    { type: 'external' },
    422,
    { rule: 'C6' },
  ],
  ['unknown port type', 'POST', '/v1/switches/s/ports', { type: 'magic' }, 422, { rule: 'B4' }],
  [
    'malformed MAC',
    'POST',
    '/v1/vms',
    adapters({ mac: '00-15-5d-01-02' }),
    422,
    { member: 'adapters[0].mac' },
  ],
  ['MAC of letters', 'PATCH', RUN, { mac: 'zz-15-5d-01-02-03' }, 422, { member: 'mac' }],
  ['MAC with two separators', 'PATCH', RUN, { mac: '02-15:5d-01-02-03' }, 422, { member: 'mac' }],
  ['group MAC', 'PATCH', RUN, { mac: '01-15-5d-01-02-03' }, 422, { member: 'mac' }],
  [
    'MAC of zeros',
    'POST',
    '/v1/vms/vm/adapters',
    { mac: '00-00-00-00-00-00' },
    422,
    { member: 'mac' },
  ],
  ['guest MAC of a group', 'PATCH', RUN, { vmMac: 'ff-ff-ff-ff-ff-ff' }, 422, { member: 'vmMac' }],
  ['MTU of 67', 'PATCH', RUN, { mtu: 67 }, 422, { member: 'mtu' }],
  ['MTU of 65,536', 'POST', '/v1/vms/vm/adapters', { mtu: 65_536 }, 422, { member: 'mtu' }],
  ['NUMA node -1', 'PATCH', RUN, { numaNode: -1 }, 422, { member: 'numaNode' }],
  ['switch as a number', 'PATCH', RUN, { switch: 5 }, 400, { member: 'switch' }],
  [
    '69 adapters',
    'POST',
    '/v1/vms',
    { name: 'new', adapters: Array(69).fill({}) },
    422,
    { member: 'adapters' },
  ],
  ['33 adapters in a team', 'PUT', '/v1/switches/bare/host/uplink', team(33), 422, { rule: 'C3' }],
  ['a team of one', 'PUT', '/v1/switches/bare/host/uplink', team(1), 422, { rule: 'C3' }],
  [
    'two adapters without a team',
    'PUT',
    '/v1/switches/bare/host/uplink',
    team(2, 'none'),
    422,
    { rule: 'C4' },
  ],
  [
    'two adapters of an LBFO team',
    'PUT',
    '/v1/switches/bare/host/uplink',
    team(2, 'lbfo'),
    422,
    { rule: 'C4' },
  ],
  [
    'an unknown kind of team',
    'PUT',
    '/v1/switches/bare/host/uplink',
    team(2, 'lacp'),
    422,
    { member: 'team' },
  ],
  [
    'no adapters',
    'PUT',
    '/v1/switches/bare/host/uplink',
    { adapters: [] },
    422,
    { member: 'adapters' },
  ],
  [
    'an uplink for a private switch',
    'PUT',
    '/v1/switches/s/host/uplink',
    team(1, 'none'),
    409,
    { rule: 'A7' },
  ],
  [
    'a switch that is not external with an uplink',
    'POST',
    '/v1/switches',
    { name: 'new', type: 'internal', uplink: team(1, 'none') },
    422,
    { rule: 'A7' },
  ],
  [
    'a private switch for the management OS',
    'POST',
    '/v1/switches',
    { name: 'new', type: 'private', managementOs: true },
    422,
    { rule: 'C9' },
  ],
  [
    'an external switch with 33 adapters',
    'POST',
    '/v1/switches',
    { name: 'new', type: 'external', uplink: team(33) },
    422,
    { rule: 'C3' },
  ],
  [
    'NIC index 65,536',
    'POST',
    '/v1/switches/out/ports/plain/nics',
    { index: 65_536 },
    422,
    { member: 'index' },
  ],
  ['NIC index 33', 'POST', '/v1/switches/out/ports/plain/nics', { index: 33 }, 422, { rule: 'C3' }],
  [
    'NIC index 1 of a synthetic port',
    'POST',
    '/v1/switches/out/ports/plain/nics',
    { index: 1 },
    409,
    { rule: 'C2' },
  ],
  ['port id 65,536', 'GET', '/v1/switches/s/ports/65536', undefined, 404, {}],
  ['port id 2^32', 'DELETE', '/v1/switches/s/ports/4294967296', undefined, 404, {}],
  [
    'a NIC on no port: connect before create',
    'POST',
    '/v1/switches/s/ports/65536/nics',
    {},
    404,
    {},
  ],
  ['an adapter of no VM', 'PATCH', '/v1/vms/nobody/adapters/a', { mtu: 1400 }, 404, {}],
  ['an adapter nobody has', 'PATCH', '/v1/vms/vm/adapters/z', { mtu: 1400 }, 404, {}],
  ['a link state of no adapter', 'PATCH', `${H}/uplink/adapters/9`, { linkUp: true }, 404, {}],
  [
    'a link state that is none',
    'PATCH',
    `${H}/uplink/adapters/1`,
    { linkUp: 'up' },
    400,
    { member: 'linkUp' },
  ],
  [
    'a body where none is due',
    'POST',
    '/v1/vms/vm/start',
    { force: true },
    400,
    { member: 'force' },
  ],
  [
    'required as text',
    'PATCH',
    `/v1/switches/s/extensions/${KEEPER}`,
    { required: 'yes' },
    400,
    { member: 'required' },
  ],
  ['a class nobody registered', 'POST', `${A}/properties`, { feature: 'Nothing' }, 404, {}],
  [
    'settings that do not fit',
    'POST',
    `${A}/properties`,
    { feature: 'Test_PortSetting', settings: { SettingIntA: -1 } },
    422,
    { member: 'SettingIntA' },
  ],
  [
    'a setting an extension refuses',
    'POST',
    `${RUN}/properties`,
    { feature: 'Test_PortSetting', settings: { SettingIntA: 666 } },
    409,
    { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED', oid: 'OID_SWITCH_PORT_PROPERTY_ADD' },
  ],
  [
    'a NIC an extension refuses',
    'POST',
    '/v1/vms/run/adapters',
    { name: 'refuse', switch: 's' },
    409,
    { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED', oid: 'OID_SWITCH_NIC_CREATE' },
  ],
  [
    'a start an extension refuses',
    'POST',
    '/v1/vms/unwanted/start',
    undefined,
    409,
    { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED', oid: 'OID_SWITCH_NIC_CREATE' },
  ],
];

t.test('what a client gets wrong names place or rule, and changes nothing', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  await call('POST', '/v1/switches', {
    name: 'out',
    type: 'external',
    uplink: team(2),
    managementOs: false,
  });
  await call('POST', `${H}/internal`, { name: 'mgmt' });
  await call('POST', '/v1/switches/out/ports', { name: 'plain' });
  await call('POST', '/v1/switches', { name: 'bare', type: 'external' });
  for (const [name, ...verbs] of [
    ['run', 'start'],
    ['rest', 'start', 'pause'],
    ['kept', 'start', 'save'],
  ] as const) {
    await call('POST', '/v1/vms', { name, adapters: [{ name: 'a', switch: 's' }] });
    for (const verb of verbs) {
      t.equal((await call('POST', `/v1/vms/${name}/${verb}`)).status, 200, `${name} ${verb}`);
    }
  }
  const two = [
    { name: 'a', switch: 's' },
    { name: 'refuse', switch: 's' },
  ];
  await call('POST', '/v1/vms', { name: 'unwanted', adapters: two });
  const { portId } = (await call('GET', RUN)).body.names;
  let before = await picture(plane);
  for (const [what, method, template, body, status, place] of [...WRONG_ORDER, ...WRONG_VALUES]) {
    const path = template.replace('{run}', String(portId));
    const answer = await call(method, path, body);
    t.equal(answer.status, status, `${what}: ${JSON.stringify(answer.body)}`);
    t.match(answer.body, place, what);
    const after = await picture(plane);
    t.strictSame(after, before, `${what}: GET after is GET before`);
    before = after;
  }
  t.equal(plane.log.length, 0, 'no error of the server');
});

t.test('each wrong request is refused in an atomic batch as it is alone', async (t) => {
  const plane = await openPlane(t, { fabric: { extensions } });
  const { call } = plane;
  await withVm(plane);
  const before = await picture(plane);
  const cases = WRONG_ORDER.filter(([, , path]) => path.startsWith('/v1/vms/vm'));
  t.ok(cases.length > 4);
  for (const [what, method, path, body, status, place] of cases) {
    const alone = await call(method, path, body);
    const batch = await call('POST', '/v1/batch', {
      atomic: true,
      operations: [
        { method: 'POST', path: '/v1/vms', body: { name: 'other' } },
        { method, path, ...(body === undefined ? {} : { body }) },
      ],
    });
    t.match([batch.status, batch.body.type], [status, alone.body.type], what);
    t.match(batch.body, { operation: 1, ...place });
    t.strictSame(await picture(plane), before);
  }
});
