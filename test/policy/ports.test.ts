import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { PortType } from '../../src/sdk/extension.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { holder, lastEntry, openWorld, PORT_SETTING, turn } from './open-world.ts';

const open = (): Promise<Fabric> => Fabric.open({ clock: 'manual', seed: 'ports' });
const oids = (entries: readonly { oid: string }[]): string[] =>
  entries.map(({ oid }) => oid.replace('OID_SWITCH_', ''));

t.test(
  'switch names: 1 to 256 characters, no control characters, well-formed, unique',
  async (t) => {
    const fabric = await open();
    const wrong: readonly string[] = ['', 'x'.repeat(257), 'a\nb', 'a\u007fb', 'a\ud800b'];
    for (const name of wrong) {
      await t.rejects(
        fabric.switches.create({ name }),
        { code: 'INVALID_ARGUMENT', place: { member: 'name' } },
        JSON.stringify(name.slice(0, 9)),
      );
    }
    for (const name of ['x'.repeat(256), ' ', 'Schalter ä 🔌', '../../etc']) {
      t.equal((await fabric.switches.create({ name })).info.name, name);
    }
    await t.rejects(fabric.switches.create({ name: ' ' }), {
      code: 'ALREADY_EXISTS',
      place: { member: 'name' },
    });
    const both = await Promise.allSettled([
      fabric.switches.create({ name: 'N' }),
      fabric.switches.create({ name: 'N' }),
    ]);
    t.same(
      both.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    t.equal([...fabric.switches.list()].length, 5);
    await fabric.close();
  },
);

t.test(
  'a switch is found by id and by name and, once deleted, not at all; its name is free again',
  async (t) => {
    const fabric = await open();
    const sw = await fabric.switches.create({ name: 'One', type: 'internal' });
    t.same(sw.info, {
      id: sw.info.id,
      name: 'One',
      type: 'internal',
      isActive: true,
      portCount: 0,
    });
    t.match(sw.info.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const by of ['One', sw.info.id, `{${sw.info.id.toUpperCase()}}`])
      t.same(fabric.switches.get(by).info, sw.info);
    for (const by of ['one', 'Two', sw.info.id.replace(/^./, 'g')]) {
      t.throws(() => fabric.switches.get(by), { code: 'NOT_FOUND' });
    }
    await sw.delete();
    t.throws(() => fabric.switches.get('One'), { code: 'NOT_FOUND' });
    await fabric.switches.create({ name: 'One' });
    await fabric.close();
  },
);

/** Rules A7, C9: which ports each kind of switch takes. */
const KINDS: readonly [
  kind: 'private' | 'internal' | 'external',
  port: PortType,
  rule: 'A7' | 'C9' | undefined,
][] = [
  ['private', 'synthetic', undefined],
  ['private', 'emulated', undefined],
  ['private', 'generic', undefined],
  ['private', 'internal', 'C9'],
  ['private', 'external', 'A7'],
  ['internal', 'synthetic', undefined],
  ['internal', 'internal', undefined],
  ['internal', 'external', 'A7'],
  ['external', 'synthetic', undefined],
  ['external', 'internal', undefined],
  ['external', 'external', undefined],
];

t.test(
  'A7, C9: external ports on external switches only, internal ones not on private switches',
  async (t) => {
    const fabric = await open();
    for (const [kind, type, rule] of KINDS) {
      const sw = await fabric.switches.create({ name: `${kind} ${type}`, type: kind });
      if (rule !== undefined) {
        await t.rejects(
          sw.ports.create({ type }),
          { code: 'ILLEGAL_TRANSITION', place: { rule } },
          `${kind} ${type}`,
        );
        t.equal(sw.info.portCount, 0);
        continue;
      }
      const port = await sw.ports.create({ type });
      t.equal(port.info.type, type);
      t.equal(
        (await port.nics.connect()).type,
        type === 'generic' ? 'synthetic' : type,
        `B6: NIC of a ${type} port`,
      );
    }
    await fabric.close();
  },
);

t.test(
  'deleting a switch takes ports and NICs down, newest first, before it goes (S3)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    await port.nics.connect();
    await port.properties.add(PORT_SETTING, {});
    await sw.ports.create({ name: 'Q' });
    const from = fabric.events.lastSeq;
    await sw.delete();
    t.same(
      oids(fabric.trace.entries({ afterSeq: from })),
      [
        'PORT_TEARDOWN',
        'PORT_DELETE',
        'NIC_DISCONNECT',
        'NIC_DELETE',
        'PORT_TEARDOWN',
        'PORT_DELETE',
      ],
      'and no PROPERTY_DELETE (E38, OP-7)',
    );
    t.match(fabric.events.after(from).at(-1), {
      type: 'state',
      switch: 'S',
      data: { event: 'switchDeleted' },
    });
    await fabric.close();
  },
);

