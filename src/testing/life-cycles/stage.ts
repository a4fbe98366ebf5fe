import { VirtualClock } from '../../core/clock.ts';
import { isExtSwitchError } from '../../core/errors.ts';
import type {
  BehaviourOptions,
  FabricEvent,
  FabricInterface,
  ObserverFactory,
  ProfileName,
  SwitchCollection,
  SwitchHandle,
  TraceEntry,
} from '../../policy/api.ts';
import { Fabric } from '../../policy/fabric.ts';
import type { OpeningFaults } from '../../policy/faults-api.ts';
import { loadIsolation } from '../../policy/isolation-module.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { TestFinding } from '../test-switch.ts';
import { causeOfError, causeOfHolding, causeOfProblem, causeOfView } from './failure-cause.ts';
import type { LifeCycleFailure, LifeCycleOptions } from './life-cycle.ts';
import { neutralMof, Policies } from './policies.ts';
import { adapterOwner, type PolicyOwner, switchOwner } from './policy-owner.ts';
import { StageDisk } from './stage-disk.ts';
import { switchView } from './switch-view.ts';
import { Witness } from './witness.ts';

/** Virtual milliseconds an act may take: several times what an extension may hold an OID (12,000). */
const PATIENCE_MS = 120_000;
/** What an extension may hold an OID (NdisTimedOidComplete). */
const HOLD_MS = 12_000;
/** Turns of the event loop after which what is ready has settled. */
const TURNS = 3;
/** Rounds of them after which nothing comes any more when no timer is left. */
const IDLE_ROUNDS = 4;

const WITNESS_ABOVE = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e300';
const WITNESS_BELOW = '3f1d7c52-8a64-4b09-9e2b-5c0f6a71e301';

/** Names of the witnesses, by id. */
export const WITNESSES: ReadonlyMap<string, string> = new Map([
  [WITNESS_ABOVE, 'Witness above'],
  [WITNESS_BELOW, 'Witness below'],
]);

/** Thrown when an act failed that the rest of the life cycle builds on; the failure is noted already. */
export class LifeCycleStopped extends Error {
  override readonly name = 'LifeCycleStopped';
}

export interface StageOptions
  extends Pick<LifeCycleOptions, 'extension' | 'mof' | 'settings' | 'isolate'> {
  readonly seed: string;
  readonly profile: ProfileName;
  readonly scheduling: 'fifo' | 'seeded';
  readonly behaviour?: BehaviourOptions;
  /** It sends requests no switch would: their order says nothing. */
  readonly sendsByHand?: boolean;
  /** Watches the extensions of all its worlds. */
  readonly observer?: ObserverFactory;
  readonly trial?: StageTrial;
}

/** How a sweep plays a stage: with faults, and what they had refused is done again. */
export interface StageTrial {
  /** Of the world that is about to be opened on this disk. */
  faults(disk: StageDisk): OpeningFaults;
  /** The world as the stage gets it. */
  shown(fabric: Fabric): FabricInterface;
  attempt<T>(title: string, once: () => Promise<T>): Promise<T>;
}

type SwitchOptions = Omit<Parameters<SwitchCollection['create']>[0], 'name' | 'extensions'>;

/**
 * Where a life cycle is played: a world with a clock that moves only here, the extension under test between two witnesses, and
 * what is expected of it all.
 */
export class LifeCycleStage {
  readonly extension: ExtensionDefinition;
  /** Above the extension under test; also on a switch where it is disabled. */
  readonly above: Witness;
  /** Below it; there is nothing below a forwarding extension. */
  readonly below: Witness | undefined;
  readonly policies: Policies;
  readonly failures: LifeCycleFailure[] = [];
  readonly findings: TestFinding[] = [];
  /** Trace of each world so far, oldest first. */
  readonly traces: (readonly TraceEntry[])[] = [];
  /** Those that have their beginning: a trace keeps only its newest entries. */
  readonly wholeTraces: (readonly TraceEntry[])[] = [];
  readonly #options: StageOptions;
  readonly #disk = new StageDisk();
  /** One for all worlds of the stage: it moves also while one is being opened. */
  readonly #clock = new VirtualClock();
  /** Names of switches on which the extension is enabled. */
  readonly #enabledOn = new Set<string>();
  readonly #vms = new Map<string, 'running' | 'off'>();
  #fabric: Fabric | undefined;
  #shown: FabricInterface | undefined;

