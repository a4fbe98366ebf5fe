/** One moment on both clocks: the monotonic one may stand still while the machine sleeps, the other may be set back. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

/** Milliseconds since then by the clock that has gone farther. */
export function since({ monotonic, wall }: Moment): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}

/**
 * Marks that refuse the late messages of a process that is the host no more (openings of ended epochs, tombstones) are kept for
 * this long.
 */
export const MARKS_KEPT_MS = 4 * 3_600_000;
/**
 * A process that has had no sign for this long that it is the host asks before it writes. With the time that a write is sent again
 * and again ({@link RESENT_MOST_MS}) it is less than {@link MARKS_KEPT_MS}: nothing of it meets a place whose mark is gone.
 */
export const SURE_MS = 3_600_000;
export const RESENT_MOST_MS = 2 * 3_600_000;
