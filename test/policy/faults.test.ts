import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { FabricOptions } from '../../src/policy/api.ts';
import type { FaultRuleOptions } from '../../src/policy/faults-api.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { playHistory } from './fault-world.ts';
import { openWorld } from './open-world.ts';

t.setTimeout(300_000);

/** Any place with any effect it has, before every match. */
const anyRule: fc.Arbitrary<FaultRuleOptions> = fc.oneof(
  fc.constantFrom<FaultRuleOptions>(
    { at: 'oid', effect: 'status' },
    { at: 'oid', effect: 'status', extension: 'miniportEdge' },
    { at: 'oid', effect: 'status', oid: 'OID_SWITCH_PORT_CREATE', requestType: 'set' },
    { at: 'oid', effect: 'throw' },
    { at: 'oid', effect: 'hang' },
    { at: 'oid', effect: 'delay', delayMs: 50 },
    { at: 'oid', effect: 'twice', switch: 'S' },
    { at: 'oid', effect: 'act', act: 'restartStack' },
    { at: 'oid', effect: 'act', act: 'disableExtension' },
    { at: 'oid', effect: 'act', act: 'teardownPort', portId: 1 },
    { at: 'call', effect: 'status' },
    { at: 'call', effect: 'status', call: 'request' },
    { at: 'call', effect: 'act', act: 'deleteSwitch' },
    { at: 'store', effect: 'fail' },
    { at: 'store', effect: 'delay' },
    { at: 'store', effect: 'act', act: 'deleteSwitch', switch: 'S' },
    { at: 'message', effect: 'lost' },
    { at: 'message', effect: 'lostAnswer', message: 'take' },
    { at: 'message', effect: 'twice' },
    { at: 'message', effect: 'delay' },
  ),
);
const CREATE = { at: 'oid', oid: 'OID_SWITCH_PORT_CREATE', extension: 'Fabrikam Filter' } as const;
const passing = extensionWith(() => ({}));

/** How each of `count` creations of a port went: `true` was refused. */
async function refusals(rule: Partial<FaultRuleOptions>, count: number, seed = 'policy') {
  const { fabric, sw } = await openWorld([passing], { seed });
  fabric.faults.add({ ...CREATE, effect: 'status', ...rule });
  const refused: boolean[] = [];
  for (let i = 0; i < count; i += 1) {
    refused.push(
      await sw.ports.create().then(
        () => false,
        () => true,
      ),
    );
  }
  const [info] = fabric.faults.list();
  await fabric.close();
  return { refused, info };
}

t.test('rules of probability 0 equal no rules: trace bytes, events, ids, store', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uuid(),
      fc.array(anyRule, { minLength: 1, maxLength: 12 }),
      async (seed, rules) => {
        const without = await playHistory(seed, []);
        const never = rules.map((rule) => ({ ...rule, probability: 0 }));
        return (await playHistory(seed, never)) === without;
      },
    ),
    { numRuns: 25 },
  );
  // The history passes places of every kind, so rules that do hit give another one.
  const plain = await playHistory('places', []);
  for (const rule of [
    { at: 'oid', effect: 'twice' },
    { at: 'call', effect: 'status' },
    { at: 'store', effect: 'fail', nth: 2 },
    { at: 'message', effect: 'lost' },
  ] as const) {
    t.not(await playHistory('places', [rule], { late: true }), plain, rule.at);
  }
});

t.test('same seed and same rules: the same history, byte for byte', async () => {
  const some = anyRule.map((rule) => ({ ...rule, probability: 0.3 }));
  await fc.assert(
    fc.asyncProperty(
      fc.uuid(),
      fc.array(some, { minLength: 1, maxLength: 4 }),
      async (seed, rules) => {
        const once = await playHistory(seed, rules, { steps: 8, late: true });
        return (await playHistory(seed, rules, { steps: 8, late: true })) === once;
      },
    ),
    { numRuns: 15 },
  );
});

