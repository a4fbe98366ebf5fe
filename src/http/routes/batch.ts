import { parse as parseQuery } from 'node:querystring';
import { ExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { BODY_LIMITS } from '../body-limits.ts';
import { type BatchOperation, BatchRouting } from '../cluster/batch-routing.ts';
import type { ClusterPlane } from '../cluster/cluster-plane.ts';
import { type CompiledRoute, makeContext } from '../dispatcher.ts';
import type { PathMatch, PathMatcher } from '../path-matcher.ts';
import { type Problem, problemOf, problemResult } from '../problem.ts';
import { defineRoute, type Here, type RequestHeaders, type Result, type Route } from '../route.ts';
import { batchResult, listOf, object } from '../schemas.ts';
import { DEFAULT_WORLD, type World } from '../worlds.ts';

const MAX_OPERATIONS = 10_000;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly ifMatch?: string;
}
interface BatchBody {
  readonly atomic?: boolean;
  readonly operations: readonly Operation[];
}

/** One result as it is answered. */
interface OperationResult {
  readonly status: number;
  readonly headers?: { location?: string; etag?: string };
  readonly body?: unknown;
}

/** What a batch needs of the plane around it. */
export interface BatchDeps {
  readonly matcher: PathMatcher<CompiledRoute>;
  /** Calls a route and turns what goes wrong into a problem. */
  run(compiled: CompiledRoute, context: ReturnType<typeof makeContext>): Result | Promise<Result>;
  /** In a cluster: finds the hosts of what operations are about. */
  routing(): ClusterPlane | undefined;
  /** For errors that are not a route's. */
  unknownError(error: unknown): void;
}

/** Ends an atomic batch from inside; never leaves this file. */
class Refused extends Error {}

const NO_HEADERS: RequestHeaders = {};

