import t from 'tap';
import { RULES } from '../../src/rules/rule-book.ts';
import { defineExtension } from '../../src/sdk/define.ts';
import { verifyExtension } from '../../src/testing/verify/verify-extension.ts';
import { RULE_CHECKS } from '../../src/verifier/checks/index.ts';
import { type RuleCheck, SAMPLE_ID, type Sample } from '../../src/verifier/rule-check.ts';
import { UNSEEN_RULES } from '../../src/verifier/unseen-rules.ts';

const EXT_RULES = RULES.filter(({ kind }) => kind === 'ext').map(({ id }) => id);

const verify = (check: RuleCheck, sample: Sample) =>
  verifyExtension(
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
      ...(check.stages === undefined ? {} : { stages: check.stages }),
      ...(sample.mof === undefined ? {} : { mof: sample.mof }),
    },
  );

for (const check of RULE_CHECKS) {
  const { rule, name = rule } = check;
  t.test(`${rule}: a sample that ${check.breaks.about} breaks it`, async (t) => {
    const report = await verify(check, check.breaks);
    const found = report.findings.filter(({ rule }) => rule === name);
    t.ok(found.length > 0, `${name} is reported`, { findings: report.findings });
    const outcome = report.rules.find((one) => one.rule === rule);
    t.equal(outcome?.outcome, 'broken');
  });
  t.test(`${rule}: a sample that ${check.close.about} does not`, async (t) => {
    const report = await verify(check, check.close);
    t.same(
      report.findings.filter(({ severity }) => severity !== 'info'),
      [],
    );
    const outcome = report.rules.find((one) => one.rule === rule);
    t.equal(outcome?.outcome, 'kept', `exercised: ${check.exercise}`);
  });
}

t.test(
  'every rule has one check or one reason why not, and only rules that bind extensions',
  async (t) => {
    const all = [...RULE_CHECKS.map(({ rule }) => rule), ...UNSEEN_RULES.map(({ rule }) => rule)];
    t.equal(new Set(all).size, all.length, 'none twice');
    t.same([...all].sort(), [...EXT_RULES].sort());
    t.equal(all.length, 250, 'as the rule book says');
  },
);
