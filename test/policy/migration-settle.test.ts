import t from 'tap';
import type { MigrationSettlement } from '../../src/policy/migration-api.ts';
import { having, remains } from './migration-fault-world.ts';
import { again, type CutScene, cutScene, pass, ruling } from './migration-settle-world.ts';
import { openHost } from './migration-world.ts';
import { ending, first } from './vm-world.ts';

const SOURCE: MigrationSettlement = { owner: 'source', confirm: 'b' };
const DESTINATION: MigrationSettlement = { owner: 'destination', confirm: 'b' };

/** The same VM with all but the run-time data, which a host that was started again has only where it was on the disk. */
const withoutData = (all: string): string => all.replace(/"data":\[.*?\]\]/g, '"data":[]');

const close = async ({ a, b }: Pick<CutScene, 'a' | 'b'>): Promise<void> => {
  await a.fabric.close();
  await b.fabric.close();
};

/** Where the VM came from, as events tell it. */
const told = ({ a }: Pick<CutScene, 'a'>): unknown[] =>
  a.fabric.events
    .after(0)
    .filter(({ data }) => data['event'] === 'migrationSettled')
    .map(({ data: { owner, host, copy } }) => ({ owner, host, copy }));

t.test(
  'settled for the source, the destination never took it: it runs with everything, and nothing is there (G27, G36)',
  async (t) => {
    const { hosts, a, b, storeB, id, before } = await cutScene('beforeTake');
    t.equal(a.fabric.migrations.get(id).state, 'running', 'undecided');
    t.match(await ending(() => a.fabric.vms.get('vm').stop()), 'ILLEGAL_TRANSITION G38');
    const settled = await a.fabric.migrations.settle(id, SOURCE);
    t.match(ruling(settled), { state: 'failed', owner: 'source', found: undefined });
    t.match(
      settled.error?.message,
      /^host b does not answer; a person has decided that the VM stays on this host$/,
    );
    t.equal(having(a), before);
    await a.fabric.vms.get('vm').pause();
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), { state: 'failed', found: { copy: 'none' } });
    t.strictSame(remains(b, storeB), []);
    t.match([...b.fabric.migrations.arrivals()], [{ id, state: 'superseded' }]);
    t.strictSame(told({ a }), [
      { owner: 'source', host: 'b', copy: undefined },
      { owner: 'source', host: 'b', copy: 'none' },
    ]);
    // It is not stuck: the same way once more.
    await a.fabric.vms.get('vm').resume();
    const next = await a.fabric.migrations.start({ vm: 'vm', destination: { host: 'b' } });
    t.equal((await a.fabric.migrations.done(next.id)).state, 'succeeded');
    t.equal(having(b), before);
    await close({ a, b });
  },
);

for (const isStartedAgain of [false, true]) {
  const how = isStartedAgain ? 'starts again' : 'is reached again';
  t.test(
    `settled for the source, the destination has taken it and ${how}: its copy goes and is kept (G39)`,
    async (t) => {
      const scene = await cutScene('afterTake');
      const { hosts, a, id, before } = scene;
      let { b, storeB } = scene;
      t.equal(having(b), before, 'it has it');
      await first(b.fabric.vms.get('vm')).update({ mtu: 1400 });
      const changed = having(b);
      await a.fabric.migrations.settle(id, SOURCE);
      t.equal(having(a), before, 'the source has it');
      hosts.mend();
      if (isStartedAgain) ({ host: b, store: storeB } = await again(hosts, 'b', b, storeB));
      await pass([a, b]);
      t.match(ruling(a.fabric.migrations.get(id)), { state: 'failed', found: { copy: 'kept' } });
      t.strictSame(remains(b, storeB), [], 'it does not run beside');
      t.strictSame(
        [...b.fabric.migrations.arrivals()],
        [
          {
            id,
            vm: { id: a.fabric.vms.get('vm').info.id, name: 'vm' },
            state: 'superseded',
            kept: true,
          },
        ],
      );
      // Nothing of it is lost, over a restart too: imported elsewhere it is what it was there, with what was changed there.
      ({ host: b, store: storeB } = await again(hosts, 'b', b, storeB));
      const c = await openHost(hosts, 'c');
      await c.fabric.vms.import(b.fabric.migrations.kept(id), { ids: 'keep' });
      t.equal(c.fabric.vms.get('vm').info.state, 'saved');
      await c.fabric.vms.get('vm').restore();
      t.equal(withoutData(having(c)), withoutData(changed));
      if (!isStartedAgain) t.equal(having(c), changed, 'with its run-time data');
      await c.fabric.close();

      await b.fabric.migrations.discard(id);
      t.equal(await ending(async () => b.fabric.migrations.kept(id)), 'NOT_FOUND');
      t.equal(await ending(() => b.fabric.migrations.discard(id)), 'NOT_FOUND');
      t.match([...b.fabric.migrations.arrivals()], [{ id, state: 'superseded', kept: undefined }]);
      await close({ a, b });
    },
  );
}

