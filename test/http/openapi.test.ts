import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import t from 'tap';
import { OFFLOAD_OIDS, OID_LIST } from '../../src/abi/index.ts';
import { ERROR_CODES } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import { builtinFeatures } from '../../src/mof/builtin-features.ts';
import { parityTable } from '../../src/policy/parity.ts';
import { openPlane } from './plane.ts';

const require = createRequire(createRequire(import.meta.url).resolve('fastify'));
const Ajv = require('ajv/dist/2020').default;
const root = join(import.meta.dirname, '../..');

type Json = Readonly<Record<string, unknown>>;

/** Every object inside a value, with where it is. */
function* objects(value: unknown, path = '#'): Generator<[path: string, object: Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Json];
  for (const [key, member] of Object.entries(value)) yield* objects(member, `${path}/${key}`);
}

t.test('the OpenAPI document is whole: every route, every reference, every schema', async (t) => {
  const { app } = await openPlane(t);
  const document = JSON.parse((await app.inject('/openapi.json')).payload);
  t.equal(document.openapi, '3.1.0');
  t.match(document.info, { title: 'extswitch', version: '0.0.0-test' });
  const ids = new Set<string>();
  for (const { route } of app.plane.compiled) {
    const operation = document.paths[`/v1${route.path}`]?.[route.method.toLowerCase()];
    t.equal(operation?.operationId, route.operationId, `${route.method} ${route.path}`);
    t.notOk(ids.has(route.operationId), 'operation ids are unique');
    ids.add(route.operationId);
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation?.parameters ?? [])
      .filter((p: { in: string }) => p.in === 'path')
      .map((p: { name: string }) => p.name);
    t.strictSame(declared, named, 'path parameters are declared');
    t.ok(operation?.responses.default, 'has a default problem');
    for (const code of route.schema.errors ?? []) t.ok(code in ERROR_CODES, code);
  }
  const operations = Object.values<object>(document.paths).flatMap((path) => Object.keys(path));
  t.equal(operations.length, app.plane.compiled.length, 'nothing that is not a route');
  let references = 0;
  for (const [path, object] of objects(document)) {
    const reference = object['$ref'];
    if (typeof reference !== 'string') continue;
    references += 1;
    const target = reference
      .slice(2)
      .split('/')
      .reduce((at: unknown, key) => (at as Json | undefined)?.[key], document);
    t.ok(target, `${path}: ${reference} resolves`);
  }
  t.ok(references > 50);
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true });
  for (const [name, schema] of Object.entries<Json>(document.components.schemas)) {
    const local = JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', ''));
    ajv.addSchema(local, name);
  }
  for (const [path, object] of objects(document)) {
    const { schema } = object;
    if (typeof schema !== 'object' || schema === null) continue;
    const local = JSON.parse(JSON.stringify(schema).replaceAll('#/components/schemas/', ''));
    t.doesNotThrow(() => ajv.compile(local), `${path} is a schema`);
  }
});

t.test('the document is the schemas that validate: what it forbids is refused', async (t) => {
  const { app, call } = await openPlane(t);
  const document = JSON.parse((await app.inject('/openapi.json')).payload);
  const body = document.paths['/v1/switches'].post.requestBody.content['application/json'].schema;
  t.equal(body.additionalProperties, false);
  t.strictSame(body.properties.type.enum, ['private', 'internal', 'external']);
  t.equal(
    (await call('POST', '/v1/switches', { name: 'x'.repeat(body.properties.name.maxLength) }))
      .status,
    201,
  );
  t.equal(
    (await call('POST', '/v1/switches', { name: 'x'.repeat(body.properties.name.maxLength + 1) }))
      .status,
    422,
  );
});

