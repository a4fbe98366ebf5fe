import type { RuleCheck } from '../../rule-check.ts';
import { a13 } from './a13-capture-forwards-everything.ts';
import { a17 } from './a17-capture-vetoes-nothing.ts';
import { a32 } from './a32-one-guid-everywhere.ts';
import { a53 } from './a53-nothing-while-attaching.ts';
import { a61 } from './a61-pause-and-detach-cannot-fail.ts';
import { a62 } from './a62-finish-pause-and-restart-once.ts';
import { a63 } from './a63-detach-with-nothing-outstanding.ts';
import { a66 } from './a66-complete-before-a-restart.ts';
import { a69 } from './a69-parameters-first.ts';
import { a70 } from './a70-no-arrays-before-activation.ts';
import { a72 } from './a72-activation-cannot-be-refused.ts';
import { a73 } from './a73-configuration-before-activation.ts';

/** Chapter A: components and driver stack. */
export const CHAPTER_A: readonly RuleCheck[] = [
  a13,
  a17,
  a32,
  a53,
  a61,
  a62,
  a63,
  a66,
  a69,
  a70,
  a72,
  a73,
];
