import assert from 'node:assert/strict';
import t from 'tap';
import type { SwitchBehaviour } from '../../switch/environment.ts';
import { tablesOf, tablesOfView } from '../support/extension-view.ts';
import { Interleaving } from '../support/interleaving.ts';
import { checkModulePaths, checkObjectPaths } from '../support/state-paths.ts';

const ROUNDS = 3;
const AT_ONCE = 14;

/** Everything a run left to be seen, as text. */
function record(run: Interleaving): string {
  const { world } = run;
  const entries = world.trace
    .entries()
    .map((entry) => ({ ...entry, input: entry.input.join(), output: entry.output?.join() }));
  return JSON.stringify([entries, world.changes, world.findings], (_key, value) =>
    typeof value === 'bigint' ? String(value) : value,
  ).replaceAll(/e0000000-[0-9a-f-]+/g, 'id');
}

/** What must hold when nothing is under way. */
function checkRest(run: Interleaving): void {
  const { machine, world } = run;
  assert.equal(machine.pipeline.inFlight.size, 0);
  assert.equal(machine.queued, 0);
  for (const module of machine.modules) {
    assert.equal(module.state, 'running');
    assert.equal(module.current, undefined);
    assert.equal(module.queue.length, 0);
    assert.equal(module.references.size, 0);
  }
  for (const port of machine.state.ports.values()) {
    assert.equal(port.references, 0);
    assert.equal(port.state, 'created');
    for (const nic of port.nics.values()) assert.equal(nic.references, 0);
  }
  // Rule D6: each number was given to one request, and that completed once.
  const numbers = world.trace.entries().map(({ request }) => request);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.equal(Math.max(0, ...numbers), numbers.length);
  assert.deepEqual(run.overlaps, []);
  assert.deepEqual(
    world.findings.filter(({ rule }) => rule !== 'G26'),
    [],
    'lawful extensions break no rule',
  );
  checkObjectPaths(world.trace.entries());
  checkModulePaths(world.changes, new Map(machine.modules.map(({ id, state }) => [id, state])));
  // What an extension knows is what the switch knows, whether it listened from the beginning or joined and asked.
  assert.deepEqual(tablesOfView(run.listener.view), tablesOf(machine.state));
  const { joined } = run;
  if (joined !== undefined) {
    assert.deepEqual(joined.view.facts(), run.listener.view.facts());
  }
}

async function play(seed: string, behaviour: Partial<SwitchBehaviour>): Promise<Interleaving> {
  const run = new Interleaving(seed, behaviour);
  await run.start();
  for (let i = 0; i < ROUNDS; i += 1) {
    await run.round(AT_ONCE);
    checkRest(run);
  }
  return run;
}

/** One seed after the other; the one that fails is named. */
async function playAll(
  seeds: number,
  behaviour: Partial<SwitchBehaviour>,
): Promise<{ outcomes: number; joined: number }> {
  let joined = 0;
  let outcomes = 0;
  for (let i = 0; i < seeds; i += 1) {
    const seed = `${behaviour.scheduling}-${i}`;
    try {
      const run = await play(seed, behaviour);
      if (run.joined !== undefined) joined += 1;
      outcomes += checkObjectPaths(run.world.trace.entries());
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }
  return { outcomes, joined };
}

t.test(
  'operations asked for at once, one after the other: state tables, one OID at a time, each completed once, views equal (B13, B20, B21, C22, C25, C31, D1, D6, E20, A48)',
  async (t) => {
    const { outcomes, joined } = await playAll(60, { scheduling: 'fifo' });
    t.ok(outcomes > 2500, `${outcomes} OIDs of ports and NICs`);
    t.ok(joined > 25, `${joined} joined`);
  },
);

t.test(
  'the same interleaved OID by OID in any order the seed picks, stack changes between them too (B13, B20, B21, C22, C25, C31, D1, D6, E20, A46, A48, A51, A65)',
  async (t) => {
    const { outcomes, joined } = await playAll(150, { scheduling: 'seeded' });
    t.ok(outcomes > 2500, `${outcomes} OIDs of ports and NICs`);
    t.ok(joined > 25, `${joined} joined`);
  },
);

t.test(
  'the same seed gives the same trace, state changes and findings byte for byte',
  async (t) => {
    for (const scheduling of ['fifo', 'seeded'] as const) {
      for (let i = 0; i < 5; i += 1) {
        const one = record(await play(`twice-${i}`, { scheduling }));
        const two = record(await play(`twice-${i}`, { scheduling }));
        t.ok(one === two, `${scheduling} twice-${i}`);
        t.ok(one.length > 10_000);
      }
      const other = record(await play('another', { scheduling }));
      t.not(other, record(await play('twice-0', { scheduling })));
    }
  },
);

t.test('a seed decides the order: interleaving differs from one after the other', async (t) => {
  const order = async (seed: string, behaviour: Partial<SwitchBehaviour>): Promise<string> =>
    (await play(seed, behaviour)).world.trace
      .entries()
      .map(({ oid }) => oid)
      .join();
  t.not(await order('same', { scheduling: 'seeded' }), await order('same', { scheduling: 'fifo' }));
});
