import t from 'tap';
import { RULES } from '../../src/rules/rule-book.ts';
import { RULE_CHECKS } from '../../src/verifier/checks/index.ts';
import { UNSEEN_RULES } from '../../src/verifier/unseen-rules.ts';
import { testSamples } from './samples.ts';

const EXT_RULES = RULES.filter(({ kind }) => kind === 'ext').map(({ id }) => id);

// Those from E on are in checks-of-policies.test.ts.
for (const check of RULE_CHECKS) if (check.rule < 'E') testSamples(t, check);

t.test(
  'every rule has one check or one reason why not, and only rules that bind extensions',
  async (t) => {
    const all = [...RULE_CHECKS.map(({ rule }) => rule), ...UNSEEN_RULES.map(({ rule }) => rule)];
    t.equal(new Set(all).size, all.length, 'none twice');
    t.same([...all].sort(), [...EXT_RULES].sort());
    t.equal(all.length, 250, 'as the rule book says');
  },
);
