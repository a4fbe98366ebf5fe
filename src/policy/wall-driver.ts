import { performance } from 'node:perf_hooks';
import type { VirtualClock } from '../core/clock.ts';

/** Node's timers take at most a signed 32-bit number of milliseconds, about 25 days, and fire at once beyond it. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Moves a virtual clock along with the machine's: up to date whenever it is read, awake when a timer is due. */
export class WallDriver {
  readonly #clock: VirtualClock;
  #offsetMs: number;
  #isFrozen = false;
  #timer: NodeJS.Timeout | undefined;
  #isOpening = true;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - performance.now();
    clock.source = () => this.#wallMs();
    clock.onTimerSet = () => this.#arm();
    clock.onNothingAwaited = () => this.#letEnd();
  }

  /** Whole milliseconds: what people and traces read. */
  #wallMs(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const at = this.#clock.nextAt();
    if (at === undefined || this.#isFrozen) return;
    // A longer wait than Node can count wakes up once in between.
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(at - this.#clock.now())));
    this.#timer = setTimeout(() => {
      this.#clock.advanceTo(this.#wallMs());
      this.#arm();
    }, waitMs);
    this.#letEnd();
  }

  /** An OID in flight keeps a program alive as input and output do, and so does a world being opened; nothing else does. */
  #letEnd(): void {
    if (!this.#isOpening && !this.#clock.isAwaited) this.#timer?.unref();
  }

  /** Time stands still. */
  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Time stands still from now on; timers fire when somebody else moves the clock. */
  freeze(): void {
    if (this.#isFrozen) return;
    // Up to date, so that it does not go back by what nobody has read yet.
    this.#clock.now();
    this.#isFrozen = true;
    this.#clock.source = undefined;
    clearTimeout(this.#timer);
  }

  /** Goes on at the machine's pace from where the clock stands. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#offsetMs = this.#clock.now() - performance.now();
    this.#clock.source = () => this.#wallMs();
    this.#arm();
  }

  opened(): void {
    this.#isOpening = false;
    this.#letEnd();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#clock.onTimerSet = undefined;
    this.#clock.onNothingAwaited = undefined;
    this.#clock.source = undefined;
  }
}
