import type { RuleCheck } from '../rule-check.ts';
import { b24 } from './b24-forward-port-oids.ts';
import { b42 } from './b42-no-port-reference-for-ever.ts';

/** Every check, in the order of the rule book. */
export const RULE_CHECKS: readonly RuleCheck[] = [b24, b42];
