import { ERROR_CODES, type ErrorCode } from '../core/errors.ts';
import type { CompiledRoute } from './dispatcher.ts';
import { MESSAGE_PACK } from './msgpack.ts';
import { NAMED_SCHEMAS } from './named-schemas.ts';
import type { JsonSchema, Route } from './route.ts';

/** An OpenAPI 3.1 document, as far as it is made and read here. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}
export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}
export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}
export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  readonly content?: Content;
}
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;

const NAMES = new Map<JsonSchema, string>(
  Object.entries(NAMED_SCHEMAS).map(([name, schema]) => [schema, name]),
);

/** The document of a table of routes: the schemas that validate, with the shared ones as components. */
export function openApiDocument(
  compiled: readonly CompiledRoute[],
  version: string,
): OpenApiDocument {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const { route } of compiled) {
    const path = `/v1${route.path}`;
    paths[path] ??= {};
    paths[path][route.method.toLowerCase()] = operationOf(route);
  }
  const schemas: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(NAMED_SCHEMAS)) {
    schemas[name] = inlineMembers(schema) as JsonSchema;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'extswitch',
      version,
      description:
        'The Hyper-V extensible switch, simulated. JSON and MessagePack both ways, by Content-Type and Accept. ' +
        'In JSON 64-bit integers are decimal strings and bytes base64; in MessagePack they are 64-bit integers and bin.',
    },
    servers: [
      { url: '/', description: 'World "default"' },
      { url: '/worlds/{world}', description: 'Another world' },
      { url: '/hosts/{host}', description: 'World "default" of one host of the cluster' },
    ],
    paths,
    components: {
      schemas,
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { bearer: [] }],
  };
}

function operationOf(route: Route): OpenApiOperation {
  const { body } = route.schema;
  const description = [
    route.description,
    route.scope === 'server' ? 'Only below /v1.' : undefined,
  ].filter((part) => part !== undefined);
  const parameters = parametersOf(route);
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(description.length > 0 ? { description: description.join(' ') } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: route.schema.bodyOptional !== true,
            content: {
              ...contentOf(body),
              ...(route.takesText === true ? { 'text/plain': { schema: { type: 'string' } } } : {}),
            },
          },
        }),
    responses: responsesOf(route),
  };
}

function parametersOf(route: Route): OpenApiParameter[] {
  const parameters: OpenApiParameter[] = [];
  for (const [name, description] of Object.entries(route.schema.params ?? {})) {
    const schema = { type: 'string', minLength: 1, maxLength: 256 };
    parameters.push({ name, in: 'path', required: true, description, schema });
  }
  const query = (route.schema.query?.['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  for (const [name, schema] of Object.entries(query)) {
    parameters.push({ name, in: 'query', required: false, schema: withNames(schema) });
  }
  const errors = route.schema.errors ?? [];
  if (route.method !== 'GET') parameters.push(header('Idempotency-Key', 255));
  if (errors.includes('STALE_REVISION')) parameters.push(header('If-Match', 256));
  if (304 in route.schema.response) parameters.push(header('If-None-Match', 256));
  if (route.produces === 'text/event-stream') parameters.push(header('Last-Event-ID', 15));
  return parameters;
}

function header(name: string, maxLength: number): OpenApiParameter {
  return { name, in: 'header', required: false, schema: { type: 'string', maxLength } };
}

function responsesOf(route: Route): Record<string, OpenApiResponse> {
  const responses: Record<string, OpenApiResponse> = {};
  for (const [status, schema] of Object.entries(route.schema.response)) {
    const names = [
      ...(status === '201' ? ['Location'] : []),
      ...(isAnyHosts(route) ? ['Extswitch-Host'] : []),
    ];
    const headers = names.map((name) => [name, { schema: { type: 'string' } }] as const);
    responses[status] = {
      description: status === '304' ? 'Not modified' : status === '201' ? 'Created' : 'Done',
      ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
      ...(schema === null
        ? {}
        : {
            content:
              route.produces === undefined ? contentOf(schema) : { [route.produces]: { schema } },
          }),
    };
  }
  const byStatus = new Map<number, string[]>();
  const general = ['MALFORMED', 'FORBIDDEN', ...(isAnyHosts(route) ? ['HOST_UNREACHABLE'] : [])];
  for (const code of [...general, ...(route.schema.errors ?? [])] as ErrorCode[]) {
    const { httpStatus } = ERROR_CODES[code];
    byStatus.set(httpStatus, [...new Set([...(byStatus.get(httpStatus) ?? []), code])]);
  }
  for (const [status, codes] of byStatus)
    responses[`${status}`] = problemResponse(codes.join(', '));
  responses['default'] = problemResponse('Any other problem');
  return responses;
}

/** It is about what one host of a cluster has, whichever is asked. */
function isAnyHosts({ path, about }: Route): boolean {
  return about !== undefined || /\{(vm|migration)\}/.test(path);
}

function problemResponse(description: string): OpenApiResponse {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function contentOf(schema: JsonSchema): Content {
  const named = withNames(schema);
  return { 'application/json': { schema: named }, [MESSAGE_PACK]: { schema: named } };
}

function withNames(schema: JsonSchema): JsonSchema {
  const name = NAMES.get(schema);
  return name === undefined
    ? (inlineMembers(schema) as JsonSchema)
    : { $ref: `#/components/schemas/${name}` };
}

/** A copy of a schema in which shared schemas are references. */
function inlineMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inlineMember);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, inlineMember(member)]),
  );
}

function inlineMember(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? withNames(value as JsonSchema)
    : inlineMembers(value);
}
