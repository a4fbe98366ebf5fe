import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AREAS, MUTANTS } from './mutants/all-mutants.ts';
import { look, reach, type Seeds, simulate } from './mutants/look.ts';
import { broken, fingerprint, type Mutant } from './mutants/mutant.ts';
import { mutantsPage } from './mutants/page.ts';
import {
  isNoticed,
  type MutantResult,
  type Results,
  readResults,
  writeResults,
} from './mutants/results.ts';
import { endPrograms } from './mutants/run-program.ts';
import { Workshop } from './mutants/workshop.ts';

/*
 * Breaks the runtime in many ways and looks whether simulation and suites notice (docs/reference/mutants.md). Exit code 1: one was
 * not noticed, or the sound tree fails.
 */

const HELP = `usage: npm run mutants -- [options]
  --only ID    this break, whether or not it has a result; repeatable
  --again      all of them, also those that have one
  --jobs N     so many copies of the tree at a time, default 1
  --seeds N    seeds the simulation plays at most, default 50
  --simulation only the simulation; what the suites made of them stays
  --reach      only counts how often the place of each break runs in the simulation
  --sound      trusts that the sound tree passes
  --check      only says which breaks do not apply any more
  --list       only lists them
`;

const ROOT = resolve(import.meta.dirname, '..');
const RESULTS = join(ROOT, 'scripts/mutants/results.json');
const PAGE = join(ROOT, 'docs/reference/mutants.md');

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    again: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '50' },
    simulation: { type: 'boolean', default: false },
    reach: { type: 'boolean', default: false },
    sound: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const SEEDS: Seeds = { first: 1, count: Math.max(1, Number(values.seeds) || 1), steps: 40 };

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function usage(problem: string): never {
  process.stderr.write(`${problem}\n${HELP}`);
  process.exit(2);
}

const isSimulated = (mutant: Mutant): boolean =>
  AREAS.some((area) => area.isSimulated && area.mutants.includes(mutant));

function problems(): string[] {
  return MUTANTS.flatMap((mutant) => {
    try {
      broken(mutant, readFileSync(join(ROOT, mutant.file), 'utf8'));
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}

function chosen(results: Results): readonly Mutant[] {
  const { only, again } = values;
  if (only !== undefined) {
    return only.map(
      (id) => MUTANTS.find((mutant) => mutant.id === id) ?? usage(`--only ${id}: unknown`),
    );
  }
  if (values.simulation) return MUTANTS.filter(isSimulated);
  if (again) return MUTANTS;
  return MUTANTS.filter(
    (mutant) => results.mutants[mutant.id]?.fingerprint !== fingerprint(mutant),
  );
}

/** Everything that is to notice something, on the sound tree. */
async function soundTree(workshop: Workshop, mutants: readonly Mutant[]): Promise<boolean> {
  let isSound = true;
  if (mutants.some(isSimulated)) {
    const { first, count } = SEEDS;
    const seen = await simulate(workshop.folder, SEEDS);
    say(`sound tree, seeds ${first} to ${first + count - 1}: ${seen.verdict}`);
    isSound = seen.verdict === 'held';
  }
  if (values.simulation) return isSound;
  for (const suite of new Set(mutants.flatMap(({ suites }) => suites))) {
    const seen = await look(workshop.folder, suite);
    say(`sound tree, ${suite}: ${JSON.stringify(seen)}`);
    isSound &&= seen.verdict === 'passed';
  }
  return isSound;
}

async function resultOf(
  workshop: Workshop,
  mutant: Mutant,
  known: MutantResult | undefined,
): Promise<MutantResult> {
  return workshop.broken(mutant, async () => {
    const simulation = isSimulated(mutant) ? await simulate(workshop.folder, SEEDS) : undefined;
    const isKept = values.simulation && known?.fingerprint === fingerprint(mutant);
    const suites: MutantResult['suites'][number][] = isKept ? [...known.suites] : [];
    for (const suite of isKept ? [] : mutant.suites) {
      const seen = await look(workshop.folder, suite);
      suites.push(seen);
      if (seen.verdict === 'noticed') break;
    }
    const reached = known?.fingerprint === fingerprint(mutant) ? known.reached : undefined;
    return {
      fingerprint: fingerprint(mutant),
      suites,
      ...(simulation === undefined ? {} : { simulation }),
      ...(reached === undefined ? {} : { reached }),
    };
  });
}

async function main(): Promise<boolean> {
  const { first, count, steps } = SEEDS;
  const results = { seeds: SEEDS, mutants: { ...readResults(RESULTS, SEEDS).mutants } };
  const left = [...chosen(results)];
  say(
    `${left.length} of ${MUTANTS.length} breaks; seeds ${first} to ${first + count - 1}, ${steps} steps each`,
  );
  if (left.length === 0) return write(results);
  const base = mkdtempSync(join(tmpdir(), 'extswitch-mutants-'));
  // Some tests start processes of another user.
  chmodSync(base, 0o755);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      endPrograms();
      rmSync(base, { recursive: true, force: true });
      process.exit(1);
    });
  }
  try {
    const jobs = Math.max(1, Number(values.jobs) || 1);
    const workshops = Array.from(
      { length: Math.min(jobs, left.length) },
      (_, i) => new Workshop(ROOT, join(base, String(i))),
    );
    const [one] = workshops;
    if (!values.sound && one !== undefined && !(await soundTree(one, left))) return false;
    await Promise.all(
      workshops.map(async (workshop) => {
        for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
          const result = await resultOf(workshop, mutant, results.mutants[mutant.id]);
          results.mutants[mutant.id] = result;
          write(results);
          say(
            `${isNoticed(result) ? 'noticed' : 'MISSED '} ${mutant.id}: ${JSON.stringify(result)}`,
          );
        }
      }),
    );
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
  return write(results);
}

/** On the sound tree as it is: nothing is broken for it. */
async function countPlaces(): Promise<boolean> {
  const results = readResults(RESULTS, SEEDS);
  const reached = await reach(ROOT, SEEDS);
  const mutants = Object.entries(results.mutants).map(([id, result]) => {
    const count = reached[id];
    return [id, count === undefined ? result : { ...result, reached: count }] as const;
  });
  return write({ seeds: SEEDS, mutants: Object.fromEntries(mutants) });
}

/** Whether each break that was looked at was noticed. */
function write(results: Results): boolean {
  writeResults(RESULTS, results, MUTANTS);
  writeFileSync(PAGE, mutantsPage(AREAS, results));
  return MUTANTS.every((mutant) => {
    const result = results.mutants[mutant.id];
    return result === undefined || isNoticed(result);
  });
}

const stale = problems();
if (values.help) {
  say(HELP);
} else if (values.list) {
  for (const { id, title, file } of MUTANTS) say(`${id}  ${file}: ${title}`);
} else if (values.check || stale.length > 0) {
  for (const problem of stale) say(problem);
  say(`${MUTANTS.length} breaks, ${stale.length} do not apply`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  process.exitCode = (await (values.reach ? countPlaces() : main())) ? 0 : 1;
}
