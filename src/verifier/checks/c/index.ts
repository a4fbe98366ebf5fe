import type { RuleCheck } from '../../rule-check.ts';
import { c20 } from './c20-mtu-never-raised.ts';
import { c37 } from './c37-no-veto-of-lower-adapters.ts';
import { c38 } from './c38-nic-create-not-completed.ts';
import { c39 } from './c39-undo-a-refused-nic.ts';
import { c40 } from './c40-forward-nic-oids.ts';
import { c41 } from './c41-issues-no-nic-oids.ts';
import { c42 } from './c42-nic-parameters-untouched.ts';
import { c43 } from './c43-nothing-before-connect.ts';
import { c46 } from './c46-nothing-after-disconnect.ts';
import { c48 } from './c48-late-nic-oids-pass.ts';
import { c50 } from './c50-release-before-forwarding-disconnect.ts';
import { c59 } from './c59-no-nic-reference-after-disconnect.ts';
import { c60 } from './c60-balanced-nic-references.ts';

/** Chapter C: NICs. */
export const CHAPTER_C: readonly RuleCheck[] = [
  c20,
  c37,
  c38,
  c39,
  c40,
  c41,
  c42,
  c43,
  c46,
  c48,
  c50,
  c59,
  c60,
];
