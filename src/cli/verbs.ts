import type { CommandSpec } from './command.ts';
import { CLUSTER_VERBS } from './verbs/cluster-verbs.ts';
import { FAULT_VERBS } from './verbs/fault-verbs.ts';
import { HOST_VERBS } from './verbs/host-verbs.ts';
import { LOCAL_VERBS } from './verbs/local-verbs.ts';
import { MIGRATION_VERBS } from './verbs/migration-verbs.ts';
import { OBJECT_VERBS } from './verbs/object-verbs.ts';
import { POLICY_VERBS } from './verbs/policy-verbs.ts';
import { PORTABLE_VERBS } from './verbs/portable-verbs.ts';
import { RUN_VERBS } from './verbs/run-verbs.ts';
import { SERVER_VERBS } from './verbs/server-verbs.ts';
import { SIM_VERBS } from './verbs/sim-verbs.ts';
import { STORE_VERBS } from './verbs/store-verbs.ts';
import { SWEEP_VERBS } from './verbs/sweep-verbs.ts';
import { VERIFY_VERBS } from './verbs/verify-verbs.ts';
import { VM_VERBS } from './verbs/vm-verbs.ts';

/** Every command, in the order help lists them. */
export const COMMANDS: readonly CommandSpec[] = [
  ...LOCAL_VERBS,
  ...RUN_VERBS,
  ...VERIFY_VERBS,
  ...SWEEP_VERBS,
  ...OBJECT_VERBS,
  ...VM_VERBS,
  ...PORTABLE_VERBS,
  ...MIGRATION_VERBS,
  ...HOST_VERBS,
  ...CLUSTER_VERBS,
  ...POLICY_VERBS,
  ...SERVER_VERBS,
  ...SIM_VERBS,
  ...FAULT_VERBS,
  ...STORE_VERBS,
];

/** Verbs of interfaces.md 2 that a later version brings. */
export const LATER_VERBS: readonly string[] = ['native'];
