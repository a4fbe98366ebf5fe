import { VirtualClock } from '../../core/clock.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { Breach } from './breach.ts';
import type { Places } from './change.ts';
import { GUEST } from './guest.ts';
import { type Outcome, settle } from './patience.ts';
import { Planted } from './plants.ts';
import type { SavedRecords } from './request-laws.ts';
import { MischiefList } from './rogue.ts';
import { SimulatedHost, type Surroundings } from './simulated-host.ts';
import { SimulatedStore } from './simulated-store.ts';
import { vmLine } from './state-lines.ts';
import type { Setting } from './step.ts';
import { HostTrace } from './trace-checks.ts';
import { entryText, TraceDigest } from './trace-digest.ts';
import { type MofText, userClasses } from './user-classes.ts';
import { type Verdict, WorldChecks } from './world-checks.ts';
import { hasVm, shakeOf } from './world-ways.ts';

export interface SimulationOptions {
  /** After each step: default. `none`: only to measure what they cost. */
  readonly checks?: 'all' | 'none';
  /** Of whoever simulates: on every switch, watched by the verifier. */
  readonly extensions?: readonly ExtensionDefinition[];
  /** Files with classes of whoever simulates, beside those of {@link extensions}. */
  readonly mofs?: readonly MofText[];
  /** Gets every line of the history's trace; equal histories give equal lines. */
  readonly onTrace?: (line: string) => void;
}

/** Longer than the switch waits for anything. */
const LAST_WAIT_MS = 60_000;

/**
 * The hosts of one history on their common clock: each dies, stays away, comes back and is opened again on its disk. Takes what they
 * say, their traces and findings, and looks at them.
 */
export class HostLives {
  readonly #setting: Setting;
  readonly #options: SimulationOptions;
  /** Of whoever simulates: policies of these are drawn too. */
  readonly classes: readonly FeatureClass[];
  readonly #clock = new VirtualClock();
  readonly planted: Planted;
  readonly mischief: MischiefList;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #traces = new Map<string, HostTrace>();
  readonly #around: Surroundings;
  readonly #digest = new TraceDigest();
  readonly checks: WorldChecks;
  readonly #saved: SavedRecords = new Set();
  /** What hosts were at when they died that are away. */
  #left: string[] = [];
  #mourners: (() => boolean)[] = [];
  /** Number of the step that is played, from 0. */
  step = -1;
  /** The first thing that did not hold. */
  breach: Breach | undefined;
  /** OID requests that completed, and hand-overs of them to a module. */
  requests = 0;
  visits = 0;

