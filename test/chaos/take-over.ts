import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './client.ts';
import type { Load } from './load.ts';
import type { ChaosWorld } from './world.ts';

const SETTING = 'Chaos_PortSettingData';
/** Milliseconds from SIGCONT until a process that is the host no more must have ended: a drain takes up to 10 s. */
const END_WITHIN_MS = 20_000;

/**
 * Stops a host past its lease while a second process becomes it, then lets the first go on: it has lost the right to write. Whatever it
 * still acknowledges then would be lost, so it must acknowledge nothing, and end.
 */
export async function takeOver(world: ChaosWorld, load: Load): Promise<readonly string[]> {
  const departure = await load.nextDeparture(4_000);
  const host = world.host(departure?.from ?? 'a');
  const first = host.process;
  const oldUrl = host.url;
  // It is to end by itself, with an error.
  first?.expectEnd();
  if (first === undefined) return [`host ${host.name} does not run`];
  const problems: string[] = [];
  first.pause();
  // Requests that it has taken and not looked at.
  const held = write(world, oldUrl);
  const { process: second, url } = await host.startOne();
  if (url === undefined) {
    first.resume();
    return [`no second process became host ${host.name}: ${second.log.slice(-1_000)}`];
  }
  host.become(second, url);
  first.resume();
  const after = write(world, oldUrl);
  const ending = await Promise.race([first.ended, sleep(END_WITHIN_MS, undefined, { ref: false })]);
  for (const outcome of await Promise.all([...held, ...after])) {
    if (outcome.kind === 'done') {
      problems.push(`a process that was host ${host.name} no more acknowledged a change`);
    }
  }
  if (ending === undefined) {
    problems.push(`a process that was host ${host.name} no more did not end: ${first.log}`);
    await first.kill('SIGKILL');
  } else if (ending.code === 0 || ending.signal !== null) {
    problems.push(`it ended with ${ending.code ?? ending.signal}, not with an error`);
  }
  // Only the first was to end.
  if (problems.length > 0) problems.push(`(it said ${first.log})`);
  return problems;
}

/** Changes of every VM, asked of the process at this address; nobody else knows of them. */
function write({ vms, random }: ChaosWorld, url: string) {
  return vms.map(({ id }) =>
    ask(url, 'POST', `/v1/vms/${id}/adapters/nic/properties`, {
      feature: SETTING,
      // Above all that the load writes: found afterwards, it is known where it came from.
      settings: { Value: 1_000_000_000 + random.below(1_000_000) * 10 },
    }),
  );
}
