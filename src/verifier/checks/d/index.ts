import type { RuleCheck } from '../../rule-check.ts';

/** Chapter D: the OID path. */
export const CHAPTER_D: readonly RuleCheck[] = [];
