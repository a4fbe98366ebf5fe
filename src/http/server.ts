import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ERROR_CODES, type ErrorCode, ExtSwitchError } from '../core/errors.ts';
import { BODY_LIMITS } from './body-limits.ts';
import { ClusterPlane, needsLease } from './cluster/cluster-plane.ts';
import { listHosts, removeHost } from './cluster/list-hosts.ts';
import { CompiledRoute } from './dispatcher.ts';
import { Guard } from './guard.ts';
import { parseJson } from './json-body.ts';
import { lazyCompilers } from './lazy-compilers.ts';
import { locate } from './locate.ts';
import { Metrics } from './metrics.ts';
import { MESSAGE_PACK, parseMessagePack } from './msgpack.ts';
import { PathMatcher } from './path-matcher.ts';
import type { Plane, ServerDeps } from './plane.ts';
import { fail, handlerOf, logUnknown, settle } from './respond.ts';
import { routeTable } from './routes/table.ts';
import { registerServerRoutes, SERVER_ROUTES } from './server-routes.ts';
import { DEFAULT_WORLD } from './worlds.ts';

const MAX_HEADER_BYTES = 16 * 1024;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * The control plane over the given worlds, ready to be injected into or listened with (listen.ts); it never listens
 * itself. Closing it ends event streams; the worlds are their owner's.
 */
export function buildServer(deps: ServerDeps): FastifyInstance {
  const app = makeFastify(deps);
  const plane = makePlane(deps);
  const guard = new Guard(deps);
  app.decorate('plane', plane);
  app.decorateRequest('startedAt', 0);
  app.decorateRequest('located', null);
  app.decorateRequest('isInside', false);
  app.decorateRequest('bytes', undefined);
  addParsers(app, plane);
  app.addHook('onRequest', (request, reply, done) => {
    request.startedAt = performance.now();
    // A request that another host passed on has passed that one's guard.
    request.isInside = plane.routing?.isInside(request.raw) === true;
    const refused =
      (request.isInside ? undefined : guard.check(request.raw, request.startedAt)) ??
      drainError(plane, request.raw);
    if (refused !== undefined) fail(plane, request, reply, refused);
    else if (findRoute(plane, request, reply) && mayAnswer(plane, request, reply)) done();
  });
  app.addHook('preClose', (done) => {
    plane.draining = true;
    plane.routing?.stop();
    deps.worlds.endStreams();
    done();
  });
  app.setErrorHandler((error, request, reply) => fail(plane, request, reply, error));
  app.setNotFoundHandler((request, reply) => notFound(plane, request, reply, undefined));
  register(app, plane);
  registerServerRoutes(app, plane);
  plane.routing?.serve((given) => app.inject({ ...given, method: given.method as 'GET' }));
  return app;
}

/** False when the host may answer nothing of its main world now, and that has been answered. */
function mayAnswer(plane: Plane, request: FastifyRequest, reply: FastifyReply): boolean {
  const { located } = request;
  if (plane.routing === undefined || located === null) return true;
  const isMain = located.world === undefined || located.world === DEFAULT_WORLD;
  if (!isMain || !needsLease(located.compiled.route)) return true;
  try {
    plane.routing.assertHolding();
    return true;
  } catch (error) {
    fail(plane, request, reply, error);
    return false;
  }
}

/** Finds the route before any of the body is read; false when there is none, and that has been answered. */
function findRoute(plane: Plane, request: FastifyRequest, reply: FastifyReply): boolean {
  const url = request.raw.url ?? '';
  const isRouted =
    url.startsWith('/v1/') || url.startsWith('/worlds/') || url.startsWith('/hosts/');
  if (!isRouted) return true;
  let found: ReturnType<typeof locate>;
  try {
    found = locate(plane, request);
  } catch (error) {
    fail(plane, request, reply, error);
    return false;
  }
  if (found !== undefined && 'compiled' in found) {
    request.located = found;
    return true;
  }
  notFound(plane, request, reply, found);
  return false;
}

function notFound(
  plane: Plane,
  request: FastifyRequest,
  reply: FastifyReply,
  methods: readonly string[] | undefined,
): void {
  const path = (request.url.split('?', 1)[0] ?? '').slice(0, 200);
  if (methods === undefined) {
    const error = new ExtSwitchError('NOT_FOUND', `there is no ${request.method} ${path}`);
    fail(plane, request, reply, error);
    return;
  }
  // What answers GET answers HEAD (RFC 9110, 9.3.2), but for a stream of events.
  const allowed = methods
    .flatMap((method) => (method === 'GET' && request.method !== 'HEAD' ? ['GET', 'HEAD'] : method))
    .join(', ');
  const message = `${path} takes ${allowed}, not ${request.method}`;
  fail(plane, request, reply, new ExtSwitchError('METHOD_NOT_ALLOWED', message), [
    'allow',
    allowed,
  ]);
}

function makeFastify(deps: ServerDeps): FastifyInstance {
  const limits = deps.limits ?? {};
  const headersTimeout = limits.headersTimeoutMs ?? 10_000;
  const app = Fastify({
    // Without a logger fastify makes no child logger and no listeners for each request; we log ourselves (respond.ts).
    logger: false,
    bodyLimit: BODY_LIMITS.bytes,
    requestTimeout: limits.requestTimeoutMs ?? 60_000,
    keepAliveTimeout: limits.keepAliveTimeoutMs ?? 72_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout,
      // Node looks for slow requests this often; its default of 30 s would make the limits above mean little.
      connectionsCheckingInterval: Math.min(5_000, headersTimeout),
    },
    schemaController: { compilersFactory: lazyCompilers },
    ajv: {
      customOptions: {
        // Nothing is taken away, filled in or converted behind the client's back.
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        // Complaints carry their schema; costs nothing until there is one.
        verbose: true,
        // Annotations of OpenAPI are not ajv's to know.
        strict: false,
      },
    },
    frameworkErrors: (error, request, reply) => {
      fail(app.plane, request as FastifyRequest, reply as never, error);
    },
    clientErrorHandler: refuseConnection,
  });
  app.server.maxConnections = limits.connections ?? 10_000;
  return app;
}

