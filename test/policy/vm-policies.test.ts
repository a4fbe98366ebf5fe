import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { mofClass, PORT_SETTING, SWITCH_SETTING } from './open-world.ts';
import {
  contents,
  ending,
  first,
  KeptStore,
  openVmWorld,
  STARTED,
  STOPPED,
  visible,
} from './vm-world.ts';

const WHOLE = (...policies: string[]): string[] => [
  'PORT_CREATE?',
  ...policies,
  'PORT_TEARDOWN?',
  'PORT_DELETE?',
];
const ADD = 'PORT_PROPERTY_ADD';

/** Refuses values from 100 on. */
const picky = extensionWith(() => {
  const judge = (value: unknown) =>
    Number(value) >= 100 ? NdisStatus.DATA_NOT_ACCEPTED : ('forward' as const);
  return {
    addPortProperty: (property) => judge(property.settings?.['SettingIntA']),
    updatePortProperty: (property) => judge(property.settings?.['SettingIntA']),
  };
});

t.test(
  'policies of a VM that is off: the configuration as it would be is asked about (B46, B47)',
  async (t) => {
    const store = new KeptStore();
    const { fabric, oids } = await openVmWorld([picky], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const { properties } = first(vm);
    oids();
    const one = await properties.add(PORT_SETTING, { SettingIntA: 1 });
    t.match(one, { revision: 1, delivered: false }, 'nobody holds it while no port does');
    t.same(oids(), WHOLE(ADD));
    const two = await properties.add(PORT_SETTING, { SettingIntA: 2 });
    t.same(oids(), WHOLE(ADD, ADD));
    const before = [visible(fabric), contents(store)];
    t.equal(await ending(() => properties.add(PORT_SETTING, { SettingIntA: 100 })), 'VETOED');
    t.same(oids(), WHOLE(ADD, ADD, `${ADD}!`));
    t.equal(await ending(() => properties.update(one.id, { SettingIntA: 100 })), 'VETOED');
    t.same(oids(), WHOLE(`${ADD}!`), 'the first of two');
    t.same([visible(fabric), contents(store)], before);
    t.match(await properties.update(two.id, { SettingIntA: 3 }, { ifRevision: 1 }), {
      revision: 2,
      settings: { SettingIntA: 3 },
    });
    t.same(oids(), WHOLE(ADD, ADD));
    await properties.delete(one.id);
    t.same(oids(), [], 'what is left was asked about already');
    t.same(
      [...properties.list()].map(({ id }) => id),
      [two.id],
    );
    await fabric.close();
  },
);

t.test('what is wrong with a policy is said as for any port', async (t) => {
  const { fabric, oids } = await openVmWorld([picky]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  const { properties } = first(vm);
  const { id } = await properties.add(PORT_SETTING);
  for (const start of [false, true]) {
    if (start) await vm.start();
    oids();
    const none = '00000000-0000-4000-8000-000000000000';
    for (const [call, expected] of [
      [() => properties.add('Nobody'), 'NOT_FOUND'],
      [() => properties.add(SWITCH_SETTING), 'INVALID_ARGUMENT E54'],
      [() => properties.add(PORT_SETTING, { SettingIntA: -1 }), 'SETTINGS_INVALID'],
      [() => properties.add(PORT_SETTING, {}, { id }), 'ALREADY_EXISTS E57'],
      [() => properties.update(none, {}), 'NOT_FOUND'],
      [() => properties.update(id, {}, { ifRevision: 2 }), 'STALE_REVISION'],
      [() => properties.update(id, { SettingIntA: -1 }), 'SETTINGS_INVALID'],
      [() => properties.delete(none), 'NOT_FOUND'],
      [() => properties.delete(id, { ifRevision: 7 }), 'STALE_REVISION'],
    ] as const) {
      t.equal(await ending(call), expected);
    }
    t.throws(() => properties.get(none), {
      code: 'NOT_FOUND',
      message: /network adapter .*VM "V"/,
    });
    t.same(oids(), []);
  }
  await fabric.close();
});

t.test(
  'the adapter and its port show one collection, with the InstanceID of the adapter (management.md 3.8)',
  async (t) => {
    const { fabric, sw, oids } = await openVmWorld([picky]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const adapter = first(vm);
    const { id } = await adapter.properties.add(PORT_SETTING, { SettingIntA: 1 });
    await vm.start();
    oids();
    const port = sw.ports.get(String(adapter.info.port?.portId)).properties;
    t.same([...port.list()], [...adapter.properties.list()]);
    const owner = `${vm.info.id}\\${adapter.info.id}`;
    t.match(port.get(id), {
      delivered: true,
      instanceId: `Microsoft:${`${owner}\\c\\eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb\\${id}`.toUpperCase()}`,
    });
    const added = await port.add(PORT_SETTING, { SettingIntA: 2 });
    await adapter.properties.update(id, { SettingIntA: 3 });
    await port.delete(added.id);
    t.same(oids(), [ADD, 'PORT_PROPERTY_UPDATE', 'PORT_PROPERTY_DELETE'], 'S5');
    t.equal(await ending(() => port.update(id, { SettingIntA: 100 })), 'VETOED');
    t.same(oids(), ['PORT_PROPERTY_UPDATE!']);
    t.match(adapter.properties.get(id), { revision: 2, settings: { SettingIntA: 3 } });
    await vm.stop();
    t.match([...adapter.properties.list()], [{ id, revision: 2, delivered: false }], 'stay');
    await fabric.close();
  },
);

t.test(
  'built-in policies are kept and never shown to extensions (E3), standard ones are',
  async (t) => {
    const { fabric, oids } = await openVmWorld([picky]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const { properties } = first(vm);
    oids();
    await properties.add('Msvm_EthernetSwitchPortAclSettingData');
    t.same(oids(), []);
    await properties.add('Msvm_EthernetSwitchPortVlanSettingData');
    t.equal(
      await ending(() => properties.add('Msvm_EthernetSwitchPortVlanSettingData')),
      'SINGLE_INSTANCE',
    );
    t.same(oids(), WHOLE(ADD));
    await vm.start();
    t.same(oids(), ['PORT_CREATE', ADD, 'NIC_CREATE', 'NIC_CONNECT']);
    await fabric.close();
  },
);

t.test(
  'a class that an adapter uses is neither removed nor upgraded, whatever the VM does',
  async (t) => {
    const { fabric } = await openVmWorld([picky]);
    await fabric.features.register(mofClass({}));
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const { id } = await first(vm).properties.add('Fabrikam_Test');
    const newer = mofClass({ version: '2' });
    for (const start of [false, true]) {
      if (start) await vm.start();
      await t.rejects(fabric.features.delete('Fabrikam_Test'), {
        code: 'FEATURE_IN_USE',
        message: /has 1 instance/,
      });
      t.equal(await ending(() => fabric.features.register(newer)), 'FEATURE_IN_USE');
    }
    t.equal(fabric.counters()['properties'], 1);
    t.equal(fabric.counters()['vms'], 1);
    await first(vm).properties.delete(id);
    await fabric.features.delete('Fabrikam_Test');
    await fabric.close();
  },
);

t.test('policies added while the VM starts wait for their turn and go to its port', async (t) => {
  const { fabric, oids } = await openVmWorld([picky]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  oids();
  const started = vm.start();
  const added = first(vm).properties.add(PORT_SETTING, { SettingIntA: 1 });
  const stopped = vm.stop();
  t.match(await started, { state: 'running' });
  t.match(await added, { revision: 1 });
  await stopped;
  t.same(oids(), [...STARTED, ADD, ...STOPPED, ...WHOLE(ADD)]);
  await fabric.close();
});

t.test(
  'a policy that the store did not take is taken back: off, on a port, on a validation port',
  async (t) => {
    for (const how of ['off', 'running', 'standing'] as const) {
      const store = new FailingStore();
      const { fabric, oids } = await openVmWorld([picky], {
        store,
        behaviour: { validationPorts: how === 'standing' ? 'standing' : 'short' },
      });
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
      const { properties } = first(vm);
      const one = await properties.add(PORT_SETTING, { SettingIntA: 1 });
      const two = await properties.add(PORT_SETTING, { SettingIntA: 2 });
      if (how === 'running') await vm.start();
      oids();
      const before = [visible(fabric), contents(store)];
      const told = how === 'off' ? [] : ['DELETE', 'UPDATE', 'ADD'];
      const undone = (oid: string): string[] =>
        told.includes(oid) ? [`PORT_PROPERTY_${oid}`] : [];
      for (const [call, oid] of [
        [() => properties.add(PORT_SETTING, { SettingIntA: 3 }), 'DELETE'],
        [() => properties.update(one.id, { SettingIntA: 4 }), 'UPDATE'],
        [() => properties.delete(one.id), 'ADD'],
      ] as const) {
        store.failing = true;
        t.equal(await ending(call), 'STORE_UNAVAILABLE');
        t.same(oids().slice(-1), how === 'off' && oid !== 'ADD' ? ['PORT_DELETE?'] : undone(oid));
        t.same([visible(fabric), contents(store)], before, `${how}: undone by ${oid}`);
        store.failing = false;
      }
      t.match(await properties.update(two.id, { SettingIntA: 5 }), { revision: 2 });
      await fabric.close();
    }
  },
);
