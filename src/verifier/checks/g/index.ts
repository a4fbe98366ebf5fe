import type { RuleCheck } from '../../rule-check.ts';

/** Chapter G: save, restore, migration. */
export const CHAPTER_G: readonly RuleCheck[] = [];