t.test('a port is found by GUID, decimal port id and unique name', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const anonymous = await sw.ports.create();
  const digits = await sw.ports.create({ name: '1' });
  t.same(port.info, {
    id: port.info.id,
    portId: 1,
    name: 'P',
    type: 'synthetic',
    state: 'created',
    isValidationPort: false,
    nics: [],
    names: {
      portId: 1,
      portName: port.info.id,
      portFriendlyName: 'P',
      switchId: sw.info.id,
      switchName: 'S',
      instanceId: `Microsoft:${sw.info.id.toUpperCase()}\\${port.info.id.toUpperCase()}`,
    },
  });
  t.match(anonymous.info, { portId: 2, name: `port-${anonymous.info.id.slice(0, 8)}` });
  for (const by of [port.info.id, port.info.id.toUpperCase(), '1', 'P'])
    t.equal(sw.ports.get(by).info.id, port.info.id, by);
  t.equal(sw.ports.get('3').info.id, digits.info.id, 'a name of digits stands behind the port id');
  for (const by of ['4', '0', 'p', '70000', '000001'])
    t.throws(() => sw.ports.get(by), { code: 'NOT_FOUND' }, by);
  t.same(
    [...sw.ports.list()].map(({ portId }) => portId),
    [1, 2, 3],
  );
  t.equal(sw.info.portCount, 3);
  await t.rejects(sw.ports.create({ name: 'P' }), {
    code: 'ALREADY_EXISTS',
    place: { rule: 'B2', member: 'name' },
  });
  await t.rejects(sw.ports.create({ name: '' }), { code: 'INVALID_ARGUMENT' });
  const both = await Promise.allSettled([
    sw.ports.create({ name: 'N' }),
    sw.ports.create({ name: 'N' }),
  ]);
  t.same(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await fabric.close();
});

t.test('B16: a vetoed port does not exist; the veto names extension, OID and status', async (t) => {
  const { fabric, sw } = await openWorld([
    extensionWith(() => ({
      createPort: (port) => (port.friendlyName === 'Bad' ? NdisStatus.RESOURCES : 'forward'),
    })),
  ]);
  await t.rejects(sw.ports.create({ name: 'Bad' }), {
    code: 'VETOED',
    httpStatus: 409,
    place: {
      ndisStatus: 'NDIS_STATUS_RESOURCES',
      extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
      oid: 'OID_SWITCH_PORT_CREATE',
    },
  });
  t.throws(() => sw.ports.get('Bad'), { code: 'NOT_FOUND' });
  t.equal(fabric.counters()['vetoes_total'], 1);
  await fabric.close();
});

t.test(
  'a port that is gone, or going, takes no property, no NIC and no second deletion',
  async (t) => {
    const { held, extension } = holder('OID_SWITCH_PORT_TEARDOWN');
    const { fabric, sw, port } = await openWorld([extension]);
    const deleting = port.delete();
    await turn();
    t.equal(sw.ports.get('P').info.state, 'teardown');
    const late = [
      port.properties.add(PORT_SETTING, {}),
      port.nics.connect(),
      port.delete(),
      port.status('Fabrikam_CustomPortData'),
    ];
    const settled = Promise.allSettled(late);
    held.shift()?.forward();
    await deleting;
    for (const outcome of await settled) {
      t.match(outcome, {
        status: 'rejected',
        reason: { code: /^(NOT_FOUND|ILLEGAL_TRANSITION)$/ },
      });
    }
    await t.rejects(port.nics.disconnect(0), { code: 'NOT_FOUND' });
    t.equal(sw.info.portCount, 0);
    await fabric.close();
  },
);

