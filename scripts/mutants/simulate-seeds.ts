import { playSeed } from '../../src/testing/simulation/play.ts';

/*
 * Plays seeds until an invariant breaks: `simulate-seeds.ts FIRST COUNT STEPS`. Prints one line of JSON; its exit code is 0
 * whatever was found.
 */

/** What came of it. */
export interface Simulated {
  /** The seed that was the first to break one, with what it broke; left out: all held. */
  readonly found?: { readonly seed: string; readonly invariant: string; readonly message: string };
  readonly seeds: number;
  /** OID requests that completed: 0 would mean that nothing was simulated. */
  readonly requests: number;
}

const [first = 1, count = 0, steps = 40] = process.argv.slice(2).map(Number);
let requests = 0;
let simulated: Simulated | undefined;
for (let i = 0; i < count && simulated === undefined; i += 1) {
  const seed = String(first + i);
  try {
    const report = await playSeed(seed, steps);
    requests += report.requests;
    const { breach } = report;
    if (breach === undefined) continue;
    const { invariant, message } = breach;
    simulated = { found: { seed, invariant, message }, seeds: i + 1, requests };
  } catch (error) {
    simulated = {
      found: { seed, invariant: 'throws', message: String(error) },
      seeds: i + 1,
      requests,
    };
  }
}
simulated ??= { seeds: count, requests };
process.stdout.write(`${JSON.stringify(simulated)}\n`);
