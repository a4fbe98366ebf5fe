import type { MaybePromise } from '../../switch/steps.ts';

/** Operations on one object, one after the other in the order they came; at once and synchronously when nothing runs. */
export class TurnQueue {
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #draining = false;

  run<T>(operation: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#busy) return this.#later(operation);
    this.#busy = true;
    let result: MaybePromise<T>;
    try {
      result = operation();
    } catch (error) {
      this.#leave();
      throw error;
    }
    if (result instanceof Promise) return this.#leaveAfter(result);
    this.#leave();
    return result;
  }

  #later<T>(operation: () => MaybePromise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          const result = this.run(operation);
          if (result instanceof Promise) result.then(resolve, reject);
          else resolve(result);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  async #leaveAfter<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } finally {
      this.#leave();
    }
  }

  /** In a loop, since each of those that wait may end at once. */
  #leave(): void {
    this.#busy = false;
    if (this.#draining || this.#waiting.length === 0) return;
    this.#draining = true;
    while (!this.#busy) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
    this.#draining = false;
  }
}