  constructor(setting: Setting, options: SimulationOptions) {
    this.#setting = setting;
    this.#options = options;
    this.classes = userClasses(options.extensions ?? [], options.mofs ?? []);
    this.planted = new Planted(setting.plant);
    this.mischief = new MischiefList(this.planted, setting.verifier === 'enforce');
    this.checks = new WorldChecks(() => this.present, this.bad);
    this.#around = {
      setting,
      clock: this.#clock,
      hosts: new LocalHosts(),
      mischief: this.mischief,
      planted: this.planted,
      extensions: options.extensions ?? [],
      mofs: options.mofs ?? [],
      classes: this.classes,
      isDead: (host) => this.#hosts.get(host)?.store.isDead ?? true,
    };
  }

  /** Those that are there. */
  get present(): SimulatedHost[] {
    return [...this.#hosts.values()].filter(({ isAway }) => !isAway);
  }

  /** Names of those that have died and stay away. */
  get away(): string[] {
    return Array.from(this.#hosts.values())
      .filter(({ isAway }) => isAway)
      .map(({ name }) => name);
  }

  get isChecked(): boolean {
    return this.#options.checks !== 'none';
  }

  /** Whether there is such a host, be it there or away. */
  has(name: string): boolean {
    return this.#hosts.has(name);
  }

  /** Throws for a name that no host has. */
  named(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host is called ${name}`);
    return host;
  }

  /** `undefined`: no such host, or it is away. */
  find(name: string): SimulatedHost | undefined {
    const host = this.#hosts.get(name);
    return host?.isAway === false ? host : undefined;
  }

  places(): Places {
    return {
      world: (host) => this.find(host)?.fabric,
      hostOf: (vm) => this.present.find(({ fabric }) => hasVm(fabric, vm))?.name,
    };
  }

  /** SHA-256 of the trace so far. */
  digest(): string {
    return this.#digest.text();
  }

  // --- processes ---------------------------------------------------------------------------------------------------------

  /** The first process of each, set up. */
  async open(): Promise<void> {
    for (const name of this.#setting.hosts) {
      const host = await this.#open(name, new SimulatedStore(this.planted));
      if (this.breach === undefined) await this.#must('setting up', host.setUp());
    }
    if (this.breach === undefined && this.isChecked) this.checks.open();
  }

  async #open(name: string, store: SimulatedStore, isRid = false): Promise<SimulatedHost> {
    const before = this.#hosts.get(name);
    const hasGuest = before?.hasGuest === true && !isRid;
    const host = new SimulatedHost(name, store, this.#around, hasGuest);
    if (before !== undefined) host.look.follow(before);
    this.#hosts.set(name, host);
    await this.#must(`opening ${name}`, host.open());
    if (this.breach !== undefined) return host;
    this.beginTrace(host);
    return host;
  }

  /** What comes now is the beginning of its trace. */
  beginTrace({ name, fabric }: SimulatedHost): void {
    const types = fabric.extensions.list().map(({ id, type }) => [id, type] as const);
    this.#traces.set(
      name,
      new HostTrace(
        new Map([...types, [GUEST.id, GUEST.type]]),
        this.#setting.behaviour.transientRetries ?? 0,
        this.#saved,
      ),
    );
  }

  /** What its trace is so far breaks no law of what has ended. */
  checkTrace(name: string): void {
    this.#traces.get(name)?.check(this.bad);
  }

  /** Nothing is under way. */
  checkQuiet(): void {
    for (const trace of this.#traces.values()) trace.quiet(this.bad);
  }

  /** Another process on its disk. `isRid`: without the extension that came later. */
  async restart(name: string, isCrash: boolean, isRid = false): Promise<void> {
    const host = this.#hosts.get(name);
    if (host === undefined || (host.isAway && !isCrash)) return;
    this.gather();
    if (isCrash) host.store.kill();
    else this.checkTrace(name);
    if (!host.isAway) await this.settle(host.fabric.close());
    if (this.breach !== undefined) return;
    await this.#open(name, host.store.again(), isRid);
    this.checks.reopened(name);
    if (this.breach === undefined) await this.settle(Promise.resolve());
  }

  async reopenDead(): Promise<void> {
    for (const { name, store } of this.present) {
      if (store.isDead && this.breach === undefined) await this.restart(name, true);
    }
  }

  /** Who has died stays away, but for the last one. */
  async buryDead(verdict: Verdict): Promise<Verdict> {
    const all = this.present;
    const dead = all.filter(({ store }) => store.isDead).slice(0, all.length - 1);
    if (dead.length === 0) return verdict;
    this.gather();
    // What it did last is seen when it comes back; whose a VM is that was on its way, perhaps before.
    const touches = verdict.acts
      .flatMap((act) => act.touches)
      .flatMap((key) => (key.startsWith('vm/') ? [key, `policy/${key.slice(3)}/`] : [key]));
    this.#left.push(...touches);
    for (const host of dead) {
      host.isAway = true;
      await this.settle(host.fabric.close());
    }
    const shaken = verdict.acts.some(({ shakesVms }) => shakesVms);
    const act = { ...shakeOf(dead[0]?.name ?? ''), touches, shakesVms: shaken };
    return { result: 'unknown', acts: [...verdict.acts, act] };
  }

  /** What becomes of VMs that were on their way is decided now. Gives `undefined` for one that is not away. */
  async comeBack(name: string): Promise<Verdict | undefined> {
    if (this.#hosts.get(name)?.isAway !== true) return undefined;
    await this.restart(name, true);
    const travels = this.present.flatMap(({ fabric: { migrations } }) => [
      ...migrations.list(),
      ...migrations.arrivals(),
    ]);
    const touches = travels.flatMap(({ vm }) => [vmLine(vm.name), `policy/${vm.name}/`]);
    const act = { ...shakeOf(name), touches: [...touches, ...this.#left] };
    if (this.away.length === 0) this.#left = [];
    return { result: 'unknown', acts: [act] };
  }

  /** Ends when one of the hosts has died. */
  async death(names: readonly string[]): Promise<{ readonly state: string }> {
    return new Promise((resolve) => {
      this.#mourners.push(() => {
        if (!names.some((name) => this.find(name)?.store.isDead)) return false;
        resolve({ state: 'died' });
        return true;
      });
    });
  }

  /** The last look at what they said; then they end. */
  async close(): Promise<void> {
    for (const host of this.present) {
      if (!host.isOpen) continue;
      this.gather();
      const trace = this.#traces.get(host.name);
      trace?.check(this.bad);
      if (this.isChecked) trace?.checkKept(host.fabric.trace.entries(), this.bad);
      await this.settle(host.fabric.close());
    }
  }

  // --- what they say -----------------------------------------------------------------------------------------------------

  /** Takes trace and findings of all hosts. */
  gather(): void {
    for (const host of this.present) {
      if (!host.isOpen) continue;
      const { name, look } = host;
      const entries = host.newEntries();
      const events = host.newEvents();
      if (entries.length === 0 && events.length === 0) continue;
      this.requests += entries.length;
      const activated: string[] = [];
      const spoken: string[] = [];
      for (const { type, switch: sw, data } of events) {
        if (sw !== undefined) spoken.push(sw);
        if (sw !== undefined && data['event'] === 'switchActivated') activated.push(sw);
        if (type === 'finding') this.#found(name, sw, data);
      }
      look.heard(entries, spoken);
      this.#traces.get(name)?.add(entries, activated, this.bad);
      for (const entry of entries) {
        this.visits += entry.route.length;
        this.#digest.entry(name, entry);
        this.#options.onTrace?.(entryText(name, entry));
      }
    }
  }

  #found(host: string, sw: string | undefined, data: Readonly<Record<string, unknown>>): void {
    const message = String(data['message']);
    this.checks.heard(host, sw, message);
    // What may not fail goes on although it fails for those above: B24, OP-28 (test/verifier/live).
    if (this.#setting.verifier === 'enforce' && data['severity'] === 'error') {
      this.checks.doubt(host, sw);
    }
    const culprit = this.#around.extensions.find(({ id }) => id === data['extensionId']);
    if (culprit === undefined || data['severity'] !== 'error') return;
    this.bad('rules', `${culprit.name} on ${host}/${sw} breaks ${data['rule']}: ${message}`);
  }

  /** One line of the history's trace. */
  note(line: string): void {
    this.#digest.line(line);
    this.#options.onTrace?.(line);
  }

  readonly bad = (invariant: string, message: string): void => {
    this.breach ??= { invariant, message, step: this.step };
  };

  // --- time ----------------------------------------------------------------------------------------------------------------

  async #must(what: string, act: Promise<unknown>): Promise<void> {
    const outcome = await this.settle(act);
    if (outcome !== undefined && 'error' in outcome) {
      this.bad('opens', `${what}: ${String(outcome.error)}`);
    }
  }

  /** Lets time pass until it has ended and nothing is under way any more. */
  async settle<T>(promise: Promise<T>): Promise<Outcome<T> | undefined> {
    const outcome = await settle(this.#clock, promise, () => this.#isQuiet());
    if (outcome === undefined) {
      const pending = this.present.flatMap((host) => (host.isOpen ? host.fabric.pending() : []));
      this.bad('quiet', `it hangs: ${JSON.stringify(pending).slice(0, 500)}`);
    }
    return outcome;
  }

  async pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
    await this.settle(Promise.resolve());
  }

  /** Timers that were forgotten go off. */
  passAll(): Promise<void> {
    return this.pass(LAST_WAIT_MS);
  }

  #isQuiet(): boolean {
    this.#mourners = this.#mourners.filter((mourn) => !mourn());
    if (this.mischief.held > 0) return false;
    return this.present.every((host) => {
      if (!host.isOpen || host.store.isDead) return true;
      const { fabric } = host;
      if (fabric.pending().length > 0) return false;
      // A migration whose other end is dead waits for it to come back.
      if (this.away.length > 0 || this.present.some((each) => each.store.isDead)) return true;
      return [...fabric.migrations.list()].every(({ state }) => state !== 'running');
    });
  }
}