/** `POST /v1/batch`: the same table of routes, without a request for each. */
export function batchRoute(deps: BatchDeps): Route {
  return defineRoute<object, object, BatchBody>({
    method: 'POST',
    path: '/batch',
    operationId: 'batch',
    tag: 'batch',
    summary: 'Many operations in one request, one result each',
    description:
      'Operations take effect in order. Paths are those of single requests ("/v1/…" means this world). ' +
      '`atomic`: when one is refused, all others are undone and the answer is the problem of the refused one, with ' +
      '`operation` (its index) and `items`. In a cluster operations about VMs of other hosts are done there, one by one; an ' +
      'atomic batch is about one host.',
    batch: false,
    bodyLimit: BODY_LIMITS.largeBytes,
    schema: {
      body: object(
        {
          atomic: { type: 'boolean' },
          operations: {
            type: 'array',
            maxItems: MAX_OPERATIONS,
            items: object(
              {
                method: { enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
                path: { type: 'string', minLength: 1, maxLength: 2_048 },
                body: {},
                ifMatch: { type: 'string', minLength: 1, maxLength: 256 },
              },
              ['body', 'ifMatch'],
            ),
          },
        },
        ['atomic'],
      ),
      response: { 200: listOf(batchResult) },
      errors: ['VETOED', 'SETTINGS_INVALID', 'NOT_FOUND'],
    },
    async handle({ world, entry, base, here, body, headers }) {
      const routing = here.asksOthers ? deps.routing() : undefined;
      const place = {
        entry,
        base,
        here,
        key: headers['idempotency-key'],
        routing: routing && new BatchRouting(routing, entry),
      };
      if (body.atomic === true) return runAtomic(deps, world, place, body);
      const batch = new Batch(deps, world, place);
      return { status: 200, body: { items: await batch.runAll(body.operations) } };
    },
  });
}

/** Where a batch is run. */
interface Place {
  readonly entry: World;
  readonly base: string;
  readonly here: Here;
  readonly key: string | undefined;
  readonly routing: BatchRouting | undefined;
}

/** Runs the operations of one request. */
class Batch {
  readonly #deps: BatchDeps;
  readonly #world: FabricInterface;
  readonly #place: Place;
  readonly #prefix: string;
  /** The last path and what it stood for: hundreds of additions go to one collection. */
  #lastMethod = '';
  #lastPath = '';
  #lastMatch: PathMatch<CompiledRoute> | undefined;

  /** `world`: inside an atomic change the one it works on. */
  constructor(deps: BatchDeps, world: FabricInterface, place: Place) {
    this.#deps = deps;
    this.#world = world;
    this.#place = place;
    const { entry, here } = place;
    this.#prefix = entry.name === DEFAULT_WORLD ? `/hosts/${here.host}` : `/worlds/${entry.name}`;
  }

  /**
   * In order. Consecutive additions, updates and deletions of properties are started without waiting for the store to
   * have made the one before durable, so that a group commit can take them together; an operation that names a property
   * such an operation is still working on waits, and so does everything else.
   */
  async runAll(operations: readonly Operation[]): Promise<OperationResult[]> {
    const results = new Array<OperationResult>(operations.length);
    let running: Promise<void>[] = [];
    let touched = new Set<string>();
    for (let i = 0; i < operations.length; i += 1) {
      const operation = operations[i] as Operation;
      const match = this.#match(operation);
      const target = this.#isAway(operation, match) ? undefined : targetOf(match, operation);
      if (running.length > 0 && (target === undefined || touched.has(target))) {
        await Promise.all(running);
        running = [];
        touched = new Set();
      }
      const outcome = this.#start(operation, match);
      if (!(outcome instanceof Promise)) {
        results[i] = operationResult(outcome);
      } else if (target === undefined) {
        results[i] = operationResult(await outcome);
      } else {
        if (target !== '') touched.add(target);
        running.push(
          outcome.then((result) => {
            results[i] = operationResult(result);
          }),
        );
      }
    }
    await Promise.all(running);
    return results;
  }

  /** One after the other, each done before the next; stops behind the first refused one. */
  async runUntilRefused(
    operations: readonly Operation[],
    results: OperationResult[],
  ): Promise<void> {
    for (const operation of operations) {
      const outcome = this.#start(operation, this.#match(operation));
      const result = operationResult(outcome instanceof Promise ? await outcome : outcome);
      results.push(result);
      if (result.status >= 400) throw new Refused();
    }
  }

  #start(
    operation: Operation,
    match: PathMatch<CompiledRoute> | Result | undefined,
  ): Result | Promise<Result> {
    if (match === undefined || !('value' in match)) {
      return match ?? this.#problem(notFound(operation));
    }
    const { entry, base, here, routing } = this.#place;
    const context = makeContext(
      entry,
      this.#world,
      base,
      here,
      match.params,
      queryOf(operation.path),
      operation.body ?? undefined,
      operation.ifMatch === undefined ? NO_HEADERS : { 'if-match': operation.ifMatch },
    );
    const runHere = (): Result | Promise<Result> => this.#deps.run(match.value, context);
    if (routing === undefined) return runHere();
    return this.#route(routing, operationOf(operation, match), runHere);
  }

  /** In a cluster: here, or where it belongs. */
  async #route(
    routing: BatchRouting,
    operation: BatchOperation,
    runHere: () => Result | Promise<Result>,
  ): Promise<Result> {
    try {
      if (!routing.isLocal(operation)) return await routing.run(operation, runHere);
      return await routing.after(operation, await runHere(), runHere);
    } catch (error) {
      return this.#problem(error);
    }
  }

  #isAway(operation: Operation, match: PathMatch<CompiledRoute> | Result | undefined): boolean {
    const { routing } = this.#place;
    if (routing === undefined || match === undefined || !('value' in match)) return false;
    return !routing.isLocal(operationOf(operation, match));
  }

  /** Each operation with its route; `undefined` for one that has none. */
  routed(operations: readonly Operation[]): (BatchOperation | undefined)[] {
    return operations.map((operation) => {
      const match = this.#match(operation);
      return match === undefined || !('value' in match) ? undefined : operationOf(operation, match);
    });
  }

  #match(operation: Operation): PathMatch<CompiledRoute> | Result | undefined {
    if (operation.path === this.#lastPath && operation.method === this.#lastMethod) {
      return this.#lastMatch;
    }
    let found: ReturnType<PathMatcher<CompiledRoute>['match']>;
    try {
      found = this.#deps.matcher.match(operation.method, this.#pathOf(operation.path));
    } catch (error) {
      return this.#problem(error);
    }
    if (found === undefined || !('value' in found)) {
      return found === undefined ? undefined : this.#problem(notAllowed(operation, found));
    }
    const { route } = found.value;
    if (route.batch === false || route.scope === 'server') {
      return this.#problem(
        new ExtSwitchError(
          'INVALID_ARGUMENT',
          `${route.method} ${route.path} cannot be part of a batch`,
        ),
      );
    }
    this.#lastMethod = operation.method;
    this.#lastPath = operation.path;
    this.#lastMatch = found;
    return found;
  }

  /** The path below the world, without query. */
  #pathOf(path: string): string {
    const end = path.indexOf('?');
    const bare = end < 0 ? path : path.slice(0, end);
    return bare.startsWith(`${this.#prefix}/`) ? bare.slice(this.#prefix.length) : bare;
  }

  #problem(error: unknown): Result {
    return problemResult(problemOf(error, 'batch', this.#deps.unknownError));
  }
}

