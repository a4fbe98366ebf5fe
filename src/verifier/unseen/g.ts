import type { UnseenRule } from '../rule-check.ts';

/** Chapter G: save, restore, migration. */
export const UNSEEN_G: readonly UnseenRule[] = [];
