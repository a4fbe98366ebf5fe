import type { SuiteLook } from './look.ts';
import { type Area, fingerprint, type Mutant } from './mutant.ts';
import { isNoticed, type MutantResult, noticingSuite, type Results } from './results.ts';
import { UNSEEN } from './unseen.ts';

const HEAD = `<!-- Made by scripts/mutants.ts from the breaks and what was seen of each; do not edit. -->
# Mutation check

A test proves something only if it fails when the program is wrong. So the runtime is broken on purpose: each row below is one
small, plausible slip (a completion left out, a wrong offset, a write that is forgotten), put into a copy of the tree. The
simulation and the named test files are run on the copy, and must notice.

\`\`\`
npm run mutants                        # those not yet looked at since they were written or changed
npm run mutants -- --only ID           # one, again; repeatable
npm run mutants -- --again --jobs 2    # all of them, two copies at a time
npm run mutants -- --simulation        # the simulation alone, on all that it runs
npm run mutants -- --reach             # how often the place of each break runs in the simulation
npm run mutants -- --check             # only: does each break still apply?
\`\`\`

The breaks are data (\`scripts/mutants/breaks/\`): a text of a file, which must occur exactly once, and what takes its place.
*Simulation*: the first of the seeds that breaks an invariant ([simulation](simulation.md)), with its name; "no": all of them
hold. Then "never reached" is counted: not once did these seeds run the place that is broken, so that no law could notice. Where it
was reached, how often, and the reason as far as reading tells it. "apart": it does not run this part. *Suite*: the first named
test file that fails, with the title of the first test in it.
What hangs counts only where the suite's own limit reported it ("by its limit"). Before the first break everything
named is run on the sound tree, and must pass. CI checks that every break still applies
and has been noticed, and runs a few of them. Tests named \`slips.test.ts\` are those that were missing when the breaks were first
made.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** Why all seeds held: counted where it was, else as far as reading tells. */
function whyHeld(id: string, reached: number | undefined): string {
  const times = new Intl.NumberFormat('en').format(reached ?? 0);
  const counted =
    reached === undefined ? [] : [reached === 0 ? 'never reached' : `reached ${times} times`];
  const all = [...counted, ...(UNSEEN[id] === undefined ? [] : [UNSEEN[id]])];
  return all.length === 0 ? '' : `: ${all.join('; ')}`;
}

function simulationCell(
  id: string,
  { simulation: look, reached }: MutantResult,
  seeds: number,
): string {
  switch (look?.verdict) {
    case undefined:
      return 'apart';
    case 'held': {
      const why = whyHeld(id, reached);
      return look.seeds === seeds ? `no${why}` : `no (${look.seeds} seeds)${why}`;
    }
    case 'noticed':
      return `seed ${look.seed}: \`${look.invariant}\``;
    case 'hung':
      return 'no (it hung)';
    case 'ended':
      return `no (${cell(look.message)})`;
  }
}

function suiteCell(suites: readonly SuiteLook[]): string {
  const found = suites.find((one) => one.verdict === 'noticed');
  if (found?.verdict === 'noticed') {
    const how = found.isTimeout ? ' (by its limit)' : '';
    return `\`${found.suite.replace(/^test\//, '')}\`: ${cell(found.test)}${how}`;
  }
  if (suites.length === 0) return 'none named';
  return suites.map(({ suite, verdict }) => `**${verdict}**: \`${suite}\``).join(', ');
}

function row(mutant: Mutant, result: MutantResult | undefined, seeds: number): string {
  const { id, title, file } = mutant;
  const shown =
    result === undefined
      ? '| not run | not run |'
      : `| ${simulationCell(id, result, seeds)} | ${suiteCell(result.suites)} |`;
  return `| \`${id}\` | ${cell(title)} | \`${file}\` ${shown}`;
}

/** docs/reference/mutants.md. */
export function mutantsPage(areas: readonly Area[], { seeds, mutants }: Results): string {
  const all = areas.flatMap((area) => area.mutants.map((mutant) => ({ area, mutant })));
  const resultOf = (mutant: Mutant): MutantResult | undefined => {
    const result = mutants[mutant.id];
    return result?.fingerprint === fingerprint(mutant) ? result : undefined;
  };
  const count = (matches: (result: MutantResult) => boolean): number =>
    all.filter(({ mutant }) => {
      const result = resultOf(mutant);
      return result !== undefined && matches(result);
    }).length;
  const simulated = all.filter(({ area }) => area.isSimulated).length;
  const bySimulation = count(({ simulation }) => simulation?.verdict === 'noticed');
  const neverReached = count(
    ({ simulation, reached }) => simulation?.verdict === 'held' && reached === 0,
  );
  const last = seeds.first + seeds.count - 1;
  const lines = [
    HEAD,
    '## Summary',
    '',
    `${all.length} breaks: ${count(isNoticed)} noticed, ${count((one) => noticingSuite(one) !== undefined)} of them by a suite. The ` +
      `simulation runs the parts of ${simulated} of them and alone notices ${bySimulation} (seeds ${seeds.first} to ${last}, ` +
      `${seeds.steps} steps each); of the others it never reaches the places of ${neverReached}.`,
    '',
    '| part | breaks | noticed | by the simulation |',
    '| --- | ---: | ---: | ---: |',
    ...areas.map((area) => summaryRow(area, resultOf)),
  ];
  for (const area of areas) {
    lines.push('', `## ${area.name}`, '', '| break | what is wrong | file | simulation | suite |');
    lines.push('| --- | --- | --- | --- | --- |');
    for (const mutant of area.mutants) lines.push(row(mutant, resultOf(mutant), seeds.count));
  }
  return `${lines.join('\n')}\n`;
}

function summaryRow(
  { name, isSimulated, mutants }: Area,
  resultOf: (mutant: Mutant) => MutantResult | undefined,
): string {
  const results = mutants.flatMap((mutant) => resultOf(mutant) ?? []);
  const noticed = results.filter(isNoticed).length;
  const simulated = results.filter(({ simulation }) => simulation?.verdict === 'noticed').length;
  return `| ${name} | ${mutants.length} | ${noticed} | ${isSimulated ? simulated : 'apart'} |`;
}
