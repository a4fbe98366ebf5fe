import t from 'tap';
import type { FabricInterface, SwitchHandle } from '../../src/policy/api.ts';
import { ChangeLog } from '../../src/policy/change-log.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { holder, PORT_SETTING, turn } from './open-world.ts';
import { contents, ending, openVmWorld, visible } from './vm-world.ts';

/*
 * A change whose write fails while what it changed is being removed, and then the removal's write fails too: the removal had
 * noted the state with the change in it, and makes again what was before both.
 */

const adapters = [{ name: 'Up' }];

interface Case {
  readonly title: string;
  /** The OID of the removal at which it waits. */
  readonly at: string;
  readonly change: (sw: SwitchHandle) => Promise<unknown>;
  readonly removal: (sw: SwitchHandle) => Promise<unknown>;
}

/** Whatever it is called by now. */
const port = (sw: SwitchHandle) => {
  const found = [...sw.ports.list()].find(({ type }) => type === 'synthetic');
  return sw.ports.get(found?.id ?? 'P');
};
const removals = {
  'the deletion of its switch': (sw: SwitchHandle) => sw.delete(),
  'the deletion of its port': (sw: SwitchHandle) => port(sw).delete(),
} as const;
const changes = {
  'a NIC update': (sw: SwitchHandle) => port(sw).nics.update(0, { name: 'New', mtu: 9000 }),
  'a new port name': (sw: SwitchHandle) => port(sw).rename('Q'),
  'a policy added': (sw: SwitchHandle) => port(sw).properties.add(PORT_SETTING),
  'a policy changed': async (sw: SwitchHandle) => {
    const { properties } = port(sw);
    const [first] = properties.list();
    await properties.update(first?.id ?? '', { SettingIntA: 7 });
  },
  'a policy deleted': async (sw: SwitchHandle) => {
    const { properties } = port(sw);
    const [first] = properties.list();
    await properties.delete(first?.id ?? '');
  },
  'a NIC disconnected': (sw: SwitchHandle) => port(sw).nics.disconnect(0),
} as const;

const CASES: Case[] = Object.entries(removals).flatMap(([what, removal]) =>
  Object.entries(changes).map(([title, change]) => ({
    title: `${title}, then ${what}`,
    at: 'OID_SWITCH_PORT_TEARDOWN',
    change,
    removal,
  })),
);
CASES.push({
  title: 'a NIC update, then its disconnection',
  at: 'OID_SWITCH_NIC_DISCONNECT',
  change: changes['a NIC update'],
  removal: (sw) => port(sw).nics.disconnect(0),
});
CASES.push({
  title: 'an extension made indispensable, then the deletion of its switch (A50)',
  at: 'OID_SWITCH_PORT_TEARDOWN',
  change: (sw) => sw.extensions.change('Fabrikam Filter', { required: true }),
  removal: (sw) => sw.delete(),
});

/** The world in a second process that opens what the store holds. */
async function reopened(store: FailingStore, shown: (fabric: FabricInterface) => string) {
  const copy = new MemoryStore();
  copy.write([...store.range('')].map(([key, value]) => ({ op: 'put', key, value })));
  const { extension } = holder('none');
  const fabric = await Fabric.open({ clock: 'manual', extensions: [extension], store: copy });
  const seen = shown(fabric);
  await fabric.close();
  return seen;
}

function shown(fabric: FabricInterface): string {
  const stacks = Array.from(fabric.switches.list(), ({ id, name }) => [
    name,
    fabric.switches.get(id).extensions.list(),
  ]);
  return `${visible(fabric)} ${JSON.stringify(stacks)}`;
}

