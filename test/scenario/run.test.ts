import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { runCli } from '../cli/run-in-process.ts';
import { fileOf, ONE_HOST, play, scenario } from './scenario-text.ts';

const PASSING = scenario('- startVm: web\n- expectState: { vm: web, state: running }');
const FAILING = scenario(
  '- startVm: web\n- expectState: { vm: web, state: "off" }\n- stopVm: web',
  ONE_HOST.replace('name: test', 'name: "fails <b>here</b> # \u001b[31m"'),
);

t.test(
  'run prints TAP that a parser reads, and exits 0 when all passed, 1 when one failed',
  async (t) => {
    const good = fileOf(PASSING, 'good.yaml');
    const bad = fileOf(FAILING, 'bad.yaml');
    const passed = await runCli(['run', good]);
    t.equal(passed.code, 0);
    t.equal(passed.err, '');
    t.match(
      passed.out.replace(/file: .*/, 'file: F').replace(/trace: [0-9a-f]{64}/, 'trace: T'),
      `TAP version 14
1..1
# Subtest: test
    ok 1 - startVm web
    ok 2 - expectState web running
    ok 3 - noPolicyLost
    ok 4 - noFindings
    1..4
ok 1 - test
  ---
  file: F
  seed: "scenario"
  oids: `,
    );
    const failed = await runCli(['run', good, bad]);
    t.equal(failed.code, 1);
    t.match(
      failed.out,
      /^ {4}not ok 2 - expectState web off\n {6}---\n {6}message: \|-\n {8}VM web: state\n {10}expected: off\n {10}found: {4}running\n {6}\.\.\.\n {4}ok 3 - stopVm web # SKIP an earlier step failed$/m,
    );
    t.match(
      failed.out,
      /^not ok 2 - fails <b>here<\/b> \\# \\u001b\[31m$/m,
      'no escape reaches the terminal',
    );
    t.match(failed.out, /# pass 1, fail 1\n$/);
  },
);

t.test('the example of the interfaces, as it is written there, passes', async (t) => {
  const folder = join(dirname(fileOf(PASSING)), 'example');
  for (const below of ['scenarios', 'policies', 'extensions']) {
    mkdirSync(join(folder, below), { recursive: true });
  }
  copyFileSync('policies/fabrikam.mof', join(folder, 'policies/fabrikam.mof'));
  copyFileSync('policies/scenarios/extensions/fabrikam.ts', join(folder, 'extensions/fabrikam.ts'));
  writeFileSync(
    join(folder, 'scenarios/migrate.yaml'),
    `name: migrate a VM with a custom port policy
features: [../policies/fabrikam.mof]
hosts:
  source: { switches: [{ name: TestSwitch, extensions: [fabrikam] }] }
  target: { switches: [{ name: TestSwitch, extensions: [fabrikam] }] }
extensions: { fabrikam: ../extensions/fabrikam.ts }
vms: [{ name: TestVm, host: source, adapters: [{ switch: TestSwitch }] }]
steps:
  - startVm: TestVm
  - addProperty: { vm: TestVm, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 100 }, as: p1 }
  - updateProperty: { property: p1, settings: { SettingIntA: 101 } }
  - migrate: { vm: TestVm, to: target }
  - expectProperties: { vm: TestVm, host: target, equal: [{ feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 101 } }] }
  - expectStatus: { vm: TestVm, feature: Fabrikam_CustomPortData, equal: { CurrentStatus: 123 } }
  - removeProperty: { property: p1 }
  - stopVm: TestVm
`,
  );
  const { code, out } = await runCli(['run', 'scenarios/migrate.yaml'], { cwd: folder });
  t.equal(code, 0, out);
  t.match(out, /^ok 1 - migrate a VM with a custom port policy$/m);
});

t.test('a wrong file fails with its place on standard error, the others are played', async (t) => {
  const wrong = fileOf('name: x\nhosts: { h: {} }\nsteps: [{ startVn: a }]\n', 'wrong.yaml');
  const { code, out, err } = await runCli(['run', wrong, fileOf(PASSING, 'good.yaml')]);
  t.equal(code, 1);
  t.match(err, /wrong\.yaml:3:11: unknown verb "startVn": expected a verb; did you mean startVm\?/);
  t.match(out, /^not ok 1 - /m);
  t.match(out, /^ok 2 - test$/m);
});

t.test(
  'folders and patterns give their scenario files; what is not there is wrong usage',
  async (t) => {
    const folder = join(dirname(fileOf(PASSING)), 'folder');
    mkdirSync(join(folder, 'below'), { recursive: true });
    writeFileSync(join(folder, 'a.yaml'), PASSING);
    writeFileSync(join(folder, 'below', 'b.yml'), PASSING);
    writeFileSync(join(folder, 'c.json'), '{}');
    writeFileSync(
      join(folder, 'd.scenario.ts'),
      `export default { name: 'from a program', hosts: { h: { switches: [{ name: 'S' }] } },
      steps: [{ createVm: { name: 'x', adapters: [{ switch: 'S' }] } }, async function start({ hosts }: any) { await hosts.h.vms.get('x').start(); },
      { expectState: { vm: 'x', state: 'running' } }] };`,
    );
    const all = await runCli(['run', folder]);
    t.match(all.out, /^1\.\.3$/m);
    t.match(all.out, /^ {4}ok 2 - call start$/m, 'a step may be a function');
    t.equal(all.code, 0, all.out);
    t.match((await runCli(['run', 'folder/*.y?ml'], { cwd: dirname(folder) })).out, /^1\.\.1$/m);
    for (const [words, text] of [
      [['none.yaml'], 'no such file or folder: none.yaml'],
      [['*.none'], 'no scenario file matches *.none'],
      [[folder, '--report', 'x.txt'], 'expected a name that ends in .html, .xml or .json'],
      [[folder, '--param', 'a'], '--param a: expected NAME=VALUE'],
      [[folder, '--param', 'a=1'], '--param a: no file has this parameter'],
      [[folder, '--seeds', '3'], '--seeds belongs to life cycles'],
      [[folder, 'clean-up-once'], 'is a path and clean-up-once the name of a life cycle'],
    ] as const) {
      const { code, err } = await runCli(['run', ...words]);
      t.equal(code, 2, words.join(' '));
      t.ok(err.includes(text), `${text}\n${err}`);
    }
  },
);

t.test('the matrix plays every combination; the command line goes over the file', async (t) => {
  const text = scenario(
    "- repeat: { times: '\u0024{n}', steps: [{ startVm: web }, { stopVm: web }] }",
    `${ONE_HOST}parameters: { n: 1 }\nmatrix: { profile: [ws2016, ws2022], n: [1, 2] }\n`,
  );
  const cells = await play(text);
  t.same(
    cells.map(({ cell, ok }) => [cell, ok]),
    [
      ['profile=ws2016 n=1', true],
      ['profile=ws2016 n=2', true],
      ['profile=ws2022 n=1', true],
      ['profile=ws2022 n=2', true],
    ],
  );
  t.ok((cells[1]?.traceEntries ?? 0) > (cells[0]?.traceEntries ?? 0), 'twice as often');
  const given = await play(text, { profile: 'ws2012', parameters: { n: 3 } });
  t.same(
    given.map(({ profile, cell }) => [profile, cell]),
    [['ws2012', '']],
  );
  t.equal((await play(text, { profile: 'all', parameters: { n: 1 } })).length, 6);
});

t.test(
  'the same file and seed give the same JSON report, byte for byte; a disk changes nothing',
  async (t) => {
    const path = fileOf(PASSING, 'good.yaml');
    const report = async (...words: readonly string[]): Promise<string> =>
      (await runCli(['run', path, '--json', ...words])).out;
    const first = await report('--seed', '7');
    t.equal(await report('--seed', '7', '--parallel', '3'), first);
    t.not(await report('--seed', '8'), first);
    const parsed = JSON.parse(first);
    t.match(parsed, { format: 'extswitch-scenario-report', version: 2, passed: 1, failed: 0 });
    const disk = fileOf(PASSING.replace('{ switches:', '{ store: disk, switches:'), 'good.yaml');
    t.equal(
      JSON.parse((await runCli(['run', disk, '--json', '--seed', '7'])).out).scenarios[0]
        .traceSha256,
      parsed.scenarios[0].traceSha256,
    );
  },
);

t.test('reports: HTML alone and escaped, JUnit with its counts, JSON', async (t) => {
  const folder = dirname(fileOf(PASSING));
  const files = ['html', 'xml', 'json'].map((end) => join(folder, `report.${end}`));
  const good = fileOf(PASSING, 'good.yaml');
  const bad = fileOf(FAILING, 'bad.yaml');
  await runCli(['run', good, bad, ...files.flatMap((file) => ['--report', file])]);
  const [page = '', xml = '', json = ''] = files.map((file) => readFileSync(file, 'utf8'));
  t.notMatch(page, /<script|src=|https?:|@import|url\(/, 'nothing is loaded from anywhere');
  t.match(page, 'fails &lt;b&gt;here&lt;/b&gt;');
  t.notMatch(page, '<b>here');
  t.match(page, /class="step failed depth0".*✗ expectState web off/);
  t.match(page, /<th class="host" colspan="\d">host<\/th>/, 'a lane for the host');
  t.match(page, />PORT_CREATE</);
  t.match(
    xml,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="extswitch" tests="9" failures="1" errors="0">/,
  );
  t.match(
    xml,
    /<testcase name="2 expectState web off" classname="fails &lt;b&gt;here&lt;\/b&gt; # \ufffd\[31m" time="0"><failure message="VM web: state" type="scenario">VM web: state\n {2}expected: off/,
  );
  t.match(xml, /<testcase name="3 stopVm web".*<skipped message="an earlier step failed"\/>/);
  t.equal(xml.match(/<testcase /g)?.length, 9);
  t.match(JSON.parse(json), {
    passed: 1,
    failed: 1,
    scenarios: [{ ok: true }, { failure: { in: 'expectState', line: 11 } }],
  });
});

t.test('a veto is red in the timeline, and the policy diff is shown', async (t) => {
  const steps = `- startVm: web
- addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, as: p }
- inject: { fault: veto, extension: fabrikam, oid: OID_SWITCH_PORT_PROPERTY_ADD }
- tool: { steps: [{ removeProperty: p }, { addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData } }] }`;
  const path = fileOf(scenario(steps), 'veto.yaml');
  const report = join(dirname(path), 'veto.html');
  await runCli(['run', path, '--report', report]);
  const page = readFileSync(report, 'utf8');
  t.match(
    page,
    /<tr class="request bad">.*PORT_PROPERTY_ADD.*<span class="veto">fabrikam: DATA_NOT_ACCEPTED<\/span>/,
  );
  t.match(
    page,
    /<tr class="lost"><td>−<\/td><td>VM web, Network Adapter<\/td><td>Fabrikam_PortCustomSettingData<\/td>/,
  );
});

t.test('on a terminal, progress is on standard error only', async (t) => {
  const steps = '- repeat: { times: 3000, steps: [{ startVm: web }, { stopVm: web }] }';
  const { out, err, code } = await runCli(['run', fileOf(scenario(steps), 'long.yaml')], {
    tty: true,
  });
  t.equal(code, 0);
  t.notMatch(out, '\u001b');
  t.ok(err.startsWith('\r\u001b[K0/1 test: st'), err.slice(0, 60));
  t.ok(err.endsWith('\r\u001b[K'), 'and gone at the end');
});
