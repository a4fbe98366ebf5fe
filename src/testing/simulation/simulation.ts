import { VirtualClock } from '../../core/clock.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { type Act, actOf, type Places } from './change.ts';
import { type MomentStep, Moments, resetOf } from './moments.ts';
import { type Outcome, settle } from './patience.ts';
import { Planted } from './plants.ts';
import type { SavedRecords } from './request-laws.ts';
import { MischiefList } from './rogue.ts';
import { SimulatedHost, type Surroundings } from './simulated-host.ts';
import { SimulatedStore } from './simulated-store.ts';
import { vmLine } from './state-lines.ts';
import type { Change, HostRule, Move, Result, Setting, Step } from './step.ts';
import { HostTrace } from './trace-checks.ts';
import { entryText, TraceDigest } from './trace-digest.ts';
import { type Verdict, WorldChecks } from './world-checks.ts';

/** What did not hold. */
export interface Breach {
  /** Name of the invariant: docs/reference/simulation.md. */
  readonly invariant: string;
  readonly message: string;
  /** Number of the step after which it was seen, from 0. */
  readonly step: number;
}

export interface SimulationOptions {
  /** After each step: default. `none`: only to measure what they cost. */
  readonly checks?: 'all' | 'none';
  /** Of whoever simulates: on every switch, watched by the verifier. */
  readonly extensions?: readonly ExtensionDefinition[];
  /** Gets every line of the history's trace; equal histories give equal lines. */
  readonly onTrace?: (line: string) => void;
}

/** Longer than any rule delays. */
const LONGEST_DELAY_MS = 20_000;
/** Longer than the switch waits for anything. */
const LAST_WAIT_MS = 60_000;
const onPurpose = new Error('on purpose');

/** A world of several hosts that is taken from step to step, and looked at after each. */
export class Simulation {
  readonly #setting: Setting;
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock();
  readonly #planted: Planted;
  readonly #mischief: MischiefList;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #traces = new Map<string, HostTrace>();
  readonly #around: Surroundings;
  readonly #digest = new TraceDigest();
  readonly #checks: WorldChecks;
  readonly #saved: SavedRecords = new Set();
  readonly #moments = new Moments();
  #step = -1;
  /** The first thing that did not hold. */
  breach: Breach | undefined;
  /** Changes asked for, of which some were refused and some had nothing to work on. */
  readonly changes = { done: 0, refused: 0, skipped: 0, unknown: 0 };
  /** What each step came to. */
  readonly results: Result[] = [];
  /** OID requests that completed, and hand-overs of them to a module. */
  requests = 0;
  visits = 0;

