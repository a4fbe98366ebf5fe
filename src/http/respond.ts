import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExtSwitchError } from '../core/errors.ts';
import { answerRequest } from './cluster/answer-request.ts';
import type { ClusterPlane } from './cluster/cluster-plane.ts';
import { ABSENT_HEADER, PASSED_HEADERS, type Passing } from './cluster/messages.ts';
import { type CompiledRoute, makeContext } from './dispatcher.ts';
import { requestFingerprint } from './idempotency.ts';
import type { Located } from './locate.ts';
import { acceptsEventStream, negotiate, type Representation } from './negotiation.ts';
import type { Plane } from './plane.ts';
import { type Problem, problemOf, problemResult } from './problem.ts';
import type { Here, JsonSchema, Result } from './route.ts';
import { sendResult } from './send.ts';
import type { Validator } from './validation.ts';
import { DEFAULT_WORLD, type World } from './worlds.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => void;
type Headers = Readonly<Record<string, string | undefined>>;

/**
 * The fastify handler of everything below `/v1`, `/worlds/:world/v1` and `/hosts/:host/v1`; the hook before it has found the route. It
 * returns nothing and hands the answer to the socket itself; a route that needs no promise is answered in the same turn.
 */
export function handlerOf(plane: Plane): Handler {
  return (request, reply) => {
    plane.compile ??= (schema: JsonSchema) =>
      request.compileValidationSchema({ ...schema }) as unknown as Validator;
    const located = request.located as Located;
    const { compiled, params, world } = located;
    const { route, index } = compiled;
    try {
      const headers = request.raw.headers as Headers;
      const representation =
        route.produces === undefined
          ? negotiate(headers['accept'])
          : acceptsEventStream(headers['accept']);
      const { worlds } = plane.deps;
      const entry = world === undefined ? worlds.main : worlds.get(world);
      const here = hereOf(plane, entry, request);
      const base = baseOf(located, entry);
      const body = request.body ?? undefined;
      const { fabric } = entry;
      const context = makeContext(entry, fabric, base, here, params, request.query, body, headers);
      const key = route.method === 'GET' ? undefined : headers['idempotency-key'];
      if (plane.routing !== undefined && entry === worlds.main) {
        void answerRouted(plane, plane.routing, key, context, request, reply, representation);
        return;
      }
      assertHostIs(plane, located.host);
      if (key !== undefined) {
        void answerOnce(plane, compiled, key, context, request, reply, representation);
        return;
      }
      const outcome = compiled.call(context, plane.compile);
      if (outcome instanceof Promise) {
        outcome.then(
          (result) => answer(plane, request, reply, index, result, representation),
          (error) => fail(plane, request, reply, error),
        );
      } else {
        answer(plane, request, reply, index, outcome, representation);
      }
    } catch (error) {
      fail(plane, request, reply, error);
    }
  };
}

/** The world a request is for, as a host. */
function hereOf({ here }: Plane, entry: World, request: FastifyRequest): Here {
  if (entry.name !== DEFAULT_WORLD) {
    return { host: entry.name, isCluster: false, asksOthers: false };
  }
  const isAlone = request.isInside || request.located?.host !== undefined;
  return isAlone && here.asksOthers ? { ...here, asksOthers: false } : here;
}

function baseOf({ world, host }: Located, entry: World): string {
  if (host !== undefined) return `/hosts/${host}/v1`;
  return world === undefined ? '/v1' : `/worlds/${entry.name}/v1`;
}

/** Without a cluster there is one host. Throws `NOT_FOUND`. */
function assertHostIs({ here }: Plane, host: string | undefined): void {
  const { host: hostName } = here;
  if (host === undefined || host === hostName) return;
  throw new ExtSwitchError(
    'NOT_FOUND',
    `there is no host ${JSON.stringify(host.slice(0, 100))}: this server is host ${JSON.stringify(hostName)}, of no cluster`,
    { expected: hostName, found: host.slice(0, 100) },
  );
}

/** In a cluster: answered here, or by the host whose it is. */
async function answerRouted(
  plane: Plane,
  routing: ClusterPlane,
  key: string | undefined,
  context: ReturnType<typeof makeContext>,
  request: FastifyRequest,
  reply: FastifyReply,
  representation: Representation,
): Promise<void> {
  const { compiled, params, host } = request.located as Located;
  const { query, body, entry } = context;
  const extra: string[] = [];
  const runHere = async (): Promise<Result> => {
    const run = (): Result | Promise<Result> => settle(plane, request.id, compiled, context);
    if (key === undefined) return run();
    const fingerprint = requestFingerprint(request.method, request.url, body);
    const { result, replayed } = await entry.idempotency.run(key, fingerprint, run);
    if (replayed) extra.push('idempotency-replayed', 'true');
    return result;
  };
  try {
    const { result, isAbsent } = await answerRequest(
      routing,
      {
        route: compiled.route,
        params: params as Readonly<Record<string, string>>,
        query,
        body,
        entry,
        host,
        isInside: request.isInside,
        key,
        passing: () => passingOf(request),
      },
      runHere,
    );
    if (isAbsent) extra.push(ABSENT_HEADER, '1');
    if (result.problem === true) extra.push(...headersOf(result.body as Problem));
    answer(plane, request, reply, compiled.index, result, representation, extra);
  } catch (error) {
    fail(plane, request, reply, error);
  }
}

