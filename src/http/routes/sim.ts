import { ExtSwitchError } from '../../core/errors.ts';
import { PARITY_KINDS, type ParityKind, parityTable } from '../../policy/parity.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, object, pageQuery, parityEntry, pendingOid, text } from '../schemas.ts';

type ResetBody = { readonly snapshot?: string };

export const simRoutes: readonly Route[] = [
  defineRoute<object, object, ResetBody | undefined>({
    method: 'POST',
    path: '/sim/reset',
    operationId: 'resetWorld',
    tag: 'simulation',
    summary: 'Back to empty; installed extensions stay',
    description: 'Requests in flight end with REQUEST_ABORTED.',
    batch: false,
    schema: {
      body: object({ snapshot: text(256, 'Named snapshots are not in this version: 422') }, [
        'snapshot',
      ]),
      bodyOptional: true,
      response: { 204: null },
      errors: ['INVALID_ARGUMENT'],
    },
    async handle({ entry, body }) {
      if (body?.snapshot !== undefined) {
        throw new ExtSwitchError(
          'INVALID_ARGUMENT',
          'named snapshots come in a later version: leave "snapshot" out to go back to empty',
          { member: 'snapshot' },
        );
      }
      await entry.fabric.reset();
      entry.idempotency.clear();
      return { status: 204 };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/sim/pending',
    operationId: 'listPending',
    tag: 'simulation',
    summary: 'OID requests in flight: who holds each one, for how long',
    schema: { query: pageQuery(), response: { 200: listOf(pendingOid) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageInOrder(world.pending(), (p) => `${p.switch}/${p.request}`, query),
    }),
  }),
  defineRoute<object, { kind?: ParityKind }>({
    method: 'GET',
    path: '/sim/parity',
    operationId: 'getParity',
    tag: 'simulation',
    summary: 'Every OID, indication, status, class and rule: modelled, tested, source page',
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { kind: { enum: [...PARITY_KINDS], description: 'Only these.' } },
      },
      response: { 200: object({ items: { type: 'array', items: parityEntry } }) },
    },
    handle: ({ query }) => ({ status: 200, body: { items: parityTable(query.kind) } }),
  }),
];
