import t from 'tap';
import { RULE_CHECKS } from '../../src/verifier/checks/index.ts';
import { testSamples } from './samples.ts';

// Those before E are in checks.test.ts.
for (const check of RULE_CHECKS) if (check.rule >= 'E') testSamples(t, check);
