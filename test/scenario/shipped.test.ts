import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import t from 'tap';
import { parse } from 'yaml';
import type { ScenarioOutcome } from '../../src/scenario/index.ts';
import { scenarioSchema } from '../../src/scenario/json-schema.ts';
import { VERBS } from '../../src/scenario/verb-table.ts';
import { scenarioReference } from './reference-page.ts';
import { playFiles } from './scenario-text.ts';

// Some seconds; more than tap's 30 where ten others want the same two cores.
t.setTimeout(180_000);

const FOLDER = 'policies/scenarios';
const SCHEMA = `${FOLDER}/scenario.schema.json`;
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => `${FOLDER}/${name}`);

t.test('every shipped scenario passes, twice with the same trace', async (t) => {
  // Fewer VMs and rounds than a person would take: what is looked at is the same.
  const parameters = { vms: 12, rounds: 3 };
  const first = await playFiles(files, { parameters });
  t.equal(files.length, 14);
  for (const { name, cell, failure } of first) t.same(failure, undefined, `${name} ${cell}`);
  const shaOf = ({ file, cell, traceSha256 }: ScenarioOutcome): string =>
    `${file} ${cell} ${traceSha256}`;
  const again = await playFiles(files, { parameters });
  t.same(again.map(shaOf), first.map(shaOf));
  // Each thread loads everything anew, which takes longer than the scenarios: some of them show it.
  const some = files.filter((file) => /rolling-upgrade|updates-during/.test(file));
  t.equal(some.length, 2);
  const parallel = await playFiles(some, { parameters, parallel: 2 });
  t.same(
    parallel.map(shaOf),
    first.filter(({ file }) => some.includes(file)).map(shaOf),
    'parallel plays give the same bytes',
  );
  const other = await playFiles(files, { parameters, seed: 'another' });
  t.notSame(other[0]?.traceSha256, first[0]?.traceSha256, 'another seed gives others');
  for (const { name, cell, failure } of other) t.same(failure, undefined, `${name} ${cell}`);
});

t.test('every shipped scenario passes on every profile', async (t) => {
  const parameters = { vms: 3, rounds: 2 };
  for (const outcome of await playFiles(files, { parameters, profile: 'all' })) {
    t.same(outcome.failure, undefined, `${outcome.name} ${outcome.cell}`);
  }
});

t.test('the JSON Schema is that of the verb table, and shipped scenarios fit it', async (t) => {
  const schema = JSON.parse(JSON.stringify(scenarioSchema()));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(SCHEMA, `${JSON.stringify(schema, null, 2)}\n`);
  }
  t.same(
    JSON.parse(readFileSync(SCHEMA, 'utf8')),
    schema,
    'run with UPDATE_GOLDEN=1, then biome format, to rewrite it',
  );
  const require = createRequire(createRequire(import.meta.url).resolve('fastify'));
  const { default: Ajv } = require('ajv/dist/2020.js') as {
    default: new (
      options: object,
    ) => {
      compile(schema: object): ((value: unknown) => boolean) & { errors?: unknown };
    };
  };
  const validate = new Ajv({ allowUnionTypes: true, strict: false }).compile(schema);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    t.match(text, /^# yaml-language-server: \$schema=\.\/scenario\.schema\.json\n# /, file);
    t.match(text, /^# Origin: /m, `${file} says where it comes from`);
    t.ok(validate(parse(text)), `${file} ${JSON.stringify(validate.errors)}`);
  }
  t.notOk(validate({ name: 'x', hosts: { h: {} }, steps: [{ strtVm: 'x' }] }));
  t.notOk(validate({ name: 'x', hosts: { h: {} }, steps: [{ startVm: 'x', stopVm: 'x' }] }));
  t.ok(
    validate({
      name: 'x',
      hosts: { h: {} },
      steps: [{ expectRefused: { startVm: 'x', code: 'VETOED' } }],
    }),
  );
});

t.test('docs/reference/scenario.md says what the verb table says', async (t) => {
  const path = 'docs/reference/scenario.md';
  const wanted = scenarioReference();
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, wanted);
  t.equal(readFileSync(path, 'utf8'), wanted, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
  const names = VERBS.map(({ name }) => name);
  t.equal(new Set(names).size, names.length, 'no verb is there twice');
});
