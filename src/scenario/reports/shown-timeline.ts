import { createHash } from 'node:crypto';
import type { ScenarioOutcome } from '../outcome.ts';
import type { TimelineLine } from '../recorder.ts';

export interface ReportOptions {
  /** Every line of every timeline; default only of those that failed, or are not long. */
  readonly allLines?: boolean;
}

/** What a report has of a timeline. */
export interface ShownTimeline {
  readonly first: readonly TimelineLine[];
  /** Lines between {@link first} and {@link last}, 0 when all are there. */
  readonly leftOut: number;
  readonly last: readonly TimelineLine[];
}

/** Longest timeline of a scenario that passed that a report has whole: a report of many is to be opened, mailed and kept. */
const LONG = 6_000;
const FIRST_LINES = 1_000;
const LAST_LINES = 500;

/** Whole when it is not long or somebody has to find out why it failed, else its beginning and its end. */
export function shownTimeline(
  { ok, timeline }: ScenarioOutcome,
  { allLines = false }: ReportOptions,
): ShownTimeline {
  if (!ok || allLines || timeline.length <= LONG) return { first: timeline, leftOut: 0, last: [] };
  return {
    first: timeline.slice(0, FIRST_LINES),
    leftOut: timeline.length - FIRST_LINES - LAST_LINES,
    last: timeline.slice(-LAST_LINES),
  };
}

/** A shorter timeline is repeated where it belongs. */
const SHARED_LINES = 100;

/** Finds timelines that a report has already: the same file under another profile mostly does the same. */
export class SharedTimelines {
  readonly #firsts = new Map<string, number>();

  /** Index of the first scenario whose timeline has this text; `undefined`: this one is the first. */
  earlier(index: number, lines: number, text: string): number | undefined {
    if (lines <= SHARED_LINES) return undefined;
    const digest = createHash('sha256').update(text).digest('base64');
    const found = this.#firsts.get(digest);
    if (found === undefined) this.#firsts.set(digest, index);
    return found;
  }
}
