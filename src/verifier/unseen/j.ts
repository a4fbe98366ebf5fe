import type { UnseenRule } from '../rule-check.ts';

/** Chapter J: queries. */
export const UNSEEN_J: readonly UnseenRule[] = [];
