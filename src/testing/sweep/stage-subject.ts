import type { ProfileName } from '../../policy/api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { RULE_CHECKS } from '../../verifier/checks/index.ts';
import { Verifier } from '../../verifier/verifier.ts';
import type { LifeCycleOptions } from '../life-cycles/life-cycle.ts';
import { play } from '../life-cycles/run-life-cycle.ts';
import { type StageOptions, WITNESSES } from '../life-cycles/stage.ts';
import type { VerifyStage } from '../verify/stages.ts';
import { VerifyRig } from '../verify/verify-rig.ts';
import type { SweptExtension } from './effects.ts';
import type { SweepFault } from './fault.ts';
import { afterDeath } from './stage-death.ts';
import { type StageReference, StageRun } from './stage-run.ts';
import type { Played, SweepSubject } from './subject.ts';

export interface StageSubjectOptions extends Pick<LifeCycleOptions, 'mof' | 'settings'> {
  readonly seed: string;
  readonly profile: ProfileName;
}

const ABOVE = 'Witness above';

/** A stage of `verify` with one extension, to be played any number of times. */
export class StageSubject implements SweepSubject {
  readonly name: string;
  readonly title: string;
  readonly seed: string;
  readonly #stage: VerifyStage;
  readonly #extension: ExtensionDefinition;
  readonly #options: StageSubjectOptions;
  /** Classes that its worlds have, by GUID. */
  readonly #features = new Map<string, string>();
  #alone: StageReference | undefined;

  constructor(stage: VerifyStage, extension: ExtensionDefinition, options: StageSubjectOptions) {
    this.name = stage.name;
    this.title = stage.title;
    this.seed = options.seed;
    this.#stage = stage;
    this.#extension = extension;
    this.#options = options;
  }

  called(id: string): string {
    if (id === this.#extension.id) return this.#extension.name;
    return WITNESSES.get(id) ?? this.#features.get(id) ?? id;
  }

  extension(idOrName: string): SweptExtension | undefined {
    const { id, name, type } = this.#extension;
    if (idOrName === id || idOrName === name) return { type, isWitness: false };
    const isAbove = this.called(idOrName) === ABOVE;
    return { type: isAbove && type !== 'forward' ? 'capture' : 'filter', isWitness: true };
  }

  async play(chain: readonly SweepFault[]): Promise<Played> {
    const run = new StageRun(chain, this.#alone);
    const { mof, settings, profile, seed } = this.#options;
    const stage = this.#stage;
    const reorder = chain.find((fault) => fault.effect === 'reorder');
    const isSeeded = stage.isRace || reorder !== undefined;
    const rig = new VerifyRig();
    const outcome = await run.outcome(() =>
      play((lifeCycle) => stage.run(lifeCycle, rig), {
        extension: this.#extension,
        seed: reorder === undefined ? seed : `${seed}/${reorder.seed}`,
        profile,
        sendsByHand: stage.sendsByHand ?? false,
        scheduling: isSeeded ? 'seeded' : 'fifo',
        observer: (host) => run.watching(rig.watch(new Verifier({ ...host, checks: RULE_CHECKS }))),
        trial: run.trial,
        ...(stage.behaviour === undefined ? {} : { behaviour: stage.behaviour }),
        ...(mof === undefined ? {} : { mof }),
        ...(settings === undefined ? {} : { settings }),
      } satisfies StageOptions),
    );
    run.judge(outcome, stage.sendsByHand === true);
    for (const { id, name } of run.featureInfos) this.#features.set(id, name);
    this.#alone ??= run;
    if (run.death !== undefined) {
      await afterDeath(run, run.death, this.#extension, { profile, behaviour: stage.behaviour });
    }
    const places = chain.filter(({ effect }) => effect !== 'reorder').length;
    return { passed: run.log.passed, met: run.log.met >= places, breaches: run.breaches };
  }
}
