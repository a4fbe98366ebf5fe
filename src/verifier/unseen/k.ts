import type { UnseenRule } from '../rule-check.ts';

/** Chapter K: built-in components. */
export const UNSEEN_K: readonly UnseenRule[] = [];
