import { ExtSwitchError } from '../core/errors.ts';
import type {
  AdapterHandle,
  AdapterInfo,
  AdapterOptions,
  AdapterUpdate,
  FeatureStatusInfo,
  PortHandle,
  PropertyCollection,
  RestoreReport,
  VmHandle,
  VmInfo,
} from './api.ts';
import type { Transaction } from './change-log.ts';
import { queryStatus } from './feature-status.ts';
import { findOne } from './lookup.ts';
import type { CompatibilityReport, PortableDocument } from './migration-api.ts';
import { compareHere } from './migration-local.ts';
import { PortObject } from './port-handle.ts';
import { exportVm } from './portable-export.ts';
import { mustExist, mustHave } from './vm-change.ts';
import { addAdapter, deleteVm, removeAdapter } from './vm-configuration.ts';
import type { AdapterEntry, Connection, VmEntry } from './vm-entry.ts';
import { adapterInfo, vmInfo } from './vm-info.ts';
import { connectAdapter, disconnectAdapter } from './vm-move.ts';
import { pauseVm, resumeVm, startVm, stopVm } from './vm-power.ts';
import { AdapterProperties } from './vm-properties.ts';
import { restoreVm, saveVm } from './vm-save.ts';
import { assignAdapterVf, removeAdapterVf, updateAdapter } from './vm-update.ts';
import type { World } from './world.ts';

/** A VM as management sees it. */
export class VmObject implements VmHandle {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #vm: VmEntry;

  constructor(world: World, transaction: Transaction | undefined, vm: VmEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#vm = vm;
  }

  get info(): VmInfo {
    this.#world.mustHold();
    return vmInfo(this.#world, this.#vm);
  }
  get adapters(): readonly AdapterHandle[] {
    this.#world.mustHold();
    return this.#vm.adapters.map((adapter) => this.#handle(adapter));
  }

  adapter(idOrName: string): AdapterHandle {
    return this.#handle(this.#find(idOrName));
  }

  #handle(adapter: AdapterEntry): AdapterHandle {
    return new AdapterObject(this.#world, this.#transaction, adapter);
  }

  #find(idOrName: string): AdapterEntry {
    this.#world.mustHold();
    mustExist(this.#vm);
    const { adapters, name } = this.#vm;
    return findOne(
      `adapter of VM ${JSON.stringify(name)}`,
      idOrName,
      (id) => adapters.find((adapter) => adapter.id === id),
      adapters,
      ({ settings }) => settings.name,
    );
  }

  async start(): Promise<VmInfo> {
    return startVm(this.#world, this.#transaction, this.#vm);
  }
  async stop(): Promise<VmInfo> {
    return stopVm(this.#world, this.#transaction, this.#vm);
  }
  async pause(): Promise<VmInfo> {
    return pauseVm(this.#world, this.#transaction, this.#vm);
  }
  async resume(): Promise<VmInfo> {
    return resumeVm(this.#world, this.#transaction, this.#vm);
  }
  async save(): Promise<VmInfo> {
    return saveVm(this.#world, this.#transaction, this.#vm);
  }
  async restore(): Promise<RestoreReport> {
    return restoreVm(this.#world, this.#transaction, this.#vm);
  }

  async export(): Promise<PortableDocument> {
    const world = this.#world;
    world.mustHold();
    const vm = this.#vm;
    // In its turn: not between the steps of a change.
    return world.changes.run(this.#transaction, () =>
      vm.queue.run(() => {
        mustExist(vm);
        return exportVm(world, vm);
      }),
    );
  }

  async addAdapter(options: AdapterOptions = {}): Promise<AdapterHandle> {
    return this.#handle(await addAdapter(this.#world, this.#transaction, this.#vm, options));
  }
  async removeAdapter(idOrName: string): Promise<void> {
    await removeAdapter(this.#world, this.#transaction, this.#find(idOrName));
  }
  async compare(switchIdOrName?: string): Promise<CompatibilityReport> {
    this.#world.mustHold();
    mustExist(this.#vm);
    return compareHere(this.#world, this.#vm, switchIdOrName);
  }
  async delete(): Promise<void> {
    await deleteVm(this.#world, this.#transaction, this.#vm);
  }
}

/** A network adapter of a VM as management sees it. */
class AdapterObject implements AdapterHandle {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #adapter: AdapterEntry;

  constructor(world: World, transaction: Transaction | undefined, adapter: AdapterEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#adapter = adapter;
  }

  get info(): AdapterInfo {
    this.#world.mustHold();
    return adapterInfo(this.#world, this.#adapter);
  }
  get properties(): PropertyCollection {
    return new AdapterProperties(this.#world, this.#transaction, this.#adapter);
  }
  get port(): PortHandle {
    const { entry, port } = this.#connection();
    return new PortObject(this.#world, this.#transaction, entry, port);
  }

  #connection(): Connection {
    this.#world.mustHold();
    const { connection, description } = this.#adapter;
    if (connection !== undefined) return connection;
    throw new ExtSwitchError('NOT_FOUND', `${description} has no port: it is not connected now`, {
      found: this.#adapter.id,
    });
  }

  async status(feature: string): Promise<FeatureStatusInfo> {
    mustHave(this.#adapter);
    const { entry, port } = this.#connection();
    return queryStatus(this.#world, entry, port, feature);
  }

  async connect(switchIdOrName: string): Promise<AdapterInfo> {
    return connectAdapter(this.#world, this.#transaction, this.#adapter, switchIdOrName);
  }
  async disconnect(): Promise<AdapterInfo> {
    return disconnectAdapter(this.#world, this.#transaction, this.#adapter);
  }
  async update(change: AdapterUpdate): Promise<AdapterInfo> {
    return updateAdapter(this.#world, this.#transaction, this.#adapter, change);
  }
  async assignVf(): Promise<AdapterInfo> {
    return assignAdapterVf(this.#world, this.#transaction, this.#adapter);
  }
  async removeVf(): Promise<AdapterInfo> {
    return removeAdapterVf(this.#world, this.#transaction, this.#adapter);
  }
}