t.test(
  '65,535 ports: ids run from 1 to 65,535, the next one is refused until one is free (B1, quirk 10)',
  { timeout: 120_000 },
  async (t) => {
    const fabric = await Fabric.open({ clock: 'manual', traceLimit: 10 });
    const sw = await fabric.switches.create({ name: 'Full' });
    const first = await sw.ports.create({ name: '#1' });
    for (let n = 2; n <= 65_535; n += 1) await sw.ports.create();
    t.equal(sw.ports.get('65535').info.portId, 65_535);
    await t.rejects(sw.ports.create({ name: 'one too many' }), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'B1' },
    });
    await first.delete();
    const last = await sw.ports.create({ name: 'again' });
    t.equal(last.info.portId, 1);
    await fabric.close();
  },
);

t.test('a NIC: defaults, the MAC address in all its forms, MTU from 68 to 65,535', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const nic = await port.nics.connect();
  t.match(nic, {
    index: 0,
    friendlyName: 'Network Adapter',
    type: 'synthetic',
    state: 'connected',
    mtu: 1500,
  });
  t.match(nic.mac, /^00-15-5d(-[0-9a-f]{2}){3}$/, 'from the pool of Hyper-V');
  t.same(port.nics.list(), [nic]);
  t.same(port.info.nics, [nic]);
  await port.nics.disconnect(0);
  t.same(port.nics.list(), []);
  for (const mac of ['02-AB-cd-00-00-01', '02:ab:cd:00:00:01', '02abcd000001', '02AB.CD00.0001']) {
    const { nics } = await sw.ports.create();
    if (mac.includes('.')) {
      await t.rejects(nics.connect({ mac }), {
        code: 'INVALID_ARGUMENT',
        place: { member: 'mac', found: mac },
      });
      continue;
    }
    t.equal((await nics.connect({ mac })).mac, '02-ab-cd-00-00-01', mac);
    await nics.disconnect(0);
  }
  const wrong: readonly [object, string][] = [
    [{ mac: '01-00-5e-00-00-01' }, 'mac'],
    [{ mac: 'ff-ff-ff-ff-ff-ff' }, 'mac'],
    [{ mac: '' }, 'mac'],
    [{ mac: '02-ab-cd-00-00' }, 'mac'],
    [{ mac: '02-ab-cd-00-00-0g' }, 'mac'],
    [{ mtu: 67 }, 'mtu'],
    [{ mtu: 65_536 }, 'mtu'],
    [{ mtu: 1500.5 }, 'mtu'],
    [{ mtu: Number.NaN }, 'mtu'],
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(257) }, 'name'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ index: 0.5 }, 'index'],
    [{ index: -1 }, 'index'],
    [{ index: 33 }, 'index'],
    [{ index: Number.NaN }, 'index'],
  ];
  for (const [options, member] of wrong) {
    await t.rejects(
      port.nics.connect(options),
      { code: 'INVALID_ARGUMENT', place: { member } },
      JSON.stringify(options),
    );
  }
  t.same(port.nics.list(), []);
  for (const mtu of [68, 65_535]) {
    const { nics } = await sw.ports.create();
    t.equal((await nics.connect({ mtu, name: 'x'.repeat(256) })).mtu, mtu);
  }
  await fabric.close();
});

t.test(
  'NIC_CREATE carries name, friendly name, MAC and MTU where the ABI has them (C17)',
  async (t) => {
    const { fabric, sw, port } = await openWorld();
    const nic = await port.nics.connect({ name: 'Adapter', mac: '02-00-00-00-00-07', mtu: 9000 });
    const create = lastEntry(sw, 'OID_SWITCH_NIC_CREATE');
    t.match(fabric.trace.decode(create), {
      structure: 'NDIS_SWITCH_NIC_PARAMETERS',
      Header: { Type: 0x80, Revision: 2, Size: 2224 },
      Flags: 1,
      NicName: nic.name,
      NicFriendlyName: 'Adapter',
      PortId: 1,
      NicIndex: 0,
      NicType: 'NdisSwitchNicTypeSynthetic',
      NicState: 'NdisSwitchNicStateCreated',
      MTU: 9000,
      VFAssigned: false,
    });
    t.match(fabric.trace.decode(lastEntry(sw, 'OID_SWITCH_NIC_CONNECT')), {
      Flags: 0,
      NicState: 'NdisSwitchNicStateConnected',
    });
    await fabric.close();
  },
);

