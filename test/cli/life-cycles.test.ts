import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { parse } from 'yaml';
import { lifeCycles } from '../../src/testing/index.ts';
import { runCli } from './run-in-process.ts';

t.setTimeout(60_000);

/** Writes a module whose default export is one of the extensions that are broken on purpose; its path in `cwd`. */
function moduleIn(cwd: string, file: string, name: string): string {
  const url = pathToFileURL(resolve('test/testing/broken', file)).href;
  const text = `import { ${name} } from '${url}';\nexport default ${name}();\n`;
  writeFileSync(join(cwd, 'sample.mjs'), text);
  return './sample.mjs';
}

interface Point {
  readonly line: string;
  readonly diagnostics: Readonly<Record<string, unknown>>;
}

/** Test points of TAP text, with their YAML blocks read by a YAML parser. */
function points(tap: string): Point[] {
  return Array.from(
    tap.matchAll(/^((?:not )?ok .+)\n {2}---\n([\s\S]*?)^ {2}\.\.\.$/gm),
    (match) => ({
      line: match[1] ?? '',
      diagnostics: parse(match[2] ?? '') as Point['diagnostics'],
    }),
  );
}

t.test('run --list names every life cycle with its origin and exits 0', async (t) => {
  const { code, out } = await runCli(['run', '--list']);
  t.equal(code, 0);
  const { out: json } = await runCli(['run', '--list', '--json']);
  const listed = JSON.parse(json) as readonly { readonly name: string }[];
  t.strictSame(
    listed.map(({ name }) => name),
    lifeCycles.map(({ name }) => name),
  );
  for (const { name, title, story, origin, isRace } of lifeCycles) {
    t.match(out, `${name}${isRace ? ' (race)' : ''}: ${title}\n`);
    t.match(out, story);
    for (const { url } of origin) t.match(out, `<${url}>`);
  }
});

