import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { FROM_SOURCES } from '../support/from-sources.ts';
import { isRefused, policy } from './crash-policy.ts';

const ROUNDS = Number(process.env['EXTSWITCH_CRASH_ROUNDS'] ?? 10);
const SEED = Number(process.env['EXTSWITCH_CRASH_SEED'] ?? Date.now() % 1_000_000);

let state = SEED;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state >>> 8) % below;
}

t.setTimeout(60_000 + ROUNDS * 10_000);
const folder = mkdtempSync(join(tmpdir(), 'extswitch-crash-world-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the world and kills it `afterMs` after its first word; the whole lines it said. */
async function runAndKill(afterMs: number): Promise<string[][]> {
  const child = spawn(
    process.execPath,
    [...FROM_SOURCES, 'test/policy/crash-world.ts', folder, String(random(1_000_000))],
    // Coverage of another compilation of the same files would spoil this one's.
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
    },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [, signal] = (await ended) as [number | null, string];
  if (signal !== 'SIGKILL') throw new Error(`the world ended by itself: ${signal}`);
  // A line cut off by the kill says nothing.
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return lines.map((line) => line.split(' '));
}

type State = string | undefined;

/** What one property may be after the crash: as last acknowledged, or as asked for and not answered yet. */
class Expectation {
  readonly acknowledged = new Map<string, State>();
  readonly open = new Map<string, State>();
  acknowledgedCount = 0;
  refusedCount = 0;

  read([word, port = '', id = '', value = '']: readonly string[]): void {
    const key = `${port}/${id}`;
    const after = value === 'gone' ? undefined : value;
    if (word === 'no') this.refusedCount += 1;
    else if (word === 'wrong') throw new Error(`${key}: ${value} was to be refused`);
    else if (word === 'ask') this.open.set(key, after);
    else if (word === 'done') {
      this.acknowledgedCount += 1;
      this.open.delete(key);
      this.acknowledged.set(key, after);
    }
  }

  /** Everything wrong with what is there now. */
  faults(there: ReadonlyMap<string, string>): string[] {
    const faults: string[] = [];
    for (const key of new Set([
      ...this.acknowledged.keys(),
      ...this.open.keys(),
      ...there.keys(),
    ])) {
      const found = there.get(key);
      if (found === this.acknowledged.get(key)) continue;
      // A change that was not answered may be there, unless the extension would have refused it.
      const asked = this.open.get(key);
      if (this.open.has(key) && found === asked && !isRefused(asked)) continue;
      faults.push(`${key} is ${found}: acknowledged ${this.acknowledged.get(key)}, asked ${asked}`);
    }
    return faults;
  }

  /** The next round starts from what is there. */
  settle(there: ReadonlyMap<string, string>): void {
    this.open.clear();
    this.acknowledged.clear();
    for (const [key, value] of there) this.acknowledged.set(key, value);
  }
}

t.test(
  `kill -9 at a random moment, ${ROUNDS} rounds, seed ${SEED}: what was acknowledged is there, what was refused is not`,
  { timeout: 60_000 + ROUNDS * 10_000 },
  async (t) => {
    const expected = new Expectation();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const line of await runAndKill(random(300))) expected.read(line);
      const { view, extension } = policy();
      const fabric = await Fabric.open({ store: folder, clock: 'manual', extensions: [extension] });
      const sw = fabric.switches.get('S');
      const there = new Map<string, string>();
      for (const { portId } of sw.ports.list()) {
        for (const { id, settings, delivered } of sw.ports.get(String(portId)).properties.list()) {
          there.set(`${portId}/${id}`, String(settings['SettingIntA']));
          if (!delivered) t.fail(`${id} was not told`);
        }
      }
      t.strictSame(expected.faults(there), [], `round ${round}`);
      t.strictSame(
        [...view].map(([key, value]) => `${key} ${value}`).sort(),
        [...there].map(([key, value]) => `${key} ${value}`).sort(),
        `round ${round}: the extension's view is the store's`,
      );
      t.equal([...sw.ports.list()].length, 4);
      expected.settle(there);
      await fabric.close();
    }
    t.comment(`${expected.acknowledgedCount} acknowledged, ${expected.refusedCount} refused`);
    t.ok(
      expected.acknowledgedCount > ROUNDS * 10 && expected.refusedCount > ROUNDS,
      'there was something to lose',
    );
  },
);
