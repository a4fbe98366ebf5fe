import type { Test } from 'tap';
import { natsServerMissing } from '../../src/testing/nats-servers.ts';
import type { Fault } from './faults.ts';
import { Random } from './random.ts';
import { playRound } from './round.ts';
import { ChaosWorld } from './world.ts';

/** Milliseconds after which no further round is begun: `npm run chaos` is for whoever has more time. */
const BUDGET_MS = 40_000;

/** One round of each fault in the order of the seed, in one world, while there is time; a fault that found something ends it. */
export async function playAll(t: Test, faults: readonly Fault[]): Promise<void> {
  const seed = process.env['CHAOS_SEED'] ?? String(Date.now() % 1_000_000);
  t.comment(`seed ${seed} (CHAOS_SEED)`);
  const begun = Date.now();
  const random = new Random(seed);
  const world = await ChaosWorld.open({ random, vmsPerHost: 2 });
  t.teardown(() => world.close());
  let isWhole = true;
  for (const fault of random.shuffled(faults)) {
    const isLate = Date.now() - begun > BUDGET_MS;
    const why = isWhole ? 'the time for this is used up' : 'the world is broken already';
    const skip = !isWhole || isLate ? why : false;
    await t.test(
      `after "${fault.name}" everything is as clients were told`,
      { skip },
      async (t) => {
        const { problems, counts, settleMs } = await playRound(world, fault);
        const { acknowledged, refused, unanswered, migrations } = counts;
        t.comment(
          `${acknowledged} acknowledged, ${refused} refused, ${unanswered} unanswered, ${migrations} migrations, ${settleMs} ms`,
        );
        t.strictSame(problems, [], `seed ${seed}`);
        t.ok(acknowledged > 0, 'clients were at work');
        isWhole = problems.length === 0;
      },
    );
  }
}

export const skipChaos = natsServerMissing();
