import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type SweepReport, sweepReport } from '../../../src/testing/index.ts';

const HOSTILE = 'it <b>broke</b> & "said" ]]> \u001b[31mred\nnot ok 9';
const COMMAND = 'extswitch sweep ./guard.ts';

const subject = (name: string): SweepReport['subjects'][number] => ({
  name,
  title: `stage ${name}`,
  seed: 'sweep',
  sites: 9,
  newSites: 1,
  faults: 4,
  played: 3,
  unmet: 0,
  without: [],
  notes: [],
});

const REPORT: SweepReport = {
  target: { kind: 'extension', name: 'Guard <1.0>', profile: 'ws2022' },
  ok: false,
  complete: false,
  mishandled: [
    {
      subject: 'one',
      seed: 'sweep',
      only: 'one/veto:OID_SWITCH_PORT_CREATE/set@Guard@S@port1#1',
      effect: 'veto',
      site: 'OID_SWITCH_PORT_CREATE/set@Guard@S@port1#1',
      invariant: 'findings',
      rule: 'B39',
      severity: 'error',
      message: HOSTILE,
      extension: 'Guard',
      oid: 'OID_SWITCH_PORT_CREATE',
      bytes: Uint8Array.of(1, 2, 255),
      count: 3,
      others: ['one/veto:other#1'],
    },
  ],
  subjects: [subject('one'), subject('two')],
  effects: { veto: 6 },
  runs: 6,
};

const noXmllint =
  spawnSync('xmllint', ['--version']).error === undefined
    ? false
    : 'xmllint is not installed (Debian: libxml2-utils)';

t.test(
  'JUnit: valid by the schema, also with nothing mishandled',
  { skip: noXmllint },
  async (t) => {
    const path = join(t.testdir({}), 'report.xml');
    for (const report of [REPORT, { ...REPORT, mishandled: [], ok: true }]) {
      writeFileSync(path, sweepReport(report, 'junit', { command: COMMAND }));
      const schema = ['--noout', '--schema', 'test/scenario/junit.xsd', path];
      const { status, stderr } = spawnSync('xmllint', schema);
      t.equal(status, 0, stderr.toString());
    }
    t.match(sweepReport(REPORT, 'junit'), /<testsuites name="extswitch" tests="2" failures="1" /);
  },
);

t.test('SARIF: what it must have is there, and the fault can be played again', async (t) => {
  const log = JSON.parse(sweepReport(REPORT, 'sarif', { file: 'a b.ts', command: COMMAND }));
  t.match(log, { version: '2.1.0', runs: [{ tool: { driver: { rules: [{ id: 'B39' }] } } }] });
  const [result] = log.runs[0].results;
  t.match(result, {
    ruleId: 'B39',
    ruleIndex: 0,
    level: 'error',
    occurrenceCount: 3,
    locations: [{ physicalLocation: { artifactLocation: { uri: 'a%20b.ts' } } }],
    properties: {
      again: `${COMMAND} --seed sweep --only 'one/veto:OID_SWITCH_PORT_CREATE/set@Guard@S@port1#1'`,
    },
  });
  t.notMatch(result.message.text, '\u001b');
});

t.test('TAP: a point for each stage; what a message says is no point of its own', async (t) => {
  const lines = sweepReport(REPORT, 'tap', { command: COMMAND }).split('\n');
  t.same(
    lines.filter((line) => /^(1\.\.|ok|not ok|#)/.test(line)),
    ['1..2', 'not ok 1 - stage one: 3 faults', 'ok 2 - stage two: 3 faults', '# pass 1, fail 1'],
  );
});

t.test('HTML stands alone and runs nothing; JSON has the bytes as base64', async (t) => {
  const page = sweepReport(REPORT, 'html', { command: COMMAND });
  t.notMatch(page, /<script|<link|src=|<b>broke/);
  t.match(page, '&lt;b&gt;broke');
  const { mishandled, ok } = JSON.parse(sweepReport(REPORT, 'json'));
  t.match(mishandled, [{ message: HOSTILE, bytes: 'AQL/' }]);
  t.equal(ok, false);
});
