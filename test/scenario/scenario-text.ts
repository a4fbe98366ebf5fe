import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type RunOptions, type ScenarioOutcome, ScenarioRunner } from '../../src/scenario/index.ts';

const POLICIES = resolve('policies');

/** One host with Fabrikam on one switch, one VM on it; steps follow. */
export const ONE_HOST = `name: test
features: [${POLICIES}/fabrikam.mof]
extensions:
  fabrikam: ${POLICIES}/scenarios/extensions/fabrikam.ts
  counter: ${POLICIES}/scenarios/extensions/counter.ts
hosts:
  host: { switches: [{ name: S, extensions: [fabrikam] }] }
vms: [{ name: web, adapters: [{ switch: S }] }]
`;

/** Two hosts of which the first has the VM. */
export const TWO_HOSTS = ONE_HOST.replace(
  /hosts:\n.*\n/,
  `hosts:
  a: { switches: [{ name: S, extensions: [fabrikam] }] }
  b: { switches: [{ name: S, extensions: [fabrikam] }] }
`,
).replace('name: web,', 'name: web, host: a,');

let folder: string | undefined;

/** Writes a scenario to a folder of the test's and gives its path. */
export function fileOf(text: string, name = 'test.yaml'): string {
  folder ??= mkdtempSync(join(tmpdir(), 'scenario-test-'));
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Plays one file; the outcomes of its cells. */
export async function play(
  text: string,
  options: Partial<RunOptions> = {},
  name?: string,
): Promise<readonly ScenarioOutcome[]> {
  return playFiles([fileOf(text, name)], options);
}

export async function playFiles(
  files: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<readonly ScenarioOutcome[]> {
  const runner = await ScenarioRunner.open(files, { cwd: process.cwd(), ...options });
  const outcomes: ScenarioOutcome[] = [];
  for await (const outcome of runner.play()) outcomes.push(outcome);
  return outcomes;
}

/** What one scenario of one cell failed with, or `undefined`. */
export async function failureOf(text: string): Promise<string | undefined> {
  const [outcome] = await play(text);
  const { failure } = outcome ?? {};
  return failure === undefined ? undefined : `${failure.in}: ${failure.message}`;
}

const indented = (steps: string): string => steps.replace(/^(?=.)/gm, '  ');

/** The head with these steps. */
export function scenario(steps: string, head = ONE_HOST): string {
  return `${head}steps:\n${indented(steps)}\n`;
}
