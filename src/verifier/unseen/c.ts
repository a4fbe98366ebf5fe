import type { UnseenRule } from '../rule-check.ts';

/** Chapter C: NICs. */
export const UNSEEN_C: readonly UnseenRule[] = [];
