import { ExtSwitchError } from '../core/errors.ts';
import type { FabricInterface } from '../policy/api.ts';
import type { Here, JsonSchema, RequestHeaders, Result, Route, RouteContext } from './route.ts';
import { schemaError, type Validator } from './validation.ts';
import type { World } from './worlds.ts';

/** Compiles a schema; fastify's ajv does it, on first use of a route, so that starting stays quick. */
export type Compile = (schema: JsonSchema) => Validator;

/** A route with its validators. */
export class CompiledRoute {
  readonly route: Route;
  /** Place in the table, for metrics. */
  readonly index: number;
  readonly #integers: ReadonlySet<string>;
  #body: Validator | undefined;
  #query: Validator | undefined;
  #ready = false;

  constructor(route: Route, index: number) {
    this.route = route;
    this.index = index;
    this.#integers = integerNames(route.schema.query);
  }

  /** Checks what came and calls the handler. Throws or rejects with what is wrong. */
  call(
    context: RouteContext<unknown, unknown, unknown>,
    compile: Compile,
  ): Result | Promise<Result> {
    const { route } = this;
    if (!this.#ready) this.#prepare(compile);
    checkParams(context.params as Readonly<Record<string, string>>);
    const query = this.#checkQuery(context.query as Readonly<Record<string, unknown>>);
    this.#checkBody(context.body);
    const checked = query === context.query ? context : { ...context, query };
    return route.handle(checked as RouteContext<never, never, never>);
  }

  #prepare(compile: Compile): void {
    const { body, query } = this.route.schema;
    if (body !== undefined) this.#body = compile(body);
    if (query !== undefined) this.#query = compile(query);
    this.#ready = true;
  }

  #checkBody(body: unknown): void {
    const { route } = this;
    if (body === undefined) {
      if (this.#body === undefined || route.schema.bodyOptional === true) return;
      throw new ExtSwitchError('MALFORMED', `${route.method} ${route.path} needs a body`);
    }
    if (body instanceof Uint8Array) {
      if (route.takesText === true) return;
      throw new ExtSwitchError(
        'UNSUPPORTED_MEDIA_TYPE',
        `${route.method} ${route.path} takes application/json or application/msgpack`,
      );
    }
    if (this.#body === undefined) {
      mustBeEmpty(body, `${route.method} ${route.path}`);
      return;
    }
    if (!this.#body(body)) throw schemaError(this.#body.errors, 'body', body);
  }

  #checkQuery(query: Readonly<Record<string, unknown>>): unknown {
    let given = false;
    for (const _name in query) {
      given = true;
      break;
    }
    if (!given) return query;
    if (this.#query === undefined) {
      const name = Object.keys(query)[0] ?? '';
      throw new ExtSwitchError(
        'UNKNOWN_FIELD',
        `unknown query parameter ${JSON.stringify(name.slice(0, 100))}`,
        { member: name.slice(0, 100) },
      );
    }
    const typed = typedQuery(query, this.#integers);
    if (!this.#query(typed)) throw schemaError(this.#query.errors, 'query', typed);
    return typed;
  }
}

/** The context a handler gets. */
export function makeContext(
  entry: World,
  world: FabricInterface,
  base: string,
  here: Here,
  params: unknown,
  query: unknown,
  body: unknown,
  headers: RequestHeaders,
): RouteContext<unknown, unknown, unknown> {
  return { world, entry, base, here, params, query, body, headers };
}

/** Of a route without a body: many clients send `{}` with every POST, which says nothing. */
function mustBeEmpty(body: unknown, what: string): void {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject) throw new ExtSwitchError('MALFORMED', `${what} takes no body`);
  const name = Object.keys(body)[0]?.slice(0, 100);
  if (name === undefined) return;
  throw new ExtSwitchError(
    'UNKNOWN_FIELD',
    `unknown field ${JSON.stringify(name)}: ${what} takes no body`,
    { member: name },
  );
}

const MAX_PARAM_LENGTH = 256;

function checkParams(params: Readonly<Record<string, string>>): void {
  for (const name in params) {
    if ((params[name] as string).length <= MAX_PARAM_LENGTH) continue;
    throw new ExtSwitchError(
      'MALFORMED',
      `${name} in the path is longer than ${MAX_PARAM_LENGTH} characters`,
      { member: name },
    );
  }
}

function integerNames(schema: JsonSchema | undefined): ReadonlySet<string> {
  const properties = (schema?.['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return new Set(
    Object.keys(properties).filter((name) => properties[name]?.['type'] === 'integer'),
  );
}

const INTEGER = /^-?[0-9]{1,15}$/;

/** Query text to the types of its schema: the only place where anything is coerced. */
function typedQuery(
  query: Readonly<Record<string, unknown>>,
  integers: ReadonlySet<string>,
): Record<string, unknown> {
  const typed: Record<string, unknown> = {};
  for (const name of Object.keys(query)) {
    const value = query[name];
    if (Array.isArray(value)) {
      throw new ExtSwitchError(
        'MALFORMED',
        `query parameter ${name.slice(0, 100)} is given twice`,
        {
          member: name.slice(0, 100),
        },
      );
    }
    typed[name] =
      integers.has(name) && typeof value === 'string' && INTEGER.test(value)
        ? Number(value)
        : value;
  }
  return typed;
}
