import type { VirtualClock } from '../core/clock.ts';

/** Node's timers take at most a signed 32-bit number of milliseconds, about 25 days, and fire at once beyond it. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Moves a virtual clock along with the machine's: up to date whenever it is read, awake when a timer is due. */
export class WallDriver {
  readonly #clock: VirtualClock;
  readonly #offsetMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isOpening = true;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - performance.now();
    clock.source = () => this.#wallMs();
    clock.onTimerSet = () => this.#arm();
  }

  /** Whole milliseconds: what people and traces read. */
  #wallMs(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = this.#clock.nextAt();
    if (at === undefined) return;
    // A longer wait than Node can count wakes up once in between.
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(at - this.#clock.now())));
    this.#timer = setTimeout(() => {
      this.#clock.advanceTo(this.#wallMs());
      this.#arm();
    }, waitMs);
    // A pended OID alone keeps no program alive; but a world that is being opened has nothing else that does.
    if (!this.#isOpening) this.#timer.unref();
  }

  /** The world is open: from here on its timers keep no program alive. */
  opened(): void {
    this.#isOpening = false;
    this.#timer?.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#clock.onTimerSet = undefined;
    this.#clock.source = undefined;
  }
}
