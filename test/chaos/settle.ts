import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Outcome } from './client.ts';
import type { ChaosWorld } from './world.ts';

/** Milliseconds after the last fault until nothing may be under way any more. */
const SETTLE_MS = 60_000;

/**
 * Waits until every NATS server and host is whole, and no migration is under way. What is not so in time is returned: the world then
 * says of itself what it waits for.
 */
export async function settle(world: ChaosWorld): Promise<readonly string[]> {
  const deadline = Date.now() + SETTLE_MS;
  try {
    await world.nats.ready(SETTLE_MS);
  } catch (error) {
    return [`NATS does not recover: ${String(error)}`];
  }
  for (;;) {
    const waiting = (await Promise.all(world.hosts.map((host) => waitingOf(host)))).flat();
    if (waiting.length === 0) return [];
    if (Date.now() > deadline) return waiting.map((text) => `after ${SETTLE_MS} ms: ${text}`);
    await sleep(100);
  }
}

async function waitingOf(host: ChaosWorld['hosts'][number]): Promise<readonly string[]> {
  const { name, url } = host;
  const ready = await ask(url, 'GET', '/readyz');
  if (ready.kind !== 'done') return [`host ${name} is not ready (${ready.code})`];
  const waiting: string[] = [];
  for (const [kind, isUnderWay] of [
    ['migrations', 'running'],
    ['arrivals', 'prepared'],
  ] as const) {
    const listed = await listOf(url, name, `/v1/${kind}`);
    if (listed === undefined) return [`host ${name} does not list its ${kind}`];
    for (const { id, vm, state } of listed) {
      if (state !== isUnderWay) continue;
      const source = await ask(url, 'GET', `/v1/migrations/${String(id)}`);
      const seen = JSON.stringify(source.kind === 'done' ? source.body : source);
      waiting.push(`host ${name}: ${kind} ${id} of ${JSON.stringify(vm)} is ${state}: ${seen}`);
    }
  }
  return waiting;
}

/** All items of a list of one host, asked of that host, by `asking`; undefined where it does not answer. */
export async function listOf(
  url: string,
  host: string,
  path: string,
  asking: (url: string, method: 'GET', path: string) => Promise<Outcome> = ask,
): Promise<readonly Record<string, unknown>[] | undefined> {
  const items: Record<string, unknown>[] = [];
  let cursor = '';
  do {
    const outcome = await asking(url, 'GET', `/hosts/${host}${path}?limit=100${cursor}`);
    if (outcome.kind !== 'done') return undefined;
    items.push(...(outcome.body['items'] as Record<string, unknown>[]));
    const { next } = outcome.body;
    cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
  } while (cursor !== '');
  return items;
}
