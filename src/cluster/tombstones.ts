import { MARKS_KEPT_MS } from './moment.ts';

/**
 * Marks of deleted keys. They refuse what a process that is the host no more may still have on the way, and go when
 * nothing can be on the way any longer.
 */
const ROUND_MS = 300_000;

export class Tombstones {
  readonly #erase: (key: string, revision: number) => Promise<void>;
  /** In the order of their ages. */
  readonly #marks = new Map<string, { readonly revision: number; readonly since: number }>();
  readonly #timer: NodeJS.Timeout;

  /** `erase` removes one message, if it is still the last of its key. */
  constructor(erase: (key: string, revision: number) => Promise<void>) {
    this.#erase = erase;
    this.#timer = setInterval(() => void this.#round(), ROUND_MS);
    this.#timer.unref();
  }

  /** `since`: milliseconds, when the key was deleted. */
  add(key: string, revision: number, since = Date.now()): void {
    this.#marks.delete(key);
    this.#marks.set(key, { revision, since });
  }

  /** Erases what is old enough, now. */
  async #round(): Promise<void> {
    const before = Date.now() - MARKS_KEPT_MS;
    for (const [key, { revision, since }] of this.#marks) {
      if (since > before) continue;
      try {
        await this.#erase(key, revision);
        if (this.#marks.get(key)?.revision === revision) this.#marks.delete(key);
      } catch {
        return;
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#marks.clear();
  }
}
