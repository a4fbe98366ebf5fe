import { runProgram } from './run-program.ts';
import type { Simulated } from './simulate-seeds.ts';

/** What the simulation made of a tree. */
export type SimulationLook =
  | { readonly verdict: 'held'; readonly seeds: number }
  | {
      readonly verdict: 'noticed';
      readonly seed: string;
      /** `throws`: not an invariant, but the history came to an end by an exception. */
      readonly invariant: string;
      readonly message: string;
    }
  /** It did not end in its time: nobody was told anything, so this is not noticed. */
  | { readonly verdict: 'hung' }
  | { readonly verdict: 'ended'; readonly message: string };

/** What a test file made of a tree. */
export type SuiteLook =
  | { readonly verdict: 'passed'; readonly suite: string }
  | {
      readonly verdict: 'noticed';
      readonly suite: string;
      /** Title of the first test that failed. */
      readonly test: string;
      /** The assertion that was the first to fail. */
      readonly assertion: string;
      /** The test did not end: its own limit said so. */
      readonly isTimeout: boolean;
    }
  | { readonly verdict: 'hung'; readonly suite: string }
  /** The process ended with an error and no test said why. */
  | { readonly verdict: 'ended'; readonly suite: string; readonly message: string };

const SIMULATION_LIMIT_MS = 240_000;
/** Counting what runs makes it slow. */
const REACH_LIMIT_MS = 1_200_000;
const SUITE_LIMIT_MS = 300_000;
const MESSAGE_LENGTH = 160;

export interface Seeds {
  readonly first: number;
  readonly count: number;
  readonly steps: number;
}

export async function simulate(folder: string, seeds: Seeds): Promise<SimulationLook> {
  const args = [seeds.first, seeds.count, seeds.steps].map(String);
  const program = 'scripts/mutants/simulate-seeds.ts';
  const ended = await runProgram(folder, [program, ...args], SIMULATION_LIMIT_MS);
  if (ended.isTimedOut) return { verdict: 'hung' };
  const line = ended.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) return { verdict: 'ended', message: lastWords(ended.stderr) };
  const { found, seeds: played, requests } = JSON.parse(line) as Simulated;
  if (found !== undefined) {
    return { verdict: 'noticed', ...found, message: oneLine(found.message) };
  }
  if (requests === 0) return { verdict: 'ended', message: 'it simulated nothing' };
  return { verdict: 'held', seeds: played };
}

/** How often the place of each break runs on the tree in `folder`, by id. Throws when the seeds could not be played. */
export async function reach(
  folder: string,
  seeds: Seeds,
): Promise<Readonly<Record<string, number>>> {
  const args = [seeds.first, seeds.count, seeds.steps].map(String);
  const program = 'scripts/mutants/reach-seeds.ts';
  const ended = await runProgram(folder, [program, ...args], REACH_LIMIT_MS);
  const line = ended.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`${program}: ${lastWords(ended.stderr)}`);
  return JSON.parse(line) as Readonly<Record<string, number>>;
}

const NOT_OK = /^(\s*)not ok \d+ - (.*?)(?: # time=[\d.]+ms)?(?: \{)?$/;

/** One test file, in a process of its own. */
export async function look(folder: string, suite: string): Promise<SuiteLook> {
  const ended = await runProgram(folder, [suite], SUITE_LIMIT_MS);
  const failed = ended.stdout.split('\n').flatMap((line) => {
    const [, indent, title] = NOT_OK.exec(line) ?? [];
    return indent === undefined || title === undefined || / # (?:TODO|SKIP)/.test(title)
      ? []
      : [{ depth: indent.length, title }];
  });
  const [first] = failed;
  if (first !== undefined) {
    const test = failed.find(({ depth }) => depth === 0) ?? first;
    const isTimeout = failed.some(({ title }) => /^(?:timeout!|test count.*timeout)/i.test(title));
    const assertion = oneLine(first.title);
    return { verdict: 'noticed', suite, test: test.title, assertion, isTimeout };
  }
  if (ended.isTimedOut) return { verdict: 'hung', suite };
  if (ended.code === 0) return { verdict: 'passed', suite };
  // Not in the middle of loading: tap reports a file whose process ends like this.
  if (ended.signal !== null && /^ok \d/m.test(ended.stdout)) {
    const assertion = `its process was ended by ${ended.signal}`;
    return { verdict: 'noticed', suite, test: assertion, assertion, isTimeout: false };
  }
  return { verdict: 'ended', suite, message: lastWords(ended.stderr) };
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MESSAGE_LENGTH ? `${line.slice(0, MESSAGE_LENGTH - 1)}…` : line;
}

/** The line of an uncaught error, else the last one. */
function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  return oneLine(lines.find((line) => /^\s*\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'no word');
}
