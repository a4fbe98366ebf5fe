import { randomBytes } from 'node:crypto';
import type { Cluster } from '../cluster/api.ts';
import { VirtualClock } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { Isolation } from '../isolation/isolation.ts';
import { defineExtension, isExtensionDefinition } from '../sdk/define.ts';
import { backupStore } from '../store/backup-store.ts';
import { openStore } from '../store/open-store.ts';
import type { Store, StoreReport } from '../store/store.ts';
import type { FabricInterface, FabricOptions, PendingOid, ProfileName } from './api.ts';
import type { Transaction } from './change-log.ts';
import {
  type ClusterLink,
  endWhenLost,
  enterCluster,
  mustHold,
  tellCluster,
} from './cluster-world.ts';
import { Extensions, installExtension } from './extension-catalog.ts';
import { performAct } from './fault-acts.ts';
import { Faults } from './fault-collection.ts';
import type { FaultCollection } from './faults-api.ts';
import { Features } from './feature-collection.ts';
import { IsolatedCrashes } from './isolated-crash.ts';
import { loadIsolation } from './isolation-module.ts';
import { type MembersOf, refuseUnknown } from './known-members.ts';
import { Migrations } from './migration-collection.ts';
import { joinHosts } from './migration-restore.ts';
import { movingTime } from './opening-time.ts';
import { pendingOids } from './pending.ts';
import { parseProfile } from './profile.ts';
import { recordingOf } from './recording.ts';
import { recordingText } from './recording-text.ts';
import { restoreFeatures } from './restore.ts';
import type { RecordingOptions, SnapshotCollection, TimeControl } from './sim-api.ts';
import { SimTime } from './sim-time.ts';
import { replaceCatalog, type Snapshot } from './snapshot.ts';
import { Snapshots } from './snapshot-collection.ts';
import { Switches } from './switch-collection.ts';
import { decodeTrace } from './trace-decode.ts';
import { Vms } from './vm-collection.ts';
import { WallDriver } from './wall-driver.ts';
import { World } from './world.ts';
import { restoreHost, restoreWorld, stopWorld } from './world-life.ts';

const OPTIONS: MembersOf<FabricOptions> = {
  store: true,
  oidTimeoutMs: true,
  seed: true,
  profile: true,
  clock: true,
  extensions: true,
  isolate: true,
  traceLimit: true,
  scheduling: true,
  behaviour: true,
  name: true,
  hosts: true,
  observer: true,
  enforce: true,
  faults: true,
  log: true,
};

/** What TypeScript does not check, and configuration files do not know. */
function checkOptions({
  profile,
  oidTimeoutMs = 1,
  traceLimit = 1,
  scheduling = 'fifo',
  behaviour = {},
}: FabricOptions): void {
  if (profile !== undefined) parseProfile(profile);
  const check = (
    member: string,
    value: number | string,
    isFine: boolean,
    expected: string,
  ): void => {
    if (isFine) return;
    throw new ExtSwitchError('INVALID_ARGUMENT', `${member} ${value}: expected ${expected}`, {
      member,
      expected,
      found: String(value),
    });
  };
  const fine = Number.isFinite(oidTimeoutMs) && oidTimeoutMs > 0;
  check('oidTimeoutMs', oidTimeoutMs, fine, 'more than 0 milliseconds');
  const whole = Number.isSafeInteger(traceLimit) && traceLimit >= 0;
  check('traceLimit', traceLimit, whole, 'a whole number from 0');
  const { validationPorts = 'short', activation = 'first' } = behaviour;
  for (const [member, value, known] of [
    ['scheduling', scheduling, ['fifo', 'seeded']],
    ['validationPorts', validationPorts, ['short', 'standing']],
    ['activation', activation, ['first', 'last']],
  ] as const) {
    check(member, value, (known as readonly string[]).includes(value), known.join(' or '));
  }
  const { transientRetries = 0, internalNics = 1 } = behaviour;
  for (const [member, value] of Object.entries({ transientRetries, internalNics })) {
    check(member, value, Number.isSafeInteger(value) && value >= 0, 'a whole number from 0');
  }
}

