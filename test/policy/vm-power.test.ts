import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { VmHandle } from '../../src/policy/api.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { PORT_SETTING } from './open-world.ts';
import { ending, first, openVmWorld, STARTED, STOPPED, VALIDATED } from './vm-world.ts';

t.test('a VM through start and stop: OIDs in the order of S2 and S3 (OP-19 short)', async (t) => {
  const { fabric, sw, oids } = await openVmWorld();
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  t.same(oids(), VALIDATED, 'B44: created, seen on a validation port');
  t.equal(vm.info.state, 'off');
  t.same([...sw.ports.list()], [], 'the validation port is gone');
  for (const value of [1, 2]) {
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: value });
  }
  t.same(oids(), [
    ...['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
    ...['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
  ]);
  const running = await vm.start();
  t.same(oids(), [
    ...['PORT_CREATE', 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT'],
  ]);
  t.match(running, {
    state: 'running',
    adapters: [{ connected: true, port: { state: 'created' } }],
  });
  t.equal([...sw.ports.list()].length, 1);
  const off = await vm.stop();
  t.same(oids(), [
    ...STOPPED,
    ...['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
  ]);
  t.match(off, { state: 'off', adapters: [{ connected: false }] });
  t.equal(off.adapters[0]?.port, undefined);
  t.same([...sw.ports.list()], []);
  await vm.delete();
  t.same(oids(), []);
  t.throws(() => fabric.vms.get('V'), { code: 'NOT_FOUND' });
  t.match(await ending(() => vm.start()), 'NOT_FOUND');
  await fabric.close();
});

t.test(
  'with several adapters the unconnected ones are left out; the rest goes one by one',
  async (t) => {
    const { fabric, oids } = await openVmWorld();
    const adapters = [{ switch: 'S', name: 'A' }, { name: 'B' }, { switch: 'S', name: 'C' }];
    const vm = await fabric.vms.create({ name: 'V', adapters });
    t.same(oids(), [...VALIDATED, ...VALIDATED]);
    await vm.start();
    t.same(oids(), [...STARTED, ...STARTED]);
    t.same(
      vm.info.adapters.map(({ name, connected }) => [name, connected]),
      [
        ['A', true],
        ['B', false],
        ['C', true],
      ],
    );
    t.throws(() => vm.adapter('B').port, { code: 'NOT_FOUND' });
    await vm.stop();
    t.same(oids(), [...STOPPED, ...VALIDATED, ...STOPPED, ...VALIDATED], 'S3 for each');
    await fabric.close();
  },
);

t.test(
  'a validation port that stands is torn down by the start (S2 step 1, B45, B52, OP-19)',
  async (t) => {
    const { fabric, sw, oids } = await openVmWorld(undefined, {
      behaviour: { validationPorts: 'standing' },
    });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    t.same(oids(), ['PORT_CREATE?']);
    t.match([...sw.ports.list()], [{ isValidationPort: true, nics: [] }]);
    t.equal(first(vm).info.port, undefined, 'it is not the port of the adapter');
    const { properties } = sw.ports.get(String([...sw.ports.list()][0]?.portId));
    const { id } = await properties.add(PORT_SETTING, { SettingIntA: 1 });
    await first(vm).properties.update(id, { SettingIntA: 2 });
    t.same(
      oids(),
      ['PORT_PROPERTY_ADD', 'PORT_PROPERTY_UPDATE'],
      'told where it stands (S5 step 7)',
    );
    await vm.start();
    t.same(oids(), [
      'PORT_TEARDOWN?',
      'PORT_DELETE?',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'NIC_CREATE',
      'NIC_CONNECT',
    ]);
    t.match([...sw.ports.list()], [{ isValidationPort: false, nics: [{ state: 'connected' }] }]);
    await vm.stop();
    t.same(oids(), [...STOPPED, 'PORT_CREATE?', 'PORT_PROPERTY_ADD'], 'S3 step 8: stands');
    await first(vm).properties.delete(id);
    await first(vm).disconnect();
    t.same(oids(), ['PORT_PROPERTY_DELETE', 'PORT_TEARDOWN?', 'PORT_DELETE?']);
    await first(vm).connect('S');
    t.same(oids(), ['PORT_CREATE?']);
    await vm.delete();
    t.same(oids(), ['PORT_TEARDOWN?', 'PORT_DELETE?']);
    await fabric.close();
  },
);

t.test(
  'NIC_INITIALIZING is said once in the life of a synthetic NIC (C17), a lowered MTU stays (C19)',
  async (t) => {
    let lower = true;
    const extension = extensionWith(() => ({
      // MTU is at byte 2104 of NDIS_SWITCH_NIC_PARAMETERS (ndis-switch-abi.md).
      oidRequest: ({ oidName, bytes }) => {
        if (lower && oidName === 'OID_SWITCH_NIC_CREATE') {
          new DataView(bytes.buffer, bytes.byteOffset).setUint32(2104, 1400, true);
        }
        return 'forward';
      },
    }));
    const { fabric } = await openVmWorld([extension]);
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: [
        { switch: 'S', mtu: 1500 },
        { switch: 'S', type: 'emulated' },
      ],
    });
    await vm.start();
    lower = false;
    await vm.stop();
    await vm.start();
    const flags = fabric.trace
      .entries({ oid: 'OID_SWITCH_NIC_CREATE' })
      .map((entry) => fabric.trace.decode(entry)['Flags']);
    t.same(flags, [1, 0, 0, 0]);
    const [synthetic, emulated] = vm.info.adapters;
    t.equal(synthetic?.mtu, 1400);
    t.equal(synthetic?.port?.nics[0]?.mtu, 1400);
    t.equal(emulated?.port?.type, 'emulated');
    await fabric.close();
  },
);

