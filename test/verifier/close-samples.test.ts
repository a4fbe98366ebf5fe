import t from 'tap';
import { RULE_CHECKS } from '../../src/verifier/checks/index.ts';
import { isClean, verifySample } from './samples.ts';

/*
 * A sample that comes close and does not break its rule is what a reader copies: it has to keep all the others too, in all
 * stages. That takes a second for three of them, so each day has a third of them; EXTSWITCH_SAMPLES=all plays every one,
 * a number from 0 to 2 that third.
 */

const THIRDS = 3;
const DAY_MS = 86_400_000;
const wanted = process.env['EXTSWITCH_SAMPLES'] ?? `${Math.floor(Date.now() / DAY_MS) % THIRDS}`;

for (const [index, check] of RULE_CHECKS.entries()) {
  if (wanted !== 'all' && wanted !== `${index % THIRDS}`) continue;
  t.test(`${check.rule}: a sample that ${check.close.about} keeps every rule`, async (t) => {
    isClean(t, check, await verifySample(check.close));
  });
}

t.ok(['all', '0', '1', '2'].includes(wanted), `EXTSWITCH_SAMPLES=${wanted}`);
