import type { ProfileName } from '../../policy/api.ts';
import { findRule, RULES } from '../../rules/rule-book.ts';
import { defineExtension, isExtensionDefinition } from '../../sdk/define.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { Activity } from '../../verifier/activity.ts';
import { RULE_CHECKS } from '../../verifier/checks/index.ts';
import { UNSEEN_RULES } from '../../verifier/unseen-rules.ts';
import { Verifier } from '../../verifier/verifier.ts';
import { causeOfFinding } from '../life-cycles/failure-cause.ts';
import type { LifeCycleOptions } from '../life-cycles/life-cycle.ts';
import { type Outcome, play, seedsOf } from '../life-cycles/run-life-cycle.ts';
import { type StageOptions, WITNESSES } from '../life-cycles/stage.ts';
import { Found } from './found.ts';
import { stagesNamed, type VerifyStage } from './stages.ts';
import {
  doesFail,
  type RuleOutcome,
  type StageOutcome,
  type VerifyConsequence,
  type VerifyFinding,
  type VerifyReport,
} from './verify-report.ts';
import { VerifyRig } from './verify-rig.ts';

export interface VerifyOptions
  extends Pick<LifeCycleOptions, 'mof' | 'settings' | 'seed' | 'seeds' | 'isolate'> {
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /** Names of the stages to play; default: all. Throws for a name that is none. */
  readonly stages?: readonly string[];
  /** A warning fails it too. */
  readonly strict?: boolean;
  /** Called when a stage begins, and with no name at the end. */
  readonly progress?: (stage: string, index: number, count: number) => void;
}

/**
 * Drives an extension through everything the rule book knows and reports each rule it breaks. Nothing is thrown for what the
 * extension does; what it may not do is contained.
 *
 * ```ts
 * import { verifyExtension } from 'extswitch/testing';
 * import filter from './extension.ts';
 *
 * const report = await verifyExtension(filter);
 * assert.deepEqual(report.findings, []);
 * ```
 */
export async function verifyExtension(
  given: ExtensionDefinition,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const extension = isExtensionDefinition(given) ? given : defineExtension(given);
  const profile = options.profile ?? 'ws2022';
  const wanted = stagesNamed(options.stages);
  const found = new Found();
  const activity = new Activity();
  const stages: StageOutcome[] = [];
  for (const [index, stage] of wanted.entries()) {
    options.progress?.(stage.name, index, wanted.length);
    stages.push(await playStage(stage, extension, profile, options, found, activity));
  }
  options.progress?.('', wanted.length, wanted.length);
  const findings = found.findings();
  const strictness = options.strict === true ? { strict: true as const } : {};
  const { id, name, version, type } = extension;
  return {
    extension: { id, name, version, type },
    profile,
    ok: !findings.some((finding) => doesFail(finding, strictness)),
    ...strictness,
    findings,
    rules: outcomes(findings, activity),
    stages,
  };
}

async function playStage(
  stage: VerifyStage,
  extension: ExtensionDefinition,
  profile: ProfileName,
  options: VerifyOptions,
  found: Found,
  activity: Activity,
): Promise<StageOutcome> {
  const { mof, settings, isolate } = options;
  const seeds = seedsOf(options, stage.isRace);
  const notes = new Set<string>();
  let last = seeds[0] ?? '';
  let played = 0;
  let ok = true;
  for (const seed of seeds) {
    const rig = new VerifyRig();
    const outcome = await play((lifeCycle) => stage.run(lifeCycle, rig), {
      extension,
      seed,
      profile,
      sendsByHand: stage.sendsByHand ?? false,
      ...(stage.behaviour === undefined ? {} : { behaviour: stage.behaviour }),
      scheduling: stage.isRace ? 'seeded' : 'fifo',
      observer: (host) => {
        // A service that starts again goes on being watched as the same extension.
        return rig.watch(
          new Verifier({ ...host, checks: RULE_CHECKS, activity, only: extension.id }),
        );
      },
      ...(mof === undefined ? {} : { mof }),
      ...(settings === undefined ? {} : { settings }),
      ...(isolate === undefined ? {} : { isolate }),
    } satisfies StageOptions);
    played += 1;
    last = seed;
    for (const note of outcome.notes) notes.add(note);
    if (!collect(found, outcome, extension, stage.name, seed)) {
      ok = false;
      break;
    }
  }
  return { name: stage.name, title: stage.title, ok, seed: last, seeds: played, notes: [...notes] };
}

