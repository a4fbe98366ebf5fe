import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import '../support/uncovered-children.ts';

const ROUNDS = Number(process.env['EXTSWITCH_CRASH_ROUNDS'] ?? 20);
const SEED = Number(process.env['EXTSWITCH_CRASH_SEED'] ?? Date.now() % 1_000_000);
/** A deleted pair is this many numbers older than the write that deleted it (crash-writer.ts). */
const KEPT = 400;
const WRITERS = 16;

let state = SEED;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state >>> 8) % below;
}

t.setTimeout(120_000 + ROUNDS * 5_000);
const folder = mkdtempSync(join(tmpdir(), 'extswitch-crash-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the writer, kills it `afterMs` after its first acknowledgement; the numbers it acknowledged. */
async function writeAndKill(round: number, afterMs: number): Promise<Set<number>> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/store/crash-writer.ts', folder, String(round)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [, signal] = (await ended) as [number | null, string];
  if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself: ${signal}`);
  // A line cut off by the kill is no acknowledgement.
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return new Set(lines.map((line) => Number(line.slice(line.indexOf('-') + 1))));
}

function pairsOf(store: Store, round: number): Map<number, string[]> {
  const pairs = new Map<number, string[]>();
  for (const [key, value] of store.range(`pair/${round}-`)) {
    const [, id = '', half = ''] = key.split('/');
    const record = value as { id: string; stamp: Uint8Array };
    if (record.id !== id || record.stamp.some((byte) => byte !== record.stamp[0])) {
      throw new Error(`${key} holds another record`);
    }
    const number = Number(id.slice(id.indexOf('-') + 1));
    pairs.set(number, [...(pairs.get(number) ?? []), half]);
  }
  return pairs;
}

t.test(
  `kill -9 at a random moment, ${ROUNDS} rounds, seed ${SEED}: nothing acknowledged is lost, nothing is torn`,
  {
    timeout: 120_000 + ROUNDS * 5_000,
  },
  async (t) => {
    let acknowledgedCount = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const acknowledged = await writeAndKill(round, random(120));
      const store = await openStore(folder);
      const pairs = pairsOf(store, round);
      const newest = Math.max(...pairs.keys());
      const torn = [...pairs].filter(([, halves]) => halves.join('') !== 'ab');
      t.strictSame(torn, [], `round ${round}: no write is there by half`);
      // Whoever is older than the reach of the newest write may have been deleted by a later one.
      const lost = [...acknowledged].filter((id) => id > newest - KEPT + WRITERS && !pairs.has(id));
      t.strictSame(lost, [], `round ${round}: every acknowledged write is there`);
      t.ok(
        newest >= Math.max(...acknowledged),
        `round ${round}: ${acknowledged.size} acknowledged`,
      );
      const last = String(store.get('last'));
      t.match(last, new RegExp(`^${round}-`));
      // Writes are committed in call order: nothing newer than the last one of the last commit can be there.
      t.equal(Number(last.slice(last.indexOf('-') + 1)), newest);
      acknowledgedCount += acknowledged.size;
      await store.close();
    }
    t.comment(`${acknowledgedCount} acknowledged writes in ${ROUNDS} rounds`);
    t.ok(acknowledgedCount > ROUNDS * 10, 'the rounds had something to lose');
  },
);
