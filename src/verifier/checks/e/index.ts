import type { RuleCheck } from '../../rule-check.ts';

/** Chapter E: policies. */
export const CHAPTER_E: readonly RuleCheck[] = [];