  constructor(setting: Setting, options: SimulationOptions = {}) {
    this.#setting = setting;
    this.#options = options;
    this.#planted = new Planted(setting.plant);
    this.#mischief = new MischiefList(this.#planted);
    this.#checks = new WorldChecks(() => this.hosts, this.#bad);
    this.#around = {
      setting,
      clock: this.#clock,
      hosts: new LocalHosts(),
      mischief: this.#mischief,
      planted: this.#planted,
      extensions: options.extensions ?? [],
      isDead: (host) => this.#hosts.get(host)?.store.isDead ?? true,
    };
  }

  get hosts(): SimulatedHost[] {
    return [...this.#hosts.values()];
  }

  /** SHA-256 of the trace so far. */
  digest(): string {
    return this.#digest.text();
  }

  async open(): Promise<void> {
    for (const name of this.#setting.hosts) {
      const host = await this.#openHost(name, new SimulatedStore(this.#planted));
      if (this.breach === undefined) await this.#must('setting up', host.setUp());
    }
    if (this.breach === undefined && this.#isChecked) this.#checks.open();
  }

  async play(step: Step): Promise<void> {
    this.#step += 1;
    this.#note(`step ${JSON.stringify(step)}`);
    this.#arm(step);
    this.#checks.begin();
    const verdict = shaken(await this.#perform(step), step.rules);
    if (step.rules?.some(({ effect }) => effect === 'delay')) await this.#pass(LONGEST_DELAY_MS);
    this.results.push(verdict.result);
    this.#arm({ do: 'wait', ms: 0 });
    if (this.breach !== undefined) return;
    await this.#reopenDead();
    this.#gather();
    if (!this.#isChecked || this.breach !== undefined) return;
    for (const trace of this.#traces.values()) trace.quiet(this.#bad);
    this.#checks.afterStep(verdict, this.#step);
    if (this.#checks.isDiskTurn(this.#step)) await this.#checks.disks();
  }

  get #isChecked(): boolean {
    return this.#options.checks !== 'none';
  }

  /** The last look: disks, traces, and that everything can be taken away. */
  async close(): Promise<void> {
    if (this.breach === undefined && this.#isChecked) {
      // Timers that were forgotten go off.
      this.#clock.advance(LAST_WAIT_MS);
      await this.#settle(Promise.resolve());
      this.#gather();
      this.#checks.atEnd();
      await this.#checks.disks();
      if (this.breach === undefined) await this.#empty();
    }
    for (const host of this.hosts) {
      if (!host.isOpen) continue;
      this.#gather();
      const trace = this.#traces.get(host.name);
      trace?.check(this.#bad);
      if (this.#isChecked) trace?.checkKept(host.fabric.trace.entries(), this.#bad);
      await this.#settle(host.fabric.close());
    }
  }

  // --- steps ---------------------------------------------------------------------------------------------------------

  #arm(step: Step): void {
    this.#mischief.arm(step.mischief);
    for (const { isOpen, fabric } of this.hosts) if (isOpen) fabric.faults.clear();
    for (const { host: name, ...rule } of step.rules ?? []) {
      const host = this.#hosts.get(name);
      if (host === undefined) continue;
      host.fabric.faults.add(rule);
      // What was not written leaves no word of what it was to be.
      if (rule.at === 'store') host.look.touchAll();
    }
  }

  async #perform(step: Step): Promise<Verdict> {
    switch (step.do) {
      case 'wait':
        await this.#pass(step.ms);
        return { result: 'done', acts: [] };
      case 'takeSnapshot':
      case 'forkSnapshot':
      case 'restoreSnapshot':
      case 'resetHost':
        return this.#goBack(step);
      case 'restartHost':
      case 'crashHost':
        await this.#restart(step.host, step.do === 'crashHost');
        return { result: 'done', acts: [] };
      case 'migrate':
        return this.#migrate(step);
      case 'together':
        return this.#together(step.steps);
      case 'atomic':
        return this.#atomic(step);
      default:
        return this.#alone(step);
    }
  }

  async #alone(change: Change): Promise<Verdict> {
    const act = actOf(change, this.#places());
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const world = this.#host(act.host).fabric;
    const outcome = await this.#settle(this.#planted.asked(act, world));
    return this.#count({ result: this.#resultOf(outcome, [act.host]), acts: [act] });
  }

  /** Snapshots, and the way back to nothing. */
  async #goBack(step: MomentStep | Extract<Step, { do: 'resetHost' }>): Promise<Verdict> {
    const host = this.#hosts.get(step.host);
    const act =
      host === undefined
        ? undefined
        : step.do === 'resetHost'
          ? resetOf(host)
          : this.#moments.actOf(step, host, this.#checks.lossy.has(host.name));
    if (act === undefined || host === undefined) {
      return this.#count({ result: 'skipped', acts: [] });
    }
    this.#traces.get(host.name)?.check(this.#bad);
    const outcome = await this.#settle(act.run(host.fabric));
    const result = this.#resultOf(outcome, [host.name]);
    if (result === 'done' && (step.do === 'restoreSnapshot' || step.do === 'resetHost')) {
      // Its trace begins anew; the world is what its disk says.
      this.#trace(host);
      this.#checks.reopened(host.name);
    }
    return this.#count({ result, acts: [act] });
  }

  async #together(steps: readonly (Change | Move)[]): Promise<Verdict> {
    const acts = steps.flatMap(
      (step) => (step.do === 'migrate' ? this.#moveOf(step) : actOf(step, this.#places())) ?? [],
    );
    if (acts.length === 0) return this.#count({ result: 'skipped', acts });
    const all = acts.map((act) =>
      this.#planted.asked(act, this.#host(act.host).fabric).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    // A host that died tells nobody how its migrations ended.
    const ended = Promise.race([Promise.all(all), this.#death(this.#setting.hosts)]);
    const outcome = await this.#settle(ended);
    if (outcome !== undefined && 'value' in outcome && Array.isArray(outcome.value)) {
      for (const each of outcome.value) {
        this.#resultOf(each ?? { value: undefined }, []);
      }
    }
    // What each came to depends on the others.
    return this.#count({ result: 'unknown', acts });
  }

  async #atomic({ host, throws, steps }: Extract<Step, { do: 'atomic' }>): Promise<Verdict> {
    const acts: Act[] = [];
    const owner = this.#hosts.get(host);
    if (owner === undefined) return this.#count({ result: 'skipped', acts });
    const change = owner.fabric.atomic(async (world) => {
      for (const step of steps) {
        const act = actOf(step, {
          world: (name) => (name === host ? world : undefined),
          hostOf: (vm) => (hasVm(world, vm) ? host : undefined),
        });
        if (act === undefined) continue;
        acts.push(act);
        await act.run(world);
      }
      if (throws) throw onPurpose;
    });
    const outcome = await this.#settle(change);
    const result = this.#resultOf(outcome, [host]);
    // Later changes may have undone the effect of the first.
    return this.#count({ result: result === 'done' ? 'unknown' : result, acts });
  }

  /** Gives `undefined` when there is nothing to move, or nowhere. */
  #moveOf({ vm, to }: Move): Act | undefined {
    const from = this.#places().hostOf(vm);
    if (from === undefined || from === to || !this.#hosts.has(to)) return undefined;
    this.#moments.moves(from, to);
    return {
      host: from,
      touches: [vmLine(vm)],
      run: async (fabric) => {
        const { id } = await fabric.migrations.start({ vm, destination: { host: to } });
        return fabric.migrations.done(id);
      },
      missing: (after) =>
        after.get(vmLine(vm))?.startsWith(`{"host":"${to}"`) ? undefined : `${vm} is not on ${to}`,
    };
  }

  async #migrate(move: Move): Promise<Verdict> {
    const act = this.#moveOf(move);
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const { to } = move;
    const from = act.host;
    const run = act.run(this.#host(from).fabric) as Promise<{ readonly state: string }>;
    // A host that died tells nobody how its migration ended.
    const ended = Promise.race([run, this.#death([from, to])]);
    const outcome = await this.#settle(ended);
    let result = this.#resultOf(outcome, [from, to]);
    if (outcome !== undefined && 'value' in outcome && result === 'done') {
      if (outcome.value.state !== 'succeeded') result = 'refused';
    }
    if (outcome === undefined) result = 'unknown';
    return this.#count({ result, acts: [act] });
  }

  /** Ends when one of the hosts has died. */
  async #death(names: readonly string[]): Promise<{ readonly state: string }> {
    return new Promise((resolve) => {
      this.#mourners.push(() => {
        if (!names.some((name) => this.#around.isDead(name))) return false;
        resolve({ state: 'died' });
        return true;
      });
    });
  }
  #mourners: (() => boolean)[] = [];

  #resultOf(outcome: Outcome<unknown> | undefined, hosts: readonly string[]): Result {
    if (outcome === undefined) return 'unknown';
    if (this.hosts.some(({ store }) => store.isDead)) return 'unknown';
    if (!('error' in outcome)) return 'done';
    const { error } = outcome;
    if (error === onPurpose) return 'refused';
    const isOurs = isExtSwitchError(error) && error.code !== 'INTERNAL';
    if (!isOurs) this.#bad('errors', `${hosts.join()}: ${String(error)}`);
    this.#note(`refused ${String(error)}`);
    return 'refused';
  }

  #count(verdict: Verdict): Verdict {
    this.changes[verdict.result] += 1;
    this.#note(verdict.result);
    return verdict;
  }

  // --- hosts ---------------------------------------------------------------------------------------------------------

  #host(name: string): SimulatedHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`no host is called ${name}`);
    return host;
  }

  async #openHost(name: string, store: SimulatedStore): Promise<SimulatedHost> {
    const host = new SimulatedHost(name, store, this.#around);
    const before = this.#hosts.get(name);
    if (before !== undefined) host.look.follow(before);
    this.#hosts.set(name, host);
    await this.#must(`opening ${name}`, host.open());
    if (this.breach !== undefined) return host;
    this.#trace(host);
    return host;
  }

  /** What comes now is the beginning of its trace. */
  #trace({ name, fabric }: SimulatedHost): void {
    const types = fabric.extensions.list().map(({ id, type }) => [id, type] as const);
    this.#traces.set(
      name,
      new HostTrace(new Map(types), this.#setting.behaviour.transientRetries ?? 0, this.#saved),
    );
  }

  async #restart(name: string, isCrash: boolean): Promise<void> {
    const host = this.#hosts.get(name);
    if (host === undefined) return;
    this.#gather();
    if (isCrash) host.store.kill();
    else this.#traces.get(name)?.check(this.#bad);
    await this.#settle(host.fabric.close());
    if (this.breach !== undefined) return;
    await this.#openHost(name, host.store.again());
    this.#checks.reopened(name);
    if (this.breach === undefined) await this.#settle(Promise.resolve());
  }

  async #reopenDead(): Promise<void> {
    for (const { name, store } of this.hosts) {
      if (store.isDead && this.breach === undefined) await this.#restart(name, true);
    }
  }

  #places(): Places {
    return {
      world: (host) => this.#hosts.get(host)?.fabric,
      hostOf: (vm) => this.hosts.find(({ fabric }) => hasVm(fabric, vm))?.name,
    };
  }

  // --- the end ---------------------------------------------------------------------------------------------------------

  /** Everything away; nothing may be left. */
  async #empty(): Promise<void> {
    const all = Promise.all(this.hosts.map(({ fabric }) => emptied(fabric)));
    const outcome = await this.#settle(all);
    if (outcome !== undefined && 'error' in outcome) this.#bad('empty', String(outcome.error));
    for (const { name, store } of this.hosts) {
      const left = Array.from(store.range(''), ([key]) => key).filter(
        (key) => !/^(feature|extension|meta|format|migration)/.test(key),
      );
      if (left.length > 0) this.#bad('empty', `${name}: the disk has left ${left.join()}`);
    }
  }

  // --- the run itself ------------------------------------------------------------------------------------------------

  /** Takes trace and findings of all hosts. */
  #gather(): void {
    for (const host of this.hosts) {
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
      this.#traces.get(name)?.add(entries, activated, this.#bad);
      for (const entry of entries) {
        this.visits += entry.route.length;
        this.#digest.entry(name, entry);
        this.#options.onTrace?.(entryText(name, entry));
      }
    }
  }

  #found(host: string, sw: string | undefined, data: Readonly<Record<string, unknown>>): void {
    const message = String(data['message']);
    this.#checks.heard(host, sw, message);
    const culprit = this.#around.extensions.find(({ id }) => id === data['extensionId']);
    if (culprit === undefined || data['severity'] !== 'error') return;
    this.#bad('rules', `${culprit.name} on ${host}/${sw} breaks ${data['rule']}: ${message}`);
  }

  #note(line: string): void {
    this.#digest.line(line);
    this.#options.onTrace?.(line);
  }

  readonly #bad = (invariant: string, message: string): void => {
    this.breach ??= { invariant, message, step: this.#step };
  };

  async #must(what: string, act: Promise<unknown>): Promise<void> {
    const outcome = await this.#settle(act);
    if (outcome !== undefined && 'error' in outcome) {
      this.#bad('opens', `${what}: ${String(outcome.error)}`);
    }
  }

  /** Lets time pass until it has ended and nothing is under way any more. */
  async #settle<T>(promise: Promise<T>): Promise<Outcome<T> | undefined> {
    const outcome = await settle(this.#clock, promise, () => this.#isQuiet());
    if (outcome === undefined) {
      const pending = this.hosts.flatMap((host) => (host.isOpen ? host.fabric.pending() : []));
      this.#bad('quiet', `it hangs: ${JSON.stringify(pending).slice(0, 500)}`);
    }
    return outcome;
  }

  async #pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
    await this.#settle(Promise.resolve());
  }

  #isQuiet(): boolean {
    this.#mourners = this.#mourners.filter((mourn) => !mourn());
    if (this.#mischief.held > 0) return false;
    return this.hosts.every((host) => {
      if (!host.isOpen || host.store.isDead) return true;
      const { fabric } = host;
      if (fabric.pending().length > 0) return false;
      // A migration whose other end is dead waits for it to come back.
      if (this.hosts.some((each) => each.store.isDead)) return true;
      return [...fabric.migrations.list()].every(({ state }) => state !== 'running');
    });
  }
}

/** With acts among the rules of a step, what became of the switches of that host is not predicted. */
function shaken(verdict: Verdict, rules: readonly HostRule[] = []): Verdict {
  const acting = rules.filter(({ effect }) => effect === 'act');
  if (acting.length === 0) return verdict;
  const shakes = acting.map(
    ({ host }): Act => ({
      host,
      touches: [`switch/${host}/`, `port/${host}/`, `switchPolicy/${host}/`],
      shakesVms: true,
      run: () => Promise.resolve(),
      missing: () => undefined,
    }),
  );
  return { result: 'unknown', acts: [...verdict.acts, ...shakes] };
}

/** Deletes all VMs and switches. */
async function emptied(fabric: FabricInterface): Promise<void> {
  for (const { id } of [...fabric.vms.keys()]) {
    const vm = fabric.vms.get(id);
    if (vm.info.state !== 'off') await vm.stop();
    await vm.delete();
  }
  for (const { id } of [...fabric.switches.list()]) await fabric.switches.get(id).delete();
}

function hasVm(world: FabricInterface, vm: string): boolean {
  for (const { name } of world.vms.keys()) if (name === vm) return true;
  return false;
}
