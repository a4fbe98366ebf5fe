import type { RuleCheck } from '../../rule-check.ts';

/** Chapter H: status indications. */
export const CHAPTER_H: readonly RuleCheck[] = [];
