import t from 'tap';
import { Rng } from '../../src/core/rng.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricInterface, FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';

import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import type { OidRequest } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { Observer } from '../sequences/observer.ts';
import { snapshot } from '../sequences/snapshot.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { holder, openWorld, PORT_SETTING, turn } from './open-world.ts';
import { Changes } from './world-stress-changes.ts';
import { comparable } from './world-stress-checks.ts';
import { Draw } from './world-stress-mischief.ts';

const observers = (): readonly Observer[] => [
  new Observer({ id: FABRIKAM, name: 'filter', type: 'filter' }),
  new Observer({ id: 'f0000000-0000-4000-8000-00000000000f', name: 'forward', type: 'forward' }),
];

/** What management shows, the store has and each extension believes. */
function stateOf(
  fabric: FabricInterface,
  store: MemoryStore,
  seen: readonly Observer[],
): Readonly<Record<string, string>> {
  const { store: stored, views } = snapshot(fabric, store, seen);
  return { world: comparable(fabric, store, true), store: stored, ...views };
}

/** Seeded changes of everything a world has; refused ones are changes too. */
async function change(fabric: FabricInterface, draw: Changes, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const ended = draw
      .next(fabric)
      .act()
      .catch(() => undefined);
    let isOver = false;
    void ended.then(() => (isOver = true));
    while (!isOver) {
      await turn();
      fabric.clock.advance(1);
    }
  }
}

async function stressWorld(seed: string, store: MemoryStore, seen: readonly Observer[]) {
  const extensions = seen.map(({ definition }) => definition);
  const fabric = await Fabric.open({ clock: 'manual', seed, store, extensions });
  await fabric.features.register(FABRIKAM_MOF);
  const ids = extensions.map(({ id }) => id);
  const adapters = [{ name: 'phys', virtualFunctions: 2, queues: 2 }];
  await fabric.switches.create({
    name: 'A',
    type: 'external',
    extensions: ids,
    uplink: { adapters },
  });
  await fabric.switches.create({ name: 'B', extensions: ids });
  return { fabric, changes: new Changes(new Draw(new Rng(seed)), extensions) };
}

t.test(
  'any changes after a snapshot, then a restore: store, management and extensions are as before, and so is what comes',
  async (t) => {
    for (let round = 0; round < 12; round += 1) {
      const seed = `snapshot law ${round}`;
      const seen = observers();
      const store = new MemoryStore();
      const { fabric, changes } = await stressWorld(seed, store, seen);
      await change(fabric, changes, 25);
      await fabric.snapshots.create({ name: 'then' });
      const before = stateOf(fabric, store, seen);
      const next = await fabric.vms.create({ name: 'next', adapters: [{}] });
      const { id, adapters } = next.info;
      await change(fabric, changes, 25);
      await fabric.snapshots.restore('then');
      await turn();
      const after = stateOf(fabric, store, seen);
      for (const what of Object.keys(before))
        t.equal(after[what], before[what], `${seed}: ${what}`);
      const again = await fabric.vms.create({ name: 'next', adapters: [{}] });
      t.equal(again.info.id, id, `${seed}: the same id comes next`);
      t.equal(again.info.adapters[0]?.mac, adapters[0]?.mac, `${seed}: and the same address`);
      await fabric.close();
    }
  },
);

t.test(
  'a fork is told what the snapshot was, and neither world sees what the other does',
  async (t) => {
    for (let round = 0; round < 6; round += 1) {
      const seed = `fork law ${round}`;
      const seen = observers();
      const store = new MemoryStore();
      const { fabric, changes } = await stressWorld(seed, store, seen);
      await change(fabric, changes, 25);
      await fabric.snapshots.create({ name: 'then' });
      const before = stateOf(fabric, store, seen);
      await change(fabric, changes, 10);
      const later = comparable(fabric, store, true);
      const views = seen.map(({ views: all }) => new Map(all));
      for (const { views: all } of seen) all.clear();
      const forked = await fabric.snapshots.fork('then');
      await turn();
      t.equal(comparable(forked, store, true), before['world'], `${seed}: the fork`);
      const told = snapshot(forked, store, seen).views;
      for (const { definition } of seen) {
        t.equal(told[definition.name], before[definition.name], `${seed}: told ${definition.name}`);
      }
      for (const [i, one] of seen.entries())
        for (const [k, v] of views[i] ?? []) one.views.set(k, v);
      await change(forked, changes, 10);
      t.equal(comparable(fabric, store, true), later, `${seed}: the source`);
      await forked.close();
      await fabric.close();
    }
  },
);

