import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { PORT_SETTING } from './open-world.ts';
import {
  contents,
  ending,
  first,
  KeptStore,
  openVmWorld,
  STARTED,
  STOPPED,
  VALIDATED,
  visible,
} from './vm-world.ts';

const onT = (oids: readonly string[]): string[] => oids.map((oid) => `T:${oid}`);

t.test('hot add and hot remove (S4): S2 and S3 for that NIC only', async (t) => {
  const { fabric, sw, oids } = await openVmWorld();
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S', name: 'A' }] });
  await vm.start();
  oids();
  const added = await vm.addAdapter({ switch: 'S', name: 'B' });
  t.same(oids(), STARTED);
  t.match(added.info, { name: 'B', connected: true });
  await added.properties.add(PORT_SETTING);
  t.equal([...sw.ports.list()].length, 2);
  oids();
  await vm.removeAdapter('B');
  t.same(oids(), STOPPED, 'no validation port: the adapter is gone');
  t.same(
    vm.info.adapters.map(({ name }) => name),
    ['A'],
  );
  t.equal(await ending(() => added.connect('S')), 'NOT_FOUND');
  t.equal(await ending(() => added.properties.add(PORT_SETTING)), 'NOT_FOUND');
  t.equal(await ending(() => vm.removeAdapter('B')), 'NOT_FOUND');
  await vm.stop();
  oids();
  await vm.addAdapter({ switch: 'S', name: 'C' });
  t.same(oids(), VALIDATED, 'while it is off: a validation pass');
  await vm.removeAdapter('C');
  t.same(oids(), []);
  await fabric.close();
});

t.test(
  'a move to another switch takes the policies along: S3 1-7 there, S2 2-6 here (S4)',
  async (t) => {
    const { fabric, oids } = await openVmWorld(undefined, {}, ['S', 'T']);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const adapter = first(vm);
    const { id } = await adapter.properties.add(PORT_SETTING, { SettingIntA: 3 });
    await vm.start();
    oids();
    const portName = adapter.info.port?.id;
    t.match(await adapter.connect('T'), { connected: true, switch: { name: 'T' } });
    t.same(oids(), [
      ...STOPPED,
      ...onT(['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT']),
    ]);
    t.equal(adapter.info.port?.id, portName, 'PortName goes with the adapter');
    t.match(adapter.port.properties.get(id).settings, { SettingIntA: 3 });
    t.same([...fabric.switches.get('S').ports.list()], []);
    t.match(await adapter.disconnect(), { connected: false });
    t.same(oids(), onT(STOPPED));
    t.equal(adapter.info.switch, undefined);
    t.equal(await ending(() => adapter.disconnect()), 'ILLEGAL_TRANSITION C30');
    t.equal([...adapter.properties.list()].length, 1);
    await adapter.connect('S');
    t.same(oids(), ['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT']);
    await fabric.close();
  },
);

t.test(
  'a move that the new switch refuses goes back to where it was, port id included (S4, S15)',
  async (t) => {
    const refusing = extensionWith((context) => ({
      createNic: () => (context.name === 'T' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
    }));
    const store = new KeptStore();
    const { fabric, oids } = await openVmWorld([refusing], { store }, ['S', 'T']);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING);
    await vm.start();
    oids();
    const before = [visible(fabric), contents(store)];
    t.equal(await ending(() => first(vm).connect('T')), 'VETOED');
    t.same(oids(), [
      ...STOPPED,
      ...onT(['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE!', 'PORT_TEARDOWN', 'PORT_DELETE']),
      ...['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT'],
    ]);
    t.same([visible(fabric), contents(store)], before);
    await fabric.close();
  },
);

t.test(
  'connecting to the switch it is on makes the NIC anew on the same port (S4, B15, C33, OP-27)',
  async (t) => {
    let refusing = false;
    const extension = extensionWith(() => ({
      createNic: () => (refusing ? NdisStatus.RESOURCES : 'forward'),
    }));
    const { fabric, oids } = await openVmWorld([extension]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING);
    await vm.start();
    oids();
    const port = first(vm).info.port?.portId;
    await first(vm).connect('S');
    t.same(oids(), ['NIC_DISCONNECT', 'NIC_DELETE', 'NIC_CREATE', 'NIC_CONNECT'], 'policies stay');
    t.equal(first(vm).info.port?.portId, port);
    refusing = true;
    t.equal(await ending(() => first(vm).connect('S')), 'VETOED');
    t.same(
      oids(),
      ['NIC_DISCONNECT', 'NIC_DELETE', 'NIC_CREATE!', 'NIC_CREATE!'],
      'the NIC that was there is refused as well',
    );
    t.match(first(vm).info, { connected: false, port: { portId: port, nics: [] } }, 'C23');
    refusing = false;
    t.match(await first(vm).connect('S'), { connected: true, port: { portId: port } });
    t.same(oids(), ['NIC_CREATE', 'NIC_CONNECT']);
    await fabric.close();
  },
);

