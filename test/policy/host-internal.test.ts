import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { OidRequest } from '../../src/sdk/extension.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { hostWorld, KeptStore, nicViews, one, portViews, team, told } from './host-world.ts';
import { turn } from './open-world.ts';

const NO_GUID = '00000000-0000-0000-0000-000000000000';
const INTERNAL = ['PORT_CREATE', 'NIC_CREATE 0', 'NIC_CONNECT 0'];

t.test('an internal NIC: type, names, address (S1 step 10, C10, C12-C14, OP-37)', async (t) => {
  const { fabric } = await hostWorld();
  const sw = await fabric.switches.create({ name: 'S', type: 'internal' });
  const port = await sw.host.addInternalNic();
  t.same(told(sw), INTERNAL);
  t.match(port.info, { type: 'internal', name: 'S_Internal' });
  t.match(port.info.nics, [
    { index: 0, type: 'internal', state: 'connected', friendlyName: 'S', mac: /^00-15-5d/ },
  ]);
  const [created] = nicViews(sw, 'NIC_CREATE');
  const [connected] = nicViews(sw, 'NIC_CONNECT');
  t.match(created, { NicType: 3, NicState: 1, NumaNodeId: 0, VmName: '', NicFriendlyName: 'S' });
  t.match(created?.NicName, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/, 'a generated GUID');
  t.same([...(created?.VMMacAddress ?? [])], new Array(32).fill(0), 'C14');
  t.equal(created?.NetCfgInstanceId, NO_GUID, 'C12: not before the adapter has initialised');
  t.not(connected?.NetCfgInstanceId, NO_GUID);
  t.match(portViews(sw, 'PORT_CREATE')[0], { PortType: 4, PortFriendlyName: 'S_Internal' });
  await port.delete();
  t.same(told(sw).slice(3), ['NIC_DISCONNECT 0', 'NIC_DELETE 0', 'PORT_TEARDOWN', 'PORT_DELETE']);
  t.match((await sw.host.addInternalNic({ name: 'Mgmt', mac: '02-00-00-00-00-09' })).info, {
    name: 'Mgmt',
    nics: [{ friendlyName: 'Mgmt', mac: '02-00-00-00-00-09' }],
  });
  await fabric.close();
});

t.test(
  'internal NICs: none on a private switch, one elsewhere, more when allowed (C9, OP-36)',
  async (t) => {
    const { fabric } = await hostWorld();
    const secret = await fabric.switches.create({ name: 'P' });
    await t.rejects(secret.host.addInternalNic(), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C9' },
    });
    t.same(told(secret), []);
    const sw = await fabric.switches.create({ name: 'S', type: 'external' });
    await sw.host.addInternalNic();
    const at = told(sw).length;
    await t.rejects(sw.host.addInternalNic(), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'OP-36' },
    });
    t.equal(told(sw).length, at, 'before the first OID');
    await fabric.close();
    const many = await hostWorld(undefined, { behaviour: { internalNics: 3 } });
    const wide = await many.fabric.switches.create({ name: 'S', managementOs: true });
    const rest = await Promise.all([wide.host.addInternalNic(), wide.host.addInternalNic()]);
    t.same(
      rest.map(({ info }) => info.name),
      ['S_Internal_2', 'S_Internal_3'],
    );
    await t.rejects(wide.host.addInternalNic(), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'OP-36' },
    });
    const macs = [...wide.ports.list()].map(({ nics }) => nics[0]?.mac);
    t.equal(new Set(macs).size, 3);
    await t.rejects(wide.host.addInternalNic({ name: '' }), { code: 'INVALID_ARGUMENT' });
    await t.rejects(wide.host.addInternalNic({ mac: '00-00-00-00-00-00' }), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'mac' },
    });
    await many.fabric.close();
  },
);

t.test('a refused internal NIC leaves nothing', async (t) => {
  for (const veto of ['createPort', 'createNic'] as const) {
    const store = new KeptStore();
    const { fabric, extensions } = await hostWorld(
      { [veto]: () => NdisStatus.DATA_NOT_ACCEPTED },
      { store },
    );
    const sw = await fabric.switches.create({ name: 'S', type: 'internal', extensions });
    const before = store.keys();
    await t.rejects(sw.host.addInternalNic({ mac: '02-00-00-00-00-09' }), { code: 'VETOED' });
    t.same([...sw.ports.list()], []);
    t.same(store.keys(), before);
    const other = await fabric.switches.create({ name: 'T', type: 'internal' });
    t.ok(await other.host.addInternalNic({ mac: '02-00-00-00-00-09' }), 'the address is free');
    await fabric.close();
  }
});

t.test('a switch is made with its uplink and management OS NIC (S1 step 10)', async (t) => {
  const { fabric, extensions } = await hostWorld({});
  const sw = await fabric.switches.create({
    name: 'S',
    extensions,
    uplink: one,
    managementOs: true,
  });
  t.match(sw.info, { type: 'external', portCount: 2, isActive: true });
  t.same(told(sw), [
    ...['PORT_CREATE', 'NIC_CREATE 0', 'NIC_CREATE 1', 'NIC_CONNECT 0', 'NIC_CONNECT 1'],
    ...INTERNAL,
  ]);
  t.equal((await fabric.switches.create({ name: 'I', managementOs: true })).info.type, 'internal');
  t.equal((await fabric.switches.create({ name: 'N', managementOs: false })).info.type, 'private');
  const long = await fabric.switches.create({
    name: `${'x'.repeat(246)}\u{1f40d}12345678`,
    managementOs: true,
  });
  t.equal([...long.ports.list()][0]?.name, `${'x'.repeat(246)}_Internal`, 'no half of a pair');
  await fabric.close();
});

