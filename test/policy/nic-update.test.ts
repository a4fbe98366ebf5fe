import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { NicInfo, NicUpdate } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { macText } from '../../switch/parameters.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { hostWorld, KeptStore, nicViews, one, portViews, told } from './host-world.ts';
import { holder, openWorld, turn } from './open-world.ts';

const SECURITY = 'Msvm_EthernetSwitchPortSecuritySettingData';
const MAC = '02-00-00-00-00-01';
const GUEST = '02-00-00-00-00-99';
const mac = (bytes: Uint8Array): string => macText(bytes);

t.test('rename: PORT_UPDATED with the new friendly name and nothing else (B19)', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const before = port.info;
  t.match(await port.rename('R'), { ...before, name: 'R', names: { portFriendlyName: 'R' } });
  t.same(told(sw), ['PORT_CREATE', 'PORT_UPDATED']);
  const [made] = portViews(sw, 'PORT_CREATE');
  const [updated] = portViews(sw, 'PORT_UPDATED');
  t.match(updated, {
    PortFriendlyName: 'R',
    PortName: made?.PortName,
    PortId: made?.PortId,
    PortType: made?.PortType,
    PortState: 1,
    IsValidationPort: false,
  });
  t.equal(sw.ports.get('R').info.id, before.id);
  t.throws(() => sw.ports.get('P'), { code: 'NOT_FOUND' });
  await port.rename('R');
  t.equal(told(sw).length, 2, 'the name it has: nothing to tell');
  const other = await sw.ports.create({ name: 'P' });
  await t.rejects(other.rename('R'), { code: 'ALREADY_EXISTS', place: { rule: 'B2' } });
  await t.rejects(other.rename(''), { code: 'INVALID_ARGUMENT', place: { member: 'name' } });
  await other.delete();
  await t.rejects(other.rename('Q'), { code: 'NOT_FOUND' });
  t.equal(told(sw).filter((line) => line === 'PORT_UPDATED').length, 1);
  await fabric.close();
});

t.test('a name on its way is taken: neither create nor rename gets it (B2)', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_UPDATED');
  const { fabric, sw, port } = await openWorld([extension], { scheduling: 'seeded' });
  const other = await sw.ports.create({ name: 'Q' });
  const first = port.rename('R');
  await turn();
  const second = other.rename('R');
  const third = sw.ports.create({ name: 'R' });
  const both = Promise.allSettled([second, third]);
  while (held.length > 0) {
    held.shift()?.forward();
    await turn();
  }
  await first;
  t.same(
    (await both).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  t.ok(await sw.ports.create({ name: 'P' }), 'the old name is free');
  await fabric.close();
});

t.test('a rename is stored; one whose write fails, or that is undone, is taken back', async (t) => {
  const store = new FailingStore();
  const { fabric, sw, port } = await openWorld([], { store });
  store.failing = true;
  await t.rejects(port.rename('R'), { code: 'STORE_UNAVAILABLE' });
  store.failing = false;
  t.same(told(sw), ['PORT_CREATE', 'PORT_UPDATED', 'PORT_UPDATED']);
  t.equal(sw.ports.get('P').info.name, 'P');
  t.throws(() => sw.ports.get('R'), { code: 'NOT_FOUND' });
  await t.rejects(
    fabric.atomic(async (world) => {
      const inside = world.switches.get('S');
      await inside.ports.get('P').rename('R');
      await inside.ports.create({ name: 'P' });
      throw new Error('undo');
    }),
    /undo/,
  );
  t.same(
    [...sw.ports.list()].map(({ name }) => name),
    ['P'],
  );
  t.ok(await sw.ports.create({ name: 'R' }));
  await fabric.close();
});

