import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { CrashLane, compileWriter, emptyReport, MOMENTS, randomOf } from './crash-rounds.ts';

/** `npm run crash-test` does a thousand (docs/reference/store.md). */
const ROUNDS = Number(process.env['EXTSWITCH_CRASH_ROUNDS'] ?? 40);
const SEED = Number(process.env['EXTSWITCH_CRASH_SEED'] ?? Date.now() % 1_000_000);
const LANES = 4;

const base = mkdtempSync(join(tmpdir(), 'extswitch-crash-'));
t.teardown(() => rmSync(base, { recursive: true, force: true }));

const timeout = 60_000 + ROUNDS * 5_000;
t.setTimeout(timeout);
t.test(
  `kill -9 at a random moment, ${ROUNDS} rounds, seed ${SEED}: nothing acknowledged is lost, nothing is torn`,
  { timeout },
  async (t) => {
    const report = emptyReport();
    const writer = compileWriter(join(base, 'program'));
    const random = randomOf(SEED);
    let next = 0;
    const lanes = Array.from(
      { length: LANES },
      (_, at) => new CrashLane(writer, join(base, String(at)), random(1 << 24), report),
    );
    await Promise.all(
      lanes.map(async (lane) => {
        // Every moment has its turn, however few rounds there are.
        while (next < ROUNDS) await lane.run(MOMENTS[next++ % MOMENTS.length] ?? 'write');
      }),
    );
    t.strictSame(report.faults, []);
    t.equal(report.rounds, ROUNDS);
    t.ok(report.acknowledged > ROUNDS * 10, `${report.acknowledged} batches acknowledged`);
    t.comment(JSON.stringify(report));
  },
);
