import { TimeoutError } from '@nats-io/transport-node';

interface Wait {
  /** Whether the other host is known to be gone. */
  readonly isGone: () => boolean;
  /** Milliseconds that are left then. */
  readonly graceMs: number;
  readonly fail: (error: Error) => void;
  grace: NodeJS.Timeout | undefined;
}

/**
 * Parcels that are being left or fetched. Their servers may answer nothing for long: nobody waits on for a host that is gone, or in one
 * that is the host no more.
 */
export class ParcelWaits {
  readonly #waits = new Set<Wait>();
  #ended: Error | undefined;

  /**
   * What `work` gives. Rejects with `TimeoutError` after `timeoutMs`, `graceMs` after {@link lookAround} has found that `isGone`, and
   * as {@link end} says.
   */
  async during<T>(
    work: Promise<T>,
    timeoutMs: number,
    isGone: () => boolean,
    graceMs: number,
  ): Promise<T> {
    // One that fails later has nobody to tell.
    work.catch(() => undefined);
    if (this.#ended !== undefined) throw this.#ended;
    let wait: Wait | undefined;
    let timer: NodeJS.Timeout | undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new TimeoutError()), timeoutMs);
      wait = { isGone, graceMs, fail: reject, grace: undefined };
      this.#waits.add(wait);
    });
    try {
      return await Promise.race([work, failed]);
    } finally {
      clearTimeout(timer);
      clearTimeout(wait?.grace);
      if (wait !== undefined) this.#waits.delete(wait);
    }
  }

  /** Hosts have come or gone. */
  lookAround(): void {
    for (const wait of this.#waits) {
      if (wait.grace !== undefined || !wait.isGone()) continue;
      const fail = (): void => wait.fail(new Error('it went away, and its parcel does not come'));
      wait.grace = setTimeout(fail, wait.graceMs);
    }
  }

  /** None waits any more, now or later. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const wait of this.#waits) wait.fail(error);
  }
}
