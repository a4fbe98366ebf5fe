import { nextState } from '../../switch/states.ts';
import { type MaybePromise, type Steps, settled } from '../../switch/steps.ts';
import type { Guid } from '../core/guid.ts';
import type { StoreOp } from '../store/store.ts';
import type { RestoreReport, SavedRecordInfo, VmState } from './api.ts';
import type {
  MigrationDocument,
  MigrationMapping,
  PortableDocument,
  PortableRecord,
  SupersededCopy,
} from './migration-api.ts';
import { type ArrivalRecord, putMigration } from './migration-records.ts';
import { skeletonOf } from './migration-skeleton.ts';
import { ARRIVAL_STATES, type ArrivalEvent, type ArrivalState } from './migration-states.ts';
import { Travel } from './migration-travel.ts';
import { propertyRecord } from './property-rules.ts';
import { adapterPropertyKey, put, vmKey } from './records.ts';
import { mustOffer } from './required-features.ts';
import { TurnQueue } from './turn-queue.ts';
import { refused } from './veto.ts';
import { addVm } from './vm-configuration.ts';
import {
  closeConnection,
  endStanding,
  openNic,
  portOf,
  validateAfterwards,
  vetoed,
} from './vm-connection.ts';
import { type AdapterEntry, type VmEntry, vmRecord } from './vm-entry.ts';
import { suspendAll } from './vm-power.ts';
import {
  connectedNics,
  NO_DATA,
  savedOps,
  savedRecordInfo,
  setSavedData,
} from './vm-saved-data.ts';
import { addPort, mustBeThere, type World } from './world.ts';

type Data = ReadonlyMap<Guid, readonly PortableRecord[]>;

const isAlive = (state: VmState): boolean => state === 'running' || state === 'paused';

/**
 * One VM on its way to this host. Its skeleton is in the tables of adapters, names and addresses, so that nothing it needs goes
 * meanwhile, and not in that of VMs: it is none until it is taken (rule G38).
 */
export class Arrival {
  readonly id: Guid;
  readonly vm: { readonly id: Guid; readonly name: string };
  readonly order: number;
  /** Messages about it, one after the other. */
  readonly queue = new TurnQueue();
  state: ArrivalState = 'unknown';
  /** To make the skeleton of. */
  document: MigrationDocument | undefined;
  switches: MigrationMapping = {};
  restore: RestoreReport | undefined;
  /** `superseded`: what was said of it, and what was taken away. */
  found: SupersededCopy | undefined;
  kept: PortableDocument | undefined;
  /** `undefined` after a restart, until it is needed. */
  #skeleton: VmEntry | undefined;
  #hasName = false;

  constructor(id: Guid, vm: { readonly id: Guid; readonly name: string }, order: number) {
    this.id = id;
    this.vm = { id: vm.id, name: vm.name };
    this.order = order;
  }

  static stored(id: Guid, record: ArrivalRecord): Arrival {
    const arrival = new Arrival(id, record.vm, record.order);
    arrival.state = record.state;
    arrival.document = record.document;
    arrival.switches = record.switches ?? {};
    arrival.restore = record.restore;
    arrival.found = record.found;
    arrival.kept = record.kept;
    return arrival;
  }

  /** Throws `ILLEGAL_TRANSITION` for a message that its state does not take. */
  next(event: ArrivalEvent): ArrivalState {
    return nextState(ARRIVAL_STATES, this.state, event, `migration ${this.id}`);
  }

  record(state: ArrivalRecord['state']): ArrivalRecord {
    const { order, vm, document, switches, restore, found, kept } = this;
    const role = 'destination';
    if (state === 'prepared' && document !== undefined) {
      return { role, state, order, vm, document, switches };
    }
    const head = { role, state, order, vm } as const;
    if (state === 'superseded' && found !== undefined) {
      return { ...head, found, ...(kept === undefined ? {} : { kept }) };
    }
    return state !== 'taken' || restore === undefined ? head : { ...head, restore };
  }

  /**
   * The operational ports of S12 step 3, with every policy; a refusal leaves nothing and throws. `made`: the skeleton the
   * extensions were asked about.
   */
  *open(world: World, made?: VmEntry): Steps<VmEntry> {
    const { document } = this;
    if (this.#skeleton !== undefined) return this.#skeleton;
    if (document === undefined) throw new Error(`migration ${this.id} has no document`);
    const vm = made ?? skeletonOf(world, document, this.switches);
    this.#claim(world, vm);
    this.#skeleton = vm;
    try {
      if (isAlive(document.vm.state)) {
        for (const adapter of vm.adapters) yield* openPort(world, adapter);
      }
    } catch (error) {
      yield* this.drop(world);
      throw error;
    }
    return vm;
  }

  /** Prepared: also while its ports are not there, after a restart, its name is not to be had. */
  claimName(world: World): void {
    this.#hasName = true;
    world.vmNames.add(this.vm.name);
  }

  #claim(world: World, vm: VmEntry): void {
    vm.travel = new Travel(this.id);
    this.claimName(world);
    for (const adapter of vm.adapters) {
      world.adapters.set(adapter.id, adapter);
      world.macs.keep(adapter.settings.mac);
    }
  }

