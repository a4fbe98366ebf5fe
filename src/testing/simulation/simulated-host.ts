import type { VirtualClock } from '../../core/clock.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import type { FeatureClass } from '../../mof/feature-class.ts';
import type { FabricEvent, TraceEntry } from '../../policy/api.ts';
import { Fabric } from '../../policy/fabric.ts';
import type { HostDirectory } from '../../policy/migration-api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import type { Store } from '../../store/store.ts';
import { liveVerifier } from '../../verifier/live-verifier.ts';
import { belowUplink } from './change-host.ts';
import { GUEST } from './guest.ts';
import { HostLook } from './host-look.ts';
import type { Planted } from './plants.ts';
import { MischiefList, rogueExtension } from './rogue.ts';
import { SimulatedHosts } from './simulated-hosts.ts';
import type { SimulatedStore } from './simulated-store.ts';
import type { Setting } from './step.ts';
import type { MofText } from './user-classes.ts';
import { mofOf, WELL_IDS, WellBehaved } from './well-behaved.ts';

const ROGUE_ID = 'f1000000-0000-4000-8000-0000000000f1';
const FORWARDER_ID = 'f0000000-0000-4000-8000-00000000000f';
/** What no other extension may have. */
export const OWN_IDS: ReadonlySet<string> = new Set([
  ROGUE_ID,
  FORWARDER_ID,
  GUEST.id,
  ...WELL_IDS,
]);
/** Entries of a trace: more than one step ever has. */
const TRACE_LIMIT = 20_000;

/** What the hosts of a simulation share. */
export interface Surroundings {
  readonly setting: Setting;
  readonly clock: VirtualClock;
  readonly hosts: HostDirectory;
  readonly mischief: MischiefList;
  readonly planted: Planted;
  /** Of whoever simulates. */
  readonly extensions: readonly ExtensionDefinition[];
  readonly mofs: readonly MofText[];
  readonly classes: readonly FeatureClass[];
  isDead(host: string): boolean;
}

/** One process of a host: a world on the host's disk, with extensions of its own. */
export class SimulatedHost {
  readonly name: string;
  readonly store: SimulatedStore;
  readonly wellBehaved: WellBehaved;
  readonly look: HostLook;
  readonly #around: Surroundings;
  #fabric: Fabric | undefined;
  /** It was opened with the extension that came later. */
  readonly #wasGuest: boolean;
  /** It has died and stays so. */
  isAway = false;
  #seen = 0;
  #heard = 0;

  constructor(name: string, store: SimulatedStore, around: Surroundings, hasGuest = false) {
    this.name = name;
    this.#wasGuest = hasGuest;
    this.store = store;
    this.#around = around;
    this.wellBehaved = new WellBehaved(around.mischief, around.classes);
    this.look = new HostLook(this);
  }

  get fabric(): Fabric {
    if (this.#fabric === undefined) throw new Error(`host ${this.name} is not open`);
    return this.#fabric;
  }

  /** There is a world, at least for now. */
  get isOpen(): boolean {
    return this.#fabric !== undefined;
  }

  /** The extension that came later is installed. */
  get hasGuest(): boolean {
    if (this.#fabric === undefined) return this.#wasGuest;
    return this.#fabric.extensions.list().some(({ id }) => id === GUEST.id);
  }

  async open(): Promise<void> {
    const { hosts, planted, isDead, mischief } = this.#around;
    if (planted.strikes('diskUnreadable')) {
      throw new ExtSwitchError('STORE_CORRUPT', 'the disk cannot be read');
    }
    const directory = new SimulatedHosts(hosts, this.name, { isDead, planted });
    this.#fabric = await this.#openOn(this.store, this.wellBehaved, mischief, directory);
  }

  /** The first process of the host: classes, and two switches that all hosts have, the first with a physical adapter. */
  async setUp(): Promise<void> {
    const { fabric } = this;
    await fabric.features.register(mofOf(1), { source: 'simulation.mof' });
    for (const { path, bytes } of this.#around.mofs) {
      await fabric.features.register(bytes, { source: path });
    }
    const extensions = fabric.extensions.list().map(({ id }) => id);
    for (const name of ['A', 'B']) {
      const uplink = name === 'A' ? { uplink: { adapters: belowUplink(1) } } : {};
      await fabric.switches.create({ name, type: 'external', extensions, ...uplink });
    }
  }

  /**
   * A second process that opens a copy of the disk, alone, with extensions that behave. It has a clock of its own and nobody
   * waits for it: whoever has looked at it lets go of it.
   */
  beside(clock: VirtualClock): Promise<Fabric> {
    const well = new WellBehaved(new MischiefList(), this.#around.classes);
    return this.#openOn(this.store.copy(), well, new MischiefList(), undefined, clock);
  }

  #openOn(
    store: Store,
    well: WellBehaved,
    mischief: MischiefList,
    hosts: HostDirectory | undefined,
    clock: VirtualClock = this.#around.clock,
  ): Promise<Fabric> {
    const { seed, profile, profiles, scheduling, behaviour, verifier } = this.#around.setting;
    const { extensions: given } = this.#around;
    // Rule A41: one forwarding extension on a switch.
    const isForwarding = given.some(({ type }) => type === 'forward');
    return Fabric.open({
      store,
      seed: `${seed}/${this.name}`,
      profile: profiles?.[this.name] ?? profile,
      clock,
      traceLimit: TRACE_LIMIT,
      scheduling,
      behaviour,
      name: this.name,
      ...(hosts === undefined ? {} : { hosts, faults: { crash: () => this.store.kill() } }),
      extensions: [
        ...well.definitions,
        rogueExtension('rogue', 'filter', ROGUE_ID, mischief),
        ...(isForwarding ? [] : [rogueExtension('forwarder', 'forward', FORWARDER_ID, mischief)]),
        ...(this.hasGuest ? [GUEST] : []),
        ...given,
      ],
      ...liveVerifier(verifier ?? (given.length === 0 ? 'off' : 'observe')),
    });
  }

  /** Trace entries that came since the last call. */
  newEntries(): readonly TraceEntry[] {
    const entries = this.fabric.trace.entries({ afterSeq: this.#seen });
    this.#seen = entries.at(-1)?.seq ?? this.#seen;
    return this.#around.planted.traced(entries);
  }

  /** Findings and changes of state since the last call. */
  newEvents(): FabricEvent[] {
    const { events } = this.fabric;
    const found = events.after(this.#heard);
    this.#heard = events.lastSeq;
    return found;
  }
}
