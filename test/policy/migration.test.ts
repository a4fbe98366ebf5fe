import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import { FABRIKAM } from '../support/fabrikam.ts';
import { having, migrate, openScene, remains } from './migration-fault-world.ts';
import { openHost, openPair, PORT_SETTING, runningVm } from './migration-world.ts';
import { contents, ending, first, type KeptStore } from './vm-world.ts';

t.test(
  'a running VM: the OIDs of S11 and S12 in their order on both hosts (E61, S11, S12, G36-G42, G44, OP-38, OP-39)',
  async (t) => {
    const { a, b } = await openPair({ behaviour: { suspendOids: true } });
    await b.fabric.switches.get('S').ports.create({ name: 'before it' });
    const vm = await runningVm(a);
    const before = having(a);
    const portName = first(vm).port.info.name;
    a.oids();
    b.oids();
    const events = { a: a.fabric.events.lastSeq, b: b.fabric.events.lastSeq };
    const info = await migrate(a, 'b');
    t.match(info, {
      state: 'succeeded',
      restore: { restored: 2, unowned: [] },
      report: { ok: true },
    });
    t.strictSame(a.oids(), [
      'NIC_SUSPENDED_LM_SOURCE_STARTED',
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE',
      'NIC_SAVE_COMPLETE',
      'NIC_SUSPENDED_LM_SOURCE_FINISHED',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    t.strictSame(b.oids(), [
      'PORT_CREATE?',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_ADD',
      'PORT_TEARDOWN?',
      'PORT_DELETE?',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_ADD',
      'NIC_CREATE',
      'NIC_CONNECT',
      'NIC_RESTORE',
      'NIC_RESTORE',
      'NIC_RESTORE_COMPLETE',
    ]);
    t.equal(having(b), before);
    t.equal(first(b.fabric.vms.get('vm')).port.info.name, portName, 'the port has its name (G37)');
    const steps = a.fabric.events
      .after(events.a)
      .filter(({ data }) => data['event'] === 'migrationStep');
    t.strictSame(
      steps.filter(({ data }) => data['state'] === 'succeeded').map(({ data }) => data['step']),
      ['compare', 'validate', 'prepare', 'save', 'release', 'take', 'finish'],
    );
    t.ok(b.fabric.events.after(events.b).some(({ data }) => data['event'] === 'vmArrived'));
    t.equal(await ending(() => vm.start()), 'NOT_FOUND');
    t.throws(() => vm.adapter('x'), { code: 'NOT_FOUND', message: /has moved to host "b"/ });
  },
);

t.test(
  'paused stays paused, saved and off move without NIC OIDs (S9, S12, OP-16, B44)',
  async (t) => {
    for (const state of ['paused', 'saved', 'off'] as const) {
      const { a, b, storeA, storeB } = await openScene();
      const vm = await runningVm(a);
      if (state === 'paused') await vm.pause();
      if (state === 'saved') await vm.save();
      if (state === 'off') await vm.stop();
      const before = having(a);
      const { savedRecords } = vm.info;
      a.oids();
      b.oids();
      t.equal((await migrate(a, 'b')).state, 'succeeded');
      const there = b.fabric.vms.get('vm');
      t.equal(there.info.state, state);
      t.equal(having(b), before);
      t.strictSame(remains(a, storeA), []);
      t.equal(there.info.savedRecords, savedRecords);
      if (state !== 'paused') {
        t.strictSame(a.oids(), []);
        t.strictSame(b.oids(), [
          'PORT_CREATE?',
          'PORT_PROPERTY_ADD',
          'PORT_PROPERTY_ADD',
          'PORT_TEARDOWN?',
          'PORT_DELETE?',
        ]);
      }
      if (state === 'saved') {
        t.equal(savedRecords, 2);
        t.match(await there.restore(), { restored: 2, unowned: [] });
      } else if (state === 'off') await there.start();
      else await there.resume();
      t.equal(there.info.state, 'running');
      t.ok(contents(storeB).some((line) => line.startsWith(`vm/${there.info.id}`)));
    }
  },
);

t.test(
  'what comes while a VM migrates: waits, then is done there or told where it went; one migration at a time (G38)',
  async (t) => {
    const { a, b } = await openPair();
    const vm = await runningVm(a);
    const { properties } = first(vm);
    const [policy] = [...properties.list()];
    if (policy === undefined) throw new Error('no policy');
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    // An update acknowledged before the save travels with it.
    await properties.update(policy.id, { SettingIntA: 7 });
    b.keeper.decide = (oid) =>
      oid === 'NIC_CREATE' ? gate.then(() => 'forward' as const) : undefined;
    const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
    t.equal(
      await ending(() => a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } })),
      'ILLEGAL_TRANSITION G38',
    );
    const late = [properties.update(policy.id, { SettingIntA: 8 }), vm.stop(), vm.delete()].map(
      (one) =>
        one.then(
          () => 'done',
          (error: Error) => error.message,
        ),
    );
    await t.rejects(
      a.fabric.atomic((world) => world.vms.get('vm').pause()),
      { code: 'ILLEGAL_TRANSITION' },
    );
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    t.equal(a.fabric.migrations.get(id).state, 'running');
    t.strictSame(
      [...b.fabric.migrations.arrivals()].map(({ state }) => state),
      ['prepared'],
    );
    t.equal([...b.fabric.vms.list()].length, 0, 'what is prepared is no VM');
    t.equal(await ending(() => b.fabric.switches.get('S').delete()), 'ILLEGAL_TRANSITION B20');
    go();
    t.equal((await a.fabric.migrations.done(id)).state, 'succeeded');
    for (const message of await Promise.all(late)) t.match(message, /VM vm has moved to host "b"/);
    t.match(
      [...first(b.fabric.vms.get('vm')).properties.list()],
      [{ settings: { SettingIntA: 7 }, revision: 2 }, {}],
    );
  },
);