t.test('C2, C3, C52: indexes above 0 belong below the external NIC, after it', async (t) => {
  const { fabric, port } = await openWorld();
  const sw = await fabric.switches.create({ name: 'X', type: 'external' });
  const illegal = (rule: string) => ({ code: 'ILLEGAL_TRANSITION', place: { rule } });
  await t.rejects(port.nics.connect({ index: 1 }), illegal('C2'));
  const external = await sw.ports.create({ type: 'external', name: 'Uplink' });
  await t.rejects(external.nics.connect({ index: 1 }), illegal('C52'));
  await external.nics.connect({ name: 'Team' });
  await t.rejects(external.nics.connect(), illegal('C22'), 'the index is taken');
  await external.nics.connect({ index: 1 });
  await external.nics.connect({ index: 32 });
  t.same(
    external.nics.list().map(({ index, type }) => `${index} ${type}`),
    ['0 external', '1 external', '32 external'],
  );
  await t.rejects(external.nics.disconnect(0), illegal('C54'));
  await t.rejects(external.nics.disconnect(5), { code: 'NOT_FOUND', place: { member: 'index' } });
  await external.nics.disconnect(32);
  await external.nics.disconnect(1);
  await external.nics.disconnect(0);
  t.same(external.nics.list(), []);
  await fabric.close();
});

t.test(
  'C54: deleting the external port disconnects and deletes the lower adapters before index 0',
  async (t) => {
    const fabric = await open();
    const sw = await fabric.switches.create({ name: 'X', type: 'external' });
    const external = await sw.ports.create({ type: 'external' });
    for (const index of [0, 1, 2]) await external.nics.connect({ index });
    const from = fabric.events.lastSeq;
    await external.delete();
    const steps = fabric.trace.entries({ afterSeq: from }).map((entry) => {
      const { NicIndex } = fabric.trace.decode(entry);
      return `${entry.oid.replace('OID_SWITCH_', '')}${NicIndex === undefined ? '' : ` ${NicIndex}`}`;
    });
    t.same(steps, [
      'NIC_DISCONNECT 1',
      'NIC_DISCONNECT 2',
      'NIC_DELETE 1',
      'NIC_DELETE 2',
      'NIC_DISCONNECT 0',
      'NIC_DELETE 0',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    await fabric.close();
  },
);

for (const [type, rule] of [
  ['external', 'C8'],
  ['internal', 'OP-36'],
] as const) {
  t.test(`${rule}: one ${type} NIC on a switch`, async (t) => {
    const fabric = await open();
    const sw = await fabric.switches.create({ name: 'X', type: 'external' });
    const first = await sw.ports.create({ type });
    const second = await sw.ports.create({ type });
    await first.nics.connect();
    await t.rejects(second.nics.connect(), { code: 'ILLEGAL_TRANSITION', place: { rule } });
    await first.nics.disconnect(0);
    await second.nics.connect();
    await fabric.close();
  });
}

t.test('C19, C23: a vetoed NIC is not there, a lowered MTU counts', async (t) => {
  const { fabric, sw, port } = await openWorld([
    extensionWith(() => ({
      createNic: (nic, request) => {
        if (nic.mtu === 1600) return NdisStatus.DATA_NOT_ACCEPTED;
        if (nic.mtu === 1500)
          new DataView(request.bytes.buffer, request.bytes.byteOffset).setUint32(2104, 1450, true);
        return 'forward';
      },
    })),
  ]);
  await t.rejects(port.nics.connect({ mtu: 1600 }), {
    code: 'VETOED',
    place: { oid: 'OID_SWITCH_NIC_CREATE' },
  });
  t.same(port.nics.list(), []);
  t.same(oids(sw.trace.entries()), ['PORT_CREATE', 'NIC_CREATE'], 'no DISCONNECT, no DELETE');
  t.equal((await port.nics.connect()).mtu, 1450);
  t.match(fabric.trace.decode(lastEntry(sw, 'OID_SWITCH_NIC_CONNECT')), { MTU: 1450 });
  await fabric.close();
});