/** True when nothing of it is an error. */
function collect(
  found: Found,
  outcome: Outcome,
  extension: ExtensionDefinition,
  stage: string,
  seed: string,
): boolean {
  let ok = true;
  const add = (
    finding: Omit<VerifyConsequence, 'stage' | 'seed' | 'times'>,
    cause: string,
  ): void => {
    if (finding.severity === 'error') ok = false;
    found.add({ ...finding, stage, seed }, cause);
  };
  const told = new Set<string>();
  const nameOf = (id: string): string =>
    id === extension.id ? extension.name : (WITNESSES.get(id) ?? id);
  // What the switch ended for the extension, it did not end itself: other rules broken with that are consequences.
  const ended = new Map<string, string>();
  for (const { extensionId, request, route, ...finding } of outcome.findings) {
    if (extensionId !== extension.id) continue;
    told.add(finding.message);
    const about = `${finding.oid}/${request}`;
    const cause = ended.get(about) ?? causeOfFinding(finding);
    if (finding.rule === 'D6' && request !== undefined) ended.set(about, cause);
    add(route === undefined ? finding : { ...finding, route: route.map(nameOf) }, cause);
  }
  for (const { rule, message, cause = `${rule}/${message}` } of outcome.failures) {
    if (!told.has(message)) add({ rule, severity: severityOf(rule), message }, cause);
  }
  return ok;
}

/** What a stage found: of a SHOULD it warns. */
function severityOf(rule: string | undefined): 'error' | 'warning' {
  const force = rule === undefined ? undefined : findRule(rule)?.force;
  return force?.startsWith('SHOULD') === true ? 'warning' : 'error';
}

function outcomes(findings: readonly VerifyFinding[], activity: Activity): RuleOutcome[] {
  const broken = new Set(findings.map(({ rule }) => rule));
  const causes = causesOf(findings);
  const checks = new Map(RULE_CHECKS.map((check) => [check.rule, check]));
  const unseen = new Map(UNSEEN_RULES.map((rule) => [rule.rule, rule]));
  return RULES.filter(({ kind }) => kind === 'ext').map(({ id: rule, force, text, sources }) => {
    const about = { rule, force, text, sources };
    const check = checks.get(rule);
    if (check === undefined) {
      if (broken.has(rule)) return { ...about, outcome: 'broken' };
      const why = unseen.get(rule);
      return why === undefined
        ? { ...about, outcome: 'unchecked', reason: 'this version has no check for it' }
        : { ...about, outcome: 'unseen', because: why.because, reason: why.reason };
    }
    const { name, what, why, mend, exercise } = check;
    const known = { ...about, ...(name === undefined ? {} : { name }), what, why, mend };
    if (broken.has(rule) || (name !== undefined && broken.has(name))) {
      return { ...known, outcome: 'broken' };
    }
    const cause = causes.get(rule) ?? (name === undefined ? undefined : causes.get(name));
    if (cause !== undefined) {
      return { ...known, outcome: 'consequence', reason: `broken as a consequence of ${cause}` };
    }
    if (check.exercised(activity)) return { ...known, outcome: 'kept' };
    return { ...known, outcome: 'notExercised', reason: exercise };
  });
}

/** Of the rules that are named by consequences: what they come of. */
function causesOf(findings: readonly VerifyFinding[]): ReadonlyMap<string, string> {
  const causes = new Map<string, string>();
  for (const { rule, message, consequences } of findings) {
    for (const one of consequences) {
      if (one.rule !== undefined && !causes.has(one.rule)) causes.set(one.rule, rule ?? message);
    }
  }
  return causes;
}
