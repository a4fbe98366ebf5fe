import type { ProfileName } from '../policy/api.ts';
import type { PolicyChange, PolicySet } from './policies.ts';
import type { TimelineLine } from './recorder.ts';

/** How one step of the file went; the steps inside a block are in the timeline. */
export interface StepOutcome {
  readonly verb: string;
  readonly title: string;
  readonly line: number;
  readonly column: number;
  readonly state: 'passed' | 'failed' | 'notRun';
  /** What went wrong, or what there is to say. */
  readonly message?: string;
}

/** How one invariant stands at the end. */
export interface CheckOutcome {
  readonly name: 'noPolicyLost' | 'noFindings';
  readonly ok: boolean;
  readonly message?: string;
}

/** What came of one scenario, or one cell of its matrix. Plain data: it travels between threads and into reports. */
export interface ScenarioOutcome {
  readonly name: string;
  readonly description?: string;
  readonly file: string;
  /** Cell of the matrix, empty when there is one. */
  readonly cell: string;
  readonly profile?: ProfileName;
  readonly seed: string;
  readonly ok: boolean;
  /** The scenario shows a failure and failed as it should. */
  readonly failedAsExpected?: string;
  /** Why it is not ok: a wrong file, a host that could not be set up, a failed step or check. */
  readonly failure?: { readonly in: string; readonly message: string; readonly line: number };
  readonly steps: readonly StepOutcome[];
  readonly checks: readonly CheckOutcome[];
  readonly policies: {
    readonly before: PolicySet;
    readonly after: PolicySet;
    readonly diff: readonly PolicyChange[];
  };
  readonly timeline: readonly TimelineLine[];
  /** OIDs and indications of all hosts. */
  readonly traceEntries: number;
  /** SHA-256 of the trace: the same for the same seed. */
  readonly traceSha256: string;
  /** Real milliseconds; no report that has to be repeatable has it. */
  readonly durationMs: number;
  /** Virtual milliseconds. */
  readonly virtualMs: number;
}