t.test('nth and times: matches nth to nth + times - 1 are hit, and counted', async (t) => {
  const counts = fc.record({
    nth: fc.integer({ min: 1, max: 6 }),
    times: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(counts, async ({ nth, times }) => {
      const { refused, info } = await refusals({ nth, times }, 8);
      const expected = refused.map((_one, i) => i + 1 >= nth && i + 1 < nth + times);
      t.strictSame(refused, expected);
      t.match(info, { matched: 8, hits: expected.filter(Boolean).length });
    }),
    { numRuns: 20 },
  );
  t.strictSame((await refusals({ nth: 3 }, 5)).refused, [false, false, true, true, true]);
  const { refused, info } = await refusals({ probability: 0.5, times: 3 }, 40);
  t.equal(refused.filter(Boolean).length, 3, 'three hits, however many matches it takes');
  t.equal(info?.hits, 3);
});

t.test('a probability is drawn by the seed, and of each rule by itself', async (t) => {
  const half = { probability: 0.5 };
  const first = (await refusals(half, 64)).refused;
  t.strictSame((await refusals(half, 64)).refused, first);
  t.notSame((await refusals(half, 64, 'another')).refused, first);
  t.notSame(
    (await refusals({ ...half, id: 'another' }, 64)).refused,
    first,
    'not those of another',
  );
  const hit = first.filter(Boolean).length;
  t.ok(hit > 16 && hit < 48, `${hit} of 64`);
});

t.test('add: all or none; what is wrong names rule, member and what was expected', async (t) => {
  const { fabric } = await openWorld();
  fabric.faults.add({ id: 'a', at: 'store', effect: 'fail', probability: 0 });
  const fine = { at: 'oid', effect: 'hang' } as const;
  for (const [bad, code, member] of [
    [{ id: 'a', at: 'oid', effect: 'hang' }, 'ALREADY_EXISTS', 'id'],
    [{ at: 'oid', effect: 'fail' }, 'INVALID_ARGUMENT', 'effect'],
    [{ at: 'oid', effect: 'status', status: 'PENDING' }, 'INVALID_ARGUMENT', 'status'],
    [{ at: 'call', effect: 'status', status: 'SUCCESS' }, 'INVALID_ARGUMENT', 'status'],
    [{ at: 'oid', effect: 'hang', oid: 'OID_SWITCH_PORT_CREAT' }, 'INVALID_ARGUMENT', 'oid'],
    [{ at: 'oid', effect: 'hang', delayMs: 1 }, 'INVALID_ARGUMENT', 'delayMs'],
    [{ at: 'oid', effect: 'act' }, 'INVALID_ARGUMENT', 'act'],
    [{ at: 'store', effect: 'act', act: 'deleteSwitch' }, 'INVALID_ARGUMENT', 'switch'],
    [{ at: 'store', effect: 'crash' }, 'INVALID_ARGUMENT', 'effect'],
    [{ at: 'message', effect: 'lost', message: 'hello' }, 'INVALID_ARGUMENT', 'message'],
    [{ at: 'oid', effect: 'hang', nth: 0 }, 'INVALID_ARGUMENT', 'nth'],
    [{ at: 'oid', effect: 'hang', times: 1.5 }, 'INVALID_ARGUMENT', 'times'],
    [{ at: 'oid', effect: 'hang', probability: 1.1 }, 'INVALID_ARGUMENT', 'probability'],
    [{ at: 'oid', effect: 'hang', extension: 'miniportEdge' }, 'INVALID_ARGUMENT', 'extension'],
    [{ at: 'oid', effect: 'hang', colour: 'red' }, 'INVALID_ARGUMENT', 'colour'],
  ] as const) {
    const named = { ...bad, id: 'id' in bad ? bad.id : 'bad' };
    t.throws(
      () => fabric.faults.add(fine, named as unknown as FaultRuleOptions),
      { code, place: { member }, message: new RegExp(`^fault rule "${named.id}"`) },
      JSON.stringify(bad),
    );
  }
  t.strictSame(
    fabric.faults.list().map(({ id }) => id),
    ['a'],
  );
  t.strictSame(
    fabric.faults.add(fine, fine).map(({ id }) => id),
    ['fault-1', 'fault-2'],
  );
  await fabric.close();
});

t.test('update keeps counts; a rule keeps its id; undefined takes a member away', async (t) => {
  const { fabric, sw } = await openWorld([passing]);
  fabric.faults.add({ ...CREATE, id: 'r', effect: 'status', times: 1 });
  await t.rejects(sw.ports.create(), { code: 'VETOED' });
  await sw.ports.create();
  t.match(fabric.faults.update('r', { times: 2 }), { id: 'r', matched: 2, hits: 1, times: 2 });
  await t.rejects(sw.ports.create(), { code: 'VETOED' });
  await sw.ports.create();
  t.notOk('times' in fabric.faults.update('r', { times: undefined }));
  await t.rejects(sw.ports.create(), { code: 'VETOED' });
  t.match(fabric.faults.get('r'), { matched: 5, hits: 3 });
  t.throws(() => fabric.faults.update('r', { id: 's' }), {
    code: 'INVALID_ARGUMENT',
    message: /: id: /,
  });
  t.throws(() => fabric.faults.update('r', { nth: 0 }), {
    code: 'INVALID_ARGUMENT',
    message: /: nth: /,
  });
  t.match(fabric.faults.get('r'), { nth: 1, hits: 3 }, 'as it was');
  await fabric.close();
});

t.test(
  'atomic: a rule hits what follows; a change that fails takes it back, and puts back',
  async (t) => {
    const { fabric, sw } = await openWorld([passing]);
    fabric.faults.add({ id: 'old', at: 'store', effect: 'fail', probability: 0 });
    await t.rejects(
      fabric.atomic(async (inside) => {
        await inside.switches.get('S').ports.create({ name: 'before' });
        inside.faults.remove('old');
        inside.faults.add({ ...CREATE, id: 'new', effect: 'status' });
        t.strictSame(
          fabric.faults.list().map(({ id }) => id),
          ['new'],
        );
        await inside.switches.get('S').ports.get('P').delete();
        await inside.switches.get('S').ports.create({ name: 'after' });
      }),
      { code: 'VETOED' },
    );
    t.strictSame(
      fabric.faults.list().map(({ id }) => id),
      ['old'],
    );
    t.strictSame(
      [...sw.ports.list()].map(({ name }) => name),
      ['P'],
      'the undo met no rule',
    );
    await fabric.atomic(async (inside) => {
      inside.faults.update('old', { probability: 1 });
      inside.faults.add({ ...CREATE, id: 'new', effect: 'status' });
      inside.faults.remove('old');
    });
    t.strictSame(
      fabric.faults.list().map(({ id }) => id),
      ['new'],
    );
    await fabric.close();
  },
);

t.test(
  'snapshots have the rules with their counts; restore and fork go on there; reset clears',
  async (t) => {
    const { fabric, sw } = await openWorld([passing]);
    fabric.faults.add({ ...CREATE, id: 'r', effect: 'status', nth: 2, times: 2 });
    await sw.ports.create();
    await fabric.snapshots.create({ name: 'one' });
    const [before] = fabric.faults.list();
    await t.rejects(sw.ports.create(), { code: 'VETOED' });
    await sw.ports.get('P').delete();
    fabric.faults.add({ id: 'later', at: 'store', effect: 'fail' });
    await t.rejects(fabric.snapshots.restore('one'), { code: 'STORE_UNAVAILABLE' });
    t.strictSame(
      fabric.faults.list().map(({ id }) => id),
      ['r', 'later'],
      'a restore that failed leaves them',
    );
    fabric.faults.remove('later');
    await fabric.snapshots.restore('one');
    t.strictSame(fabric.faults.list(), [before], 'what is told again at a restore is not matched');
    const fork = await fabric.snapshots.fork('one');
    for (const world of [fabric, fork]) {
      t.strictSame(world.faults.list(), [before]);
      await t.rejects(world.switches.get('S').ports.create(), { code: 'VETOED' });
    }
    await fabric.reset();
    t.strictSame(fabric.faults.list(), []);
    t.equal(fork.faults.list().length, 1);
    await fork.close();
    await fabric.close();
  },
);

t.test(
  'a recording: places with their numbers; each, as a rule, is hit exactly there',
  async (t) => {
    const asking = extensionWith((sw) => ({
      createPort: ({ portId }) => {
        if (sw.referencePort(portId) === NdisStatus.SUCCESS) sw.dereferencePort(portId);
      },
    }));
    const play = async (options: FabricOptions = {}) => {
      const { fabric, sw } = await openWorld([asking], options);
      const recording = fabric.faults.record();
      await sw.ports.create({ name: 'a' }).catch(() => undefined);
      await sw.ports.create({ name: 'b' }).catch(() => undefined);
      recording.stop();
      await sw.ports.create({ name: 'c' }).catch(() => undefined);
      return { fabric, sites: recording.sites };
    };
    const { fabric, sites } = await play();
    await fabric.close();
    const places = sites.map(({ at, oid, call, portId, nth }) => [at, oid ?? call, portId, nth]);
    t.match(places, [
      ['oid', 'OID_SWITCH_PORT_CREATE', Number, 1],
      ['call', 'referencePort', Number, 1],
      ['oid', 'OID_SWITCH_PORT_CREATE', Number, 1],
      ['store', undefined, undefined, 1],
    ]);
    t.equal(sites[2]?.extension, 'miniportEdge');
    t.equal(sites.filter(({ at }) => at === 'store').at(-1)?.nth, 2);
    const passed: string[] = [];
    const told = await play({ faults: { passed: ({ at }) => passed.push(at) } });
    t.ok(passed.length > sites.length, 'from the first instant');
    await told.fabric.close();
  },
);

t.test('hang, throw, twice: contained, and the findings are marked as injected', async (t) => {
  const { fabric, sw } = await openWorld([passing], { enforce: true });
  const create = async (effect: 'hang' | 'throw' | 'twice') => {
    fabric.faults.add({ ...CREATE, effect, times: 1 });
    const done = sw.ports.create().catch((error) => error);
    await fabric.time.warp(12_000);
    return done;
  };
  t.match(await create('hang'), { code: 'VETOED' });
  t.match(await create('throw'), { code: 'VETOED' });
  t.notMatch(
    await create('twice'),
    { code: String },
    'enforced rules are not for what was injected',
  );
  t.strictSame(
    fabric.findings.entries().map(({ rule, injected }) => [rule, injected]),
    [
      ['NdisTimedOidComplete', true],
      ['D6', true],
      ['NdisOidDoubleComplete', true],
    ],
  );
  const hits = fabric.events.after(0).filter(({ data }) => data['event'] === 'faultInjected');
  t.match(
    hits.map(({ data }) => data),
    ['hang', 'throw', 'twice'].map((effect) => ({
      effect,
      oid: 'OID_SWITCH_PORT_CREATE',
      portId: Number,
    })),
  );
  await fabric.close();
});

t.test('delay: a legal pend, then its own handlers run (D6)', async (t) => {
  const calls: number[] = [];
  const counting = extensionWith((sw) => ({
    createPort: () => {
      calls.push(sw.now());
    },
  }));
  const { fabric, sw } = await openWorld([counting]);
  fabric.faults.add({ ...CREATE, effect: 'delay', delayMs: 700 });
  const created = sw.ports.create();
  t.equal(fabric.pending().length, 1, 'held');
  await fabric.time.warp(700);
  await created;
  t.strictSame(calls, [0, 700]);
  t.strictSame(fabric.findings.entries(), []);
  await fabric.close();
});

t.test(
  'store: a write that fails undoes its change; one that is late holds those behind it',
  async (t) => {
    const { fabric, sw } = await openWorld();
    fabric.faults.add({ at: 'store', effect: 'fail', times: 1 });
    await t.rejects(sw.ports.create({ name: 'x' }), {
      code: 'STORE_UNAVAILABLE',
      message: /fault-1/,
    });
    t.throws(() => sw.ports.get('x'), { code: 'NOT_FOUND' });
    fabric.faults.add({ at: 'store', effect: 'delay', delayMs: 300, times: 1, switch: 'S' });
    const order: string[] = [];
    const both = ['y', 'z'].map((name) => sw.ports.create({ name }).then(() => order.push(name)));
    await fabric.time.warp(299);
    t.strictSame(order, []);
    await fabric.time.warp(1);
    await Promise.all(both);
    t.strictSame(order, ['y', 'z']);
    fabric.faults.add({ at: 'store', effect: 'delay', times: 1 });
    const last = sw.ports.create({ name: 'last' });
    await fabric.close();
    t.ok(await last, 'written when the world is closed: time does not come any more');
  },
);
