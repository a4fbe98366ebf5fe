import type { UnseenRule } from '../rule-check.ts';

/** Chapter F: feature status. */
export const UNSEEN_F: readonly UnseenRule[] = [];
