import { play, playSeed } from '../src/testing/simulation/play.ts';
import type { History } from '../src/testing/simulation/step.ts';
import type { BenchCase } from './bench-case.ts';

const SEEDS = 8;
const STEPS = 40;
/** Rounds of the histories before the clock runs: a step passes through most of the switch, which the engine compiles bit by bit. */
const WARM_UP = 15;

/** Histories drawn before the clock runs, so that both sides play the same. */
const histories: History[] = [];
for (let seed = 1; seed <= SEEDS; seed += 1) {
  histories.push((await playSeed(`bench ${seed}`, STEPS)).history);
}

async function warmUp(): Promise<void> {
  for (let round = 0; round < WARM_UP; round += 1) {
    for (const history of histories) {
      await play(history, { checks: 'all' });
      await play(history, { checks: 'none' });
    }
  }
}

let warm: Promise<void> | undefined;

function player(checks: 'all' | 'none', unit: 'steps' | 'visits'): () => Promise<number> {
  let next = 0;
  return async () => {
    warm ??= warmUp();
    await warm;
    const history = histories[next % histories.length] as History;
    next += 1;
    const { breach, visits } = await play(history, { checks });
    if (breach !== undefined) throw new Error(`${history.setting.seed}: ${breach.message}`);
    return unit === 'steps' ? history.steps.length : visits;
  };
}

const withoutChecks = 'the same histories, nothing checked';

/*
 * A step is a management call to a world of two or three hosts (start a VM, migrate it, add a policy, restart a host, or several
 * at once) with its faults, settled, traced and checked; opening and emptying the world is counted in. A hand-over is one OID
 * request given to one module of a stack.
 */
export const benches: readonly BenchCase[] = [
  {
    name: 'simulate.steps',
    unit: 'steps/s (management calls, each checked; worlds opened and closed)',
    run: player('all', 'steps'),
    baseline: { name: withoutChecks, run: player('none', 'steps') },
  },
  {
    name: 'simulate.handovers',
    unit: 'OIDs handed to a module/s (the same histories)',
    run: player('all', 'visits'),
    baseline: { name: withoutChecks, run: player('none', 'visits') },
  },
];
