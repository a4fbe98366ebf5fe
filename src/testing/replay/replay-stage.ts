import type { FaultPoints } from '../../../switch/fault-points.ts';
import type { SwitchObserver } from '../../../switch/observer.ts';
import type { OidRequest } from '../../../switch/oid-request.ts';
import type { MaybePromise } from '../../../switch/steps.ts';
import type { Switch } from '../../../switch/switch.ts';
import { VirtualClock } from '../../core/clock.ts';
import { Rng } from '../../core/rng.ts';
import { installExtension } from '../../policy/extension-catalog.ts';
import type { Recording } from '../../policy/recording.ts';
import type { SwitchRecord } from '../../policy/records.ts';
import { restoreFeatures } from '../../policy/restore.ts';
import { settle } from '../../policy/sim-time.ts';
import { newSwitch } from '../../policy/switch-create.ts';
import { World } from '../../policy/world.ts';
import { restoreWorld, stopWorld } from '../../policy/world-life.ts';
import { defineExtension } from '../../sdk/define.ts';
import type { ExtensionDefinition, OidRequest as Handle, Verdict } from '../../sdk/extension.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import type { StoreOp } from '../../store/store.ts';

/** Id of what stands in for the extensions below the one under test. */
const STAND_IN = '00000000-0000-4000-8000-0000000000fe';

/** What plays the part of the extensions below. */
export type Below = (request: OidRequest, handle: Handle) => Verdict;

/** The switches of a recording with one extension on them, and time that stands where the recording is. */
export class ReplayStage {
  readonly world: World;
  readonly clock: VirtualClock;
  /** Switches on which the extension runs from the beginning. */
  readonly startsOn: ReadonlySet<string>;
  readonly #recording: Recording;
  readonly #definition: ExtensionDefinition;
  readonly #store = new MemoryStore();
  readonly #stack: readonly ExtensionDefinition[];
  /** The request that the stand-in's handler is about to be called with. */
  #arriving: OidRequest | undefined;

  /** `id`: of the extension in the recording. */
  constructor(
    recording: Recording,
    definition: ExtensionDefinition,
    id: string,
    watch: Partial<SwitchObserver>,
    below: Below,
    faults: FaultPoints,
  ) {
    const { head } = recording;
    this.#recording = recording;
    this.#definition = definition;
    const standIn = this.#standIn(below);
    // Nothing but the miniport edge is below a forwarding extension.
    this.#stack = definition.type === 'forward' ? [definition] : [definition, standIn];
    this.clock = new VirtualClock(head.start.time);
    const { seed, profile, oidTimeoutMs, behaviour } = head;
    const observer = this.#observer(standIn, watch);
    const options = { seed, profile, oidTimeoutMs, behaviour, observer: () => observer };
    this.world = new World(options, this.#store, seed, this.clock);
    Object.assign(this.world.environment, { faults });
    this.startsOn = this.#bindings(id, standIn);
  }

  #standIn(below: Below): ExtensionDefinition {
    const answer = (handle: Handle): Verdict =>
      this.#arriving === undefined ? 'forward' : below(this.#arriving, handle);
    return defineExtension({
      id: STAND_IN,
      name: 'the extensions below',
      vendor: 'extswitch',
      version: '1.0',
      type: 'filter',
      attach: () => ({ oidRequest: answer }),
    });
  }

