import { ExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { PARITY_KINDS, type ParityKind, parityTable } from '../../policy/parity.ts';
import { type TimeInfo, WARP_LIMIT_MS } from '../../policy/sim-api.ts';
import { type PageQuery, pageInOrder } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, object, pageQuery, parityEntry, pendingOid, text } from '../schemas.ts';
import { snapshotInfo, timeInfo } from '../sim-schemas.ts';

type ResetBody = { readonly snapshot?: string };
type SnapshotParams = { readonly name: string };
type TimeBody = { readonly stop?: true; readonly warpMs?: number; readonly resume?: true };

const params = { name: 'Snapshot name' };
const only = { const: true } as const;

export const simRoutes: readonly Route[] = [
  defineRoute<object, object, ResetBody | undefined>({
    method: 'POST',
    path: '/sim/reset',
    operationId: 'resetWorld',
    tag: 'simulation',
    summary: 'Back to empty, or to a snapshot; installed extensions stay',
    description: 'Requests in flight end with REQUEST_ABORTED. Snapshots stay.',
    batch: false,
    schema: {
      body: object(
        { snapshot: text(64, 'Back to this one, as POST /v1/sim/snapshots/{name}/restore') },
        ['snapshot'],
      ),
      bodyOptional: true,
      response: { 204: null },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'],
    },
    async handle({ entry, body }) {
      const snapshot = body?.snapshot;
      await (snapshot === undefined
        ? entry.fabric.reset()
        : entry.fabric.snapshots.restore(snapshot));
      entry.idempotency.clear();
      return { status: 204 };
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/sim/time',
    operationId: 'getTime',
    tag: 'simulation',
    summary: 'Virtual time, and whether it follows the wall',
    schema: { response: { 200: timeInfo } },
    handle: ({ world }) => ({ status: 200, body: world.time.info }),
  }),
  defineRoute<object, object, TimeBody>({
    method: 'POST',
    path: '/sim/time',
    operationId: 'setTime',
    tag: 'simulation',
    summary: 'Stop time, move it, or let it follow the wall again',
    description:
      'One of stop, warpMs, resume. A warp answers when everything it set off has settled: timers fire in order, each at its own ' +
      'time. After resume time goes on from where it stands: it neither jumps back nor catches up.',
    batch: false,
    schema: {
      body: object(
        {
          stop: only,
          warpMs: {
            type: 'integer',
            minimum: 0,
            maximum: WARP_LIMIT_MS,
            description: 'Milliseconds',
          },
          resume: only,
        },
        ['stop', 'warpMs', 'resume'],
      ),
      response: { 200: timeInfo },
      errors: ['INVALID_ARGUMENT', 'ILLEGAL_TRANSITION'],
    },
    handle: async ({ world, body }) => ({ status: 200, body: await moveTime(world, body) }),
  }),
  defineRoute<object, object, { readonly name?: string } | undefined>({
    method: 'POST',
    path: '/sim/snapshots',
    operationId: 'createSnapshot',
    tag: 'simulation',
    summary: 'Keep this moment of the world under a name',
    description: 'In memory; waits for changes under way. It ends with the world.',
    batch: false,
    schema: {
      body: object({ name: text(64, 'Default: snapshot-1, …') }, ['name']),
      bodyOptional: true,
      response: { 201: snapshotInfo },
      errors: ['ALREADY_EXISTS', 'FORBIDDEN', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'],
    },
    async handle({ world, base, body }) {
      const made = await world.snapshots.create(body ?? {});
      return { status: 201, body: made, location: `${base}/sim/snapshots/${made.name}` };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/sim/snapshots',
    operationId: 'listSnapshots',
    tag: 'simulation',
    summary: 'Snapshots of the world, oldest first',
    schema: { query: pageQuery(), response: { 200: listOf(snapshotInfo) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageInOrder(world.snapshots.list(), ({ name }) => name, query),
    }),
  }),
  defineRoute<SnapshotParams>({
    method: 'GET',
    path: '/sim/snapshots/{name}',
    operationId: 'getSnapshot',
    tag: 'simulation',
    summary: 'One snapshot',
    schema: { params, response: { 200: snapshotInfo }, errors: ['NOT_FOUND'] },
    handle: (context) => ({
      status: 200,
      body: context.world.snapshots.get(context.params.name),
    }),
  }),
  defineRoute<SnapshotParams>({
    method: 'DELETE',
    path: '/sim/snapshots/{name}',
    operationId: 'deleteSnapshot',
    tag: 'simulation',
    summary: 'Forget a snapshot',
    batch: false,
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND'] },
    async handle(context) {
      await context.world.snapshots.delete(context.params.name);
      return { status: 204 };
    },
  }),
  defineRoute<SnapshotParams>({
    method: 'POST',
    path: '/sim/snapshots/{name}/restore',
    operationId: 'restoreSnapshot',
    tag: 'simulation',
    summary: 'The world becomes what it was, exactly; what came since is gone',
    description:
      'Requests in flight end with REQUEST_ABORTED; extensions are detached, attached anew and told what there is, as after a restart. ' +
      'Time goes on; trace and events begin anew and their numbers go on.',
    batch: false,
    schema: {
      params,
      response: { 200: snapshotInfo },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'],
    },
    async handle({ entry, params: { name } }) {
      const restored = await entry.fabric.snapshots.restore(name);
      entry.idempotency.clear();
      return { status: 200, body: restored };
    },
  }),
  defineRoute<object, { readonly snapshot?: string }>({
    method: 'GET',
    path: '/sim/recording',
    operationId: 'getRecording',
    tag: 'simulation',
    summary: 'The trace as a file to replay against an extension',
    description:
      'JSON lines (docs/reference/trace-file.md): all since the world was opened, reset or restored, or since a snapshot. ' +
      'ILLEGAL_TRANSITION when entries it needs were dropped.',
    batch: false,
    schema: {
      query: {
        type: 'object',
        additionalProperties: false,
        properties: { snapshot: text(64, 'Begin with this snapshot') },
      },
      response: { 200: { type: 'string' } },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'],
    },
    handle: ({ world, query }) => ({
      status: 200,
      text: { mediaType: 'application/jsonl', content: world.recording(query) },
    }),
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

/** One of the three, so that nobody has to guess which comes first. */
function moveTime({ time }: FabricInterface, body: TimeBody): Promise<TimeInfo> {
  const members = Object.keys(body);
  if (members.length === 1) {
    if (body.stop) return time.stop();
    if (body.resume) return time.resume();
    return time.warp(body.warpMs ?? 0);
  }
  const expected = 'one of {"stop":true}, {"warpMs":n}, {"resume":true}';
  const found = members.length === 0 ? 'none' : members.join(', ');
  throw new ExtSwitchError('INVALID_ARGUMENT', `the body has ${found}: expected ${expected}`, {
    expected,
    found,
  });
}