t.test('the NIC of a VM says whose it is (C1, C2, C10, C11, C15; management.md 3.8)', async (t) => {
  const { fabric, sw } = await openVmWorld();
  const mac = '02-00-00-00-00-01';
  const vm = await fabric.vms.create({
    name: 'TestVm',
    adapters: [{ switch: 'S', mac, name: 'Lan' }],
  });
  const { adapters, id } = await vm.start();
  const [adapter] = adapters;
  t.match(adapter, { mac, macType: 'static', type: 'synthetic', mtu: 1500 });
  const port = adapter?.port;
  t.not(port?.id, adapter?.id, 'the port GUID is unrelated to the NIC GUID');
  const [entry] = fabric.trace.entries({ oid: 'OID_SWITCH_NIC_CREATE' });
  t.match(entry === undefined ? undefined : fabric.trace.decode(entry), {
    NicIndex: 0,
    NicType: 'NdisSwitchNicTypeSynthetic',
    NicFriendlyName: 'Lan',
    VmName: id,
    VmFriendlyName: 'TestVm',
    PermanentMacAddress: /^020000000001/,
    CurrentMacAddress: /^020000000001/,
  });
  t.match(adapter?.names, {
    portId: port?.portId,
    portName: port?.id,
    switchName: 'S',
    vmId: id,
    vmName: 'TestVm',
    adapterId: adapter?.id,
    nicFriendlyName: 'Lan',
    instanceId: `Microsoft:${id.toUpperCase()}\\${adapter?.id.toUpperCase()}\\C`,
  });
  t.same(sw.ports.get(String(port?.portId)).info, port, 'one and the same from both sides');
  await fabric.close();
});

t.test('wrong orders are refused, naming the state and the rule; nothing changes', async (t) => {
  const { fabric, oids } = await openVmWorld();
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  oids();
  const wrong = async (verbs: readonly (readonly [keyof VmHandle, string])[]): Promise<void> => {
    for (const [verb, rule] of verbs) {
      const call = vm[verb] as () => Promise<unknown>;
      const before = vm.info;
      await t.rejects(
        call.call(vm),
        {
          code: 'ILLEGAL_TRANSITION',
          message: new RegExp(`VM "V" is ${before.state} .*rule ${rule}`),
          place: { rule, found: before.state },
        },
        `${verb} while ${before.state}`,
      );
      t.same(vm.info, before);
    }
    t.same(oids(), []);
  };
  await wrong([
    ['stop', 'S3'],
    ['pause', 'OP-16'],
    ['resume', 'OP-16'],
    ['save', 'S9'],
    ['restore', 'S10'],
  ]);
  await vm.start();
  oids();
  await wrong([
    ['start', 'S2'],
    ['resume', 'OP-16'],
    ['restore', 'S10'],
    ['delete', 'S3'],
  ]);
  await vm.pause();
  await wrong([
    ['start', 'S2'],
    ['pause', 'OP-16'],
    ['restore', 'S10'],
    ['delete', 'S3'],
    ['addAdapter', 'S4'],
  ]);
  await vm.save();
  oids();
  await wrong([
    ['start', 'S2'],
    ['pause', 'OP-16'],
    ['resume', 'OP-16'],
    ['save', 'S9'],
    ['addAdapter', 'S4'],
  ]);
  t.match(await vm.start().catch(String), /restore it, or stop it to discard its saved state/);
  await fabric.close();
});

