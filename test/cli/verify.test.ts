import '../support/uncovered-children.ts';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { verifyStages } from '../../src/testing/verify/stages.ts';
import { type Ran, runCli } from './run-in-process.ts';

t.setTimeout(120_000);

/** Extension modules of the tests: what `createPort` and other handlers of each do. */
const MODULES = {
  good: "createPort: () => 'forward'",
  // Rule B26.
  writes: "createPort(_port, request) { request.bytes[8] = 0x7f; return 'forward'; }",
  // Rule D12, a SHOULD: OID_SWITCH_PORT_PROPERTY_ADD without bytes is refused (INVALID_PARAMETER).
  refuses:
    "oidRequest: ({ oidName, bytes }) => (oidName === 'OID_SWITCH_PORT_PROPERTY_ADD' && bytes.length === 0 ? 0xc000000d : 'forward')",
  timer:
    "createPort() { setTimeout(() => { throw new Error('from a timer'); }, 0); return 'forward'; }",
  loops: 'createPort() { for (;;); }',
  drops: "createPort() { void Promise.reject(new Error('dropped')); return 'forward'; }",
};

function moduleIn(cwd: string, name: keyof typeof MODULES): string {
  const sdk = pathToFileURL(resolve('src/sdk/index.ts')).href;
  const at = Object.keys(MODULES).indexOf(name) + 1;
  writeFileSync(
    join(cwd, `${name}.mjs`),
    `import { defineExtension } from '${sdk}';
export default defineExtension({
  id: '0e5c3b7a-91d2-4f60-8b1e-6a7c2d9f03${String(at).padStart(2, '0')}', name: 'The ${name} one',
  vendor: 'Test', version: '1.0', type: 'filter', attach: () => ({ ${MODULES[name]} }),
});`,
  );
  return `./${name}.mjs`;
}

const QUICK = ['--stage', 'whole-life'];
const verify = (cwd: string, ...words: string[]): Promise<Ran> =>
  runCli(['verify', ...words], { cwd });

t.test('an extension that keeps the rules ends with 0 and says so', async (t) => {
  const cwd = t.testdir({});
  const { code, out, err } = await verify(cwd, moduleIn(cwd, 'good'), ...QUICK);
  t.equal(code, 0, out);
  t.equal(err, '');
  t.match(out, /^The good one 1\.0, a filter extension, as ws2022: 1 stage\n/);
  t.match(out, /\npassed: 0 errors, 0 warnings\. Of 250 rules 0 broken, [1-9]\d* kept, /);
});

t.test(
  'an endless loop in a worker is a finding, and its command plays it in a worker again',
  async (t) => {
    const cwd = t.testdir({});
    const isolated = ['--isolate', '--watchdog-ms', '1500'];
    const { code, out } = await verify(cwd, moduleIn(cwd, 'loops'), ...QUICK, ...isolated);
    t.equal(code, 1, out);
    t.match(out, /\nerror D6 .* did not return from createPort within 1500 ms\n/);
    t.match(
      out,
      /\n {2}again extswitch verify \.\/loops\.mjs --isolate --watchdog-ms 1500 --stage whole-life --seed /,
    );
  },
);

t.test('an extension that breaks a rule ends with 1, and its command plays it again', async (t) => {
  const cwd = t.testdir({});
  const { code, out } = await verify(cwd, moduleIn(cwd, 'writes'), ...QUICK, '--seed', 'x y');
  t.equal(code, 1);
  t.match(out, /\nerror B26 {2}The writes one changed byte 8 of OID_SWITCH_PORT_CREATE/);
  t.match(out, /\n {34}\^\^ NDIS_SWITCH_PORT_PARAMETERS\.PortId\n/);
  const again = "extswitch verify ./writes.mjs --stage whole-life --seed 'x y'";
  t.match(out, `\n  again ${again}\n`);
  const played = await verify(cwd, './writes.mjs', '--stage', 'whole-life', '--seed', 'x y');
  t.equal(played.out, out, 'the same to the letter');
});

t.test(
  '--json is the report; of several extensions a list, and one that fails ends with 1',
  async (t) => {
    const cwd = t.testdir({});
    const good = moduleIn(cwd, 'good');
    const one = await verify(cwd, good, ...QUICK, '--json', '--profile', 'ws2016');
    t.match(JSON.parse(one.out), {
      extension: { name: 'The good one' },
      profile: 'ws2016',
      ok: true,
      findings: [],
      stages: [{ name: 'whole-life', ok: true }],
    });
    const two = await verify(cwd, good, moduleIn(cwd, 'writes'), ...QUICK, '--json');
    t.equal(two.code, 1);
    const [first, second] = JSON.parse(two.out);
    t.match(first, { extension: { name: 'The good one' }, ok: true });
    t.match(second, { extension: { name: 'The writes one' }, ok: false });
    const bytes = Buffer.from(second.findings[0].bytes, 'base64');
    // As received: the header of revision 1 with 1,056 bytes, and the byte it wrote.
    t.equal(bytes.subarray(0, 4).toString('hex'), '80012004');
    t.equal(bytes[8], 0x7f);
  },
);

