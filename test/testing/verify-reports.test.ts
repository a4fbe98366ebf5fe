import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '../support/uncovered-children.ts';
import t from 'tap';
import { harmless } from '../../src/core/harmless-text.ts';
import { type VerifyReportFormat, verifyReport } from '../../src/testing/verify/reports/report.ts';
import { CHANGED_BYTE, cleanReport, HOSTILE, sampleReport } from './verify-report-sample.ts';

const COMMAND = 'extswitch verify ./guard.ts';
const COVERAGE = ['reference a port, then delete it', 'no packets move in this version'];
const EVERY: readonly VerifyReportFormat[] = ['text', 'tap', 'junit', 'sarif', 'html', 'json'];
const CONTROL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what no report may hold
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

t.test('every format: hostile text leaves no control character', async (t) => {
  for (const format of EVERY) {
    const text = verifyReport(sampleReport(), format, { command: COMMAND, coverage: true });
    t.notMatch(text, CONTROL, format);
    for (const what of COVERAGE) t.ok(text.includes(what), `${format}: ${what}`);
  }
});

t.test(
  'every format: the same report gives the same text, and a clean one no finding',
  async (t) => {
    for (const format of EVERY) {
      t.equal(verifyReport(sampleReport(), format), verifyReport(sampleReport(), format), format);
      t.notMatch(
        verifyReport(cleanReport(), format),
        /not ok|<failure|"ruleId"|class="one |error B/,
        format,
      );
    }
  },
);

t.test(
  'text: a finding has a caret below its byte, the member, and the command that plays it again',
  async (t) => {
    const report = { ...sampleReport('x'), findings: [CHANGED_BYTE] };
    const text = verifyReport(report, 'text', { command: COMMAND });
    t.ok(
      text.includes(
        `
error B26  Guard changed byte 8 of OID_SWITCH_PORT_CREATE
  OID_SWITCH_PORT_CREATE: protocol edge → Witness above → Guard
    0000  80 01 20 04 00 00 00 00 07 00 00 00 00 00 00 00
                                  ^^ NDIS_SWITCH_PORT_PARAMETERS.PortId
    0010  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    …     1024 more bytes
  why   Others see another port.
  mend  Read it only.
  rule  B26: MUST NOT modify the parameters. (oid-switch-port-create.md)
  seen  3 times, first in whole-life
  again extswitch verify ./guard.ts --stage whole-life --seed life-cycle-1
`,
      ),
      text,
    );
    t.match(
      text,
      /\nfailed: 1 error, 0 warnings\. Of 8 rules 3 broken, 1 kept, 1 not exercised, 1 waiting for the data path, 1 permissions, 1 without a check\.\n$/,
    );
  },
);

t.test(
  'text: the caret follows the byte into any row, and bytes that are no structure have none',
  async (t) => {
    const shown = (more: Partial<typeof CHANGED_BYTE>): string => {
      const findings = [{ ...CHANGED_BYTE, ...more }];
      return verifyReport({ ...sampleReport('x'), findings }, 'text');
    };
    // PortState is the last member: four bytes at 1052 (ntddndis.h).
    t.match(
      shown({ offset: 1055 }),
      /\n {4}0400 .*\n {4}0410( {2}00( 00){15})\n {55}\^\^ NDIS_SWITCH_PORT_PARAMETERS\.PortState\n {2}why/,
    );
    t.match(shown({ bytes: new Uint8Array(3), offset: 2 }), /0000 {2}00 00 00\n {16}\^\^\n {2}why/);
    const none = shown({ bytes: new Uint8Array(0) });
    t.notMatch(none, '^^');
    const { offset: _offset, ...nowhere } = CHANGED_BYTE;
    const whole = verifyReport({ ...sampleReport('x'), findings: [nowhere] }, 'text');
    t.notMatch(whole, '^^');
    t.match(whole, /0030 .*\n {4}… {5}992 more bytes\n/);
  },
);

t.test('text: lines of a message are indented, a seed is one word of a shell', async (t) => {
  const text = verifyReport(sampleReport(), 'text', { command: COMMAND });
  t.notMatch(text, /^(not ok|1\.\.0)/m);
  t.match(text, '\n    not ok 9\n    1..0\n');
  t.match(text, "--seed 'a <b> & \"c\" '\\''d'\\'' ]]>");
  t.match(text, /error no rule {2}a <b>/);
  t.match(text, /\n {2}rule {2}B16: MUST announce creation with OID_SWITCH_PORT_CREATE/);
});