/** The request as another host gets it. */
function passingOf(request: FastifyRequest): Passing {
  const headers: Record<string, string> = {};
  for (const name of PASSED_HEADERS) {
    const value = request.raw.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const { bytes } = request;
  return {
    method: request.method,
    url: request.raw.url ?? '',
    headers,
    ...(bytes === undefined ? {} : { body: bytes }),
  };
}

/** The same under an Idempotency-Key. */
async function answerOnce(
  plane: Plane,
  compiled: CompiledRoute,
  key: string,
  context: ReturnType<typeof makeContext>,
  request: FastifyRequest,
  reply: FastifyReply,
  representation: Representation,
): Promise<void> {
  try {
    const fingerprint = requestFingerprint(request.method, request.url, context.body);
    const { result, replayed } = await context.entry.idempotency.run(key, fingerprint, () =>
      settle(plane, request.id, compiled, context),
    );
    const extra = replayed ? ['idempotency-replayed', 'true'] : [];
    answer(plane, request, reply, compiled.index, result, representation, extra);
  } catch (error) {
    fail(plane, request, reply, error);
  }
}

/** Calls a route; what goes wrong becomes a problem instead of an exception. */
export function settle(
  plane: Plane,
  errorId: string,
  compiled: CompiledRoute,
  context: ReturnType<typeof makeContext>,
): Result | Promise<Result> {
  const failed = (error: unknown): Result =>
    problemResult(problemOf(error, errorId, (cause) => logUnknown(plane, errorId, cause)));
  if (plane.compile === undefined) throw new Error('invariant broken: no request came before');
  try {
    const outcome = compiled.call(context, plane.compile);
    return outcome instanceof Promise ? outcome.catch(failed) : outcome;
  } catch (error) {
    return failed(error);
  }
}

/** Sends a result and counts it. */
export function answer(
  plane: Plane,
  request: FastifyRequest,
  reply: FastifyReply,
  routeIndex: number,
  result: Result,
  representation: Representation,
  extra: readonly string[] = [],
): void {
  const durationMs = performance.now() - request.startedAt;
  plane.metrics.record(routeIndex, result.status, durationMs);
  if (plane.logsRequests) {
    const { method, id } = request;
    const route = plane.metrics.routeName(routeIndex);
    plane.deps.logger.debug(
      { reqId: id, method, route, status: result.status, durationMs },
      'request',
    );
  }
  // A connection kept alive would hold up draining until its time limit.
  const headers = plane.draining ? [...extra, 'connection', 'close'] : extra;
  sendResult(reply, result, representation, headers);
}

/** Answers with the problem of an error and counts it. An error after the answer began is only logged. */
export function fail(
  plane: Plane,
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
  extra: readonly string[] = [],
): void {
  if (reply.sent || reply.raw.headersSent) {
    logUnknown(plane, request.id, error);
    reply.raw.destroy();
    return;
  }
  const problem = problemOf(error, request.id, (cause) => logUnknown(plane, request.id, cause));
  const headers = [...extra, ...headersOf(problem)];
  // Bytes of a body may still be coming that nobody will read.
  if (!plane.draining && bodyIsComing(request.raw)) headers.push('connection', 'close');
  answer(plane, request, reply, indexOf(plane, request), problemResult(problem), 'json', headers);
}

function headersOf(problem: Problem): readonly string[] {
  if (problem.status === 401) return ['www-authenticate', 'Bearer realm="extswitch"'];
  if (problem.status === 429 || problem.status === 503) return ['retry-after', '1'];
  return [];
}

function bodyIsComing(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** The one place where an unexpected error is told, to the log. */
export function logUnknown(plane: Plane, errorId: string, error: unknown): void {
  plane.deps.logger.error({ err: error, errorId }, 'unexpected error');
}

/** Place of a request in the metrics. */
function indexOf(plane: Plane, request: FastifyRequest): number {
  return (
    request.located?.compiled.index ??
    request.routeOptions?.config?.routeIndex ??
    plane.metrics.unmatched
  );
}
