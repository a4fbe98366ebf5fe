import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import '../support/uncovered-children.ts';
import { AREAS, MUTANTS } from '../../scripts/mutants/all-mutants.ts';
import { look, simulate } from '../../scripts/mutants/look.ts';
import { broken, fingerprint, type Mutant } from '../../scripts/mutants/mutant.ts';
import { mutantsPage } from '../../scripts/mutants/page.ts';
import { isNoticed, noticingSuite, readResults } from '../../scripts/mutants/results.ts';
import { Workshop } from '../../scripts/mutants/workshop.ts';

/* Issue 5, item 7: the runtime broken in at least 50 ways, each noticed by simulation or suites (docs/reference/mutants.md). */

// Some ten seconds; a busy machine takes many times that.
t.setTimeout(300_000);

const ROOT = resolve(import.meta.dirname, '../..');
const RESULTS = join(ROOT, 'scripts/mutants/results.json');
const PAGE = join(ROOT, 'docs/reference/mutants.md');
const AGAIN = 'npm run mutants looks at those that have no result';

const sourceOf = ({ file }: Mutant): string => readFileSync(join(ROOT, file), 'utf8');

/** What the parser says; a whole compilation of each would take minutes. */
function syntaxProblems(file: string, text: string): string[] {
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023) as ts.SourceFile & {
    readonly parseDiagnostics?: readonly ts.Diagnostic[];
  };
  const found = parsed.parseDiagnostics ?? [];
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

t.test('each break applies in one place, to a program that can still be read', async (t) => {
  t.ok(MUTANTS.length >= 50, `${MUTANTS.length} breaks`);
  for (const mutant of MUTANTS) {
    let text: string;
    try {
      text = broken(mutant, sourceOf(mutant));
    } catch (error) {
      t.fail(`${String(error)}: adapt it to the source, then npm run mutants`);
      continue;
    }
    t.same(syntaxProblems(mutant.file, text), [], `${mutant.id} is TypeScript`);
  }
});

t.test('each break has an id of its own, a title, and test files that are there', async (t) => {
  t.equal(new Set(MUTANTS.map(({ id }) => id)).size, MUTANTS.length, 'ids are unique');
  t.equal(new Set(MUTANTS.map(fingerprint)).size, MUTANTS.length);
  for (const { id, title, from, to, suites } of MUTANTS) {
    t.match(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    t.ok(title.length > 20, `${id} says what is wrong`);
    t.not(from, to, `${id} changes something`);
    t.ok(suites.length > 0, `${id} names who should notice`);
    for (const suite of suites) t.ok(existsSync(join(ROOT, suite)), `${id}: ${suite}`);
  }
});

t.test('a text that is not there, or there twice, is no place for a break', async (t) => {
  const mutant: Mutant = {
    ...{ id: 'x', title: 'x', file: 'x.ts', suites: [] },
    ...{ from: 'a = 1;', to: 'a = 2;' },
  };
  t.equal(broken(mutant, 'let a = 1;'), 'let a = 2;');
  t.throws(() => broken(mutant, 'let b = 1;'), /x: its text is 0 times in x\.ts/);
  t.throws(() => broken(mutant, 'a = 1; a = 1;'), /x: its text is 2 times/);
  t.same(syntaxProblems('x.ts', 'let a = ;'), ['Expression expected.'], 'what is no program');
  t.not(fingerprint(mutant), fingerprint({ ...mutant, to: 'a = 3;' }), 'another break');
});

t.test('docs/reference/mutants.md is what was seen, and every break was noticed', async (t) => {
  const results = readResults(RESULTS, { first: 1, count: 0, steps: 0 });
  for (const mutant of MUTANTS) {
    const result = results.mutants[mutant.id];
    if (result?.fingerprint !== fingerprint(mutant)) t.fail(`${mutant.id} has no result: ${AGAIN}`);
    else t.ok(isNoticed(result), `${mutant.id} was noticed`);
  }
  const page = mutantsPage(AREAS, results);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(PAGE, page);
  t.equal(readFileSync(PAGE, 'utf8'), page, 'run this test with UPDATE_GOLDEN=1 to rewrite it');
});

t.test('breaks of the sample are noticed as the page says', async (t) => {
  const { mutants } = readResults(RESULTS, { first: 1, count: 0, steps: 0 });
  const base = mkdtempSync(join(tmpdir(), 'extswitch-mutants-'));
  const workshop = new Workshop(ROOT, join(base, 'tree'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const sample = (id: string): Mutant => {
    const mutant = MUTANTS.find((one) => one.id === id);
    if (mutant === undefined) throw new Error(`there is no break ${id}`);
    return mutant;
  };

  for (const id of ['enum-padding-not-cleared', 'collecting-skips']) {
    const mutant = sample(id);
    const result = mutants[id];
    const expected = result === undefined ? undefined : noticingSuite(result);
    if (expected === undefined) {
      t.fail(`${id} was noticed by no suite: ${AGAIN}`);
      continue;
    }
    const { suite } = expected;
    t.same((await look(workshop.folder, suite)).verdict, 'passed', `${suite}, sound`);
    const seen = await workshop.broken(mutant, () => look(workshop.folder, suite));
    t.match(seen, { verdict: 'noticed', suite, test: expected.test }, id);
  }

  const mutant = sample('deadline-stays');
  const recorded = mutants[mutant.id]?.simulation;
  if (recorded?.verdict !== 'noticed') {
    t.fail(`deadline-stays was not noticed by the simulation: ${AGAIN}`);
    return;
  }
  const { seed, invariant } = recorded;
  const seeds = { first: Number(seed), count: 1, steps: 40 };
  const seen = await workshop.broken(mutant, () => simulate(workshop.folder, seeds));
  t.match(seen, { verdict: 'noticed', seed, invariant });
  t.equal(readFileSync(join(workshop.folder, mutant.file), 'utf8'), sourceOf(mutant), 'mended');
  t.match(await simulate(workshop.folder, seeds), { verdict: 'held' }, 'sound again');
});
