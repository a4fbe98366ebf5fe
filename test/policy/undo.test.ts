import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface, FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { OidRequest, SwitchContext, Verdict } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store } from '../../src/store/store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { PORT_SETTING } from './open-world.ts';
import { ending, first, KeptStore, openVmWorld, visible } from './vm-world.ts';

/*
 * What a change that fails leaves behind: everything exactly as before. Each of these came up in seeded runs of VMs, hosts,
 * policies and failing stores side by side.
 */

const STANDING: FabricOptions = { behaviour: { validationPorts: 'standing' } };
const onPurpose = new Error('on purpose');

/** Everything `act` does is undone. */
async function undone(
  fabric: FabricInterface,
  act: (world: FabricInterface) => Promise<unknown>,
): Promise<void> {
  try {
    await fabric.atomic(async (world) => {
      await act(world);
      throw onPurpose;
    });
  } catch (error) {
    if (error !== onPurpose) throw error;
  }
}

/** The world in a second process that opens what the store holds. */
async function reopened(store: Store, options: FabricOptions = {}): Promise<string> {
  const copy = new MemoryStore();
  copy.write([...store.range('')].map(([key, value]) => ({ op: 'put', key, value })));
  const extensions = [extensionWith(() => ({}))];
  const fabric = await Fabric.open({ clock: 'manual', extensions, ...options, store: copy });
  const seen = visible(fabric);
  await fabric.close();
  return seen;
}

const adapters = [{ name: 'Up', virtualFunctions: 2 }];

t.test('an undone NIC_UPDATED of a NIC of the host: all values as before (C13, C29)', async (t) => {
  const { fabric, sw } = await openVmWorld();
  await sw.host.connectUplink({ adapters });
  await sw.host.addInternalNic({ name: 'Management' });
  const before = visible(fabric);
  await undone(fabric, async (world) => {
    for (const { id } of world.switches.get('S').ports.list()) {
      const { nics } = world.switches.get('S').ports.get(id);
      await nics.update(0, { mtu: 9000, name: 'Renamed', mac: `02-00-00-00-00-${id.slice(0, 2)}` });
    }
  });
  t.equal(visible(fabric), before);
  await fabric.close();
});

t.test('an undone removal of a property puts it in its place again (E38)', async (t) => {
  const { fabric, sw } = await openVmWorld();
  const port = await sw.ports.create({ name: 'P' });
  const ids: string[] = [];
  for (const value of [1, 2, 3]) {
    ids.push((await port.properties.add(PORT_SETTING, { SettingIntA: value })).id);
  }
  await undone(fabric, (world) =>
    world.switches
      .get('S')
      .ports.get('P')
      .properties.delete(ids[0] ?? ''),
  );
  t.same(
    [...port.properties.list()].map(({ id }) => id),
    ids,
  );
  await fabric.close();
});

t.test('standing validation ports are undone to the id each had (OP-19)', async (t) => {
  const { fabric } = await openVmWorld(undefined, STANDING, ['S', 'T']);
  for (const name of ['A', 'B', 'C'])
    await fabric.vms.create({ name, adapters: [{ switch: 'S' }] });
  const before = visible(fabric);
  const acts: Record<string, (world: FabricInterface) => Promise<unknown>> = {
    'another switch': (world) => first(world.vms.get('A')).connect('T'),
    'the same switch': (world) => first(world.vms.get('A')).connect('S'),
    'two moves': async (world) => {
      await first(world.vms.get('A')).connect('T');
      await first(world.vms.get('A')).connect('S');
    },
    'started and saved': async (world) => {
      await world.vms.get('B').start();
      await world.vms.get('A').start();
      await world.vms.get('A').save();
    },
    deleted: (world) => world.vms.get('A').delete(),
    disconnected: (world) => first(world.vms.get('A')).disconnect(),
    'adapter removed': (world) => world.vms.get('A').removeAdapter('Network Adapter'),
  };
  for (const [title, act] of Object.entries(acts)) {
    await undone(fabric, act);
    t.equal(visible(fabric), before, title);
  }
  await fabric.close();
});