t.test('settled for the source, the copy has moved on: it says to where', async (t) => {
  const { hosts, a, b, id } = await cutScene('afterTake');
  const c = await openHost(hosts, 'c');
  hosts.mend();
  // Only the line between a and b is down.
  const { peer } = hosts;
  hosts.peer = (host) => (host === 'b' ? undefined : peer.call(hosts, host));
  await a.fabric.migrations.settle(id, SOURCE);
  const next = await b.fabric.migrations.start({ vm: 'vm', destination: { host: 'c' } });
  t.equal((await b.fabric.migrations.done(next.id)).state, 'succeeded');
  hosts.peer = peer;
  await pass([a, b, c]);
  t.match(ruling(a.fabric.migrations.get(id)), { found: { copy: 'gone', host: 'c' } });
  t.equal(await ending(async () => b.fabric.migrations.kept(id)), 'NOT_FOUND');
  await c.fabric.close();
  await close({ a, b });
});

t.test(
  'settled for the destination, which has it: it is over when that says so; until then nobody gets what is kept (G39, G40)',
  async (t) => {
    const scene = await cutScene('afterTake');
    const { hosts, a, b, storeA, storeB, id, before } = scene;
    const settled = await a.fabric.migrations.settle(id, DESTINATION);
    t.match(ruling(settled), { state: 'succeeded', owner: 'destination', kept: true });
    t.strictSame(remains(a, storeA), []);
    t.equal(await ending(() => a.fabric.vms.create({ name: 'vm' })), 'done', 'the name is free');
    t.equal(await ending(async () => a.fabric.migrations.kept(id)), 'ILLEGAL_TRANSITION G39');
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), {
      state: 'succeeded',
      found: { copy: 'taken' },
      kept: undefined,
    });
    t.equal(having(b), before);
    t.strictSame([...storeB.range('migration/')], [], 'there nobody asks any more');
    await close({ a, b });
  },
);

t.test(
  'settled for the destination, which had not taken it: it takes it when it is there (G38, S12)',
  async (t) => {
    const scene = await cutScene('beforeTake');
    const { hosts, id, before } = scene;
    let { a, b, storeA, storeB } = scene;
    await a.fabric.migrations.settle(id, DESTINATION);
    // Both may have been started again since.
    ({ host: a, store: storeA } = await again(hosts, 'a', a, storeA));
    ({ host: b, store: storeB } = await again(hosts, 'b', b, storeB));
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), { state: 'succeeded', found: { copy: 'taken' } });
    t.equal(having(b), before, 'with its run-time data');
    t.strictSame(remains(a, storeA), []);
    await close({ a, b });
  },
);