t.test(
  'text: --coverage lists what was not exercised with what would, and the unseen with why',
  async (t) => {
    const text = verifyReport(cleanReport(), 'text', { coverage: true });
    t.match(
      text,
      `
Kept:
  B25  MUST NOT issue port OIDs.

Not exercised; what would:
  B42  reference a port, then delete it

Waiting for the data path:
  B31  no packets move in this version

Permissions, that nothing can break:
  B41  a permission

Without a check in this version:
  H10  this version has no check for it
`,
    );
    t.notMatch(verifyReport(cleanReport(), 'text'), 'Not exercised;');
  },
);

const tapParser = await import('tap-parser').catch(() => undefined);

t.test(
  "TAP: tap's own parser reads a point for each rule and each finding without one, with its diagnostics",
  { skip: tapParser === undefined ? 'tap-parser does not come with this tap' : false },
  async (t) => {
    if (tapParser === undefined) return;
    const tap = verifyReport(sampleReport(), 'tap', { command: COMMAND });
    const events: { ok: boolean; id: number; name: string; skip?: unknown; diag?: unknown }[] = [];
    const parser = new tapParser.Parser({ strict: true });
    const extra: string[] = [];
    parser.on('assert', (result) => events.push(result));
    parser.on('extra', (text: string) => extra.push(text));
    const done = new Promise<{ ok: boolean; failures: unknown[] }>((resolve) =>
      parser.on('complete', resolve),
    );
    parser.end(tap);
    const { ok } = await done;
    t.notOk(ok);
    t.strictSame(extra, [], 'every line is TAP');
    t.strictSame(
      events.map(({ ok, id, name, skip }) => [id, ok, name.split(':')[0], skip ?? false]),
      [
        [1, false, 'B26', false],
        [2, false, 'D6 NdisOidComplete', false],
        [3, true, 'B24', false],
        [4, true, 'B25', false],
        [5, true, 'B42', 'reference a port, then delete it'],
        [6, true, 'B31', 'no packets move in this version'],
        [7, true, 'B41', 'a permission'],
        [8, true, 'H10', 'this version has no check for it'],
        [9, false, 'behaviour', false],
        [10, false, 'B16', false],
      ],
    );
    const [changed, held] = events;
    t.match(changed?.diag, {
      findings: [
        {
          severity: 'error',
          message: 'Guard changed byte 8 of OID_SWITCH_PORT_CREATE',
          route: ['Witness above', 'Guard'],
          offset: 8,
          member: 'NDIS_SWITCH_PORT_PARAMETERS.PortId',
          bytes: /^0000 {2}80 01 20 04 .*\n0010 /,
          seed: 'life-cycle-1',
          times: 3,
          again: 'extswitch verify ./guard.ts --stage whole-life --seed life-cycle-1',
        },
      ],
      mend: 'Read it only.',
    });
    // Escapes of JSON are read back; what would drive a terminal comes visible, once.
    t.match(held?.diag, {
      findings: [{ message: /^a <b> & "c" 'd' \]\]> --> # TODO x\n {2}\.\.\.\nnot ok 9\n/ }],
    });
  },
);

t.test('TAP: the title of a rule is one line, whatever it holds', async (t) => {
  const [rule] = cleanReport().rules;
  if (rule === undefined) throw new Error('the sample has rules');
  const rules = [
    {
      ...rule,
      text: 'one\ntwo # SKIP three \\',
      reason: 'b\n# c',
      outcome: 'notExercised' as const,
    },
  ];
  t.match(
    verifyReport({ ...cleanReport(), rules }, 'tap'),
    'TAP version 14\n1..1\n# extension: Guard 1.0, filter, as ws2022\n' +
      'ok 1 - B25: one two \\# SKIP three \\\\ # SKIP b \\# c\n# pass 1, fail 0\n',
  );
});

const noXmllint =
  spawnSync('xmllint', ['--version']).error === undefined
    ? false
    : 'xmllint is not installed (Debian: libxml2-utils)';

