import type { UnseenRule } from './rule-check.ts';
import { UNSEEN_A } from './unseen/a.ts';
import { UNSEEN_B } from './unseen/b.ts';
import { UNSEEN_C } from './unseen/c.ts';
import { UNSEEN_D } from './unseen/d.ts';
import { UNSEEN_E } from './unseen/e.ts';
import { UNSEEN_F } from './unseen/f.ts';
import { UNSEEN_G } from './unseen/g.ts';
import { UNSEEN_H } from './unseen/h.ts';
import { UNSEEN_I } from './unseen/i.ts';
import { UNSEEN_J } from './unseen/j.ts';
import { UNSEEN_K } from './unseen/k.ts';

/** Rules without a check, and why: a check for each other rule that binds extensions is in checks/. */
export const UNSEEN_RULES: readonly UnseenRule[] = [
  ...UNSEEN_A,
  ...UNSEEN_B,
  ...UNSEEN_C,
  ...UNSEEN_D,
  ...UNSEEN_E,
  ...UNSEEN_F,
  ...UNSEEN_G,
  ...UNSEEN_H,
  ...UNSEEN_I,
  ...UNSEEN_J,
  ...UNSEEN_K,
];
