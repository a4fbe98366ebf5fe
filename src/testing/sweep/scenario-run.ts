import { VirtualClock } from '../../core/clock.ts';
import type { FabricInterface, FeatureInfo } from '../../policy/api.ts';
import type { FaultSite } from '../../policy/faults-api.ts';
import { Host } from '../../scenario/host.ts';
import { Moments } from '../../scenario/moments.ts';
import { copyOf, Ledger, policiesOf } from '../../scenario/policies.ts';
import { Recorder } from '../../scenario/recorder.ts';
import type { RunState, Runtime } from '../../scenario/runtime.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Step } from '../../scenario/step.ts';
import { type Outcome, settle } from '../simulation/patience.ts';
import type { StateLines } from '../simulation/state-lines.ts';
import { type AttemptJudge, attempted } from './attempts.ts';
import { messageOf } from './breach.ts';
import { Course, survivalOf } from './course.ts';
import { isCrash, isLoosening, type SweepFault } from './fault.ts';
import { type Complain, HostWatch } from './host-watch.ts';
import type { Reference } from './scenario-judge.ts';
import { SiteLog } from './site-log.ts';
import { SweepRuntime } from './sweep-runtime.ts';
import { SweptGround } from './swept-ground.ts';
import { firstDifference, type Hosts, stateOf, statusOf } from './world-state.ts';

/** Steps after which nothing can be compared: the process of a host ends, or faults of the scenario's own begin. */
const UNCOMPARED = new Set([
  'restartHost',
  'crashHost',
  'restoreBackup',
  'inject',
  'clearFaults',
  'wait',
]);

/** Turns of the event loop in which what a host does when it is opened again comes to its end. */
const RECOVERY_TURNS = 2_000;
/** Turns in which an act whose host has died comes to an end, if it does not wait for that host. */
const GRACE_TURNS = 50;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const DISABLING: ReadonlySet<string> = new Set(['disableExtension', 'toggleExtension']);

/** What is known of an act beforehand. */
interface AttemptFacts {
  /** What the world shows before it and after it can be compared. */
  readonly isCompared: boolean;
  readonly isInsisting?: boolean;
}

/** One run of a scenario, with faults in it; what it passes and what it breaks is written down. */
export class ScenarioRun {
  readonly log: SiteLog;
  readonly ground: SweptGround;
  readonly hosts = new Map<string, Host>();
  readonly clock = new VirtualClock(0);
  readonly #moments = new Moments();
  readonly #scenario: Scenario;
  readonly #chain: readonly SweepFault[];
  readonly #complain: Complain;
  readonly #open = new Map<
    string,
    { readonly fabric: FabricInterface; readonly watch: HostWatch }
  >();
  /** Hosts that have been open. */
  readonly #known = new Set<string>();
  /** Classes that a host had when it was last seen. */
  readonly #features = new Map<string, readonly FeatureInfo[]>();
  readonly #reference: Reference | undefined;
  /** Written down in the run without a fault. */
  readonly course = new Course();
  /** Statuses before each change, when the run only looks at those. */
  readonly statuses: Map<number, StateLines> | undefined;
  /** Numbers of the steps that failed. */
  readonly failed = new Set<number>();
  #number = -1;
  #hasDiverged = false;
  #hasSideBySide = false;
  #hasOwnFaults = false;
  /** A step was done and nobody heard: later ones may need what it would have said. */
  #isForgetful = false;
  #wasLossy = false;
  #hasHung = false;

