import type { RuleCheck } from '../../rule-check.ts';
import { g13 } from './g13-own-id-in-the-record.ts';
import { g14 } from './g14-class-of-the-record.ts';
import { g15 } from './g15-save-question-untouched.ts';
import { g16 } from './g16-size-of-the-record.ts';
import { g17 } from './g17-too-small-a-save-buffer.ts';
import { g18 } from './g18-nothing-to-save-nothing-written.ts';
import { g19 } from './g19-finitely-many-records.ts';
import { g20 } from './g20-forward-save-complete.ts';
import { g22 } from './g22-save-state-per-nic.ts';
import { g30 } from './g30-compare-the-extension-id.ts';
import { g31 } from './g31-take-the-own-record.ts';
import { g32 } from './g32-foreign-record-unmodified.ts';
import { g33 } from './g33-recover-without-the-data.ts';
import { g34 } from './g34-forward-restore-complete.ts';
import { g45 } from './g45-forward-suspend-and-resume.ts';

/** Chapter G: save, restore, migration. */
export const CHAPTER_G: readonly RuleCheck[] = [
  g13,
  g14,
  g15,
  g16,
  g17,
  g18,
  g19,
  g20,
  g22,
  g30,
  g31,
  g32,
  g33,
  g34,
  g45,
];
