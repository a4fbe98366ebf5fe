import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricEvent } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionHandlers, Settings } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { Store, StoreOp, StoreValue } from '../../src/store/store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { mofClass, openWorld, PORT_SETTING, SWITCH_SETTING, turn } from './open-world.ts';

/** A memory store that outlives the fabric that closes it. */
class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
}

const findings = (fabric: Fabric): FabricEvent['data'][] =>
  fabric.events.after(0).flatMap(({ type, data }) => (type === 'finding' ? [data] : []));

/** A stored world with a switch property, ports P (NIC, property) and Q, opened again with these handlers. */
async function reopened(
  handlers: ExtensionHandlers,
): Promise<{ fabric: Fabric; store: KeptStore }> {
  const store = new KeptStore();
  const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))], { store });
  await sw.properties.add(SWITCH_SETTING, { SettingIntA: 1 });
  await port.properties.add(PORT_SETTING, { SettingIntA: 2 });
  await port.nics.connect({ mac: '02-00-00-00-00-01' });
  await sw.ports.create({ name: 'Q' });
  await fabric.close();
  const again = await Fabric.open({
    store,
    clock: 'manual',
    extensions: [extensionWith(() => handlers)],
  });
  return { fabric: again, store };
}

const keys = (store: KeptStore, prefix: string): number => [...store.range(prefix)].length;
const refuse = () => NdisStatus.DATA_NOT_ACCEPTED;

t.test('a port that is refused at restart stays stored; the others are there', async (t) => {
  const { fabric, store } = await reopened({
    createPort: (port) => (port.portId === 1 ? NdisStatus.RESOURCES : 'forward'),
  });
  const sw = fabric.switches.get('S');
  t.match(
    [...sw.ports.list()],
    [
      { name: 'Q', portId: 2, state: 'created', problem: undefined },
      { name: 'P', portId: 1, state: 'deleted', problem: /NDIS_STATUS_RESOURCES/, nics: [] },
    ],
  );
  t.same(
    [...sw.ports.keys()],
    [...sw.ports.list()].map(({ id, portId }) => ({ id, portId })),
  );
  t.match(findings(fabric), [
    { rule: 'B16', severity: 'error', message: /port P .*NDIS_STATUS_RESOURCES.*stays stored/ },
  ]);
  t.equal(keys(store, 'port/'), 2);
  const stored = sw.ports.get('P');
  t.equal(sw.ports.get('1').info.id, stored.info.id);
  t.equal(sw.ports.get(stored.info.id).info.portId, 1);
  t.match([...stored.properties.list()], [{ settings: { SettingIntA: 2 }, delivered: false }]);
  // It is not on the switch: nothing of it can be changed, and neither its number nor its name is given away (B1, B2).
  await t.rejects(stored.properties.add(PORT_SETTING), { code: 'ILLEGAL_TRANSITION' });
  await t.rejects(stored.nics.connect(), { code: 'ILLEGAL_TRANSITION', place: { rule: 'B17' } });
  await t.rejects(stored.rename('R'), { code: 'ILLEGAL_TRANSITION', place: { rule: 'B17' } });
  await t.rejects(sw.ports.create({ name: 'P' }), { code: 'ALREADY_EXISTS' });
  t.equal((await sw.ports.create({ name: 'Z' })).info.portId, 3);
  await fabric.close();
  const fine = await Fabric.open({ store, clock: 'manual' });
  const back = fine.switches.get('S').ports.get('P');
  t.match(back.info, { portId: 1, state: 'created', problem: undefined });
  t.equal([...back.properties.list()].length, 1);
  t.match(back.info.nics, [{ mac: '02-00-00-00-00-01', state: 'connected' }]);
  await fine.close();
});

t.test(
  'a port that is refused at restart can be deleted, and comes back when the store fails',
  async (t) => {
    const { fabric, store } = await reopened({
      createPort: (port) => (port.portId === 1 ? NdisStatus.RESOURCES : 'forward'),
    });
    const sw = fabric.switches.get('S');
    await t.rejects(
      fabric.atomic(async (world) => {
        await world.switches.get('S').ports.get('P').delete();
        t.same(
          [...world.switches.get('S').ports.list()].map(({ name }) => name),
          ['Q'],
        );
        throw new Error('undo');
      }),
      /undo/,
    );
    t.same(
      [...sw.ports.list()].map(({ name }) => name),
      ['Q', 'P'],
    );
    await sw.ports.get('P').delete();
    t.equal(keys(store, 'port/'), 1);
    t.equal(keys(store, 'property/'), 1, "the switch's own");
    t.ok(await sw.ports.create({ name: 'P' }));
    await fabric.close();
  },
);

