import type {
  BehaviourOptions,
  IsolationOptions,
  ProfileName,
  VerifierMode,
} from '../../policy/api.ts';
import type { FaultRuleOptions } from '../../policy/faults-api.ts';
import { faultRuleInputs } from '../fault-schemas.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type JsonSchema, type Route } from '../route.ts';
import {
  behaviour,
  isolate,
  listOf,
  object,
  pageQuery,
  profiles,
  text,
  verifierMode,
  world,
} from '../schemas.ts';
import { type Worlds, worldInfo } from '../worlds.ts';

type WorldBody = {
  readonly name?: string;
  readonly seed?: string | number | bigint;
  readonly profile?: ProfileName;
  readonly store?: 'memory';
  readonly scheduling?: 'fifo' | 'seeded';
  readonly behaviour?: BehaviourOptions;
  readonly verifier?: VerifierMode;
  readonly isolate?: IsolationOptions;
  readonly faults?: readonly FaultRuleOptions[];
};
const seed: JsonSchema = {
  type: ['string', 'integer'],
  minLength: 1,
  maxLength: 1_024,
  description: 'Any text; of a number its decimal digits',
};

type WorldParams = { readonly name: string };

const params = { name: 'World name' };

/** Making and ending worlds; only below `/v1`. */
export function worldRoutes(worlds: Worlds): readonly Route[] {
  return [
    defineRoute<object, object, WorldBody | undefined>({
      method: 'POST',
      path: '/worlds',
      operationId: 'createWorld',
      tag: 'worlds',
      summary: 'Make an isolated world; its routes are below /worlds/{name}/v1',
      scope: 'server',
      batch: false,
      schema: {
        body: object(
          {
            name: text(64),
            seed,
            profile: profiles,
            store: { enum: ['memory'] },
            scheduling: {
              enum: ['fifo', 'seeded'],
              description: 'seeded: operations that may overlap do, in an order the seed picks',
            },
            behaviour,
            verifier: verifierMode,
            isolate,
            faults: { ...faultRuleInputs, description: 'Fault rules from the first instant' },
          },
          [
            'name',
            'seed',
            'profile',
            'store',
            'scheduling',
            'behaviour',
            'verifier',
            'isolate',
            'faults',
          ],
        ),
        bodyOptional: true,
        response: { 201: world },
        errors: ['ALREADY_EXISTS', 'FORBIDDEN', 'INVALID_ARGUMENT'],
      },
      async handle({ body }) {
        const { seed: start, ...options } = body ?? {};
        const made = await worlds.create({
          ...options,
          ...(start === undefined ? {} : { seed: String(start) }),
        });
        return { status: 201, body: worldInfo(made), location: `/v1/worlds/${made.name}` };
      },
    }),
    defineRoute<object, PageQuery>({
      method: 'GET',
      path: '/worlds',
      operationId: 'listWorlds',
      tag: 'worlds',
      summary: 'Worlds of this server, by name',
      scope: 'server',
      batch: false,
      schema: { query: pageQuery(), response: { 200: listOf(world) } },
      handle({ query }) {
        const page = pageByKey(worlds.list(), (entry) => entry.name, query);
        return { status: 200, body: { ...page, items: page.items.map(worldInfo) } };
      },
    }),
    defineRoute<WorldParams>({
      method: 'GET',
      path: '/worlds/{name}',
      operationId: 'getWorld',
      tag: 'worlds',
      summary: 'One world',
      scope: 'server',
      batch: false,
      schema: { params, response: { 200: world }, errors: ['NOT_FOUND'] },
      handle: (context) => ({ status: 200, body: worldInfo(worlds.get(context.params.name)) }),
    }),
    defineRoute<WorldParams>({
      method: 'DELETE',
      path: '/worlds/{name}',
      operationId: 'deleteWorld',
      tag: 'worlds',
      summary: 'End a world; "default" stays',
      scope: 'server',
      batch: false,
      schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'FORBIDDEN'] },
      async handle(context) {
        await worlds.delete(context.params.name);
        return { status: 204 };
      },
    }),
    defineRoute<WorldParams, object, { readonly name?: string } | undefined>({
      method: 'POST',
      path: '/sim/snapshots/{name}/fork',
      operationId: 'forkSnapshot',
      tag: 'simulation',
      summary: 'A new world, in memory, that begins as this one was',
      description:
        'Same ids, seed, profile, behaviour, extensions; the name in the body is that of the new world.',
      batch: false,
      schema: {
        params: { name: 'Snapshot name' },
        body: object({ name: text(64, 'World name; default world-1, …') }, ['name']),
        bodyOptional: true,
        response: { 201: world },
        errors: ['ALREADY_EXISTS', 'FORBIDDEN', 'INVALID_ARGUMENT', 'NOT_FOUND'],
      },
      async handle({ entry, params: { name: snapshot }, body }) {
        const made = await worlds.fork(entry, snapshot, body?.name);
        return { status: 201, body: worldInfo(made), location: `/v1/worlds/${made.name}` };
      },
    }),
  ];
}