t.test('where no validation port stood, none stands after an undo (OP-19, B47)', async (t) => {
  let refusing = false;
  const extension = extensionWith(() => ({
    createPort: ({ isValidationPort }) =>
      refusing && isValidationPort ? NdisStatus.RESOURCES : 'forward',
  }));
  const { fabric, sw } = await openVmWorld([extension], STANDING);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await vm.start();
  refusing = true;
  await vm.stop();
  refusing = false;
  t.same([...sw.ports.list()], [], 'the pass after the stop was refused');
  await undone(fabric, async (world) => {
    await first(world.vms.get('V')).connect('S');
    await world.vms.get('V').start();
    await world.vms.get('V').stop();
    await world.vms.get('V').delete();
  });
  t.same([...sw.ports.list()], []);
  await fabric.close();
});

t.test('a restart gives ids that were kept before those of validation ports (OP-19)', async (t) => {
  const store = new KeptStore();
  const { fabric } = await openVmWorld(undefined, { ...STANDING, store });
  await fabric.vms.create({ name: 'Off', adapters: [{ switch: 'S' }] });
  const vm = await fabric.vms.create({ name: 'On', adapters: [{ switch: 'S' }] });
  await vm.start();
  await fabric.switches.get('S').ports.create({ name: 'P' });
  // Its validation port stands again on the next free id, above the others.
  await first(fabric.vms.get('Off')).connect('S');
  const id = first(vm).info.port?.portId;
  await fabric.close();
  const extensions = [extensionWith(() => ({}))];
  const again = await Fabric.open({ clock: 'manual', extensions, ...STANDING, store });
  t.match(first(again.vms.get('On')).info, { connected: true, port: { portId: id } });
  await again.close();
});

t.test(
  'a NIC refused when it is made anew: the one that was there, with its VF (S4, C23)',
  async (t) => {
    let refusals = 0;
    const extension = extensionWith(() => ({
      createNic: ({ type }) => {
        if (type !== 'synthetic' || refusals === 0) return 'forward';
        refusals -= 1;
        return NdisStatus.DATA_NOT_ACCEPTED;
      },
    }));
    const { fabric, sw } = await openVmWorld([extension]);
    await sw.host.connectUplink({ adapters });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await first(vm).assignVf();
    const before = visible(fabric);
    refusals = 1;
    t.equal(await ending(() => first(vm).connect('S')), 'VETOED');
    t.equal(visible(fabric), before);
    await undone(fabric, (world) => first(world.vms.get('V')).connect('S'));
    t.equal(visible(fabric), before, 'undone');
    await fabric.close();
  },
);

/** A world in which the next external port to be made or NIC to be deleted takes 5 ms; and a store that can fail. */
async function slowWorld() {
  const store = new FailingStore();
  const slow = { isOn: false };
  const later = (context: SwitchContext, request: OidRequest): Verdict => {
    if (!slow.isOn) return 'forward';
    slow.isOn = false;
    context.after(5, () => request.forward());
    return request.pend();
  };
  const extension = extensionWith((context) => ({
    createPort: (_port, request) => later(context, request),
    deleteNic: (_nic, request) => later(context, request),
  }));
  return { ...(await openVmWorld([extension], { store })), store, slow };
}

/** What is queued in the store fails; nothing after it. */
async function failQueued(store: FailingStore): Promise<void> {
  store.failing = true;
  store.holding = false;
  store.release();
  store.failing = false;
  await new Promise((resolve) => setImmediate(resolve));
}

t.test('an uplink whose removal was not stored, when another has its place (C8)', async (t) => {
  const { fabric, sw, store, slow } = await slowWorld();
  await sw.host.connectUplink({ adapters });
  store.holding = true;
  const gone = ending(() => sw.host.disconnectUplink());
  slow.isOn = true;
  const other = ending(() => sw.host.connectUplink({ adapters: [{ name: 'Other' }] }));
  await failQueued(store);
  fabric.clock.advance(5);
  t.equal(await gone, 'STORE_UNAVAILABLE');
  t.equal(await other, 'done');
  t.match(sw.host.uplink, { adapters: [{ name: 'Other' }] });
  t.equal([...sw.ports.list()].length, 1, 'nothing of the old one is left');
  t.equal(await reopened(store), visible(fabric), 'the store holds what is to be seen');
  await fabric.close();
});

