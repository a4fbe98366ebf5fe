import type { FeatureCatalog } from '../../switch/environment.ts';
import type { FilterModule } from '../../switch/filter-module.ts';
import type { Answer } from '../../switch/observer.ts';
import type { OidRequest } from '../../switch/oid-request.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import type { ModuleState } from '../../switch/states.ts';
import type { NdisStatus } from '../core/status.ts';
import type {
  ExtensionHandlers,
  ExtensionType,
  NicStatusOptions,
  SwitchContext,
} from '../sdk/extension.ts';
import type { Activity } from './activity.ts';

/** A broken rule; the verifier adds who, where and when. */
export interface Broken {
  /** What it did, to be read after the name of the extension, e.g. `kept a reference on port 3 for 12,000 ms`. */
  readonly message: string;
  readonly request?: OidRequest | undefined;
  /** Default: by the force of the rule. */
  readonly severity?: 'error' | 'warning' | 'info';
}

/** Where a watcher stands: one module of one switch. */
export interface Watched {
  readonly module: FilterModule;
  readonly switchName: string;
  /** The registered classes. */
  catalog(): FeatureCatalog;
  /** Virtual milliseconds. */
  now(): number;
  /** Virtual timer; what still runs when the module is gone finds `module.state` detached. */
  after(delayMs: number, fire: () => void): { cancel(): void };
  report(broken: Broken): void;
}

/**
 * Sees every act of one module, from its attach to its detach, in the order of switch/observer.ts. What is left out is not
 * called. Neither throws nor changes anything.
 */
export interface Watcher {
  /** `arrived`, `answered`, `returned` and `issued` are told only of these OIDs of src/abi; left out: of all. The rest costs nothing. */
  readonly oids?: readonly number[];
  moved?(from: ModuleState, to: ModuleState): void;
  arrived?(request: OidRequest): void;
  answered?(request: OidRequest, answer: Answer): void;
  /** As `answered`, only of a request that it ends itself: most are forwarded, and that costs nothing here. */
  ended?(request: OidRequest, status: NdisStatus): void;
  returned?(request: OidRequest): void;
  issued?(request: OidRequest): void;
  referenced?(
    address: { readonly portId: number; readonly nicIndex?: number },
    object: Port | Nic | undefined,
  ): void;
  dereferenced?(object: Port | Nic | undefined): void;
  indicated?(indication: NicStatusOptions): void;
  sawIndication?(isDropped: boolean): void;
}

/** A small extension for showing a rule: `about` says what it does, in one line. */
export interface Sample {
  readonly about: string;
  readonly type: ExtensionType;
  /** MOF text of its classes; its ExtensionId is {@link SAMPLE_ID}. */
  readonly mof?: string;
  attach(sw: SwitchContext): ExtensionHandlers;
}

/** ExtensionId of every sample. */
export const SAMPLE_ID = '7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e10';

/**
 * A rule of the rule book that an extension keeps or breaks (`[EXT]`), as the verifier knows it: one file each. Force (MUST,
 * SHOULD, MAY), text and source page are the rule book's (src/rules); this adds how to see it and how to explain it.
 */
export interface RuleCheck {
  /** `B42`. */
  readonly rule: string;
  /** Driver Verifier's name, where it has the rule: findings carry it. */
  readonly name?: string;
  /** What a driver that breaks it does, one sentence. */
  readonly what: string;
  /** Why it hurts on a real host, one or two sentences. */
  readonly why: string;
  /** How to mend it, one or two sentences. */
  readonly mend: string;
  /**
   * Who sees it. `runtime`: the switch itself contains and reports it, always. `watch`: {@link watch}, when a verifier is on.
   * `stage`: a stage of `extswitch verify` that compares what the extension did with what it had to do.
   */
  readonly by: 'runtime' | 'watch' | 'stage';
  watch?(watched: Watched): Watcher;
  /** Names of stages that can show it; left out: all are run. */
  readonly stages?: readonly string[];
  /** Whether the rule could have been broken in a run. */
  exercised(activity: Activity): boolean;
  /** What input would exercise it, for a rule that was not. */
  readonly exercise: string;
  /** A sample that breaks it, and one that comes close and does not. */
  readonly breaks: Sample;
  readonly close: Sample;
}

/** A rule that cannot be checked, and why. */
export interface UnseenRule {
  readonly rule: string;
  /**
   * `packets`: waits for the data path. `inside`: cannot be seen from outside an extension. `may`: allows, so nothing can break it.
   * `elsewhere`: what breaks it is reported as other rules.
   */
  readonly because: 'packets' | 'inside' | 'may' | 'elsewhere';
  /** One sentence. */
  readonly reason: string;
}