t.test(
  'NIC_UPDATED changes name, MTU, NUMA node and addresses, nothing else (C28, C29)',
  async (t) => {
    const { fabric, sw, port } = await openWorld();
    const made = await port.nics.connect({ mac: MAC });
    const info = await port.nics.update(0, { name: 'Front', mtu: 9000, numaNode: 3 });
    t.same(info, { ...made, friendlyName: 'Front', mtu: 9000 });
    const [first] = nicViews(sw, 'NIC_CONNECT');
    const [second] = nicViews(sw, 'NIC_UPDATED');
    t.match(second, {
      NicFriendlyName: 'Front',
      MTU: 9000,
      NumaNodeId: 3,
      NicName: first?.NicName,
      NicType: first?.NicType,
      NicIndex: 0,
      NicState: 2,
      Flags: 0,
    });
    const moved = await port.nics.update(0, { mac: '02-00-00-00-00-02' });
    t.match(moved, { mac: '02-00-00-00-00-02', currentMac: '02-00-00-00-00-02' });
    const third = nicViews(sw, 'NIC_UPDATED')[1];
    t.equal(mac(third?.VMMacAddress ?? new Uint8Array()), '02-00-00-00-00-02', 'the guest follows');
    const other = await sw.ports.create();
    t.ok(await other.nics.connect({ mac: MAC }), 'the old address is free');
    await t.rejects(port.nics.update(0, { mac: MAC }), { code: 'ALREADY_EXISTS' });
    await t.rejects(other.nics.update(0, { mac: moved.mac }), { code: 'ALREADY_EXISTS' });
    await fabric.close();
  },
);

t.test('NIC_UPDATED: what is wrong is refused before the OID (C13, C14, C28)', async (t) => {
  const { fabric } = await hostWorld();
  const sw = await fabric.switches.create({ name: 'S', uplink: one });
  const { nics } = sw.ports.get('S_External');
  const at = told(sw).length;
  const bad: readonly [NicUpdate, object][] = [
    [{ vmMac: GUEST }, { rule: 'C14', member: 'vmMac' }],
    [{ numaNode: 0 }, { rule: 'C13', member: 'numaNode' }],
    [{ mtu: 67 }, { member: 'mtu' }],
    [{ name: '' }, { member: 'name' }],
    [{ mac: 'ff-ff-ff-ff-ff-ff' }, { member: 'mac' }],
  ];
  for (const [change, place] of bad) {
    await t.rejects(nics.update(0, change), { code: 'INVALID_ARGUMENT', place });
  }
  await t.rejects(nics.update(2, { mtu: 1400 }), { code: 'NOT_FOUND' });
  t.equal(told(sw).length, at);
  t.match(await nics.update(1, { mtu: 9000, name: 'Renamed' }), { mtu: 9000 });
  t.equal(sw.host.uplink?.adapters[0]?.name, 'Ethernet', "the adapter's own name stays");
  const vm = await sw.ports.create();
  await vm.nics.connect();
  await t.rejects(vm.nics.update(0, { numaNode: 65_536 }), {
    code: 'INVALID_ARGUMENT',
    place: { member: 'numaNode' },
  });
  await t.rejects(vm.nics.update(0, { vmMac: '01-00-5e-00-00-01' }), {
    code: 'INVALID_ARGUMENT',
    place: { member: 'vmMac' },
  });
  const gone = vm.nics.disconnect(0);
  await gone;
  await t.rejects(vm.nics.update(0, {}), { code: 'NOT_FOUND' });
  await fabric.close();
});

