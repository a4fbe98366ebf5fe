import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { ExtensionDefinition } from '../src/sdk/extension.ts';
import { loadExtension } from '../src/sdk/load.ts';
import { DEFECTS, type Plant } from '../src/testing/simulation/plants.ts';
import { type PlayReport, play, playSeed } from '../src/testing/simulation/play.ts';
import { parseReplay } from '../src/testing/simulation/replay-file.ts';
import { failureOf, simulated } from '../src/testing/simulation/simulate.ts';
import { type MofText, userClasses } from '../src/testing/simulation/user-classes.ts';

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
  --extension F  your extension, on every switch, with policies of its classes (may be given again)
  --mof F        a MOF file: policies of its classes are drawn too (may be given again)
  --jobs N       as many processes, default 1
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
    extension: { type: 'string', multiple: true, default: [] },
    mof: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

/** Of whoever simulates. */
const extensions: ExtensionDefinition[] = [];
const mofs: MofText[] = [];

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
  const failure = await failureOf(found, breach, {
    extensions,
    mofs,
    files: values.extension.map((path) => resolve(path)),
    onProgress: (steps, tries) => progress(`shortened to ${steps} steps in ${tries} tries`),
  });
  progress('');
  const { steps, replay: text, scenario, unsaid, message } = failure;
  say(`the shortest history that breaks ${breach.invariant} has ${steps.length} step(s):`);
  for (const step of steps) say(`  ${JSON.stringify(step)}`);
  say(`  ${message}`);
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, `seed-${seed.replace(/[^\w-]/g, '_')}.json`);
  writeFileSync(file, text);
  const also = [
    ...values.extension.map((path) => ` --extension ${path}`),
    ...values.mof.map((path) => ` --mof ${path}`),
  ].join('');
  say(`replay it with: npm run simulate -- --replay ${file}${also}`);
  const yaml = file.replace(/json$/, 'yaml');
  writeFileSync(yaml, scenario);
  say(`as a scenario for policies/scenarios: ${yaml}`);
  for (const line of unsaid) say(`  not said there, so that it may pass: ${line}`);
}

async function replay(file: string): Promise<boolean> {
  const history = parseReplay(readFileSync(file, 'utf8'));
  const { breach, digest } = await play(history, {
    extensions,
    mofs,
    ...(values.trace ? { onTrace: say } : {}),
  });
  say(breach === undefined ? 'every invariant held' : `${breach.invariant}: ${breach.message}`);
  say(`trace sha256 ${digest}`);
  return breach === undefined;
}

async function simulate(): Promise<boolean> {
  const steps = whole('steps', values.steps);
  const first = whole('first', values.first);
  const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
  const plant = values.plant === undefined ? {} : { plant: plantOf(values.plant) };
  const options = { extensions, mofs, ...plant, ...(values.trace ? { onTrace: say } : {}) };
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

const TOTALS = /^(\d+) seed\(s\), (\d+) steps, (\d+) OID requests, .* (\d+) failed$/;

/** The seeds dealt out to processes; what they find is printed as they find it. */
async function share(jobs: number): Promise<boolean> {
  const first = whole('first', values.first);
  const count = whole('seeds', values.seeds);
  const from = performance.now();
  const each = Math.ceil(count / jobs);
  const totals = [0, 0, 0, 0];
  let isBroken = false;
  const runs: Promise<void>[] = [];
  for (let at = 0; at < count; at += each) {
    const dealt = ['--first', String(first + at), '--seeds', String(Math.min(each, count - at))];
    const args = [...process.execArgv, ...process.argv.slice(1), '--jobs', '1', ...dealt];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const read = async (): Promise<void> => {
      for await (const line of createInterface({ input: child.stdout })) {
        const found = TOTALS.exec(line);
        if (found === null) say(line);
        else
          for (const [i, text] of found.slice(1).entries())
            totals[i] = (totals[i] ?? 0) + Number(text);
      }
    };
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (code !== 0) isBroken = true;
        resolve();
      });
    });
    runs.push(Promise.all([read(), ended]).then(() => undefined));
  }
  await Promise.all(runs);
  const [seeds, steps, requests, failed] = totals;
  const seconds = ((performance.now() - from) / 1000).toFixed(1);
  say(`${seeds} seed(s), ${steps} steps, ${requests} OID requests, ${seconds} s: ${failed} failed`);
  return !isBroken;
}

// Whoever reads has seen enough (`| head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

if (values.help) {
  say(HELP);
} else {
  const jobs =
    values.seed === undefined && values.replay === undefined ? whole('jobs', values.jobs) : 1;
  try {
    for (const path of values.extension) extensions.push(await loadExtension(path, process.cwd()));
    for (const path of values.mof) mofs.push({ path, bytes: readFileSync(path) });
    simulated(extensions);
    userClasses(extensions, mofs);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
  const played = jobs > 1 ? () => share(jobs) : simulate;
  const isFine = values.replay === undefined ? await played() : await replay(values.replay);
  process.exitCode = isFine ? 0 : 1;
}
