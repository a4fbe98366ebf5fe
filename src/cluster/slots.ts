/** So many at a time; the others wait in their order. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** What gives the place back; `undefined` when none was free in time. */
  async take(timeoutMs: number): Promise<(() => void) | undefined> {
    if (this.#free === 0) {
      const hasPlace = await this.#turn(timeoutMs);
      if (!hasPlace) return undefined;
    } else this.#free -= 1;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
      this.#leave();
    };
  }

  #turn(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const called = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(called);
        resolve(false);
      }, timeoutMs);
      this.#waiting.add(called);
    });
  }

  #leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#free += 1;
  }
}