t.test(
  'a restore puts back classes, extensions and stacks, and takes away later ones',
  async (t) => {
    const first = extensionWith(() => ({}));
    const second = extensionWith(() => ({}), {
      id: '00000000-0000-4000-8000-0000000000e2',
      name: 'Second',
    });
    const { fabric, sw } = await openWorld([first]);
    await fabric.snapshots.create({ name: 'one' });
    await fabric.extensions.install(second);
    await sw.extensions.change(second.id, { enabled: true, required: true });
    await sw.extensions.change(first.id, { enabled: false });
    await fabric.features.delete('Fabrikam_CustomPortData');
    await fabric.snapshots.restore('one');
    t.strictSame(
      fabric.extensions.list().map(({ name }) => name),
      ['Fabrikam Filter'],
    );
    t.equal(fabric.features.get('Fabrikam_CustomPortData').name, 'Fabrikam_CustomPortData');
    const stack = fabric.switches.get('S').extensions.list();
    t.strictSame(
      stack.map(({ name, enabled, running }) => [name, enabled, running]),
      [['Fabrikam Filter', true, true]],
    );
    await t.rejects(sw.ports.create(), { code: 'NOT_FOUND' }, 'handles of before are of no use');
    await fabric.close();
  },
);

t.test(
  'extensions live through a restore as through a restart: detached, attached, activated, told everything',
  async (t) => {
    const log: string[] = [];
    let count = 0;
    const extension = extensionWith(() => {
      count += 1;
      const me = count;
      log.push(`attach ${me}`);
      return {
        activate: () => void log.push(`activate ${me}`),
        detach: () => void log.push(`detach ${me}`),
        createPort: () => void log.push(`port ${me}`),
        addPortProperty: () => void log.push(`property ${me}`),
      };
    });
    const { fabric, port } = await openWorld([extension]);
    await port.properties.add(PORT_SETTING);
    await fabric.snapshots.create({ name: 'a' });
    log.length = 0;
    const { lastSeq } = fabric.events;
    await fabric.snapshots.restore('a');
    t.strictSame(log, ['detach 1', 'attach 2', 'activate 2', 'port 2', 'property 2']);
    const entries = fabric.trace.entries();
    t.strictSame(
      entries.map(({ oid }) => oid),
      ['OID_SWITCH_PORT_CREATE', 'OID_SWITCH_PORT_PROPERTY_ADD'],
      'the trace begins anew',
    );
    t.ok((entries[0]?.seq ?? 0) > lastSeq, 'its numbers go on');
    const [event] = fabric.events.after(0);
    t.match(event, { type: 'state', data: { event: 'snapshotRestored', snapshot: 'a' } });
    t.ok((event?.seq ?? 0) > lastSeq, 'also those of events');
    await fabric.close();
  },
);

t.test('what an extension holds ends with the restore, which waits for nobody', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_CREATE');
  const fabric = await Fabric.open({ clock: 'manual', extensions: [extension] });
  const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
  await fabric.snapshots.create({ name: 'empty' });
  const creating = sw.ports.create({ name: 'P' });
  await turn();
  t.equal(held.length, 1);
  await fabric.snapshots.restore('empty');
  await t.rejects(creating, 'the change that was under way has failed');
  t.strictSame([...fabric.switches.get('S').ports.list()], []);
  await fabric.close();
});

t.test(
  'a snapshot while an OID is pended: named and refused when time stands still, else waited for',
  async (t) => {
    const { held, extension } = holder('OID_SWITCH_PORT_CREATE');
    const fabric = await Fabric.open({ extensions: [extension] });
    const sw = await fabric.switches.create({ name: 'S', extensions: [extension] });
    await fabric.time.stop();
    const creating = sw.ports.create({ name: 'P' });
    await turn();
    await t.rejects(fabric.snapshots.create({ name: 'a' }), {
      code: 'ILLEGAL_TRANSITION',
      message:
        /^Fabrikam Filter holds OID_SWITCH_PORT_CREATE \(request 1\) on switch S and time stands still/,
    });
    await fabric.time.resume();
    const taking = fabric.snapshots.create({ name: 'a' });
    await turn();
    t.strictSame(fabric.snapshots.list(), [], 'not while the change is under way');
    held[0]?.complete(NdisStatus.SUCCESS);
    t.match(await taking, { name: 'a', ports: 1 }, 'with all of the change');
    await creating;
    await fabric.close();
  },
);

