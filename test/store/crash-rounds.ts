import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { META_KEY, openEnvironment } from '../../src/store/lmdb-environment.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { checkStore } from '../../src/store/store-check.ts';
import { encodeValue } from '../../src/store/value-codec.ts';
import { compileProgram } from '../support/compiled-program.ts';
import '../support/uncovered-children.ts';

/** What a process is doing when it is killed (crash-writer.ts). */
export const MOMENTS = ['write', 'reopen', 'open', 'backup', 'upgrade'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface CrashReport {
  rounds: number;
  acknowledged: number;
  /** Batches that were stored, but killed before they were acknowledged: they may be there, as a whole. */
  unacknowledged: number;
  readonly moments: Record<Moment, number>;
  backups: { whole: number; cutShort: number };
  /** Format found after a kill in the moment of an upgrade. */
  upgrades: { before: number; after: number };
  readonly faults: string[];
}

export function emptyReport(): CrashReport {
  return {
    rounds: 0,
    acknowledged: 0,
    unacknowledged: 0,
    moments: { write: 0, reopen: 0, open: 0, backup: 0, upgrade: 0 },
    backups: { whole: 0, cutShort: 0 },
    upgrades: { before: 0, after: 0 },
    faults: [],
  };
}

/** Numbers from a seed (a linear congruential generator; its high bits). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Compiles crash-writer.ts into the folder `into`. */
export function compileWriter(into: string): string {
  return compileProgram('test/store/crash-writer.ts', into);
}

/** As in crash-writer.ts: a batch deletes the one this many numbers before it, and up to so many are under way. */
const KEPT = 400;
const WRITERS = 16;
const OLD_RECORDS = 4_000;

/** One folder that process after process is killed on. Rounds of a lane come one after the other. */
export class CrashLane {
  readonly #writer: string;
  readonly #base: string;
  readonly #folder: string;
  readonly #random: (below: number) => number;
  readonly #report: CrashReport;
  #round = 0;
  /** What the last upgrades took, so that kills are spread over all of it. */
  #upgradeMs = 300;
  /** Batches that were there after the last round: later rounds do not touch them. */
  #kept = new Map<string, number>();

  /** `writer`: the compiled program that is killed ({@link compileWriter}). */
  constructor(writer: string, base: string, seed: number, report: CrashReport) {
    this.#writer = writer;
    this.#base = base;
    this.#folder = join(base, 'store');
    this.#random = randomOf(seed);
    this.#report = report;
    mkdirSync(base, { recursive: true });
  }

  async run(moment: Moment): Promise<void> {
    const report = this.#report;
    report.moments[moment] += 1;
    if (moment === 'upgrade') await this.#upgradeRound();
    else await this.#writeRound(moment);
    report.rounds += 1;
    this.#round += 1;
  }

  #fault(what: string): void {
    this.#report.faults.push(`${this.#folder}, round ${this.#round}: ${what}`);
  }

  async #writeRound(moment: Moment): Promise<void> {
    // Now and then from nothing, so that the kill may hit the making of a store.
    if (moment === 'open' && this.#random(2) === 0) {
      rmSync(this.#folder, { recursive: true, force: true });
      this.#kept.clear();
    }
    const isOpening = moment === 'open';
    const lines = await this.#kill(
      this.#folder,
      moment,
      isOpening ? 'ready' : moment === 'backup' ? 'begin' : 'ack',
      this.#random(isOpening ? 60 : 120),
    );
    const acknowledged = numbersOf(lines, 'ack ');
    this.#report.acknowledged += acknowledged.length;
    const store = await this.#open(this.#folder);
    if (store === undefined) return;
    try {
      const found = this.#batches(store, 'the store');
      this.#compare(found, acknowledged);
      if (moment === 'backup') await this.#checkBackups(lines, acknowledged);
      await this.#forgetOld(store, found);
    } finally {
      await store.close();
    }
  }

  async #open(folder: string): Promise<Store | undefined> {
    try {
      return await openStore(folder);
    } catch (error) {
      this.#fault(`cannot be opened again: ${String(error)}`);
      return undefined;
    }
  }

  /** Ids of the batches there are → number of keys; torn ones are reported. */
  #batches(store: Store, what: string): Map<string, number> {
    const found = new Map<string, number>();
    const wanted = new Map<string, number>();
    for (const [key, value] of store.range('batch/')) {
      const [, id = ''] = key.split('/');
      const { id: own, of, stamp } = value as { id: string; of: number; stamp: Uint8Array };
      if (own !== id || !Buffer.alloc(stamp.length, stamp[0]).equals(stamp))
        this.#fault(`${key} is mixed up`);
      found.set(id, (found.get(id) ?? 0) + 1);
      wanted.set(id, of);
    }
    for (const [id, count] of found) {
      if (count !== wanted.get(id)) {
        this.#fault(`${what}: batch ${id} is torn: ${count} of ${wanted.get(id)} keys`);
      }
    }
    return found;
  }

  #compare(found: ReadonlyMap<string, number>, acknowledged: readonly number[]): void {
    const prefix = `${this.#round}-`;
    const own = [...found.keys()]
      .filter((id) => id.startsWith(prefix))
      .map((id) => Number(id.slice(prefix.length)));
    const there = new Set(own);
    const newest = Math.max(-1, ...own);
    // Whoever is older than the reach of the newest batch may have been deleted by a later one.
    const lost = acknowledged.filter((id) => id > newest - KEPT + WRITERS && !there.has(id));
    if (lost.length > 0) this.#fault(`acknowledged and lost: ${lost.join(', ')}`);
    if (newest < Math.max(-1, ...acknowledged)) this.#fault('the newest batch is lost');
    const said = new Set(acknowledged);
    this.#report.unacknowledged += own.filter((id) => !said.has(id)).length;
    for (const [id, count] of this.#kept) {
      if (found.get(id) !== count) this.#fault(`batch ${id} of an earlier round is gone`);
    }
  }

  async #checkBackups(lines: readonly string[], acknowledged: readonly number[]): Promise<void> {
    const folder = `${this.#folder}-backups`;
    const done = new Set(numbersOf(lines, 'backup '));
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name);
      const number = Number(name.split('-')[1]?.replace('.partial', ''));
      if (name.endsWith('.partial')) {
        this.#report.backups.cutShort += 1;
        if (done.has(number)) this.#fault(`backup ${name} was said to be done`);
        continue;
      }
      done.delete(number);
      this.#report.backups.whole += 1;
      const begun = lines.find((line) => line.startsWith(`begin ${number} `));
      const newestAtBegin = Number(begun?.split(' ')[2] ?? -1);
      const copy = await this.#open(path);
      if (copy === undefined) continue;
      const there = this.#batches(copy, `backup ${name}`);
      const own = [...there.keys()]
        .filter((id) => id.startsWith(`${this.#round}-`))
        .map((id) => Number(id.split('-')[1]));
      const newest = Math.max(-1, ...own);
      if (newest < newestAtBegin) this.#fault(`backup ${name} is older than its beginning`);
      // Between two writes: all up to some moment, as far as they were not deleted by then.
      const missing = acknowledged.filter(
        (id) => id <= newest && id > newest - KEPT + WRITERS && !there.has(`${this.#round}-${id}`),
      );
      if (missing.length > 0) this.#fault(`backup ${name} lacks ${missing.join(', ')}`);
      await copy.close();
    }
    for (const number of done) this.#fault(`backup ${number} was said to be done and is not there`);
    rmSync(folder, { recursive: true, force: true });
  }

  /** Batches of this round stay for the next one; older ones go, so that the store does not grow. */
  async #forgetOld(store: Store, found: ReadonlyMap<string, number>): Promise<void> {
    const kept = new Map<string, number>();
    const gone: { op: 'delete'; key: string }[] = [];
    for (const [id, count] of found) {
      if (id.startsWith(`${this.#round}-`)) kept.set(id, count);
      else for (let i = 0; i < count; i++) gone.push({ op: 'delete', key: `batch/${id}/${i}` });
    }
    // A round that wrote nothing leaves what there was.
    if (kept.size === 0) return;
    await store.write(gone);
    this.#kept = kept;
  }

  async #upgradeRound(): Promise<void> {
    const old = join(this.#base, 'format-1');
    if (!existsSync(old)) await makeFormat1(old);
    const folder = join(this.#base, 'upgraded');
    rmSync(folder, { recursive: true, force: true });
    cpSync(old, folder, { recursive: true });
    await this.#kill(folder, 'upgrade', 'ready', this.#random(Math.ceil(this.#upgradeMs)));
    const { format } = await checkStore(folder);
    if (format === 1) this.#report.upgrades.before += 1;
    else this.#report.upgrades.after += 1;
    // Half before it is done, half after, whatever the machine.
    this.#upgradeMs *= format === 1 ? 1.4 : 0.7;
    const store = await this.#open(folder);
    if (store === undefined) return;
    let right = 0;
    for (const [key, value] of store.range('old/')) {
      if ((value as { key: string }).key === key) right += 1;
    }
    if (right !== OLD_RECORDS) this.#fault(`an upgrade left ${right} of ${OLD_RECORDS} records`);
    await store.close();
    const kept = join(folder, 'data.format-1.mdb');
    if (!existsSync(kept)) this.#fault('an upgrade left no copy of the store as it was');
  }

  /** Runs the writer, kills it `afterMs` after its first line that begins with `from`; the whole lines it said. */
  async #kill(folder: string, moment: Moment, from: string, afterMs: number): Promise<string[]> {
    const child: ChildProcess = spawn(
      process.execPath,
      [this.#writer, folder, String(this.#round), moment],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    let isArmed = false;
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (isArmed || !`\n${text}`.includes(`\n${from}`)) return;
      isArmed = true;
      setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (signal !== 'SIGKILL') this.#fault(`the writer ended by itself: ${signal ?? code}`);
    // A line cut off by the kill is no acknowledgement.
    return text.slice(0, text.lastIndexOf('\n')).split('\n');
  }
}

function numbersOf(lines: readonly string[], word: string): number[] {
  return lines.filter((line) => line.startsWith(word)).map((line) => Number(line.split(' ')[1]));
}

/** A store as the version before checksums left it. */
async function makeFormat1(folder: string): Promise<void> {
  const environment = openEnvironment(folder);
  const meta = { format: 1, product: '0.1.0', created: '2026-11-01T00:00:00.000Z' };
  environment.transactionSync(() => {
    environment.putSync(META_KEY, encodeValue('meta', meta));
    for (let n = 0; n < OLD_RECORDS; n++) {
      const key = `old/${n}`;
      const value = { key, stamp: new Uint8Array(n % 3 === 0 ? 3_000 : 60).fill(n) };
      environment.putSync(key, encodeValue(key, value));
    }
  });
  await environment.close();
}

/** Which moment each round hits: mostly writing. */
export function momentOf(random: (below: number) => number): Moment {
  const roll = random(100);
  if (roll < 40) return 'write';
  if (roll < 60) return 'reopen';
  if (roll < 75) return 'open';
  return roll < 90 ? 'backup' : 'upgrade';
}
