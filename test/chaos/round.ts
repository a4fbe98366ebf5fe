import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './checks.ts';
import { ask } from './client.ts';
import type { Fault } from './faults.ts';
import type { Counts } from './ledger.ts';
import { Load } from './load.ts';
import { listOf, settle } from './settle.ts';
import type { ChaosWorld } from './world.ts';

export interface RoundReport {
  readonly fault: string;
  readonly counts: Counts;
  /** Everything that was not as clients had been told; empty: nothing was lost, torn or mixed up. */
  readonly problems: readonly string[];
  /** From the end of the fault until nothing was under way any more. */
  readonly settleMs: number;
}

/** What helps to find out why. */
async function circumstances(world: ChaosWorld): Promise<readonly string[]> {
  const about = world.hosts.map(async ({ name, url, starts, process }) => {
    const seen = await ask(url, 'GET', '/v1/hosts');
    const members = seen.kind === 'done' ? JSON.stringify(seen.body['items']) : seen.code;
    const arrivals = JSON.stringify(await listOf(url, name, '/v1/arrivals'));
    return `(host ${name}, ${starts} processes started, sees ${members}; arrivals ${arrivals}; said ${process?.log})`;
  });
  const before = await Promise.all(about);
  // What memory says may not be what is stored.
  for (const host of world.hosts) {
    await host.kill();
    await host.start();
    const arrivals = JSON.stringify(await listOf(host.url, host.name, '/v1/arrivals'));
    before.push(`(host ${host.name} started again: arrivals ${arrivals})`);
  }
  return before;
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
  if (problems.length > 0) problems.push(...(await circumstances(world)));
  return { fault: fault.name, counts: load.counts, problems, settleMs };
}