t.test('--list names the stages, --stage plays those, in the order of the list', async (t) => {
  const { code, out } = await runCli(['verify', '--list']);
  t.equal(code, 0);
  for (const { name, title } of verifyStages()) {
    t.match(out, new RegExp(`^${name} {2,}${title}$`, 'm'));
  }
  const json = JSON.parse((await runCli(['verify', '--list', '--json'])).out);
  t.strictSame(json, verifyStages());
  const cwd = t.testdir({});
  const words = [moduleIn(cwd, 'good'), '--stage', 'late-oids', '--stage', 'whole-life', '--json'];
  const { stages } = JSON.parse((await verify(cwd, ...words)).out);
  t.strictSame(
    stages.map(({ name }: { name: string }) => name),
    ['whole-life', 'late-oids'],
  );
});

t.test(
  "--explain knows a rule by number, in any case, and by Driver Verifier's name",
  async (t) => {
    const { code, out } = await runCli(['verify', '--explain', 'b42']);
    t.equal(code, 0);
    t.match(out, /^B42: MUST NOT keep a port reference forever: /);
    t.equal(out.split('MUST NOT').length, 2, 'its force once');
    for (const label of ['what', 'why', 'mend', 'breaks', 'close', 'source']) {
      t.match(out, new RegExp(`^  ${label} +\\S`, 'm'), label);
    }
    const named = await runCli(['verify', '--explain', 'ndisoidcomplete', '--json']);
    t.match(JSON.parse(named.out), { name: 'NdisOidComplete', force: /^MUST/, why: /\w/ });
    const unseen = await runCli(['verify', '--explain', 'B31']);
    t.match(unseen.out, /\n {2}not seen +about destinations of packets/);
  },
);

t.test('--coverage lists what was not exercised and what would', async (t) => {
  const cwd = t.testdir({});
  const { out } = await verify(cwd, moduleIn(cwd, 'good'), ...QUICK, '--coverage');
  t.match(
    out,
    /\nNot exercised; what would:\n(?: {2}.*\n)*? {2}B42 {2}let the extension reference a port/,
  );
  t.match(out, '\nWaiting for the data path:\n');
});

t.test(
  '--strict fails for a warning, in the exit code and in every report; without it a warning passes',
  async (t) => {
    const cwd = t.testdir({});
    const words = [moduleIn(cwd, 'refuses'), '--stage', 'malformed-properties'];
    const plain = await verify(cwd, ...words);
    t.equal(plain.code, 0);
    t.match(plain.out, /\nwarning D12 {2}/);
    t.match(plain.out, /\npassed: 0 errors, 1 warning\. /);
    const strict = await verify(cwd, ...words, '--strict', '--report', 'strict.xml');
    t.equal(strict.code, 1);
    t.equal(strict.out, plain.out.replace('\npassed: ', '\nfailed: '), 'and says so');
    t.match(readFileSync(join(cwd, 'strict.xml'), 'utf8'), '<failure type="D12" ');
    const [tap, strictTap] = [
      await verify(cwd, ...words, '--format', 'tap'),
      await verify(cwd, ...words, '--format', 'tap', '--strict'),
    ];
    t.notMatch(tap.out, /^not ok/m);
    t.match(strictTap.out, /^not ok \d+ - D12: /m);
  },
);

t.test('--report writes each format by its name, and what is printed stays', async (t) => {
  const cwd = t.testdir({ out: {} });
  const names = ['r.html', 'r.sarif', 'r.xml', 'r.tap', 'r.json', 'out/r.txt'];
  const words = names.flatMap((name) => ['--report', name]);
  const path = moduleIn(cwd, 'writes');
  const { code, out, err } = await runCli(['verify', path, ...QUICK, ...words], { cwd, tty: true });
  t.equal(code, 1);
  t.match(out, '\u001b[31m', 'a terminal gets colour');
  t.ok(err.endsWith('\r\u001b[K1/1 whole-life\r\u001b[K'), 'and progress, that is taken away');
  const [html, sarif, xml, tap, json, text] = names.map((name) =>
    readFileSync(join(cwd, name), 'utf8'),
  );
  t.match(html, /^<!doctype html>/);
  const [run] = JSON.parse(sarif ?? '').runs;
  t.match(run.results[0], {
    ruleId: 'B26',
    locations: [{ physicalLocation: { artifactLocation: { uri: 'writes.mjs' } } }],
  });
  t.match(xml, '<failure type="B26"');
  t.match(tap, /^TAP version 14\n1\.\.250\n/);
  t.match(tap, /^not ok \d+ - B26: /m);
  t.equal(JSON.parse(json ?? '').ok, false);
  t.match(text, /^The writes one 1\.0, a filter/, 'a file gets no colour');
  t.notMatch(text, '\u001b');
  const shown = await runCli(['verify', path, ...QUICK, '--format', 'tap'], { cwd });
  t.equal(shown.out, tap);
});

