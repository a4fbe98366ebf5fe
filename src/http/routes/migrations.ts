import type { MigrationOptions } from '../../policy/migration-api.ts';
import { arrival, migration, migrationInput } from '../migration-schemas.ts';
import { type PageQuery, pageByKey } from '../page.ts';
import { defineRoute, type Route } from '../route.ts';
import { listOf, pageQuery } from '../schemas.ts';

type MigrationParams = { readonly migration: string };

const params = { migration: 'Migration id' };

export const migrationRoutes: readonly Route[] = [
  defineRoute<object, object, MigrationOptions>({
    method: 'POST',
    path: '/migrations',
    operationId: 'startMigration',
    tag: 'migrations',
    summary: 'Migrate a VM to another host, or say what would keep it from running there',
    description:
      'The hosts of a world are the other worlds of the server, by name. The VM goes as it is, running, paused, saved or off, with ' +
      'its policies and the run-time data of the extensions (S11, S12). Whatever fails leaves it where it was, with everything it ' +
      'had. `dryRun` only gives the report, also about another switch of this host.',
    schema: {
      body: migrationInput,
      response: { 200: migration, 202: migration },
      errors: ['NOT_FOUND', 'AMBIGUOUS_NAME', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'],
    },
    async handle({ world, base, body }) {
      const started = await world.migrations.start(body);
      const status = body.dryRun === true ? 200 : 202;
      return { status, body: started, location: `${base}/migrations/${started.id}` };
    },
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/migrations',
    operationId: 'listMigrations',
    tag: 'migrations',
    summary: 'Migrations of VMs of this host, by id; the last 1,000 that have ended',
    schema: { query: pageQuery(), response: { 200: listOf(migration) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageByKey(world.migrations.list(), (one) => one.id, query),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'GET',
    path: '/migrations/{migration}',
    operationId: 'getMigration',
    tag: 'migrations',
    summary: 'One migration: its steps, what failed, the compatibility report',
    schema: { params, response: { 200: migration }, errors: ['NOT_FOUND'] },
    handle: ({ world, params: { migration: id } }) => ({
      status: 200,
      body: world.migrations.get(id),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'POST',
    path: '/migrations/{migration}/resume',
    operationId: 'resumeMigration',
    tag: 'migrations',
    summary: 'Ask the other host again, now, where a migration stands that was cut off',
    schema: { params, response: { 200: migration }, errors: ['NOT_FOUND'] },
    handle: async ({ world, params: { migration: id } }) => ({
      status: 200,
      body: await world.migrations.resume(id),
    }),
  }),
  defineRoute<object, PageQuery>({
    method: 'GET',
    path: '/arrivals',
    operationId: 'listArrivals',
    tag: 'migrations',
    summary: 'VMs of other hosts that are prepared here, were taken or given up',
    schema: { query: pageQuery(), response: { 200: listOf(arrival) } },
    handle: ({ world, query }) => ({
      status: 200,
      body: pageByKey(world.migrations.arrivals(), (one) => one.id, query),
    }),
  }),
];