t.test(
  'while the VM is off a connection is configuration, asked about on a validation port (B47)',
  async (t) => {
    const picky = extensionWith((context) => ({
      addPortProperty: () => (context.name === 'T' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
    }));
    const store = new KeptStore();
    const { fabric, oids } = await openVmWorld([picky], { store }, ['S', 'T']);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{}] });
    const adapter = first(vm);
    await adapter.properties.add(PORT_SETTING);
    t.same(oids(), [], 'no switch, nobody to ask');
    await adapter.connect('S');
    t.same(oids(), ['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?']);
    const before = contents(store);
    t.equal(await ending(() => adapter.connect('T')), 'VETOED');
    t.same(oids(), onT(['PORT_CREATE?', 'PORT_PROPERTY_ADD!', 'PORT_TEARDOWN?', 'PORT_DELETE?']));
    t.equal(adapter.info.switch?.name, 'S');
    t.same(contents(store), before);
    t.equal(await ending(() => adapter.connect('U')), 'NOT_FOUND');
    await fabric.close();
  },
);

t.test(
  'a paused guest binds to no NIC: connecting waits for the resume (C26); disconnecting does not',
  async (t) => {
    const { fabric, oids } = await openVmWorld();
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await vm.pause();
    oids();
    t.equal(await ending(() => first(vm).connect('S')), 'ILLEGAL_TRANSITION C26');
    t.same(oids(), []);
    await first(vm).disconnect();
    t.same(oids(), STOPPED);
    await fabric.close();
  },
);

t.test(
  'an update is NIC_UPDATED with what differs while connected, configuration otherwise (C28, C29, C15)',
  async (t) => {
    const { fabric, sw, oids } = await openVmWorld();
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S', name: 'Lan' }] });
    const adapter = first(vm);
    oids();
    t.match(await adapter.update({ name: 'Wan', mac: '02-00-00-00-00-01' }), {
      name: 'Wan',
      mac: '02-00-00-00-00-01',
      macType: 'static',
    });
    t.same(oids(), [], 'C28: not connected');
    await vm.start();
    oids();
    await adapter.update({ name: 'Wan' });
    t.same(oids(), [], 'nothing differs');
    const { nics } = sw.ports.get(String(adapter.info.port?.portId));
    await nics.update(0, { vmMac: '02-00-00-00-00-02', numaNode: 1, mtu: 9000 });
    t.same(oids(), ['NIC_UPDATED']);
    t.match(adapter.info, { mtu: 9000, port: { nics: [{ currentMac: '02-00-00-00-00-01' }] } });
    await adapter.properties.add('Msvm_EthernetSwitchPortSecuritySettingData', {
      AllowMacSpoofing: true,
    });
    t.same(oids(), ['PORT_PROPERTY_ADD', 'NIC_UPDATED'], 'CurrentMacAddress follows (C15)');
    t.equal(adapter.info.port?.nics[0]?.currentMac, '02-00-00-00-00-02');
    await vm.stop();
    await vm.start();
    t.equal(adapter.info.port?.nics[0]?.currentMac, '02-00-00-00-00-02', 'from the beginning on');
    await adapter.update({ mac: '02-00-00-00-00-03' });
    t.match(adapter.info.port?.nics, [
      { mac: '02-00-00-00-00-03', currentMac: '02-00-00-00-00-02' },
    ]);
    const other = await fabric.vms.create({ name: 'W', adapters: [{ switch: 'S' }] });
    await other.start();
    oids();
    for (const [change, code] of [
      [{ mac: first(other).info.mac }, 'ALREADY_EXISTS'],
      [{ mac: 'ff-ff-ff-ff-ff-ff' }, 'INVALID_ARGUMENT'],
      [{ mtu: 1.5 }, 'INVALID_ARGUMENT'],
      [{ numaNode: -1 }, 'INVALID_ARGUMENT'],
      [{ name: '' }, 'INVALID_ARGUMENT'],
    ] as const) {
      const before = visible(fabric);
      t.equal(await ending(() => adapter.update(change)), code, JSON.stringify(change));
      t.equal(visible(fabric), before);
    }
    t.same(oids(), []);
    await fabric.close();
  },
);

t.test(
  'ports and NICs of a VM come and go with it alone; the error names VM and rule',
  async (t) => {
    const { fabric, sw, oids } = await openVmWorld();
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    oids();
    const { port } = first(vm);
    for (const [call, rule] of [
      [() => port.delete(), 'B20'],
      [() => port.rename('x'), 'B2'],
      [() => port.nics.disconnect(0), 'C30'],
      [() => port.nics.connect(), 'C22'],
    ] as const) {
      const refused = async (): Promise<void> => void (await call());
      await t.rejects(refused, {
        code: 'ILLEGAL_TRANSITION',
        message: /belongs to VM "V"/,
        place: { rule },
      });
    }
    t.equal(await ending(() => port.nics.update(1, { mtu: 1400 })), 'NOT_FOUND');
    t.match(port.nics.list(), [{ index: 0, state: 'connected' }]);
    t.same(oids(), []);
    t.equal([...sw.ports.list()].length, 1);
    await fabric.close();
  },
);