t.test(
  'CurrentMacAddress follows AllowMacSpoofing with a NIC_UPDATED of its own (C15)',
  async (t) => {
    const { fabric, sw, port } = await openWorld();
    await port.nics.connect({ mac: MAC });
    t.match(await port.nics.update(0, { vmMac: GUEST }), { mac: MAC, currentMac: MAC });
    const told15 = (): string[] =>
      nicViews(sw, 'NIC_UPDATED').map(({ CurrentMacAddress }) => mac(CurrentMacAddress));
    const now = (): string | undefined => port.info.nics[0]?.currentMac;
    const property = await port.properties.add(SECURITY, { AllowMacSpoofing: true });
    t.equal(now(), GUEST);
    t.same(told15(), [MAC, GUEST]);
    await port.properties.update(property.id, {
      AllowMacSpoofing: true,
      AllowIeeePriorityTag: true,
    });
    t.equal(told15().length, 2, 'nothing changed: nothing is told');
    await port.properties.update(property.id, {});
    t.equal(now(), MAC);
    await port.properties.update(property.id, { AllowMacSpoofing: true });
    await port.properties.delete(property.id);
    t.equal(now(), MAC);
    t.same(told15(), [MAC, GUEST, MAC, GUEST, MAC]);
    await t.rejects(
      fabric.atomic(async (world) => {
        const inside = world.switches.get('S').ports.get('P');
        const added = await inside.properties.add(SECURITY, { AllowMacSpoofing: true });
        await inside.properties.update(added.id, {});
        await inside.properties.update(added.id, { AllowMacSpoofing: true });
        await inside.properties.delete(added.id);
        throw new Error('undo');
      }),
      /undo/,
    );
    t.equal(now(), MAC, 'undone as well');
    t.equal(told15().at(-1), MAC);
    await fabric.close();
  },
);

t.test(
  'a NIC that connects later, or comes back, has the address its port allows (C15)',
  async (t) => {
    const store = new KeptStore();
    const { fabric, sw, port } = await openWorld([], { store });
    await port.nics.connect({ mac: MAC });
    await port.nics.update(0, { vmMac: GUEST, numaNode: 2 });
    await port.properties.add(SECURITY, { AllowMacSpoofing: true });
    const before = port.info;
    await t.rejects(
      fabric.atomic(async (world) => {
        await world.switches.get('S').ports.get('P').nics.disconnect(0);
        throw new Error('undo');
      }),
      /undo/,
    );
    t.same(port.info, before);
    t.equal(mac(nicViews(sw, 'NIC_CREATE').at(-1)?.CurrentMacAddress ?? new Uint8Array()), GUEST);
    await fabric.close();
    const again = await Fabric.open({ clock: 'manual', store });
    const back = again.switches.get('S');
    t.same(back.ports.get('P').info, before);
    const [created] = nicViews(back, 'NIC_CREATE');
    t.equal(mac(created?.CurrentMacAddress ?? new Uint8Array()), GUEST);
    t.equal(mac(created?.VMMacAddress ?? new Uint8Array()), GUEST);
    t.equal(mac(created?.PermanentMacAddress ?? new Uint8Array()), MAC);
    t.equal(created?.NumaNodeId, 2);
    await again.close();
  },
);

t.test(
  'an update whose write fails, or that is undone, is taken back by NIC_UPDATED',
  async (t) => {
    const store = new FailingStore();
    const { fabric, sw, port } = await openWorld([], { store });
    const before = await port.nics.connect({ mac: MAC });
    store.failing = true;
    const change: NicUpdate = { name: 'X', mtu: 9000, mac: '02-00-00-00-00-07', numaNode: 4 };
    await t.rejects(port.nics.update(0, change), { code: 'STORE_UNAVAILABLE' });
    store.failing = false;
    t.same(port.nics.list(), [before]);
    const last = nicViews(sw, 'NIC_UPDATED').at(-1);
    t.match(last, { MTU: 1500, NumaNodeId: 0, NicFriendlyName: 'Network Adapter' });
    t.equal(mac(last?.PermanentMacAddress ?? new Uint8Array()), MAC);
    await t.rejects(
      fabric.atomic(async (world) => {
        const { nics } = world.switches.get('S').ports.get('P');
        await nics.update(0, change);
        await nics.disconnect(0);
        throw new Error('undo');
      }),
      /undo/,
    );
    t.same(port.nics.list(), [before]);
    const other = await sw.ports.create();
    await t.rejects(other.nics.connect({ mac: MAC }), { code: 'ALREADY_EXISTS' });
    t.ok(await other.nics.connect({ mac: '02-00-00-00-00-07' }));
    await fabric.close();
  },
);

