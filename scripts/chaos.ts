import { cpus } from 'node:os';
import { natsServerMissing } from '../src/testing/nats-servers.ts';
import { FAULTS, TWO_FAULTS } from '../test/chaos/faults.ts';
import { Random } from '../test/chaos/random.ts';
import { playRound, type RoundReport } from '../test/chaos/round.ts';
import { ChaosWorld } from '../test/chaos/world.ts';
import { scriptOptions } from './script-options.ts';

/*
 * Breaks a cluster of real processes and looks at what is left. Three NATS servers, hosts that are `extswitch serve`, clients at work;
 * each round brings one fault at a seeded moment, mends it, and compares everything with what the clients were told.
 * docs/reference/chaos.md says what is looked at.
 */

const HELP = `usage: npm run chaos -- [options]
  --rounds N    default 100; every fault in turn
  --seed TEXT   what is drawn from, default another one each time
  --fault TEXT  only faults with this in their names
  --hosts N     default 3
  --vms N       on each host, default 3
  --json        one JSON object instead of a table
Ends with 1 when anything was lost, torn or mixed up.
`;

const { values: options } = scriptOptions(HELP, {
  rounds: { type: 'string', default: '100' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  fault: { type: 'string', default: '' },
  hosts: { type: 'string', default: '3' },
  vms: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
});

/** Rounds after which a new world is made. */
const ROUNDS_OF_A_WORLD = 25;

interface Row {
  readonly fault: string;
  rounds: number;
  acknowledged: number;
  refused: number;
  unanswered: number;
  migrations: number;
  slowestMs: number;
  problems: number;
}

async function main(): Promise<void> {
  const missing = natsServerMissing();
  if (missing !== false) throw new Error(missing);
  const faults = [...FAULTS, TWO_FAULTS, TWO_FAULTS].filter(({ name }) =>
    name.includes(options.fault),
  );
  if (faults.length === 0) throw new Error(`no fault has ${options.fault} in its name`);
  const rounds = Number(options.rounds);
  const random = new Random(options.seed);
  const rows = new Map<string, Row>();
  const found: string[] = [];
  const begun = Date.now();
  let world: ChaosWorld | undefined;
  try {
    for (let round = 0; round < rounds; round += 1) {
      if (world === undefined || round % ROUNDS_OF_A_WORLD === 0) {
        await world?.close();
        const hosts = Number(options.hosts);
        world = await ChaosWorld.open({
          random,
          hosts,
          vmsPerHost: Number(options.vms),
        });
      }
      // Every fault in turn, so that a short run meets each.
      const fault = faults[round % faults.length] ?? TWO_FAULTS;
      const report = await playRound(world, fault);
      note(rows, report);
      for (const problem of report.problems) {
        found.push(`round ${round}, ${report.fault}: ${problem}`);
        console.error(`PROBLEM ${found.at(-1)}`);
      }
      const { acknowledged, unanswered, migrations, codes } = report.counts;
      const told = [...codes].map(([code, count]) => `${code} ${count}`).join(', ');
      console.error(
        `round ${round + 1} of ${rounds}: ${report.fault}: ${acknowledged} acknowledged, ${unanswered} unanswered, ${migrations} migrations, settled after ${report.settleMs} ms (${told})`,
      );
      // What was lost once is missing in every round after.
      if (report.problems.length > 0) {
        await world.close();
        world = undefined;
      }
    }
  } finally {
    await world?.close();
  }
  const seconds = Math.round((Date.now() - begun) / 1000);
  if (options.json) {
    console.log(
      JSON.stringify({ seed: options.seed, rounds, seconds, rows: [...rows.values()], found }),
    );
  } else {
    print([...rows.values()], found, seconds);
  }
  if (found.length > 0) process.exitCode = 1;
}

function note(rows: Map<string, Row>, { fault, counts, problems, settleMs }: RoundReport): void {
  const empty = { rounds: 0, acknowledged: 0, refused: 0, unanswered: 0, migrations: 0 };
  const row = rows.get(fault) ?? { fault, ...empty, slowestMs: 0, problems: 0 };
  rows.set(fault, row);
  row.rounds += 1;
  row.acknowledged += counts.acknowledged;
  row.refused += counts.refused;
  row.unanswered += counts.unanswered;
  row.migrations += counts.migrations;
  row.slowestMs = Math.max(row.slowestMs, settleMs);
  row.problems += problems.length;
}

function print(rows: readonly Row[], found: readonly string[], seconds: number): void {
  console.log(
    '| fault | rounds | changes acknowledged | refused | unanswered | migrations | whole after, at most | problems |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const row of rows) {
    const { fault, rounds, acknowledged, refused, unanswered, migrations, slowestMs } = row;
    const cells = [fault, rounds, acknowledged, refused, unanswered, migrations];
    console.log(
      `| ${[...cells, `${(slowestMs / 1000).toFixed(1)} s`, row.problems].join(' | ')} |`,
    );
  }
  const machine = `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}`;
  console.log(`\n${machine}; seed ${options.seed}, ${options.rounds} rounds, ${seconds} s`);
  for (const problem of found) console.log(`PROBLEM ${problem}`);
  console.log(`${found.length} problems`);
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error);
  process.exitCode = 1;
});
