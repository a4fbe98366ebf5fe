/**
 * Sequences of OIDs that stay synchronous until something pends: a generator yields promises only, and {@link drive}
 * makes a promise of the whole only when there was one to wait for.
 */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

export type MaybePromise<T> = T | Promise<T>;

/**
 * `yield* settled(x)` inside steps: the value of `x`, waiting only if it is a promise. Operations that come most often look
 * for the promise themselves, which spares a generator in which nothing waits.
 */
export function* settled<T>(value: MaybePromise<T>): Steps<T> {
  if (value instanceof Promise) return (yield value) as T;
  return value;
}

/** Runs steps to their end: the result itself when nothing was waited for, else a promise of it. */
export function drive<T>(steps: Steps<T>): MaybePromise<T> {
  const first = steps.next();
  return first.done === true ? first.value : wait(steps, first.value);
}

async function wait<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let waiting = first;
  for (;;) {
    let next: IteratorResult<Promise<unknown>, T>;
    try {
      next = steps.next(await waiting);
    } catch (error) {
      next = steps.throw(error);
    }
    if (next.done === true) return next.value;
    waiting = next.value;
  }
}
