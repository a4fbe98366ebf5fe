import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface, FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { PORT_SETTING } from './open-world.ts';
import { contents, ending, first, openVmWorld, visible } from './vm-world.ts';

/*
 * What a change that fails leaves behind, as far as NICs go: virtual functions, what the first NIC_CREATE decides, NICs of paused
 * VMs; and a reset that fails.
 */

const onPurpose = new Error('on purpose');
const adapters = [{ name: 'Up', virtualFunctions: 2 }];
const plain = extensionWith(() => ({}));

async function undone(
  fabric: FabricInterface,
  act: (world: FabricInterface) => Promise<unknown>,
): Promise<void> {
  await t.rejects(
    fabric.atomic(async (world) => {
      await act(world);
      throw onPurpose;
    }),
    onPurpose,
  );
}

/** The world in a second process that opens what the store holds, with the messages of its findings. */
async function reopened(
  store: Store,
  extension: ExtensionDefinition = plain,
  options: FabricOptions = {},
): Promise<{ seen: string; findings: unknown[] }> {
  const copy = new MemoryStore();
  copy.write([...store.range('')].map(([key, value]) => ({ op: 'put', key, value })));
  const fabric = await Fabric.open({
    clock: 'manual',
    extensions: [extension],
    ...options,
    store: copy,
  });
  const seen = visible(fabric);
  const findings = fabric.events.after(0).filter(({ type }) => type === 'finding');
  await fabric.close();
  return { seen, findings };
}

/** A running VM with a virtual function, and a store that can fail. */
async function vfWorld() {
  const store = new FailingStore();
  const { fabric, sw } = await openVmWorld([plain], { store });
  await sw.host.connectUplink({ adapters });
  const vm = await fabric.vms.create({
    name: 'V',
    adapters: [{ switch: 'S' }, { name: 'B', switch: 'S' }],
  });
  await vm.start();
  await first(vm).assignVf();
  return { fabric, sw, vm, store };
}

t.test(
  'an uplink whose removal is undone: VMs have their virtual functions again (S17)',
  async (t) => {
    const { fabric, sw, vm, store } = await vfWorld();
    const before = visible(fabric);
    const stored = contents(store);
    const [nic, lower] = sw.host.uplink?.port.nics ?? [];
    t.ok(nic && lower, 'external NIC and adapter');
    store.failing = true;
    t.equal(await ending(() => sw.host.disconnectUplink()), 'STORE_UNAVAILABLE');
    t.equal(visible(fabric), before, 'the store refused');
    const { nics } = sw.ports.get(sw.host.uplink?.port.id ?? '');
    t.equal(await ending(() => nics.disconnect(1)), 'STORE_UNAVAILABLE');
    t.equal(visible(fabric), before, 'the store refused the removal of the adapter alone');
    store.failing = false;
    await undone(fabric, (world) => world.switches.get('S').host.disconnectUplink());
    t.equal(visible(fabric), before, 'undone');
    await undone(fabric, async (world) => {
      await world.switches.get('S').host.disconnectUplink();
      await first(world.vms.get('V')).disconnect();
      await world.vms.get('V').save();
    });
    t.equal(visible(fabric), before, 'undone with what came after it');
    t.same(contents(store), stored);
    t.equal(sw.host.uplink?.adapters[0]?.virtualFunctionsUsed, 1);
    t.equal(first(vm).info.vfAssigned, true);
    await fabric.close();
  },
);

t.test('a VM that changed and was stored meanwhile keeps to what was stored (S17)', async (t) => {
  const { fabric, sw, vm, store } = await vfWorld();
  store.holding = true;
  const gone = ending(() => sw.host.disconnectUplink());
  await new Promise((resolve) => setImmediate(resolve));
  store.failing = true;
  store.release();
  store.failing = false;
  const renamed = ending(() => first(vm).update({ name: 'Renamed' }));
  store.holding = false;
  store.release();
  t.same([await gone, await renamed], ['STORE_UNAVAILABLE', 'done']);
  const { seen, findings } = await reopened(store);
  t.equal(seen, visible(fabric), 'the store holds what is to be seen');
  t.same(findings, []);
  await fabric.close();
});

