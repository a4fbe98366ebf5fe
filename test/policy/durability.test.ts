import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface, PortHandle, SwitchHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';

const PORT_SETTING = 'Fabrikam_PortCustomSettingData';
const SWITCH_SETTING = 'Fabrikam_SwitchCustomSettingData';

/** Remembers what an extension was told, as `verb instance A`. */
function recorder(): { told: string[]; extension: ExtensionDefinition } {
  const told: string[] = [];
  const extension = extensionWith(() => ({
    addPortProperty: (p) => {
      told.push(`add ${p.settings?.['SettingIntA']}`);
      return 'forward';
    },
    updatePortProperty: (p) => {
      told.push(`update ${p.settings?.['SettingIntA']}`);
      return 'forward';
    },
    deletePortProperty: () => {
      told.push('delete');
      return 'forward';
    },
    createPort: (port) => {
      told.push(`port ${port.friendlyName}`);
      return 'forward';
    },
    deletePort: (port) => {
      told.push(`no port ${port.friendlyName}`);
      return 'forward';
    },
    connectNic: (nic) => {
      told.push(`nic ${nic.permanentMacAddress}`);
      return 'forward';
    },
    deleteNic: () => {
      told.push('no nic');
      return 'forward';
    },
    addSwitchProperty: (p) => {
      told.push(`switch add ${p.settings?.['SettingIntA']}`);
      return 'forward';
    },
  }));
  return { told, extension };
}

async function open(
  store: FailingStore | MemoryStore,
  extensions: readonly ExtensionDefinition[],
): Promise<{ fabric: Fabric; sw: SwitchHandle; port: PortHandle }> {
  const fabric = await Fabric.open({ store, clock: 'manual', seed: 'durability', extensions });
  await fabric.features.register(FABRIKAM_MOF);
  const sw = await fabric.switches.create({ name: 'S', extensions });
  const port = await sw.ports.create({ name: 'P' });
  return { fabric, sw, port };
}

/** A memory store that outlives the fabric that closes it. */
class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
}

const keys = (store: FailingStore): string[] =>
  Array.from(store.range(''), ([key]) => key.split('/')[0] ?? '');

const ids = (fabric: FabricInterface): string[] =>
  [...fabric.switches.get('S').ports.get('P').properties.list()].map(
    (p) => `${p.settings['SettingIntA']} r${p.revision}`,
  );

t.test('a property whose write fails is taken back in store, switch and extension', async (t) => {
  const store = new FailingStore();
  const { told, extension } = recorder();
  const { fabric, port } = await open(store, [extension]);
  told.length = 0;
  store.failing = true;
  await t.rejects(port.properties.add(PORT_SETTING, { SettingIntA: 7 }), {
    code: 'STORE_UNAVAILABLE',
  });
  t.same(told, ['add 7', 'delete'], 'the inverse OID told the extension (design 5)');
  t.same(ids(fabric), []);
  t.notOk(keys(store).includes('property'));
  store.failing = false;
  const added = await port.properties.add(PORT_SETTING, { SettingIntA: 8 });
  store.failing = true;
  told.length = 0;
  await t.rejects(port.properties.update(added.id, { SettingIntA: 9 }), {
    code: 'STORE_UNAVAILABLE',
  });
  await t.rejects(port.properties.delete(added.id), { code: 'STORE_UNAVAILABLE' });
  t.same(told, ['update 9', 'update 8', 'delete', 'add 8']);
  t.same(ids(fabric), ['8 r1'], 'value and revision are those before');
  store.failing = false;
  await fabric.close();
});