  /** `reference`: what the run without a fault came to; `undefined`: this is it. `asksStatuses`: before each change. */
  constructor(
    scenario: Scenario,
    chain: readonly SweepFault[],
    reference: Reference | undefined,
    complain: Complain,
    asksStatuses = false,
  ) {
    this.statuses = asksStatuses ? new Map() : undefined;
    this.#scenario = scenario;
    this.#chain = chain;
    this.#reference = reference;
    this.#complain = complain;
    this.log = new SiteLog(chain);
    this.log.onToggle = (host, site) => this.#enableSoon(host, site);
    this.ground = new SweptGround({ opening: (host) => this.#opening(host) });
    const unheard = (): void => undefined;
    for (const spec of scenario.hosts) {
      const host = new Host(spec, scenario, this.clock, this.ground, unheard);
      this.hosts.set(spec.name, host);
    }
  }

  /** Nothing can be said of what the scenario was to come to. */
  get isLoose(): boolean {
    // Faults of its own are met by other requests when a step is done again.
    return this.#hasOwnFaults || this.#chain.some(isLoosening);
  }

  /** Number of the change in which an extension went and came, or of one before it: the first fault's, whose number is sure. */
  get toggledIn(): number | undefined {
    if (!this.#chain.some(({ effect }) => effect === 'toggleExtension')) return undefined;
    const [first] = this.#chain;
    return first === undefined || first.effect === 'reorder' ? 0 : first.at.change;
  }

  /** Every step was done, at the latest when it was done again. */
  get isStraight(): boolean {
    return !this.isLoose && !this.#hasDiverged && !this.#hasSideBySide && !this.#hasHung;
  }

  /** An extension has refused an undo, so that what is shown is not what is stored. */
  get isLossy(): boolean {
    return this.#wasLossy || [...this.#open.values()].some(({ watch }) => watch.isLossy);
  }

  /** It pends for ever: there is nothing to look at. */
  get hasHung(): boolean {
    return this.#hasHung;
  }

  /** The worlds that are open. */
  get worlds(): Hosts {
    return new Map([...this.#open].map(([name, { fabric }]) => [name, fabric]));
  }

  /** Classes of a host; of one that is being opened again, those it had, which its store has. */
  featuresOf(host: string): readonly FeatureInfo[] {
    return this.#open.get(host)?.fabric.features.list() ?? this.#features.get(host) ?? [];
  }

  /** Classes of all hosts that were ever there. */
  features(): readonly FeatureInfo[] {
    return [...this.hosts.keys()].flatMap((host) => this.featuresOf(host));
  }

  /** Plays everything that there is to play; what comes after a step that pends for ever is left. */
  async play(): Promise<void> {
    const state = this.#state();
    if (!(await this.#setUp())) return;
    const ledger = new Ledger(copyOf(policiesOf(this.worlds)));
    const runtime = new SweepRuntime(state, ledger, (step, on, isAlone) =>
      this.#step(step, on, isAlone),
    );
    for (const step of this.#scenario.steps) {
      const outcome = await this.settled(step.title, () => runtime.play(step));
      if (outcome === undefined) return;
      await this.#enableAgain();
      this.gather();
    }
    await this.#startAgain();
    this.log.stop();
  }

  /** Until it has ended and nothing is under way any more; complains and gives `undefined` when that never comes. */
  async settled<T>(title: string, run: () => Promise<T>): Promise<Outcome<T> | undefined> {
    const outcome = await settle(this.clock, run(), () => this.#isQuiet());
    if (outcome !== undefined) return outcome;
    this.#hasHung = true;
    const pending = [...this.worlds].flatMap(([host, fabric]) =>
      fabric.pending().map(({ oid, heldBy }) => `${oid} at ${heldBy} on ${host}`),
    );
    const what = pending.length === 0 ? 'nothing is in flight' : `in flight: ${pending.join(', ')}`;
    this.#complain({
      invariant: 'ends',
      severity: 'error',
      message: `${title} does not end; ${what}`,
    });
    return undefined;
  }

  /** Takes trace and findings of the hosts. */
  gather(): void {
    for (const { fabric, watch } of this.#open.values()) watch.gather(fabric);
  }

  async close(): Promise<void> {
    for (const host of this.hosts.values()) {
      await settle(this.clock, host.close(), () => true);
    }
    await this.#moments.close();
  }

  #state(): RunState {
    const { extensions } = this.#scenario;
    return {
      hosts: this.hosts,
      clock: this.clock,
      recorder: new Recorder(new Map()),
      extensionIds: new Map([...extensions].map(([alias, { id }]) => [alias, id])),
      properties: new Map(),
      documents: new Map(),
      moments: this.#moments,
      expectedFindings: new Set(),
      lastRestore: undefined,
      lastReport: undefined,
      lastMigration: undefined,
      onStep: undefined,
    };
  }

  #opening(host: string) {
    const watch = new HostWatch(this.#chain, (breach) => this.#complain(breach));
    return {
      options: { faults: this.log.opening(host), observer: watch.observer },
      opened: (fabric: FabricInterface): void => {
        this.#open.set(host, { fabric, watch });
        this.#known.add(host);
      },
      ended: (): void => {
        const open = this.#open.get(host);
        if (open?.watch !== watch) return;
        this.#open.delete(host);
        this.#features.set(host, open.fabric.features.list());
        watch.gather(open.fabric);
        watch.end();
        if (watch.isLossy) this.#wasLossy = true;
      },
    };
  }

  async #setUp(): Promise<boolean> {
    const acts: (readonly [string, () => Promise<unknown>])[] = [];
    for (const [name, host] of this.hosts) {
      acts.push([`open ${name}`, () => host.open()]);
      acts.push([`set up ${name}`, () => host.setUp()]);
    }
    for (const { name, host, adapters } of this.#scenario.vms) {
      const create = async () => this.hosts.get(host)?.fabric.vms.create({ name, adapters });
      acts.push([`create VM ${name}`, create]);
    }
    for (const [title, act] of acts) {
      const outcome = await this.settled(title, () =>
        this.#attempt(title, act, { isCompared: !title.startsWith('open ') }),
      );
      if (outcome === undefined || 'error' in outcome) return false;
      this.gather();
    }
    return true;
  }

  #step(step: Step, runtime: Runtime, isAlone: boolean): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    const isCompared = isAlone && !UNCOMPARED.has(step.verb);
    if (step.verb === 'inject') this.#hasOwnFaults = true;
    // What comes of steps side by side depends on which of them comes first.
    if (!isAlone) this.#hasSideBySide = true;
    const run = async (): Promise<void> => {
      const said = await step.run(runtime);
      // Whoever waited for the host was told that it is gone, and not what came of it.
      if (typeof said === 'string' && this.log.hasDeath) throw new Error(said);
    };
    if (this.#reference?.failed.has(number) === true) {
      this.log.begins();
      return this.#failing(number, run);
    }
    // A host that does not come up is started once more, whatever the scenario is about: without it there is nothing to look at.
    const isInsisting = step.verb === 'restartHost';
    return this.#failing(number, () => this.#attempt(step.title, run, { isCompared, isInsisting }));
  }

  async #failing(number: number, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.failed.add(number);
      throw error;
    }
  }

  async #attempt(title: string, once: () => Promise<unknown>, facts: AttemptFacts): Promise<void> {
    for (;;) {
      const deaths = this.log.deaths;
      const judge = this.#judgeOf(facts, () => this.log.deaths > deaths);
      let failure: { readonly error: unknown } | undefined;
      if (facts.isCompared) this.statuses?.set(this.log.change + 1, await statusOf(this.worlds));
      const before = facts.isCompared && this.#reference === undefined ? this.#lines() : undefined;
      try {
        await this.#nursed(attempted(title, once, judge));
      } catch (error) {
        failure = { error };
      }
      if (before !== undefined) {
        this.course.begins(this.log.change, before);
        if (failure === undefined) this.course.ends(this.log.change, this.#lines());
      }
      const number = this.log.change;
      await this.#raise();
      if (this.log.deaths === deaths) {
        if (failure === undefined) return;
        if (this.#isForgetful) this.#hasDiverged = true;
        throw failure.error;
      }
      const isDone = failure === undefined;
      if (this.#survived(title, number, isDone, facts.isCompared) || isDone) return;
    }
  }

  #lines = (): StateLines => stateOf(this.worlds);

  #judgeOf(
    { isCompared, isInsisting = false }: AttemptFacts,
    hasDied: () => boolean,
  ): AttemptJudge {
    return {
      isInsisting,
      begins: () => this.log.begins(),
      met: () => this.log.met,
      isLoose: () => this.isLoose || this.isLossy,
      hasDied,
      diverge: () => {
        this.#hasDiverged = true;
      },
      hasDiverged: () => this.#hasDiverged || this.#hasSideBySide,
      isForgetful: () => this.#isForgetful,
      // Of steps side by side nothing is said at all.
      isAlone: () => true,
      isHolding: () => [...this.worlds.values()].some((fabric) => fabric.pending().length > 0),
      state: () => (isCompared ? this.#lines() : undefined),
      difference: (before) => {
        this.gather();
        return this.isLossy ? undefined : firstDifference(before as StateLines, this.#lines());
      },
      stale: async () => (isCompared ? this.#stale() : undefined),
      complain: this.#complain,
    };
  }

  /** The first status that is not what it was before the change that was refused, which is the first one that a fault has met. */
  async #stale(): Promise<string | undefined> {
    const { statusesBefore, statuses } = this.#reference ?? {};
    const before = statusesBefore?.get(this.log.change);
    if (before === undefined || statuses === undefined || this.isLossy) return undefined;
    const found = await this.log.aside(() => statusOf(this.worlds));
    for (const [key, answer] of before) {
      const is = found.get(key);
      // Only those that say what is on the switch, and nothing of what happened.
      if (!statuses.has(key) || is === undefined || is === answer) continue;
      return `${key}\n  was ${answer}\n  is  ${is}`;
    }
    return undefined;
  }

  /** Another host may wait for one that has died: it is started again meanwhile then. */
  async #nursed(act: Promise<unknown>): Promise<void> {
    let isOver = false;
    act.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    for (let since = 0; !isOver; since = this.log.hasDeath ? since + 1 : 0) {
      if (since > GRACE_TURNS) await this.#raise();
      await turn();
    }
    await act;
  }

  /** Starts again on their stores the hosts that a fault of the sweep has ended. */
  async #raise(): Promise<void> {
    let hasRaised = false;
    for (const [name, host] of this.hosts) {
      // What ends it while it comes up is met once, and there are as many as there are faults.
      while (this.log.takeDeath(name)) {
        hasRaised = true;
        const installed = this.#known.has(name) ? host.installed() : [];
        await host.restart(installed).catch((error: unknown) => {
          if (this.log.hasDeath) return;
          const message = `${name} does not start again: ${messageOf(error)}`;
          this.#complain({ invariant: 'durable', severity: 'error', message });
        });
      }
    }
    if (hasRaised) for (let i = 0; i < RECOVERY_TURNS && !this.#isQuiet(); i += 1) await turn();
  }

  /** A host has died in a change and is there again; whether nothing is left to be done. */
  #survived(title: string, number: number, isDone: boolean, isCompared: boolean): boolean {
    const change = this.#reference?.course.change(number);
    const isKnown = this.#chain.length === 1 && this.#chain.every(isCrash) && isCompared;
    if (change === undefined || !isKnown || this.isLoose || this.#hasSideBySide || this.isLossy) {
      this.#isForgetful = true;
      return false;
    }
    const { has, wrong } = survivalOf(change, this.#lines(), isDone);
    if (wrong !== undefined) {
      const when = isDone ? 'just after' : 'in the middle of';
      const message = `${title}: the host died ${when} it and was started again; ${wrong}`;
      this.#complain({ invariant: 'durable', severity: 'error', message });
    }
    if (has !== 'nothing' && !isDone) this.#isForgetful = true;
    return has === 'all';
  }

  /** In the instant in which a fault disables it. */
  #enableSoon(host: string, { switch: name, extension }: FaultSite): void {
    if (name === undefined || extension === undefined) return;
    queueMicrotask(() => {
      const fabric = this.#open.get(host)?.fabric;
      if (![...(fabric?.switches.list() ?? [])].some((each) => each.name === name)) return;
      const extensions = fabric?.switches.get(name).extensions;
      // What comes of it is seen when the step is over.
      extensions?.change(extension, { enabled: true }).catch(() => undefined);
    });
  }

  /** A host that is dead at the end is started again on its store, as whoever runs it would: faults of the scenario's own kill too. */
  async #startAgain(): Promise<void> {
    for (const [name, host] of this.hosts) {
      if (host.isUp && this.#open.has(name)) continue;
      const title = `start ${name} again`;
      const once = (): Promise<void> => host.restart(host.installed());
      const facts = { isCompared: false, isInsisting: true };
      const outcome = await this.settled(title, () => this.#attempt(title, once, facts));
      if (outcome === undefined) return;
      if ('error' in outcome) {
        const message = `${name} does not start again: ${messageOf(outcome.error)}`;
        this.#complain({ invariant: 'durable', severity: 'error', message });
      }
      this.gather();
    }
  }

  /** What a fault disabled is there again for what comes next. */
  async #enableAgain(): Promise<void> {
    if (!this.#chain.some(({ effect }) => DISABLING.has(effect))) return;
    for (const { name, switches } of this.#scenario.hosts) {
      const fabric = this.worlds.get(name);
      for (const spec of switches) {
        if (
          fabric === undefined ||
          ![...fabric.switches.list()].some(({ name: each }) => each === spec.name)
        )
          continue;
        const { extensions } = fabric.switches.get(spec.name);
        for (const { id, enabled, name: called } of extensions.list()) {
          if (enabled || spec.disabled.some((alias) => this.#idOf(alias) === id)) continue;
          await this.#turnOn(called, id, async () => {
            const now = this.worlds.get(name)?.switches.get(spec.name).extensions;
            await now?.change(id, { enabled: true });
          });
        }
      }
    }
  }

  /** A second fault may meet this too. */
  async #turnOn(name: string, id: string, again: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const met = this.log.met;
      const outcome = await this.settled(`enable ${name} again`, again);
      await this.#raise();
      if (outcome === undefined || !('error' in outcome)) return;
      if (this.log.met > met) continue;
      const message = `${name} was disabled and cannot be enabled again: ${messageOf(outcome.error)}`;
      this.#complain({ invariant: 'again', severity: 'error', message, extension: id });
      return;
    }
  }

  #idOf(alias: string): string | undefined {
    return this.#scenario.extensions.get(alias)?.id;
  }

  #isQuiet(): boolean {
    return [...this.worlds.values()].every(
      (fabric) =>
        fabric.pending().length === 0 &&
        [...fabric.migrations.list()].every(({ state }) => state !== 'running'),
    );
  }
}
