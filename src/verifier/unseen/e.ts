import type { UnseenRule } from '../rule-check.ts';

/** Chapter E: policies. */
export const UNSEEN_E: readonly UnseenRule[] = [];
