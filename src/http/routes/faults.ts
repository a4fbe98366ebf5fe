import type { FaultRuleChange, FaultRuleOptions } from '../../policy/faults-api.ts';
import { faultRule, faultRuleChange, faultRuleInput } from '../fault-schemas.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

type FaultParams = { readonly id: string };
type ChangeBody = { readonly [M in keyof FaultRuleOptions]?: FaultRuleOptions[M] | null };

const params = { id: 'Id of the rule' };

/** Faults on purpose (docs/howto/inject-faults.md). */
export const faultRoutes: readonly Route[] = [
  defineRoute<object, object, FaultRuleOptions>({
    method: 'POST',
    path: '/sim/faults',
    operationId: 'addFault',
    tag: 'simulation',
    summary: 'Make something fail on purpose: which place, which time, how likely, what happens',
    description:
      'Members that are left out match everything. In force at once; in an atomic batch for the operations that follow, and taken back ' +
      'with the rest when one is refused. In memory: snapshots have the rules with their counts, a reset clears them.',
    schema: {
      body: faultRuleInput,
      response: { 201: faultRule },
      errors: ['ALREADY_EXISTS', 'FORBIDDEN', 'INVALID_ARGUMENT'],
    },
    handle({ world, base, body }) {
      const [made] = world.faults.add(body);
      return { status: 201, body: made, location: `${base}/sim/faults/${made?.id}` };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/sim/faults',
    operationId: 'listFaults',
    tag: 'simulation',
    summary: 'Fault rules in the order in which they are met, with what came of each',
    schema: { query: pageQuery(), response: { 200: listOf(faultRule) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageInOrder(world.faults.list(), ({ id }) => id, query),
    }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/sim/faults',
    operationId: 'clearFaults',
    tag: 'simulation',
    summary: 'Remove all fault rules',
    schema: { response: { 204: null } },
    handle({ world }) {
      world.faults.clear();
      return { status: 204 };
    },
  }),
  defineRoute<FaultParams>({
    method: 'GET',
    path: '/sim/faults/{id}',
    operationId: 'getFault',
    tag: 'simulation',
    summary: 'One fault rule',
    schema: { params, response: { 200: faultRule }, errors: ['NOT_FOUND'] },
    handle: (context) => ({ status: 200, body: context.world.faults.get(context.params.id) }),
  }),
  defineRoute<FaultParams, object, ChangeBody>({
    method: 'PATCH',
    path: '/sim/faults/{id}',
    operationId: 'updateFault',
    tag: 'simulation',
    summary: 'Change a fault rule while it is in force',
    description: 'Members that are given replace, null takes one away. Counts go on.',
    schema: {
      params,
      body: faultRuleChange,
      response: { 200: faultRule },
      errors: ['INVALID_ARGUMENT', 'NOT_FOUND'],
    },
    handle(context) {
      const given = Object.entries(context.body).map(([name, value]) => [name, value ?? undefined]);
      const change: FaultRuleChange = Object.fromEntries(given);
      return { status: 200, body: context.world.faults.update(context.params.id, change) };
    },
  }),
  defineRoute<FaultParams>({
    method: 'DELETE',
    path: '/sim/faults/{id}',
    operationId: 'removeFault',
    tag: 'simulation',
    summary: 'Remove a fault rule',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND'] },
    handle(context) {
      context.world.faults.remove(context.params.id);
      return { status: 204 };
    },
  }),
];
