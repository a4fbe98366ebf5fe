import { lifeCycles } from '../life-cycles/index.ts';
import type { LifeCycle } from '../life-cycles/life-cycle.ts';
import { wholeLife } from './stages/whole-life.ts';

/** A part of the rule book that is played with the extension under test between two witnesses. */
export type VerifyStage = Pick<LifeCycle, 'name' | 'title' | 'isRace' | 'run'>;

/** What `verify` plays, in this order: the plain stages first, then the life cycles that broke real extensions. */
export const VERIFY_STAGES: readonly VerifyStage[] = [wholeLife, ...lifeCycles];

/** Names and titles of {@link VERIFY_STAGES}. */
export function verifyStages(): readonly { readonly name: string; readonly title: string }[] {
  return VERIFY_STAGES.map(({ name, title }) => ({ name, title }));
}
