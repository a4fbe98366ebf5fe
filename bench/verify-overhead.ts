import { RULE_CHECKS } from '../src/verifier/checks/index.ts';
import { Verifier } from '../src/verifier/verifier.ts';
import type { BenchCase } from './bench-case.ts';
import { makeSwitch, roundtrip } from './oid.ts';

const BATCH = 2000;

/** What a live server does with `--verifier observe`, and the same switch with nobody looking. */
const observed = makeSwitch(
  (clock) =>
    new Verifier({
      checks: RULE_CHECKS,
      clock,
      finding: (_switch, { message }) => {
        throw new Error(message);
      },
    }),
);
const alone = makeSwitch();

export const benches: readonly BenchCase[] = [
  {
    name: 'verify.overhead',
    unit: 'updates/s (oid.roundtrip.3ext, verifier observes)',
    run: () => roundtrip(observed, BATCH),
    baseline: { name: 'verifier off', run: () => roundtrip(alone, BATCH) },
  },
];
