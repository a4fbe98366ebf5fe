import type { FaultRule, FaultRuleChange, FaultRuleOptions } from '../../policy/faults-api.ts';
import { faultInput, faultRuleChange, shownFault } from '../fault-schemas.ts';
import { type FaultWords, ruleOfWords, type SpokenFaults, saidFault } from '../fault-words.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

type FaultParams = { readonly id: string };
type ChangeBody = { readonly [M in keyof FaultRuleOptions]?: FaultRuleOptions[M] | null };

const params = { id: 'Id of the rule' };

/** Faults on purpose (docs/howto/inject-faults.md). */
export const faultRoutes: readonly Route[] = [
  defineRoute<object, object, FaultRuleOptions | FaultWords>({
    method: 'POST',
    path: '/sim/faults',
    operationId: 'addFault',
    tag: 'simulation',
    summary: 'Make something fail on purpose: which place, which time, how likely, what happens',
    description:
      'As a rule (`at`), or in few words (`target`). Members that are left out match everything. In force at once; in an atomic batch for the operations that follow, and taken back ' +
      'with the rest when one is refused. In memory: snapshots have the rules with their counts, a reset clears them.',
    schema: {
      body: faultInput,
      response: { 201: shownFault },
      errors: ['ALREADY_EXISTS', 'FORBIDDEN', 'INVALID_ARGUMENT'],
    },
    handle({ world, base, body, entry: { spokenFaults } }) {
      const isWords = 'target' in body;
      const [made] = world.faults.add(isWords ? ruleOfWords(body) : body) as readonly [FaultRule];
      forgetAll(spokenFaults, world.faults.list());
      if (isWords) spokenFaults.set(made.id, body);
      else spokenFaults.delete(made.id);
      const location = `${base}/sim/faults/${made.id}`;
      return { status: 201, body: saidFault(made, spokenFaults), location };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/sim/faults',
    operationId: 'listFaults',
    tag: 'simulation',
    summary: 'Fault rules in the order in which they are met, with what came of each',
    schema: { query: pageQuery(), response: { 200: listOf(shownFault) } },
    handle({ world, query, entry: { spokenFaults } }) {
      const page = pageInOrder(world.faults.list(), ({ id }) => id, query);
      const items = page.items.map((rule) => saidFault(rule, spokenFaults));
      return { status: 200, body: { ...page, items } };
    },
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
    schema: { params, response: { 200: shownFault }, errors: ['NOT_FOUND'] },
    handle: ({ world, params: { id }, entry: { spokenFaults } }) => ({
      status: 200,
      body: saidFault(world.faults.get(id), spokenFaults),
    }),
  }),
  defineRoute<FaultParams, object, ChangeBody>({
    method: 'PATCH',
    path: '/sim/faults/{id}',
    operationId: 'updateFault',
    tag: 'simulation',
    summary: 'Change a fault rule while it is in force',
    description:
      'Members of the rule that are given replace, null takes one away. Counts go on. What was made in few words is shown as a rule afterwards.',
    schema: {
      params,
      body: faultRuleChange,
      response: { 200: shownFault },
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

/** The words of rules that are gone. */
function forgetAll(spoken: SpokenFaults, rules: readonly FaultRule[]): void {
  if (spoken.size <= rules.length) return;
  const ids = new Set(rules.map(({ id }) => id));
  for (const id of spoken.keys()) if (!ids.has(id)) spoken.delete(id);
}
