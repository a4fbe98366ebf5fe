import { BYTES } from './breaks/bytes.ts';
import { CHANGES } from './breaks/changes.ts';
import { CLUSTER } from './breaks/cluster.ts';
import { CONNECTIONS } from './breaks/connections.ts';
import { FAULTS } from './breaks/faults.ts';
import { HTTP } from './breaks/http.ts';
import { ISOLATION } from './breaks/isolation.ts';
import { MIGRATION } from './breaks/migration.ts';
import { MOF } from './breaks/mof.ts';
import { PIPELINE } from './breaks/pipeline.ts';
import { PROPERTIES } from './breaks/properties.ts';
import { SAVING } from './breaks/saving.ts';
import { SCENARIO } from './breaks/scenario.ts';
import { STACK } from './breaks/stack.ts';
import { STORE } from './breaks/store.ts';
import { SWEEP } from './breaks/sweep.ts';
import { VERIFIER } from './breaks/verifier.ts';
import { WORLD } from './breaks/world.ts';
import type { Area, Mutant } from './mutant.ts';

/** In the order of the page. */
export const AREAS: readonly Area[] = [
  ...[PIPELINE, STACK, CONNECTIONS, PROPERTIES, BYTES, MOF, SAVING],
  ...[MIGRATION, CHANGES, STORE, CLUSTER, WORLD, VERIFIER, FAULTS],
  ...[SWEEP, ISOLATION, SCENARIO, HTTP],
];

export const MUTANTS: readonly Mutant[] = AREAS.flatMap(({ mutants }) => mutants);