t.test('a change that waited for a migration that failed is done here', async (t) => {
  const { a, b } = await openPair();
  const vm = await runningVm(a);
  b.keeper.decide = (oid) => {
    if (oid !== 'NIC_CREATE') return undefined;
    return new Promise((resolve) => setImmediate(resolve)).then(() => 0xc0000001);
  };
  const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
  const added = await first(vm).properties.add(PORT_SETTING, { SettingIntA: 9 });
  t.match(await a.fabric.migrations.done(id), {
    state: 'failed',
    error: { code: 'VETOED' },
    steps: [
      {},
      {},
      {},
      {},
      {},
      { name: 'take', state: 'failed', oid: 'OID_SWITCH_NIC_CREATE' },
      { name: 'undo', state: 'succeeded' },
    ],
  });
  t.equal(first(vm).properties.get(added.id).delivered, true);
});

t.test(
  'reset and close of either world in the middle, a host that is away for a while',
  async (t) => {
    for (const [side, how] of [
      ['a', 'reset'],
      ['b', 'reset'],
      ['a', 'close'],
      ['b', 'close'],
    ] as const) {
      for (const where of ['PORT_CREATE', 'NIC_CREATE']) {
        const what = `${how} of ${side} at ${where}`;
        const scene = await openScene();
        const { hosts } = scene;
        let { a, b } = scene;
        await runningVm(a);
        const before = having(a).replace(/"data":.*/, '');
        let reached: () => void = () => undefined;
        const isThere = new Promise<void>((resolve) => {
          reached = resolve;
        });
        b.keeper.decide = (oid) => {
          if (oid !== where) return undefined;
          reached();
          return new Promise(() => undefined);
        };
        const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
        await isThere;
        const { fabric } = side === 'a' ? a : b;
        await fabric[how]();
        b.keeper.decide = () => undefined;
        const settle = async (): Promise<void> => {
          for (let turn = 0; turn < 40; turn += 1) {
            await new Promise((resolve) => setImmediate(resolve));
            a.fabric.clock.advance(1000);
            b.fabric.clock.advance(20_000);
          }
        };
        await settle();
        if (how === 'close') {
          if (side === 'b' && where === 'NIC_CREATE') {
            t.match(a.fabric.migrations.get(id), { state: 'running' }, `${what}: undecided`);
            await t.rejects(a.fabric.vms.get('vm').stop(), { message: /host "b" does not answer/ });
          }
          if (side === 'a') a = await openHost(hosts, 'a', { store: scene.storeA });
          else b = await openHost(hosts, 'b', { store: scene.storeB });
          await settle();
        }
        const owners = [a, b].filter(({ fabric: one }) => [...one.vms.list()].length === 1);
        // A reset of the source empties it: the VM is nowhere.
        t.equal(owners.length, side === 'a' && how === 'reset' ? 0 : 1, `${what}: owners`);
        if (owners[0] !== undefined) {
          t.equal(having(owners[0]).replace(/"data":.*/, ''), before, `${what}: whole`);
          t.equal(owners[0], a, `${what}: it stays`);
        }
        if (how === 'close' || side === 'a') {
          t.strictSame(
            [...b.fabric.migrations.arrivals()].map(({ state }) => state),
            ['abandoned'],
            what,
          );
        }
        await a.fabric.close();
        await b.fabric.close();
      }
    }
  },
);

