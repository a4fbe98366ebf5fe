import type { RuleCheck } from '../../rule-check.ts';
import { j11 } from './j11-catch-up-when-enabled.ts';
import { j15 } from './j15-forward-queries.ts';

/** Chapter J: queries. */
export const CHAPTER_J: readonly RuleCheck[] = [j11, j15];
