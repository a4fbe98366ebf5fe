import { VirtualClock } from '../../core/clock.ts';
import type { Fabric } from '../../policy/fabric.ts';
import type { Act } from './change.ts';
import { type Outcome, settle } from './patience.ts';
import type { SimulatedHost } from './simulated-host.ts';
import { addStateLines, differences, type StateLines } from './state-lines.ts';
import type { Result } from './step.ts';
import { type Complain, checkView } from './trace-checks.ts';

/** What a step asked for and what came of it. */
export interface Verdict {
  readonly result: Result;
  readonly acts: readonly Act[];
}

/** Steps after which everything is looked at, also what no step, request or write had to do with. */
const ALL_EVERY = 10;
/** Steps after which a second process opens a copy of each disk. */
const BESIDE_EVERY = 20;

const isUnder = (key: string, touched: string): boolean =>
  key.startsWith(touched) &&
  (key.length === touched.length || touched.endsWith('/') || key[touched.length] === '/');

/** Looks at all hosts after each step: docs/reference/simulation.md, Invariants. */
export class WorldChecks {
  readonly #hosts: () => readonly SimulatedHost[];
  readonly #bad: Complain;
  /** What was shown last. */
  readonly #lines: StateLines = new Map();
  /** Hosts on which an extension has refused an undo: there the world is not what was stored until a restart. */
  readonly lossy = new Set<string>();
  /** `host/switch`: an extension there refused to take a policy back. */
  readonly #doubted = new Set<string>();
  #wasLossy = false;

  constructor(hosts: () => readonly SimulatedHost[], bad: Complain) {
    this.#hosts = hosts;
    this.#bad = bad;
  }

  /** The findings of a host since the last time: what they say of the checks to come. */
  heard(host: string, sw: string | undefined, message: string): void {
    if (TAKEN_BACK.test(message)) this.doubt(host, sw);
    if (LOSS.test(message)) this.lossy.add(host);
    if (LEAK.test(message)) this.#bad('references', `${host}: ${message}`);
  }

  /** What extensions of a switch were told of it is not what it did: nobody holds their views against it. */
  doubt(host: string, sw: string | undefined): void {
    this.#doubted.add(`${host}/${sw}`);
  }

  /** Another process is this host now. */
  reopened(host: string): void {
    this.lossy.delete(host);
    for (const where of [...this.#doubted]) {
      if (where.startsWith(`${host}/`)) this.#doubted.delete(where);
    }
  }

  begin(): void {
    this.#wasLossy = this.lossy.size > 0;
  }

  /** First look. */
  open(): void {
    this.#look([]);
  }

  /** After a step: `number` from 0. */
  afterStep(verdict: Verdict, number: number): void {
    if (number % ALL_EVERY === ALL_EVERY - 1) this.#touchAll();
    this.#checkOwners();
    this.#compare(verdict);
    this.#check();
  }

  /** Whether the disks are looked at after this step. */
  isDiskTurn(number: number): boolean {
    return number % BESIDE_EVERY === BESIDE_EVERY - 1;
  }

  /** Looks at everything once more: whatever changed now changed where nothing was to. */
  atEnd(): void {
    this.#touchAll();
    this.#wasLossy = this.lossy.size > 0;
    this.#compare({ result: 'done', acts: [] });
    this.#check();
  }

  #touchAll(): void {
    for (const { look } of this.#hosts()) look.touchAll();
  }

  /** Gives what changed among what can have changed. */
  #look(acts: readonly Act[]): [string, string, string][] {
    const before: StateLines = new Map();
    const after: StateLines = new Map();
    for (const { look } of this.#hosts()) {
      look.touch(acts);
      look.look(before, after);
    }
    const found = differences(before, after);
    for (const [key] of found) {
      const line = after.get(key);
      if (line === undefined) this.#lines.delete(key);
      else this.#lines.set(key, line);
    }
    return found;
  }

