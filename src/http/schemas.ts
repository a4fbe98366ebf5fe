import { ERROR_CODES } from '../core/errors.ts';
import { VERIFIER_MODES } from '../policy/api.ts';
import { FAILING_CALLS } from '../policy/faults-api.ts';
import { MAX_LIMIT } from './page.ts';
import type { JsonSchema } from './route.ts';
import { keeping } from './validation.ts';

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
export const string: JsonSchema = { type: 'string' };
export const integer: JsonSchema = { type: 'integer' };
export const boolean: JsonSchema = { type: 'boolean' };
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
/** A list of all hosts of a cluster. */
export const listOfHosts = (items: JsonSchema): JsonSchema =>
  object(
    {
      items: { type: 'array', items },
      next: { type: 'string' },
      unreachable: {
        type: 'array',
        items: { type: 'string' },
        description: 'Hosts of the cluster that did not answer: what they have is not listed',
      },
    },
    ['next', 'unreachable'],
  );
export const pageQuery = (more: Readonly<Record<string, JsonSchema>> = {}): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: {
    ...more,
    limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: 'Default 100.' },
    cursor: { type: 'string', minLength: 1, maxLength: 2_048, description: '`next` of a page.' },
  },
});
/** `host` of what is shown; in a cluster only. */
export const hostName: JsonSchema = {
  type: 'string',
  description: 'Host of the cluster that has it; only in a cluster',
};
export const hostPageQuery: JsonSchema = pageQuery({
  host: { type: 'string', minLength: 1, maxLength: 64, description: 'Only what this host has.' },
});

export const guid: JsonSchema = {
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
};
/** A MAC address in a request. */
export const macInput: JsonSchema = {
  type: 'string',
  title: 'a MAC address',
  pattern: '^[0-9A-Fa-f]{2}(([-:][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{10})$',
  examples: ['00-15-5d-01-02-03'],
  description: 'Six bytes in hexadecimal: 00-15-5d-01-02-03, 00:15:5D:01:02:03 or 00155D010203',
};
/** Bytes; 68 is what every IPv4 link must carry (RFC 791). */
export const mtuInput: JsonSchema = { type: 'integer', minimum: 68, maximum: 65_535 };
/** A GUID in a request: any case, braces optional. */
export const guidInput: JsonSchema = {
  type: 'string',
  title: 'a GUID',
  examples: ['5cbf81be-5055-47cd-9055-a76b2b4e369e'],
  pattern: '^\\{?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\\}?$',
};

const scalarSetting = ['number', 'boolean', 'string'];
export const settings: JsonSchema = {
  type: 'object',
  description: 'Member name to value. uint64 and sint64 are decimal strings in JSON.',
  additionalProperties: {
    type: [...scalarSetting, 'array'],
    items: { type: scalarSetting },
  },
};
/** Settings of a request: what their class says decides (422), not this schema. */
export const settingsInput: JsonSchema = { ...settings, additionalProperties: true };

