import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { holder, mofClass, openWorld, PORT_SETTING, SWITCH_SETTING, turn } from './open-world.ts';

/** A memory store that outlives the fabric that closes it. */
class KeptStore extends MemoryStore {
  override async close(): Promise<void> {
    return undefined;
  }
}

const keysOf = (store: { range(prefix: string): Iterable<readonly [string, unknown]> }): string[] =>
  Array.from(store.range(''), ([key]) => key);

t.test(
  'a handle of a deleted switch changes nothing any more: NOT_FOUND, nothing stored',
  async (t) => {
    const store = new KeptStore();
    const extension = extensionWith(() => ({}));
    const { fabric, sw, port } = await openWorld([extension], { store });
    const classes = keysOf(store).filter((key) => key.startsWith('feature/'));
    await sw.delete();
    const gone = { code: 'NOT_FOUND' };
    await t.rejects(sw.extensions.change('Fabrikam Filter', { enabled: false }), gone);
    await t.rejects(sw.extensions.change('Fabrikam Filter', { enabled: true }), gone);
    await t.rejects(sw.ports.create({ name: 'Q' }), gone);
    await t.rejects(sw.properties.add(SWITCH_SETTING, {}), gone);
    await t.rejects(port.properties.add(PORT_SETTING, {}), gone);
    await t.rejects(port.nics.connect(), gone);
    await t.rejects(port.delete(), gone);
    await t.rejects(sw.status('Fabrikam_CustomSwitchData'), gone);
    await t.rejects(sw.delete(), gone);
    t.same(keysOf(store), classes);
    await fabric.close();
    const again = await Fabric.open({ store, clock: 'manual' });
    t.same([...again.switches.list()], [], 'it does not come back');
    await again.close();
  },
);

t.test('a switch is deleted while one of its ports is being deleted: both go', async (t) => {
  const store = new KeptStore();
  const { held, extension } = holder('OID_SWITCH_PORT_TEARDOWN');
  const { fabric, sw, port } = await openWorld([extension], { store });
  await sw.ports.create({ name: 'Q' });
  const deleted = Promise.all([port.delete(), sw.delete()]);
  await turn();
  t.equal(held.length, 1);
  while (held.length > 0) {
    held.shift()?.forward();
    await turn();
  }
  await deleted;
  t.same(
    keysOf(store).filter((key) => !key.startsWith('feature/')),
    [],
  );
  t.same([...fabric.switches.list()], []);
  await fabric.close();
});

