import type { BehaviourOptions, ProfileName } from '../policy/api.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import type { Place } from './source-node.ts';
import type { Step } from './step.ts';

/** A MOF file of a scenario: its path for diagnostics, and its bytes. */
export interface MofFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface SwitchSpec {
  readonly name: string;
  readonly type: 'private' | 'internal' | 'external';
  /** Top to bottom inside their class, by alias. */
  readonly extensions: readonly string[];
  /** Installed and not enabled. */
  readonly disabled: readonly string[];
}

export interface HostSpec {
  readonly name: string;
  readonly profile: ProfileName;
  readonly store: 'memory' | 'disk';
  readonly switches: readonly SwitchSpec[];
  /** Installed, enabled on no switch until a step does. */
  readonly extensions: readonly string[];
  readonly features: readonly MofFile[];
}

export interface AdapterSpec {
  readonly name?: string;
  readonly switch?: string;
  readonly mac?: string;
  readonly type?: 'synthetic' | 'emulated';
  readonly mtu?: number;
  readonly requiredFeatures?: readonly string[];
}

export interface VmSpec {
  readonly name: string;
  readonly host: string;
  readonly adapters: readonly AdapterSpec[];
}

/** Where a scenario that shows a failure is meant to fail: then, and only then, it passes. */
export interface ExpectedFailure {
  /** `noPolicyLost`, `findings`, or the verb of the step. */
  readonly in: string;
  /** Text that the message has in it. */
  readonly message?: string;
  readonly because?: string;
}

/** A scenario that was read and checked, with its parameters filled in and its loops unfolded. */
export interface Scenario {
  readonly name: string;
  readonly description: string | undefined;
  readonly file: string;
  readonly seed: string;
  readonly scheduling: 'fifo' | 'seeded';
  readonly behaviour: BehaviourOptions;
  readonly hosts: readonly HostSpec[];
  readonly extensions: ReadonlyMap<string, ExtensionDefinition>;
  readonly vms: readonly VmSpec[];
  readonly steps: readonly Step[];
  readonly invariants: { readonly noPolicyLost: boolean; readonly noFindings: boolean };
  readonly expectFailure: (ExpectedFailure & { readonly place: Place }) | undefined;
}
