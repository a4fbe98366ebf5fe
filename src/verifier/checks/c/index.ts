import type { RuleCheck } from '../../rule-check.ts';

/** Chapter C: NICs. */
export const CHAPTER_C: readonly RuleCheck[] = [];