  /** Nothing acknowledged is lost, nothing refused is kept, and nothing else has changed. */
  #compare({ result, acts }: Verdict): void {
    const found = this.#look(acts);
    // What an undo has lost is back after a restart.
    const isLossy = this.#wasLossy || this.lossy.size > 0;
    if (result === 'done' && !isLossy) {
      for (const act of acts) {
        const missing = act.missing(this.#lines);
        if (missing !== undefined) this.#bad('acknowledged', missing);
      }
    }
    const touches = acts.flatMap((act) => act.touches);
    const shakesVms = acts.some((act) => act.shakesVms);
    for (const [key, was, is] of found) {
      const isVm = key.startsWith('vm/');
      const isThere = is !== 'nothing' && was !== 'nothing';
      if (isLossy && isThere) continue;
      const isTouched = touches.some((touched) => isUnder(key, touched));
      if (result !== 'refused' && (isTouched || (shakesVms && isVm && isThere))) continue;
      const what = `${key}\n  was ${was}\n  is  ${is}`;
      if (result !== 'refused') this.#bad(isThere ? 'untouched' : 'acknowledged', what);
      else this.#bad('refused', what);
    }
  }

  #checkOwners(): void {
    const owners = new Map<string, string>();
    for (const { name, fabric } of this.#hosts()) {
      for (const { id, name: vm } of fabric.vms.keys()) {
        const other = owners.get(id);
        if (other !== undefined) this.#bad('owner', `${vm} is on ${other} and on ${name}`);
        owners.set(id, name);
      }
    }
  }

  #check(): void {
    for (const { name, fabric, wellBehaved, look } of this.#hosts()) {
      const pending = fabric.pending();
      if (pending.length > 0) this.#bad('quiet', `${name} has pending ${JSON.stringify(pending)}`);
      for (const [invariant, message] of wellBehaved.complaints.splice(0)) {
        this.#bad(invariant, `${name}: ${message}`);
      }
      for (const sw of look.seen) {
        wellBehaved.log.check(sw);
        if (this.#doubted.has(`${name}/${sw.name}`)) continue;
        checkView(name, sw.handle, (each) => wellBehaved.witness(each), this.#bad, sw);
      }
    }
  }

  /** What a second process finds on each disk is what the first one shows. */
  async disks(): Promise<void> {
    for (const host of this.#hosts()) {
      if (this.lossy.has(host.name)) continue;
      // A disk that was not written since is as it was.
      const { look, hasGuest } = host;
      const isKnown = look.keptWithGuest === hasGuest;
      const there = (isKnown ? look.kept : undefined) ?? (await this.#besideOf(host));
      if (there === undefined) return;
      look.kept = there;
      look.keptWithGuest = hasGuest;
      const here: StateLines = new Map();
      addStateLines(here, host.name, host.fabric);
      for (const [key, shown, kept] of differences(here, there)) {
        this.#bad('durable', `${host.name}: ${key}\n  shown ${shown}\n  kept  ${kept}`);
      }
    }
  }

  /** Gives what another process on a copy of the disk shows; `undefined`: it does not open. */
  async #besideOf(host: SimulatedHost): Promise<StateLines | undefined> {
    const clock = new VirtualClock(host.fabric.clock.now());
    const other: Outcome<Fabric> | undefined = await settle(clock, host.beside(clock), () => true);
    if (other === undefined || 'error' in other) {
      this.#bad('durable', `${host.name}: its disk does not open: ${String(other?.error)}`);
      return undefined;
    }
    const lines: StateLines = new Map();
    addStateLines(lines, host.name, other.value);
    return lines;
  }
}

/** Findings that say an extension refused what was to come back. */
const LOSS = /was to be connected again|made again|stays as it is|stays on the synthetic path/;
/** One that an extension refused to undo: those above it were told that it stays (rule E17). */
const TAKEN_BACK = /to take back/;
const LEAK = /kept \d+ reference\(s\) on/;