t.test(
  'run prints a TAP point for each life cycle and bundled extension and exits 0',
  async (t) => {
    const names = ['internal-nic-reconnect', 'clean-up-once'];
    const { code, out, err } = await runCli(['run', ...names, '--profile', 'ws2016']);
    t.equal(code, 0);
    t.equal(err, '');
    t.match(out, /^TAP version 14\n1\.\.6\n/);
    t.match(out, /\n# pass 6, fail 0\n$/);
    t.strictSame(
      points(out).map(({ line }) => line),
      ['Passthrough', 'Port ACL', 'MAC Forward'].flatMap((extension, i) =>
        names.map((name, j) => `ok ${i * 2 + j + 1} - ${name}: ${extension}`),
      ),
    );
    for (const { diagnostics } of points(out)) {
      t.strictSame(diagnostics, {
        seed: 'life-cycle-1',
        seeds: 1,
        profile: 'ws2016',
        scheduling: 'fifo',
      });
    }
  },
);

t.test('a life cycle that fails exits 1 with the rule and how to play it again', async (t) => {
  const cwd = t.testdir({});
  const path = moduleIn(cwd, 'connections.ts', 'oneConnectionAtATime');
  const words = ['run', 'vms-stop-together', 'several-switches', '--extension', path];
  const { code, out } = await runCli([...words, '--seeds', '20'], { cwd });
  t.equal(code, 1);
  const [race, other] = points(out);
  t.equal(race?.line, 'not ok 1 - vms-stop-together: One connection at a time');
  t.match(race?.diagnostics, {
    scheduling: 'seeded',
    failures: [{ message: /^start VMs, round 1: /, rule: 'B16' }],
    reproduce: `extswitch run vms-stop-together --extension ${path} --profile ws2022 --seed ${race?.diagnostics['seed']}`,
  });
  t.equal(other?.line, 'ok 2 - several-switches: One connection at a time');
  t.match(out, '# pass 1, fail 1\n');
  const again = String(race?.diagnostics['reproduce']).split(' ').slice(1);
  const played = await runCli(again, { cwd });
  t.equal(played.code, 1);
  t.strictSame(points(played.out)[0]?.diagnostics['failures'], race?.diagnostics['failures']);
});

t.test('run --json prints reports, with the trace of what failed', async (t) => {
  const cwd = t.testdir({});
  const path = moduleIn(cwd, 'connections.ts', 'forgetsInternalPort');
  const words = ['run', '--json', '--extension', path, '--seed', 'x', '--seeds', '1'];
  const { code, out } = await runCli([...words, 'internal-nic-reconnect', 'clean-up-once'], {
    cwd,
  });
  t.equal(code, 1);
  const extension = {
    id: 'b20c4e10-6d31-4a8f-9c07-51e2f3a40001',
    name: 'Forgets the internal port',
  };
  const [failed, passed] = JSON.parse(out) as readonly Readonly<Record<string, unknown>>[];
  t.match(failed, { extension, name: 'internal-nic-reconnect', ok: false, seed: 'x-1' });
  t.match(failed?.['failures'], [{ rule: 'C33' }]);
  t.match(failed?.['trace'], /OID_SWITCH_NIC_CREATE set: .* => NDIS_STATUS_DATA_NOT_ACCEPTED/);
  t.match(passed, { extension, name: 'clean-up-once', ok: true, failures: [] });
  t.notOk('trace' in (passed ?? {}));
});

t.test('settings of own classes come from a file', async (t) => {
  const cwd = t.testdir({
    'good.json': '{"Sample_LimitSettingData": {"Limit": 7}}',
    'wrong.json': '{"Sample_LimitSettingData": {"Limit": "many"}}',
    'list.json': '[1]',
    'broken.json': '{',
  });
  const path = moduleIn(cwd, 'sample.ts', 'honest');
  const settings = (file: string) =>
    runCli(['run', 'internal-nic-reconnect', '--extension', path, '--settings', file], { cwd });
  t.equal((await settings('good.json')).code, 0);
  const wrong = await settings('wrong.json');
  t.equal(wrong.code, 1);
  t.match(points(wrong.out)[0]?.diagnostics, {
    failures: [{ message: /^add policies to the host port: .*Limit/ }],
    reproduce: / --settings wrong\.json /,
  });
  t.match(await settings('list.json'), {
    code: 1,
    err: /--settings list\.json: expected an object/,
  });
  t.match(await settings('broken.json'), { code: 1, err: /--settings broken\.json: / });
});

t.test('a promise that an extension drops is told and ends nothing', async (t) => {
  const cwd = t.testdir({});
  const sdk = pathToFileURL(resolve('src/sdk/index.ts')).href;
  const text = `import { defineExtension } from '${sdk}';
export default defineExtension({
  id: '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f0201', name: 'Drops', vendor: 'Test', version: '1.0', type: 'filter',
  attach: () => ({ createPort() { void Promise.reject(new Error('dropped')); return 'forward'; } }),
});`;
  writeFileSync(join(cwd, 'drops.mjs'), text);
  const words = ['run', 'internal-nic-reconnect', '--extension', './drops.mjs'];
  const { code, err } = await runCli(words, { cwd });
  t.equal(code, 0);
  t.match(err, 'a promise was rejected and nobody looked: Error: dropped');
});

t.test('wrong usage of run exits 2 and says what to do', async (t) => {
  const cases: readonly [readonly string[], string][] = [
    [[], 'name the scenario files or the life cycles to run, or give --all or --list'],
    [
      ['togle-with-ports'],
      'no life cycle is named "togle-with-ports"; did you mean toggle-with-ports?',
    ],
    [['--all', 'clean-up-once'], '--all and names cannot be used together'],
    [['scenario.yaml'], 'no such file or folder: scenario.yaml'],
    [['./scenarios/one'], 'no such file or folder: ./scenarios/one'],
    [['clean-up-once', '--report', 'x.html'], '--report belongs to scenario files'],
    [['clean-up-once', '--profile', 'all'], '--profile all belongs to scenario files'],
    [['clean-up-once', '--seeds', '0'], '--seeds must be a whole number from 1 to 1000000'],
    [['clean-up-once', '--profile', 'ws2020'], '--profile must be one of ws2012'],
  ];
  for (const [words, text] of cases) {
    const { code, out, err } = await runCli(['run', ...words]);
    t.equal(code, 2, words.join(' '));
    t.equal(out, '');
    t.ok(err.includes(text), `${text}\n${err}`);
  }
});
