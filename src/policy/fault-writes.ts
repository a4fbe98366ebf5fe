import type { Clock, Timer } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Store, StoreOp } from '../store/store.ts';
import type { WorldFaults } from './world-faults.ts';

/** A write that waits: for its time, or for those before it. */
interface HeldWrite {
  readonly ops: readonly StoreOp[];
  timer: Timer | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What a world writes on its way to the store, which may be any: where a fault says so it fails as on a full disk, with what is
 * called before that is known, reaches the store later, or is the last thing the world does. What is written meanwhile waits behind it, since writes become visible in the order they were called.
 */
export class FaultableWrites implements Pick<Store, 'write'> {
  readonly #store: Store;
  readonly #faults: WorldFaults;
  readonly #clock: Clock;
  #held: HeldWrite[] = [];
  /** A write that fails, and those called before that is known. */
  readonly #failing: (() => void)[] = [];

  constructor(store: Store, faults: WorldFaults, clock: Clock) {
    this.#store = store;
    this.#faults = faults;
    this.#clock = clock;
  }

  /** Writes wait for virtual time to pass. */
  get isWaiting(): boolean {
    return this.#held.length > 0;
  }

  write(ops: readonly StoreOp[]): Promise<void> | undefined {
    const rule = this.#faults.write(ops);
    const effect = rule?.options.effect;
    if (effect === 'crash') return Promise.reject(this.#died());
    if (this.#failing.length > 0) return this.#fail('the write before it failed');
    switch (effect) {
      case 'crashAnswered':
        return this.#dieAfter(this.#pass(ops));
      case 'fail':
        return this.#fail(`fault rule ${rule?.id} was met: no space left on device`);
      case 'delay':
        return this.#hold(ops, rule?.options.delayMs);
      default:
        return this.#pass(ops);
    }
  }

  /** To the store, behind what waits. */
  #pass(ops: readonly StoreOp[]): Promise<void> | undefined {
    return this.#held.length > 0 ? this.#hold(ops, undefined) : this.#store.write(ops);
  }

  #died(): ExtSwitchError {
    this.#faults.crash();
    return new ExtSwitchError('STORE_UNAVAILABLE', 'the host died');
  }

  async #dieAfter(written: Promise<void> | undefined): Promise<void> {
    // Of a store that writes at once nothing may be called in between.
    if (written !== undefined) await written;
    throw this.#died();
  }

  /** The contract of every store: what is queued behind a write that fails rejects with it. */
  #fail(message: string): Promise<void> {
    if (this.#failing.length === 0) {
      queueMicrotask(() => {
        for (const reject of this.#failing.splice(0)) reject();
      });
    }
    return new Promise((_resolve, refuse) => {
      this.#failing.push(() => refuse(new ExtSwitchError('STORE_UNAVAILABLE', message)));
    });
  }

  #hold(ops: readonly StoreOp[], delayMs: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const held: HeldWrite = { ops, timer: undefined, resolve, reject };
      this.#held.push(held);
      if (delayMs === undefined) return;
      const due = (): void => {
        held.timer = undefined;
        this.#release();
      };
      held.timer = this.#clock.after(delayMs, due, true);
    });
  }

  /** Those at the head whose time has come. */
  #release(): void {
    while (this.#held[0] !== undefined && this.#held[0].timer === undefined) {
      const { ops, resolve, reject } = this.#held.shift() as HeldWrite;
      try {
        const written = this.#store.write(ops);
        if (written === undefined) resolve();
        else written.then(resolve, reject);
      } catch (error) {
        reject(error);
      }
    }
  }

  /** Whatever waits is written now: its time does not come any more. */
  flush(): void {
    for (const held of this.#held) {
      held.timer?.cancel();
      held.timer = undefined;
    }
    this.#release();
  }
}
