/** A pending timer; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The clock of a world: virtual milliseconds. Nothing under `switch/` knows another one (design.md 2). */
export interface Clock {
  /** Virtual time in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /**
   * Calls `fire` once when `delayMs` (>= 0) have passed. `isAwaited`: it is the limit of something that a caller waits for, so
   * a program in which nothing else goes on must not end before it.
   */
  after(delayMs: number, fire: () => void, isAwaited?: boolean): Timer;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  readonly isAwaited: boolean;
  live: boolean;
}

/**
 * Time that moves only when told to. Timers fire in order of their time, then in the order they were set.
 * A live server moves it along with the wall clock ({@link WallDriver}); tests move it by hand.
 */
export class VirtualClock implements Clock {
  #nowMs: number;
  #order = 0;
  #entries: Entry[] = [];
  #awaited = 0;
  /** Where time comes from while a driver moves it along: virtual ms now. */
  source: (() => number) | undefined;
  /** Called after a timer was set, so that a driver can wake up in time. */
  onTimerSet: ((atMs: number) => void) | undefined;

  /** Called when the last timer that somebody waits for is gone. */
  onNothingAwaited: (() => void) | undefined;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  now(): number {
    // Never back, and never past a timer that has not fired yet.
    const source = this.source;
    if (source !== undefined) {
      const wall = source();
      const limit = this.#entries[0]?.at ?? wall;
      if (wall > this.#nowMs) this.#nowMs = Math.max(this.#nowMs, Math.min(wall, limit));
    }
    return this.#nowMs;
  }

  /** Whether a timer is set whose end somebody waits for. */
  get isAwaited(): boolean {
    return this.#awaited > 0;
  }

  after(delayMs: number, fire: () => void, isAwaited = false): Timer {
    const entry: Entry = {
      at: this.now() + Math.max(0, delayMs),
      order: this.#order,
      fire,
      isAwaited,
      live: true,
    };
    if (isAwaited) this.#awaited += 1;
    this.#order += 1;
    let i = this.#entries.length;
    while (i > 0 && (this.#entries[i - 1] as Entry).at > entry.at) i -= 1;
    this.#entries.splice(i, 0, entry);
    this.onTimerSet?.(entry.at);
    return {
      cancel: () => {
        if (!entry.live) return;
        this.#end(entry);
        const at = this.#entries.indexOf(entry);
        if (at >= 0) this.#entries.splice(at, 1);
      },
    };
  }

  #end(entry: Entry): void {
    entry.live = false;
    if (!entry.isAwaited) return;
    this.#awaited -= 1;
    if (this.#awaited === 0) this.onNothingAwaited?.();
  }

  /** Time of the next timer, or `undefined`. */
  nextAt(): number | undefined {
    return this.#entries[0]?.at;
  }

  /** Moves time forward by `ms`, firing every timer on the way at its own time. */
  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }

  /** Moves time forward to `atMs`; earlier times are ignored. */
  advanceTo(atMs: number): void {
    for (;;) {
      const next = this.#entries[0];
      if (next === undefined || next.at > atMs) break;
      this.#entries.shift();
      this.#end(next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.fire();
    }
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }
}
