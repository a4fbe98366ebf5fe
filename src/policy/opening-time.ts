import { settle } from './sim-time.ts';
import type { World } from './world.ts';

/**
 * Does `work` on a world whose clock stands still and that nobody can move yet, since the world is only being opened: whenever
 * everything waits for a limit (an extension that holds an OID, a write that a fault delays), time moves on to it. Timers that
 * nobody waits for do not make it move.
 */
export async function movingTime(world: World, work: () => Promise<void>): Promise<void> {
  let isOver = false;
  const done = work().finally(() => {
    isOver = true;
  });
  // Whoever awaits it is told; here it only ends the loop.
  const ended = done.catch(() => undefined);
  while (!isOver) {
    await settle(world);
    if (isOver) break;
    const { clock } = world;
    const next = clock.isAwaited ? clock.nextAt() : undefined;
    if (next === undefined) await Promise.race([ended, nextTurn()]);
    else clock.advanceTo(next);
  }
  await done;
}

/** Keeps no program alive in which nothing else goes on. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1).unref());
