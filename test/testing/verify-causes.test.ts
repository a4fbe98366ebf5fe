import t from 'tap';
import { defineExtension } from '../../src/sdk/define.ts';
import { type ExtensionHandlers, NdisStatus, type SwitchContext } from '../../src/sdk/index.ts';
import { verifyReport } from '../../src/testing/verify/reports/report.ts';
import { type VerifyOptions, verifyExtension } from '../../src/testing/verify/verify-extension.ts';
import type { VerifyFinding, VerifyReport } from '../../src/testing/verify/verify-report.ts';
import { SAMPLE_ID } from '../../src/verifier/rule-check.ts';
import { LIMIT_MOF } from '../../src/verifier/sample-classes.ts';
import { RULE_OUTCOMES, sampleReport } from './verify-report-sample.ts';

const verify = (
  attach: (sw: SwitchContext) => ExtensionHandlers,
  options: VerifyOptions = {
    stages: ['whole-life', 'late-oids', 'service-restart', 'several-switches'],
  },
): Promise<VerifyReport> =>
  verifyExtension(
    defineExtension({
      id: SAMPLE_ID,
      name: 'Guard',
      vendor: 'Contoso',
      version: '1.0',
      type: 'filter',
      attach,
    }),
    options,
  );

const stagesOf = ({ stage, consequences }: VerifyFinding): readonly string[] => [
  stage,
  ...consequences.map((one) => one.stage),
];

t.test(
  'an exception in attach is one finding: every stage that cannot make its switch is a consequence (A48)',
  async (t) => {
    const { findings, rules, ok } = await verify(() => {
      throw new Error('no licence');
    });
    t.equal(ok, false);
    const [found, ...more] = findings;
    t.strictSame(more, []);
    t.match(found, {
      rule: 'A48',
      severity: 'error',
      message: 'create switch Plain: Guard refused in attach: Error: no licence',
    });
    t.same(found && stagesOf(found), [
      'whole-life',
      'late-oids',
      'several-switches',
      'service-restart',
    ]);
    t.strictSame(
      rules.filter(({ outcome }) => outcome === 'broken' || outcome === 'kept'),
      [],
      'no rule of extensions was met',
    );
  },
);

t.test(
  'a refusal is one finding, whatever it is that could not be made, and whichever rule the stage names',
  async (t) => {
    const { findings } = await verify(() => ({
      createPort: () => NdisStatus.DATA_NOT_ACCEPTED,
    }));
    t.equal(findings.length, 1);
    t.match(findings[0]?.message, /Guard refused port Plain_Internal with .*DATA_NOT_ACCEPTED$/);
    const messages = findings[0]?.consequences.map(({ message }) => message) ?? [];
    t.match(messages[0], /^create VM1: .* refused the validation port /);
  },
);

t.test(
  'two mistakes are two findings, each with what came of it, and nothing is lost (B28, D13)',
  async (t) => {
    const { findings, rules } = await verify(() => ({
      createPort: () => NdisStatus.SUCCESS,
      disconnectNic: () => {
        throw new TypeError('x is undefined');
      },
    }));
    const heads = findings.map(({ rule }) => rule);
    t.ok(heads.includes('B28'), `B28 among ${heads}`);
    const completed = findings.find(({ rule }) => rule === 'B28');
    t.ok(
      completed?.consequences.every(({ rule }) => rule === 'D13' || rule === 'B28'),
      'what the extensions below do not know comes of it',
    );
    t.ok((completed?.consequences.length ?? 0) > 0);
    t.ok(findings.some(({ message }) => message.includes('x is undefined')));
    t.equal(new Set(findings.map(({ message }) => message)).size, findings.length);
    const outcome = rules.find(({ rule }) => rule === 'D13');
    t.match(outcome, { outcome: 'consequence', reason: 'broken as a consequence of B28' });
  },
);

t.test(
  'a byte of vendor data is named by the class and its member, each member a finding of its own (E22)',
  async (t) => {
    const { findings } = await verify(
      () => ({
        addPortProperty({ request, feature }) {
          // Both classes have one uint32, the last four bytes of the request.
          if (feature === 'Sample_LimitSettingData') request.bytes[request.bytes.length - 3] = 9;
          return 'forward';
        },
        updatePortProperty({ request }) {
          // PortId: NDIS_SWITCH_PORT_PROPERTY_PARAMETERS, u32 at 8.
          request.bytes[9] = 9;
          return 'forward';
        },
      }),
      { stages: ['whole-life'], mof: LIMIT_MOF },
    );
    const changed = findings.filter(({ rule }) => rule === 'E22');
    t.strictSame(
      changed.map(({ member }) => member?.split('.').slice(-2)),
      [
        ['Sample_LimitSettingData', 'Limit'],
        ['NDIS_SWITCH_PORT_PROPERTY_PARAMETERS', 'PortId'],
      ],
    );
    const text = verifyReport({ ...(await verify(() => ({}))), findings: changed }, 'text');
    t.match(
      text,
      /\n {13}\^\^ NDIS_SWITCH_PORT_PROPERTY_PARAMETERS\..*Sample_LimitSettingData\.Limit\n/,
    );
  },
);

