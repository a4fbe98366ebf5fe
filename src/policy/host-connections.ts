import { macText } from '../../switch/parameters.ts';
import type { Nic, Port } from '../../switch/ports.ts';
import { ExtSwitchError } from '../core/errors.ts';
import type {
  HostConnections,
  PhysicalAdapterInfo,
  PortHandle,
  UplinkInfo,
  UplinkOptions,
} from './api.ts';
import type { Transaction } from './change-log.ts';
import { type Keep, openInternalNic, openUplink } from './host-ports.ts';
import { portInfo } from './info.ts';
import { PortObject } from './port-handle.ts';
import { portOps } from './port-record.ts';
import { uplinkPort } from './uplink-port.ts';
import { mustBeThere, presentSwitch, type SwitchEntry, type World } from './world.ts';

/** The host's own connections to one switch: the uplink and the management OS. */
export class Host implements HostConnections {
  readonly #world: World;
  readonly #transaction: Transaction | undefined;
  readonly #entry: SwitchEntry;

  constructor(world: World, transaction: Transaction | undefined, entry: SwitchEntry) {
    this.#world = world;
    this.#transaction = transaction;
    this.#entry = entry;
  }

  get uplink(): UplinkInfo | undefined {
    this.#world.mustHold();
    const port = uplinkPort(this.#entry);
    return port === undefined ? undefined : uplinkInfo(this.#entry, port);
  }

  async connectUplink(options: UplinkOptions): Promise<UplinkInfo> {
    return this.#world.changes.run(this.#transaction, async () => {
      const port = await openUplink(this.#world, this.#entry, options, this.#keep);
      return uplinkInfo(this.#entry, port);
    });
  }

  async disconnectUplink(): Promise<void> {
    return new PortObject(this.#world, this.#transaction, this.#entry, this.#uplinkPort()).delete();
  }

  async setLink(index: number, up: boolean): Promise<PhysicalAdapterInfo> {
    const world = this.#world;
    const entry = this.#entry;
    return world.changes.run(this.#transaction, async () => {
      mustBeThere(entry);
      const nic = this.#adapter(index);
      const before = nic.adapter?.linkUp ?? true;
      entry.machine.setLink(index, up);
      if (before === up) return adapterInfo(nic);
      await this.#keep(portOps(entry, this.#uplinkPort()), () => {
        presentSwitch(world, entry).machine.setLink(index, before);
      });
      return adapterInfo(nic);
    });
  }

  #adapter(index: number): Nic {
    const nic = this.#uplinkPort().nics.get(index);
    if (index > 0 && nic !== undefined) return nic;
    throw new ExtSwitchError(
      'NOT_FOUND',
      `the uplink of switch ${this.#entry.name} has no adapter with index ${index}`,
      { member: 'index', found: String(index) },
    );
  }

  async addInternalNic(
    options: { readonly name?: string; readonly mac?: string } = {},
  ): Promise<PortHandle> {
    return this.#world.changes.run(this.#transaction, async () => {
      const port = await openInternalNic(this.#world, this.#entry, options, this.#keep);
      return new PortObject(this.#world, this.#transaction, this.#entry, port);
    });
  }

  readonly #keep: Keep = (ops, undo) => this.#world.changes.commit(this.#transaction, ops, undo);

  #uplinkPort(): Port {
    const port = uplinkPort(this.#entry);
    if (port !== undefined) return port;
    throw new ExtSwitchError('NOT_FOUND', `switch ${this.#entry.name} has no uplink`);
  }
}

function uplinkInfo(entry: SwitchEntry, port: Port): UplinkInfo {
  const lower = [...port.nics.values()].filter(({ index }) => index > 0);
  return {
    team: entry.portFacts.get(port.id)?.team ?? (lower.length > 1 ? 'switch' : 'none'),
    port: portInfo(entry, port),
    // Rule C53: index 0 alone is not operational.
    operational: lower.some(({ state }) => state === 'connected'),
    adapters: lower.map(adapterInfo),
  };
}

function adapterInfo({ index, friendlyName, permanentMac, adapter }: Nic): PhysicalAdapterInfo {
  return {
    index,
    name: adapter?.name ?? friendlyName,
    mac: macText(permanentMac),
    linkUp: adapter?.linkUp ?? true,
    virtualFunctions: adapter?.virtualFunctions ?? 0,
    virtualFunctionsUsed: adapter?.virtualFunctionsUsed ?? 0,
    queues: adapter?.queues ?? 0,
    queuesUsed: adapter?.queuesUsed ?? 0,
  };
}
