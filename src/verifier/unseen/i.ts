import type { UnseenRule } from '../rule-check.ts';

/** Chapter I: the data path. */
export const UNSEEN_I: readonly UnseenRule[] = [];
