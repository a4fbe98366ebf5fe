import type { UnseenRule } from '../rule-check.ts';

/** Chapter H: status indications. */
export const UNSEEN_H: readonly UnseenRule[] = [];
