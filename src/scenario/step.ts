import type { Runtime } from './runtime.ts';
import type { Place } from './source-node.ts';

/** One step, checked and with its values: ready to run. */
export interface Step {
  readonly verb: string;
  /** What a person reads: the verb with what it is about, or the step's own `title`. */
  readonly title: string;
  readonly place: Place;
  /** Looks only: what it sees is that of the step before it. */
  readonly looksOnly: boolean;
  /** It runs steps of its own, which report themselves. */
  readonly isBlock: boolean;
  /** Throws when it fails. A text is a note for the report. */
  run(runtime: Runtime): Promise<string | undefined>;
}
