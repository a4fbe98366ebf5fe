import type { RuleCheck } from '../rule-check.ts';
import { CHAPTER_A } from './a/index.ts';
import { CHAPTER_B } from './b/index.ts';
import { CHAPTER_C } from './c/index.ts';
import { CHAPTER_D } from './d/index.ts';
import { CHAPTER_E } from './e/index.ts';
import { CHAPTER_F } from './f/index.ts';
import { CHAPTER_G } from './g/index.ts';
import { CHAPTER_H } from './h/index.ts';
import { CHAPTER_J } from './j/index.ts';
import { CHAPTER_K } from './k/index.ts';

/** Every check, in the order of the rule book; chapter I waits for the data path. */
export const RULE_CHECKS: readonly RuleCheck[] = [
  ...CHAPTER_A,
  ...CHAPTER_B,
  ...CHAPTER_C,
  ...CHAPTER_D,
  ...CHAPTER_E,
  ...CHAPTER_F,
  ...CHAPTER_G,
  ...CHAPTER_H,
  ...CHAPTER_J,
  ...CHAPTER_K,
];
