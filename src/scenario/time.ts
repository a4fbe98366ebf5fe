import type { VirtualClock } from '../core/clock.ts';

/** Turns of the event loop that work gets before time moves on: enough for promises of extensions to settle. */
const TURNS = 4;
/** Virtual time one step may take. */
const LONGEST_MS = 3_600_000;
/** Real time in which nothing at all may happen before a step counts as stuck. */
const STUCK_AFTER_MS = 30_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/**
 * Lets virtual time pass until `work` is done: when nothing moves any more, the next timer is due. Nothing is due while
 * `isBusy`: disks and networks have a time of their own. Throws when an hour of virtual time was not enough, or nothing will ever end it:
 * `activity`, which counts what happens, stands still. `waitsUntil`: to which time a step has asked to wait, however long.
 */
export async function untilDone<T>(
  work: Promise<T>,
  clock: VirtualClock,
  isBusy: () => boolean,
  activity: () => number,
  waitsUntil: () => number,
): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  work.then(done, done);
  const begun = clock.now();
  let idleSince: number | undefined;
  let seen = activity();
  for (;;) {
    for (let i = 0; i < TURNS; i += 1) {
      if (isDone) return work;
      await turn();
    }
    if (isDone) return work;
    const nextAt = clock.nextAt();
    if (isBusy() || nextAt === undefined) {
      const now = activity();
      if (now !== seen) idleSince = undefined;
      seen = now;
      idleSince ??= Date.now();
      if (Date.now() - idleSince > STUCK_AFTER_MS) {
        throw new Error('it does not end: nothing is left that could end it');
      }
      await pause();
      continue;
    }
    idleSince = undefined;
    if (nextAt - Math.max(begun, waitsUntil()) > LONGEST_MS) {
      throw new Error(`it did not end in ${LONGEST_MS / 1000} s of virtual time`);
    }
    clock.advanceTo(nextAt);
  }
}