t.test(
  'a NIC and properties that are refused at restart are reported, the port is there',
  async (t) => {
    const { fabric, store } = await reopened({
      createNic: refuse,
      addPortProperty: refuse,
      addSwitchProperty: refuse,
    });
    const sw = fabric.switches.get('S');
    t.same(
      findings(fabric).map(({ rule, severity }) => [rule, severity]),
      [
        ['E17', 'error'],
        ['E17', 'error'],
        ['C23', 'error'],
      ],
    );
    t.same(sw.ports.get('P').nics.list(), []);
    t.match(
      [...sw.properties.list(), ...sw.ports.get('P').properties.list()],
      [
        { delivered: false, settings: { SettingIntA: 1 } },
        { delivered: false, settings: { SettingIntA: 2 } },
      ],
    );
    t.equal(keys(store, 'property/'), 2);
    await fabric.close();
  },
);

t.test(
  'a property that was refused at restart is told as new when it is updated, and goes without an OID (E27)',
  async (t) => {
    let refusing = true;
    const told: string[] = [];
    const { fabric, store } = await reopened({
      addPortProperty: (property) => {
        told.push(`add ${property.settings?.['SettingIntA']}`);
        return refusing ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
      },
      deletePortProperty: () => {
        told.push('delete');
        return 'forward';
      },
      deleteSwitchProperty: () => {
        told.push('delete of the switch');
        return 'forward';
      },
      addSwitchProperty: refuse,
    });
    refusing = false;
    const sw = fabric.switches.get('S');
    const { properties } = sw.ports.get('P');
    const [property] = [...properties.list()];
    const id = property?.id ?? '';
    t.match(await properties.update(id, { SettingIntA: 5 }), { delivered: true, revision: 2 });
    t.same(told, ['add 2', 'add 5']);
    const [own] = [...sw.properties.list()];
    await sw.properties.delete(own?.id ?? '');
    t.same(told, ['add 2', 'add 5'], 'nobody holds it');
    t.equal(keys(store, 'property/'), 1);
    await fabric.close();
  },
);

t.test(
  'the update of a refused property whose write fails leaves it refused and unknown',
  async (t) => {
    const records: StoreOp[] = [];
    const store = new FailingStore();
    const source = new KeptStore();
    const made = await openWorld([extensionWith(() => ({}))], { store: source });
    await made.port.properties.add(PORT_SETTING, { SettingIntA: 1 });
    await made.fabric.close();
    for (const [key, value] of source.range('')) records.push({ op: 'put', key, value });
    store.inner.write(records);
    const told: string[] = [];
    let refusing = true;
    const fabric = await Fabric.open({
      store,
      clock: 'manual',
      extensions: [
        extensionWith(() => ({
          addPortProperty: () => {
            told.push('add');
            return refusing ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
          },
          deletePortProperty: () => {
            told.push('delete');
            return 'forward';
          },
        })),
      ],
    });
    refusing = false;
    const { properties } = fabric.switches.get('S').ports.get('P');
    const [before] = [...properties.list()];
    t.match(before, { delivered: false, revision: 1 });
    store.failing = true;
    await t.rejects(properties.update(before?.id ?? '', { SettingIntA: 2 }), {
      code: 'STORE_UNAVAILABLE',
    });
    t.same(told, ['add', 'add', 'delete'], 'told as new, taken back as a whole');
    t.same([...properties.list()], [before]);
    store.failing = false;
    await fabric.close();
  },
);

t.test(
  'an extension that comes with a newer class reads stored values by it; what does not fit stays stored',
  async (t) => {
    const store = new KeptStore();
    const { fabric, port } = await openWorld([extensionWith(() => ({}))], { store });
    await fabric.features.register(mofClass({}));
    const small = await port.properties.add('Fabrikam_Test', { A: 7 });
    const large = await port.properties.add('Fabrikam_Test', { A: 300 });
    await fabric.close();
    // As the next version of the product's MOF would leave it: other members, version 1.1.
    const next = await Fabric.open({ clock: 'manual', seed: 'next' });
    await next.features.register(
      mofClass(
        { version: '1.1' },
        '[WmiDataId(1), MaxValue(100)] uint32 A; [WmiDataId(2)] string B = "new";',
      ),
    );
    const feature = next.features.classOf('Fabrikam_Test');
    await next.close();
    store.write([
      {
        op: 'put',
        key: `feature/setting/${feature.id}`,
        value: { feature, uint16: 'native' } as unknown as StoreValue,
      },
    ]);
    const told: Settings[] = [];
    const again = await Fabric.open({
      store,
      clock: 'manual',
      extensions: [
        extensionWith(() => ({
          addPortProperty: (property) => {
            told.push(property.settings as Settings);
            return 'forward';
          },
        })),
      ],
    });
    t.same(told, [{ A: 7, B: 'new' }]);
    t.match(again.switches.get('S').ports.get('P').properties.get(small.id), { version: 0x0101 });
    t.match(findings(again), [
      { rule: 'E61', message: new RegExp(`${large.id}.*A.*stays stored`) },
    ]);
    t.equal(keys(store, 'property/'), 2);
    await again.close();
  },
);