t.test(
  'settled for the destination, which cannot take it: it is kept at the source, and imported it is whole (G27)',
  async (t) => {
    const { hosts, a, b, storeB, id, before } = await cutScene('beforeTake');
    await a.fabric.migrations.settle(id, DESTINATION);
    b.keeper.decide = (oid) => (oid === 'NIC_CREATE' ? 0xc001_0015 : undefined);
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), {
      state: 'failed',
      found: { copy: 'none' },
      kept: true,
      code: 'ILLEGAL_TRANSITION',
    });
    t.strictSame(remains(b, storeB), []);
    await a.fabric.vms.import(a.fabric.migrations.kept(id), { ids: 'keep' });
    await a.fabric.vms.get('vm').restore();
    t.equal(having(a), before);
    await a.fabric.migrations.discard(id);
    t.equal(a.fabric.migrations.get(id).kept, undefined);
    await close({ a, b });
  },
);

t.test(
  'settled for the destination, then for the source: what is kept can be imported, and the other is told',
  async (t) => {
    const scene = await cutScene('afterTake');
    const { hosts, a, b, storeB, id, before } = scene;
    await a.fabric.migrations.settle(id, DESTINATION);
    const settled = await a.fabric.migrations.settle(id, SOURCE);
    t.match(ruling(settled), { state: 'failed', owner: 'source', kept: true });
    await a.fabric.vms.import(a.fabric.migrations.kept(id), { ids: 'keep' });
    await a.fabric.vms.get('vm').restore();
    t.equal(having(a), before);
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), { state: 'failed', found: { copy: 'kept' } });
    t.strictSame(remains(b, storeB), []);
    t.equal(
      await ending(() => a.fabric.migrations.settle(id, DESTINATION)),
      'ILLEGAL_TRANSITION G39',
    );
    await close({ a, b });
  },
);

t.test(
  'what a settlement refuses: the wrong name, a host that answers, what is decided',
  async (t) => {
    const { hosts, a, b, id } = await cutScene('beforeTake');
    const { migrations } = a.fabric;
    const settle = (settlement: unknown, of = id): Promise<string> =>
      ending(() => migrations.settle(of, settlement as MigrationSettlement));
    t.equal(await settle({ owner: 'source', confirm: 'a' }), 'INVALID_ARGUMENT');
    t.equal(await settle({ owner: 'source' }), 'INVALID_ARGUMENT');
    t.equal(await settle({ owner: 'nobody', confirm: 'b' }), 'INVALID_ARGUMENT');
    t.equal(await settle(SOURCE, '3f2504e0-4f89-41d3-9a0c-0305e82c3301'), 'NOT_FOUND');
    t.equal(await ending(async () => migrations.kept(id)), 'NOT_FOUND');
    t.equal(migrations.get(id).state, 'running', 'nothing was decided');
    hosts.mend();
    t.equal(await settle(SOURCE), 'ILLEGAL_TRANSITION', 'it answers');
    await pass([a, b]);
    t.match(ruling(migrations.get(id)), { state: 'failed', owner: undefined });
    t.equal(await settle(SOURCE), 'ILLEGAL_TRANSITION G39', 'it is over');
    await close({ a, b });
  },
);

t.test(
  'a source that does not come back: what is prepared is given up, and the source keeps its VM (G36)',
  async (t) => {
    const { hosts, a, b, storeB, id, before } = await cutScene('beforeTake');
    t.equal(await ending(() => b.fabric.vms.create({ name: 'vm' })), 'ALREADY_EXISTS');
    storeB.arm({ failAt: 1 });
    t.equal(await ending(() => b.fabric.migrations.abandon(id)), 'STORE_UNAVAILABLE');
    t.match([...b.fabric.migrations.arrivals()], [{ state: 'prepared' }]);
    t.match(await b.fabric.migrations.abandon(id), { id, vm: { name: 'vm' }, state: 'abandoned' });
    t.match(await b.fabric.migrations.abandon(id), { state: 'abandoned' }, 'again');
    t.strictSame(remains(b, storeB), []);
    t.equal(await ending(() => b.fabric.vms.create({ name: 'vm' })), 'done', 'its name is free');
    hosts.mend();
    await pass([a, b]);
    t.match(a.fabric.migrations.get(id), { state: 'failed' });
    t.equal(having(a), before);
    await close({ a, b });

    const taken = await cutScene('afterTake');
    const { migrations } = taken.b.fabric;
    t.equal(await ending(() => migrations.abandon(taken.id)), 'ILLEGAL_TRANSITION G40');
    const nobody = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
    t.equal(await ending(() => migrations.abandon(nobody)), 'NOT_FOUND');
    await close(taken);
  },
);

