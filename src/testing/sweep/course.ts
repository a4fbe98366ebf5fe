import type { StateLines } from '../simulation/state-lines.ts';
import { firstDifference } from './world-state.ts';

/** What management shows before a change and after it. */
interface Change {
  readonly before: StateLines;
  after?: StateLines;
}

/**
 * What each change of the run without a fault changed. Up to its first fault every run is that one, so a change in which a host
 * dies is known from both sides.
 */
export class Course {
  readonly #changes = new Map<number, Change>();

  begins(number: number, before: StateLines): void {
    this.#changes.set(number, { before });
  }

  ends(number: number, after: StateLines): void {
    const change = this.#changes.get(number);
    if (change !== undefined) change.after = after;
  }

  change(number: number): Required<Change> | undefined {
    const { before, after } = this.#changes.get(number) ?? {};
    return before === undefined || after === undefined ? undefined : { before, after };
  }

  /** Those that were done, from this one on. */
  from(number: number): readonly Required<Change>[] {
    return [...this.#changes.keys()].flatMap((each) =>
      each < number ? [] : (this.change(each) ?? []),
    );
  }
}

/** How much of a change there is when its host has died in it and was opened again. */
export interface Survival {
  /** All of it, nothing, or a part, as a change of several writes may leave it. */
  readonly has: 'all' | 'nothing' | 'part';
  /** What must not be, for people. */
  readonly wrong?: string;
}

/**
 * What was acknowledged before a host died is there: all that the change did not touch, and the change itself when it had come to
 * its end (`isDone`). What it touched is as it was or as it was to be.
 */
export function survivalOf(
  { before, after }: Required<Change>,
  found: StateLines,
  isDone: boolean,
): Survival {
  const missing = firstDifference(after, found, 'was', 'is ');
  if (missing === undefined) return { has: 'all' };
  if (isDone) return { has: 'part', wrong: `what was acknowledged is lost: ${missing}` };
  if (firstDifference(before, found) === undefined) return { has: 'nothing' };
  for (const [key, line] of before) {
    const is = found.get(key);
    if (after.get(key) !== line || is === line) continue;
    const wrong = `what another change had been acknowledged for is lost: ${key}\n  was ${line}\n  is  ${is ?? 'nothing'}`;
    return { has: 'part', wrong };
  }
  for (const [key, line] of found) {
    const [was, willBe] = [before.get(key), after.get(key)];
    if (line === was || line === willBe) continue;
    const wrong = `half of it is there: ${key}\n  was     ${was ?? 'nothing'}\n  was to be ${willBe ?? 'nothing'}\n  is      ${line}`;
    return { has: 'part', wrong };
  }
  return { has: 'part' };
}
