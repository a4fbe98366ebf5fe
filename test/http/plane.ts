import { createRequire } from 'node:module';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { Test } from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ServerDeps } from '../../src/http/plane.ts';
import { buildServer } from '../../src/http/server.ts';
import { Worlds } from '../../src/http/worlds.ts';
import type { FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { LocalHosts } from '../../src/policy/migration-hosts.ts';
import type { ExtensionDefinition, OidRequest } from '../../src/sdk/extension.ts';
import { liveVerifier } from '../../src/verifier/live-verifier.ts';

export const EXTENSION = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
export const FORWARDER = '5cbf81be-5055-47cd-9055-a76b2b4e3600';
export const SECOND_FORWARDER = '5cbf81be-5055-47cd-9055-a76b2b4e3601';
export const PORT_SETTING = '11112222-3333-4444-5555-666677770001';
export const SWITCH_SETTING = '11112222-3333-4444-5555-666677770002';
export const PORT_STATUS = '11112222-3333-4444-5555-666677770003';
export const SWITCH_STATUS = '11112222-3333-4444-5555-666677770004';

const head = (id: string): string =>
  `[Dynamic, UUID("{${id}}"), ExtensionId("{${EXTENSION}}"), Provider("VmmsWmiInstanceAndMethodProvider"), ` +
  'Locale(0x409), InterfaceVersion("1"), InterfaceRevision("0")]';
const member = (id: number, more = ''): string =>
  `[WmiDataId(${id}), InterfaceVersion("1"), InterfaceRevision("0"), Read, Write${more}]`;

/** Four classes with the members of the documented samples: uint32, uint64, and a bounded string. */
export const MOF = `
${head(PORT_SETTING)} class Test_PortSetting : Msvm_EthernetSwitchPortFeatureSettingData {
  ${member(1)} uint32 SettingIntA = 7;
  ${member(2)} uint64 SettingIntB;
  ${member(3, ', MaxLen(20)')} string Label;
};
${head(SWITCH_SETTING)} class Test_SwitchSetting : Msvm_EthernetSwitchFeatureSettingData {
  ${member(1)} uint32 SettingIntA;
};
${head(PORT_STATUS)} class Test_PortStatus : Msvm_EthernetPortData {
  ${member(1)} uint32 CurrentStatus;
  ${member(2)} uint64 Bytes;
};
${head(SWITCH_STATUS)} class Test_SwitchStatus : Msvm_EthernetSwitchData {
  ${member(1)} uint32 CurrentStatus;
};
`;

/** Refuses SettingIntA 666 and keeps 777 until `released` is called. */
export function testExtension(): { definition: ExtensionDefinition; held: OidRequest[] } {
  const held: OidRequest[] = [];
  const definition: ExtensionDefinition = {
    id: EXTENSION,
    name: 'Test Filter',
    vendor: 'Test',
    version: '1.0',
    type: 'filter',
    attach: () => ({
      addPortProperty(property) {
        const value = property.settings?.['SettingIntA'];
        if (value === 666) return NdisStatus.DATA_NOT_ACCEPTED;
        if (value !== 777) return 'forward';
        held.push(property.request);
        return property.request.pend();
      },
      updatePortProperty(property) {
        return property.settings?.['SettingIntA'] === 666
          ? NdisStatus.DATA_NOT_ACCEPTED
          : 'forward';
      },
      queryPortFeatureStatus(query) {
        if (query.featureStatusId !== PORT_STATUS) return 'forward';
        return query.respond({ CurrentStatus: 123, Bytes: 2n ** 63n });
      },
      querySwitchFeatureStatus: (query) =>
        query.featureStatusId === SWITCH_STATUS ? query.respond({ CurrentStatus: 5 }) : 'forward',
    }),
  };
  return { definition, held };
}

function forwarder(id: string, name: string): ExtensionDefinition {
  return { id, name, vendor: 'Test', version: '1.0', type: 'forward', attach: () => ({}) };
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed JSON, or `undefined`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
  readonly bytes: Buffer;
}

export interface TestPlane {
  readonly app: FastifyInstance;
  readonly worlds: Worlds;
  readonly fabric: Fabric;
  readonly held: OidRequest[];
  /** Log lines written so far. */
  readonly log: string[];
  /** Operation ids answered with success so far. */
  readonly exercised: Set<string>;
  /** Calls a route, and checks the JSON answer against the route's own response schema. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

export interface PlaneOptions extends Partial<Omit<ServerDeps, 'worlds' | 'logger' | 'version'>> {
  readonly fabric?: FabricOptions;
  readonly worldLimit?: number;
  readonly logLevel?: string;
}

const require = createRequire(createRequire(import.meta.url).resolve('fastify'));
const Ajv = require('ajv/dist/2020').default;

/** A plane over a manual-clock world named `default`, closed at the end of the test. */
export async function openPlane(t: Test, options: PlaneOptions = {}): Promise<TestPlane> {
  const { definition, held } = testExtension();
  const extensions = options.fabric?.extensions ?? [
    definition,
    forwarder(FORWARDER, 'Test Forwarder'),
    forwarder(SECOND_FORWARDER, 'Second Forwarder'),
  ];
  // The worlds of a server are each other's hosts.
  const hosts = options.fabric?.hosts ?? new LocalHosts();
  const open = (more: FabricOptions): Promise<Fabric> =>
    Fabric.open({ clock: 'manual', seed: 'http tests', extensions, hosts, ...more });
  const fabric = await open({ name: 'default', ...options.fabric });
  const worlds = new Worlds({
    main: fabric,
    mainStore: 'memory',
    open: (more, verifier) => open({ ...more, ...liveVerifier(verifier) }),
    ...(options.worldLimit === undefined ? {} : { limit: options.worldLimit }),
  });
  const log: string[] = [];
  const logger = pino(
    { level: options.logLevel ?? 'warn' },
    { write: (line: string) => void log.push(line) },
  );
  const app = buildServer({ ...options, worlds, logger, version: '0.0.0-test' });
  t.teardown(async () => {
    await app.close();
    await worlds.close();
  });
  const exercised = new Set<string>();
  const ajv = new Ajv({ strict: false, allErrors: true });
  const call: TestPlane['call'] = async (method, path, body, headers = {}) => {
    const response = await app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...headers },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const type = String(response.headers['content-type'] ?? '');
    const parsed = /json/.test(type) ? JSON.parse(response.payload) : undefined;
    if (response.statusCode >= 400) {
      t.match(type, /^application\/problem\+json/, `${method} ${path}: problems are problem+json`);
      t.equal(parsed.status, response.statusCode, `${method} ${path}: status is repeated`);
      t.notMatch(response.payload, /\bat .*\.[tj]s:\d+/, 'no stack trace');
    }
    checkAnswer(t, app, ajv, exercised, method, path, response.statusCode, parsed);
    return {
      status: response.statusCode,
      headers: response.headers,
      body: parsed,
      bytes: response.rawPayload,
    };
  };
  return { app, worlds, fabric, held, log, exercised, call };
}

function checkAnswer(
  t: Test,
  app: FastifyInstance,
  // biome-ignore lint/suspicious/noExplicitAny: ajv comes without its types here
  ajv: any,
  exercised: Set<string>,
  method: string,
  path: string,
  status: number,
  body: unknown,
): void {
  const { matcher } = app.plane;
  const bare = (path.split('?')[0] ?? '').replace(/^\/(?:worlds|hosts)\/[^/]+(?=\/v1)/, '');
  if (bare.includes('%zz')) return;
  const found = matcher.match(method, bare);
  if (found === undefined || !('value' in found)) return;
  const { route } = found.value;
  const schema = route.schema.response[status];
  if (schema === undefined) {
    t.ok(status >= 400, `${route.operationId} documents its status ${status}`);
    return;
  }
  if (status < 300) exercised.add(route.operationId);
  if (schema === null) {
    t.equal(body, undefined, `${route.operationId} ${status} has no body`);
    return;
  }
  if (body === undefined) return;
  const valid = ajv.validate(schema, body);
  if (!valid) t.fail(`${route.operationId} ${status}: ${ajv.errorsText()}`, { body });
}

/** Registers the classes, makes switch `s` with the filter running and port `p`. */
export async function withPort(plane: TestPlane, base = '/v1'): Promise<void> {
  await plane.call('POST', `${base}/features`, { mof: MOF });
  await plane.call('POST', `${base}/switches`, { name: 's' });
  await plane.call('PATCH', `${base}/switches/s/extensions/${EXTENSION}`, { enabled: true });
  await plane.call('POST', `${base}/switches/s/ports`, { name: 'p' });
}
