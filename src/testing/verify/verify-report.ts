import type { ProfileName } from '../../policy/api.ts';
import type { RuleForce } from '../../rules/rule-book.ts';
import type { ExtensionType } from '../../sdk/extension.ts';
import type { UnseenRule } from '../../verifier/rule-check.ts';

/** A rule the extension broke, in one place. The same thing in several stages is one with the first of them. */
export interface VerifyConsequence {
  /** Rule of the rule book (`B42`), or Driver Verifier's name; `undefined`: it misbehaved in a way no rule names. */
  readonly rule: string | undefined;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  /** Stage in which it was first seen, with the seed that plays it again. */
  readonly stage: string;
  readonly seed: string;
  /** How often, over all stages. */
  readonly times: number;
  readonly oid?: string;
  /** Bytes of the request when it was first seen, and the one that is wrong. */
  readonly bytes?: Uint8Array;
  readonly offset?: number;
  /** What that byte belongs to, e.g. `NDIS_SWITCH_PORT_PARAMETERS.PortId`; in vendor data the class and its member. */
  readonly member?: string;
  /** Names of the modules it had passed; the last one is where it happened. */
  readonly route?: readonly string[];
}

/** One mistake: where it was first seen, and what else came of it. */
export interface VerifyFinding extends VerifyConsequence {
  /**
   * What has the same cause, in the order it was seen: the same with other OIDs, and what failed in this and other stages because
   * of it. None is more severe than the finding.
   */
  readonly consequences: readonly VerifyConsequence[];
}

/** How a rule came out. */
export interface RuleOutcome {
  readonly rule: string;
  /** Driver Verifier's name for it. */
  readonly name?: string;
  readonly force: RuleForce;
  /** The rule as the rule book has it, and its pages. */
  readonly text: string;
  readonly sources: readonly string[];
  /**
   * `consequence`: it was broken only as a consequence of another finding, which `reason` names. `unseen`: cannot be checked;
   * `reason` says why. `unchecked`: this version has no check for it.
   */
  readonly outcome: 'broken' | 'consequence' | 'kept' | 'notExercised' | 'unseen' | 'unchecked';
  /** Of an `unseen` one: waits for packets, inside an extension, a permission, or reported as other rules. */
  readonly because?: UnseenRule['because'];
  /** What it comes of, what input would exercise it, why it cannot be seen, or that there is no check. */
  readonly reason?: string;
  /** What, why it hurts, how to mend it: of a rule that has a check. */
  readonly what?: string;
  readonly why?: string;
  readonly mend?: string;
}

export interface StageOutcome {
  readonly name: string;
  readonly title: string;
  readonly ok: boolean;
  /** Seed of the run that failed, else of the last one. */
  readonly seed: string;
  readonly seeds: number;
  /** What could not be checked in it, and why. */
  readonly notes: readonly string[];
}

/** What `verifyExtension` found. The same for the same extension, seed and options. */
export interface VerifyReport {
  readonly extension: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly type: ExtensionType;
  };
  readonly profile: ProfileName;
  /** No finding is an error, and with {@link strict} none a warning. */
  readonly ok: boolean;
  /** Warnings fail it too. */
  readonly strict?: true;
  /** One for each cause. Errors first, then in the order they were seen. */
  readonly findings: readonly VerifyFinding[];
  /** All rules that bind extensions, in the order of the rule book. */
  readonly rules: readonly RuleOutcome[];
  readonly stages: readonly StageOutcome[];
}

/** Whether a report with this finding is not {@link VerifyReport.ok}. */
export function doesFail(
  { severity }: Pick<VerifyFinding, 'severity'>,
  { strict }: Pick<VerifyReport, 'strict'>,
): boolean {
  return severity === 'error' || (strict === true && severity === 'warning');
}