t.test('100 times there and back, and everything is as at the start (G41)', async (t) => {
  const { a, b, storeA, storeB } = await openScene();
  await runningVm(a);
  const before = having(a);
  const keys = (store: KeptStore): string[] =>
    contents(store)
      .filter((line) => /^(vm|property\/vm|saved)\//.test(line))
      .map((line) => line.replace(/"(order|portId)":\d+/g, ''));
  const stored = keys(storeA);
  for (let i = 0; i < 100; i += 1) {
    t.equal((await migrate(a, 'b')).state, 'succeeded');
    t.equal((await migrate(b, 'a')).state, 'succeeded');
  }
  t.equal(having(a), before);
  t.strictSame(keys(storeA), stored);
  t.strictSame(remains(b, storeB), []);
});

t.test(
  'a host with 1,000 VMs is evacuated; data bigger than the first room; what no extension takes there is kept (G7, G26)',
  async (t) => {
    const hosts = new LocalHosts();
    const a = await openHost(hosts, 'a');
    const b = await openHost(hosts, 'b');
    for (let i = 0; i < 1000; i += 1) {
      const vm = await a.fabric.vms.create({ name: `vm${i}`, adapters: [{ switch: 'S' }] });
      await first(vm).properties.add(PORT_SETTING, { SettingIntA: i });
      await vm.start();
    }
    const [vm0, vm1] = [a.fabric.vms.get('vm0'), a.fabric.vms.get('vm1')];
    const big = Uint8Array.from({ length: 70_000 }, (_, at) => at & 255);
    a.keeper.held.set(first(vm0).port.info.portId, [big]);
    a.keeper.held.set(first(vm1).port.info.portId, [Uint8Array.of(1)]);
    const begun = await Promise.all(
      Array.from(a.fabric.vms.list(), ({ id }) =>
        a.fabric.migrations.start({ vm: id, destination: { host: 'b' } }),
      ),
    );
    for (const { id } of begun) t.equal((await a.fabric.migrations.done(id)).state, 'succeeded');
    t.equal(a.fabric.counters()['vms'], 0);
    t.equal(b.fabric.counters()['vms_running'], 1000);
    for (let i = 0; i < 1000; i += 1) {
      t.match(
        [...first(b.fabric.vms.get(`vm${i}`)).properties.list()],
        [{ settings: { SettingIntA: i } }],
      );
    }
    const held = b.keeper.held.get(first(b.fabric.vms.get('vm0')).port.info.portId);
    t.strictSame(held, [big]);
    // Back, to where its extension does not run.
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false });
    const info = await migrate(b, 'a', 'vm1');
    t.match(info.restore, { restored: 0, unowned: [{ extensionId: FABRIKAM, bytes: 1 }] });
    t.equal(a.fabric.vms.get('vm1').info.savedRecords, 1);
    await a.fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: true });
    t.match(
      (await migrate(a, 'b', 'vm1')).restore,
      { restored: 1 },
      'found by its owner on the next host',
    );
  },
);

