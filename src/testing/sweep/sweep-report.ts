import type { ProfileName } from '../../policy/api.ts';
import type { Invariant } from './breach.ts';
import type { SweepEffect } from './effects.ts';

/** A defect that a fault brought to light; the same one seen after many faults is one. */
export interface MishandledFault {
  /** Name of the scenario's cell or of the stage it was first seen in, and its seed. */
  readonly subject: string;
  readonly seed: string;
  /** What has to be given to `--only` to play this fault alone. */
  readonly only: string;
  readonly effect: SweepEffect;
  /** Where it was met, e.g. `OID_SWITCH_PORT_CREATE/set@port-acl@TestSwitch#1`; of `reorder`, the seed. */
  readonly site: string;
  /** What did not hold: docs/reference/sweep.md. */
  readonly invariant: Invariant;
  /** Rule of the rule book, or Driver Verifier's name. */
  readonly rule?: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** Name of the extension that did it, where it is known. */
  readonly extension?: string;
  readonly oid?: string;
  readonly bytes?: Uint8Array;
  readonly offset?: number;
  /** Names of the modules the request had passed. */
  readonly route?: readonly string[];
  /** Faults that show it. */
  readonly count: number;
  /** Some more of them, as for `--only`. */
  readonly others: readonly string[];
}

/** What one scenario or stage was swept for. */
export interface SweptSubject {
  readonly name: string;
  readonly title: string;
  readonly seed: string;
  /** Places the run without a fault passes, and those that only runs with a fault passed. */
  readonly sites: number;
  readonly newSites: number;
  /** Faults there are, and how many of them were played. */
  readonly faults: number;
  readonly played: number;
  /** Faults that were not met when they were played: a run took another way. */
  readonly unmet: number;
  /** What does not hold without any fault: it is not held against faults. */
  readonly without: readonly string[];
  readonly notes: readonly string[];
}

/** What a sweep found. The same for the same input, seed and options, but for a budget in seconds. */
export interface SweepReport {
  /** What was swept. */
  readonly target: {
    readonly kind: 'scenario' | 'extension';
    readonly name: string;
    readonly profile?: ProfileName;
  };
  /** Nothing was mishandled that is an error; whether a fault was left for want of a budget says {@link complete}. */
  readonly ok: boolean;
  /** No fault was left. */
  readonly complete: boolean;
  /** Errors first, then in the order they were seen. */
  readonly mishandled: readonly MishandledFault[];
  readonly subjects: readonly SweptSubject[];
  /** Runs, by what was made to happen. */
  readonly effects: Readonly<Partial<Record<SweepEffect, number>>>;
  readonly runs: number;
}

/** One fault as `--list` shows it. */
export interface ListedFault {
  readonly subject: string;
  readonly only: string;
  readonly effect: SweepEffect;
  readonly site: string;
}
