import type { Breach } from './breach.ts';
import type { SweptExtension } from './effects.ts';
import type { PassedSite, SweepFault } from './fault.ts';

/** What came of one run. */
export interface Played {
  /** Places it passed, in order. */
  readonly passed: readonly PassedSite[];
  /** Every fault of it was met. */
  readonly met: boolean;
  readonly breaches: readonly Breach[];
}

/** Something that can be played any number of times, each time the same but for its faults: a scenario, a stage. */
export interface SweepSubject {
  /** Of several: what tells it from the others. Empty when there is one. */
  readonly name: string;
  readonly title: string;
  readonly seed: string;
  /** What people call an extension. */
  called(id: string): string;
  /** By id or name. */
  extension(idOrName: string): SweptExtension | undefined;
  /** Plays it with these faults. First of all it is played without any: later runs are judged by that. */
  play(chain: readonly SweepFault[]): Promise<Played>;
}
