import type { Test } from 'tap';
import { defineExtension } from '../../src/sdk/define.ts';
import { verifyExtension } from '../../src/testing/verify/verify-extension.ts';
import type { VerifyReport } from '../../src/testing/verify/verify-report.ts';
import { type RuleCheck, SAMPLE_ID, type Sample } from '../../src/verifier/rule-check.ts';

/** The report on a sample of a check; `stages`: names, left out: all there are. */
export function verifySample(sample: Sample, stages?: readonly string[]): Promise<VerifyReport> {
  return verifyExtension(
    defineExtension({
      id: SAMPLE_ID,
      name: 'Sample',
      vendor: 'extswitch',
      version: '1.0',
      type: sample.type,
      attach: sample.attach,
    }),
    {
      seeds: 1,
      ...(stages === undefined ? {} : { stages }),
      ...(sample.mof === undefined ? {} : { mof: sample.mof }),
    },
  );
}

/** One sample breaks the rule of its check; the other comes close, keeps that rule and breaks no other. */
export function testSamples(t: Test, check: RuleCheck): void {
  const { rule, name = rule, stages } = check;
  t.test(`${rule}: a sample that ${check.breaks.about} breaks it`, async (t) => {
    const report = await verifySample(check.breaks, stages);
    const found = report.findings.filter(({ rule }) => rule === name);
    t.ok(found.length > 0, `${name} is reported`, { findings: report.findings });
    const outcome = report.rules.find((one) => one.rule === rule);
    t.equal(outcome?.outcome, 'broken');
  });
  t.test(`${rule}: a sample that ${check.close.about} does not`, async (t) => {
    isClean(t, check, await verifySample(check.close, stages));
  });
}

/** Nothing but remarks, and the rule was met and kept. */
export function isClean(t: Test, check: RuleCheck, report: VerifyReport): void {
  t.same(
    report.findings.filter(({ severity }) => severity !== 'info'),
    [],
  );
  const outcome = report.rules.find((one) => one.rule === check.rule);
  t.equal(outcome?.outcome, 'kept', `exercised: ${check.exercise}`);
}