t.test('--report to what cannot be is told before anything is played', async (t) => {
  const cwd = t.testdir({ folder: { 'x.xml': {} } });
  const path = moduleIn(cwd, 'good');
  const cases: readonly (readonly [string[], string])[] = [
    [[path, '--report', 'nowhere/x.xml'], '--report nowhere/x.xml: there is no folder nowhere'],
    [[path, '--report', 'folder/x.xml'], '--report folder/x.xml: it is a folder'],
    [[path, '--report', 'x.pdf'], '--report x.pdf: expected a name that ends in .html, .json, '],
    [[path, path, '--report', 'x.xml'], '--report takes one extension'],
    [[], 'name the extension modules to verify'],
    [[path, '--stage', 'whole-live'], 'no stage is named "whole-live"; did you mean whole-life?'],
    [[path, '--seeds', '0'], '--seeds must be a whole number from 1 to 1000000'],
    [['--explain', 'Z99'], '--explain Z99: the rule book has no such rule'],
    [['--explain', 'b2'], '--explain b2: B2 binds the switch, not extensions'],
  ];
  for (const [words, message] of cases) {
    const { code, out, err } = await verify(cwd, ...words);
    t.equal(code, 2, message);
    t.equal(out, '');
    t.ok(err.includes(message), `${message}\n${err}`);
  }
});

t.test(
  'a report that cannot be written costs neither the findings nor the other reports',
  async (t) => {
    const cwd = t.testdir({});
    const path = moduleIn(cwd, 'good');
    // A name longer than any file system takes.
    const long = `${'x'.repeat(300)}.json`;
    const { code, out, err } = await verify(
      cwd,
      path,
      ...QUICK,
      '--report',
      long,
      '--report',
      'r.tap',
    );
    t.equal(code, 1);
    t.match(out, '\npassed: 0 errors');
    t.match(err, /^--report x+\.json: not written: ENAMETOOLONG/);
    t.match(readFileSync(join(cwd, 'r.tap'), 'utf8'), /\n# pass 250, fail 0\n$/);
  },
);

t.test(
  'modules that do not load, and files that are not there, are told before anything is played',
  async (t) => {
    const cwd = t.testdir({
      'broken.mjs': 'export default {',
      'empty.mjs': 'export const nothing = 1;',
      'list.json': '[]',
    });
    const path = moduleIn(cwd, 'good');
    const cases: readonly (readonly [string[], RegExp])[] = [
      [[path, './nowhere.mjs'], /nowhere\.mjs.*no such file/],
      [[path, './broken.mjs'], /broken\.mjs/],
      [['./empty.mjs'], /empty\.mjs.*no default export/],
      [[path, '--settings', 'list.json'], /--settings list\.json: expected an object/],
      [[path, '--mof', 'none.mof'], /--mof none\.mof: ENOENT/],
    ];
    for (const [words, message] of cases) {
      const { code, out, err } = await verify(cwd, ...words);
      t.equal(code, 1, String(message));
      t.equal(out, '');
      t.match(err, message);
      t.notMatch(err, 'internal error');
    }
  },
);

t.test('a promise that an extension drops is told and ends nothing', async (t) => {
  const cwd = t.testdir({});
  const { code, err } = await verify(cwd, moduleIn(cwd, 'drops'), ...QUICK);
  t.equal(code, 0);
  t.match(err, 'a promise was rejected and nobody looked: Error: dropped');
});

t.test('a timer of an extension that throws ends with 1, after the report', async (t) => {
  const cwd = t.testdir({});
  const tsx = pathToFileURL(resolve('node_modules/tsx/dist/loader.mjs')).href;
  const words = [
    '--import',
    tsx,
    resolve('src/cli.ts'),
    'verify',
    moduleIn(cwd, 'timer'),
    ...QUICK,
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd, encoding: 'utf8' });
  t.equal(status, 1, stderr);
  t.match(stderr, 'an exception was thrown where nobody looks: Error: from a timer');
  t.match(stdout, '\npassed: 0 errors, 0 warnings.');
});