t.test(
  'a switch with running VMs is not deleted (B20); VMs that are off keep it and say so when they start',
  async (t) => {
    for (const validationPorts of ['short', 'standing'] as const) {
      const store = new KeptStore();
      const { fabric, sw, oids } = await openVmWorld(undefined, {
        store,
        behaviour: { validationPorts },
      });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, {}] });
      await vm.start();
      oids();
      await t.rejects(sw.delete(), {
        code: 'ILLEGAL_TRANSITION',
        message: /1 VM\(s\) connected: stop or disconnect "V" first/,
        place: { rule: 'B20' },
      });
      t.same(oids(), []);
      await vm.stop();
      oids();
      await sw.delete();
      t.same(oids(), validationPorts === 'short' ? [] : ['PORT_TEARDOWN?', 'PORT_DELETE?']);
      t.match(first(vm).info.switch, { name: 'S' }, 'the name it had last');
      const before = [visible(fabric), contents(store)];
      const started = await vm.start().catch((error: unknown) => error);
      t.match(started, {
        code: 'ILLEGAL_TRANSITION',
        message: /to connect to switch "S", which no longer exists/,
        place: { member: 'switch' },
      });
      t.same([visible(fabric), contents(store)], before);
      const { id } = await first(vm).properties.add(PORT_SETTING);
      await first(vm).properties.delete(id);
      await first(vm).disconnect();
      t.match(await vm.start(), { state: 'running' });
      await fabric.close();
    }
  },
);

t.test(
  'a virtual function is given and taken back (S2 step 7, S17), lost at a stop, kept across a restart',
  async (t) => {
    const store = new KeptStore();
    const { fabric, sw } = await openVmWorld([], { store });
    await sw.host.connectUplink({ adapters: [{ name: 'eth0', virtualFunctions: 1 }] });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, { switch: 'S' }] });
    const [a, b] = vm.adapters;
    if (a === undefined || b === undefined) throw new Error('two adapters');
    t.equal(await ending(() => a.assignVf()), 'ILLEGAL_TRANSITION C28', 'not connected');
    t.equal(await ending(() => a.removeVf()), 'ILLEGAL_TRANSITION C28');
    await vm.start();
    t.equal((await a.assignVf()).vfAssigned, true);
    t.equal(sw.host.uplink?.adapters[0]?.virtualFunctionsUsed, 1);
    t.equal(await ending(() => b.assignVf()), 'VETOED', 'the adapter has one');
    t.equal((await a.removeVf()).vfAssigned, false);
    t.equal(sw.host.uplink?.adapters[0]?.virtualFunctionsUsed, 0);
    await b.assignVf();
    await t.rejects(
      fabric.atomic(async (world) => {
        await world.vms.get('V').stop();
        throw new Error('back');
      }),
      /back/,
    );
    t.match(vm.info, { state: 'running', adapters: [{ vfAssigned: false }, { vfAssigned: true }] });
    await vm.stop();
    await vm.start();
    t.equal(b.info.vfAssigned, false);
    await b.assignVf();
    const before = visible(fabric);
    await fabric.close();
    const again = await Fabric.open({ store, clock: 'manual' });
    t.equal(visible(again), before);
    await again.close();
  },
);

t.test('a virtual function the hardware does not give: the error says why (C4, D32)', async (t) => {
  const { fabric, sw } = await openVmWorld();
  const uplinks = [
    [
      { team: 'switch', adapters: ['E1', 'E2'].map((name) => ({ name, virtualFunctions: 2 })) },
      { ndisStatus: 'NDIS_STATUS_INVALID_PARAMETER', rule: 'D32' },
      /adapter .* of VM "V" .*team of 2 adapters.*teaming provider extension.*C4, D32/,
    ],
    [
      { adapters: [{ name: 'E1' }] },
      { ndisStatus: 'NDIS_STATUS_NOT_SUPPORTED', rule: undefined },
      /adapter E1 has no virtual functions/,
    ],
    [
      { adapters: [{ name: 'E3', virtualFunctions: 1 }] },
      { ndisStatus: 'NDIS_STATUS_RESOURCES', rule: undefined },
      /all 1 virtual functions of adapter E3 are in use/,
    ],
  ] as const;
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, { switch: 'S' }] });
  await vm.start();
  const [first, second] = vm.adapters;
  for (const [uplink, place, message] of uplinks) {
    await sw.host.connectUplink(uplink);
    if (place.ndisStatus === 'NDIS_STATUS_RESOURCES') await second?.assignVf();
    await t.rejects(async () => first?.assignVf(), { code: 'VETOED', place, message });
    t.equal(first?.info.vfAssigned, false);
    await sw.host.disconnectUplink();
  }
  await fabric.close();
});
