import { firstLine } from './legible-error.ts';
import { harmless, type Terminal } from './terminal.ts';

/** While extensions are played: what they throw where nobody looks is noted, and ends neither the run nor its report. */
export class StrayNotes {
  /** Exceptions, which would have stopped a host; dropped promises would not. */
  exceptions = 0;
  readonly #onRejection: (error: unknown) => void;
  readonly #onException: (error: unknown) => void;

  constructor(terminal: Terminal) {
    this.#onRejection = (error) =>
      terminal.note(harmless(`a promise was rejected and nobody looked: ${firstLine(error)}`));
    this.#onException = (error) => {
      this.exceptions += 1;
      terminal.note(harmless(`an exception was thrown where nobody looks: ${firstLine(error)}`));
    };
    process.on('unhandledRejection', this.#onRejection);
    process.on('uncaughtException', this.#onException);
  }

  end(): void {
    process.off('unhandledRejection', this.#onRejection);
    process.off('uncaughtException', this.#onException);
  }
}