  private constructor(options: StageOptions) {
    const { extension } = options;
    this.#options = options;
    this.extension = extension;
    const classes = () => this.policies.classes();
    // A capturing extension may veto nothing (rule A17), so one of the two is always a filter.
    this.above = new Witness(
      {
        id: WITNESS_ABOVE,
        name: 'Witness above',
        type: extension.type === 'forward' ? 'filter' : 'capture',
      },
      classes,
    );
    this.below =
      extension.type === 'forward'
        ? undefined
        : new Witness({ id: WITNESS_BELOW, name: 'Witness below', type: 'filter' }, classes);
    this.policies = new Policies(() => this.fabric, extension.id, options.settings);
  }

  static async open(options: StageOptions): Promise<LifeCycleStage> {
    // Reading it from the disk would count as waiting for nothing.
    if (options.isolate !== undefined) await loadIsolation();
    const stage = new LifeCycleStage(options);
    const ready = await stage.#settled(stage.#setUp());
    if (ready === undefined) throw new Error('a world for the life cycle cannot be opened');
    if (ready.status === 'rejected') throw ready.reason;
    return stage;
  }

  async #setUp(): Promise<void> {
    await this.#open();
    const { features } = this.fabric;
    await features.register(neutralMof(WITNESS_ABOVE), { source: 'life-cycle.mof' });
    const { mof } = this.#options;
    if (mof !== undefined) await features.register(mof);
    this.policies.findClasses();
  }

  get fabric(): FabricInterface {
    if (this.#fabric === undefined) throw new Error('the world is closed');
    return this.#shown ?? this.#fabric;
  }

  get #stack(): ExtensionDefinition[] {
    const below = this.below === undefined ? [] : [this.below.definition];
    return [this.above.definition, this.extension, ...below];
  }

  async #open(): Promise<void> {
    const { seed, profile, scheduling, observer, behaviour, trial, isolate } = this.#options;
    const fabric = await Fabric.open({
      clock: this.#clock,
      store: this.#disk,
      seed,
      profile,
      scheduling,
      ...(observer === undefined ? {} : { observer }),
      ...(behaviour === undefined ? {} : { behaviour }),
      ...(trial === undefined ? {} : { faults: trial.faults(this.#disk) }),
      // The witnesses are objects of this program, and behave.
      ...(isolate === undefined
        ? {}
        : { isolate: { ...isolate, extensions: [this.extension.id] } }),
      extensions: this.#stack,
    });
    this.#fabric = fabric;
    this.#shown = trial?.shown(fabric);
    let seen = 0;
    const collect = (): void => {
      for (const event of fabric.events.after(seen)) {
        seen = event.seq;
        if (event.type === 'finding') this.findings.push(findingOf(event));
      }
    };
    // What happened while it was opened, then what happens from now on.
    collect();
    fabric.events.subscribe(collect);
  }

  /** The service ends and starts again: a new world on the same store. */
  async restartService(): Promise<void> {
    await this.close();
    const title = 'start the service again';
    const { trial } = this.#options;
    const open = (): Promise<void> => this.#open();
    await this.act(title, () => (trial === undefined ? open() : trial.attempt(title, open)));
  }

  /** Ends the world; its trace and findings stay. */
  async close(): Promise<void> {
    const fabric = this.#fabric;
    if (fabric === undefined) return;
    await this.#settled(fabric.close());
    const entries = fabric.trace.entries();
    this.traces.push(entries);
    const { oids_completed_total: completed } = fabric.counters();
    if (entries.length === completed) this.wholeTraces.push(entries);
    this.#fabric = undefined;
  }

  // --- acts and expectations -------------------------------------------------------------------------------------------

  /** Does what has to succeed. When it does not, or never ends, that is a failure and the life cycle ends here. */
  async act<T>(title: string, run: () => Promise<T>, rule?: string): Promise<T> {
    const from = this.findings.length;
    const outcome = await this.#settled(run());
    if (outcome?.status === 'fulfilled') return outcome.value;
    this.#failed(title, outcome, from, rule);
    throw new LifeCycleStopped(title);
  }

  /** Starts everything in the same moment; all of it has to succeed. */
  async together(
    title: string,
    runs: readonly (() => Promise<unknown>)[],
    rule?: string,
  ): Promise<void> {
    const from = this.findings.length;
    const all = Promise.allSettled(runs.map((run) => run()));
    const outcome = await this.#settled(all);
    const outcomes = outcome?.status === 'fulfilled' ? outcome.value : [outcome];
    const failed = outcomes.filter((each) => each?.status !== 'fulfilled');
    for (const each of failed) this.#failed(title, each, from, rule);
    if (failed.length > 0) throw new LifeCycleStopped(title);
  }

  /** Does what a witness refuses. */
  async refused(title: string, run: () => Promise<unknown>): Promise<void> {
    const outcome = await this.#settled(run());
    // What was refused for another reason never came to it.
    for (const witness of [this.above, this.below]) witness?.refuseNext(undefined);
    const error = outcome?.status === 'rejected' ? outcome.reason : undefined;
    if (isExtSwitchError(error) && error.code === 'VETOED') return;
    this.failures.push({ message: `${title}: the veto of a witness did not arrive`, rule: 'D21' });
    throw new LifeCycleStopped(title);
  }

  /** Notes a failure unless `holds`. */
  expect(holds: boolean, message: string, rule?: string): void {
    if (!holds) this.#fail(message, rule);
  }

  /** Like {@link expect}, for what SHOULD hold: a warning. */
  advise(holds: boolean, message: string, rule: string): void {
    if (holds) return;
    const { id: extensionId, name } = this.extension;
    this.findings.push({ rule, severity: 'warning', message: `${name} ${message}`, extensionId });
  }

  #fail(message: string, rule: string | undefined, cause?: string): void {
    if (this.failures.some((known) => known.message === message)) return;
    this.failures.push({
      message,
      ...(rule === undefined ? {} : { rule }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** For the report: what could not be checked. */
  note(text: string): void {
    const { notes } = this.policies;
    if (!notes.includes(text)) notes.push(text);
  }

  /** `from`: how many findings there were when the act began. */
  #failed(
    title: string,
    outcome: PromiseSettledResult<unknown> | undefined,
    from: number,
    rule?: string,
  ): void {
    if (outcome?.status !== 'rejected') {
      const pending = this.#fabric?.pending() ?? [];
      const held = pending.map(({ oid, heldBy }) => `${oid} at ${this.#nameOf(heldBy)}`);
      const where = held.length === 0 ? '' : `; in flight: ${held.join(', ')}`;
      const text = `${title}: did not end within ${PATIENCE_MS} virtual ms${where}`;
      const [first] = pending;
      this.#fail(text, rule ?? 'B42', first && causeOfHolding(first.oid));
      return;
    }
    const { reason } = outcome;
    const by = isExtSwitchError(reason) ? reason.place.rule : undefined;
    const message = reason instanceof Error ? reason.message : String(reason);
    const cause = causeOfError(reason, this.#brokenSince(from), by ?? rule);
    this.#fail(`${title}: ${message}`, by ?? rule, cause);
  }

  /** What the extension under test broke since there were so many findings. */
  #brokenSince(from: number): readonly TestFinding[] {
    const { id } = this.extension;
    return this.findings.slice(from).filter(({ extensionId }) => extensionId === id);
  }

  #nameOf(id: string): string {
    return id === this.extension.id ? this.extension.name : (WITNESSES.get(id) ?? id);
  }

  /** Moves virtual time until the promise is settled; `undefined` when nothing settles it. */
  async #settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T> | undefined> {
    let outcome: PromiseSettledResult<T> | undefined;
    void Promise.allSettled([promise]).then(([result]) => {
      outcome = result;
    });
    const giveUpAt = this.#clock.now() + PATIENCE_MS;
    let idle = 0;
    for (;;) {
      await settle();
      const next = this.#clock.nextAt();
      if (outcome !== undefined || (next ?? 0) > giveUpAt) return outcome;
      // Without a timer only what is ready already can end it.
      idle = next === undefined ? idle + 1 : 0;
      if (idle > IDLE_ROUNDS) return undefined;
      if (next !== undefined) this.#clock.advanceTo(next);
    }
  }

  /** Lets virtual time pass: timers fire in order. */
  async pass(ms: number): Promise<void> {
    await settle();
    this.#clock.advance(ms);
    await settle();
  }

  // --- switches and the extension under test -----------------------------------------------------------------------------

  /** A switch with the extension under test between the witnesses. */
  async createSwitch(
    name: string,
    options: SwitchOptions = {},
    rule = 'A48',
  ): Promise<SwitchHandle> {
    const made = await this.act(
      `create switch ${name}`,
      () => this.fabric.switches.create({ name, ...options, extensions: this.#stack }),
      rule,
    );
    this.#enabledOn.add(name);
    this.#checkStack(name, 'after it was created');
    return made;
  }

  switch(name: string): SwitchHandle {
    return this.fabric.switches.get(name);
  }

  /** GUID of the internal port of the management OS. */
  hostPort(switchName: string): string {
    for (const { id, type } of this.switch(switchName).ports.list())
      if (type === 'internal') return id;
    throw new Error(`${switchName} has no internal port`);
  }

  async deleteSwitch(name: string): Promise<void> {
    await this.act(`delete switch ${name}`, () => this.switch(name).delete());
    this.#enabledOn.delete(name);
    this.policies.forget(switchOwner(name));
  }

  /** Enable-VMSwitchExtension (S13) or Disable-VMSwitchExtension (S14) of the extension under test. */
  async toggle(switchName: string, enabled: boolean): Promise<void> {
    await this.switch(switchName).extensions.change(this.extension.id, { enabled });
    if (enabled) this.#enabledOn.add(switchName);
    else this.#enabledOn.delete(switchName);
  }

  async enable(switchName: string): Promise<void> {
    await this.act(`enable it on ${switchName}`, () => this.toggle(switchName, true), 'J11');
    this.#checkStack(switchName, 'after it was enabled');
  }

  async disable(switchName: string): Promise<void> {
    await this.act(`disable it on ${switchName}`, () => this.toggle(switchName, false), 'A61');
    this.#checkStack(switchName, 'after it was disabled');
  }

  /** Disables it wherever it is enabled: what it still holds is found then. */
  async removeEverywhere(): Promise<void> {
    for (const name of [...this.#enabledOn]) await this.disable(name);
  }

  // --- VMs -----------------------------------------------------------------------------------------------------------------

  /** A VM that is off, with one synthetic adapter `eth0`, `eth1`, … for each of the switches, and policies on each of them. */
  async createVm(name: string, switchNames: readonly string[]): Promise<readonly PolicyOwner[]> {
    const adapters = switchNames.map((it, i) => ({ name: `eth${i}`, switch: it }));
    await this.act(`create ${name}`, () => this.fabric.vms.create({ name, adapters }));
    this.#vms.set(name, 'off');
    const owners = switchNames.map((_it, i) => adapterOwner(name, `eth${i}`));
    for (const owner of owners) {
      await this.act(`add policies to ${owner.title}`, () => this.policies.add(owner));
    }
    return owners;
  }

  async start(name: string): Promise<void> {
    await this.fabric.vms.get(name).start();
    this.#vms.set(name, 'running');
  }

  async stop(name: string): Promise<void> {
    await this.fabric.vms.get(name).stop();
    this.#vms.set(name, 'off');
  }

  /** Rule E38: its policies go with it. */
  async deleteVm(name: string): Promise<void> {
    const vm = this.fabric.vms.get(name);
    for (const { info } of vm.adapters) this.policies.forget(adapterOwner(name, info.name));
    if (this.#vms.get(name) === 'running') await this.act(`stop ${name}`, () => this.stop(name));
    await this.act(`delete ${name}`, () => vm.delete());
    this.#vms.delete(name);
  }

  // --- what has to hold ------------------------------------------------------------------------------------------------------

  /** Whether everything is as it should be; `when` is for the message, e.g. `after the restart`. */
  async check(when: string): Promise<void> {
    await settle();
    await this.#untilNothingIsHeld();
    const held = this.#fabric?.pending() ?? [];
    for (const { oid, heldBy } of held) {
      const at = this.#nameOf(heldBy);
      this.#fail(`${when}: ${oid} is still in flight at ${at}`, 'D6', causeOfHolding(oid));
    }
    for (const { name } of this.fabric.switches.list()) {
      this.#checkStack(name, when);
      this.#checkViews(name, when);
    }
    for (const [name, state] of this.#vms) {
      const { state: found, adapters } = this.fabric.vms.get(name).info;
      this.expect(found === state, `${when}: ${name} is ${found}, expected ${state}`);
      const connected = adapters.filter((it) => it.connected).length;
      const expected = state === 'running' ? adapters.length : 0;
      const text = `${when}: ${connected} adapters of ${name} are connected, expected ${expected}`;
      this.expect(connected === expected, text, state === 'running' ? 'C25' : 'C30');
    }
    for (const { message, rule } of this.policies.check()) this.#fail(`${when}: ${message}`, rule);
  }

  /** What an extension may hold for a while comes on (rule D6); what is lost pends longer than anybody may hold it. */
  async #untilNothingIsHeld(): Promise<void> {
    for (let ms = 0; ms < HOLD_MS && (this.#fabric?.pending().length ?? 0) > 0; ms += 1000) {
      await this.pass(1000);
    }
  }

  #checkStack(name: string, when: string): void {
    const info = this.switch(name).extensions.get(this.extension.id);
    const expected = this.#enabledOn.has(name);
    const what = `${when}, on ${name}: ${this.extension.name} is`;
    const shown = info.enabled ? 'enabled' : 'disabled';
    this.expect(info.enabled === expected, `${what} ${shown}`, 'A37');
    if (!expected) {
      this.expect(!info.running, `${what} disabled, but running`, 'A52');
    } else if (!info.running) {
      const { problem } = info;
      const why = problem === undefined ? '' : `: ${problem}`;
      this.#fail(`${what} enabled, but not running${why}`, 'A50', causeOfProblem(problem));
    }
  }

  #checkViews(name: string, when: string): void {
    const real = switchView(this.switch(name));
    const broken = this.#brokenSince(0);
    for (const witness of [this.above, this.below]) {
      const view = witness?.viewOf(name);
      if (witness === undefined || view === undefined) continue;
      const blind = witness.blindOn(name);
      if (blind !== undefined) {
        this.note(`${witness.definition.name} saw nothing on ${name}: ${blind}`);
        continue;
      }
      const who = `${when}, on ${name}: ${witness.definition.name}`;
      for (const [key, value] of real) {
        const seen = view.get(key);
        if (seen === value) continue;
        const text = `${who} knows ${key} as ${seen ?? 'nothing'}, the switch as ${value}`;
        this.#fail(text, 'D13', causeOfView(witness.definition.name, key, broken));
      }
      for (const [key, value] of view) {
        if (real.has(key)) continue;
        const text = `${who} knows ${key} (${value}), which the switch does not have`;
        this.#fail(text, 'D13', causeOfView(witness.definition.name, key, broken));
      }
    }
  }
}

function findingOf({ data }: FabricEvent): TestFinding {
  return data as unknown as TestFinding;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((done) => setImmediate(done));
}
