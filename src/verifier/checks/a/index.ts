import type { RuleCheck } from '../../rule-check.ts';

/** Chapter A: components and driver stack. */
export const CHAPTER_A: readonly RuleCheck[] = [];