t.test('every operation stands on the docs page and in docs/reference/http.md', async (t) => {
  const { app } = await openPlane(t);
  const page = (await app.inject('/docs')).payload;
  const reference = await readFile(join(root, 'docs/reference/http.md'), 'utf8');
  for (const { route } of app.plane.compiled) {
    t.match(page, `id="${route.operationId}"`);
    t.match(reference, `| \`${route.method} /v1${route.path}\` | ${route.summary} |`);
  }
  const rows = reference.match(/^\| `[A-Z]+ \/v1.*$/gm) ?? [];
  t.equal(rows.length, app.plane.compiled.length, 'no row without a route');
});

t.test('parity lists every OID, status and built-in class once, with its page', (t) => {
  const table = parityTable();
  const names = table.map((entry) => entry.name);
  t.equal(new Set(names.map((name, i) => `${table[i]?.kind} ${name}`)).size, names.length);
  t.equal(
    table.filter((e) => e.kind === 'oid').length,
    OID_LIST.length + Object.keys(OFFLOAD_OIDS).length,
  );
  t.equal(
    table.filter((e) => e.kind === 'status' || e.kind === 'indication').length,
    Object.keys(NdisStatus).length,
  );
  t.equal(table.filter((e) => e.kind === 'class').length, builtinFeatures().length);
  for (const { source, name } of table)
    t.match(source, /^https:\/\/learn\.microsoft\.com\/|^[\w/]+\.[ch]$/, name);
  t.match(
    table.find((e) => e.name === 'OID_SWITCH_PORT_PROPERTY_ADD'),
    {
      modelled: true,
      source:
        'https://learn.microsoft.com/windows-hardware/drivers/network/oid-switch-port-property-add',
    },
  );
  t.match(
    table.find((e) => e.name === 'OID_SWITCH_NIC_DIRECT_REQUEST'),
    { modelled: false, tested: false },
  );
  t.match(
    table.find((e) => e.name === 'NDIS_STATUS_SWITCH_NIC_STATUS'),
    { kind: 'indication', modelled: true },
  );
  t.end();
});

t.test('parity has a row for each of the 507 rules: kept, proven, its page', async (t) => {
  const { call } = await openPlane(t);
  const all = (await call('GET', '/v1/sim/parity')).body.items;
  const rules = (await call('GET', '/v1/sim/parity?kind=rule')).body.items;
  t.equal(rules.length, 507);
  t.strictSame(
    rules,
    all.filter((entry: { kind: string }) => entry.kind === 'rule'),
  );
  const row = (id: string): object => rules.find((entry: { name: string }) => entry.name === id);
  t.strictSame(row('B1'), {
    kind: 'rule',
    name: 'B1',
    modelled: true,
    tested: true,
    source:
      'https://learn.microsoft.com/windows-hardware/drivers/network/overview-of-hyper-v-extensible-switch-ports',
  });
  t.match(row('B7'), {
    source:
      'https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddndis/ne-ntddndis-_ndis_switch_port_state',
  });
  t.match(row('B8'), { source: 'ntddndis.h' });
  t.match(row('B52'), { source: 'ovsext/Vport.c' });
  t.match(row('I1'), { modelled: false, tested: false, note: 'waits for the data path' });
  t.match(row('I16'), { modelled: false, tested: false, note: /for extensions/ });
  const refused = await call('GET', '/v1/sim/parity?kind=page');
  t.equal(refused.status, 400);
  t.equal((await call('GET', '/v1/sim/parity?kind=class')).body.items[0].kind, 'class');
});

async function sources(folder: string, ending: string): Promise<string> {
  const files = await readdir(join(root, folder), { recursive: true });
  const texts = files
    .filter((file) => file.endsWith(ending))
    .map((file) => readFile(join(root, folder, file), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

t.test(
  'parity is honest: modelled is what the switch issues or answers, tested is what a test names',
  async (t) => {
    const machine = await sources('switch', '.ts');
    const used = new Set([...machine.matchAll(/\bOIDS\.(OID_\w+)\.code/g)].map(([, name]) => name));
    const modelled = parityTable('oid').filter((e) => e.modelled && !(e.name in OFFLOAD_OIDS));
    t.strictSame(
      modelled.map((e) => e.name).sort(),
      [...used].sort(),
      'OIDs that the switch names are the modelled ones',
    );
    const statuses = new Set(
      [...machine.matchAll(/NdisStatus\.([A-Z_]+)/g)].map(([, name]) => `NDIS_STATUS_${name}`),
    );
    for (const name of statuses) {
      t.ok(parityTable().find((e) => e.name === name)?.modelled, `${name} is given by the switch`);
    }
    const tests = await sources('test', '.test.ts');
    for (const { kind, name, tested } of parityTable()) {
      // Rules: scripts/rule-ledger.ts, which knows ranges.
      if (!tested || kind === 'rule') continue;
      const short = kind === 'oid' ? name : name.replace('NDIS_STATUS_', '(NDIS_STATUS_)?');
      t.ok(new RegExp(`\\b${short}\\b`).test(tests), `${name} is named by a test`);
    }
  },
);
