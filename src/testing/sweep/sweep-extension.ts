import type { ProfileName } from '../../policy/api.ts';
import { defineExtension, isExtensionDefinition } from '../../sdk/define.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { LifeCycleOptions } from '../life-cycles/life-cycle.ts';
import { stagesNamed } from '../verify/stages.ts';
import { StageSubject } from './stage-subject.ts';
import { Sweep, type SweepOptions } from './sweep.ts';
import type { ListedFault, SweepReport } from './sweep-report.ts';

export interface ExtensionSweepOptions
  extends SweepOptions,
    Pick<LifeCycleOptions, 'mof' | 'settings' | 'seed'> {
  /** Default `ws2022`. */
  readonly profile?: ProfileName;
  /** Names of the stages of `verify` to play; default: all. Throws `RangeError` for a name that is none. */
  readonly stages?: readonly string[];
}

const DEFAULT_SEED = 'sweep';

/**
 * Plays the stages of `verify` with an extension again and again, each time with one thing failing, until none is left; reports
 * what was mishandled (docs/reference/sweep.md).
 *
 * ```ts
 * import { sweepExtension } from 'extswitch/testing';
 * import filter from './extension.ts';
 *
 * const report = await sweepExtension(filter, { stages: ['whole-life'] });
 * assert.deepEqual(report.mishandled, []);
 * ```
 */
export async function sweepExtension(
  given: ExtensionDefinition,
  options: ExtensionSweepOptions = {},
): Promise<SweepReport> {
  const extension = isExtensionDefinition(given) ? given : defineExtension(given);
  const sweep = new Sweep(extensionTarget(extension, options), options);
  await sweep.subjects(extensionSubjects(extension, options));
  return sweep.report();
}

export function extensionTarget(
  { name, version }: ExtensionDefinition,
  { profile = 'ws2022' }: ExtensionSweepOptions,
): SweepReport['target'] {
  return { kind: 'extension', name: `${name} ${version}`, profile };
}

/** The faults that {@link sweepExtension} begins with; more come from what they lead to. */
export async function listExtensionFaults(
  given: ExtensionDefinition,
  options: ExtensionSweepOptions = {},
): Promise<readonly ListedFault[]> {
  const extension = isExtensionDefinition(given) ? given : defineExtension(given);
  const sweep = new Sweep(extensionTarget(extension, options), options);
  const faults: ListedFault[] = [];
  for (const subject of extensionSubjects(extension, options))
    faults.push(...(await sweep.list(subject)));
  return faults;
}

/** A subject for each stage. */
export function extensionSubjects(
  extension: ExtensionDefinition,
  { stages, seed = DEFAULT_SEED, profile = 'ws2022', mof, settings }: ExtensionSweepOptions,
): readonly StageSubject[] {
  return stagesNamed(stages).map(
    (stage) =>
      new StageSubject(stage, extension, {
        seed,
        profile,
        ...(mof === undefined ? {} : { mof }),
        ...(settings === undefined ? {} : { settings }),
      }),
  );
}