function makePlane(deps: ServerDeps): Plane {
  const limits = deps.limits ?? {};
  const matcher = new PathMatcher<CompiledRoute>();
  const table = routeTable(
    deps.worlds,
    {
      matcher,
      run: (compiled, context) => settle(plane, 'batch', compiled, context),
      routing: () => plane.routing,
      unknownError: (error) => logUnknown(plane, 'batch', error),
    },
    {
      perWorld: limits.streamsPerWorld ?? 64,
      ...(limits.heartbeatMs === undefined ? {} : { heartbeatMs: limits.heartbeatMs }),
    },
    {
      list: () => listHosts(plane),
      remove: (host, withVms) => removeHost(plane, host, withVms),
    },
  );
  const compiled = table.map((route, index) => new CompiledRoute(route, index));
  for (const one of compiled) matcher.add(one.route.method, `/v1${one.route.path}`, one);
  const labels = table.map(({ method, path }) => ({ method, path: `/v1${path}` }));
  const { cluster, worlds } = deps;
  const plane: Plane = {
    deps,
    here: {
      host: cluster?.host ?? deps.hostName ?? DEFAULT_WORLD,
      isCluster: cluster !== undefined,
      asksOthers: cluster !== undefined,
    },
    routing: cluster === undefined ? undefined : new ClusterPlane(cluster, worlds.main),
    since: new Date().toISOString(),
    url: undefined,
    compiled,
    matcher,
    metrics: new Metrics([...labels, ...SERVER_ROUTES.map((path) => ({ method: 'GET', path }))]),
    compile: undefined,
    draining: false,
    logsRequests: deps.logger.level === 'debug' || deps.logger.level === 'trace',
  };
  return plane;
}

/**
 * Two wildcards take every route of the table, because fastify spends a millisecond on each route it registers, twice
 * for worlds and again for HEAD; the table's own matcher finds them ({@link locate}). Only routes with a body limit of
 * their own are registered by name: fastify reads the limit from there.
 */
function register(app: FastifyInstance, plane: Plane): void {
  const handler = handlerOf(plane);
  for (const base of ['/v1', '/worlds/:world/v1', '/hosts/:host/v1']) {
    app.route({ method: METHODS, url: `${base}/*`, handler });
    for (const { route } of plane.compiled) {
      if (route.bodyLimit === undefined) continue;
      const { method, path, bodyLimit } = route;
      app.route({ method, url: `${base}${path}`, bodyLimit, handler });
    }
  }
}

/** JSON, MessagePack, and bytes for MOF text; anything else is 415. */
function addParsers(app: FastifyInstance, plane: Plane): void {
  app.removeAllContentTypeParsers();
  const keeps = plane.routing !== undefined;
  const parser =
    (parse: (bytes: Buffer) => unknown) =>
    (
      request: FastifyRequest,
      bytes: Buffer,
      done: (error: Error | null, body?: unknown) => void,
    ) => {
      try {
        checkEncoding(request.raw);
        if (keeps) request.bytes = bytes;
        done(null, parse(bytes));
      } catch (error) {
        done(error as Error);
      }
    };
  const whole = { parseAs: 'buffer' } as const;
  app.addContentTypeParser('application/json', whole, parser(parseJson));
  app.addContentTypeParser(
    [MESSAGE_PACK, 'application/x-msgpack'],
    whole,
    parser(parseMessagePack),
  );
  app.addContentTypeParser(
    'text/plain',
    whole,
    parser((bytes) => bytes),
  );
}

function checkEncoding(request: IncomingMessage): void {
  const { 'content-encoding': encoding, 'content-type': type } = request.headers;
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ExtSwitchError('UNSUPPORTED_MEDIA_TYPE', 'compressed bodies are not taken');
  }
  if (type === undefined || !type.includes(';')) return;
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1];
  if (charset === undefined || /^(utf-?8|us-ascii)$/i.test(charset)) return;
  if (/^utf-?16(le|be)?$/i.test(charset) && /^text\/plain/i.test(type)) return;
  throw new ExtSwitchError('UNSUPPORTED_MEDIA_TYPE', 'bodies are UTF-8 (MOF text also UTF-16)');
}

function drainError(plane: Plane, request: IncomingMessage): ExtSwitchError | undefined {
  if (!plane.draining || request.url === '/healthz' || request.url === '/readyz') return undefined;
  return new ExtSwitchError('SHUTTING_DOWN', 'the server is shutting down');
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, code: ErrorCode]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'TOO_LARGE'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'MALFORMED'],
};

/** What is not HTTP, too slow or too large in its head never becomes a request: answered on the bare socket. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code] = CLIENT_ERRORS[error.code ?? ''] ?? ['400 Bad Request', 'MALFORMED'];
  const body = JSON.stringify({
    type: `urn:extswitch:error:${code}`,
    title: ERROR_CODES[code].title,
    status: Number(status.slice(0, 3)),
    detail: 'the request is not HTTP/1.1, or its head is too large or too slow',
  });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
