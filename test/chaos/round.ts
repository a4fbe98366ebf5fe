import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './checks.ts';
import type { Fault } from './faults.ts';
import type { Counts } from './ledger.ts';
import { Load } from './load.ts';
import { settle } from './settle.ts';
import type { ChaosWorld } from './world.ts';

export interface RoundReport {
  readonly fault: string;
  readonly counts: Counts;
  /** Everything that was not as clients had been told; empty: nothing was lost, torn or mixed up. */
  readonly problems: readonly string[];
  /** From the end of the fault until nothing was under way any more. */
  readonly settleMs: number;
}

/** Clients work, something goes wrong, it is mended, clients go on for a moment; then everything is looked at. */
export async function playRound(world: ChaosWorld, fault: Fault): Promise<RoundReport> {
  const { random, vms, hosts } = world;
  const load = new Load({
    hosts,
    vms,
    random,
    isStoreCertain: fault.isStoreCertain === true,
    nextValue: () => world.nextValue(),
  });
  const problems: string[] = [];
  load.start();
  await sleep(random.between(200, 800));
  problems.push(...(await fault.run(world, load)));
  const mendedAt = Date.now();
  await world.heal();
  await sleep(random.between(200, 800));
  await load.stop();
  problems.push(...(await settle(world)));
  const settleMs = Date.now() - mendedAt;
  problems.push(...(await check(world)));
  return { fault: fault.name, counts: load.counts, problems, settleMs };
}
