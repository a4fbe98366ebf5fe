import type { Verb } from './verb.ts';
import { ATOMIC_VERB } from './verbs/atomic-verb.ts';
import { DOCUMENT_VERBS } from './verbs/document-verbs.ts';
import { FAULT_VERBS } from './verbs/fault-verbs.ts';
import { FEATURE_VERBS } from './verbs/feature-verbs.ts';
import { FLOW_VERBS } from './verbs/flow-verbs.ts';
import { HOST_VERBS } from './verbs/host-verbs.ts';
import { LOOK_VERBS } from './verbs/look-verbs.ts';
import { MIGRATION_VERBS } from './verbs/migration-verbs.ts';
import { MOMENT_VERBS } from './verbs/moment-verbs.ts';
import { PROPERTY_VERBS } from './verbs/property-verbs.ts';
import { SETTLEMENT_VERBS } from './verbs/settlement-verbs.ts';
import { SWITCH_VERBS } from './verbs/switch-verbs.ts';
import { TRACE_VERB } from './verbs/trace-verb.ts';
import { VM_VERBS } from './verbs/vm-verbs.ts';

/** Every word a step may begin with: checks, JSON Schema and docs/reference/scenario.md come from here. */
export const VERBS: readonly Verb[] = [
  ...VM_VERBS,
  ...DOCUMENT_VERBS,
  ...PROPERTY_VERBS,
  ...FEATURE_VERBS,
  ...SWITCH_VERBS,
  ...HOST_VERBS,
  ...MOMENT_VERBS,
  ...MIGRATION_VERBS,
  ...SETTLEMENT_VERBS,
  ...FAULT_VERBS,
  ...FLOW_VERBS,
  ATOMIC_VERB,
  ...LOOK_VERBS,
  TRACE_VERB,
];

export const VERB_BY_NAME: ReadonlyMap<string, Verb> = new Map(
  VERBS.map((verb) => [verb.name, verb]),
);
