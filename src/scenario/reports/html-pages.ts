import type { TimelineLine } from '../recorder.ts';

/** Part of a long timeline that is opened by itself. */
export interface TimelinePage {
  readonly lines: readonly TimelineLine[];
  /** Number of its first line, from 1. */
  readonly from: number;
  /** Title of the step that it goes on with, when it does not begin with one. */
  readonly goesOn?: string;
}

/** Lines on one page. */
const PAGE_LINES = 500;
/** A step is not parted before this many, so that what it did stands under it. */
const MOST_LINES = 1000;

/** A timeline in pages that begin with a step; a short one is a single page. */
export function pagesOf(timeline: readonly TimelineLine[]): TimelinePage[] {
  if (timeline.length <= 3 * PAGE_LINES) return [{ lines: timeline, from: 1 }];
  const pages: TimelinePage[] = [];
  let from = 0;
  let step = '';
  let goesOn: string | undefined;
  for (const [at, line] of timeline.entries()) {
    const count = at - from;
    const isFull = count >= (line.kind === 'step' ? PAGE_LINES : MOST_LINES);
    if (isFull) {
      pages.push(pageOf(timeline.slice(from, at), from, goesOn));
      from = at;
      goesOn = line.kind === 'step' ? undefined : step;
    }
    if (line.kind === 'step') step = line.title;
  }
  pages.push(pageOf(timeline.slice(from), from, goesOn));
  return pages;
}

function pageOf(
  lines: readonly TimelineLine[],
  from: number,
  goesOn: string | undefined,
): TimelinePage {
  return { lines, from: from + 1, ...(goesOn === undefined ? {} : { goesOn }) };
}

/** What a page is about, in a line: where it is, from which step to which, when, and what in it did not go well. */
export function titleOfPage({ lines, from, goesOn }: TimelinePage): {
  readonly text: string;
  readonly steps: string;
  readonly failed: number;
  readonly refused: number;
} {
  const titles: string[] = goesOn === undefined ? [] : [`${goesOn}, continued`];
  let failed = 0;
  let refused = 0;
  for (const line of lines) {
    if (line.kind === 'step') {
      titles.push(line.title);
      if (line.state === 'failed') failed += 1;
    } else if (line.kind === 'oid' && isRefused(line)) refused += 1;
  }
  const [first = ''] = titles;
  const last = titles.at(-1) ?? first;
  return {
    text: `${from}–${from + lines.length - 1} · ${lines[0]?.time ?? 0}–${lines.at(-1)?.time ?? 0} ms`,
    steps: first === last ? first : `${first} … ${last}`,
    failed,
    refused,
  };
}

/** The request failed, and not only to say that there is nothing to say. */
export function isRefused({
  requestType,
  status,
}: Extract<TimelineLine, { readonly kind: 'oid' }>): boolean {
  if (requestType === 'indication') return false;
  return !/^NDIS_STATUS_(?:SUCCESS|LINK_STATE|NETWORK_CHANGE)$/.test(status);
}