async function installAll(
  world: World,
  extensions: NonNullable<FabricOptions['extensions']>,
): Promise<void> {
  for (const given of extensions) {
    const definition = isExtensionDefinition(given) ? given : defineExtension(given);
    const installed = installExtension(world, definition);
    if (installed === undefined) {
      throw new ExtSwitchError(
        'ALREADY_EXISTS',
        `extension ${definition.name} (${definition.id}) is given twice`,
        { extensionId: definition.id },
      );
    }
    await world.changes.commit(undefined, installed.ops, installed.undo);
  }
}

async function isolationOf({ isolate, clock }: FabricOptions): Promise<Isolation | undefined> {
  if (isolate === undefined) return undefined;
  const IsolationOf = await loadIsolation();
  return new IsolationOf(isolate, clock !== undefined && clock !== 'wall');
}

/** Each worker has its module loaded before a switch needs it. */
async function prepareIsolated({ isolation, extensions }: World): Promise<void> {
  if (isolation === undefined) return;
  isolation.checkNames(extensions.values());
  await Promise.all(Array.from(extensions.values(), (each) => isolation.prepare(each)));
}

/** What a world has beside its state, shared by all handles of it. */
interface WorldLife {
  readonly driver: WallDriver | undefined;
  readonly time: SimTime;
  /** As it was opened. */
  options: FabricOptions;
  readonly snapshots: Map<string, Snapshot>;
  cluster?: Cluster;
  /** The cluster hears no more of it. */
  endTelling?: () => void;
}

/** A world: features, extensions, switches with their ports and policies, a clock, a seed, a trace, a store. */
export class Fabric implements FabricInterface {
  readonly #features: Features;
  readonly #extensions: Extensions;
  readonly #switches: Switches;
  readonly #vms: Vms;
  readonly #migrations: Migrations;
  readonly trace: FabricInterface['trace'];
  readonly events: FabricInterface['events'];
  readonly findings: FabricInterface['findings'];
  readonly time: TimeControl;
  readonly snapshots: SnapshotCollection;
  readonly faults: FaultCollection;
  readonly #world: World;
  readonly #life: WorldLife;
  readonly #transaction: Transaction | undefined;
  #closed: Promise<void> | undefined;

  private constructor(world: World, life: WorldLife, transaction?: Transaction) {
    this.#world = world;
    this.#life = life;
    this.#transaction = transaction;
    this.#features = new Features(world, transaction);
    this.#extensions = new Extensions(world, transaction);
    this.#switches = new Switches(world, transaction);
    this.#vms = new Vms(world, transaction);
    this.#migrations = new Migrations(world, transaction);
    this.events = world.events;
    this.trace = {
      entries: (filter = {}) => world.trace.entries(filter),
      decode: (entry) => decodeTrace(world.registry, entry),
    };
    this.findings = world.findings;
    this.time = life.time;
    this.faults = new Faults(world, transaction);
    this.snapshots = new Snapshots(
      {
        world,
        isTimeStill: () => life.time.info.mode !== 'wall',
        notInside: (what) => this.#notInside(what),
        fork: (snapshot, name) => Fabric.#fork(world, life.options, snapshot, name),
      },
      life.snapshots,
    );
  }

  /** Opens a world; a store with something in it is brought back to life: switches, stacks, ports, NICs, properties. */
  static async open(options: FabricOptions = {}): Promise<Fabric> {
    refuseUnknown('Fabric.open', options, OPTIONS);
    const prepare = async (world: World): Promise<void> => {
      restoreFeatures(world);
      await installAll(world, options.extensions ?? []);
    };
    const link = await enterCluster(options);
    if (link !== undefined) return Fabric.#join(options, link, prepare);
    const store =
      typeof options.store === 'object'
        ? options.store
        : await openStore(options.store ?? 'memory');
    return Fabric.#live(options, store, prepare);
  }