t.test('names of hosts are unique, one without a directory knows none', async (t) => {
  const { hosts, a } = await openPair();
  await t.rejects(openHost(hosts, 'a'), { code: 'ALREADY_EXISTS' });
  await runningVm(a);
  t.equal(
    await ending(() => a.fabric.migrations.start({ vm: 'vm', destination: { host: 'c' } })),
    'NOT_FOUND',
  );
  t.equal(
    await ending(() => a.fabric.migrations.done('3f2504e0-4f89-41d3-9a0c-0305e82c3301')),
    'NOT_FOUND',
  );
  t.equal(
    await ending(() =>
      a.fabric.atomic((world) => world.migrations.start({ vm: 'vm', destination: { host: 'b' } })),
    ),
    'ILLEGAL_TRANSITION',
  );
});

t.test(
  'a virtual function goes back to the synthetic path before the save, and comes back when the VM stays (G46, S11 step 3)',
  async (t) => {
    for (const refuses of [false, true]) {
      const { a, b } = await openPair();
      await a.fabric.switches
        .get('S')
        .host.connectUplink({ adapters: [{ name: 'eth0', virtualFunctions: 4 }] });
      const vm = await runningVm(a);
      await first(vm).assignVf();
      if (refuses)
        b.keeper.decide = (oid) => (oid === 'NIC_CREATE' ? NdisStatus.RESOURCES : undefined);
      a.oids();
      const info = await migrate(a, 'b');
      const oids = a.oids();
      t.ok(
        oids.indexOf('NIC_UPDATED') >= 0 && oids.indexOf('NIC_UPDATED') < oids.indexOf('NIC_SAVE'),
        oids.join(' '),
      );
      t.ok(oids.indexOf('NIC_REQUEST') < oids.indexOf('NIC_UPDATED'), 'freed before it is told');
      t.equal(info.state, refuses ? 'failed' : 'succeeded');
      const owner = refuses ? a : b;
      t.equal(first(owner.fabric.vms.get('vm')).info.vfAssigned, refuses);
      const [adapter] = a.fabric.switches.get('S').host.uplink?.adapters ?? [];
      t.equal(adapter?.virtualFunctionsUsed, refuses ? 1 : 0);
    }
  },
);

t.test(
  'a save that is refused gives the virtual function back and leaves the NIC connected (G10, G46, S11 step 5)',
  async (t) => {
    const { a, b } = await openPair({ behaviour: { suspendOids: true } });
    await a.fabric.switches
      .get('S')
      .host.connectUplink({ adapters: [{ name: 'eth0', virtualFunctions: 4 }] });
    const vm = await runningVm(a);
    await first(vm).assignVf();
    const before = having(a);
    a.keeper.decide = (oid) => (oid === 'NIC_SAVE' ? NdisStatus.DATA_NOT_ACCEPTED : undefined);
    a.oids();
    t.match(await migrate(a, 'b'), { state: 'failed', error: { code: 'VETOED' } });
    const oids = a.oids();
    t.notOk(oids.includes('NIC_DISCONNECT'));
    t.ok(oids.indexOf('NIC_SUSPENDED_LM_SOURCE_FINISHED') > oids.indexOf('NIC_SAVE!'));
    t.equal(having(a), before);
    t.equal(first(vm).info.vfAssigned, true);
    t.equal(b.fabric.counters()['ports'], 0);
  },
);
