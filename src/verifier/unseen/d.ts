import type { UnseenRule } from '../rule-check.ts';

/** Chapter D: the OID path. */
export const UNSEEN_D: readonly UnseenRule[] = [];
