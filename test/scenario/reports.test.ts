import '../support/uncovered-children.ts';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { reportText, type ScenarioOutcome } from '../../src/scenario/index.ts';
import { runCli } from '../cli/run-in-process.ts';
import { fileOf, ONE_HOST, playFiles, scenario } from './scenario-text.ts';

const noXmllint =
  spawnSync('xmllint', ['--version']).error === undefined
    ? false
    : 'xmllint is not installed (Debian: libxml2-utils)';

/** `undefined` when the report is what the schema says, else what is wrong with it. */
function invalid(xml: string): string | undefined {
  const path = fileOf(xml, 'report.xml');
  const { status, stderr } = spawnSync('xmllint', [
    '--noout',
    '--schema',
    'test/scenario/junit.xsd',
    path,
  ]);
  return status === 0 ? undefined : stderr.toString();
}

/** What an XML parser finds. */
function found(xml: string, xpath: string): string {
  const path = fileOf(xml, 'report.xml');
  return execFileSync('xmllint', ['--xpath', xpath, path], { encoding: 'utf8' }).replace(/\n$/, '');
}

t.test(
  'JUnit: the report of all kinds of ends is valid, and its counts count',
  {
    skip: noXmllint,
  },
  async (t) => {
    const failing = '- startVm: web\n- expectState: { vm: web, state: "off" }\n- stopVm: web';
    const files = [
      fileOf(scenario('- startVm: web'), 'passes.yaml'),
      fileOf(
        scenario(failing, ONE_HOST.replace('name: test', 'name: "a <b> & \\"c\\" \\e[1m"')),
        'fails.yaml',
      ),
      fileOf('name: wrong\nnot: a scenario', 'wrong.yaml'),
      fileOf(scenario('[]').replace('steps:\n  []', 'steps: []'), 'empty.yaml'),
    ];
    const report = join(dirname(files[0] ?? ''), 'all.xml');
    await runCli(['run', ...files, '--report', report]);
    const xml = readFileSync(report, 'utf8');
    t.equal(invalid(xml), undefined);
    for (const [kind, count] of [
      ['failure', 'failures'],
      ['error', 'errors'],
      ['testcase', 'tests'],
    ] as const) {
      t.equal(found(xml, `count(//${kind})`), found(xml, `string(/testsuites/@${count})`), kind);
      for (const suite of [1, 2, 3, 4]) {
        const at = `/testsuites/testsuite[${suite}]`;
        t.equal(
          found(xml, `count(${at}//${kind})`),
          found(xml, `string(${at}/@${count})`),
          `${kind} of ${suite}`,
        );
      }
    }
    t.equal(found(xml, 'count(//skipped)'), '1');
    t.match(found(xml, 'string(//failure/@message)'), 'VM web: state');
    t.match(found(xml, 'string(//error)'), 'unknown field "not"');
    t.equal(invalid(reportText([], 'junit')), undefined, 'nothing was played');
    t.match(invalid(xml.replace(' errors="', ' bugs="')), /bugs/, 'the schema sees what is wrong');
  },
);

/** An outcome in which every text is `text`. */
function saying(text: string): ScenarioOutcome {
  const step = { verb: text, title: text, line: 1, column: 1 };
  return {
    name: `n${text}`,
    description: text,
    file: text,
    cell: text,
    seed: text,
    ok: false,
    failure: { in: text, message: text, line: 3 },
    steps: [
      { ...step, state: 'passed', message: text },
      { ...step, state: 'failed', message: text },
      { ...step, state: 'notRun' },
    ],
    checks: [{ name: 'noFindings', ok: false, message: text }],
    policies: { before: new Map(), after: new Map(), diff: [] },
    timeline: [{ kind: 'step', title: text, depth: 0, time: 0, state: 'failed', message: text }],
    traceEntries: 0,
    traceSha256: '',
    durationMs: 123_456.7,
    virtualMs: 0,
  };
}

t.test(
  'JUnit: any text in any place gives a report that a parser reads',
  { skip: noXmllint },
  (t) => {
    const texts = fc.sample(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
      {
        numRuns: 500,
        seed: 7,
      },
    );
    texts.push(
      '',
      ']]>',
      '<!--',
      '\u0000\u0008\u000b',
      '\ud800',
      '\udfff\ud800',
      '\ufffe',
      '&#0;',
      '\r\n\t',
    );
    t.equal(invalid(reportText(texts.map(saying), 'junit')), undefined);
    t.end();
  },
);

