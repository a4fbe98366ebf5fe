import type { RuleCheck } from '../../rule-check.ts';
import { b24 } from './b24-forward-port-oids.ts';
import { b25 } from './b25-issues-no-port-oids.ts';
import { b26 } from './b26-port-parameters-untouched.ts';
import { b28 } from './b28-port-create-not-completed.ts';
import { b29 } from './b29-undo-a-refused-port.ts';
import { b30 } from './b30-oids-for-ports-that-are-there.ts';
import { b33 } from './b33-nothing-for-a-port-in-teardown.ts';
import { b34 } from './b34-late-oids-pass.ts';
import { b37 } from './b37-no-reference-after-teardown.ts';
import { b38 } from './b38-reference-around-enum.ts';
import { b39 } from './b39-balanced-port-references.ts';
import { b40 } from './b40-no-use-without-reference.ts';
import { b42 } from './b42-no-port-reference-for-ever.ts';
import { b48 } from './b48-check-on-the-validation-port.ts';
import { b49 } from './b49-no-resources-on-a-validation-port.ts';

/** Chapter B: ports. */
export const CHAPTER_B: readonly RuleCheck[] = [
  b24,
  b25,
  b26,
  b28,
  b29,
  b30,
  b33,
  b34,
  b37,
  b38,
  b39,
  b40,
  b42,
  b48,
  b49,
];