t.test('updates that wait for each other end with the right CurrentMacAddress (C15)', async (t) => {
  const { held, extension } = holder('OID_SWITCH_NIC_UPDATED');
  const { fabric, port } = await openWorld([extension]);
  await port.nics.connect({ mac: MAC });
  const all = Promise.all([
    port.nics.update(0, { vmMac: GUEST }),
    port.properties.add(SECURITY, { AllowMacSpoofing: true }),
    port.nics.update(0, { vmMac: '02-00-00-00-00-55' }),
    port.nics.update(0, { name: 'N' }),
  ]);
  let done = false;
  void all.then(() => {
    done = true;
  });
  for (let i = 0; i < 50 && !done; i += 1) {
    await turn();
    held.shift()?.forward();
  }
  await all;
  t.match(port.info.nics, [{ friendlyName: 'N', currentMac: '02-00-00-00-00-55' }]);
  await fabric.close();
});

t.test(
  'whatever is changed in whatever order, the address in use is the one of rule C15',
  async (t) => {
    const guest = fc.constantFrom('02-00-00-00-00-a1', '02-00-00-00-00-a2');
    const step = fc.oneof(
      fc.record({ vmMac: guest }),
      fc.record({ mac: fc.constantFrom('02-00-00-00-00-b1', '02-00-00-00-00-b2') }),
      fc.record({ spoof: fc.boolean() }),
      fc.record({ restart: fc.constant(true) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const store = new KeptStore();
        let { fabric, port } = await openWorld([], { store });
        await port.nics.connect({ mac: MAC });
        const { id } = await port.properties.add(SECURITY, {});
        let wanted = { permanent: MAC, guest: MAC, spoof: false };
        for (const change of steps) {
          if ('restart' in change) {
            await fabric.close();
            fabric = await Fabric.open({ clock: 'manual', store });
            port = fabric.switches.get('S').ports.get('P');
          } else if ('spoof' in change) {
            await port.properties.update(id, { AllowMacSpoofing: change.spoof });
            wanted = { ...wanted, spoof: change.spoof };
          } else {
            await port.nics.update(0, change);
            const follows = wanted.guest === wanted.permanent;
            if ('vmMac' in change) wanted = { ...wanted, guest: change.vmMac };
            else
              wanted = {
                ...wanted,
                permanent: change.mac,
                guest: follows ? change.mac : wanted.guest,
              };
          }
          const nic = port.nics.list()[0] as NicInfo;
          if (nic.mac !== wanted.permanent) throw new Error(`${nic.mac}: ${wanted.permanent}`);
          const expected = wanted.spoof ? wanted.guest : wanted.permanent;
          if (nic.currentMac !== expected) throw new Error(`${nic.currentMac}: ${expected}`);
        }
        await fabric.close();
      }),
      { numRuns: 60 },
    );
    t.pass('the law holds');
  },
);

t.test(
  'AllowTeaming: the address of a team member of the same VM once the guest failed over (C15)',
  async (t) => {
    const { fabric, sw } = await openWorld();
    const macs = ['02-00-00-00-0a-01', '02-00-00-00-0a-02'] as const;
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: macs.map((address) => ({ switch: 'S', mac: address })),
    });
    await (await fabric.vms.create({ name: 'W', adapters: [{ switch: 'S', mac: MAC }] })).start();
    await vm.start();
    const [first, second] = vm.adapters;
    if (first === undefined || second === undefined) throw new Error('two adapters');
    const now = (): string | undefined => first.port.info.nics[0]?.currentMac;
    await first.update({ vmMac: macs[1] });
    t.equal(now(), macs[0], 'without AllowTeaming');
    const property = await first.properties.add(SECURITY, { AllowTeaming: true });
    t.equal(now(), macs[1], 'failed over');
    await first.update({ vmMac: MAC });
    t.equal(now(), macs[0], 'the address of another VM is no failover');
    await first.update({ vmMac: GUEST });
    t.equal(now(), macs[0], 'nor is one of nobody');
    await first.update({ vmMac: macs[1] });
    await first.properties.update(property.id, {});
    t.equal(now(), macs[0]);
    t.ok(told(sw).length > 0);
    await fabric.close();
  },
);