t.test('writes queued behind a failed one are undone with it, latest first', async (t) => {
  const store = new FailingStore();
  const { told, extension } = recorder();
  const { fabric, port } = await open(store, [extension]);
  const first = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  told.length = 0;
  store.holding = true;
  const changes = [
    port.properties.update(first.id, { SettingIntA: 2 }),
    port.properties.update(first.id, { SettingIntA: 3 }),
    port.properties.add(PORT_SETTING, { SettingIntA: 4 }),
  ];
  const settled = Promise.allSettled(changes);
  await Promise.resolve();
  store.failing = true;
  store.release();
  // Asked before anybody has seen the failure: its own write succeeds, so it stays.
  store.holding = false;
  const late = port.properties.add(PORT_SETTING, { SettingIntA: 5 });
  store.failing = false;
  t.same(
    (await settled).map((outcome) => outcome.status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.equal((await late).settings['SettingIntA'], 5);
  t.same(
    told.filter((line) => line !== 'add 5'),
    ['update 2', 'update 3', 'add 4', 'delete', 'update 2', 'update 1'],
  );
  t.ok(told.includes('add 5'));
  t.same(ids(fabric), ['1 r1', '5 r1']);
  await fabric.close();
});

t.test(
  'an update that waited while an earlier one failed is not overwritten by its undoing',
  async (t) => {
    const store = new FailingStore();
    const told: number[] = [];
    let release = (): void => undefined;
    const { fabric, port } = await open(store, [
      extensionWith(() => ({
        updatePortProperty: (p) => {
          told.push(Number(p.settings?.['SettingIntA']));
          if (p.settings?.['SettingIntA'] !== 3) return 'forward';
          const { request } = p;
          release = () => request.forward();
          return request.pend();
        },
      })),
    ]);
    const added = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    store.holding = true;
    const failing = port.properties.update(added.id, { SettingIntA: 2 });
    const waiting = port.properties.update(added.id, { SettingIntA: 3 });
    const refused = t.rejects(failing, { code: 'STORE_UNAVAILABLE' });
    await Promise.resolve();
    store.failing = true;
    store.release();
    store.failing = false;
    store.holding = false;
    await new Promise((resolve) => setImmediate(resolve));
    release();
    await refused;
    t.equal((await waiting).settings['SettingIntA'], 3);
    t.same(told, [2, 3], 'the extension keeps the value that was stored');
    t.equal(port.properties.get(added.id).settings['SettingIntA'], 3);
    const stored = [...store.range('property/')].map(([, value]) => value);
    t.match(stored, [{ settings: { SettingIntA: 3 } }]);
    await fabric.close();
  },
);

t.test(
  'an update that waited for its turn and is not stored goes back to what was there when it came (E18, E38)',
  async (t) => {
    const store = new FailingStore();
    const told: number[] = [];
    const held: (() => void)[] = [];
    const { fabric, port } = await open(store, [
      extensionWith(() => ({
        updatePortProperty: ({ settings, request }) => {
          told.push(Number(settings?.['SettingIntA']));
          if (told.length > 2) return 'forward';
          held.push(() => request.forward());
          return request.pend();
        },
      })),
    ]);
    const added = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    const stored = port.properties.update(added.id, { SettingIntA: 2 });
    const waiting = port.properties.update(added.id, { SettingIntA: 3 });
    held[0]?.();
    t.equal((await stored).settings['SettingIntA'], 2);
    t.same(told, [2, 3], 'its turn has come');
    store.failing = true;
    held[1]?.();
    await t.rejects(waiting, { code: 'STORE_UNAVAILABLE' });
    t.same(told, [2, 3, 2], 'the extension has what is stored');
    t.same(ids(fabric), ['2 r2']);
    t.match(
      [...store.range('property/')].map(([, value]) => value),
      [{ settings: { SettingIntA: 2 } }],
    );
    store.failing = false;
    await fabric.close();
  },
);

t.test('ports, NICs, switches and features whose write fails leave nothing behind', async (t) => {
  const store = new FailingStore();
  const { told, extension } = recorder();
  const { fabric, sw, port } = await open(store, [extension]);
  await port.properties.add(PORT_SETTING, { SettingIntA: 3 });
  await port.nics.connect({ mac: '00-15-5d-00-00-01' });
  const before = JSON.stringify([sw.info, port.info]);
  told.length = 0;
  store.failing = true;
  const refused = { code: 'STORE_UNAVAILABLE' };
  await t.rejects(sw.ports.create({ name: 'Q' }), refused);
  t.same(told.splice(0), ['port Q', 'no port Q']);
  await t.rejects(port.nics.disconnect(0), refused);
  t.same(told.splice(0), ['no nic', 'nic 00-15-5d-00-00-01']);
  await t.rejects(port.delete(), refused);
  t.same(
    told.splice(0),
    ['no nic', 'no port P', 'port P', 'add 3', 'nic 00-15-5d-00-00-01'],
    'made again as it was (S2)',
  );
  const again = fabric.switches.get('S').ports.get('P');
  t.equal(
    JSON.stringify([fabric.switches.get('S').info, again.info]).replaceAll(
      /"name":"[0-9a-f-]{36}"/g,
      '',
    ),
    before.replaceAll(/"name":"[0-9a-f-]{36}"/g, ''),
  );
  await t.rejects(sw.delete(), refused);
  t.same(ids(fabric), ['3 r1']);
  await t.rejects(fabric.switches.create({ name: 'T' }), refused);
  t.throws(() => fabric.switches.get('T'), { code: 'NOT_FOUND' });
  await t.rejects(fabric.features.delete('Fabrikam_CustomPortData'), refused);
  t.equal(fabric.features.get('Fabrikam_CustomPortData').kind, 'status');
  await t.rejects(
    fabric.switches.get('S').extensions.change(FABRIKAM, { enabled: false }),
    refused,
  );
  t.equal(fabric.switches.get('S').extensions.get(FABRIKAM).running, true);
  store.failing = false;
  await fabric.switches.create({ name: 'T' });
  await fabric.close();
});

t.test(
  'an extension that refuses to take a change back is reported; the change is gone all the same',
  async (t) => {
    const store = new FailingStore();
    const { fabric, port } = await open(store, [
      extensionWith(() => ({ deletePortProperty: () => NdisStatus.DATA_NOT_ACCEPTED })),
    ]);
    store.failing = true;
    await t.rejects(port.properties.add(PORT_SETTING, {}), { code: 'STORE_UNAVAILABLE' });
    t.same(ids(fabric), []);
    const findings = fabric.events.after(0).filter((event) => event.type === 'finding');
    t.equal(findings.length, 1);
    t.match(findings[0]?.data, { rule: 'E17', severity: 'error' });
    store.failing = false;
    await fabric.close();
  },
);

t.test('an atomic change that is refused undoes everything and stores nothing', async (t) => {
  const store = new FailingStore();
  const { told, extension } = recorder();
  const veto = extensionWith(
    () => ({
      addPortProperty: (p) =>
        p.settings?.['SettingIntA'] === 13 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
    }),
    { id: '11111111-2222-4333-8444-555555555555', name: 'Veto', type: 'forward' },
  );
  const { fabric, port } = await open(store, [extension, veto]);
  const kept = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  const before = JSON.stringify([...store.range('')], (_k, v) =>
    typeof v === 'bigint' ? `${v}n` : v,
  );
  told.length = 0;
  await t.rejects(
    fabric.atomic(async (world) => {
      const sw = world.switches.get('S');
      const created = await sw.ports.create({ name: 'New' });
      await created.properties.add(PORT_SETTING, { SettingIntA: 2 });
      await sw.ports.get('P').properties.update(kept.id, { SettingIntA: 3 });
      await sw.ports.get('P').properties.delete(kept.id);
      await created.properties.add(PORT_SETTING, { SettingIntA: 13 });
    }),
    { code: 'VETOED', place: { ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED' } },
  );
  t.same(told, [
    'port New',
    'add 2',
    'update 3',
    'delete',
    'add 13',
    'add 3',
    'update 1',
    'delete',
    'no port New',
  ]);
  t.same(ids(fabric), ['1 r1']);
  t.equal(
    JSON.stringify([...store.range('')], (_k, v) => (typeof v === 'bigint' ? `${v}n` : v)),
    before,
  );
  await fabric.close();
});

t.test(
  'changes outside wait for an atomic one, and its world is of no use afterwards',
  async (t) => {
    const store = new MemoryStore();
    const { fabric, port } = await open(store, []);
    let finish = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let inside: FabricInterface | undefined;
    const atomic = fabric.atomic(async (world) => {
      inside = world;
      await world.switches.get('S').ports.get('P').properties.add(PORT_SETTING, { SettingIntA: 1 });
      await gate;
    });
    let outsideDone = false;
    const outside = port.properties.add(PORT_SETTING, { SettingIntA: 2 }).then(() => {
      outsideDone = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(outsideDone, false);
    finish();
    await atomic;
    await outside;
    t.same(ids(fabric), ['1 r1', '2 r1']);
    await t.rejects(
      (inside as FabricInterface).switches.get('S').ports.get('P').properties.add(PORT_SETTING, {}),
      { code: 'ILLEGAL_TRANSITION' },
    );
    await fabric.close();
  },
);

t.test(
  'opening a store with something in it tells the extensions everything in the canonical order (E20, S1, S2)',
  async (t) => {
    const keep = new KeptStore();
    const first = recorder();
    const { fabric, sw, port } = await open(keep, [first.extension]);
    await sw.properties.add(SWITCH_SETTING, { SettingIntA: 50 });
    const second = await sw.ports.create({ name: 'Q' });
    const a = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    await port.properties.add(PORT_SETTING, { SettingIntA: 2 });
    await second.properties.add(PORT_SETTING, { SettingIntA: 3 });
    await port.properties.update(a.id, { SettingIntA: 4, SettingIntB: '18446744073709551615' });
    await port.nics.connect({ mac: '00-15-5d-00-00-02', name: 'Adapter', mtu: 9000 });
    const before = { sw: sw.info, p: port.info, q: second.info, a: port.properties.get(a.id) };
    await fabric.close();

    const again = recorder();
    const reopened = await Fabric.open({
      store: keep,
      clock: 'manual',
      extensions: [again.extension],
    });
    t.same(again.told, [
      'switch add 50',
      'port P',
      'add 4',
      'add 2',
      'nic 00-15-5d-00-00-02',
      'port Q',
      'add 3',
    ]);
    const back = reopened.switches.get('S');
    t.same(back.info, before.sw);
    t.same(back.ports.get('P').info, before.p);
    t.same(back.ports.get('Q').info, before.q);
    t.same(back.ports.get('P').properties.get(a.id), before.a);
    t.equal(before.a.settings['SettingIntB'], 18446744073709551615n);
    t.equal(before.a.revision, 2);
    const flagsOf = (fabric: Fabric): number[] =>
      fabric.trace.entries({ oid: 'OID_SWITCH_NIC_CREATE' }).map((entry) => entry.input[4] ?? 0);
    t.same(flagsOf(reopened), [0], 'NIC_INITIALIZING only the first time in its life (C17)');
    const fresh = await back.ports.create({ name: 'R' });
    t.equal(fresh.info.portId, 3, 'port ids go on after the stored ones (B1)');
    await reopened.close();
  },
);

t.test(
  'a stored property that an extension refuses at restart stays stored and is marked',
  async (t) => {
    const keep = new KeptStore();
    const { fabric, port } = await open(keep, [extensionWith(() => ({}))]);
    const added = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    t.equal(added.delivered, true);
    await fabric.close();
    const refusing = await Fabric.open({
      store: keep,
      clock: 'manual',
      extensions: [extensionWith(() => ({ addPortProperty: () => NdisStatus.DATA_NOT_ACCEPTED }))],
    });
    const property = refusing.switches.get('S').ports.get('P').properties.get(added.id);
    t.equal(property.delivered, false);
    t.equal(refusing.events.after(0).filter((event) => event.type === 'finding').length, 1);
    await refusing.close();
    const accepting = await Fabric.open({
      store: keep,
      clock: 'manual',
      extensions: [extensionWith(() => ({}))],
    });
    t.equal(accepting.switches.get('S').ports.get('P').properties.get(added.id).delivered, true);
    await accepting.close();
  },
);

t.test(
  'an enabled extension that is no longer installed is shown as not running, and stays enabled',
  async (t) => {
    const keep = new KeptStore();
    const { fabric } = await open(keep, [extensionWith(() => ({}))]);
    await fabric.close();
    const without = await Fabric.open({ store: keep, clock: 'manual' });
    t.same(without.switches.get('S').extensions.list(), []);
    await without.close();
    const withIt = await Fabric.open({
      store: keep,
      clock: 'manual',
      extensions: [extensionWith(() => ({}))],
    });
    t.match(withIt.switches.get('S').extensions.get(FABRIKAM), { enabled: true, running: true });
    await withIt.close();
  },
);

t.test(
  'reset empties the world and its store; requests in flight end with REQUEST_ABORTED',
  async (t) => {
    const store = new FailingStore();
    const { fabric, port } = await open(store, [
      extensionWith(() => ({ addPortProperty: (p) => p.request.pend() })),
    ]);
    const waiting = port.properties.add(PORT_SETTING, {});
    t.equal(fabric.pending().length, 1);
    t.match(fabric.pending()[0], {
      oid: 'OID_SWITCH_PORT_PROPERTY_ADD',
      heldBy: FABRIKAM,
      queued: 0,
    });
    const outcome = t.rejects(waiting, {
      code: 'VETOED',
      place: { ndisStatus: 'NDIS_STATUS_REQUEST_ABORTED' },
    });
    await fabric.reset();
    await outcome;
    t.same([...fabric.switches.list()], []);
    t.same([...store.range('')], []);
    t.equal(fabric.extensions.list().length, 1, 'installed extensions stay');
    await fabric.switches.create({ name: 'S' });
    await fabric.close();
  },
);
