import t from 'tap';
import type { MigrationInfo } from '../../src/policy/migration-api.ts';
import {
  closeScene,
  having,
  migrate,
  openScene,
  remains,
  type Scene,
  type TrappedStore,
} from './migration-fault-world.ts';
import { type Host, openHost, runningVm } from './migration-world.ts';
import { contents } from './vm-world.ts';

type Side = 'a' | 'b';

const turns = async (host: Host, isOver: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 60 && !isOver(); turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    host.fabric.clock.advance(1000);
  }
};

/** A migration from `a` to `b` in which these sides are killed at this write; `undefined` when it never came to it. */
async function killed(
  scene: Scene,
  side: Side,
  at: number,
  isKilledAfter: boolean,
): Promise<boolean> {
  const { a, hosts, storeA, storeB } = scene;
  const store = side === 'a' ? storeA : storeB;
  storeA.arm();
  storeB.arm();
  store.arm({ killAt: at, isKilledAfter });
  hosts.isDead = () => store.dead;
  const { migrations } = a.fabric;
  let isOver = false;
  const { id } = await migrations.start({ vm: 'vm', destination: { host: 'b' } });
  void migrations.done(id).then(() => {
    isOver = true;
  });
  await turns(a, () => isOver || store.dead);
  // What was on its way when it died comes to an end, or to a wait for the other.
  await turns(a, () => isOver);
  return store.dead;
}

/** The process is started again with what is on its disk. */
async function restarted(scene: Scene, name: Side): Promise<{ host: Host; store: TrappedStore }> {
  const store = (name === 'a' ? scene.storeA : scene.storeB).copy();
  await scene[name].fabric.close();
  const host = await openHost(scene.hosts, name, { store });
  return { host, store };
}

async function settled(host: Host): Promise<MigrationInfo | undefined> {
  const [last] = [...host.fabric.migrations.list()].slice(-1);
  if (last === undefined) return undefined;
  let isOver = false;
  void host.fabric.migrations.done(last.id).then(() => {
    isOver = true;
  });
  await turns(host, () => isOver);
  return host.fabric.migrations.get(last.id);
}

const withoutData = (text: string): string => text.replace(/"data":\[[^}]*\]\}/g, '"data":0}');

for (const side of ['a', 'b'] as const) {
  for (const restarts of [[side], ['a', 'b'], ['b', 'a']] as const) {
    t.test(
      `${side} killed before and after each of its writes, then ${restarts.join(' and ')} started again: one owner with everything (design.md 5, 7)`,
      async (t) => {
        const owners = new Set<string>();
        for (const isKilledAfter of [false, true]) {
          for (let at = 1; ; at += 1) {
            const what = `write ${at} ${isKilledAfter ? 'after' : 'before'}`;
            const scene = await openScene();
            await runningVm(scene.a);
            const before = having(scene.a);
            if (!(await killed(scene, side, at, isKilledAfter))) {
              t.ok(at > 2, `${at - 1} writes`);
              await scene.a.fabric.close();
              await scene.b.fabric.close();
              break;
            }
            const wasHanding = contents(scene.storeA).some((line) => line.includes('"handing"'));
            scene.hosts.isDead = () => false;
            let { a, b, storeA, storeB } = scene;
            for (const name of restarts) {
              const again = await restarted(scene, name);
              if (name === 'a') [a, storeA] = [again.host, again.store];
              else [b, storeB] = [again.host, again.store];
            }
            const info = await settled(a);
            await settled(b);
            const isA = [...a.fabric.vms.list()].length === 1;
            const [owner, other, otherStore] = isA ? [a, b, storeB] : [b, a, storeA];
            owners.add(isA ? 'a' : 'b');
            t.equal([...owner.fabric.vms.list()].length, 1, `${what}: one owner`);
            t.equal(withoutData(having(owner)), withoutData(before), `${what}: with everything`);
            t.strictSame(remains(other, otherStore), [], `${what}: nothing on the other`);
            // Run-time data is in the process of a host, but for the time between save and restore: then it is on its disk.
            if (isA && wasHanding)
              t.equal(having(owner), before, `${what}: with its run-time data`);
            if (info !== undefined) t.equal(info.state, isA ? 'failed' : 'succeeded', what);
            // Not stuck: it runs, changes and migrates.
            const vm = owner.fabric.vms.get('vm');
            await vm.pause();
            await vm.resume();
            const next = await owner.fabric.migrations.start({
              vm: 'vm',
              destination: { host: isA ? 'b' : 'a' },
            });
            await settled(owner);
            t.match(
              owner.fabric.migrations.get(next.id),
              { state: 'succeeded' },
              `${what}: it can migrate`,
            );
            t.equal([...other.fabric.vms.list()].length, 1);
            await a.fabric.close();
            await b.fabric.close();
          }
        }
        t.strictSame([...owners].sort(), ['a', 'b'], 'both ends were seen');
      },
    );
  }
}