t.test(
  'a store that throws something of its own: STORE_UNAVAILABLE with the cause, and undone',
  async (t) => {
    const inner = new KeptStore();
    const disk = new Error('disk on fire');
    let broken: 'no' | 'throws' | 'rejects' = 'no';
    const store: Store = {
      description: 'odd',
      get: (key) => inner.get(key),
      range: (prefix) => inner.range(prefix),
      write: (ops) => {
        if (broken === 'throws') throw disk;
        if (broken === 'rejects') return Promise.reject(disk);
        inner.write(ops);
        return Promise.resolve();
      },
      close: async () => undefined,
    };
    const { fabric, port } = await openWorld([extensionWith(() => ({}))], { store });
    for (const how of ['throws', 'rejects'] as const) {
      broken = how;
      const error = { code: 'STORE_UNAVAILABLE', message: /disk on fire/, cause: disk };
      await t.rejects(port.properties.add(PORT_SETTING, {}), error, how);
      await t.rejects(
        fabric.atomic((world) => world.switches.create({ name: 'T' })),
        error,
        `atomic, ${how}`,
      );
    }
    broken = 'no';
    t.same([...port.properties.list()], []);
    t.same(
      [...fabric.switches.list()].map(({ name }) => name),
      ['S'],
    );
    await fabric.close();
  },
);

t.test("an extension's log and the switch's findings reach the log of the world", async (t) => {
  const logged: unknown[] = [];
  const { fabric, port } = await openWorld(
    [
      extensionWith((sw) => ({
        addPortProperty: (property) => {
          sw.log('told', { id: property.propertyInstanceId });
          throw new Error('handler');
        },
      })),
    ],
    { log: (level, message, fields) => logged.push([level, message, fields]) },
  );
  await t.rejects(port.properties.add(PORT_SETTING, {}), { code: 'VETOED' });
  t.match(logged, [
    ['info', 'told', { switch: 'S' }],
    ['warn', /handler/, { switch: 'S', rule: String }],
  ]);
  t.equal(fabric.counters()['findings_total'], 1);
  await fabric.close();
});

t.test(
  'an OID pended at restart keeps the program alive until the world is open, not longer',
  async (t) => {
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const store = new KeptStore();
    const first = await openWorld([extensionWith(() => ({}))], { store });
    await first.fabric.close();
    const before = timers();
    const opening = Fabric.open({
      store,
      extensions: [
        extensionWith((sw) => ({
          createPort: (_port, request) => {
            sw.after(30, () => request.forward());
            sw.after(60_000, () => undefined);
            return request.pend();
          },
        })),
      ],
    });
    await turn();
    t.equal(timers(), before + 1, 'nothing else would keep it alive');
    const fabric = await opening;
    t.equal(timers(), before);
    t.equal(fabric.switches.get('S').ports.get('P').info.state, 'created');
    await fabric.close();
  },
);

for (const oid of [
  'OID_SWITCH_PORT_PROPERTY_ADD',
  'OID_SWITCH_NIC_CREATE',
  'OID_SWITCH_NIC_CONNECT',
]) {
  t.test(
    `a port is deleted at ${oid} of its return: it is gone, and the world opens (rule B13)`,
    async (t) => {
      const store = new KeptStore();
      const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))], { store });
      for (const SettingIntA of [1, 2]) await port.properties.add(PORT_SETTING, { SettingIntA });
      await port.nics.connect({ mac: '02-00-00-00-00-01' });
      await sw.ports.create({ name: 'Q' });
      await fabric.close();
      const rule = { at: 'oid', extension: 'miniportEdge', oid, nth: 1, effect: 'act' } as const;
      const again = await Fabric.open({
        store,
        clock: 'manual',
        extensions: [extensionWith(() => ({}))],
        faults: { rules: [{ ...rule, act: 'teardownPort' }] },
      });
      await turn();
      t.match([...again.switches.get('S').ports.list()], [{ name: 'Q', state: 'created' }]);
      t.same(findings(again), []);
      t.equal(keys(store, 'port/'), 1);
      t.equal(keys(store, 'property/'), 0);
      await again.close();
    },
  );
}
