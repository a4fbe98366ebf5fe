import type { BehaviourOptions } from '../../policy/api.ts';
import { lifeCycles } from '../life-cycles/index.ts';
import type { LifeCycle } from '../life-cycles/life-cycle.ts';
import type { LifeCycleStage } from '../life-cycles/stage.ts';
import { beforeActivation } from './stages/before-activation.ts';
import { featureStatus } from './stages/feature-status.ts';
import { hardware } from './stages/hardware.ts';
import { heldAtDetach, heldAtRestart } from './stages/held-requests.ts';
import { lateOids } from './stages/late-oids.ts';
import { malformedProperties } from './stages/malformed-properties.ts';
import { oddProperties } from './stages/odd-properties.ts';
import { saveRestore } from './stages/save-restore.ts';
import { unknownOids } from './stages/unknown-oids.ts';
import { wholeLife } from './stages/whole-life.ts';
import type { VerifyRig } from './verify-rig.ts';

/** A part of the rule book that is played with the extension under test between two witnesses. */
export interface VerifyStage extends Pick<LifeCycle, 'name' | 'title' | 'isRace'> {
  /** Requests of {@link VerifyRig.send} in it would not stand the check of the order of OIDs. */
  readonly sendsByHand?: boolean;
  readonly behaviour?: BehaviourOptions;
  run(stage: LifeCycleStage, rig: VerifyRig): Promise<void>;
}

/** What `verify` plays, in this order: the plain stages first, then the life cycles that broke real extensions. */
const VERIFY_STAGES: readonly VerifyStage[] = [
  wholeLife,
  lateOids,
  featureStatus,
  saveRestore,
  beforeActivation,
  heldAtDetach,
  heldAtRestart,
  oddProperties,
  unknownOids,
  malformedProperties,
  hardware,
  ...lifeCycles,
];

/** Those of {@link VERIFY_STAGES} with these names; left out: all. Throws `RangeError` for a name that is none. */
export function stagesNamed(names: readonly string[] | undefined): readonly VerifyStage[] {
  if (names === undefined) return VERIFY_STAGES;
  const known = VERIFY_STAGES.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new RangeError(
      `there is no stage ${JSON.stringify(name)}: known are ${known.join(', ')}`,
    );
  }
  return VERIFY_STAGES.filter(({ name }) => names.includes(name));
}

/** Names and titles of {@link VERIFY_STAGES}. */
export function verifyStages(): readonly { readonly name: string; readonly title: string }[] {
  return VERIFY_STAGES.map(({ name, title }) => ({ name, title }));
}
