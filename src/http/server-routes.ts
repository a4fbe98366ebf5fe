import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { docsPage, docsPolicy, welcomePage } from './docs-page.ts';
import type { Sample } from './metrics.ts';
import { negotiate, prefersPage } from './negotiation.ts';
import { openApiDocument } from './openapi.ts';
import type { Plane } from './plane.ts';
import { answer, fail } from './respond.ts';
import type { Result } from './route.ts';

/** Routes of the server itself, outside any world and version. */
export const SERVER_ROUTES = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/openapi.json',
  '/docs',
  '/',
  '/v1',
] as const;

/** Registers {@link SERVER_ROUTES}; the OpenAPI document is made when first asked for. */
export function registerServerRoutes(app: FastifyInstance, plane: Plane): void {
  let document: string | undefined;
  const openApi = (): string => {
    document ??= JSON.stringify(openApiDocument(plane.compiled, plane.deps.version));
    return document;
  };
  const handlers: Record<(typeof SERVER_ROUTES)[number], (accept?: string) => Result> = {
    '/healthz': () => ({ status: 200, body: { status: 'ok', version: plane.deps.version } }),
    '/readyz': () => readiness(plane),
    '/metrics': () => ({
      status: 200,
      text: { mediaType: 'text/plain; version=0.0.4; charset=utf-8', content: metricsText(plane) },
    }),
    '/openapi.json': () => ({
      status: 200,
      text: { mediaType: 'application/json; charset=utf-8', content: openApi() },
    }),
    '/docs': () => ({
      status: 200,
      text: {
        mediaType: 'text/html; charset=utf-8',
        content: docsPage(JSON.parse(openApi())),
        contentSecurityPolicy: docsPolicy(),
      },
    }),
    '/': (accept) => welcome(plane, accept),
    '/v1': (accept) => welcome(plane, accept),
  };
  for (const [i, path] of SERVER_ROUTES.entries()) {
    const routeIndex = plane.compiled.length + i;
    const make = handlers[path];
    const handler = (request: FastifyRequest, reply: FastifyReply): void => {
      try {
        const result = make(request.headers.accept);
        const representation =
          result.text === undefined ? negotiate(request.headers.accept) : 'json';
        answer(plane, request, reply, routeIndex, result, representation);
      } catch (error) {
        fail(plane, request, reply, error);
      }
    };
    app.route({ method: ['GET', 'HEAD'], url: path, config: { routeIndex }, handler });
  }
}

/** The address that `serve` prints: what this is, and where to go on. */
function welcome({ deps: { version } }: Plane, accept: string | undefined): Result {
  if (!prefersPage(accept)) {
    const links = { api: '/v1', openapi: '/openapi.json', docs: '/docs', health: '/healthz' };
    return { status: 200, body: { name: 'extswitch', version, ...links, metrics: '/metrics' } };
  }
  return {
    status: 200,
    text: {
      mediaType: 'text/html; charset=utf-8',
      content: welcomePage(version),
      contentSecurityPolicy: docsPolicy(),
    },
  };
}

function readiness(plane: Plane): Result {
  const { worlds, version, cluster } = plane.deps;
  const reason = plane.draining ? undefined : leaseProblem(plane);
  const status = plane.draining ? 'draining' : reason === undefined ? 'ready' : 'no lease';
  // /readyz is open to everybody: the engine, not the folder or the address.
  const engine = worlds.main.store === 'memory' ? 'memory' : 'folder';
  return {
    status: status === 'ready' ? 200 : 503,
    body: {
      status,
      ...(reason === undefined ? {} : { reason }),
      version,
      worlds: worlds.count,
      store: cluster === undefined ? engine : 'cluster',
    },
  };
}

/** Why nothing of the main world is answered now. */
function leaseProblem({ routing }: Plane): string | undefined {
  try {
    routing?.assertHolding();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function clusterSamples({ routing }: Plane): readonly Sample[] {
  if (routing === undefined) return [];
  const { cluster, counts } = routing;
  const alive = cluster.members().filter(({ state }) => state === 'alive').length;
  const counter = (name: string, help: string, value: number): Sample => ({
    name,
    help,
    type: 'counter',
    value,
  });
  return [
    gauge('extswitch_cluster_members', 'Hosts of the cluster that are alive.', alive),
    gauge(
      'extswitch_cluster_holding',
      'Whether this process holds the lease of its host.',
      cluster.isHolding ? 1 : 0,
    ),
    counter(
      'extswitch_cluster_forwarded_requests_total',
      'Requests this host passed to others.',
      counts.forwarded,
    ),
    counter(
      'extswitch_cluster_received_requests_total',
      'Requests other hosts passed to this one.',
      counts.received,
    ),
  ];
}

function metricsText(plane: Plane): string {
  const { worlds } = plane.deps;
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const streams = [...worlds.list()].reduce((sum, world) => sum + world.streams.size, 0);
  const samples: readonly Sample[] = [
    gauge('extswitch_worlds', 'Worlds of this server.', worlds.count),
    gauge('extswitch_event_streams', 'Open event streams.', streams),
    gauge('process_resident_memory_bytes', 'Resident memory.', memory.rss),
    {
      name: 'process_cpu_seconds_total',
      help: 'CPU time used.',
      type: 'counter',
      value: (cpu.user + cpu.system) / 1e6,
    },
    ...clusterSamples(plane),
  ];
  return plane.metrics.text(samples, [...worldSamples(plane)]);
}

function gauge(name: string, help: string, value: number): Sample {
  return { name, help, type: 'gauge', value };
}

function* worldSamples(plane: Plane) {
  for (const { name, fabric } of plane.deps.worlds.list()) {
    yield {
      name,
      counters: fabric.counters(),
      findings: fabric.findings.counts(),
      faults: fabric.faults.list(),
    };
  }
}