async function runAtomic(
  deps: BatchDeps,
  world: FabricInterface,
  place: Place,
  body: BatchBody,
): Promise<Result> {
  const { operations } = body;
  if (place.routing !== undefined && operations.length > 0) {
    const routed = new Batch(deps, world, place).routed(operations);
    const host = await place.routing.hostOfAll(routed);
    if (host !== undefined) return place.routing.passWhole(host, body, place.key);
  }
  const results: OperationResult[] = [];
  try {
    await world.atomic((inside) =>
      new Batch(deps, inside, { ...place, routing: undefined }).runUntilRefused(
        operations,
        results,
      ),
    );
    return { status: 200, body: { items: results } };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  const at = results.length - 1;
  const refused = results[at] as OperationResult;
  const operation = operations[at] as Operation;
  const reason = refused.body as Problem;
  const items = operations.map((_operation, i) => (i === at ? refused : undoneResult(i < at, at)));
  return problemResult({
    ...reason,
    detail: `operation ${at} (${operation.method} ${operation.path.slice(0, 200)}) was refused and nothing of the batch stays: ${reason.detail}`,
    operation: at,
    items,
  });
}

/** 424 Failed Dependency (RFC 4918, 11.4): this operation would have been done, had another not been refused. */
function undoneResult(wasDone: boolean, refusedAt: number): OperationResult {
  return {
    status: 424,
    body: {
      type: 'about:blank',
      title: wasDone ? 'Undone' : 'Not tried',
      status: 424,
      detail: `operation ${refusedAt} of this atomic batch was refused`,
    },
  };
}

function operationOf(
  { path, body, ifMatch }: Operation,
  { value: { route }, params }: PathMatch<CompiledRoute>,
): BatchOperation {
  return { route, params, query: queryOf(path), path, body: body ?? undefined, ifMatch };
}

/**
 * What a pipelined operation works on: a property id, `''` for an addition that makes a new id, `undefined` for
 * operations that are not pipelined.
 */
function targetOf(
  match: PathMatch<CompiledRoute> | Result | undefined,
  operation: Operation,
): string | undefined {
  if (match === undefined || !('value' in match) || match.value.route.pipelined !== true)
    return undefined;
  const id = match.params['property'] ?? (operation.body as { id?: unknown } | undefined)?.id;
  return typeof id === 'string' ? id.replace(/[{}]/g, '').toLowerCase() : '';
}

function operationResult(result: Result): OperationResult {
  const { status, location, etag, body } = result;
  if (location === undefined && etag === undefined) {
    return body === undefined ? { status } : { status, body };
  }
  const headers: { location?: string; etag?: string } = {};
  if (location !== undefined) headers.location = location;
  if (etag !== undefined) headers.etag = `"${etag}"`;
  return body === undefined ? { status, headers } : { status, headers, body };
}

const NO_QUERY: Readonly<Record<string, unknown>> = {};

function queryOf(path: string): Readonly<Record<string, unknown>> {
  const at = path.indexOf('?');
  return at < 0 ? NO_QUERY : { ...parseQuery(path.slice(at + 1)) };
}

function notFound(operation: Operation): ExtSwitchError {
  return new ExtSwitchError(
    'NOT_FOUND',
    `there is no route ${operation.method} ${operation.path.slice(0, 200)} in this world`,
  );
}

function notAllowed(operation: Operation, allowed: readonly string[]): ExtSwitchError {
  return new ExtSwitchError(
    'METHOD_NOT_ALLOWED',
    `${operation.path.slice(0, 200)} takes ${allowed.join(', ')}, not ${operation.method}`,
  );
}
