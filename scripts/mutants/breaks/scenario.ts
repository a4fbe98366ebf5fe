import type { Area } from '../mutant.ts';

const suites = [
  'test/scenario/slips.test.ts',
  'test/scenario/verbs.test.ts',
  'test/scenario/world-verbs.test.ts',
  'test/scenario/run.test.ts',
];

export const SCENARIO: Area = {
  name: 'Scenario runner',
  isSimulated: false,
  mutants: [
    {
      id: 'one-answers-for-two',
      title: 'one policy that is there stands for two equal ones that are expected',
      file: 'src/scenario/expectation.ts',
      from: 'if (at >= 0) extra.splice(at, 1);',
      to: '',
      suites,
    },
    {
      id: 'extra-policies-pass',
      title: 'expectProperties equal passes when more is there than it says',
      file: 'src/scenario/verbs/look-verbs.ts',
      from: `      const { missing, extra } = pairUp(equal, found, fits);
      if (missing.length + extra.length > 0) {`,
      to: `      const { missing } = pairUp(equal, found, fits);
      if (missing.length > 0) {`,
      suites,
    },
    {
      id: 'expected-failure-anywhere',
      title: 'a failure that is expected in one step passes when another one fails',
      file: 'src/scenario/play-scenario.ts',
      from: `found.in !== expected.in || !found.message.includes(expected.message ?? '')`,
      to: `!found.message.includes(expected.message ?? '')`,
      suites,
    },
    {
      id: 'played-on-after-a-failure',
      title: 'steps behind one that failed are played all the same',
      file: 'src/scenario/play-scenario.ts',
      from: `        outcomes.push({ ...shown, state: 'notRun' });
        continue;`,
      to: '',
      suites,
    },
    {
      id: 'last-failure-counts',
      title: 'of several failures the last is told, not the first',
      file: 'src/scenario/play-scenario.ts',
      from: 'this.#failure ??= { in: where, message, line };',
      to: 'this.#failure = { in: where, message, line };',
      suites,
    },
    {
      id: 'expected-findings-count',
      title: 'a finding that a step expects fails the scenario at its end',
      file: 'src/scenario/play-scenario.ts',
      from: '!this.#state.expectedFindings.has(line),',
      to: 'this.#state.expectedFindings !== undefined,',
      suites,
    },
    {
      id: 'tool-intends-all',
      title: 'a policy that a tool loses is taken for one that it was told to remove',
      file: 'src/scenario/policies.ts',
      from: 'return { wanted, put: ignore, remove: ignore, forget: ignore,',
      to: 'return { wanted, put: ignore, remove: (owner, id) => wanted.get(owner)?.delete(id), forget: ignore,',
      suites,
    },
    {
      id: 'settings-do-not-count',
      title: 'a policy that comes back with other settings is not lost',
      file: 'src/scenario/policies.ts',
      from: 'one.feature === other.feature && canonical(one.settings) === canonical(other.settings);',
      to: 'one.feature === other.feature;',
      suites,
    },
    {
      id: 'junit-without-checks',
      title: 'an invariant that fails is no failure in the JUnit report',
      file: 'src/scenario/reports/junit.ts',
      from: 'return ok || isExpected ?',
      to: 'return ok || isExpected || message !== undefined ?',
      suites: ['test/scenario/slips.test.ts', 'test/scenario/reports.test.ts'],
    },
  ],
};
