import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { VmHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { holder, mofClass, PORT_SETTING, turn } from './open-world.ts';
import {
  contents,
  ending,
  first,
  KeptStore,
  openVmWorld,
  STARTED,
  STOPPED,
  tracer,
  visible,
} from './vm-world.ts';

const FABRIKAM = extensionWith(() => {
  const saved = new Set<number>();
  return {
    saveNic: (state) => {
      if (saved.has(state.portId)) return 'forward';
      saved.add(state.portId);
      return state.save(Uint8Array.of(7));
    },
    restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
  };
});

/** A VM with two adapters on S, the first with a policy; one adapter of the second on nothing. */
async function makeVm(fabric: Fabric, name: string): Promise<VmHandle> {
  const adapters = [
    { switch: 'S', name: 'A' },
    { switch: 'S', name: 'B' },
  ];
  const vm = await fabric.vms.create({ name, adapters });
  await vm.adapter('A').properties.add(PORT_SETTING, { SettingIntA: 1 });
  return vm;
}

t.test('VMs outlive the process in the state they had, with their policies and LMDB', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'extswitch-vms-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { fabric } = await openVmWorld([FABRIKAM], { store: folder });
  for (const name of ['Off', 'Running', 'Paused', 'Saved']) {
    const vm = await makeVm(fabric, name);
    if (name !== 'Off') await vm.start();
    if (name === 'Paused') await vm.pause();
    if (name === 'Saved') await vm.save();
  }
  const vm = fabric.vms.get('Running');
  await vm.adapter('B').update({ vmMac: '02-00-00-00-00-09', numaNode: 2, name: 'C' });
  const before = visible(fabric);
  await fabric.close();
  const again = await Fabric.open({ store: folder, clock: 'manual', extensions: [FABRIKAM] });
  t.equal(visible(again), before, 'port ids too');
  const created = again.trace
    .entries({ oid: 'OID_SWITCH_NIC_CREATE' })
    .map((entry) => again.trace.decode(entry));
  t.same(
    created.map(({ VmFriendlyName, Flags }) => [VmFriendlyName, Flags]),
    [
      ['Running', 0],
      ['Running', 0],
      ['Paused', 0],
      ['Paused', 0],
    ],
    'in order of creation; not the first time in the life of these NICs (C17)',
  );
  t.match(created[1], { NumaNodeId: 2, VMMacAddress: /^020000000009/ });
  const fresh = await again.vms.create({ name: 'New', adapters: [{ switch: 'S' }] });
  const macs = Array.from(again.vms.list(), (one) => one.adapters.map(({ mac }) => mac)).flat();
  t.equal(new Set(macs).size, macs.length, 'no address is handed out twice');
  await fresh.start();
  await again.vms.get('Paused').resume();
  await again.vms.get('Saved').restore();
  t.match(await again.vms.get('Running').stop(), { state: 'off' });
  await again.close();
});

t.test(
  'what is refused at a restart stays configured and is reported; the rest of the VM runs',
  async (t) => {
    const store = new KeptStore();
    const { fabric } = await openVmWorld([FABRIKAM], { store });
    const vm = await makeVm(fabric, 'V');
    await fabric.features.register(mofClass({ name: 'Fabrikam_Other' }));
    const other = await vm.adapter('A').properties.add('Fabrikam_Other');
    await vm.start();
    const kept = contents(store);
    await fabric.close();
    store.write([{ op: 'delete', key: 'feature/setting/0a0a0a0a-0000-4000-8000-000000000001' }]);
    for (const [refusing, expected] of [
      ['PORT_CREATE', ['E61', 'B16', 'B16']],
      ['PORT_PROPERTY_ADD', ['E61', 'E17']],
      ['NIC_CREATE', ['E61', 'C23', 'C23']],
    ] as const) {
      let isRefusing = true;
      const extension = extensionWith(() => ({
        oidRequest: ({ oidName }) =>
          isRefusing && oidName === `OID_SWITCH_${refusing}` ? NdisStatus.RESOURCES : 'forward',
      }));
      const again = await Fabric.open({ store, clock: 'manual', extensions: [extension] });
      const findings = again.events
        .after(0)
        .flatMap(({ type, data, switch: where }) =>
          type === 'finding' ? [[data['rule'], where]] : [],
        );
      t.same(
        findings,
        expected.map((rule) => [rule, 'S']),
        refusing,
      );
      const back = again.vms.get('V');
      t.equal(back.info.state, 'running');
      t.match(back.adapter('A').info, {
        connected: refusing === 'PORT_PROPERTY_ADD',
        switch: { name: 'S' },
      });
      t.same(
        contents(store).map((line) => line.split(' ')[0]),
        kept
          .map((line) => line.split(' ')[0])
          .filter((key) => !key?.startsWith('feature/setting/0a')),
      );
      const [property] = back.adapter('A').properties.list();
      if (refusing === 'PORT_PROPERTY_ADD') {
        t.match(property, { delivered: false });
        isRefusing = false;
        t.match(await back.adapter('A').properties.update(property?.id ?? '', {}), {
          delivered: true,
        });
      } else {
        isRefusing = false;
        t.match(await back.adapter('A').connect('S'), { connected: true }, 'tried again');
      }
      await again.close();
    }
    const last = await Fabric.open({ store, clock: 'manual', extensions: [FABRIKAM] });
    await last.vms.get('V').removeAdapter('A');
    t.same(
      contents(store).filter((line) => line.includes(other.id)),
      [],
      'a policy nobody could be told of goes with its adapter',
    );
    await last.close();
  },
);

