import type { RuleCheck } from '../../rule-check.ts';

/** Chapter J: queries. */
export const CHAPTER_J: readonly RuleCheck[] = [];