  /** A world that is a host of a cluster. */
  static async #join(
    options: FabricOptions,
    { cluster, hosts }: ClusterLink,
    prepare: (world: World) => Promise<void>,
  ): Promise<Fabric> {
    try {
      let opened: World | undefined;
      const fabric = await Fabric.#live({ ...options, hosts }, cluster.store, async (world) => {
        opened = world;
        await prepare(world);
      });
      // A fork is no host of the cluster.
      fabric.#life.options = options;
      fabric.#life.cluster = cluster;
      fabric.#life.endTelling = await tellCluster(fabric, cluster);
      if (opened !== undefined) endWhenLost(opened, cluster);
      return fabric;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** A world in memory that begins as another one was (see {@link SnapshotCollection.fork}). */
  static async #fork(
    source: World,
    options: FabricOptions,
    snapshot: Snapshot,
    name: string | undefined,
  ): Promise<Fabric> {
    const { name: _name, hosts, clock, faults: _faults, ...rest } = options;
    const follows = clock === undefined || clock === 'wall';
    const place = name === undefined || hosts === undefined ? {} : { hosts };
    const forked: FabricOptions = {
      ...rest,
      ...place,
      ...(name === undefined ? {} : { name }),
      seed: source.seed,
      clock: follows ? 'wall' : new VirtualClock(snapshot.info.time),
    };
    return Fabric.#live(
      forked,
      snapshot.store.fork(),
      async (world) => replaceCatalog(world, snapshot.extensions),
      (world) => {
        world.goTo(snapshot.position);
        world.faults.rules.goTo(snapshot.faults);
      },
    );
  }

  /** `prepare`: classes and extensions, before what is stored comes to life; `lived`: right after. */
  static async #live(
    options: FabricOptions,
    store: Store,
    prepare: (world: World) => Promise<void>,
    lived?: (world: World) => void,
  ): Promise<Fabric> {
    let driver: WallDriver | undefined;
    let isolation: Isolation | undefined;
    try {
      checkOptions(options);
      const seed = options.seed ?? randomBytes(8).toString('hex');
      const isWall = options.clock === undefined || options.clock === 'wall';
      const clock =
        typeof options.clock === 'object'
          ? options.clock
          : new VirtualClock(isWall ? Date.now() : 0);
      isolation = await isolationOf(options);
      const world = new World(options, store, seed, clock, isolation);
      world.faults.perform = (act, target) => performAct(world, act, target);
      driver = isWall ? new WallDriver(clock) : undefined;
      const comeToLife = async (): Promise<void> => {
        await prepare(world);
        await prepareIsolated(world);
        await restoreWorld(world);
      };
      // A clock that the caller gave the caller can move; one that is made here nobody has yet.
      const isOurs = options.clock === 'manual' || lived !== undefined;
      if (isOurs && !isWall) await movingTime(world, comeToLife);
      else await comeToLife();
      lived?.(world);
      world.leaveHosts = joinHosts(world);
      driver?.opened();
      const time = new SimTime(world, driver);
      const fabric = new Fabric(world, { driver, time, options, snapshots: new Map() });
      if (isolation !== undefined) new IsolatedCrashes(fabric, isolation, world.log);
      return fabric;
    } catch (error) {
      driver?.stop();
      await isolation?.close();
      await store.close();
      throw error;
    }
  }

  get seed(): string {
    return this.#world.seed;
  }
  get isolate(): FabricInterface['isolate'] {
    return this.#world.isolation?.settings();
  }

  get profile(): ProfileName {
    return this.#world.profile;
  }
  get clock(): VirtualClock {
    return this.#world.clock;
  }

  get features(): Features {
    return this.#held(this.#features);
  }
  get extensions(): Extensions {
    return this.#held(this.#extensions);
  }
  get switches(): Switches {
    return this.#held(this.#switches);
  }
  get vms(): Vms {
    return this.#held(this.#vms);
  }
  get migrations(): Migrations {
    return this.#held(this.#migrations);
  }
  get cluster(): Cluster | undefined {
    return this.#life.cluster;
  }

  /** What is answered from memory is answered only by the process that is the host. */
  #held<T>(collection: T): T {
    mustHold(this.#life);
    return collection;
  }

  pending(): readonly PendingOid[] {
    this.#world.mustHold();
    return pendingOids(this.#world);
  }

  /** For what would wait for the atomic change it is called from, or pull the world from under it. */
  #notInside(what: string): void {
    if (this.#transaction === undefined) return;
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `${what} is not possible inside an atomic change`,
    );
  }

  async atomic<T>(change: (world: FabricInterface) => Promise<T>): Promise<T> {
    this.#notInside('an atomic change');
    return this.#world.changes.atomic((transaction) =>
      change(new Fabric(this.#world, this.#life, transaction)),
    );
  }

  async reset(): Promise<void> {
    this.#notInside('a reset');
    const world = this.#world;
    const { rules } = world.faults;
    // At once, so that nothing in flight keeps the reset waiting; again when it runs alone, for what came meanwhile.
    await stopWorld(world);
    const empty = async (transaction: Transaction): Promise<void> => {
      // First, since everything before it may have stopped already: what the store still holds comes back to life.
      let classes: ReturnType<World['registry']['clear']> = [];
      transaction.undos.push(async () => {
        await stopWorld(world);
        world.registry.clear();
        for (const { feature, uint16 } of classes) world.registry.put(feature, uint16);
        world.macs.clear();
        await rules.without(() => restoreHost(world));
      });
      await stopWorld(world);
      for (const [key] of world.store.range('')) transaction.ops.push({ op: 'delete', key });
      classes = world.registry.clear();
      const definitions = [...world.extensions.values()];
      world.extensions.clear();
      for (const definition of definitions) {
        transaction.ops.push(...(installExtension(world, definition)?.ops ?? []));
      }
      world.macs.clear();
    };
    await world.changes.atomic(empty, () => {
      world.clearHistory();
      rules.goTo([]);
    });
  }

  recording(options: RecordingOptions = {}): string {
    this.#world.mustHold();
    const { snapshot } = options;
    const from = snapshot === undefined ? undefined : this.#life.snapshots.get(snapshot);
    // Throws NOT_FOUND.
    if (snapshot !== undefined) this.snapshots.get(snapshot);
    return recordingText(recordingOf(this.#world, from));
  }

  async backup(folder: string): Promise<StoreReport> {
    this.#notInside('a backup');
    this.#world.mustHold();
    return backupStore(this.#world.store, folder);
  }

  counters(): Readonly<Record<string, number>> {
    const world = this.#world;
    let ports = 0;
    let properties = 0;
    let inFlight = 0;
    for (const entry of world.switches.values()) {
      ports += entry.ports.size;
      properties += entry.machine.state.properties.size;
      inFlight += entry.machine.pipeline.inFlight.size;
      for (const port of entry.ports.values()) {
        if (port.owner === undefined) properties += port.properties.size;
      }
    }
    for (const adapter of world.adapters.values()) properties += adapter.properties.size;
    const vms = { off: 0, running: 0, paused: 0, saved: 0 };
    for (const { state } of world.vms.values()) vms[state] += 1;
    return {
      switches: world.switches.size,
      vms: world.vms.size,
      vms_off: vms.off,
      vms_running: vms.running,
      vms_paused: vms.paused,
      vms_saved: vms.saved,
      ports,
      properties,
      oids_in_flight: inFlight,
      oids_completed_total: world.trace.recorded,
      vetoes_total: world.vetoes,
      findings_total: world.findingCount,
      faults_injected_total: world.faults.rules.injected,
      ...world.isolation?.totals(),
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#notInside('closing the world');
    this.#world.isClosed = true;
    this.#world.leaveHosts();
    await stopWorld(this.#world);
    this.#life.driver?.stop();
    await this.#world.isolation?.close();
    this.#life.snapshots.clear();
    this.#life.endTelling?.();
    try {
      await this.#world.store.close();
    } finally {
      // Whatever the store says: a lease that is renewed for ever would keep everybody else out.
      await this.#life.cluster?.close();
    }
  }
}