t.test('what an exception ended, the extension did not end itself (D6, E25)', async (t) => {
  const { findings } = await verify(
    () => ({
      addPortProperty() {
        throw new TypeError('x is undefined');
      },
    }),
    { stages: ['whole-life'] },
  );
  t.strictSame(
    findings.map(({ rule, consequences }) => [rule, consequences.map((one) => one.rule)]),
    [['D6', ['E25', undefined]]],
  );
});

const CONSEQUENCES = [
  { rule: 'A48', severity: 'error', message: 'create switch <Plain>', stage: 'whole-life' },
  { rule: undefined, severity: 'warning', message: 'two\nlines ]]>', stage: 'late-oids' },
] as const;

function withConsequences(): VerifyReport {
  const [first, ...rest] = sampleReport('x').findings;
  if (first === undefined) throw new Error('the sample has findings');
  const consequences = CONSEQUENCES.map((one, i) => ({
    ...one,
    seed: i === 0 ? first.seed : 'race-7',
    times: i + 1,
    bytes: Uint8Array.of(1, 2, 255),
  }));
  const rules = RULE_OUTCOMES.map((rule) =>
    rule.rule === 'B25'
      ? { ...rule, outcome: 'consequence' as const, reason: 'broken as a consequence of B26' }
      : rule,
  );
  return { ...sampleReport('x'), findings: [{ ...first, consequences }, ...rest], rules };
}

const LINES = [
  'error A48 in whole-life: create switch <Plain>',
  'warning no rule in late-oids, seed race-7, 2 times: two lines ]]>',
];

t.test('every format: a finding has its consequences counted and listed below it', async (t) => {
  const report = withConsequences();
  const of = (format: Parameters<typeof verifyReport>[1]): string => verifyReport(report, format);
  t.ok(
    of('text').includes(
      `  also  2 consequences, of the same cause:\n    ${LINES[0]}\n    ${LINES[1]}\n`,
    ),
  );
  t.match(of('text'), /\nfailed: 4 errors, 1 warning, with 2 consequences\. Of 8 rules 3 broken, /);
  t.match(of('text'), '1 broken as a consequence');
  t.ok(
    of('tap').includes(
      `      consequences:\n        - ${JSON.stringify(LINES[0])}\n        - ${JSON.stringify(LINES[1])}\n`,
    ),
  );
  t.match(of('tap'), '# SKIP broken as a consequence of B26');
  t.match(of('junit'), 'error A48 in whole-life: create switch &lt;Plain&gt;');
  t.match(of('junit'), '<skipped message="broken as a consequence of B26"/>');
  const html = of('html');
  t.match(html, '<details open><summary>2 consequences, of the same cause</summary>');
  t.match(html, `<li>${LINES[0]?.replace('<', '&lt;').replace('>', '&gt;')}</li>`);
  t.match(html, '<tr class="rule consequence">');
  const [result, ...others] = JSON.parse(of('sarif')).runs[0].results;
  t.equal(others.length, report.findings.length - 1, 'none of its own');
  t.same(result.properties.consequences, LINES);
  t.match(result.message.text, / \(and 2 consequences\)$/);
  const [found] = JSON.parse(of('json')).findings;
  t.strictSame(
    found.consequences.map(({ message, bytes }: Record<string, unknown>) => [message, bytes]),
    CONSEQUENCES.map(({ message }) => [message, 'AQL/']),
  );
});

t.test(
  'who keeps a reference on a NIC is named when the deletion has waited for it in vain (C56, C60)',
  async (t) => {
    const { findings } = await verify(
      (sw) => ({
        oidRequestComplete({ oidName }) {
          if (oidName !== 'OID_SWITCH_NIC_CONNECT' || !sw.parameters().isActive) return;
          for (const { portId, index, state, type } of sw.nics()) {
            if (state === 'connected' && type === 'synthetic') sw.referenceNic(portId, index);
          }
        },
      }),
      { stages: ['whole-life'] },
    );
    const [kept, detached, ...more] = findings;
    t.strictSame(more, []);
    t.match(kept, {
      rule: 'C60',
      severity: 'error',
      message: /^Guard kept \d+ reference\(s\) on NIC \d+\/0 for 12000 ms; deleted all the same$/,
    });
    t.match(detached, { rule: 'C60', message: /^Guard detached with \d+ reference\(s\) on NIC / });
  },
);