  /** The skeleton away, with its ports, the latest first. */
  *drop(world: World): Steps<void> {
    const vm = this.#skeleton;
    this.#skeleton = undefined;
    if (vm === undefined) {
      this.#freeName(world);
      return;
    }
    vm.isDeleted = true;
    world.vms.delete(vm.id);
    for (const adapter of vm.adapters.toReversed()) {
      yield* closeConnection(adapter);
      yield* endStanding(world, adapter);
      world.adapters.delete(adapter.id);
      world.macs.forget(adapter.settings.mac);
    }
    this.#freeName(world);
    vm.travel?.end(vm);
  }

  #freeName(world: World): void {
    if (this.#hasName) world.vmNames.delete(this.vm.name);
    this.#hasName = false;
  }

  /** S12 steps 5 and 6: NICs of all adapters, then their records; what makes it a VM of this host is one write. */
  *take(world: World, data: Data, state: VmState): Steps<RestoreReport> {
    const vm = yield* this.open(world);
    const taken = this.next('take');
    // Its start was taken back at the source, after the ports of a running one were asked for.
    if (!isAlive(state)) {
      for (const adapter of vm.adapters.toReversed()) yield* closeConnection(adapter);
    }
    const restored = isAlive(state) ? yield* restoreAll(world, vm, data) : keepAll(vm, data);
    if (state === 'paused') yield* suspendAll(vm);
    vm.state = state;
    this.restore = restored;
    addVm(world, vm);
    const ops = arrivedOps(vm, putMigration(this.id, this.record('taken')));
    yield* settled(write(world, ops));
    this.state = taken;
    this.document = undefined;
    this.#skeleton = undefined;
    // From here on it is the VM's own.
    this.#hasName = false;
    if (!isAlive(state) && world.validationPorts === 'standing') {
      for (const adapter of vm.adapters) yield* validateAfterwards(world, adapter);
    }
    vm.travel?.end(vm);
    return restored;
  }
}

/** One write of its own; `undefined`: done at once. What it was for takes back itself what failed. */
export function write(world: World, ops: readonly StoreOp[]): MaybePromise<void> {
  return world.changes.commit(undefined, ops, () => undefined);
}

function arrivedOps(vm: VmEntry, migration: StoreOp): StoreOp[] {
  const ops = [migration, put(vmKey(vm.id), vmRecord(vm)), ...savedOps(vm, NO_DATA)];
  for (const { id, properties } of vm.adapters) {
    for (const one of properties.values()) {
      ops.push(put(adapterPropertyKey(id, one.id), propertyRecord(one)));
    }
  }
  return ops;
}

/** S12 step 3 for one adapter: the port it will have, without a NIC (rule G37). */
function* openPort(world: World, adapter: AdapterEntry): Steps<void> {
  const entry = adapter.target === undefined ? undefined : world.switches.get(adapter.target.id);
  if (entry === undefined) return;
  mustOffer(world, adapter, entry);
  adapter.opening = entry;
  try {
    const outcome = yield* settled(
      entry.machine.openConnection(
        { port: portOf(adapter, {}), properties: [...adapter.properties.values()], nics: [] },
        {
          check: () => mustBeThere(entry),
          accepted: (port) => {
            port.order = adapter.order;
            addPort(entry, port);
            adapter.connection = { entry, port };
          },
        },
      ),
    );
    if (outcome.refused !== undefined) throw vetoed(world, adapter, outcome, 'operational port');
  } finally {
    adapter.opening = undefined;
  }
}

function* restoreAll(world: World, vm: VmEntry, data: Data): Steps<RestoreReport> {
  for (const adapter of vm.adapters) yield* openNic(world, adapter);
  let restored = 0;
  const unowned: SavedRecordInfo[] = [];
  const left = new Map<AdapterEntry, readonly PortableRecord[]>();
  for (const [adapter, { entry, port }] of connectedNics(vm)) {
    const nic = port.nics.get(0);
    const records = data.get(adapter.id) ?? [];
    if (nic === undefined) continue;
    const outcome = yield* settled(entry.machine.restoreNic(port, nic, records));
    if (outcome.refused !== undefined) {
      throw refused(world, outcome.refused, `run-time data of ${adapter.description}`);
    }
    restored += outcome.restored;
    if (outcome.unowned.length > 0) left.set(adapter, outcome.unowned);
    for (const record of outcome.unowned) unowned.push(savedRecordInfo(adapter, record));
  }
  // What belongs to adapters that are not connected waits with the VM.
  for (const adapter of vm.adapters) {
    const records = data.get(adapter.id) ?? [];
    if (!adapter.isConnected && records.length > 0) left.set(adapter, records);
  }
  setSavedData(vm, left);
  return { restored, unowned };
}

/** A VM that does not run: its data stays saved, and is restored when it is (S10). */
function keepAll(vm: VmEntry, data: Data): RestoreReport {
  for (const adapter of vm.adapters) adapter.saved = data.get(adapter.id) ?? [];
  return { restored: 0, unowned: [] };
}
