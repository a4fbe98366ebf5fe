import type { FastifyBaseLogger } from 'fastify';
import type { Cluster } from '../cluster/api.ts';
import type { ClusterPlane } from './cluster/cluster-plane.ts';
import type { Compile, CompiledRoute } from './dispatcher.ts';
import type { GuardOptions } from './guard.ts';
import type { Located } from './locate.ts';
import type { Metrics } from './metrics.ts';
import type { PathMatcher } from './path-matcher.ts';
import type { Here } from './route.ts';
import type { Worlds } from './worlds.ts';

export interface ServerLimits {
  /** Milliseconds a client has for the head of a request, default 10,000, and for all of it, default 60,000. */
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** Milliseconds an idle connection stays, default 72,000. */
  readonly keepAliveTimeoutMs?: number;
  /** Connections at a time, default 10,000. */
  readonly connections?: number;
  /** Event streams of one world, default 64, and their heartbeat, default every 15,000 ms. */
  readonly streamsPerWorld?: number;
  readonly heartbeatMs?: number;
}

export interface ServerDeps extends GuardOptions {
  readonly worlds: Worlds;
  /** Takes request ids and errors; never a body or a token. */
  readonly logger: FastifyBaseLogger;
  readonly version: string;
  /** Name of the main world among the hosts; default `default`, in a cluster the one it has there. */
  readonly hostName?: string;
  /** The main world is a host of it. */
  readonly cluster?: Cluster;
  readonly limits?: ServerLimits;
}

/** What the parts of one server share. */
export interface Plane {
  readonly deps: ServerDeps;
  readonly compiled: readonly CompiledRoute[];
  /** Routes below `/v1`, for batches and for telling 405 from 404. */
  readonly matcher: PathMatcher<CompiledRoute>;
  readonly metrics: Metrics;
  /** The main world as a host, for requests that may ask the others, where there are any. */
  readonly here: Here;
  /** Routes requests between the hosts of a cluster; `undefined` where there is none. */
  readonly routing: ClusterPlane | undefined;
  /** When it was made, ISO 8601. */
  readonly since: string;
  /** Where it listens, once it does. */
  url: string | undefined;
  /** Fastify's schema compiler, known from the first request on. */
  compile: Compile | undefined;
  /** New requests are answered 503, /readyz too. */
  draining: boolean;
  /** One log line for each request: at level debug. */
  readonly logsRequests: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** `performance.now()` when its head had been read. */
    startedAt: number;
    /** The route below `/v1` it is for, once found. */
    located: Located | null;
    /** Another host of the cluster passed it on. */
    isInside: boolean;
    /** Bytes of its body, kept in a cluster: another host may be the one to read them. */
    bytes: Buffer | undefined;
  }
  interface FastifyInstance {
    readonly plane: Plane;
  }
  interface FastifyContextConfig {
    /** Place in the metrics. */
    readonly routeIndex?: number;
  }
}