t.test(
  'a VM that is deleted after a migration that could not be written off: the other host lets go all the same',
  async (t) => {
    const scene = await openScene();
    const { a, b, hosts, storeA } = scene;
    const vm = await runningVm(a);
    storeA.arm();
    // The first write is `preparing`; nothing of its end is written.
    hosts.isDead = () => storeA.writes >= 1;
    storeA.arm({ failAt: 2 });
    const { id } = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
    await turns(a, () => a.fabric.migrations.get(id).state === 'failed');
    await vm.stop();
    await vm.delete();
    const { host, store } = await restarted(scene, 'a');
    const [kept = ''] = contents(store).filter((line) => line.startsWith('migration/'));
    t.match(kept, /"role":"source","state":"cancelling"/, 'begun anew, and not over');
    hosts.isDead = () => false;
    await settled(host);
    t.equal(host.fabric.migrations.get(id).state, 'failed');
    t.strictSame(
      [...b.fabric.migrations.arrivals()],
      [{ id, vm: { id, name: '' }, state: 'abandoned' }],
    );
    t.strictSame(remains(host, store), []);
    await host.fabric.close();
    await b.fabric.close();
  },
);

/** What a host, and its disk, still have to answer a source with. */
const answers = ({ fabric }: Host, store: TrappedStore): unknown[] => [
  ...[...fabric.migrations.arrivals()].map(({ state }) => state),
  ...contents(store).filter((line) => line.startsWith('migration/')),
];

t.test('the answer `taken` is kept until the source has said that it asks no more', async (t) => {
  t.test('the source dies after it has written the end: said when it starts again', async (t) => {
    for (const isThere of [true, false]) {
      const scene = await openScene();
      await runningVm(scene.a);
      // `preparing`, `handing`, `succeeded`.
      t.ok(await killed(scene, 'a', 3, true));
      t.match(contents(scene.storeA).join(), /"role":"source","state":"succeeded"/);
      t.match(answers(scene.b, scene.storeB), ['taken', /"role":"destination","state":"taken"/]);
      scene.hosts.isDead = () => false;
      if (!isThere) await scene.b.fabric.close();
      const { host: a } = await restarted(scene, 'a');
      const { host: b, store } = isThere
        ? { host: scene.b, store: scene.storeB }
        : await restarted(scene, 'b');
      await turns(a, () => answers(b, store).length === 0);
      t.strictSame(answers(b, store), [], isThere ? 'at once' : 'when the destination is there');
      t.equal([...b.fabric.vms.list()].length, 1, 'the VM stays');
      await a.fabric.close();
      await b.fabric.close();
    }
  });

  t.test('the message is lost: said with the next one to that host', async (t) => {
    for (const when of ['before', 'after'] as const) {
      const { a, b, hosts, storeB } = await openScene();
      await runningVm(a);
      await runningVm(a, 'other');
      // `prepare`, `take`, `forget`.
      hosts.trap = { at: 3, when, count: 0 };
      t.match(await migrate(a, 'b'), { state: 'succeeded' });
      t.equal(hosts.trap.what, 'forget');
      t.equal(answers(b, storeB).length, when === 'before' ? 2 : 0);
      t.match(await migrate(a, 'b', 'other'), { state: 'succeeded' });
      await turns(a, () => answers(b, storeB).length === 0);
      t.strictSame(answers(b, storeB), []);
      t.equal(
        hosts.trap.count,
        7,
        'the second migration has three messages, and the one that was lost',
      );
      await closeScene({ a, b });
    }
  });

  t.test('it is lost and a thousand others end: a restart of the source knows of it', async (t) => {
    const scene = await openScene();
    const { a, b, hosts, storeB } = scene;
    await runningVm(a);
    await runningVm(a, 'other');
    hosts.trap = { at: 3, when: 'before', count: 0 };
    const { id } = await migrate(a, 'b');
    t.equal(hosts.trap.what, 'forget');
    // Ended ones are remembered to a number of 1,000: the oldest go.
    const dry = { vm: 'other', destination: { host: 'b' }, dryRun: true } as const;
    const first = (await a.fabric.migrations.start(dry)).id;
    for (let i = 0; i < 1000; i += 1) await a.fabric.migrations.start(dry);
    t.throws(() => a.fabric.migrations.get(first), { code: 'NOT_FOUND' });
    t.match(a.fabric.migrations.get(id), { state: 'succeeded' });
    t.equal(answers(b, storeB).length, 2, 'nothing was said to it since');
    const { host } = await restarted(scene, 'a');
    await turns(host, () => answers(b, storeB).length === 0);
    t.strictSame(answers(b, storeB), []);
    await closeScene({ a: host, b });
  });

  t.test('a source that has not written the end keeps it: it asks again', async (t) => {
    const scene = await openScene();
    await runningVm(scene.a);
    t.ok(await killed(scene, 'a', 3, false));
    scene.hosts.isDead = () => false;
    t.match(answers(scene.b, scene.storeB), ['taken', /"state":"taken"/]);
    const { host: a } = await restarted(scene, 'a');
    t.match(await settled(a), { state: 'succeeded' });
    await turns(a, () => answers(scene.b, scene.storeB).length === 0);
    t.strictSame(answers(scene.b, scene.storeB), []);
    await a.fabric.close();
    await scene.b.fabric.close();
  });
});