t.test(
  'host connections that a switch type does not have are refused at once (A7, A8, C9)',
  async (t) => {
    const { fabric } = await hostWorld();
    for (const [wish, rule, member] of [
      [{ type: 'private', managementOs: true }, 'C9', 'managementOs'],
      [{ type: 'internal', uplink: one }, 'A7', 'uplink'],
      [{ type: 'private', uplink: one }, 'A7', 'uplink'],
    ] as const) {
      await t.rejects(fabric.switches.create({ name: 'S', ...wish }), {
        code: 'INVALID_ARGUMENT',
        place: { rule, member },
      });
    }
    await t.rejects(fabric.switches.create({ name: 'S', uplink: { adapters: [] } }), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'uplink.adapters' },
    });
    t.same([...fabric.switches.list()], []);
    t.ok(await fabric.switches.create({ name: 'S' }));
    await fabric.close();
  },
);

t.test('a host connection that is refused undoes the whole creation of the switch', async (t) => {
  for (const portId of [1, 2]) {
    const store = new KeptStore();
    const detached: string[] = [];
    const { fabric } = await hostWorld(undefined, { store });
    const extension = extensionWith((sw) => ({
      createPort: (port) => (port.portId === portId ? NdisStatus.DATA_NOT_ACCEPTED : 'forward'),
      detach: () => {
        detached.push(sw.name);
      },
    }));
    await t.rejects(
      fabric.switches.create({
        name: 'S',
        extensions: [extension],
        uplink: team,
        managementOs: true,
      }),
      { code: 'VETOED', place: { oid: 'OID_SWITCH_PORT_CREATE' } },
    );
    t.same(detached, ['S']);
    t.same([...fabric.switches.list()], []);
    t.same(fabric.extensions.list(), [], 'the extension it would have installed');
    t.same(store.keys(), []);
    const entries = fabric.trace.entries().map(({ oid }) => oid);
    const down = entries.filter((oid) => oid.endsWith('PORT_DELETE')).length;
    t.equal(down, portId - 1, 'the uplink is taken away again');
    t.ok(await fabric.switches.create({ name: 'S', uplink: team, managementOs: true }));
    await fabric.close();
  }
});

t.test('an atomic change that fails takes a switch with host ports away', async (t) => {
  const store = new KeptStore();
  const { fabric } = await hostWorld(undefined, { store });
  await t.rejects(
    fabric.atomic(async (world) => {
      const sw = await world.switches.create({ name: 'S', uplink: team, managementOs: true });
      await sw.ports.get('S_Internal').delete();
      throw new Error('undo');
    }),
    /undo/,
  );
  t.same([...fabric.switches.list()], []);
  t.same(store.keys(), []);
  t.ok(await fabric.switches.create({ name: 'S', uplink: team, managementOs: true }));
  await fabric.close();
});

t.test('activation last: host ports come first, the event after them (OP-20, A68)', async (t) => {
  for (const activation of ['first', 'last'] as const) {
    const store = new KeptStore();
    const seen: string[] = [];
    const handlers = extensionWith((sw) => ({
      createPort: (port) => {
        seen.push(`port ${port.portId} ${sw.parameters().isActive}`);
        return 'forward';
      },
      activate: () => {
        seen.push(`activate ${sw.ports().length}`);
      },
    }));
    const behaviour = { activation };
    const { fabric } = await hostWorld(undefined, { store, behaviour });
    const sw = await fabric.switches.create({
      name: 'S',
      extensions: [handlers],
      uplink: one,
      managementOs: true,
    });
    const order = {
      first: ['activate 0', 'port 1 true', 'port 2 true'],
      last: ['port 1 false', 'port 2 false', 'activate 2'],
    };
    t.same(seen, order[activation]);
    t.equal(sw.info.isActive, true);
    await sw.ports.create();
    await fabric.close();
    seen.length = 0;
    const again = await Fabric.open({ clock: 'manual', store, behaviour, extensions: [handlers] });
    t.same(
      seen,
      activation === 'first' ? [...order.first, 'port 3 true'] : [...order.last, 'port 3 true'],
      'the same after a restart; a VM port comes later',
    );
    await again.close();
  }
});

t.test(
  'activation last: who holds OIDs until the event does not stop it (OP-20, A74)',
  async (t) => {
    const store = new KeptStore();
    let active = false;
    let held: OidRequest[] = [];
    const holder = extensionWith(() => ({
      oidRequest: (request) => {
        if (active || request.oidName !== 'OID_SWITCH_PORT_CREATE') return 'forward';
        held.push(request);
        return request.pend();
      },
      activate: () => {
        active = true;
        for (const request of held.splice(0)) request.forward();
      },
    }));
    const behaviour = { activation: 'last' as const };
    const { fabric } = await hostWorld(undefined, { store, behaviour });
    const sw = await fabric.switches.create({
      name: 'S',
      extensions: [holder],
      uplink: team,
      managementOs: true,
    });
    t.equal(sw.info.portCount, 2);
    await fabric.close();
    active = false;
    held = [];
    const again = await Fabric.open({ clock: 'manual', store, behaviour, extensions: [holder] });
    t.equal(again.switches.get('S').info.portCount, 2);
    t.equal(again.switches.get('S').info.isActive, true);
    await turn();
    t.same(again.pending(), []);
    await again.close();
  },
);
