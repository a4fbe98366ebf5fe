import { resolve } from 'node:path';
import t from 'tap';
import { junitReport } from '../../src/scenario/reports/junit.ts';
import { failureOf, play, scenario } from './scenario-text.ts';

/* Small slips in the scenario runner that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const ADD =
  'addProperty: { vm: web, feature: Fabrikam_PortCustomSettingData, settings: { SettingIntA: 1 }, as: p }';

t.test('expectProperties equal: what is there beyond it fails', async (t) => {
  t.equal(await failureOf(scenario('- expectProperties: { vm: web, equal: [] }')), undefined);
  t.match(
    await failureOf(scenario(`- ${ADD}\n- expectProperties: { vm: web, equal: [] }`)),
    /^expectProperties: .*the policies differ\n {2}expected: nothing\n/,
  );
});

t.test('of a step that fails and a check that fails after it, the step is told', async (t) => {
  const steps = `- ${ADD}
- tool: { steps: [{ removeProperty: p }] }
- expectState: { vm: web, state: running }`;
  t.match(await failureOf(scenario(steps)), /^expectState: /);
});

t.test(
  'a policy that a tool leaves with other settings is lost, and another is there',
  async (t) => {
    const changed = `- ${ADD}
- tool: { steps: [{ updateProperty: { property: p, settings: { SettingIntA: 2 } } }] }`;
    const failure = await failureOf(scenario(changed));
    t.match(failure, /^noPolicyLost: /);
    t.match(failure, /- Fabrikam_PortCustomSettingData \{ SettingIntA: 1, SettingIntB: 0 \}/);
    t.match(failure, /\+ Fabrikam_PortCustomSettingData \{ SettingIntA: 2, SettingIntB: 0 \}/);
  },
);

t.test('a finding that a step expects is none at the end; one that none expects is', async (t) => {
  const extension = resolve('test/isolation/fixtures/misbehaving.ts');
  const head = `name: test
extensions: { bad: ${extension} }
hosts: { host: { switches: [{ name: S, extensions: [bad] }] } }
invariants: { noFindings: true }
`;
  const breaks = '- createPort: { switch: S, name: scribble }';
  t.match(await failureOf(scenario(breaks, head)), /^noFindings: .*\nhost: B26 /);
  t.equal(await failureOf(scenario(`${breaks}\n- expectFindings: { rule: B26 }`, head)), undefined);
});

t.test('JUnit: a check that fails is a failure, in the sum as well', async (t) => {
  const lost = `- ${ADD}\n- tool: { steps: [{ removeProperty: p }] }`;
  const report = junitReport(await play(scenario(lost)));
  t.match(report, /<testcase name="noPolicyLost"[^>]*><failure message="policies differ/);
  t.match(report, /^<testsuites [^>]*failures="1"/m);
});