t.test(
  'a settlement that the store does not take: it says so, and is done when the store takes it',
  async (t) => {
    const { hosts, a, b, storeA, id, before } = await cutScene('beforeTake');
    storeA.dead = true;
    const settling = a.fabric.migrations.settle(id, SOURCE);
    await pass([a]);
    const waiting = await settling;
    t.match(ruling(waiting), { state: 'running', owner: undefined });
    t.match(waiting.steps.at(-1), {
      name: 'undo',
      state: 'running',
      message: /^waiting for the store: /,
    });
    t.equal(
      a.fabric.vms.get('vm').adapters[0]?.info.connected,
      false,
      'nothing runs that is not written',
    );
    storeA.dead = false;
    await pass([a]);
    t.match(ruling(a.fabric.migrations.get(id)), { state: 'failed', owner: 'source' });
    t.equal(having(a), before);
    hosts.mend();
    await pass([a, b]);
    t.match(ruling(a.fabric.migrations.get(id)), { found: { copy: 'none' } });
    await close({ a, b });
  },
);

t.test(
  'settled both ways, either host killed at, or failing, each write: one owner with everything, and nothing lost (design.md 5, 7)',
  async (t) => {
    for (const cutsAt of ['beforeTake', 'afterTake'] as const) {
      for (const settlement of [SOURCE, DESTINATION]) {
        for (const side of ['a', 'b'] as const) {
          for (const trap of ['failAt', 'before', 'after'] as const) {
            for (let at = 1; ; at += 1) {
              const what = `${cutsAt} ${settlement.owner} ${side} ${trap} ${at}`;
              const scene = await cutScene(cutsAt);
              const { hosts, id, before } = scene;
              let { a, b, storeA, storeB } = scene;
              const store = side === 'a' ? storeA : storeB;
              store.arm(
                trap === 'failAt'
                  ? { failAt: at }
                  : { killAt: at, isKilledAfter: trap === 'after' },
              );
              void a.fabric.migrations.settle(id, settlement).catch(() => undefined);
              await pass([a, b]);
              if (!store.dead) hosts.mend();
              await pass([a, b]);
              const isOver = store.writes < at;
              hosts.isCut = true;
              if (trap !== 'failAt') {
                const died = side === 'a' ? a : b;
                const next = await again(hosts, side, died, store);
                if (side === 'a') ({ host: a, store: storeA } = next);
                else ({ host: b, store: storeB } = next);
              }
              await pass([a, b]);
              // A decision that was not written has not been made.
              const { migrations } = a.fabric;
              if (migrations.get(id).state === 'running') await migrations.settle(id, settlement);
              hosts.mend();
              await pass([a, b]);
              const { kept } = migrations.get(id);
              if (kept === true) {
                // The destination could not take it; it cannot come by itself any more.
                t.equal(settlement.owner, 'destination', what);
                t.strictSame(remains(a, storeA), [], what);
                t.strictSame(remains(b, storeB), [], what);
                await a.fabric.vms.import(migrations.kept(id), { ids: 'keep' });
                await a.fabric.vms.get('vm').restore();
                t.equal(having(a), before, `${what}: kept`);
                await close({ a, b });
                continue;
              }
              const owners = [a, b].filter(({ fabric }) => [...fabric.vms.list()].length === 1);
              t.equal(owners.length, 1, `${what}: one owner`);
              const isA = owners[0] === a;
              t.equal(isA, settlement.owner === 'source', `${what}: the one that was decided`);
              t.equal(withoutData(having(isA ? a : b)), withoutData(before), what);
              t.strictSame(remains(isA ? b : a, isA ? storeB : storeA), [], what);
              await close({ a, b });
              if (!isOver) continue;
              t.ok(at > 1, `${what}: ${at - 1} writes`);
              break;
            }
          }
        }
      }
    }
  },
);
