import { VirtualClock } from '../../core/clock.ts';
import type { FabricInterface } from '../../policy/api.ts';
import { Fabric } from '../../policy/fabric.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { MemoryStore } from '../../store/memory-store.ts';
import type { Witness } from '../life-cycles/witness.ts';
import { settle } from '../simulation/patience.ts';
import type { StateLines } from '../simulation/state-lines.ts';
import { checkView } from '../simulation/trace-checks.ts';
import { type Invariant, messageOf } from './breach.ts';
import type { Course } from './course.ts';
import type { Complain } from './host-watch.ts';
import { hasSavedSince, withAllowedRecords } from './saved-records.ts';
import type { ScenarioRun } from './scenario-run.ts';
import { checkVms, type Settled, takeAway } from './whole-world.ts';
import { endOf, firstDifference, stateOf, statusOf } from './world-state.ts';

/** What the run without a fault came to. */
export interface Reference {
  /** Numbers of the steps that fail without a fault. */
  readonly failed: ReadonlySet<number>;
  readonly end: StateLines;
  /** What each of its changes changed. */
  readonly course: Course;
  /** Statuses that say only what is on the switch: the same when the extension has learned it anew. */
  readonly statuses: StateLines;
  /** Before each change, by its number; all of them. */
  readonly statusesBefore?: ReadonlyMap<number, StateLines>;
}

/** What a host has stored, and shows, at the end. */
interface Disk {
  readonly host: string;
  readonly store: MemoryStore;
  readonly shown: StateLines;
  readonly installed: readonly string[];
}

/** Looks at a run that is over: whatever was made to fail, these things hold. */
export class ScenarioJudge {
  readonly #run: ScenarioRun;
  readonly #scenario: Scenario;
  readonly #complain: Complain;
  readonly #witness: (host: string, id: string) => Witness | undefined;

  constructor(
    run: ScenarioRun,
    scenario: Scenario,
    complain: Complain,
    witness: (host: string, id: string) => Witness | undefined,
  ) {
    this.#run = run;
    this.#scenario = scenario;
    this.#complain = complain;
    this.#witness = witness;
  }

  /** Gives what later runs are compared with: `reference`, or what this one came to if there is none. */
  async judge(reference: Reference | undefined): Promise<Reference> {
    const run = this.#run;
    const { worlds } = run;
    for (const fabric of worlds.values()) fabric.faults.clear();
    run.gather();
    checkVms(worlds, run.isLossy, this.#bad);
    if (!run.isLossy) this.#checkViews();
    const state = stateOf(worlds);
    const end = endOf(state);
    if (reference !== undefined && run.isStraight && !run.isLossy) {
      await this.#compare(end, reference);
    }
    const disks = run.isLossy ? [] : this.#disks();
    const statuses = reference?.statuses ?? (await this.#plainStatuses());
    await this.#takeAway();
    if (!run.hasHung) {
      await run.close();
      for (const disk of disks) await this.#checkDisk(disk);
    }
    return reference ?? { failed: run.failed, course: run.course, end, statuses };
  }

  readonly #bad = (invariant: Invariant, message: string): void =>
    this.#complain({ invariant, severity: 'error', message });

  #checkViews(): void {
    for (const [host, fabric] of this.#run.worlds) {
      for (const { id, name } of fabric.switches.list()) {
        checkView(
          host,
          fabric.switches.get(id),
          // One that was not answered at once when it asked what is there knows nothing, and knows that.
          (each) => {
            const witness = this.#witness(host, each);
            return witness?.blindOn(name) === undefined ? witness : undefined;
          },
          (_invariant, message) => this.#bad('views', message),
        );
      }
    }
  }

  async #compare(end: StateLines, reference: Reference): Promise<void> {
    const { toggledIn } = this.#run;
    const found =
      toggledIn === undefined
        ? end
        : withAllowedRecords(reference.end, end, hasSavedSince(reference.course, toggledIn));
    const other = firstDifference(reference.end, found, 'without', 'with   ');
    if (other !== undefined) this.#bad('sameEnd', `the end is another: ${other}`);
    const asked = await this.#run.settled('asking statuses', () => statusOf(this.#run.worlds));
    if (asked === undefined || 'error' in asked) return;
    for (const [key, answer] of reference.statuses) {
      const found = asked.value.get(key);
      if (found === undefined || found === answer) continue;
      this.#bad('status', `${key} is another\n  without ${answer}\n  with    ${found}`);
    }
  }

  /** Asked, and asked again when every extension that is no witness has been out of its stack and back. */
  async #plainStatuses(): Promise<StateLines> {
    const run = this.#run;
    const plain: StateLines = new Map();
    const ask = () => run.settled('asking statuses', () => statusOf(run.worlds));
    const before = await ask();
    if (before === undefined || 'error' in before || before.value.size === 0) return plain;
    for (const fabric of run.worlds.values()) {
      for (const { id } of fabric.switches.list()) await this.#turnOver(fabric, id);
    }
    const after = await ask();
    if (after === undefined || 'error' in after) return plain;
    for (const [key, answer] of before.value) {
      if (after.value.get(key) === answer) plain.set(key, answer);
    }
    return plain;
  }

  async #turnOver(fabric: FabricInterface, id: string): Promise<void> {
    const { extensions } = fabric.switches.get(id);
    const enabled = extensions.list().filter((each) => each.enabled);
    for (const each of enabled) {
      for (const isEnabled of [false, true]) {
        await this.#run.settled(`turning ${each.name} over`, () =>
          extensions.change(each.id, { enabled: isEnabled }),
        );
      }
    }
  }

  #disks(): Disk[] {
    return [...this.#run.worlds].flatMap(([host, fabric]) => {
      const store = this.#run.ground.stores.get(host)?.fork();
      if (store === undefined) return [];
      const installed = fabric.extensions.list().map(({ id }) => id);
      return { host, store, shown: stateOf(new Map([[host, fabric]])), installed };
    });
  }

  async #takeAway(): Promise<void> {
    const run = this.#run;
    const settled: Settled = (what, act) => run.settled(what, act);
    await takeAway(run.worlds, run.ground.stores, settled, this.#bad);
    run.gather();
  }

  /** A world that is opened on what was stored shows the same. */
  async #checkDisk({ host, store, shown, installed }: Disk): Promise<void> {
    const clock = new VirtualClock();
    const spec = this.#scenario.hosts.find(({ name }) => name === host);
    const known = [...this.#scenario.extensions.values()];
    const opening = Fabric.open({
      store,
      clock,
      seed: 'opened again',
      name: host,
      behaviour: this.#scenario.behaviour,
      extensions: installed.flatMap((id) => known.find((each) => each.id === id) ?? []),
      ...(spec === undefined ? {} : { profile: spec.profile }),
    });
    const outcome = await settle(clock, opening, () => true);
    if (outcome === undefined || 'error' in outcome) {
      const why = outcome === undefined ? 'it does not end' : messageOf(outcome.error);
      this.#bad('durable', `${host} does not open on what it has stored: ${why}`);
      return;
    }
    const found = stateOf(new Map([[host, outcome.value]]));
    const other = firstDifference(shown, found, 'shown ', 'stored');
    if (other !== undefined) this.#bad('durable', `${host}: ${other}`);
    await settle(clock, outcome.value.close(), () => true);
  }
}