t.test(
  'pause keeps the NICs connected (OP-16); the suspend OIDs only where asked for (OP-39)',
  async (t) => {
    for (const suspendOids of [false, true]) {
      const { fabric, oids } = await openVmWorld(undefined, { behaviour: { suspendOids } });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, {}] });
      await vm.start();
      oids();
      t.match(await vm.pause(), { state: 'paused', adapters: [{ connected: true }, {}] });
      t.same(oids(), suspendOids ? ['NIC_SUSPEND'] : []);
      t.equal((await vm.resume()).state, 'running');
      t.same(oids(), suspendOids ? ['NIC_RESUME'] : []);
      await vm.pause();
      t.equal((await vm.stop()).state, 'off', 'a paused VM is turned off as it is');
      await fabric.close();
    }
  },
);

t.test('what a VM is made of is checked before anything is asked', async (t) => {
  const { fabric, oids } = await openVmWorld();
  const create = (options: Parameters<typeof fabric.vms.create>[0]) =>
    ending(() => fabric.vms.create(options));
  const adapters = (...all: readonly object[]) => ({ name: 'V', adapters: all });
  t.equal(await create({ name: '' }), 'INVALID_ARGUMENT');
  t.equal(await create(adapters({ switch: 'T' })), 'NOT_FOUND');
  t.equal(await create(adapters({ mtu: 67 })), 'INVALID_ARGUMENT');
  t.equal(await create(adapters({ mac: '01-00-5e-00-00-01' })), 'INVALID_ARGUMENT');
  t.equal(await create(adapters({ type: 'internal' })), 'INVALID_ARGUMENT C6');
  t.equal(await create(adapters({ name: 'x'.repeat(257) })), 'INVALID_ARGUMENT');
  t.same(oids(), []);
  t.equal(await create(adapters({ switch: 'S' }, { switch: 'T' })), 'NOT_FOUND');
  t.same([...fabric.vms.list()], []);
  const made = fabric.vms.create({ name: 'V' });
  t.equal(await create({ name: 'V' }), 'ALREADY_EXISTS', 'while the first is being made');
  await made;
  t.equal(await create({ name: 'V' }), 'ALREADY_EXISTS');
  t.equal(fabric.vms.get('V').info.id, fabric.vms.get((await made).info.id).info.id);
  t.throws(() => fabric.vms.get('W'), { code: 'NOT_FOUND' });
  t.throws(() => fabric.vms.get('V').adapter('A'), { code: 'NOT_FOUND' });
  await fabric.close();
});

t.test(
  'two VMs with one MAC address: the second one does not start while the first runs',
  async (t) => {
    const { fabric, oids } = await openVmWorld();
    const adapters = [{ switch: 'S', mac: '02-00-00-00-00-01' }];
    const a = await fabric.vms.create({ name: 'A', adapters });
    const b = await fabric.vms.create({ name: 'B', adapters });
    await a.start();
    oids();
    t.match(await b.start().catch(String), /02-00-00-00-00-01 is in use by .*VM .*A/);
    t.same(oids(), []);
    await a.stop();
    t.equal((await b.start()).state, 'running');
    await fabric.close();
  },
);

t.test(
  'a validation pass that is refused after the stop is reported: the VM is off (S3 step 8, B47)',
  async (t) => {
    let refusing = false;
    const extension = extensionWith(() => ({
      createPort: (port) =>
        refusing && port.isValidationPort ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }));
    const { fabric, oids } = await openVmWorld([extension]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    oids();
    refusing = true;
    t.equal((await vm.stop()).state, 'off');
    t.same(oids(), [...STOPPED, 'PORT_CREATE?!']);
    t.match(
      fabric.events.after(0).filter(({ type }) => type === 'finding'),
      [
        {
          data: {
            rule: 'B47',
            severity: 'warning',
            message: /validation port .*NDIS_STATUS_DATA_NOT_ACCEPTED/,
          },
        },
      ],
    );
    await fabric.close();
  },
);
