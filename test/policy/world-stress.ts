import { isExtSwitchError } from '../../src/core/errors.ts';
import { Rng } from '../../src/core/rng.ts';
import type { FabricEvent, FabricInterface, FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { Observer } from '../sequences/observer.ts';
import { snapshot } from '../sequences/snapshot.ts';
import { FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { FailingStore } from '../support/failing-store.ts';
import { type Change, Changes, switchesOf, vmsOf } from './world-stress-changes.ts';
import { comparable, firstDifference, viewProblems } from './world-stress-checks.ts';
import { Draw, Mischief } from './world-stress-mischief.ts';

/*
 * Seeded runs of the whole library: VMs, hosts, policies, stacks, restarts and failing stores side by side, under four
 * extensions that refuse, answer late and hold references. After each step management, extensions and store must agree; what
 * was refused or undone must have left nothing; a copy of the store opens as the same world; at the end nothing is left.
 */

/** A store under the test's thumb that outlives the world that closes it. */
class StressStore extends FailingStore {
  override async close(): Promise<void> {
    return undefined;
  }
  copy(): MemoryStore {
    const copy = new MemoryStore();
    copy.write([...this.inner.range('')].map(([key, value]) => ({ op: 'put', key, value })));
    return copy;
  }
}

export interface StressReport {
  /** Empty when everything held; each with the last changes before it. */
  readonly problems: readonly string[];
  readonly changes: number;
  readonly refused: number;
}

interface Outcome {
  readonly error: unknown;
}
const DONE: Outcome = { error: undefined };

const PROFILES = ['ws2012', 'ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'] as const;
/** Findings that say an extension refused what was to come back: then the undo could not be exact. */
const LOSS = /was to be connected again|made again|stays as it is|stays on the synthetic path/;
const onPurpose = new Error('on purpose');
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const outcomeOf = (promise: Promise<unknown>): Promise<Outcome> =>
  promise.then(
    () => DONE,
    (error: unknown) => ({ error }),
  );

/** One run of `steps` steps; equal seeds give equal runs. */
export async function stress(seed: number, steps: number): Promise<StressReport> {
  const run = new Run(seed);
  await run.open();
  for (let step = 0; step < steps && run.problems.length === 0; step += 1) await run.step(step);
  await run.close();
  const { problems, changes, refused } = run;
  return { problems, changes, refused };
}

class Run {
  readonly problems: string[] = [];
  changes = 0;
  refused = 0;
  readonly #seed: number;
  readonly #draw: Draw;
  readonly #mischief: Mischief;
  readonly #observers: readonly Observer[];
  readonly #kinds: Changes;
  readonly #options: FabricOptions;
  readonly #store = new StressStore();
  readonly #log: string[] = [];
  /** An extension has refused an undo: until the next restart the world may differ from the store. */
  #isLossy = false;
  #opened: Fabric | undefined;

  constructor(seed: number) {
    this.#seed = seed;
    const draw = new Draw(new Rng(`stress ${seed}`));
    this.#draw = draw;
    const mischief = new Mischief(draw);
    this.#mischief = mischief;
    const observer = (id: string, name: string, type: 'capture' | 'filter' | 'forward') =>
      new Observer({ id, name, type }, mischief.handlers(type));
    this.#observers = [
      observer('c0000000-0000-4000-8000-00000000000c', 'capture', 'capture'),
      observer(FABRIKAM, 'filter', 'filter'),
      observer('f1000000-0000-4000-8000-0000000000f1', 'filter2', 'filter'),
      observer('f0000000-0000-4000-8000-00000000000f', 'forward', 'forward'),
    ];
    const extensions: ExtensionDefinition[] = this.#observers.map(({ definition }) => definition);
    this.#kinds = new Changes(draw, extensions);
    const profile = draw.pick(PROFILES);
    this.#options = {
      clock: 'manual',
      seed: `stress ${seed}`,
      extensions,
      profile,
      scheduling: draw.pick(['fifo', 'seeded'] as const),
      traceLimit: 400,
      behaviour: {
        validationPorts: draw.pick(['short', 'standing'] as const),
        transientRetries: draw.pick([0, 0, 1]),
        saveOnStop: draw.chance(0.2),
        suspendOids: draw.chance(0.3) && !profile.startsWith('ws2012'),
        // Observers learn by questions that cannot wait, as a request of a host port under way would make them (OP-20).
        activation: 'first',
        internalNics: 2,
      },
    };
  }

  async open(): Promise<void> {
    this.#opened = await Fabric.open({ ...this.#options, store: this.#store });
    const fabric = this.#fabric;
    await fabric.features.register(FABRIKAM_MOF);
    const extensions = this.#observers.map(({ definition }) => definition.id);
    const adapters = [{ name: 'phys', virtualFunctions: 3, queues: 3 }];
    await fabric.switches.create({ name: 'A', type: 'external', extensions, uplink: { adapters } });
    await fabric.switches.create({ name: 'B', type: 'external', extensions });
    this.#mischief.isOn = true;
  }

  async step(step: number): Promise<void> {
    const mode = this.#draw.int(100);
    if (mode < 50) await this.#alone();
    else if (mode < 68) await this.#atomic();
    else if (mode < 74) await this.#restart();
    else await this.#together();
    if (this.problems.length === 0) this.#check();
    if (step % 5 === 4 && !this.#isLossy && this.problems.length === 0) {
      await this.#reopen(this.#store.copy(), true);
    }
  }

  /** Everything away; nothing may be left. */
  async close(): Promise<void> {
    this.#mischief.isOn = false;
    if (this.problems.length === 0) {
      for (const vm of vmsOf(this.#fabric)) {
        if (vm.info.state !== 'off') await this.#must('last stop', () => vm.stop());
        await this.#must('last deletion of a VM', () => vm.delete());
      }
      for (const sw of switchesOf(this.#fabric)) await this.#must('last one', () => sw.delete());
      const views = this.#observers.flatMap(({ views: seen }) => [...seen.keys()]);
      if (views.length > 0) this.#bad(`views left: ${views}`);
      const left = [...this.#store.range('')].map(([key]) => key);
      const stays = /^(feature|extension|meta|format)/;
      const more = left.filter((key) => !stays.test(key));
      if (more.length > 0) this.#bad(`the store has left: ${more}`);
    }
    await this.#settle(this.#fabric.close());
  }

  // --- what is done --------------------------------------------------------------------------------------------------

  /** One change; sometimes the store fails, and then nobody refuses, so that the undo is exact. */
  async #alone(): Promise<void> {
    const change = this.#kinds.next(this.#fabric);
    const storeFails = this.#draw.chance(0.12);
    this.#note(`${change.title}${storeFails ? ' [store fails]' : ''}`);
    await this.#allOrNothing(storeFails, change.act);
  }

  async #atomic(): Promise<void> {
    const count = 1 + this.#draw.int(5);
    const throws = this.#draw.chance(0.4);
    const storeFails = !throws && this.#draw.chance(0.2);
    this.#note(`atomic${storeFails ? ' [store fails]' : ''}${throws ? ' that throws' : ''}`);
    await this.#allOrNothing(storeFails || throws, () =>
      this.#fabric.atomic(async (world) => {
        this.#mischief.noVeto = storeFails || throws;
        this.#store.failing = storeFails;
        try {
          for (let i = 0; i < count; i += 1) {
            const { title, act } = this.#kinds.next(world);
            this.#note(`- ${title}`);
            await act();
          }
        } finally {
          // What follows may be the undo.
          this.#mischief.noVeto = true;
        }
        if (throws) throw onPurpose;
      }),
    );
  }

  /** A change that fails leaves management, store and extensions as they were. */
  async #allOrNothing(fails: boolean, act: () => Promise<unknown>): Promise<void> {
    const { lastSeq } = this.#fabric.events;
    const before = this.#state();
    this.#mischief.noVeto = fails;
    this.#store.failing = fails;
    const outcome = await this.#settle(act());
    this.#store.failing = false;
    this.#mischief.noVeto = false;
    this.#count([outcome]);
    this.#noteLoss(lastSeq);
    if (outcome.error === undefined || this.#isLossy) return;
    const after = this.#state();
    for (const [what, was] of Object.entries(before)) {
      const is = after[what] ?? '';
      if (is !== was) this.#bad(`${what} differs after a failure${firstDifference(was, is)}`);
    }
  }

  async #restart(): Promise<void> {
    this.#note('restart');
    this.#mischief.isOn = false;
    const before = comparable(this.#fabric, this.#store, true);
    await this.#settle(this.#fabric.close());
    this.#opened = await Fabric.open({ ...this.#options, store: this.#store });
    await this.#settle(Promise.resolve());
    const after = comparable(this.#fabric, this.#store, true);
    if (!this.#isLossy && after !== before) {
      this.#bad(`another world after a restart${firstDifference(before, after)}`);
    }
    this.#isLossy = false;
    this.#mischief.isOn = true;
  }

  /** Several changes side by side; sometimes the process dies meanwhile, or the store fails for a while. */
  async #together(): Promise<void> {
    const draw = this.#draw;
    const { lastSeq } = this.#fabric.events;
    const changes = Array.from({ length: 2 + draw.int(6) }, () => this.#kinds.next(this.#fabric));
    const crashes = draw.chance(0.3);
    const storeFails = draw.chance(0.15);
    const flags = `${crashes ? ' [dies]' : ''}${storeFails ? ' [store fails a while]' : ''}`;
    this.#note(`together${flags}: ${changes.map(({ title }) => title).join(' | ')}`);
    this.#mischief.noVeto = storeFails;
    this.#store.holding = storeFails;
    const outcomes = changes.map(({ act }: Change) => outcomeOf(act()));
    let copy: MemoryStore | undefined;
    if (crashes) {
      await this.#advance(draw.int(8));
      copy = this.#store.copy();
    }
    if (storeFails) {
      await this.#advance(6);
      this.#store.failing = true;
      this.#store.holding = false;
      this.#store.release();
      await tick();
      this.#store.failing = false;
    }
    const all = Promise.all(outcomes);
    await this.#settle(all);
    this.#mischief.noVeto = false;
    if (this.problems.length > 0) return;
    this.#count(await all);
    this.#noteLoss(lastSeq);
    if (copy !== undefined) await this.#reopen(copy, false);
    // What several changes at once that failed have left: at once, not when others have hidden it.
    if (storeFails && !this.#isLossy && this.problems.length === 0) {
      await this.#reopen(this.#store.copy(), true);
    }
  }

  /** The world of a second process that opens `copy`; `isSame`: it must be this one. */
  async #reopen(copy: MemoryStore, isSame: boolean): Promise<void> {
    const { isOn } = this.#mischief;
    this.#mischief.isOn = false;
    const seen = this.#observers.map(({ views }) => new Map(views));
    const other = await Fabric.open({ ...this.#options, store: copy });
    await this.#settle(Promise.resolve());
    const errors = findings(other, 0).filter(({ data }) => data['severity'] === 'error');
    if (errors.length > 0) this.#bad(`the store opens with ${JSON.stringify(errors)}`);
    if (isSame) {
      const here = comparable(this.#fabric, this.#store, true);
      const there = comparable(other, copy, true);
      if (here !== there) this.#bad(`another world in the store${firstDifference(here, there)}`);
    }
    await other.close();
    for (const [i, { views }] of this.#observers.entries()) {
      views.clear();
      for (const [name, view] of seen[i] ?? []) views.set(name, view);
    }
    this.#mischief.isOn = isOn;
  }

  // --- what must hold ------------------------------------------------------------------------------------------------

  #check(): void {
    const fabric = this.#fabric;
    if (fabric.pending().length > 0) this.#bad(`pending: ${JSON.stringify(fabric.pending())}`);
    if (fabric.counters()['oids_in_flight'] !== 0) this.#bad('requests in flight');
    for (const sw of switchesOf(fabric)) {
      for (const { problem, state, nics, portId } of sw.ports.list()) {
        if (problem !== undefined) continue;
        if (state !== 'created') this.#bad(`port ${portId} is ${state}`);
        for (const nic of nics) if (nic.state !== 'connected') this.#bad(`NIC is ${nic.state}`);
      }
      for (const problem of viewProblems(sw, this.#observers)) this.#bad(problem);
    }
    const adapters = new Set(
      vmsOf(fabric).flatMap(({ info }) => info.adapters.map(({ id }) => id)),
    );
    for (const [key] of this.#store.range('property/vm/')) {
      if (!adapters.has(key.split('/')[2] ?? '')) this.#bad(`the store has ${key}, of nobody`);
    }
    for (const { info } of vmsOf(fabric)) {
      const isAlive = info.state === 'running' || info.state === 'paused';
      for (const adapter of info.adapters) {
        const must = isAlive && adapter.switch !== undefined && !this.#isLossy;
        if (adapter.connected ? isAlive : !must) continue;
        this.#bad(`${adapter.name} of ${info.name}: ${info.state}, connected ${adapter.connected}`);
      }
    }
  }

  #state(): Readonly<Record<string, string>> {
    const { store, views } = snapshot(this.#fabric, this.#store, this.#observers);
    return { world: comparable(this.#fabric, this.#store, false), store, ...views };
  }

  async #must(title: string, act: () => Promise<unknown>): Promise<void> {
    const { error } = await this.#settle(act());
    if (error !== undefined) this.#bad(`${title}: ${String(error)}`);
  }

  #noteLoss(since: number): void {
    const lost = findings(this.#fabric, since).map(({ data }) => String(data['message']));
    if (lost.some((message) => LOSS.test(message))) this.#isLossy = true;
  }

  #count(outcomes: readonly Outcome[]): void {
    for (const { error } of outcomes) {
      this.changes += 1;
      if (error === undefined) continue;
      this.refused += 1;
      this.#note(`  ${String(error).slice(0, 160)}`);
      if (error !== onPurpose && !isExtSwitchError(error)) this.#bad(`strange error ${error}`);
    }
  }

  // --- the run itself ------------------------------------------------------------------------------------------------

  get #fabric(): Fabric {
    if (this.#opened === undefined) throw new Error('the world is not open');
    return this.#opened;
  }

  #note(text: string): void {
    this.#log.push(text);
  }

  #bad(what: string): void {
    const last = this.#log.slice(-20).join('\n    ');
    this.problems.push(`seed ${this.#seed}: ${what}\n    ${last}`);
  }

  async #advance(ticks: number): Promise<void> {
    for (let i = 0; i < ticks; i += 1) {
      await tick();
      this.#fabric.clock.advance(1);
    }
  }

  /** Lets time pass until it has ended and nothing is under way any more. */
  async #settle(promise: Promise<unknown>): Promise<Outcome> {
    let hasEnded = false;
    const done = outcomeOf(promise).finally(() => {
      hasEnded = true;
    });
    let quiet = 0;
    for (let spins = 0; quiet < 12; spins += 1) {
      await tick();
      this.#fabric.clock.advance(hasEnded || spins < 200 ? 1 : 500);
      const isQuiet = hasEnded && this.#fabric.pending().length === 0 && this.#mischief.held === 0;
      quiet = isQuiet ? quiet + 1 : 0;
      if (spins <= 5000) continue;
      this.#bad(`it hangs: ${JSON.stringify(this.#fabric.pending()).slice(0, 600)}`);
      return DONE;
    }
    return done;
  }
}

function findings(fabric: FabricInterface, since: number): FabricEvent[] {
  return fabric.events.after(since).filter(({ type }) => type === 'finding');
}
