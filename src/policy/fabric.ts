import { randomBytes } from 'node:crypto';
import { VirtualClock } from '../core/clock.ts';
import { ExtSwitchError } from '../core/errors.ts';
import { defineExtension, isExtensionDefinition } from '../sdk/define.ts';
import { backupStore } from '../store/backup-store.ts';
import { openStore } from '../store/open-store.ts';
import type { StoreReport } from '../store/store.ts';
import type { FabricInterface, FabricOptions, PendingOid, ProfileName } from './api.ts';
import type { Transaction } from './change-log.ts';
import { Extensions, installExtension } from './extension-catalog.ts';
import { Features } from './feature-collection.ts';
import { Migrations } from './migration-collection.ts';
import { joinHosts, restoreMigrations } from './migration-restore.ts';
import { pendingOids } from './pending.ts';
import { parseProfile } from './profile.ts';
import { endRestore, restoreFeatures, restoreSwitches } from './restore.ts';
import { Switches } from './switch-collection.ts';
import { decodeTrace } from './trace-decode.ts';
import { Vms } from './vm-collection.ts';
import { restoreVms } from './vm-restore.ts';
import { WallDriver } from './wall-driver.ts';
import { World } from './world.ts';

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

/** Brings what is stored to life: switches with their stacks, ports, NICs and properties, migrations, VMs. */
async function restoreWorld(world: World): Promise<void> {
  await restoreSwitches(world);
  restoreMigrations(world);
  await restoreVms(world);
  endRestore(world);
}

/** A world: features, extensions, switches with their ports and policies, a clock, a seed, a trace, a store. */
export class Fabric implements FabricInterface {
  readonly features: Features;
  readonly extensions: Extensions;
  readonly switches: Switches;
  readonly vms: Vms;
  readonly migrations: Migrations;
  readonly trace: FabricInterface['trace'];
  readonly events: FabricInterface['events'];
  readonly #world: World;
  readonly #driver: WallDriver | undefined;
  readonly #transaction: Transaction | undefined;
  #closed: Promise<void> | undefined;

  private constructor(world: World, driver: WallDriver | undefined, transaction?: Transaction) {
    this.#world = world;
    this.#driver = driver;
    this.#transaction = transaction;
    this.features = new Features(world, transaction);
    this.extensions = new Extensions(world, transaction);
    this.switches = new Switches(world, transaction);
    this.vms = new Vms(world, transaction);
    this.migrations = new Migrations(world, transaction);
    this.events = world.events;
    this.trace = {
      entries: (filter = {}) => world.trace.entries(filter),
      decode: (entry) => decodeTrace(world.registry, entry),
    };
  }

  /** Opens a world; a store with something in it is brought back to life: switches, stacks, ports, NICs, properties. */
  static async open(options: FabricOptions = {}): Promise<Fabric> {
    const store =
      typeof options.store === 'object'
        ? options.store
        : await openStore(options.store ?? 'memory');
    let driver: WallDriver | undefined;
    try {
      checkOptions(options);
      const seed = options.seed ?? randomBytes(8).toString('hex');
      const isWall = options.clock === undefined || options.clock === 'wall';
      const clock =
        typeof options.clock === 'object'
          ? options.clock
          : new VirtualClock(isWall ? Date.now() : 0);
      const world = new World(options, store, seed, clock);
      driver = isWall ? new WallDriver(clock) : undefined;
      restoreFeatures(world);
      for (const given of options.extensions ?? []) {
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
      await restoreWorld(world);
      world.leaveHosts = joinHosts(world);
      driver?.opened();
      return new Fabric(world, driver);
    } catch (error) {
      driver?.stop();
      await store.close();
      throw error;
    }
  }

  get seed(): string {
    return this.#world.seed;
  }
  get profile(): ProfileName {
    return this.#world.profile;
  }
  get clock(): VirtualClock {
    return this.#world.clock;
  }

  pending(): readonly PendingOid[] {
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
      change(new Fabric(this.#world, this.#driver, transaction)),
    );
  }

  async reset(): Promise<void> {
    this.#notInside('a reset');
    const world = this.#world;
    // At once, so that nothing in flight keeps the reset waiting; again when it runs alone, for what came meanwhile.
    await this.#stopSwitches();
    const empty = async (transaction: Transaction): Promise<void> => {
      // First, since everything before it may have stopped already: what the store still holds comes back to life.
      let classes: ReturnType<World['registry']['clear']> = [];
      transaction.undos.push(async () => {
        await this.#stopSwitches();
        world.registry.clear();
        for (const { feature, uint16 } of classes) world.registry.put(feature, uint16);
        world.macs.clear();
        world.leaveHosts();
        await restoreWorld(world);
        world.leaveHosts = joinHosts(world);
      });
      await this.#stopSwitches();
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
      world.trace.clear();
      world.events.clear();
    });
  }

  async #stopSwitches(): Promise<void> {
    const { vms, vmNames, adapters, departures, arrivals } = this.#world;
    for (const vm of vms.values()) vm.isDeleted = true;
    for (const all of [vms, vmNames, adapters]) all.clear();
    // A migration that waits finds that it is no more.
    const waiting = [...departures.values()];
    if (!this.#world.isClosed) for (const all of [departures, arrivals]) all.clear();
    for (const { wake } of waiting) wake?.();
    const entries = [...this.#world.switches.values()];
    this.#world.switches.clear();
    this.#world.switchNames.clear();
    for (const entry of entries) entry.isDeleted = true;
    for (const { machine } of entries) await machine.stop();
  }

  async backup(folder: string): Promise<StoreReport> {
    this.#notInside('a backup');
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
      findings_total: world.findings,
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
    await this.#stopSwitches();
    this.#driver?.stop();
    await this.#world.store.close();
  }
}
