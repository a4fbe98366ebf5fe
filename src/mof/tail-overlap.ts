import type { MemberPlan } from './feature-plan.ts';
import type { TailListener } from './member-reader.ts';

/** Two tails of one buffer that share bytes, which no writer of ours does; offsets from the start of the class. */
export interface TailOverlap {
  readonly first: string;
  readonly second: string;
  readonly offset: number;
  readonly sizeBytes: number;
}
export type OverlapListener = (overlap: TailOverlap) => void;

interface Tail {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Collects the tails of one buffer and tells of neighbours that share bytes (management.md 2.5). */
export function overlapFinder(): {
  readonly add: TailListener;
  readonly report: (listener: OverlapListener) => void;
} {
  const tails: Tail[] = [];
  return {
    add(m: MemberPlan, start: number, sizeBytes: number): void {
      tails.push({ name: m.name, start, end: start + sizeBytes });
    },
    report(listener: OverlapListener): void {
      tails.sort((a, b) => a.start - b.start || a.end - b.end);
      let reaching: Tail | undefined;
      for (const tail of tails) {
        if (reaching !== undefined && tail.start < reaching.end) {
          listener({
            first: reaching.name,
            second: tail.name,
            offset: tail.start,
            sizeBytes: Math.min(tail.end, reaching.end) - tail.start,
          });
        }
        if (reaching === undefined || tail.end > reaching.end) reaching = tail;
      }
    },
  };
}
