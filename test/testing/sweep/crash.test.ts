import { join } from 'node:path';
import t from 'tap';
import { sweepInThreads, sweepReport, sweepScenario } from '../../../src/testing/index.ts';
import { survivalOf } from '../../../src/testing/sweep/course.ts';

/* A host dies in a change and is opened again on its store (docs/reference/sweep.md). */

const cwd = join(import.meta.dirname, '../../../policies/scenarios');
const lines = (of: Readonly<Record<string, string>>) => new Map(Object.entries(of));

t.setTimeout(240_000);

t.test('a change whose end was told, and which is not there after a crash, is lost', (t) => {
  const change = { before: lines({ vm: 'off' }), after: lines({ vm: 'running' }) };
  t.same(survivalOf(change, lines({ vm: 'running' }), true), { has: 'all' });
  t.match(survivalOf(change, lines({ vm: 'off' }), true), { wrong: /acknowledged is lost: vm/ });
  t.same(survivalOf(change, lines({ vm: 'off' }), false), { has: 'nothing' });
  t.end();
});

t.test(
  'in the middle of a change: old and new may be there, nothing half, nothing of others gone',
  (t) => {
    const before = lines({ a: 'old', b: 'old', other: 'kept' });
    const after = lines({ a: 'new', b: 'new', other: 'kept' });
    const has = (found: Readonly<Record<string, string>>) =>
      survivalOf({ before, after }, lines(found), false);
    t.same(has({ a: 'new', b: 'old', other: 'kept' }), { has: 'part' });
    t.match(has({ a: 'half', b: 'old', other: 'kept' }), { wrong: /half of it is there: a/ });
    t.match(has({ a: 'new', b: 'old' }), { wrong: /acknowledged for is lost: other/ });
    t.match(has({ a: 'old', b: 'old', other: 'kept', more: 'x' }), {
      wrong: /half of it is there: more/,
    });
    t.end();
  },
);

t.test(
  'a VM moves, and either host dies at every write and message: one owner, nothing lost',
  async (t) => {
    const report = await sweepScenario('another-switch-name.yaml', {
      cwd,
      effects: ['crash', 'crashAnswered'],
    });
    t.same(report.mishandled, [], sweepReport(report, 'text'));
    const { crash = 0, crashAnswered = 0 } = report.effects;
    t.ok(crash > 10 && crashAnswered > 10);
    t.equal(report.complete, true);
  },
);

t.test('two threads give the report of one', async (t) => {
  const options = { cwd, effects: ['messageTwice'] as const, site: 'prepare' };
  const file = 'source-dies.yaml';
  const one = await sweepScenario(file, options);
  t.ok(one.subjects.length > 1);
  t.same(await sweepInThreads({ kind: 'scenario', file, options }, 2), one);
});