const pagesOf = (page: string): string[] => page.split('<details class="page"').slice(1);
const rowsOf = (text: string): number =>
  text.match(/<tr class="(?:step|request|event|finding)/g)?.length ?? 0;

t.test(
  'HTML: a long timeline is in folded pages that have every line; the one that failed is open',
  async (t) => {
    const steps = `- repeat: { times: 150, steps: [{ startVm: web }, { stopVm: web }] }
- expectState: { vm: web, state: running }`;
    const outcomes = await playFiles([fileOf(scenario(steps), 'long.yaml')]);
    const lines = outcomes[0]?.timeline.length ?? 0;
    t.ok(lines > 3_000, `${lines} lines`);
    const page = reportText(outcomes, 'html');
    const pages = pagesOf(page);
    t.ok(pages.length > 3 && pages.length < lines / 400, `${pages.length} pages`);
    t.equal(rowsOf(page), lines, 'none is left out');
    t.match(
      page,
      `<p class="facts">${lines} lines on ${pages.length} pages; each opens with a click.</p>`,
    );
    const open = pages.map((one) => one.startsWith(' open>'));
    t.same(open, [...pages.slice(1).map(() => false), true], 'the last one');
    t.match(pages.at(-1), /<b class="failed">1 failed<\/b>/);
    t.match(
      pages[0],
      /^><summary><span class="lines">1–\d+ · 0–\d+ ms<\/span> set up … st(art|op)Vm web /,
    );
    let next = 1;
    for (const one of pages) {
      const [, from = '', to = ''] = /<span class="lines">(\d+)–(\d+)/.exec(one) ?? [];
      t.equal(Number(from), next);
      t.equal(rowsOf(one), Number(to) - Number(from) + 1);
      t.match(one, '<table class="timeline">');
      next = Number(to) + 1;
    }
    t.equal(next, lines + 1);
  },
);

t.test('HTML: a step too long for a page goes on on the next, which says so', (t) => {
  const outcome = saying('x');
  const event = { kind: 'event', host: 'h', time: 4, type: 'state', data: { event: 'e' } } as const;
  const timeline = [
    { kind: 'step', title: 'a <long> one', depth: 0, time: 1, state: 'passed' } as const,
    ...Array.from({ length: 2_400 }, () => event),
  ];
  const page = reportText([{ ...outcome, timeline }], 'html');
  t.same(
    pagesOf(page).map((one) => /<summary>(.*)<\/summary>/.exec(one)?.[1]),
    [
      '<span class="lines">1–1000 · 1–4 ms</span> a &lt;long&gt; one ',
      '<span class="lines">1001–2000 · 4–4 ms</span> a &lt;long&gt; one, continued ',
      '<span class="lines">2001–2401 · 4–4 ms</span> a &lt;long&gt; one, continued ',
    ],
  );
  t.equal(
    pagesOf(reportText([{ ...outcome, timeline: timeline.slice(0, 1500) }], 'html')).length,
    0,
  );
  t.end();
});

const MANY = scenario('- repeat: { times: 400, steps: [{ startVm: web }, { stopVm: web }] }');

t.test(
  'a long timeline of a scenario that passed is shortened in the reports, unless all lines are wanted',
  async (t) => {
    const outcomes = await playFiles([fileOf(MANY, 'many.yaml')]);
    const [outcome] = outcomes;
    const lines = outcome?.timeline.length ?? 0;
    t.ok(lines > 6_000, `${lines} lines`);
    const page = reportText(outcomes, 'html');
    t.equal(rowsOf(page), 1_500);
    t.match(page, `The first 1000 and the last 500 of ${lines} lines: it passed.`);
    t.match(page, `… ${lines - 1_500} lines left out …`);
    t.equal(rowsOf(reportText(outcomes, 'html', { allLines: true })), lines);

    const short = JSON.parse(reportText(outcomes, 'json')).scenarios[0].timeline;
    t.equal(short.length, 1_501);
    t.same(short[1_000], { kind: 'leftOut', lines: lines - 1_500 });
    t.same(short[999], outcome?.timeline[999]);
    t.same(short[1_001], outcome?.timeline[lines - 500]);
    t.same(short[1_500], outcome?.timeline[lines - 1]);
    const whole = reportText(outcomes, 'json', { allLines: true });
    t.same(JSON.parse(whole).scenarios[0].timeline, outcome?.timeline);

    const failed = outcomes.map((one) => ({ ...one, ok: false }));
    t.equal(rowsOf(reportText(failed, 'html')), lines, 'who looks for a fault gets every line');
    t.equal(JSON.parse(reportText(failed, 'json')).scenarios[0].timeline.length, lines);
  },
);

t.test(
  'HTML: the policies before and after as a diff, also when nothing was lost (users 17)',
  async (t) => {
    const add = (as: string): string =>
      `- addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 41 }, as: ${as} }`;
    const page = reportText(await playFiles([fileOf(scenario(add('p')), 'diff.yaml')]), 'html');
    t.match(page, 'Policies: 0 before, 1 after. None was lost, none is there that no step wanted.');
    t.match(
      page,
      '<tr class="wanted"><td>+</td><td>VM web, Network Adapter</td><td>Fabrikam_PortCustomSettingData</td><td><code>{ SettingIntA: 41, SettingIntB: 0 }</code></td></tr>',
    );
    const none = `${add('p')}\n- removeProperty: p`;
    t.notMatch(
      reportText(await playFiles([fileOf(scenario(none), 'none.yaml')]), 'html'),
      'What the steps changed',
    );
  },
);

t.test('a timeline that is line by line that of an earlier scenario is written once', async (t) => {
  const text = scenario('- repeat: { times: 20, steps: [{ startVm: web }, { stopVm: web }] }');
  const outcomes = await playFiles([fileOf(text, 'some.yaml')], { profile: 'all' });
  t.equal(outcomes.length, 6);
  const lines = outcomes[0]?.timeline.length ?? 0;
  t.ok(lines > 100 && lines < 6_000, `${lines} lines`);
  const page = reportText(outcomes, 'html');
  t.equal(rowsOf(page), lines);
  t.equal(
    page.match(/line by line that of <a href="#s1">test \[profile=ws2012\]<\/a>/g)?.length,
    5,
  );
  const { scenarios } = JSON.parse(reportText(outcomes, 'json'));
  t.same(scenarios[0].timeline, outcomes[0]?.timeline);
  for (const one of scenarios.slice(1)) {
    t.equal(one.sameTimelineAs, 0);
    t.notOk('timeline' in one);
  }
});

t.test('JSON: any text in any place reads as what it was', (t) => {
  const texts = fc.sample(fc.string({ unit: 'binary' }), { numRuns: 200, seed: 11 });
  texts.push('\u2028a\u2029b\r\nc', '\ud800', '"}\n}');
  const { scenarios } = JSON.parse(reportText(texts.map(saying), 'json'));
  for (const [i, text] of texts.entries()) {
    const { durationMs: _real, ...expected } = saying(text);
    t.same(scenarios[i], { ...expected, policies: { before: [], after: [], diff: [] } });
  }
  t.same(JSON.parse(reportText([], 'json')).scenarios, []);
  t.end();
});

t.test('--report: a place that takes no file is refused before anything is played', async (t) => {
  const file = fileOf(scenario('- startVm: web'), 'one.yaml');
  for (const [path, problem] of [
    [join(dirname(file), 'none', 'x.html'), /there is no folder .*none/],
    [`${dirname(file)}/x.txt`, /expected a name that ends in \.html, \.xml or \.json/],
  ] as const) {
    const { code, out, err } = await runCli(['run', file, '--report', path]);
    t.equal(code, 2);
    t.equal(out, '', 'nothing was played');
    t.match(err, problem);
  }
  const { code, err } = await runCli(['run', file, '--all-lines']);
  t.equal(code, 2);
  t.match(err, '--all-lines is about reports');
});

t.test(
  'what is wrong in a file is said once on standard error, in every point of TAP',
  async (t) => {
    const file = fileOf(scenario('- startVm: nobody'), 'cells.yaml');
    const { code, out, err } = await runCli(['run', file, '--profile', 'all']);
    t.equal(code, 1);
    t.equal(err.match(/no VM is called/g)?.length, 1);
    t.equal(out.match(/^ {2}message: .*no VM is called/gm)?.length, 6);
  },
);
