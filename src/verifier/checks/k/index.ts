import type { RuleCheck } from '../../rule-check.ts';

/** Chapter K: built-in components. */
export const CHAPTER_K: readonly RuleCheck[] = [];
