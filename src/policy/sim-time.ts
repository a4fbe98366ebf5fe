import { ExtSwitchError } from '../core/errors.ts';
import { type TimeControl, type TimeInfo, WARP_LIMIT_MS } from './sim-api.ts';
import type { WallDriver } from './wall-driver.ts';
import type { World } from './world.ts';

/** Moments with timers a warp passes at most: one that always sets the next would never end. */
const MOMENTS = 1_000_000;
/** Turns of the event loop a chain of promises may take before it counts as waiting for something. */
const TURNS = 3;

/** {@link TimeControl} of one world; its calls run one after the other. */
export class SimTime implements TimeControl {
  readonly #world: World;
  readonly #driver: WallDriver | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(world: World, driver: WallDriver | undefined) {
    this.#world = world;
    this.#driver = driver;
  }

  get info(): TimeInfo {
    const { clock } = this.#world;
    const next = clock.nextAt();
    const driver = this.#driver;
    return {
      mode: driver === undefined ? 'manual' : driver.isFrozen ? 'stopped' : 'wall',
      nowMs: clock.now(),
      ...(next === undefined ? {} : { nextTimerMs: next }),
    };
  }

  stop(): Promise<TimeInfo> {
    return this.#inTurn(async () => this.#driver?.freeze());
  }

  async warp(ms: number): Promise<TimeInfo> {
    if (!Number.isSafeInteger(ms) || ms < 0 || ms > WARP_LIMIT_MS) {
      const expected = `a whole number of milliseconds from 0 to ${WARP_LIMIT_MS}`;
      throw new ExtSwitchError('INVALID_ARGUMENT', `warpMs ${ms}: expected ${expected}`, {
        member: 'warpMs',
        expected,
        found: String(ms),
      });
    }
    return this.#inTurn(() => this.#warp(ms));
  }

  async #warp(ms: number): Promise<void> {
    const driver = this.#driver;
    const follows = driver?.isFrozen === false;
    driver?.freeze();
    try {
      await settle(this.#world);
      await this.#advanceTo(this.#world.clock.now() + ms);
    } finally {
      if (follows && !this.#world.isClosed) driver.thaw();
    }
  }

  /** Every moment by itself, so that a timer set by what another one set off is set at the time of that one. */
  async #advanceTo(end: number): Promise<void> {
    const { clock } = this.#world;
    for (let passed = 0; ; passed += 1) {
      if (this.#world.isClosed) {
        throw new ExtSwitchError('SHUTTING_DOWN', 'the world was closed while its time was moved');
      }
      const next = clock.nextAt();
      if (next === undefined || next > end) break;
      if (passed === MOMENTS) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          `the warp ended at ${clock.now()} of ${end} ms after ${MOMENTS} timers: something sets a timer again and again`,
          { member: 'warpMs' },
        );
      }
      clock.advanceTo(next);
      await settle(this.#world);
    }
    clock.advanceTo(end);
  }

  resume(): Promise<TimeInfo> {
    return this.#inTurn(async () => {
      if (this.#driver === undefined) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          'the clock of this world is manual, so it has no wall to follow: move it with warp',
          { member: 'resume' },
        );
      }
      this.#driver.thaw();
    });
  }

  async #inTurn(act: () => Promise<void>): Promise<TimeInfo> {
    const mine = this.#last.then(act);
    this.#last = mine.catch(() => undefined);
    await mine;
    return this.info;
  }
}

/** Everything that needs neither time nor somebody outside has happened: promises, and writes to the store. */
export async function settle({ changes, writes }: World): Promise<void> {
  for (;;) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const { writing } = changes;
    // A fault holds them until time moves.
    if (writing === undefined || writes.isWaiting) return;
    await writing;
  }
}
