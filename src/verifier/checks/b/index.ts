import type { RuleCheck } from '../../rule-check.ts';
import { b24 } from './b24-forward-port-oids.ts';
import { b42 } from './b42-no-port-reference-for-ever.ts';

/** Chapter B: ports. */
export const CHAPTER_B: readonly RuleCheck[] = [b24, b42];
