import type { MigrationOptions, MigrationSettlement } from '../../policy/migration-api.ts';
import { assertThisHost, type HostPageQuery, shown } from '../here.ts';
import { arrival, migration, migrationInput, settlement } from '../migration-schemas.ts';
import { type Page, pageByKey } from '../page.ts';
import { portableDocument } from '../portable-schemas.ts';
import { defineRoute, type Here, type Route } from '../route.ts';
import { hostPageQuery, listOfHosts } from '../schemas.ts';

type MigrationParams = { readonly migration: string };
type ArrivalParams = { readonly arrival: string };

const params = { migration: 'Migration id' };

interface Listed {
  readonly id?: unknown;
  /** Of a migration; a host of an earlier version says none. */
  readonly started?: unknown;
}

/** Order of the lists: as migrations began, the oldest first; ids decide between those of one millisecond, and between arrivals. */
function keyOf({ id, started = 0 }: Listed): string {
  return `${Math.trunc(Number(started)).toString().padStart(16, '0')}/${id}`;
}

function pageHere<T extends { readonly id: string }>(
  items: Iterable<T>,
  here: Here,
  query: HostPageQuery,
): Page<T> {
  assertThisHost(query, here);
  const page = pageByKey(items, keyOf, query);
  return { ...page, items: page.items.map((item) => shown(item, here)) };
}

export const migrationRoutes: readonly Route[] = [
  defineRoute<object, object, MigrationOptions>({
    method: 'POST',
    path: '/migrations',
    operationId: 'startMigration',
    tag: 'migrations',
    about: 'vmInBody',
    summary: 'Migrate a VM to another host, or say what would keep it from running there',
    description:
      'The hosts of a world are the other hosts of its cluster and the other worlds of the server, by name. The VM goes as it is, running, paused, saved or off, with ' +
      'its policies and the run-time data of the extensions (S11, S12). Whatever fails leaves it where it was, with everything it ' +
      'had. `dryRun` only gives the report, also about another switch of this host.',
    schema: {
      body: migrationInput,
      response: { 200: migration, 202: migration },
      errors: ['NOT_FOUND', 'AMBIGUOUS_NAME', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'],
    },
    async handle({ world, base, here, body }) {
      const started = await world.migrations.start(body);
      const status = body.dryRun === true ? 200 : 202;
      return { status, body: shown(started, here), location: `${base}/migrations/${started.id}` };
    },
  }),
  defineRoute<object, HostPageQuery>({
    method: 'GET',
    path: '/migrations',
    operationId: 'listMigrations',
    tag: 'migrations',
    summary:
      'Migrations of VMs of this host (in a cluster: of all), oldest first; the last 1,000 that have ended',
    gatheredBy: keyOf,
    schema: { query: hostPageQuery, response: { 200: listOfHosts(migration) } },
    handle: ({ world, here, query }) => ({
      status: 200,
      body: pageHere(world.migrations.list(), here, query),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'GET',
    path: '/migrations/{migration}',
    operationId: 'getMigration',
    tag: 'migrations',
    summary: 'One migration: its steps, what failed, the compatibility report',
    schema: { params, response: { 200: migration }, errors: ['NOT_FOUND'] },
    handle: ({ world, here, params: { migration: id } }) => ({
      status: 200,
      body: shown(world.migrations.get(id), here),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'POST',
    path: '/migrations/{migration}/resume',
    operationId: 'resumeMigration',
    tag: 'migrations',
    summary: 'Ask the other host again, now, where a migration stands that was cut off',
    schema: { params, response: { 200: migration }, errors: ['NOT_FOUND'] },
    handle: async ({ world, here, params: { migration: id } }) => ({
      status: 200,
      body: shown(await world.migrations.resume(id), here),
    }),
  }),
  defineRoute<MigrationParams, object, MigrationSettlement>({
    method: 'POST',
    path: '/migrations/{migration}/settle',
    operationId: 'settleMigration',
    tag: 'migrations',
    summary: 'Decide whose the VM is, for a destination that does not come back',
    description:
      '`source`: the VM is taken back with its run-time data; a copy that the destination has after all is taken away there, and ' +
      'kept, as soon as it is there again. Until then both may run: make sure that host is off. `destination`: the VM leaves this ' +
      'host, which keeps what it was until the destination says that it has it. Refused while the destination answers.',
    schema: {
      params,
      body: settlement,
      response: { 200: migration },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'INVALID_ARGUMENT'],
    },
    handle: async ({ world, here, params: { migration: id }, body }) => ({
      status: 200,
      body: shown(await world.migrations.settle(id, body), here),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'GET',
    path: '/migrations/{migration}/kept',
    operationId: 'getKeptVm',
    tag: 'migrations',
    about: 'kept',
    summary:
      'The VM that a decision left without an owner, or took away from this host, to be imported',
    schema: {
      params,
      response: { 200: portableDocument },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION'],
    },
    handle: ({ world, params: { migration: id } }) => ({
      status: 200,
      body: world.migrations.kept(id),
    }),
  }),
  defineRoute<MigrationParams>({
    method: 'DELETE',
    path: '/migrations/{migration}/kept',
    operationId: 'discardKeptVm',
    tag: 'migrations',
    about: 'kept',
    summary: 'Delete what is kept of a VM',
    schema: { params, response: { 204: null }, errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'] },
    async handle({ world, params: { migration: id } }) {
      await world.migrations.discard(id);
      return { status: 204 };
    },
  }),
  defineRoute<object, HostPageQuery>({
    method: 'GET',
    path: '/arrivals',
    operationId: 'listArrivals',
    tag: 'migrations',
    summary: 'VMs of other hosts that are prepared here, were taken or given up',
    gatheredBy: keyOf,
    schema: { query: hostPageQuery, response: { 200: listOfHosts(arrival) } },
    handle: ({ world, here, query }) => ({
      status: 200,
      body: pageHere(world.migrations.arrivals(), here, query),
    }),
  }),
  defineRoute<ArrivalParams>({
    method: 'POST',
    path: '/arrivals/{arrival}/abandon',
    operationId: 'abandonArrival',
    tag: 'migrations',
    summary: 'Give up a VM that is prepared here and whose source does not come back',
    description:
      'Its ports, name and addresses are free. Should the source come back it keeps its VM.',
    schema: {
      params: { arrival: 'Arrival id, that of its migration' },
      response: { 200: arrival },
      errors: ['NOT_FOUND', 'ILLEGAL_TRANSITION', 'STORE_UNAVAILABLE'],
    },
    handle: async ({ world, here, params: { arrival: id } }) => ({
      status: 200,
      body: shown(await world.migrations.abandon(id), here),
    }),
  }),
];