  #observer(standIn: ExtensionDefinition, watch: Partial<SwitchObserver>): SwitchObserver {
    const nothing = (): void => undefined;
    return {
      created: nothing,
      moved: nothing,
      answered: nothing,
      returned: nothing,
      issued: nothing,
      referenced: nothing,
      dereferenced: nothing,
      indicated: nothing,
      sawIndication: nothing,
      ...watch,
      arrived: (name, module, request) => {
        if (module.definition === standIn) this.#arriving = request;
        watch.arrived?.(name, module, request);
      },
    };
  }

  /** The store as it was when the recording begins, with the two extensions in the place of those that were there. */
  #bindings(id: string, standIn: ExtensionDefinition): ReadonlySet<string> {
    const names = new Set<string>();
    const ops: StoreOp[] = [];
    for (const [key, value] of this.#recording.head.start.records) {
      if (!key.startsWith('switch/')) {
        ops.push({ op: 'put', key, value });
        continue;
      }
      const record = value as unknown as SwitchRecord;
      const enabled = record.extensions.some((one) => one.id === id && one.enabled);
      if (enabled) names.add(record.name);
      const extensions = [this.#definition.id, standIn.id].map((one) => ({ id: one, enabled }));
      ops.push({ op: 'put', key, value: { ...record, extensions } });
    }
    this.#store.write(ops);
    return names;
  }

  /** What there was at the beginning comes to life. */
  async open(): Promise<void> {
    const { world } = this;
    restoreFeatures(world);
    for (const { feature, uint16 } of this.#recording.head.features) {
      if (world.registry.byId(feature.kind, feature.id) === undefined) {
        world.registry.put(feature, uint16);
      }
    }
    // Not below a forwarding extension, but stored switches know it.
    for (const definition of this.#stack) installExtension(world, definition);
    await this.finish(restoreWorld(world));
  }

  /** The switch of this name; made when it is not there, and not started. */
  machine(name: string): Switch {
    for (const entry of this.world.switches.values()) if (entry.name === name) return entry.machine;
    const known = this.#recording.head.switches.find((one) => one.name === name);
    const facts = known ?? { id: new Rng(`replay/${name}`).guid(), name, type: 'private' as const };
    const entry = newSwitch(this.world, { ...facts, order: this.world.nextOrder(), bindings: [] });
    this.world.switches.set(entry.id, entry);
    return entry.machine;
  }

  /** The extension comes to the switch; gives why it does not run, or nothing. */
  async attach(name: string, isLive: boolean): Promise<string | undefined> {
    const machine = this.machine(name);
    if (machine.state.life === 'created') {
      if (!isLive) {
        await this.finish(machine.start(this.#stack, { activate: false }));
        return machine.problemOf(this.#definition.id);
      }
      await this.finish(machine.start([]));
    }
    return this.restack(name, true);
  }

  /** The stack with the extension, paused and started again when it is there already, or without. */
  async restack(name: string, withIt: boolean): Promise<string | undefined> {
    const machine = this.machine(name);
    await this.finish(machine.changeStack(withIt ? this.#stack : []));
    return machine.problemOf(this.#definition.id);
  }

  activate(name: string): void {
    const machine = this.machine(name);
    if (machine.state.life === 'starting') machine.activateNow();
  }

  async remove(name: string): Promise<void> {
    for (const [id, entry] of this.world.switches) {
      if (entry.name !== name) continue;
      this.world.switches.delete(id);
      if (entry.machine.state.life !== 'created') await this.finish(entry.machine.stop());
    }
  }

  /** Whether the extension is in the stack and gets requests. */
  runsOn(name: string): boolean {
    return this.machine(name).modules.some(({ definition }) => definition === this.#definition);
  }

  settle(): Promise<void> {
    return settle(this.world);
  }

  /** Time goes on to `end`: timers fire in order, and what each sets off is done before the next. */
  async advanceTo(end: number): Promise<void> {
    for (;;) {
      const next = this.clock.nextAt();
      if (next === undefined || next > end) break;
      this.clock.advanceTo(next);
      await this.settle();
    }
    this.clock.advanceTo(end);
  }

  /** Waits for what may need time to go on: an extension that pends, or keeps its promise later. */
  async finish<T>(outcome: MaybePromise<T>): Promise<T> {
    if (!(outcome instanceof Promise)) return outcome;
    let isOver = false;
    const end = (): void => {
      isOver = true;
    };
    outcome.then(end, end);
    for (;;) {
      await this.settle();
      if (isOver) return outcome;
      const next = this.clock.nextAt();
      // Something outside of this world: it comes by itself, or never.
      if (next === undefined) return outcome;
      this.clock.advanceTo(next);
    }
  }

  async close(): Promise<void> {
    this.world.isClosed = true;
    await this.finish(stopWorld(this.world));
  }
}