/** A world whose port P has a stored NIC that an extension refused when it was made again. */
async function withRefusedNic(): Promise<{
  fabric: Fabric;
  store: KeptStore;
  refuse: { on: boolean };
}> {
  const store = new KeptStore();
  const first = await openWorld([], { store });
  await first.port.nics.connect({ mac: MAC });
  const refuse = { on: true };
  const extension = extensionWith(() => ({
    createNic: () => (refuse.on ? NdisStatus.RESOURCES : 'forward'),
  }));
  await first.fabric.extensions.install(extension);
  await first.sw.extensions.change(extension.id, { enabled: true });
  await first.fabric.close();
  const fabric = await Fabric.open({ clock: 'manual', store, extensions: [extension] });
  return { fabric, store, refuse };
}
const storedNics = (store: KeptStore): unknown[] =>
  [...store.range('port/')].flatMap(([, value]) => (value as { nics: { mac: string }[] }).nics);

t.test('a refused NIC is given up by disconnecting it, and kept when that is undone', async (t) => {
  const { fabric, store } = await withRefusedNic();
  const port = fabric.switches.get('S').ports.get('P');
  t.same(port.nics.list(), []);
  await t.rejects(port.nics.update(0, {}), { code: 'NOT_FOUND' });
  await t.rejects(
    fabric.atomic(async (world) => {
      await world.switches.get('S').ports.get('P').nics.disconnect(0);
      throw new Error('undo');
    }),
    /undo/,
  );
  await port.rename('R');
  t.match(storedNics(store), [{ mac: MAC }]);
  await port.nics.disconnect(0);
  t.same(storedNics(store), []);
  await t.rejects(port.nics.disconnect(0), { code: 'NOT_FOUND' });
  await fabric.close();
});

t.test('a refused NIC is replaced by another one, and kept when that one is undone', async (t) => {
  const { fabric, store, refuse } = await withRefusedNic();
  const port = fabric.switches.get('S').ports.get('P');
  await t.rejects(port.nics.connect({ mac: GUEST }), { code: 'VETOED' });
  t.match(storedNics(store), [{ mac: MAC }]);
  refuse.on = false;
  await t.rejects(
    fabric.atomic(async (world) => {
      await world.switches.get('S').ports.get('P').nics.connect({ mac: GUEST });
      throw new Error('undo');
    }),
    /undo/,
  );
  await port.rename('R');
  t.match(storedNics(store), [{ mac: MAC }]);
  await port.nics.connect({ mac: GUEST });
  t.match(storedNics(store), [{ mac: GUEST }]);
  t.equal(storedNics(store).length, 1);
  await port.nics.disconnect(0);
  t.same(storedNics(store), [], 'it does not come back');
  await fabric.close();
});

t.test(
  'a port being deleted has no NICs to change; a new NIC whose write fails goes again',
  async (t) => {
    const store = new FailingStore();
    const { fabric, sw, port } = await openWorld([], { store });
    store.failing = true;
    await t.rejects(port.nics.connect({ mac: MAC }), { code: 'STORE_UNAVAILABLE' });
    store.failing = false;
    t.same(port.nics.list(), []);
    t.same(told(sw), [
      'PORT_CREATE',
      'NIC_CREATE 0',
      'NIC_CONNECT 0',
      'NIC_DISCONNECT 0',
      'NIC_DELETE 0',
    ]);
    t.ok(await port.nics.connect({ mac: MAC }), 'the address is free');
    await port.delete();
    await t.rejects(port.nics.disconnect(0), { code: 'NOT_FOUND' });
    await t.rejects(port.nics.connect(), { code: 'NOT_FOUND' });
    await fabric.close();
  },
);
