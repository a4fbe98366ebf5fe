import type { ServerResponse } from 'node:http';
import type { FabricInterface } from '../policy/api.ts';
import type { World } from './worlds.ts';

/** A JSON Schema (draft 2020-12 vocabulary, as OpenAPI 3.1 uses it). Shared schemas are shared by identity. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The request headers a handler may depend on; everything else is dealt with before. */
export interface RequestHeaders {
  readonly 'if-match'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'last-event-id'?: string | undefined;
  /** Only for what is passed on as a whole: the plane deals with it before. */
  readonly 'idempotency-key'?: string | undefined;
}

/** The world as a host among hosts. */
export interface Here {
  /** Of the main world the host's name, of another world its own. */
  readonly host: string;
  /** The host is one of a cluster: what it answers says which. */
  readonly isCluster: boolean;
  /** What is not here may be asked of the others: not when one of them passed the request on, or it names this host. */
  readonly asksOthers: boolean;
}

/** What a handler gets. `params`, `query` and `body` have passed the route's schemas. */
export interface RouteContext<Params, Query, Body> {
  readonly world: FabricInterface;
  /** The world with what the plane keeps beside it. */
  readonly entry: World;
  /** `/v1`, `/worlds/<name>/v1` or `/hosts/<name>/v1`: what a Location starts with. */
  readonly base: string;
  readonly here: Here;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: RequestHeaders;
}

/** What a handler answers. `body` may hold `bigint` and `Uint8Array`: the representation decides their form. */
export interface Result {
  readonly status: number;
  readonly body?: unknown;
  /** Revision of the object, sent as `ETag: "<revision>"`. */
  readonly etag?: number;
  readonly location?: string;
  /** Instead of a body: takes over the response. */
  readonly stream?: (response: ServerResponse) => void;
  /** Text of a body that is neither JSON nor MessagePack, with its media type. */
  readonly text?: {
    readonly mediaType: string;
    readonly content: string;
    /** Instead of the one that forbids everything. */
    readonly contentSecurityPolicy?: string;
  };
  /** Body is `application/problem+json`. */
  readonly problem?: boolean;
  /** Instead of a body: what another host of the cluster answered, headers as names and values in turn. */
  readonly passed?: { readonly headers: readonly string[]; readonly body: Uint8Array };
}

/** One route, as data: registered with fastify, dispatched to by `/v1/batch`, described in `/openapi.json`. */
export interface Route {
  readonly method: Method;
  /** Below `/v1`, parameters as `{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly schema: {
    readonly params?: Readonly<Record<string, string>>;
    /** Object schema; integers are given as decimal text. */
    readonly query?: JsonSchema;
    readonly body?: JsonSchema;
    /** The body may be left out. */
    readonly bodyOptional?: boolean;
    /** Successful statuses; `null` when there is no body. */
    readonly response: Readonly<Record<number, JsonSchema | null>>;
    /** Codes of the error table this route is known to answer with, beside the general ones. */
    readonly errors?: readonly string[];
  };
  /** Media type of the answer when it is neither JSON nor MessagePack. */
  readonly produces?: string;
  /** Also takes `text/plain`; the body is then the bytes. */
  readonly takesText?: boolean;
  /** Bytes; default 1 MiB. */
  readonly bodyLimit?: number;
  /** `world` (default): also below `/worlds/{world}/v1`. `server`: only below `/v1`. */
  readonly scope?: 'world' | 'server';
  /** May an operation of a batch name it; default yes. */
  readonly batch?: boolean;
  /** In a batch, may run before earlier operations of the same kind are durable: `target` names the property. */
  readonly pipelined?: boolean;
  /** What it is about where the path does not tell: the VM that the body names, what is kept of a migration's VM. */
  readonly about?: 'vmInBody' | 'kept';
  /** In a cluster a list of all hosts: the key its items are in order of. */
  readonly gatheredBy?: (item: Readonly<Record<string, unknown>>) => string;
  handle(context: RouteContext<never, never, never>): Result | Promise<Result>;
}

interface TypedRoute<Params, Query, Body> extends Omit<Route, 'handle'> {
  handle(context: RouteContext<Params, Query, Body>): Result | Promise<Result>;
}

/**
 * Declares a route with the types its schemas promise. The types are what the schemas check before `handle` runs, so
 * they must say the same.
 */
export function defineRoute<Params = object, Query = object, Body = undefined>(
  route: TypedRoute<Params, Query, Body>,
): Route {
  return route as Route;
}
