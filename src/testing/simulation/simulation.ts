import { VirtualClock } from '../../core/clock.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { type Act, actOf, type Places } from './change.ts';
import { allEmptied } from './emptying.ts';
import { GUEST } from './guest.ts';
import { type MomentStep, Moments, resetOf } from './moments.ts';
import { type Outcome, settle } from './patience.ts';
import { Planted } from './plants.ts';
import type { SavedRecords } from './request-laws.ts';
import { MischiefList } from './rogue.ts';
import { SimulatedHost, type Surroundings } from './simulated-host.ts';
import { SimulatedStore } from './simulated-store.ts';
import { vmLine } from './state-lines.ts';
import type { Atomic, Change, Move, Result, Setting, Step } from './step.ts';
import { HostTrace } from './trace-checks.ts';
import { entryText, TraceDigest } from './trace-digest.ts';
import { type MofText, userClasses } from './user-classes.ts';
import { PORT_CLASS } from './well-behaved.ts';
import { type Verdict, WorldChecks } from './world-checks.ts';
import { hasVm, isMoving, lostOf, shaken, shakeOf } from './world-ways.ts';

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
  /** Files with classes of whoever simulates, beside those of {@link extensions}. */
  readonly mofs?: readonly MofText[];
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
  /** Of whoever simulates: policies of these are drawn too. */
  readonly classes: readonly FeatureClass[];
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
  /** VMs that a person has decided about while a host was away. */
  readonly #ruled = new Set<string>();
  /** What hosts were at when they died that are away. */
  #left: string[] = [];
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
    this.classes = userClasses(options.extensions ?? [], options.mofs ?? []);
    this.#planted = new Planted(setting.plant);
    this.#mischief = new MischiefList(this.#planted, setting.verifier === 'enforce');
    this.#checks = new WorldChecks(() => this.hosts, this.#bad);
    this.#around = {
      setting,
      clock: this.#clock,
      hosts: new LocalHosts(),
      mischief: this.#mischief,
      planted: this.#planted,
      extensions: options.extensions ?? [],
      mofs: options.mofs ?? [],
      classes: this.classes,
      isDead: (host) => this.#hosts.get(host)?.store.isDead ?? true,
    };
  }

  /** Those that are there. */
  get hosts(): SimulatedHost[] {
    return [...this.#hosts.values()].filter(({ isAway }) => !isAway);
  }

  /** Hosts that have died and stay away. */
  get away(): string[] {
    return Array.from(this.#hosts.values())
      .filter(({ isAway }) => isAway)
      .map(({ name }) => name);
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
    let verdict = shaken(await this.#perform(step), step.rules);
    if (step.rules?.some(({ effect }) => effect === 'delay')) await this.#pass(LONGEST_DELAY_MS);
    this.results.push(verdict.result);
    this.#arm({ do: 'wait', ms: 0 });
    if (this.breach !== undefined) return;
    if (step.staysAway === true) verdict = await this.#buryDead(verdict);
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
    for (const name of this.away) {
      if (this.breach !== undefined) break;
      const verdict = await this.#comeBack(name);
      this.#gather();
      if (this.breach === undefined && this.#isChecked) this.#checks.afterStep(verdict, this.#step);
    }
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
      const host = this.#present(name);
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
      case 'crashHost':
        if (step.staysAway === true && this.hosts.length > 1) {
          this.#present(step.host)?.store.kill();
          return { result: 'done', acts: [] };
        }
        await this.#restart(step.host, true);
        return { result: 'done', acts: [] };
      case 'restartHost':
        await this.#restart(step.host, false, step.withoutGuest);
        return { result: 'done', acts: step.withoutGuest === true ? [shakeOf(step.host)] : [] };
      case 'hostComesBack':
        return this.#comeBack(step.host);
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
    const result = this.#resultOf(outcome, [act.host]);
    if (change.do === 'settleMigration') this.#ruled.add(change.vm);
    if ((change.do === 'vm' && change.verb === 'delete') || change.do === 'discardKept') {
      this.#ruled.delete(change.vm);
    }
    return this.#count({ result, acts: [act] });
  }

  /** Snapshots, and the way back to nothing. */
  async #goBack(step: MomentStep | Extract<Step, { do: 'resetHost' }>): Promise<Verdict> {
    const host = this.#present(step.host);
    // What nobody has decided of a VM yet is not to be forgotten.
    const isLate = step.do === 'resetHost' && (this.away.length > 0 || isMoving(this.hosts));
    const act =
      host === undefined || isLate
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

  async #together(steps: readonly (Change | Move | Atomic)[]): Promise<Verdict> {
    const acts = steps.flatMap((step) => this.#actOf(step) ?? []);
    // Which version of a class a VM meets where it comes to hangs on who is first.
    const rises = steps.some(
      (each) =>
        each.do === 'registerClasses' ||
        (each.do === 'atomic' && each.steps.some((inside) => inside.do === 'registerClasses')),
    );
    const moved = steps.flatMap((step) => (step.do === 'migrate' ? [`policy/${step.vm}/`] : []));
    const upgraded: Act[] =
      rises && acts.length > 0 ? [{ ...shakeOf(''), touches: moved, shakesVms: false }] : [];
    if (acts.length === 0) return this.#count({ result: 'skipped', acts });
    const all = acts.map((act) =>
      this.#planted.asked(act, this.#host(act.host).fabric).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    );
    // A host that died tells nobody how its migrations ended.
    const ended = Promise.race([Promise.all(all), this.#death(this.hosts.map(({ name }) => name))]);
    const outcome = await this.#settle(ended);
    if (outcome !== undefined && 'value' in outcome && Array.isArray(outcome.value)) {
      for (const each of outcome.value) {
        this.#resultOf(each ?? { value: undefined }, []);
      }
    }
    // What each came to depends on the others.
    return this.#count({ result: 'unknown', acts: [...acts, ...upgraded] });
  }

  #actOf(step: Change | Move | Atomic): Act | undefined {
    if (step.do === 'migrate') return this.#moveOf(step);
    if (step.do === 'atomic') return this.#wholeOf(step).act;
    return actOf(step, this.#places());
  }

  async #atomic(step: Atomic): Promise<Verdict> {
    const { host } = step;
    const { act, inside } = this.#wholeOf(step);
    if (act === undefined) return this.#count({ result: 'skipped', acts: [] });
    const outcome = await this.#settle(act.run(this.#host(host).fabric));
    const result = this.#resultOf(outcome, [host]);
    // Later changes may have undone the effect of the first.
    return this.#count({ result: result === 'done' ? 'unknown' : result, acts: inside });
  }

  /** Changes as a whole. `inside` has them when they have begun: what each works on hangs on those before it. */
  #wholeOf({ host, throws, steps }: Atomic): { act: Act | undefined; inside: Act[] } {
    const inside: Act[] = [];
    if (this.#present(host) === undefined) return { act: undefined, inside };
    const touches: string[] = [];
    const run = (fabric: FabricInterface): Promise<void> =>
      fabric.atomic(async (world) => {
        for (const step of steps) {
          const act = actOf(step, {
            world: (name) => (name === host ? world : undefined),
            hostOf: (vm) => (hasVm(world, vm) ? host : undefined),
          });
          if (act === undefined) continue;
          inside.push(act);
          touches.push(...act.touches);
          await act.run(world);
        }
        if (throws) throw onPurpose;
      });
    const act: Act = { host, touches, shakesVms: true, run, missing: () => undefined };
    return { act, inside };
  }

  /** Gives `undefined` when there is nothing to move, or nowhere. */
  #moveOf({ vm, to }: Move): Act | undefined {
    const from = this.#places().hostOf(vm);
    if (from === undefined || from === to || !this.#hosts.has(to)) return undefined;
    this.#moments.moves(from, to);
    // Values that are upgraded to a newer class take its defaults (decision 0003).
    const [here, there] = [from, to].map((host) => this.#versionOn(host));
    const upgraded = here === there ? [] : [`policy/${vm}/`];
    return {
      host: from,
      touches: [vmLine(vm), ...upgraded],
      run: async (fabric) => {
        const { id } = await fabric.migrations.start({ vm, destination: { host: to } });
        return fabric.migrations.done(id);
      },
      missing: (after) =>
        after.get(vmLine(vm))?.startsWith(`{"host":"${to}"`) ? undefined : `${vm} is not on ${to}`,
    };
  }

  #versionOn(host: string): number | undefined {
    return this.#present(host)?.fabric.features.get(PORT_CLASS).version;
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
        if (!names.some((name) => this.#present(name)?.store.isDead)) return false;
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

  async #openHost(name: string, store: SimulatedStore, isRid = false): Promise<SimulatedHost> {
    const before = this.#hosts.get(name);
    const hasGuest = before?.hasGuest === true && !isRid;
    const host = new SimulatedHost(name, store, this.#around, hasGuest);
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
      new HostTrace(
        new Map([...types, [GUEST.id, GUEST.type]]),
        this.#setting.behaviour.transientRetries ?? 0,
        this.#saved,
      ),
    );
  }

  async #restart(name: string, isCrash: boolean, isRid = false): Promise<void> {
    const host = this.#hosts.get(name);
    if (host === undefined || (host.isAway && !isCrash)) return;
    this.#gather();
    if (isCrash) host.store.kill();
    else this.#traces.get(name)?.check(this.#bad);
    if (!host.isAway) await this.#settle(host.fabric.close());
    if (this.breach !== undefined) return;
    await this.#openHost(name, host.store.again(), isRid);
    this.#checks.reopened(name);
    if (this.breach === undefined) await this.#settle(Promise.resolve());
  }

  async #reopenDead(): Promise<void> {
    for (const { name, store } of this.hosts) {
      if (store.isDead && this.breach === undefined) await this.#restart(name, true);
    }
  }

  #present(name: string): SimulatedHost | undefined {
    const host = this.#hosts.get(name);
    return host?.isAway === false ? host : undefined;
  }

  /** Who has died stays away, but for the last one. */
  async #buryDead(verdict: Verdict): Promise<Verdict> {
    const dead = this.hosts.filter(({ store }) => store.isDead).slice(0, this.hosts.length - 1);
    if (dead.length === 0) return verdict;
    this.#gather();
    // What it did last is seen when it comes back; whose a VM is that was on its way, perhaps before.
    const touches = verdict.acts
      .flatMap((act) => act.touches)
      .flatMap((key) => (key.startsWith('vm/') ? [key, `policy/${key.slice(3)}/`] : [key]));
    this.#left.push(...touches);
    for (const host of dead) {
      host.isAway = true;
      await this.#settle(host.fabric.close());
    }
    const shaken = verdict.acts.some(({ shakesVms }) => shakesVms);
    const act = { ...shakeOf(dead[0]?.name ?? ''), touches, shakesVms: shaken };
    return { result: 'unknown', acts: [...verdict.acts, act] };
  }

  /** What becomes of VMs that were on their way is decided now. */
  async #comeBack(name: string): Promise<Verdict> {
    if (this.#hosts.get(name)?.isAway !== true) {
      return this.#count({ result: 'skipped', acts: [] });
    }
    await this.#restart(name, true);
    const travels = this.hosts.flatMap(({ fabric: { migrations } }) => [
      ...migrations.list(),
      ...migrations.arrivals(),
    ]);
    const touches = travels.flatMap(({ vm }) => [vmLine(vm.name), `policy/${vm.name}/`]);
    const act = { ...shakeOf(name), touches: [...touches, ...this.#left] };
    if (this.away.length === 0) this.#left = [];
    if (this.breach === undefined && this.away.length === 0) {
      for (const vm of lostOf(this.#ruled, this.hosts)) {
        this.#bad('acknowledged', `${vm}, decided about by a person, is nowhere`);
      }
      this.#ruled.clear();
    }
    return this.#count({ result: 'unknown', acts: [act] });
  }

  #places(): Places {
    return {
      world: (host) => this.#present(host)?.fabric,
      hostOf: (vm) => this.hosts.find(({ fabric }) => hasVm(fabric, vm))?.name,
    };
  }

  // --- the end ---------------------------------------------------------------------------------------------------------

  /** Everything away; nothing may be left. */
  async #empty(): Promise<void> {
    const outcome = await this.#settle(allEmptied(this.hosts));
    if (outcome !== undefined && 'error' in outcome) this.#bad('empty', String(outcome.error));
    else for (const what of outcome?.value ?? []) this.#bad('empty', what);
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
    // What may not fail goes on although it fails for those above: B24, OP-28 (test/verifier/live).
    if (this.#setting.verifier === 'enforce' && data['severity'] === 'error') {
      this.#checks.doubt(host, sw);
    }
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
      if (this.away.length > 0 || this.hosts.some((each) => each.store.isDead)) return true;
      return [...fabric.migrations.list()].every(({ state }) => state !== 'running');
    });
  }
}
