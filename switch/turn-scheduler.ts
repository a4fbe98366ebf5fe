import type { Rng } from '../src/core/rng.ts';
import type { MaybePromise } from './steps.ts';

/** Microtasks between the end of a turn and the choice of the next: who just had one gets as far as asking again. */
const GATHERING = 16;
/** Waiting for it takes one microtask, and needs no promise of its own. */
const KEPT = Promise.resolve();

/**
 * Seeded scheduling: of all operations that could send their next OID now, the seed picks one. Operations of one owner run one
 * after the other, and one turn at a time is out.
 */
export class TurnScheduler {
  readonly #rng: Rng;
  /** Those that ask for a turn. */
  readonly #asking: (() => void)[] = [];
  /** The last operation of each owner; the next one follows it. */
  readonly #last = new Map<object, Promise<unknown>>();
  #isOut = false;
  #isChoosing = false;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  get waiting(): number {
    return this.#asking.length;
  }

  /** Runs `operation` after those of the same owner that came before. */
  run<T>(operation: () => MaybePromise<T>, owner: object | undefined): Promise<T> {
    const before = owner === undefined ? undefined : this.#last.get(owner);
    // Never at once, so that operations asked for together start on equal terms.
    const running = (before ?? Promise.resolve()).then(operation, operation);
    if (owner === undefined) return running;
    this.#last.set(owner, running);
    const forget = (): void => {
      if (this.#last.get(owner) === running) this.#last.delete(owner);
    };
    running.then(forget, forget);
    return running;
  }

  /** Waits for a turn, runs `act` and keeps the turn until its result is there. */
  async inTurn<T>(act: () => MaybePromise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#asking.push(resolve);
      this.#chooseSoon();
    });
    try {
      return await act();
    } finally {
      this.#isOut = false;
      this.#chooseSoon();
    }
  }

  #chooseSoon(): void {
    if (this.#isOut || this.#isChoosing) return;
    this.#isChoosing = true;
    void this.#gather();
  }

  /** Each `await` is one microtask, as `queueMicrotask` is, without a closure and a resource of async hooks for every one. */
  async #gather(): Promise<void> {
    for (let left = GATHERING; left > 0; left -= 1) await KEPT;
    this.#choose();
  }

  #choose(): void {
    this.#isChoosing = false;
    if (this.#isOut || this.#asking.length === 0) return;
    const count = this.#asking.length;
    const at = count === 1 ? 0 : Math.floor(this.#rng.float() * count);
    const [chosen] = this.#asking.splice(at, 1);
    this.#isOut = true;
    chosen?.();
  }
}