export const featureMember = object({
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
const counter = { type: 'integer', minimum: 0 } as const;
export const extension = object(
  {
    ...extensionProperties,
    isolated: {
      ...object({
        restarts: counter,
        watchdogKills: counter,
        memoryKills: counter,
        exits: counter,
      }),
      description:
        'It runs in a worker thread; how often that had to be ended, ended, and began anew',
    },
  },
  ['isolated'],
);
const isolateProperties = {
  extensions: {
    anyOf: [
      { enum: ['all'] },
      {
        type: 'array',
        maxItems: 1_000,
        items: { type: 'string', minLength: 1, maxLength: 256 },
      },
    ],
    description: 'Names or ids',
  },
  watchdogMs: { type: 'integer', minimum: 1, maximum: 3_600_000, description: 'Default 1000' },
  memoryMb: { type: 'integer', minimum: 8, maximum: 65_536, description: 'Default 128' },
  onCrash: { enum: ['report', 'restart', 'disable'], description: 'Default restart' },
};
export const isolate = {
  ...object(isolateProperties, ['watchdogMs', 'memoryMb', 'onCrash']),
  description: "Extensions that run in worker threads; default the server's",
} as const;
export const switchExtension = object(
  {
    ...extensionProperties,
    enabled: boolean,
    running: boolean,
    order: { type: 'integer', description: 'Place inside its class, 0 nearest the protocol edge' },
    problem: string,
    required: { type: 'boolean', description: 'The switch does not run without it (rule A50)' },
    desynchronized: {
      type: 'boolean',
      description: 'A module above it ended an OID that it must have seen',
    },
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
export const portTypes: JsonSchema = keeping('B4', {
  enum: ['generic', 'external', 'synthetic', 'emulated', 'internal'],
});
/** NDIS_SWITCH_NIC_TYPE. */
const nicTypes: JsonSchema = { enum: ['external', 'synthetic', 'emulated', 'internal'] };

/** Every name one connection has; what does not apply is left out. */
export const objectNames = object(
  {
    portId: { type: 'integer', description: 'NDIS_SWITCH_PORT_ID' },
    portName: {
      type: 'string',
      description: 'Msvm_EthernetSwitchPort.DeviceID without Microsoft:',
    },
    portFriendlyName: string,
    nicName: string,
    nicFriendlyName: string,
    switchId: guid,
    switchName: string,
    vmId: guid,
    vmName: string,
    adapterId: guid,
    instanceId: { type: 'string', description: 'WMI InstanceID of the connection' },
  },
  [
    'portId',
    'portName',
    'portFriendlyName',
    'nicName',
    'nicFriendlyName',
    'switchId',
    'switchName',
    'vmId',
    'vmName',
    'adapterId',
  ],
);
export const nic = object({
  index: integer,
  name: string,
  friendlyName: string,
  type: nicTypes,
  state: { enum: ['created', 'connected', 'disconnected', 'deleted'] },
  mac: { type: 'string', description: 'PermanentMacAddress' },
  currentMac: { type: 'string', description: 'The address in use (rule C15)' },
  mtu: integer,
  vfAssigned: boolean,
});
export const port = object(
  {
    id: guid,
    portId: integer,
    name: string,
    type: portTypes,
    state: { enum: ['created', 'teardown', 'deleted'] },
    isValidationPort: boolean,
    nics: { type: 'array', items: nic },
    names: objectNames,
    problem: { type: 'string', description: 'An extension refused it after a restart (rule B16)' },
  },
  ['problem'],
);
export const property = object(
  {
    id: guid,
    featureId: guid,
    feature: string,
    version: integer,
    settings,
    revision: { type: 'integer', minimum: 1, description: 'Also the ETag' },
    instanceId: { type: 'string', description: 'WMI InstanceID' },
    delivered: { type: 'boolean', description: 'An extension of the switch consumes it' },
    opaque: {
      const: true,
      description: 'Its class is not registered here: kept as it came, told to nobody until it is',
    },
  },
  ['opaque'],
);
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
    request: { type: 'integer', description: 'Number of the request on its switch; 0: indication' },
    time: { type: 'number', description: 'Virtual milliseconds' },
    switch: string,
    oid: string,
    requestType: {
      enum: ['query', 'set', 'method', 'indication'],
      description:
        '`indication`: a status indication, travelling up; `oid` is its NDIS_STATUS name',
    },
    origin: string,
    route: { type: 'array', items: object({ module: string, verdict: string }) },
    status: string,
    input: base64,
    output: base64,
    findings: {
      type: 'array',
      description: 'Rules that extensions broke with this request before it completed',
      items: object(
        {
          rule: string,
          severity: { enum: ['error', 'warning', 'info'] },
          message: string,
          extensionId: string,
          offset: { type: 'integer', description: 'Byte of the request that is wrong' },
          injected: { const: true, description: 'A fault rule broke it, not the extension' },
        },
        ['extensionId', 'offset', 'injected'],
      ),
    },
    faults: {
      type: 'array',
      description: 'Faults that rules injected into this request',
      items: object(
        {
          rule: { type: 'string', description: 'Id of the fault rule' },
          module: { type: 'string', description: 'Id of an extension, or miniportEdge' },
          effect: { type: 'string', description: 'What it did, or the name of its act' },
          call: { enum: [...FAILING_CALLS], description: 'The call of the extension it failed' },
        },
        ['call'],
      ),
    },
    decoded: { type: 'object', additionalProperties: true },
  },
  ['output', 'findings', 'faults'],
);
export const pendingOid = object(
  {
    request: { type: 'integer', description: 'Number of the request on its switch' },
    switch: string,
    oid: string,
    heldBy: { type: 'string', description: 'The module where it is, or miniportEdge' },
    pendingForMs: { type: 'number', description: 'Virtual milliseconds since it was issued' },
    queued: { type: 'integer', description: 'Requests waiting behind it' },
    requestType: { enum: ['query', 'set', 'method'] },
    origin: { type: 'string', description: "protocolEdge, or the issuing extension's id" },
    route: { type: 'array', items: string, description: 'Places it passed, the holder last' },
    endsInMs: {
      type: 'number',
      description: 'Virtual milliseconds until the switch ends it; while a module pends it',
    },
  },
  ['endsInMs'],
);
export const parityEntry = object(
  {
    kind: { enum: ['oid', 'indication', 'status', 'class', 'rule'] },
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
const behaviourOptions = {
  validationPorts: { enum: ['short', 'standing'], description: 'OP-19, default short' },
  activation: { enum: ['first', 'last'], description: 'OP-20, default first' },
  transientRetries: {
    type: 'integer',
    minimum: 0,
    maximum: 1_000,
    description: 'OP-29: how often an OID that failed with RESOURCES is sent again, default 0',
  },
  saveOnStop: { type: 'boolean', description: 'OP-15, default false' },
  completeFailedRestore: { type: 'boolean', description: 'OP-17, default true' },
  internalNics: {
    type: 'integer',
    minimum: 1,
    maximum: 1_000,
    description: 'OP-36: internal NICs a switch takes, default 1',
  },
  suspendOids: { type: 'boolean', description: 'OP-39, default false' },
} as const;
/** Where the documents leave a choice: open points of the rule book. */
export const behaviour = object(behaviourOptions, Object.keys(behaviourOptions));
export const verifierMode = {
  enum: [...VERIFIER_MODES],
  description:
    'off: rules the switch sees by itself. observe: every check. enforce: and what breaks a rule fails',
} as const;
export const world = object(
  {
    name: string,
    seed: string,
    profile: profiles,
    store: string,
    verifier: verifierMode,
    isolate: {
      ...object({ ...isolateProperties, loadMs: { type: 'integer' } }),
      description: 'Extensions that run in worker threads, and their limits; left out: none',
    },
  },
  ['isolate'],
);

/** A rule that an extension broke. */
export const finding = object(
  {
    seq: { type: 'integer', description: 'Number of its event' },
    time: { type: 'number', description: 'Virtual milliseconds' },
    switch: string,
    rule: { type: 'string', description: "Rule of the rule book or Driver Verifier's name" },
    severity: { enum: ['error', 'warning', 'info'] },
    message: string,
    extensionId: string,
    oid: string,
    request: { type: 'integer', description: 'Number of the request on its switch' },
    bytes: { ...base64, description: 'The request as it was then; with a verifier' },
    length: {
      type: 'integer',
      description: 'Length of the request when bytes is its beginning, or is no longer kept',
    },
    offset: { type: 'integer', description: 'Byte of the request that is wrong' },
    member: {
      type: 'string',
      description:
        'What that byte belongs to: structure, and in vendor data the class, then the member',
    },
    route: { type: 'array', items: string, description: 'Extensions it had passed, top first' },
    injected: { const: true, description: 'A fault rule broke it, not the extension' },
  },
  ['extensionId', 'oid', 'request', 'bytes', 'length', 'offset', 'member', 'route', 'injected'],
);

/** What there was of one rule by one extension. */
export const findingGroup = object(
  {
    rule: string,
    severity: { enum: ['error', 'warning', 'info'] },
    extensionId: string,
    injected: { const: true, description: 'Fault rules broke it, not the extension' },
    count: { type: 'integer', description: 'Since the history of the world began' },
    kept: { type: 'integer', description: 'How many of them are still there' },
    firstSeq: { type: 'integer', description: 'seq of the first one' },
  },
  ['extensionId', 'injected'],
);

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
/** What was removed with a host. */
export const removedHost = object(
  {
    host: string,
    epoch: {
      type: 'integer',
      description: 'Of the removal: a process of the host with a smaller one is fenced',
    },
    vms: {
      type: 'array',
      description: 'VMs that went with it',
      items: object(
        {
          id: string,
          name: string,
          migration: {
            type: 'string',
            description: 'Where it was a document that this migration kept',
          },
        },
        ['id', 'name'],
      ),
    },
  },
  ['host', 'epoch', 'vms'],
);

/** A host of the cluster. */
export const host = object(
  {
    host: string,
    state: {
      enum: ['alive', 'silent', 'left'],
      description: 'silent: no sign of life for the length of its lease; left: it closed',
    },
    isSelf: { type: 'boolean', description: 'The host that answers' },
    epoch: {
      type: 'integer',
      description:
        'The how many-th process that is this host: the fencing token of its writes; only in a cluster',
    },
    url: { type: 'string', description: 'Where its HTTP plane listens' },
    version: string,
    profile: string,
    since: { type: 'string', description: 'When it opened, ISO 8601, by its own clock' },
    vms: { type: 'integer', description: 'VMs it has; left out when it did not answer' },
  },
  ['epoch', 'url', 'vms'],
);
export const batchResult = object(
  {
    status: integer,
    headers: object({ location: string, etag: string }, ['location', 'etag']),
    body: { description: 'What the route answers' },
  },
  ['headers', 'body'],
);
