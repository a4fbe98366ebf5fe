import type { UnseenRule } from './rule-check.ts';

/** Rules without a check, and why: a check for each other rule that binds extensions is in checks/. */
export const UNSEEN_RULES: readonly UnseenRule[] = [];
