import { mkdtempSync, rmSync } from 'node:fs';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CrashLane,
  compileWriter,
  emptyReport,
  MOMENTS,
  momentOf,
  randomOf,
} from '../test/store/crash-rounds.ts';
import { scriptOptions } from './script-options.ts';

/*
 * Kills processes that use a store, and looks at what they leave. Each round starts a process on a folder, ends it by SIGKILL at a
 * random moment (while it writes, opens, closes, makes a backup or upgrades), opens the folder again and compares it with what the
 * process had been told is durable.
 */

const HELP = `usage: npm run crash-test -- [options]
  --rounds N  default 1000
  --seed N    what is drawn from, default another one each time
  --lanes N   processes at a time, default one a core
  --json      one JSON object instead of a table
Ends with 1 when anything was lost, torn or mixed up; the folders then stay.
`;

const { values: options } = scriptOptions(HELP, {
  rounds: { type: 'string', default: '1000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  lanes: { type: 'string', default: String(Math.max(2, cpus().length)) },
  json: { type: 'boolean', default: false },
});
const rounds = Number(options.rounds);
const seed = Number(options.seed);
const base = mkdtempSync(join(tmpdir(), 'extswitch-crash-'));
const report = emptyReport();
const begun = Date.now();
const random = randomOf(seed);

const isTerminal = process.stderr.isTTY === true;
function progress(): void {
  const { rounds: done, acknowledged, faults } = report;
  if (!isTerminal && done % 100 !== 0) return;
  const seconds = Math.round((Date.now() - begun) / 1000);
  const text = `${done} of ${rounds} rounds, ${acknowledged} writes acknowledged, ${faults.length} faults, ${seconds} s`;
  process.stderr.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
}

const writer = compileWriter(join(base, 'program'));
let next = 0;
await Promise.all(
  Array.from({ length: Number(options.lanes) }, async (_, at) => {
    const lane = new CrashLane(writer, join(base, `lane-${at}`), random(1 << 24), report);
    while (next < rounds) {
      next += 1;
      await lane.run(momentOf(random));
      progress();
    }
  }),
);
if (isTerminal) process.stderr.write('\n');

const { faults, moments, backups, upgrades } = report;
if (options.json) {
  console.log(JSON.stringify({ seed, node: process.version, ...report }, null, 2));
} else {
  for (const fault of faults) console.log(`FAULT ${fault}`);
  const kills = MOMENTS.map((moment) => `${moment} ${moments[moment]}`).join(', ');
  const machine = `node ${process.version}, ${platform()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model}`;
  console.log(`${machine}; seed ${seed}, ${Math.round((Date.now() - begun) / 1000)} s`);
  console.log(`${report.rounds} rounds (${kills})`);
  console.log(
    `${report.acknowledged} batches acknowledged, ${report.unacknowledged} more found whole`,
  );
  console.log(`backups: ${backups.whole} whole, ${backups.cutShort} cut short and recognised`);
  console.log(`upgrades: ${upgrades.before} killed before, ${upgrades.after} after the change`);
  console.log(`${faults.length} lost, torn or mixed up`);
}
if (faults.length === 0) rmSync(base, { recursive: true, force: true });
else {
  console.error(`the folders are in ${base}`);
  process.exitCode = 1;
}