t.test(
  'JUnit: valid by the schema, its counts count, hostile text comes back as it was',
  { skip: noXmllint },
  async (t) => {
    const path = join(t.testdir({}), 'report.xml');
    for (const report of [sampleReport(), cleanReport()]) {
      writeFileSync(path, verifyReport(report, 'junit', { command: COMMAND }));
      const { status, stderr } = spawnSync('xmllint', [
        '--noout',
        '--schema',
        'test/scenario/junit.xsd',
        path,
      ]);
      t.equal(status, 0, stderr.toString());
    }
    writeFileSync(path, verifyReport(sampleReport(), 'junit', { command: COMMAND }));
    const found = (xpath: string): string =>
      execFileSync('xmllint', ['--xpath', xpath, path], { encoding: 'utf8' }).replace(/\n$/, '');
    t.equal(found('string(/testsuites/@tests)'), '10');
    t.equal(found('count(//testcase)'), '10');
    t.equal(found('string(/testsuites/@failures)'), '4');
    t.equal(found('count(//failure)'), '4');
    t.equal(found('string(//testsuite/@skipped)'), '4');
    t.equal(found('count(//skipped)'), '4');
    t.equal(found('string(//testsuite/@name)'), `extswitch verify: ${visible(HOSTILE)}`);
    t.equal(found('string(//skipped[1]/@message)'), 'reference a port, then delete it');
    t.equal(
      found("string(//testcase[failure/@type='B26']/@name)"),
      'B26: MUST NOT modify the parameters.',
    );
    t.match(
      found("string(//failure[@type='B26'])"),
      /\n {34}\^\^ NDIS_SWITCH_PORT_PARAMETERS\.PortId\n/,
    );
    t.match(
      found("string(//failure[@type='B26'])"),
      'again extswitch verify ./guard.ts --stage whole-life',
    );
    t.match(found("string(//failure[@type='behaviour'])"), `\n    not ok 9\n    1..0\n`);
    t.match(
      found("string(//testcase[starts-with(@name, 'B24')]/system-out)"),
      /^warning B24 {2}a <b> & "c"/,
    );
  },
);

/** What XML can hold of a text whose control characters were made visible. */
const visible = (text: string): string => harmless(text).replace('\ud800', '\ufffd');

t.test(
  'JSON: bytes are base64, of Buffers too, and all else is as the report has it',
  async (t) => {
    const bytes = Buffer.from([1, 2, 255]);
    const report = {
      ...sampleReport(),
      findings: [{ ...CHANGED_BYTE, bytes }, ...sampleReport().findings],
    };
    const read = JSON.parse(verifyReport(report, 'json'));
    t.equal(read.findings[0].bytes, 'AQL/');
    t.equal(
      Buffer.compare(Buffer.from(read.findings[1].bytes, 'base64'), CHANGED_BYTE.bytes ?? bytes),
      0,
    );
    t.strictSame(read.rules, JSON.parse(JSON.stringify(report.rules)));
    t.strictSame(read.stages, report.stages);
    t.equal(read.extension.name, HOSTILE);
  },
);

t.test(
  'HTML: one page that loads nothing and runs nothing, and hostile text is text',
  async (t) => {
    const page = verifyReport(sampleReport(), 'html', { command: COMMAND, toolVersion: '1.2.3' });
    t.match(page, /^<!doctype html>\n/);
    t.notMatch(
      page,
      /<(script|link|img|iframe|object|base)\b|\bsrc=|@import|url\(|<b>a|javascript:/i,
    );
    t.notMatch(page, /\son[a-z]+="/i);
    t.equal(page.match(/<article class="one (error|warning|info)">/g)?.length, 6);
    t.match(page, 'a &lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; ]]&gt; --&gt;');
    t.match(page, '00 00 00 00 <mark>07</mark> 00');
    t.match(page, /\n {30}\^\^ NDIS_SWITCH_PORT_PARAMETERS\.PortId\n/);
    t.match(
      page,
      '<code>extswitch verify ./guard.ts --stage whole-life --seed life-cycle-1</code>',
    );
    t.match(page, 'extswitch 1.2.3');
  },
);

t.test(
  'HTML: each rule is there with how it came out, each kind can be chosen alone',
  async (t) => {
    const page = verifyReport(sampleReport(), 'html');
    const rows = [...page.matchAll(/<tr class="rule (\w+)"><td class="id"><b>(\w+)<\/b>/g)];
    t.strictSame(rows.map(([, key, rule]) => `${rule} ${key}`).sort(), [
      'B24 broken',
      'B25 kept',
      'B26 broken',
      'B31 packets',
      'B41 may',
      'B42 notExercised',
      'D6 broken',
      'H10 unchecked',
    ]);
    const ids = [...page.matchAll(/<input type="radio" name="show" id="([\w-]+)"/g)].map(
      ([, id = '']) => id,
    );
    t.strictSame(ids, [
      'show-all',
      'show-broken',
      'show-kept',
      'show-notExercised',
      'show-packets',
      'show-may',
      'show-unchecked',
    ]);
    for (const id of ids.slice(1)) {
      t.ok(page.includes(`<label class="filter" for="${id}">`), id);
      t.ok(
        page.includes(`#${id}:checked ~ .scroll tr.rule:not(.${id?.slice(5)})`),
        `${id} hides rows`,
      );
    }
    t.match(page, '3 broken');
    t.match(page, 'show-broken"><label class="filter" for="show-broken">broken (3)');
    t.match(
      page,
      '<td class="how"><span class="failed">✗ failed</span></td><td><code>whole-life</code><br>A whole life',
    );
  },
);