t.test('what is asked of a switch while it is being deleted is refused', async (t) => {
  const store = new KeptStore();
  const { held, extension } = holder('OID_SWITCH_PORT_TEARDOWN');
  const { fabric, sw, port } = await openWorld([extension], { store });
  const deleted = sw.delete();
  await turn();
  const late = Promise.allSettled([
    sw.ports.create({ name: 'Late' }),
    sw.properties.add(SWITCH_SETTING, {}),
    port.properties.add(PORT_SETTING, {}),
  ]);
  await turn();
  held.shift()?.forward();
  await deleted;
  t.same(
    (await late).map((outcome) => outcome.status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.same(
    keysOf(store).filter((key) => !key.startsWith('feature/')),
    [],
  );
  await fabric.close();
});

t.test(
  'a class is not deleted or upgraded under a property that an extension still holds',
  async (t) => {
    const { held, extension } = holder('OID_SWITCH_PORT_PROPERTY_ADD');
    const { fabric, port } = await openWorld([extension]);
    await fabric.features.register(mofClass({}));
    const adding = port.properties.add('Fabrikam_Test', { A: 1 });
    const queued = port.properties.add('Fabrikam_Test', { A: 2 });
    await turn();
    await t.rejects(fabric.features.delete('Fabrikam_Test'), { code: 'FEATURE_IN_USE' });
    await t.rejects(fabric.features.register(mofClass({ version: '2' })), {
      code: 'FEATURE_IN_USE',
    });
    held.shift()?.complete(NdisStatus.DATA_NOT_ACCEPTED);
    await t.rejects(adding, { code: 'VETOED' });
    held.shift()?.complete(NdisStatus.DATA_NOT_ACCEPTED);
    await t.rejects(queued, { code: 'VETOED' });
    await fabric.features.delete('Fabrikam_Test');
    await fabric.close();
  },
);

t.test('a property whose class went while it waited in the queue is refused', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_CREATE');
  const fabric = await Fabric.open({ clock: 'manual', extensions: [extension] });
  await fabric.features.register(mofClass({ base: 'Msvm_EthernetSwitchFeatureSettingData' }));
  const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
  const creating = sw.ports.create();
  const adding = sw.properties.add('Fabrikam_Test', { A: 1 });
  await turn();
  await fabric.features.delete('Fabrikam_Test');
  held.shift()?.forward();
  await creating;
  await t.rejects(adding, { code: 'NOT_FOUND' });
  t.same([...sw.properties.list()], []);
  await fabric.close();
});

t.test('a write that fails while another one is being undone is undone too', async (t) => {
  const store = new FailingStore();
  const held: { complete(status: 0): void }[] = [];
  let holdDeletes = false;
  const extension = extensionWith(() => ({
    addPortProperty: (property) => {
      if (property.settings?.['SettingIntA'] !== 2) return 'forward';
      held.push(property.request);
      return property.request.pend();
    },
    deletePortProperty: (property) => {
      if (!holdDeletes) return 'forward';
      held.push(property.request);
      return property.request.pend();
    },
  }));
  const { fabric, sw } = await openWorld([extension], { store });
  // Two switches: while the undo of one is held, a change of the other completes.
  const other = await fabric.switches.create({ name: 'T', extensions: [extension] });
  const slow = await other.ports.create({ name: 'Slow' });
  const adding = slow.properties.add(PORT_SETTING, { SettingIntA: 2 });
  await turn();
  store.failing = true;
  holdDeletes = true;
  const first = t.rejects(sw.ports.get('P').properties.add(PORT_SETTING, { SettingIntA: 1 }), {
    code: 'STORE_UNAVAILABLE',
  });
  await turn();
  t.equal(held.length, 2, 'the add of T and the undo of S are pended');
  held.shift()?.complete(NdisStatus.SUCCESS);
  await turn();
  holdDeletes = false;
  held.shift()?.complete(NdisStatus.SUCCESS);
  await first;
  await t.rejects(adding, { code: 'STORE_UNAVAILABLE' });
  t.same([...slow.properties.list()], [], 'nothing refused is kept (design 5)');
  t.same([...sw.ports.get('P').properties.list()], []);
  store.failing = false;
  await slow.properties.add(PORT_SETTING, { SettingIntA: 3 });
  await fabric.close();
});

t.test(
  'an atomic change that fails leaves no installed extension and no class behind',
  async (t) => {
    const store = new KeptStore();
    const { fabric } = await openWorld([], { store });
    const before = keysOf(store);
    const mof = new URL('../../policies/vendor-sample.mof', import.meta.url);
    const { defineExtension } = await import('../../src/sdk/define.ts');
    const extension = defineExtension({
      id: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
      name: 'With MOF',
      vendor: 'V',
      version: '1.0',
      type: 'filter',
      mof: [mof],
      attach: () => ({}),
    });
    await t.rejects(
      fabric.atomic(async (world) => {
        await world.extensions.install(extension);
        await world.features.register(mofClass({}));
        throw new Error('changed my mind');
      }),
      { message: 'changed my mind' },
    );
    t.same(fabric.extensions.list(), []);
    t.throws(() => fabric.features.get('Vendor_SampleFeatureSettingData'), { code: 'NOT_FOUND' });
    t.throws(() => fabric.features.get('Fabrikam_Test'), { code: 'NOT_FOUND' });
    t.same(fabric.switches.get('S').extensions.list(), []);
    t.same(keysOf(store), before);
    await fabric.atomic((world) => world.extensions.install(extension));
    t.equal(fabric.extensions.list().length, 1);
    t.equal(keysOf(store).length, before.length + 1);
    await fabric.close();
  },
);

t.test('an extension whose class cannot be stored is not installed', async (t) => {
  const store = new FailingStore();
  const { fabric } = await openWorld([], { store });
  const { defineExtension } = await import('../../src/sdk/define.ts');
  const extension = defineExtension({
    id: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
    name: 'With MOF',
    vendor: 'V',
    version: '1.0',
    type: 'filter',
    mof: [new URL('../../policies/vendor-sample.mof', import.meta.url)],
    attach: () => ({}),
  });
  store.failing = true;
  await t.rejects(fabric.extensions.install(extension), { code: 'STORE_UNAVAILABLE' });
  t.same(fabric.extensions.list(), []);
  t.same(fabric.switches.get('S').extensions.list(), []);
  store.failing = false;
  await fabric.extensions.install(extension);
  t.equal(fabric.features.get('Vendor_SampleFeatureSettingData').size, 584);
  await fabric.close();
});

t.test('inside an atomic change neither another one, nor reset, nor close', async (t) => {
  const { fabric } = await openWorld();
  const refused = { code: 'ILLEGAL_TRANSITION' };
  await fabric.atomic(async (world: FabricInterface) => {
    await t.rejects(
      world.atomic(async () => undefined),
      refused,
    );
    await t.rejects(world.reset(), refused);
    await t.rejects(world.close(), refused);
    await world.switches.create({ name: 'Kept' });
  });
  t.equal(fabric.switches.get('Kept').info.name, 'Kept');
  await fabric.close();
});

t.test(
  'reset ends an atomic change that waits for an extension, then empties everything',
  async (t) => {
    const store = new KeptStore();
    const { held, extension } = holder('OID_SWITCH_PORT_PROPERTY_ADD');
    const { fabric } = await openWorld([extension], { store });
    const atomic = t.rejects(
      fabric.atomic(async (world) => {
        await world.switches.create({ name: 'Other' });
        await world.switches.get('S').ports.get('P').properties.add(PORT_SETTING, {});
      }),
      { code: 'VETOED', place: { ndisStatus: 'NDIS_STATUS_REQUEST_ABORTED' } },
    );
    await turn();
    t.equal(held.length, 1);
    const outside = t.rejects(fabric.switches.get('S').ports.create({ name: 'Q' }), {
      code: 'NOT_FOUND',
    });
    await fabric.reset();
    await atomic;
    await outside;
    t.same(keysOf(store), []);
    t.same([...fabric.switches.list()], []);
    await fabric.close();
  },
);

t.test('reset that the store refuses fails as STORE_UNAVAILABLE and can be repeated', async (t) => {
  const store = new FailingStore();
  const { fabric } = await openWorld([], { store });
  store.failing = true;
  await t.rejects(fabric.reset(), { code: 'STORE_UNAVAILABLE' });
  store.failing = false;
  await fabric.reset();
  t.same(keysOf(store), []);
  await fabric.switches.create({ name: 'S' });
  await fabric.close();
});

t.test('records of a deleted port that could not be told to anybody go with it', async (t) => {
  const store = new KeptStore();
  const { fabric, port } = await openWorld([], { store });
  await fabric.features.register(mofClass({}));
  const added = await port.properties.add('Fabrikam_Test', { A: 1 });
  await fabric.close();
  // Another version of the product left a class out that a property needs.
  store.write([{ op: 'delete', key: 'feature/setting/0a0a0a0a-0000-4000-8000-000000000001' }]);
  const reopened = await Fabric.open({ store, clock: 'manual' });
  const sw = reopened.switches.get('S');
  t.same([...sw.ports.get('P').properties.list()], []);
  t.match(reopened.events.after(0).find((event) => event.type === 'finding')?.data, {
    rule: 'E61',
    message: new RegExp(`${added.id}.*stays stored`),
  });
  t.equal(keysOf(store).filter((key) => key.startsWith('property/')).length, 1);
  await sw.ports.get('P').delete();
  t.same(
    keysOf(store).filter((key) => key.startsWith('property/')),
    [],
  );
  await reopened.close();
});

t.test('a listener that throws disturbs nobody else and no request', async (t) => {
  const logged: string[] = [];
  const { fabric, port } = await openWorld([], {
    log: (level, message) => logged.push(`${level} ${message}`),
  });
  const seen: number[] = [];
  const stop = fabric.events.subscribe(() => {
    throw new Error('listener');
  });
  fabric.events.subscribe((seq) => seen.push(seq));
  await port.properties.add(PORT_SETTING, {});
  t.equal(seen.length, 1);
  t.match(logged, [/^error .*listener/]);
  stop();
  await fabric.close();
});

t.test('an atomic change that deletes what it changed before is undone all the way', async (t) => {
  const store = new KeptStore();
  const view = new Map<string, unknown>();
  const extension = extensionWith(() => ({
    addPortProperty: (p) => {
      view.set(p.propertyInstanceId, p.settings?.['SettingIntA']);
      return 'forward';
    },
    updatePortProperty: (p) => {
      view.set(p.propertyInstanceId, p.settings?.['SettingIntA']);
      return 'forward';
    },
    deletePortProperty: (p) => {
      view.delete(p.propertyInstanceId);
      return 'forward';
    },
    deletePort: () => {
      view.clear();
      return 'forward';
    },
  }));
  const { fabric, sw, port } = await openWorld([extension], { store });
  const kept = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  const gone = await port.properties.add(PORT_SETTING, { SettingIntA: 2 });
  await sw.properties.add(SWITCH_SETTING, { SettingIntA: 3 });
  await port.nics.connect({ mac: '02-00-00-00-00-01' });
  const picture = (): unknown => {
    const now = fabric.switches.get('S');
    const { info, properties } = now.ports.get('P');
    return JSON.parse(
      JSON.stringify(
        [now.info, now.extensions.list(), info, [...properties.list()], [...now.properties.list()]],
        (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
      ),
    );
  };
  const before = picture();
  const stored = JSON.stringify([...store.range('')], (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  const change = async (world: FabricInterface): Promise<void> => {
    const at = world.switches.get('S');
    const there = at.ports.get('P');
    await at.extensions.change('Fabrikam Filter', { enabled: false });
    await at.extensions.change('Fabrikam Filter', { enabled: true });
    await there.properties.update(kept.id, { SettingIntA: 9 });
    await there.properties.delete(gone.id);
    await there.properties.add(PORT_SETTING, { SettingIntA: 8 });
    await there.nics.disconnect(0);
    await there.nics.connect({ mac: '02-00-00-00-00-02' });
    await at.ports.create({ name: 'Q' });
    await there.delete();
    await at.ports.create({ name: 'P' });
    await at.ports.get('Q').nics.connect();
    await at.delete();
    await world.switches.create({ name: 'S' });
    await world.switches.get('S').delete();
    throw new Error('and back');
  };
  await t.rejects(fabric.atomic(change), { message: 'and back' });
  t.same(picture(), before);
  t.same(
    [...view].sort(),
    [
      [kept.id, 1],
      [gone.id, 2],
    ].sort(),
  );
  t.equal(
    JSON.stringify([...store.range('')], (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    ),
    stored,
  );
  t.same(
    fabric.events.after(0).filter(({ type }) => type === 'finding'),
    [],
  );
  await fabric.close();
});