t.test('an uplink that has gone is not missed by VMs at a restart (S17, C23, D25)', async (t) => {
  const { fabric, sw, store } = await vfWorld();
  const { seen: withVf } = await reopened(store);
  t.equal(withVf, visible(fabric), 'while it is there the virtual function comes back');
  await sw.host.disconnectUplink();
  const gone = await reopened(store);
  t.same(gone.findings, []);
  t.equal(gone.seen, visible(fabric), 'gone');
  await sw.host.connectUplink({ adapters: [{ name: 'Other', virtualFunctions: 2 }] });
  const other = await reopened(store);
  t.same(other.findings, []);
  t.equal(other.seen, visible(fabric), 'another one has its place');
  await fabric.close();
});

/** An extension that lowers the MTU of new NICs and refuses the NIC of adapter `B` while `refusing`. */
function lowering() {
  const control = { refusing: false, first: [] as boolean[] };
  const extension = extensionWith(() => ({
    createNic: (nic, request) => {
      if (nic.type !== 'synthetic') return 'forward';
      if (control.refusing && nic.friendlyName === 'B') return NdisStatus.DATA_NOT_ACCEPTED;
      // Flags are at byte 4, MTU at byte 2104 of NDIS_SWITCH_NIC_PARAMETERS (ndis-switch-abi.md).
      const view = new DataView(request.bytes.buffer, request.bytes.byteOffset);
      const isFirst = (view.getUint32(4, true) & 1) === 1;
      control.first.push(isFirst);
      if (isFirst) view.setUint32(2104, 1400, true);
      return 'forward';
    },
  }));
  return { control, extension };
}

t.test(
  'a NIC whose creation was undone was never created: the next is its first (C17)',
  async (t) => {
    const { control, extension } = lowering();
    const store = new FailingStore();
    const { fabric } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: [
        { name: 'A', switch: 'S' },
        { name: 'B', switch: 'S' },
      ],
    });
    const before = visible(fabric);
    control.refusing = true;
    t.equal(await ending(() => vm.start()), 'VETOED');
    control.refusing = false;
    store.failing = true;
    t.equal(await ending(() => vm.start()), 'STORE_UNAVAILABLE');
    store.failing = false;
    await undone(fabric, (world) => world.vms.get('V').start());
    t.equal(visible(fabric), before);
    t.equal((await reopened(store, extension)).seen, before);
    // A alone, then both, both, both.
    t.same(control.first.splice(0), [true, true, true, true, true]);
    await vm.start();
    t.same(control.first.splice(0), [true, true]);
    await vm.stop();
    await vm.start();
    t.same(control.first, [false, false]);
    t.same(
      vm.info.adapters.map(({ mtu }) => mtu),
      [1400, 1400],
    );
    await fabric.close();
  },
);

t.test('a NIC removed from a paused VM and given back is suspended (OP-16, OP-39)', async (t) => {
  const behaviour = { suspendOids: true };
  const { fabric } = await openVmWorld([plain], { behaviour });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await vm.start();
  const before = visible(fabric);
  for (const act of [
    async (world: FabricInterface) => world.vms.get('V').removeAdapter('Network Adapter'),
    async (world: FabricInterface) => first(world.vms.get('V')).disconnect(),
  ]) {
    await undone(fabric, async (world) => {
      await world.vms.get('V').pause();
      await act(world);
    });
    t.equal(visible(fabric), before);
  }
  await fabric.close();
});

t.test('a reset that the store refuses leaves the world as it was', async (t) => {
  const { fabric, sw, vm, store } = await vfWorld();
  await sw.properties.list();
  await first(vm).properties.add(PORT_SETTING, { SettingIntA: 7 });
  const before = visible(fabric);
  const stored = contents(store);
  const events = fabric.events.after(0).length;
  store.failing = true;
  t.equal(await ending(() => fabric.reset()), 'STORE_UNAVAILABLE');
  store.failing = false;
  t.equal(visible(fabric), before);
  t.same(contents(store), stored);
  t.ok(fabric.events.after(0).length >= events, 'what has happened is not forgotten');
  t.equal(await ending(() => fabric.vms.get('V').stop()), 'done');
  t.equal(await ending(() => fabric.switches.get('S').ports.create({ name: 'P' })), 'done');
  t.equal((await reopened(store)).seen, visible(fabric));
  await fabric.reset();
  t.same(contents(store), []);
  t.same([[...fabric.vms.list()], [...fabric.switches.list()]], [[], []]);
  await fabric.close();
});
