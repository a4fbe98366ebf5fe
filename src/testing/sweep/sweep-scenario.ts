import type { ProfileName } from '../../policy/api.ts';
import { loadScenario } from '../../scenario/load.ts';
import { type Cell, planScenario } from '../../scenario/plan.ts';
import { readScenario } from '../../scenario/read-scenario.ts';
import { ScenarioSubject } from './scenario-subject.ts';
import { Sweep, type SweepOptions } from './sweep.ts';
import type { ListedFault, SweepReport } from './sweep-report.ts';

export interface ScenarioSweepOptions extends SweepOptions {
  /** Folder that relative paths start from; default: the process's. */
  readonly cwd?: string;
  /** Over what the file says. */
  readonly seed?: string;
  readonly profile?: ProfileName;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

/**
 * Plays a scenario again and again, each time with one thing failing, until none is left; reports what was mishandled
 * (docs/reference/sweep.md). Each cell of its matrix is swept. Errors: those of a scenario file that is wrong.
 *
 * ```ts
 * import { sweepScenario } from 'extswitch/testing';
 *
 * const report = await sweepScenario('policies/scenarios/life-of-a-vm.yaml');
 * assert.deepEqual(report.mishandled, []);
 * ```
 */
export async function sweepScenario(
  file: string,
  options: ScenarioSweepOptions = {},
): Promise<SweepReport> {
  const { name, subjects } = await scenarioSubjects(file, options);
  const sweep = new Sweep(scenarioTarget(name, options), options);
  await sweep.subjects(subjects);
  return sweep.report();
}

export function scenarioTarget(
  name: string,
  { profile }: ScenarioSweepOptions,
): SweepReport['target'] {
  return { kind: 'scenario', name, ...(profile === undefined ? {} : { profile }) };
}

/** The faults that {@link sweepScenario} begins with; more come from what they lead to. */
export async function listScenarioFaults(
  file: string,
  options: ScenarioSweepOptions = {},
): Promise<readonly ListedFault[]> {
  const { name, subjects } = await scenarioSubjects(file, options);
  const sweep = new Sweep(scenarioTarget(name, options), options);
  const faults: ListedFault[] = [];
  for (const subject of subjects) faults.push(...(await sweep.list(subject)));
  return faults;
}

/** A subject for each cell of its matrix. */
export async function scenarioSubjects(
  file: string,
  { cwd = process.cwd(), ...plan }: ScenarioSweepOptions,
): Promise<{ readonly name: string; readonly subjects: readonly ScenarioSubject[] }> {
  const source = await loadScenario(file, cwd);
  const subjects: ScenarioSubject[] = [];
  let name = file;
  for (const cell of planScenario(source, plan)) {
    const scenario = await readScenario(source, cell);
    ({ name } = scenario);
    subjects.push(new ScenarioSubject(scenario, nameOf(cell)));
  }
  return { name, subjects };
}

/** A cell's label has blanks and braces in it. */
const nameOf = ({ label }: Cell): string => label.replace(/[^\w.=-]+/g, '-');
