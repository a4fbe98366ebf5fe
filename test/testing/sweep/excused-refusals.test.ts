import t from 'tap';
import { ExtSwitchError } from '../../../src/core/errors.ts';
import { type AttemptJudge, attempted } from '../../../src/testing/sweep/attempts.ts';
import type { Breach } from '../../../src/testing/sweep/breach.ts';

/* Refusals that a fault excuses though nothing failed in them, and the nearest ones that it does not (docs/reference/sweep.md). */

/** A fault was met before; now a change is refused though nothing fails any more. `left`: what the refusal leaves behind. */
async function refused(facts: Partial<AttemptJudge>, left?: string): Promise<readonly Breach[]> {
  const told: Breach[] = [];
  let holds = '';
  const once = async (): Promise<never> => {
    holds = left ?? '';
    throw new ExtSwitchError('VETOED', 'no');
  };
  const judge: AttemptJudge = {
    isInsisting: false,
    begins: () => true,
    met: () => 1,
    isLoose: () => false,
    hasDied: () => false,
    diverge: () => undefined,
    hasDiverged: () => false,
    isForgetful: () => false,
    isAlone: () => true,
    isHolding: () => false,
    state: () => new Map([['it', holds]]),
    difference: (before) => (before.get('it') === holds ? undefined : 'it'),
    stale: async () => undefined,
    complain: (breach) => void told.push(breach),
    ...facts,
  };
  await attempted('the change', once, judge).catch(() => undefined);
  return told;
}

t.test('a later change is refused though nothing fails any more: reported', async (t) => {
  t.match(await refused({}), [{ invariant: 'again', message: /the change is refused/ }]);
});

t.test('it is not when a change before it was done and nobody heard (E17, G39)', async (t) => {
  t.same(await refused({ isForgetful: () => true }), []);
});

t.test('what such a refusal leaves behind is reported all the same', async (t) => {
  const found = await refused({ isForgetful: () => true }, 'half of it');
  t.match(found, [{ invariant: 'refused', message: /the change was refused and has changed it/ }]);
  t.equal(found.length, 1);
});

t.test('nor when another one is under way, or an extension holds a request (D6)', async (t) => {
  t.same(await refused({ isAlone: () => false }), []);
  t.same(await refused({ isHolding: () => true }), []);
  for (const facts of [{ isAlone: () => false }, { isHolding: () => true }]) {
    t.match(await refused(facts, 'half of it'), [{ invariant: 'refused' }]);
  }
});

t.test('a refusal before any fault was met is the scenario’s own', async (t) => {
  t.same(await refused({ met: () => 0 }), []);
});
