import type { VirtualClock } from '../../core/clock.ts';

/** Turns of the event loop after which something has stopped moving. */
const TURNS = 20_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Lets things happen until `promise` has ended and `isQuiet`: all that is ready, then the next timer of the clock, and so on.
 * Gives `undefined` when it never ends.
 */
export async function settle<T>(
  clock: VirtualClock,
  promise: Promise<T>,
  isQuiet: () => boolean,
): Promise<Outcome<T> | undefined> {
  let outcome: Outcome<T> | undefined;
  promise.then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  for (let i = 0; i < TURNS; i += 1) {
    await turn();
    const quiet = isQuiet();
    if (outcome !== undefined && quiet) return outcome;
    const next = clock.nextAt();
    // What is under way by promises alone needs a turn, not time.
    if (next !== undefined && i % 2 === 1) clock.advanceTo(next);
  }
  return undefined;
}
