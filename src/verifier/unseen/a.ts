import type { UnseenRule } from '../rule-check.ts';

/** Chapter A: components and driver stack. */
export const UNSEEN_A: readonly UnseenRule[] = [];
