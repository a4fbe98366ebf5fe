import type { RuleCheck } from '../../rule-check.ts';
import { h4 } from './h4-forward-what-it-does-not-handle.ts';
import { h5 } from './h5-only-forwarding-extensions-change-status.ts';
import { h6 } from './h6-its-own-copy.ts';
import { h7 } from './h7-source-of-an-adapter-status.ts';
import { h8 } from './h8-destination-of-a-vm-status.ts';
import { h9 } from './h9-reference-whom-it-names.ts';
import { h11 } from './h11-remove-vf-names-the-nic-alone.ts';
import { h12 } from './h12-remove-vf-once-for-each.ts';
import { h13 } from './h13-no-remove-vf-after-disconnect.ts';

/** Chapter H: status indications. */
export const CHAPTER_H: readonly RuleCheck[] = [h4, h5, h6, h7, h8, h9, h11, h12, h13];
