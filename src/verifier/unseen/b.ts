import type { UnseenRule } from '../rule-check.ts';

/** Chapter B: ports. */
export const UNSEEN_B: readonly UnseenRule[] = [];
