import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Seeds, SimulationLook, SuiteLook } from './look.ts';
import { fingerprint, type Mutant } from './mutant.ts';

/** What was made of one break. */
export interface MutantResult {
  /** {@link fingerprint} of the break it is of. */
  readonly fingerprint: string;
  /** Left out: the simulation does not run this part. */
  readonly simulation?: SimulationLook;
  /** How often the place of the break ran while the seeds were played on the sound tree; left out: not counted. */
  readonly reached?: number;
  /** One for each test file up to the first that noticed it. */
  readonly suites: readonly SuiteLook[];
}

/** The results on disk, by id of the break. */
export interface Results {
  readonly seeds: Seeds;
  readonly mutants: Readonly<Record<string, MutantResult>>;
}

export function readResults(path: string, seeds: Seeds): Results {
  if (!existsSync(path)) return { seeds, mutants: {} };
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}

/** In the order of `order`; what is of no break any more is left out. */
export function writeResults(path: string, results: Results, order: readonly Mutant[]): void {
  const mutants = Object.fromEntries(
    order.flatMap((mutant) => {
      const result = results.mutants[mutant.id];
      return result?.fingerprint === fingerprint(mutant) ? [[mutant.id, result]] : [];
    }),
  );
  writeFileSync(path, `${JSON.stringify({ seeds: results.seeds, mutants }, undefined, 2)}\n`);
}

/** By a suite: what CI would show as a failed test. */
export function noticingSuite({ suites }: MutantResult) {
  return suites.find((one) => one.verdict === 'noticed');
}

export function isNoticed(result: MutantResult): boolean {
  return noticingSuite(result) !== undefined || result.simulation?.verdict === 'noticed';
}