t.test('a restore that the store refuses leaves the world as it was', async (t) => {
  const store = new FailingStore();
  const seen = observers();
  const extensions = seen.map(({ definition }) => definition);
  const fabric = await Fabric.open({ clock: 'manual', seed: 's', store, extensions });
  await fabric.features.register(FABRIKAM_MOF);
  const ids = extensions.map(({ id }) => id);
  const sw = await fabric.switches.create({ name: 'S', extensions: ids });
  await fabric.snapshots.create({ name: 'a' });
  await sw.ports.create({ name: 'P' });
  const before = stateOf(fabric, store.inner, seen);
  store.failing = true;
  await t.rejects(fabric.snapshots.restore('a'), { code: 'STORE_UNAVAILABLE' });
  store.failing = false;
  t.strictSame(stateOf(fabric, store.inner, seen), before);
  await fabric.snapshots.restore('a');
  t.strictSame([...fabric.switches.get('S').ports.list()], []);
  await fabric.close();
});

t.test('a world in a folder: its restore is durable, its fork is in memory', async (t) => {
  const store = t.testdir();
  const options: FabricOptions = { clock: 'manual', store: `${store}/w` };
  const fabric = await Fabric.open(options);
  const sw = await fabric.switches.create({ name: 'S' });
  const { id } = (await sw.ports.create({ name: 'P' })).info;
  await fabric.snapshots.create({ name: 'a' });
  await sw.delete();
  await fabric.switches.create({ name: 'T' });
  await fabric.snapshots.restore('a');
  const fork = await fabric.snapshots.fork('a');
  await fork.switches.get('S').delete();
  await fork.close();
  await fabric.close();
  const again = await Fabric.open(options);
  t.strictSame(
    Array.from(again.switches.list(), ({ name }) => name),
    ['S'],
  );
  t.equal(again.switches.get('S').ports.get('P').info.id, id);
  await again.close();
});

t.test(
  'snapshots are refused by name, inside atomic changes, and while a VM migrates',
  async (t) => {
    const hosts = new LocalHosts();
    let held: OidRequest | undefined;
    const extension = extensionWith(() => ({
      oidRequest(request) {
        if (held !== undefined || request.oidName !== 'OID_SWITCH_NIC_SAVE') return 'forward';
        held = request;
        return request.pend();
      },
    }));
    const open = (name: string) =>
      Fabric.open({ clock: 'manual', name, hosts, seed: name, extensions: [extension] });
    const [here, there] = [await open('here'), await open('there')];
    for (const fabric of [here, there])
      await fabric.switches.create({ name: 'S', extensions: [extension] });
    const vm = await here.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await here.snapshots.create({ name: 'a' });
    for (const name of ['', '-a', 'a b', 'x'.repeat(65)]) {
      await t.rejects(here.snapshots.create({ name }), { code: 'INVALID_ARGUMENT' }, name);
    }
    await t.rejects(here.snapshots.create({ name: 'a' }), { code: 'ALREADY_EXISTS' });
    const acts: readonly ((world: FabricInterface) => Promise<unknown>)[] = [
      (world) => world.snapshots.create(),
      (world) => world.snapshots.restore('a'),
      (world) => world.snapshots.fork('a'),
    ];
    for (const act of acts) {
      await t.rejects(here.atomic(act), {
        code: 'ILLEGAL_TRANSITION',
        message: /inside an atomic change$/,
      });
    }
    const { id } = await here.migrations.start({ vm: 'V', destination: { host: 'there' } });
    while (held === undefined) await turn();
    const where = new RegExp(`while VM V migrates .*\\(migration ${id}\\)`);
    for (const fabric of [here, there]) {
      await t.rejects(fabric.snapshots.create(), { code: 'ILLEGAL_TRANSITION', message: where });
    }
    await t.rejects(here.snapshots.restore('a'), { code: 'ILLEGAL_TRANSITION', message: where });
    const done = here.migrations.done(id);
    (held as OidRequest | undefined)?.complete(NdisStatus.SUCCESS);
    await done;
    t.not(here.migrations.get(id).state, 'running');
    await here.snapshots.restore('a');
    t.equal(here.vms.get('V').info.state, 'running', 'after it, all is as before');
    await here.close();
    await there.close();
  },
);