t.test('a port whose new name was not stored, when its NIC goes meanwhile (B19)', async (t) => {
  const { fabric, sw, store, slow } = await slowWorld();
  const port = await sw.ports.create({ name: 'P' });
  await port.nics.connect();
  store.holding = true;
  const renamed = ending(() => port.rename('Q'));
  slow.isOn = true;
  const gone = ending(() => port.nics.disconnect(0));
  await failQueued(store);
  fabric.clock.advance(5);
  t.equal(await renamed, 'STORE_UNAVAILABLE');
  t.equal(await gone, 'done');
  t.match(port.info, { name: 'P', nics: [] });
  t.equal(await reopened(store), visible(fabric), 'the store holds what is to be seen');
  await fabric.close();
});

t.test(
  'a validation port whose switch goes too, neither stored: it stands again (OP-19)',
  async (t) => {
    const portsOf = (text: string): string =>
      /"switches":.*(\[\[\{"id".*?\]\])/.exec(text)?.[1] ?? '';
    for (const isSlow of ['deletePort', 'createPort']) {
      const store = new FailingStore();
      const held: OidRequest[] = [];
      const hold = (request: OidRequest): Verdict => {
        if (!store.holding) return 'forward';
        held.push(request);
        return request.pend();
      };
      const extension = extensionWith(() => ({
        [isSlow]: (_: unknown, at: OidRequest) => hold(at),
      }));
      const options = { ...STANDING, store };
      const { fabric, sw } = await openVmWorld([extension], options, ['S', 'T']);
      const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
      const before = portsOf(visible(fabric));
      store.holding = true;
      const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      const changes: Promise<string>[] = [];
      if (isSlow === 'deletePort') {
        // The adapter finds no port of its own any more, and is written first.
        changes.push(ending(() => sw.delete()));
        await turn();
        changes.push(ending(() => first(vm).disconnect()));
      } else {
        // The adapter has gone from the switch, and is written last.
        changes.push(ending(() => first(vm).connect('T')));
        await turn();
        changes.push(ending(() => sw.delete()));
      }
      await turn();
      t.equal(held.length, 1, isSlow);
      for (const request of held) request.forward();
      await turn();
      await failQueued(store);
      t.same(await Promise.all(changes), ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
      t.match(before, '"isValidationPort":true');
      t.equal(portsOf(visible(fabric)), before, isSlow);
      t.equal(
        portsOf(await reopened(store, STANDING)),
        before,
        'the store holds what is to be seen',
      );
      await fabric.close();
    }
  },
);

t.test(
  'two changes of a VM that are not stored, the second under way when the first fails',
  async (t) => {
    const { fabric, store, slow } = await slowWorld();
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const before = visible(fabric);
    store.holding = true;
    const added = ending(() => vm.addAdapter({ name: 'Second' }));
    slow.isOn = true;
    const moved = ending(() => first(vm).connect('S'));
    store.failing = true;
    store.release();
    await new Promise((resolve) => setImmediate(resolve));
    fabric.clock.advance(5);
    await new Promise((resolve) => setImmediate(resolve));
    store.holding = false;
    store.release();
    t.same([await added, await moved], ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
    t.equal(visible(fabric), before);
    t.equal(await reopened(store), before, 'the store holds what is to be seen');
    await fabric.close();
  },
);

t.test('an adapter whose removal was not stored, when the VM without it is (G41)', async (t) => {
  const { fabric, store, slow } = await slowWorld();
  const vm = await fabric.vms.create({
    name: 'V',
    adapters: [{ switch: 'S' }, { name: 'Second' }],
  });
  await vm.adapter('Second').properties.add(PORT_SETTING, { SettingIntA: 1 });
  store.holding = true;
  const removed = ending(() => vm.removeAdapter('Second'));
  slow.isOn = true;
  const moved = ending(() => first(vm).connect('S'));
  await failQueued(store);
  fabric.clock.advance(5);
  t.same([await removed, await moved], ['STORE_UNAVAILABLE', 'done']);
  t.equal(vm.adapters.length, 1, 'the removal stands: the VM was stored without it');
  await new Promise((resolve) => setImmediate(resolve));
  t.same([...store.range('property/')], [], 'and so do its policies');
  t.equal(await reopened(store), visible(fabric), 'the store holds what is to be seen');
  await fabric.close();
});

t.test(
  'an adapter whose removal was not stored, when the VM without it is before that can be undone (G41)',
  async (t) => {
    const store = new FailingStore();
    const held: OidRequest[] = [];
    const slow = { isOn: false };
    const extension = extensionWith(() => ({
      createPort: (_port, request) => {
        if (!slow.isOn) return 'forward';
        held.push(request);
        return request.pend();
      },
    }));
    const { fabric } = await openVmWorld([extension], { store });
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: [{ switch: 'S' }, { name: 'Second' }],
    });
    await vm.adapter('Second').properties.add(PORT_SETTING, { SettingIntA: 1 });
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    store.holding = true;
    const removed = ending(() => vm.removeAdapter('Second'));
    slow.isOn = true;
    const moved = ending(() => first(vm).connect('S'));
    await turn();
    // The undo waits behind this one, which is refused and writes nothing.
    const refused = ending(() => vm.addAdapter({ name: 'Third', switch: 'S' }));
    await failQueued(store);
    t.equal(held.length, 1, 'the extension has the one that is stored');
    held[0]?.forward();
    t.equal(await moved, 'done');
    await turn();
    t.equal(held.length, 2, 'and now the one that it refuses');
    held[1]?.complete(NdisStatus.DATA_NOT_ACCEPTED);
    t.same([await removed, await refused], ['STORE_UNAVAILABLE', 'VETOED']);
    t.equal(vm.adapters.length, 1, 'the removal stands: the VM was stored without it');
    await turn();
    t.same([...store.range('property/')], [], 'and so do its policies');
    t.equal(await reopened(store), visible(fabric), 'the store holds what is to be seen');
    await fabric.close();
  },
);

t.test(
  'a save that is not stored, when the VM as saved is stored by the next change (G19)',
  async (t) => {
    const saving = extensionWith(() => {
      let isSaved = false;
      return {
        saveNic: (state) => {
          if (isSaved) return 'forward';
          isSaved = true;
          return state.save(Uint8Array.of(1, 2, 3));
        },
      };
    });
    const store = new FailingStore();
    const { fabric } = await openVmWorld([saving], { store });
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    store.holding = true;
    const saved = ending(() => vm.save());
    store.failing = true;
    store.holding = false;
    store.release();
    store.failing = false;
    const renamed = ending(() => first(vm).update({ name: 'Renamed' }));
    t.same([await saved, await renamed], ['STORE_UNAVAILABLE', 'done']);
    t.match(vm.info, { state: 'saved', savedRecords: 1 });
    t.equal(await reopened(store), visible(fabric), 'the records are stored as well');
    await fabric.close();
  },
);

t.test(
  'a switch deleted while a VM is made for it: no port of it is believed to stand (B47, OP-19)',
  async (t) => {
    const slow = { isOn: false };
    const extension = extensionWith((context) => ({
      createPort: (_port, request) => {
        if (context.name !== 'T' || !slow.isOn) return 'forward';
        context.after(5, () => request.forward());
        return request.pend();
      },
    }));
    const { fabric, sw } = await openVmWorld([extension], STANDING, ['S', 'T']);
    slow.isOn = true;
    const made = fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }, { switch: 'T' }] });
    t.equal(await ending(() => fabric.switches.get('T').delete()), 'ILLEGAL_TRANSITION B20');
    t.equal(await ending(() => sw.delete()), 'done', 'the validation port on it had its answer');
    fabric.clock.advance(5);
    const vm = await made;
    t.equal(await ending(() => vm.delete()), 'done');
    t.same([...fabric.switches.get('T').ports.list()], []);
    await fabric.close();
  },
);
