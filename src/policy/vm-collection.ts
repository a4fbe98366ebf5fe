import type { AdapterOptions, VmCollection, VmHandle, VmInfo, VmKey } from './api.ts';
import type { Transaction } from './change-log.ts';
import { type MembersOf, refuseUnknown } from './known-members.ts';
import { findOne } from './lookup.ts';
import type { ImportOptions, ImportReport } from './migration-api.ts';
import { importVms } from './portable-import.ts';
import { createVm } from './vm-configuration.ts';
import { VmObject } from './vm-handle.ts';
import { vmInfo } from './vm-info.ts';
import type { World } from './world.ts';

const ADAPTER: MembersOf<AdapterOptions> = {
  name: true,
  switch: true,
  mac: true,
  type: true,
  mtu: true,
  requiredFeatures: true,
};

/** VMs of a world. */
export class Vms implements VmCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;

  constructor(world: World, transaction: Transaction | undefined) {
    this.#world = world;
    this.#transaction = transaction;
  }

  async create(options: {
    readonly name: string;
    readonly adapters?: readonly AdapterOptions[];
  }): Promise<VmHandle> {
    refuseUnknown('vms.create', options, { name: true, adapters: true });
    for (const adapter of options.adapters ?? []) refuseUnknown('an adapter', adapter, ADAPTER);
    const vm = await createVm(this.#world, this.#transaction, options);
    return new VmObject(this.#world, this.#transaction, vm);
  }

  async import(document: unknown, options: ImportOptions = {}): Promise<ImportReport> {
    return importVms(this.#world, this.#transaction, document, options);
  }

  *list(): Iterable<VmInfo> {
    this.#world.mustHold();
    for (const vm of this.#world.vms.values()) yield vmInfo(this.#world, vm);
  }

  *keys(): Iterable<VmKey> {
    for (const { id, name } of this.#world.vms.values()) yield { id, name };
  }

  get(idOrName: string): VmHandle {
    this.#world.mustHold();
    const { vms } = this.#world;
    const vm = findOne(
      'VM',
      idOrName,
      (id) => vms.get(id),
      vms.values(),
      ({ name }) => name,
    );
    return new VmObject(this.#world, this.#transaction, vm);
  }
}
