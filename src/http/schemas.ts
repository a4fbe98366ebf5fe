import { ERROR_CODES } from '../core/errors.ts';
import { MAX_LIMIT } from './page.ts';
import type { JsonSchema } from './route.ts';

/*
 * The shapes of interfaces.md 3, once: what validates requests is what `/openapi.json` shows. Response shapes describe
 * the JSON form: 64-bit integers are decimal strings there, real integers in MessagePack; bytes are base64, bin there.
 */

export const text = (maxLength = 256, description?: string): JsonSchema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  ...(description === undefined ? {} : { description }),
});
const string: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };
const boolean: JsonSchema = { type: 'boolean' };
const base64: JsonSchema = { type: 'string', contentEncoding: 'base64' };

/** Closed object: every member is named; `optional` ones may be missing. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    properties,
  };
}
export const listOf = (items: JsonSchema): JsonSchema =>
  object({ items: { type: 'array', items }, next: { type: 'string' } }, ['next']);
export const pageQuery = (more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    ...more,
    limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: 'Default 100.' },
    cursor: { type: 'string', minLength: 1, maxLength: 2_048, description: '`next` of a page.' },
  },
});

const guid: JsonSchema = {
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
};
/** A GUID in a request: any case, braces optional. */
export const guidInput: JsonSchema = {
  type: 'string',
  pattern: '^\\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\\}?$',
};

const scalarSetting = ['number', 'boolean', 'string'];
const settings: JsonSchema = {
  type: 'object',
  description: 'Member name to value. uint64 and sint64 are decimal strings in JSON.',
  additionalProperties: {
    type: [...scalarSetting, 'array'],
    items: { type: scalarSetting },
  },
};
/** Settings of a request: what their class says decides (422), not this schema. */
export const settingsInput: JsonSchema = { ...settings, additionalProperties: true };

const featureMember = object({
  name: string,
  wmiDataId: integer,
  type: string,
  ctype: string,
  offset: integer,
  size: integer,
});
export const feature = object({
  id: guid,
  name: string,
  displayName: string,
  extensionId: guid,
  scope: { enum: ['port', 'switch'] },
  kind: { enum: ['setting', 'status'] },
  version: { type: 'integer', description: 'major * 256 + minor: 256 is 1.0' },
  size: { type: 'integer', description: 'Bytes of the fixed part' },
  builtIn: boolean,
  members: { type: 'array', items: featureMember },
  defaults: settings,
});
export const warning = object({ code: string, message: string, line: integer, column: integer });
export const registration = object({
  features: { type: 'array', items: feature },
  warnings: { type: 'array', items: warning },
});

const extensionProperties = {
  id: guid,
  name: string,
  vendor: string,
  version: string,
  type: { enum: ['capture', 'filter', 'forward'] },
};
export const extension = object(extensionProperties);
export const switchExtension = object(
  {
    ...extensionProperties,
    enabled: boolean,
    running: boolean,
    order: { type: 'integer', description: 'Place inside its class, 0 nearest the protocol edge' },
    problem: string,
  },
  ['problem'],
);

export const switchTypes: JsonSchema = { enum: ['private', 'internal', 'external'] };
export const switchShape = object({
  id: guid,
  name: string,
  type: switchTypes,
  isActive: boolean,
  portCount: integer,
});
export const portTypes: JsonSchema = {
  enum: ['generic', 'external', 'synthetic', 'emulated', 'internal'],
};
export const nic = object({
  index: integer,
  name: string,
  friendlyName: string,
  type: { enum: ['external', 'synthetic', 'emulated', 'internal'] },
  state: { enum: ['created', 'connected', 'disconnected', 'deleted'] },
  mac: string,
  mtu: integer,
});
export const port = object({
  id: guid,
  portId: integer,
  name: string,
  type: portTypes,
  state: { enum: ['created', 'teardown', 'deleted'] },
  isValidationPort: boolean,
  nics: { type: 'array', items: nic },
});
export const property = object({
  id: guid,
  featureId: guid,
  feature: string,
  version: integer,
  settings,
  revision: { type: 'integer', minimum: 1, description: 'Also the ETag' },
  instanceId: { type: 'string', description: 'WMI InstanceID' },
  delivered: { type: 'boolean', description: 'An extension of the switch consumes it' },
});
export const featureStatus = object({
  featureId: guid,
  feature: string,
  extensionId: guid,
  version: integer,
  data: settings,
  raw: base64,
});

export const traceEntry = object(
  {
    seq: integer,
    request: { type: 'integer', description: 'Number of the request on its switch' },
    time: { type: 'number', description: 'Virtual milliseconds' },
    switch: string,
    oid: string,
    requestType: { enum: ['query', 'set', 'method'] },
    origin: string,
    route: { type: 'array', items: object({ module: string, verdict: string }) },
    status: string,
    input: base64,
    output: base64,
    decoded: { type: 'object', additionalProperties: true },
  },
  ['output'],
);
export const pendingOid = object({
  request: integer,
  switch: string,
  oid: string,
  heldBy: string,
  pendingForMs: { type: 'number' },
  queued: integer,
});
export const parityEntry = object(
  {
    kind: { enum: ['oid', 'indication', 'status', 'class'] },
    name: string,
    modelled: boolean,
    tested: boolean,
    source: string,
    note: string,
  },
  ['note'],
);
export const profiles: JsonSchema = {
  enum: ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'],
};
export const world = object({ name: string, seed: string, profile: profiles, store: string });

export const problem: JsonSchema = {
  type: 'object',
  description: 'RFC 9457. Members beside these name the place: line, column, member, oid, rule …',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { enum: Object.keys(ERROR_CODES).map((code) => `urn:extswitch:error:${code}`) },
    title: string,
    status: integer,
    detail: string,
    ndisStatus: string,
    extensionId: string,
    oid: string,
    rule: string,
    line: integer,
    column: integer,
    member: string,
    problems: { type: 'array', items: { type: 'object', additionalProperties: true } },
  },
  additionalProperties: true,
};

/** One result of a batch. */
export const batchResult = object(
  {
    status: integer,
    headers: object({ location: string, etag: string }, ['location', 'etag']),
    body: { description: 'What the route answers' },
  },
  ['headers', 'body'],
);

/** Schemas that get a name of their own in `/openapi.json`. */
export const NAMED_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Settings: settings,
  FeatureMember: featureMember,
  Feature: feature,
  Warning: warning,
  Registration: registration,
  Extension: extension,
  SwitchExtension: switchExtension,
  Switch: switchShape,
  Nic: nic,
  Port: port,
  Property: property,
  FeatureStatus: featureStatus,
  TraceEntry: traceEntry,
  PendingOid: pendingOid,
  ParityEntry: parityEntry,
  World: world,
  Problem: problem,
  BatchResult: batchResult,
};
