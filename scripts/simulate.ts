import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFECTS, type Plant } from '../src/testing/simulation/plants.ts';
import { type PlayReport, play, playSeed } from '../src/testing/simulation/play.ts';
import { parseReplay, replayText } from '../src/testing/simulation/replay-file.ts';
import { scenarioText } from '../src/testing/simulation/scenario-text.ts';
import { shrink } from '../src/testing/simulation/shrink.ts';

/*
 * Plays seeded histories of whole worlds (docs/reference/simulation.md): `npm run simulate -- --seeds 1000`. One that breaks an
 * invariant is shortened, printed, and written as a file that `--replay` plays again. Exit code 1 when one was broken.
 */

const HELP = `usage: npm run simulate -- [options]
  --seeds N      how many seeds, default 200
  --first N      the first of them, default 1
  --seed S       only this one
  --steps N      steps of a history, default 40
  --replay FILE  plays the history of a file
  --trace        prints the trace
  --out FOLDER   where what was found is written, default .simulation
  --plant D:N    builds in a defect to be found, e.g. storeForgets:3; all: ${DEFECTS.join(', ')}
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    steps: { type: 'string', default: '40' },
    replay: { type: 'string' },
    trace: { type: 'boolean', default: false },
    out: { type: 'string', default: '.simulation' },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

function usage(problem: string): never {
  process.stderr.write(`${problem}\n${HELP}`);
  process.exit(2);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) usage(`--${name} ${text}: expected 1 or more`);
  return value;
}

function plantOf(text: string): Plant {
  const [defect, nth = ''] = text.split(':');
  const known = DEFECTS.find((each) => each === defect);
  if (known === undefined) usage(`--plant ${text}: expected one of ${DEFECTS.join(', ')}`);
  return { defect: known, nth: whole('plant', nth) };
}

/** One line that stays in its place on a terminal. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r${text}\u001b[K`);
}

async function report(found: PlayReport): Promise<void> {
  const { breach, history } = found;
  if (breach === undefined) return;
  const { seed } = history.setting;
  progress('');
  say(`seed ${seed} breaks ${breach.invariant} at step ${breach.step + 1}: ${breach.message}`);
  const shrunk = await shrink(history, breach, {
    onProgress: (steps, tries) => progress(`shortened to ${steps} steps in ${tries} tries`),
  });
  progress('');
  const { steps } = shrunk.history;
  say(`the shortest history that breaks ${breach.invariant} has ${steps.length} step(s):`);
  for (const step of steps) say(`  ${JSON.stringify(step)}`);
  say(`  ${shrunk.breach.message}`);
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `seed-${seed.replace(/[^\w-]/g, '_')}.json`);
  writeFileSync(file, replayText(shrunk.history, shrunk.breach));
  say(`replay it with: npm run simulate -- --replay ${file}`);
  const { results } = await play(shrunk.history);
  const scenario = scenarioText(shrunk.history, results, shrunk.breach);
  if (scenario === undefined) return;
  const yaml = file.replace(/json$/, 'yaml');
  writeFileSync(yaml, scenario);
  say(`as a scenario: ${yaml}`);
}

async function replay(file: string): Promise<boolean> {
  const history = parseReplay(readFileSync(file, 'utf8'));
  const { breach, digest } = await play(history, values.trace ? { onTrace: say } : {});
  say(breach === undefined ? 'every invariant held' : `${breach.invariant}: ${breach.message}`);
  say(`trace sha256 ${digest}`);
  return breach === undefined;
}

async function simulate(): Promise<boolean> {
  const steps = whole('steps', values.steps);
  const first = whole('first', values.first);
  const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
  const plant = values.plant === undefined ? {} : { plant: plantOf(values.plant) };
  const options = { ...plant, ...(values.trace ? { onTrace: say } : {}) };
  let failed = 0;
  let played = 0;
  let requests = 0;
  const from = performance.now();
  for (let i = 0; i < count; i += 1) {
    const seed = values.seed ?? String(first + i);
    const found = await playSeed(seed, steps, options);
    played += found.history.steps.length;
    requests += found.requests;
    if (found.breach !== undefined) {
      failed += 1;
      await report(found);
    } else if (values.seed !== undefined) {
      say(`seed ${seed}: trace sha256 ${found.digest}`);
    }
    progress(`${i + 1} of ${count} seeds, ${played} steps, ${failed} failed`);
  }
  progress('');
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  say(
    `${count} seed(s), ${played} steps, ${requests} OID requests, ${seconds} s: ${failed} failed`,
  );
  return failed === 0;
}

if (values.help) {
  say(HELP);
} else {
  const isFine = values.replay === undefined ? await simulate() : await replay(values.replay);
  process.exitCode = isFine ? 0 : 1;
}
