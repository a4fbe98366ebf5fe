import type { IsolationOptions, ProfileName } from '../../policy/api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { TestFinding } from '../test-switch.ts';
import type { LifeCycleStage } from './stage.ts';

/** Where a life cycle broke a real extension, for everybody to read. */
export interface LifeCycleOrigin {
  /** What it is and what it says, e.g. `Open vSwitch 40570384b "Do not delete internal port on …"`. */
  readonly what: string;
  readonly url: string;
}

/** A sequence of events in the life of a switch in which extensions that ran in production failed. */
export interface LifeCycle {
  /** Kebab-case; what `extswitch run` takes. */
  readonly name: string;
  readonly title: string;
  readonly origin: readonly LifeCycleOrigin[];
  /** What went wrong there. */
  readonly story: string;
  /** What has to hold here. */
  readonly checks: string;
  /** Rules of the rule book that say so. */
  readonly rules: readonly string[];
  /** What goes wrong depends on the order: operations interleave OID by OID, one seed after the other. */
  readonly isRace: boolean;
  run(stage: LifeCycleStage): Promise<void>;
}

/** Something that was not as it has to be. */
export interface LifeCycleFailure {
  readonly message: string;
  /** Rule of the rule book or Driver Verifier's name. */
  readonly rule?: string;
  /** Failures with the same text come of the same mistake; left out: it stands for itself. */
  readonly cause?: string;
}

export interface LifeCycleOptions {
  /** The extension under test. */
  readonly extension: ExtensionDefinition;
  /** MOF text with the extension's feature classes, beside what its `mof` files bring. */
  readonly mof?: string | Uint8Array;
  /** Settings of the extension's own classes, by class name; default: the class's defaults. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** One seed: exactly this one is run. Default: {@link seeds} of them. */
  readonly seed?: string;
  /**
   * How many seeds, until one fails: `SEED-1`, `SEED-2`, … Default 8 for a race, else 1.
   */
  readonly seeds?: number;
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /** Default `seeded` for a race, else `fifo`. */
  readonly scheduling?: 'fifo' | 'seeded';
  /** Runs the extension, which is then the default export of a module, in a worker thread with these limits. */
  readonly isolate?: Omit<IsolationOptions, 'extensions'>;
}

/** What came of a life cycle with one extension. */
export interface LifeCycleReport {
  readonly name: string;
  readonly ok: boolean;
  readonly failures: readonly LifeCycleFailure[];
  /** What could not be checked, and why. */
  readonly notes: readonly string[];
  /** Every finding of the run, also those that are no failures. */
  readonly findings: readonly TestFinding[];
  /** Seed of the run that is reported: the one that failed, else the last one. */
  readonly seed: string;
  /** Seeds run. */
  readonly seeds: number;
  readonly profile: ProfileName;
  readonly scheduling: 'fifo' | 'seeded';
  /** The OIDs of the reported run, switch by switch; the same for the same seed. */
  readonly trace: string;
}
