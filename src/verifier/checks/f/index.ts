import type { RuleCheck } from '../../rule-check.ts';
import { f7 } from './f7-answers-its-own-status.ts';
import { f9 } from './f9-version-and-length.ts';
import { f10 } from './f10-question-untouched.ts';
import { f11 } from './f11-too-small-a-buffer.ts';
import { f12 } from './f12-other-failures.ts';

/** Chapter F: feature status. */
export const CHAPTER_F: readonly RuleCheck[] = [f7, f9, f10, f11, f12];
