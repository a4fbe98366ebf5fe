import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { UplinkOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { openStore } from '../../src/store/open-store.ts';
import { extensionWith, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { hostWorld, KeptStore, nicViews, one, portViews, team, told } from './host-world.ts';
import { PORT_SETTING } from './open-world.ts';

const S8_UP = [
  'PORT_CREATE',
  'NIC_CREATE 0',
  'NIC_CREATE 1',
  'NIC_CREATE 2',
  'NIC_CREATE 3',
  'NIC_CONNECT 0',
  'NIC_CONNECT 1',
  'NIC_CONNECT 2',
  'NIC_CONNECT 3',
];
const S8_DOWN = [
  'NIC_DISCONNECT 1',
  'NIC_DISCONNECT 2',
  'NIC_DISCONNECT 3',
  'NIC_DELETE 1',
  'NIC_DELETE 2',
  'NIC_DELETE 3',
  'NIC_DISCONNECT 0',
  'NIC_DELETE 0',
  'PORT_TEARDOWN',
  'PORT_DELETE',
];

t.test('a switch team comes and goes in the order of S8 (C3, C4, C52, C54, C55)', async (t) => {
  const { fabric } = await hostWorld();
  const sw = await fabric.switches.create({ name: 'S', type: 'external' });
  t.equal(sw.host.uplink, undefined);
  const uplink = await sw.host.connectUplink(team);
  t.same(told(sw), S8_UP);
  t.match(uplink, {
    team: 'switch',
    operational: true,
    port: { type: 'external', name: 'S_External', state: 'created' },
    adapters: [
      { index: 1, name: 'Slot 1', mac: '02-aa-00-00-00-01', linkUp: true },
      { index: 2, name: 'Slot 2', mac: '02-aa-00-00-00-02', linkUp: true },
      { index: 3, name: 'Slot 3', mac: '02-aa-00-00-00-03', linkUp: true },
    ],
  });
  t.match(uplink.adapters[0], {
    virtualFunctions: 4,
    virtualFunctionsUsed: 0,
    queues: 8,
    queuesUsed: 0,
  });
  t.match(uplink.adapters[1], { virtualFunctions: 0, queues: 0 });
  t.same(sw.host.uplink, uplink);
  t.equal(sw.ports.get('S_External').info.id, uplink.port.id);
  await sw.host.disconnectUplink();
  t.same(told(sw).slice(S8_UP.length), S8_DOWN);
  t.equal(sw.host.uplink, undefined);
  t.equal(sw.info.portCount, 0);
  await t.rejects(sw.host.disconnectUplink(), { code: 'NOT_FOUND' });
  await t.rejects(sw.host.setLink(1, false), { code: 'NOT_FOUND' });
  await fabric.close();
});

t.test(
  'NIC_CREATE of an uplink carries names, addresses and types (C6, C10, C12-C16)',
  async (t) => {
    const { fabric } = await hostWorld();
    const sw = await fabric.switches.create({ name: 'S', type: 'external' });
    await sw.host.connectUplink(team);
    const created = nicViews(sw, 'NIC_CREATE');
    t.same(
      created.map(({ NicType, NicState, PortId, Flags }) => [NicType, NicState, PortId, Flags]),
      [0, 1, 2, 3].map(() => [0, 1, 1, 0]),
    );
    t.same(
      created.map((nic) => nic.NicFriendlyName),
      ['S', 'Slot 1', 'Slot 2', 'Slot 3'],
    );
    const pnp = (mac: string): string =>
      `PCI\\VEN_8086&DEV_1572&SUBSYS_00078086&REV_01\\02AA00FFFF0000${mac}00`;
    t.same(
      created.map((nic) => nic.NicName),
      [pnp('01'), pnp('01'), pnp('02'), pnp('03')],
    );
    const ids = created.map((nic) => nic.NetCfgInstanceId);
    t.equal(new Set(ids).size, 4, 'the team and its members are adapters of their own');
    t.notOk(ids.includes('00000000-0000-0000-0000-000000000000'));
    for (const [i, nic] of created.entries()) {
      const mac = [2, 0xaa, 0, 0, 0, Math.max(1, i)];
      t.same([...nic.PermanentMacAddress.subarray(0, 6)], mac);
      t.same([...nic.CurrentMacAddress.subarray(0, 6)], mac);
      t.same([...nic.VMMacAddress], new Array(32).fill(0), 'C14');
      t.equal(nic.VmName + nic.VmFriendlyName, '', 'C11');
      t.equal(nic.VFAssigned, false, 'C16');
      t.equal(nic.MTU, 1500);
    }
    t.match(portViews(sw, 'PORT_CREATE')[0], {
      PortType: 1,
      PortState: 1,
      PortFriendlyName: 'S_External',
    });
    await fabric.close();
  },
);

t.test('one adapter, and an LBFO team that looks like one, get index 1 (C4, C5)', async (t) => {
  for (const kind of ['none', 'lbfo'] as const) {
    const { fabric } = await hostWorld();
    const sw = await fabric.switches.create({ name: 'S', type: 'external' });
    const uplink = await sw.host.connectUplink({ ...one, team: kind });
    t.same(told(sw), [
      'PORT_CREATE',
      'NIC_CREATE 0',
      'NIC_CREATE 1',
      'NIC_CONNECT 0',
      'NIC_CONNECT 1',
    ]);
    t.equal(uplink.team, kind);
    t.same(
      uplink.adapters.map(({ index }) => index),
      [1],
    );
    const [own, lower] = nicViews(sw, 'NIC_CREATE');
    t.equal(own?.NetCfgInstanceId, lower?.NetCfgInstanceId, 'the external NIC is the adapter');
    t.equal(own?.NicFriendlyName, 'Ethernet');
    const name = `COMPOSITEBUS\\MS_IMPLAT_MP\\{${String(lower?.NetCfgInstanceId).toUpperCase()}}`;
    if (kind === 'lbfo') t.equal(own?.NicName, name);
    await fabric.close();
  }
});

t.test(
  'an uplink is refused before the first OID: wrong team, wrong switch, second one',
  async (t) => {
    const { fabric } = await hostWorld();
    const sw = await fabric.switches.create({ name: 'S', type: 'external' });
    const [a, b] = team.adapters;
    const bad: readonly [UplinkOptions, string][] = [
      [{ adapters: [] }, 'uplink.adapters'],
      [{ adapters: [a, b] }, 'uplink.adapters'],
      [{ team: 'lbfo', adapters: [a, b] }, 'uplink.adapters'],
      [{ team: 'switch', adapters: [a] }, 'uplink.adapters'],
      [
        { team: 'switch', adapters: Array.from({ length: 33 }, (_, i) => ({ name: `n${i}` })) },
        'uplink.adapters',
      ],
      [{ team: 'other' as 'none', adapters: [a] }, 'uplink.team'],
      [{ team: 'switch', adapters: [a, { ...b, name: a.name }] }, 'uplink.adapters.name'],
      [{ team: 'switch', adapters: [a, { ...b, mac: a.mac }] }, 'uplink.adapters.mac'],
      [{ adapters: [{ name: 'x', mac: '01-00-5e-00-00-01' }] }, 'uplink.adapters.mac'],
      [{ adapters: [{ name: '' }] }, 'name'],
      [{ adapters: [{ name: 'x', virtualFunctions: -1 }] }, 'uplink.adapters.virtualFunctions'],
      [{ adapters: [{ name: 'x', queues: 1.5 }] }, 'uplink.adapters.queues'],
    ];
    for (const [options, member] of bad) {
      await t.rejects(sw.host.connectUplink(options), {
        code: 'INVALID_ARGUMENT',
        place: { member },
      });
    }
    t.same(told(sw), []);
    for (const type of ['internal', 'private'] as const) {
      const other = await fabric.switches.create({ name: type, type });
      await t.rejects(other.host.connectUplink(one), {
        code: 'ILLEGAL_TRANSITION',
        place: { rule: 'A7' },
      });
      t.same(told(other), []);
    }
    await sw.host.connectUplink(one);
    const before = told(sw).length;
    await t.rejects(sw.host.connectUplink({ adapters: [{ name: 'Second' }] }), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C8' },
    });
    t.equal(told(sw).length, before);
    const twin = await fabric.switches.create({ name: 'T', type: 'external' });
    await t.rejects(twin.host.connectUplink(one), {
      code: 'ALREADY_EXISTS',
      message: /02-aa-00-00-00-01 is in use by port S_External of switch S/,
      place: { member: 'mac' },
    });
    t.same(told(twin), []);
    await fabric.close();
  },
);

t.test('a veto at any step of an uplink leaves nothing (S8, C36, S15)', async (t) => {
  for (const step of ['PORT_CREATE', 'NIC_CREATE'] as const) {
    let refusing = true;
    const veto = (): NdisStatus | 'forward' =>
      refusing ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
    const store = new KeptStore();
    const { fabric, extensions } = await hostWorld(
      step === 'PORT_CREATE' ? { createPort: veto } : { createNic: veto },
      { store },
    );
    const sw = await fabric.switches.create({ name: 'S', type: 'external', extensions });
    const stored = store.keys();
    await t.rejects(sw.host.connectUplink(team), {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED', oid: `OID_SWITCH_${step}` },
    });
    t.same(
      told(sw),
      step === 'PORT_CREATE'
        ? ['PORT_CREATE!']
        : ['PORT_CREATE', 'NIC_CREATE 0!', 'PORT_TEARDOWN', 'PORT_DELETE'],
    );
    t.equal(sw.host.uplink, undefined);
    t.same([...sw.ports.list()], []);
    t.same(store.keys(), stored);
    refusing = false;
    t.equal((await sw.host.connectUplink(team)).adapters.length, 3, 'nothing of it is taken');
    await fabric.close();
  }
});

t.test('an uplink whose write fails is taken back in the order of S8', async (t) => {
  const store = new FailingStore();
  const { fabric } = await hostWorld(undefined, { store });
  const sw = await fabric.switches.create({ name: 'S', type: 'external' });
  store.failing = true;
  await t.rejects(sw.host.connectUplink(team), { code: 'STORE_UNAVAILABLE' });
  t.same(told(sw), [...S8_UP, ...S8_DOWN]);
  t.equal(sw.host.uplink, undefined);
  await t.rejects(
    fabric.switches.create({
      name: 'T',
      uplink: { adapters: [{ name: 'x' }] },
      managementOs: true,
    }),
    { code: 'STORE_UNAVAILABLE' },
  );
  store.failing = false;
  t.same(
    [...fabric.switches.list()].map(({ name }) => name),
    ['S'],
  );
  t.ok(await sw.host.connectUplink(team));
  t.ok(await fabric.switches.create({ name: 'T' }));
  await fabric.close();
});

t.test('an atomic change that fails puts a disconnected uplink back as it was (S8)', async (t) => {
  const { fabric } = await hostWorld();
  await fabric.features.register(FABRIKAM_MOF);
  const sw = await fabric.switches.create({ name: 'S', uplink: team });
  const before = sw.host.uplink;
  await sw.ports.get('S_External').properties.add(PORT_SETTING, { SettingIntA: 7 });
  const at = told(sw).length;
  await t.rejects(
    fabric.atomic(async (world) => {
      const { host } = world.switches.get('S');
      await host.setLink(2, false);
      t.equal(host.uplink?.adapters[1]?.linkUp, false);
      await host.disconnectUplink();
      t.equal(host.uplink, undefined);
      await host.connectUplink(one);
      throw new Error('undo');
    }),
    /undo/,
  );
  t.same(told(sw).slice(at), [
    ...S8_DOWN,
    ...['PORT_CREATE', 'NIC_CREATE 0', 'NIC_CREATE 1', 'NIC_CONNECT 0', 'NIC_CONNECT 1'],
    ...['NIC_DISCONNECT 1', 'NIC_DELETE 1', 'NIC_DISCONNECT 0', 'NIC_DELETE 0'],
    ...['PORT_TEARDOWN', 'PORT_DELETE'],
    'PORT_CREATE',
    'PORT_PROPERTY_ADD',
    ...S8_UP.slice(1),
  ]);
  t.same(sw.host.uplink, before);
  t.equal([...sw.ports.get('S_External').properties.list()].length, 1);
  await fabric.close();
});

t.test('a link whose change cannot be stored is as it was, and indicated back (H1)', async (t) => {
  const seen: number[] = [];
  const store = new FailingStore();
  const { fabric, extensions } = await hostWorld(
    { nicStatus: ({ source }) => void seen.push(source.nicIndex) },
    { store },
  );
  const sw = await fabric.switches.create({ name: 'S', uplink: team, extensions });
  store.failing = true;
  await t.rejects(sw.host.setLink(2, false), { code: 'STORE_UNAVAILABLE' });
  t.equal(sw.host.uplink?.adapters[1]?.linkUp, true);
  t.same(seen, [2, 2]);
  store.failing = false;
  await sw.host.setLink(2, false);
  t.equal(sw.host.uplink?.adapters[1]?.linkUp, false);
  await fabric.close();
});

t.test('an uplink is there again after a restart, in the order of S8 (C52)', async (t) => {
  const folder = t.testdir();
  const first = await Fabric.open({ clock: 'manual', store: await openStore(folder) });
  await first.features.register(FABRIKAM_MOF);
  const made = await first.switches.create({ name: 'S', uplink: team, managementOs: true });
  await made.ports.get('S_External').properties.add(PORT_SETTING, { SettingIntA: 7 });
  await made.host.setLink(1, false);
  const { uplink } = made.host;
  const internal = made.ports.get('S_Internal').info;
  const created = nicViews(made, 'NIC_CREATE').map((nic) => [nic.NicName, nic.NetCfgInstanceId]);
  await first.close();
  const again = await Fabric.open({ clock: 'manual', store: await openStore(folder) });
  const sw = again.switches.get('S');
  t.same(told(sw), [
    'PORT_CREATE',
    'PORT_PROPERTY_ADD',
    ...S8_UP.slice(1),
    'PORT_CREATE',
    'NIC_CREATE 0',
    'NIC_CONNECT 0',
  ]);
  t.same(sw.host.uplink, uplink, 'also the link that was down');
  t.same(
    sw.host.uplink?.adapters.map(({ linkUp }) => linkUp),
    [false, true, true],
  );
  await sw.host.setLink(1, true);
  t.same(sw.ports.get('S_Internal').info, internal);
  t.same(
    nicViews(sw, 'NIC_CREATE')
      .slice(0, 4)
      .map((nic) => [nic.NicName, nic.NetCfgInstanceId]),
    created.slice(0, 4),
  );
  await t.rejects(sw.ports.get('S_Internal').nics.connect({ mac: '02-aa-00-00-00-02' }));
  const fresh = await again.switches.create({ name: 'T', type: 'external' });
  await t.rejects(fresh.host.connectUplink(one), { code: 'ALREADY_EXISTS' }, 'still in use');
  await again.close();
  const third = await Fabric.open({ clock: 'manual', store: await openStore(folder) });
  t.equal(third.switches.get('S').host.uplink?.adapters[0]?.linkUp, true);
  await third.close();
});

t.test(
  'an uplink NIC that is refused at a restart stays stored until it can come (C23)',
  async (t) => {
    const store = new KeptStore();
    const { fabric } = await hostWorld({}, { store });
    const sw = await fabric.switches.create({
      name: 'S',
      type: 'external',
      extensions: fabric.extensions.list().map(({ id }) => id),
    });
    await sw.host.connectUplink(team);
    await fabric.close();
    const refusing = extensionWith(() => ({ createNic: () => NdisStatus.RESOURCES }));
    const second = await Fabric.open({ clock: 'manual', store, extensions: [refusing] });
    const port = second.switches.get('S').ports.get('S_External');
    t.same(told(second.switches.get('S')), ['PORT_CREATE', 'NIC_CREATE 0!']);
    t.same(port.info.nics, []);
    await port.rename('Renamed');
    await second.close();
    const third = await Fabric.open({
      clock: 'manual',
      store,
      extensions: [extensionWith(() => ({}))],
    });
    const back = third.switches.get('S');
    t.same(told(back), S8_UP);
    t.equal(back.host.uplink?.port.name, 'Renamed');
    t.equal(back.host.uplink?.team, 'switch');
    await third.close();
  },
);

t.test('a link going down and up is indicated once each (H1)', async (t) => {
  const seen: string[] = [];
  const { fabric, extensions } = await hostWorld({
    nicStatus: (status) => {
      seen.push(`${status.source.nicIndex} ${status.statusCode.toString(16)}`);
    },
  });
  const sw = await fabric.switches.create({ name: 'S', uplink: team, extensions });
  t.match(await sw.host.setLink(2, false), { index: 2, linkUp: false });
  await sw.host.setLink(2, false);
  t.match(await sw.host.setLink(2, true), { index: 2, linkUp: true });
  // NDIS_STATUS_LINK_STATE.
  t.same(seen, ['2 40010017', '2 40010017']);
  for (const index of [0, 4, -1]) {
    await t.rejects(sw.host.setLink(index, false), { code: 'NOT_FOUND' }, `${index}`);
  }
  await fabric.close();
});

t.test(
  'whatever teams come and go, each index is created, connected and deleted once',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 32 }), { minLength: 1, maxLength: 3 }),
        async (sizes) => {
          const { fabric } = await hostWorld();
          const sw = await fabric.switches.create({ name: 'S', type: 'external' });
          let at = 0;
          for (const size of sizes) {
            const adapters = Array.from({ length: size }, (_, i) => ({ name: `n${i}` }));
            const uplink = await sw.host.connectUplink({
              team: size > 1 ? 'switch' : 'none',
              adapters,
            });
            const indexes = Array.from({ length: size }, (_, i) => i + 1);
            const all = [0, ...indexes];
            const each = (oid: string, of: readonly number[]): string[] =>
              of.map((i) => `${oid} ${i}`);
            t.same(told(sw).slice(at), [
              'PORT_CREATE',
              ...each('NIC_CREATE', all),
              ...each('NIC_CONNECT', all),
            ]);
            t.equal(new Set(uplink.adapters.map(({ mac }) => mac)).size, size);
            at = told(sw).length;
            await sw.host.disconnectUplink();
            t.same(told(sw).slice(at), [
              ...each('NIC_DISCONNECT', indexes),
              ...each('NIC_DELETE', indexes),
              'NIC_DISCONNECT 0',
              'NIC_DELETE 0',
              'PORT_TEARDOWN',
              'PORT_DELETE',
            ]);
            at = told(sw).length;
          }
          await fabric.close();
        },
      ),
      { numRuns: 20 },
    );
  },
);

t.test(
  'the edge fails a later NIC of an uplink: those before it, and the port, go again (rules B13, C34)',
  async (t) => {
    const { fabric } = await hostWorld();
    const sw = await fabric.switches.create({ name: 'S', type: 'external' });
    fabric.faults.add({
      at: 'oid',
      extension: 'miniportEdge',
      oid: 'OID_SWITCH_NIC_CREATE',
      effect: 'status',
      nth: 3,
      times: 1,
    });
    await t.rejects(sw.host.connectUplink(team), /NDIS_STATUS_RESOURCES/);
    t.same(told(sw), [
      'PORT_CREATE',
      'NIC_CREATE 0',
      'NIC_CREATE 1',
      'NIC_CREATE 2!',
      'NIC_DELETE 1',
      'NIC_DELETE 0',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    await sw.host.connectUplink(team);
    t.same(told(sw).slice(-S8_UP.length), S8_UP);
  },
);