for (const { title, at, change, removal } of CASES) {
  t.test(`${title}: neither stored, all is as it was`, async (t) => {
    const store = new FailingStore();
    const { held, extension } = holder(at);
    const { fabric, sw } = await openVmWorld([extension], { store });
    await sw.host.connectUplink({ adapters });
    const made = await sw.ports.create({ name: 'P' });
    await made.nics.connect({ name: 'Old' });
    await made.properties.add(PORT_SETTING, { SettingIntA: 3 });
    const before = shown(fabric);
    const stored = contents(store);

    // The change is accepted by all and its write waits; the removal has begun and waits for the extension.
    store.holding = true;
    const changed = ending(async () => change(sw));
    await turn();
    const removed = ending(async () => removal(sw));
    await turn();
    t.equal(held.length, 1, 'the removal is under way');
    // Now the change's write fails, and is taken back as far as it goes.
    store.failing = true;
    store.holding = false;
    store.release();
    await turn();
    // The removal goes on, and its write fails as well.
    while (held.length > 0) {
      held.shift()?.forward();
      await turn();
    }
    t.same([await changed, await removed], ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
    store.failing = false;
    t.equal(shown(fabric), before, 'management shows what was');
    t.same(contents(store), stored, 'the store has it');
    t.equal(await reopened(store, shown), before, 'a second process too');
    const findings = fabric.events.after(0).filter(({ type }) => type === 'finding');
    t.same(findings, [], 'nothing to complain about');
    await fabric.close();
  });
}

t.test(
  'an order of extensions that the deletion of the switch overtakes, not stored: as it was (A43)',
  async (t) => {
    const store = new FailingStore();
    const { held, extension } = holder('OID_SWITCH_PORT_TEARDOWN');
    const other = extensionWith(() => ({}), {
      id: 'f1000000-0000-4000-8000-0000000000f1',
      name: 'Other',
    });
    const { fabric, sw } = await openVmWorld([extension, other], { store });
    await sw.ports.create({ name: 'P' });
    const gone = await sw.ports.create({ name: 'Q' });
    const order = () =>
      fabric.switches
        .get('S')
        .extensions.list()
        .map(({ name }) => name);
    const before = order();
    const last = before.at(-1) ?? '';
    // The switch is busy: the change waits for its turn, and the deletion comes.
    const deleted = ending(() => gone.delete());
    await turn();
    t.equal(held.length, 1);
    const changed = ending(() => sw.extensions.change(last, { order: 0 }));
    await turn();
    store.holding = true;
    const removed = ending(() => sw.delete());
    for (let spin = 0; spin < 20; spin += 1) {
      held.shift()?.forward();
      await turn();
    }
    store.failing = true;
    store.holding = false;
    store.release();
    t.equal(await removed, 'STORE_UNAVAILABLE');
    t.equal(await changed, 'NOT_FOUND');
    t.equal(await deleted, 'STORE_UNAVAILABLE');
    t.equal(before.length, 2);
    t.strictSame(order(), before);
    await fabric.close();
  },
);

t.test(
  'undos held by a removal follow its own, the latest first, whenever they failed',
  async (t) => {
    const store = new FailingStore();
    const log = new ChangeLog(store, (error) => t.fail(String(error)));
    const undone: string[] = [];
    const change = (name: string, key = `a/${name}`) =>
      ending(async () =>
        log.run(undefined, () =>
          log.commit(undefined, [{ op: 'put', key, value: 1 }], async () => {
            await turn();
            undone.push(name);
          }),
        ),
      );
    store.holding = true;
    const first = change('first');
    const elsewhere = change('elsewhere', 'b');
    const removal = log.removing(['a/']);
    store.failing = true;
    store.release();
    await Promise.all([first, elsewhere]);
    t.same(undone, ['elsewhere'], 'what is not removed is undone at once');
    const second = change('second');
    const end = ending(async () =>
      log.commit(
        undefined,
        [{ op: 'delete', key: 'a/first' }],
        () => {
          undone.push('removal');
        },
        { removal },
      ),
    );
    store.release();
    await Promise.all([second, end]);
    t.same(undone, ['elsewhere', 'removal', 'second', 'first']);
    t.equal(log.writing, undefined);
  },
);

t.test('a removal that comes to nothing: what waited for it is undone then', async (t) => {
  const store = new FailingStore();
  const log = new ChangeLog(store, (error) => t.fail(String(error)));
  const undone: number[] = [];
  const removal = log.removing(['a']);
  store.failing = true;
  const write = (n: number) =>
    ending(async () =>
      log.run(undefined, () =>
        log.commit(undefined, [{ op: 'put', key: 'a', value: n }], () => undone.push(n)),
      ),
    );
  t.same(await Promise.all([write(1), write(2)]), ['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
  t.same(undone, []);
  await log.giveUp(removal);
  t.same(undone, [2, 1]);
  t.equal(log.giveUp(removal), undefined, 'once');
  t.equal(await write(3), 'STORE_UNAVAILABLE');
  t.same(undone, [2, 1, 3], 'and nothing waits any more');
});