const CHANGES: Readonly<
  Record<
    string,
    readonly [before: (vm: VmHandle) => Promise<unknown>, act: (vm: VmHandle) => Promise<unknown>]
  >
> = {
  start: [async () => undefined, (vm) => vm.start()],
  stop: [(vm) => vm.start(), (vm) => vm.stop()],
  pause: [(vm) => vm.start(), (vm) => vm.pause()],
  resume: [(vm) => vm.start().then(() => vm.pause()), (vm) => vm.resume()],
  save: [(vm) => vm.start(), (vm) => vm.save()],
  'stop while paused': [(vm) => vm.start().then(() => vm.pause()), (vm) => vm.stop()],
  restore: [(vm) => vm.start().then(() => vm.save()), (vm) => vm.restore()],
  discard: [(vm) => vm.start().then(() => vm.save()), (vm) => vm.stop()],
  delete: [async () => undefined, (vm) => vm.delete()],
  'add an adapter': [async () => undefined, (vm) => vm.addAdapter({ switch: 'S' })],
  'hot add': [(vm) => vm.start(), (vm) => vm.addAdapter({ switch: 'S' })],
  'remove an adapter': [async () => undefined, (vm) => vm.removeAdapter('A')],
  'hot remove': [(vm) => vm.start(), (vm) => vm.removeAdapter('A')],
  move: [(vm) => vm.start(), (vm) => vm.adapter('A').connect('T')],
  reconnect: [(vm) => vm.start(), (vm) => vm.adapter('A').connect('S')],
  'move while off': [async () => undefined, (vm) => vm.adapter('A').connect('T')],
  disconnect: [(vm) => vm.start(), (vm) => vm.adapter('A').disconnect()],
  'disconnect while off': [async () => undefined, (vm) => vm.adapter('A').disconnect()],
  'first connect': [
    (vm) => vm.start().then(() => vm.adapter('A').disconnect()),
    (vm) => vm.adapter('A').connect('S'),
  ],
  update: [
    (vm) => vm.start(),
    (vm) => vm.adapter('A').update({ mac: '02-00-00-00-00-07', mtu: 1400 }),
  ],
};

for (const validationPorts of ['short', 'standing'] as const) {
  t.test(
    `${validationPorts}: what the store does not take is undone, alone and with others`,
    async (t) => {
      for (const [name, [before, act]] of Object.entries(CHANGES)) {
        const store = new FailingStore();
        const { fabric } = await openVmWorld(
          [FABRIKAM],
          { store, behaviour: { validationPorts } },
          ['S', 'T'],
        );
        const vm = await makeVm(fabric, 'V');
        await before(vm);
        const ids = (text: string): string =>
          validationPorts === 'short' ? text : text.replaceAll(/"portId":\d+/g, '');
        const seen = [ids(visible(fabric)), contents(store)];
        store.failing = true;
        t.equal(await ending(() => act(vm)), 'STORE_UNAVAILABLE', name);
        store.failing = false;
        t.same([ids(visible(fabric)), contents(store)], seen, `${name}: undone`);
        const abandoned = await ending(() =>
          fabric.atomic(async (world) => {
            await act(world.vms.get('V'));
            throw Object.assign(new Error(), { code: 'ABANDONED' });
          }),
        );
        t.equal(abandoned, 'ABANDONED');
        t.same([ids(visible(fabric)), contents(store)], seen, `${name}: undone in a whole`);
        await act(vm);
        await fabric.close();
      }
    },
  );
}

