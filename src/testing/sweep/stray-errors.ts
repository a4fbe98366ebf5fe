import type { Breach } from './breach.ts';
import { messageOf } from './breach.ts';

/** While a sweep plays: exceptions and rejections that reach nobody are breaches of the run in which they come, not the end. */
export class StrayErrors {
  #found: Breach[] = [];
  readonly #onRejection = (error: unknown): void => this.#note('a promise was rejected', error);
  readonly #onException = (error: unknown): void => this.#note('an exception was thrown', error);

  begin(): void {
    process.on('unhandledRejection', this.#onRejection);
    process.on('uncaughtException', this.#onException);
  }

  end(): void {
    process.off('unhandledRejection', this.#onRejection);
    process.off('uncaughtException', this.#onException);
  }

  /** Since the last call. */
  take(): readonly Breach[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #note(what: string, error: unknown): void {
    this.#found.push({
      invariant: 'process',
      severity: 'error',
      message: `${what} and nobody looked: ${messageOf(error)}`,
    });
  }
}
