import type { Port } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type { NicCollection, NicInfo, NicUpdate } from './api.ts';
import type { Transaction } from './change-log.ts';
import { nicInfo } from './info.ts';
import type { AdapterEntry } from './vm-entry.ts';
import { updateAdapter } from './vm-update.ts';
import type { SwitchEntry, World } from './world.ts';

/*
 * Ports of VMs seen from the switch: they are listed with the others, and come and go with the VM alone.
 */

/** The network adapter a port was made for; `undefined` for ports of the host and those made by hand. */
export function adapterOf(world: World, port: Port): AdapterEntry | undefined {
  return port.owner === undefined ? undefined : world.adapters.get(port.owner.adapterId);
}

/** Refuses what would part a port from its VM; names VM, rule and what to do instead. */
export function mustNotBeOfVm(port: Port, what: string, rule: string, instead: string): void {
  const { owner } = port;
  if (owner === undefined) return;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `port ${port.friendlyName} belongs to VM ${JSON.stringify(owner.vmName)} and cannot be ${what} by itself: ` +
      `${instead} (rule ${rule})`,
    { rule, found: owner.vmId },
  );
}

/** The NIC of a VM's port. */
export class AdapterNics implements NicCollection {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #adapter: AdapterEntry;
  readonly #port: Port;

  constructor(
    world: World,
    transaction: Transaction | undefined,
    adapter: AdapterEntry,
    port: Port,
  ) {
    this.#world = world;
    this.#transaction = transaction;
    this.#adapter = adapter;
    this.#port = port;
  }

  list(): readonly NicInfo[] {
    this.#world.mustHold();
    return [...this.#port.nics.values()].map(nicInfo);
  }
  async connect(): Promise<NicInfo> {
    mustNotBeOfVm(this.#port, 'given a NIC', 'C22', 'connect the adapter');
    return this.#get(0);
  }
  async disconnect(): Promise<void> {
    mustNotBeOfVm(this.#port, 'deprived of its NIC', 'C30', 'disconnect the adapter');
  }

  /** The adapter's own update: the change stays when the port goes. */
  async update(index: number, change: NicUpdate): Promise<NicInfo> {
    this.#get(index);
    await updateAdapter(this.#world, this.#transaction, this.#adapter, change);
    return this.#get(index);
  }

  #get(index: number): NicInfo {
    const nic = this.#port.nics.get(index);
    if (nic !== undefined) return nicInfo(nic);
    throw new ExtSwitchError(
      'NOT_FOUND',
      `port ${this.#port.friendlyName} has no NIC with index ${index}`,
      { member: 'index', found: String(index) },
    );
  }
}

/**
 * Before a switch is deleted: no VM may be running on it, or be about to (rule B20). VMs that are off keep it in their
 * configuration, and say so when they start.
 */
export function mustBeUnused(world: World, entry: SwitchEntry): void {
  const users = new Set<string>();
  for (const { connection, opening, vm } of world.adapters.values()) {
    if (connection?.entry === entry || opening === entry) users.add(JSON.stringify(vm.name));
  }
  if (users.size === 0) return;
  throw new ExtSwitchError(
    'ILLEGAL_TRANSITION',
    `switch ${entry.name} has ${users.size} VM(s) connected: stop or disconnect ${[...users].join(', ')} first (rule B20)`,
    { rule: 'B20', found: [...users].join(', ') },
  );
}
