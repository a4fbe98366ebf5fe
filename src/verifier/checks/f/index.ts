import type { RuleCheck } from '../../rule-check.ts';

/** Chapter F: feature status. */
export const CHAPTER_F: readonly RuleCheck[] = [];
