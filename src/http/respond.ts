import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type CompiledRoute, makeContext } from './dispatcher.ts';
import { requestFingerprint } from './idempotency.ts';
import type { Located } from './locate.ts';
import { acceptsEventStream, negotiate, type Representation } from './negotiation.ts';
import type { Plane } from './plane.ts';
import { type Problem, problemOf, problemResult } from './problem.ts';
import type { JsonSchema, Result } from './route.ts';
import { sendResult } from './send.ts';
import type { Validator } from './validation.ts';

type Handler = (request: FastifyRequest, reply: FastifyReply) => void;
type Headers = Readonly<Record<string, string | undefined>>;

/**
 * The fastify handler of everything below `/v1` and `/worlds/:world/v1`; the hook before it has found the route. It
 * returns nothing and hands the answer to the socket itself; a route that needs no promise is answered in the same turn.
 */
export function handlerOf(plane: Plane): Handler {
  return (request, reply) => {
    plane.compile ??= (schema: JsonSchema) =>
      request.compileValidationSchema({ ...schema }) as unknown as Validator;
    const { compiled, params, world } = request.located as Located;
    const { route, index } = compiled;
    try {
      const headers = request.raw.headers as Headers;
      const representation =
        route.produces === undefined
          ? negotiate(headers['accept'])
          : acceptsEventStream(headers['accept']);
      const { worlds } = plane.deps;
      const entry = world === undefined ? worlds.main : worlds.get(world);
      const base = world === undefined ? '/v1' : `/worlds/${entry.name}/v1`;
      const body = request.body ?? undefined;
      const context = makeContext(entry, entry.fabric, base, params, request.query, body, headers);
      const key = route.method === 'GET' ? undefined : headers['idempotency-key'];
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