t.test(
  'a creation the store does not take leaves neither VM nor name; in a whole neither',
  async (t) => {
    const store = new FailingStore();
    const { fabric, oids } = await openVmWorld([FABRIKAM], {
      store,
      behaviour: { validationPorts: 'standing' },
    });
    const before = [visible(fabric), contents(store)];
    store.failing = true;
    t.equal(await ending(() => makeVm(fabric, 'V')), 'STORE_UNAVAILABLE');
    t.same(oids(), [
      ...['PORT_CREATE?', 'PORT_CREATE?'],
      ...['PORT_TEARDOWN?', 'PORT_DELETE?', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
    ]);
    store.failing = false;
    t.same([visible(fabric), contents(store)], before);
    await t.rejects(
      fabric.atomic(async (world) => {
        await world.switches.create({ name: 'Z' });
        const vm = await world.vms.create({ name: 'V', adapters: [{ switch: 'Z' }] });
        await vm.start();
        await vm.stop();
        await world.switches.get('Z').delete();
        throw new Error('enough');
      }),
      /enough/,
    );
    t.same([visible(fabric), contents(store)], before);
    await fabric.atomic(async (world) => {
      const vm = await makeVm(world as Fabric, 'V');
      await vm.start();
    });
    t.match(fabric.vms.get('V').info, { state: 'running' });
    await fabric.close();
  },
);

t.test(
  'a failed write of which a later change has made something else is left alone',
  async (t) => {
    const store = new FailingStore();
    const { fabric } = await openVmWorld([FABRIKAM], { store });
    const vm = await makeVm(fabric, 'V');
    store.holding = true;
    store.failing = true;
    const results = Promise.all(
      [vm.start(), vm.pause(), vm.resume()].map((one) => ending(() => one)),
    );
    await turn();
    t.equal(vm.info.state, 'running');
    store.release();
    store.holding = false;
    t.same(await results, ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
    t.equal(vm.info.state, 'off', 'undone one after the other, the latest first');
    store.failing = false;
    t.equal((await vm.start()).state, 'running');
    await fabric.close();
  },
);

t.test('two starts at once: one starts, the other finds it running', async (t) => {
  const { fabric, oids } = await openVmWorld([FABRIKAM]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  oids();
  t.same(await Promise.all([ending(() => vm.start()), ending(() => vm.start())]), [
    'done',
    'ILLEGAL_TRANSITION S2',
  ]);
  t.same(oids(), STARTED);
  await fabric.close();
});

t.test(
  'stop, delete of the switch and policies while a start is held by an extension',
  async (t) => {
    const { held, extension } = holder('OID_SWITCH_NIC_CREATE');
    const { fabric, sw, oids } = await openVmWorld([extension]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    const bystander = await fabric.vms.create({ name: 'W' });
    oids();
    const started = vm.start();
    await turn();
    t.equal(held.length, 1);
    t.equal(vm.info.state, 'off', 'not before it is done');
    t.equal(await ending(() => sw.delete()), 'ILLEGAL_TRANSITION B20');
    const stopped = vm.stop();
    const deleted = vm.delete();
    const late = vm.start();
    t.equal((await bystander.start()).state, 'running', 'another VM goes on meanwhile');
    held.shift()?.forward();
    t.match(await started, { state: 'running' });
    t.match(await stopped, { state: 'off' });
    await deleted;
    t.equal(await ending(() => late), 'NOT_FOUND');
    t.same(oids().slice(0, 7), [...STARTED, ...STOPPED]);
    await fabric.close();
  },
);

t.test('a reset while a start is held ends it; the world is empty', async (t) => {
  const { held, extension } = holder('OID_SWITCH_NIC_CREATE');
  const { fabric } = await openVmWorld([extension]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  const started = ending(() => vm.start());
  const waiting = ending(() => first(vm).disconnect());
  await turn();
  t.equal(held.length, 1);
  await fabric.reset();
  t.equal(await started, 'VETOED');
  t.equal(await waiting, 'NOT_FOUND');
  t.same([...fabric.vms.list()], []);
  await fabric.vms.create({ name: 'V' });
  await fabric.close();
});

t.test('several VMs stop together on a seeded switch: each in its own order', async (t) => {
  for (const seed of ['a', 'b', 'c']) {
    const { fabric } = await openVmWorld([FABRIKAM], { scheduling: 'seeded', seed });
    const vms = await Promise.all(['U', 'V', 'W'].map((name) => makeVm(fabric, name)));
    await Promise.all(vms.map((vm) => vm.start()));
    const oids = tracer(fabric);
    oids();
    await Promise.all(vms.map((vm) => vm.stop()));
    t.equal(oids().filter((oid) => oid === 'PORT_DELETE').length, 6);
    t.same(
      vms.map((vm) => vm.info.state),
      ['off', 'off', 'off'],
    );
    t.same([...fabric.switches.get('S').ports.list()], []);
    await fabric.close();
  }
});

for (const oid of [
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_NIC_CREATE',
  'OID_SWITCH_NIC_CONNECT',
]) {
  t.test(
    `an adapter is disconnected at ${oid} of its return: it comes after the connection (rules B13, C23)`,
    async (t) => {
      const store = new KeptStore();
      const { fabric } = await openVmWorld([FABRIKAM], { store });
      const vm = await makeVm(fabric, 'Running');
      await vm.start();
      await fabric.close();
      const rule = { at: 'oid', extension: 'miniportEdge', oid, nth: 1, effect: 'act' } as const;
      const again = await Fabric.open({
        store,
        clock: 'manual',
        extensions: [FABRIKAM],
        faults: { rules: [{ ...rule, act: 'teardownPort' }] },
      });
      await turn();
      t.same(
        again.events.after(0).filter(({ type }) => type === 'finding'),
        [],
      );
      t.match(
        [...again.vms.get('Running').adapters].map(({ info }) => [
          info.connected,
          info.switch?.name,
        ]),
        [
          [false, undefined],
          [true, 'S'],
        ],
      );
      await again.close();
    },
  );
}
