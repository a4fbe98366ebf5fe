import { macText } from '../../switch/parameters.ts';
import type { Port, PortOwner, PropertyInstance } from '../../switch/ports.ts';
import type { SaveRecord } from '../../switch/save-record.ts';
import type { Steps } from '../../switch/steps.ts';
import type { Guid } from '../core/guid.ts';
import type { StoreOp } from '../store/store.ts';
import type { VmState } from './api.ts';
import type { MacOwner } from './mac-pool.ts';
import type { Travel } from './migration-travel.ts';
import type { AdapterRecord, VmRecord } from './records.ts';
import { TurnQueue } from './turn-queue.ts';
import { vfAdapterOf } from './vf-adapter.ts';
import type { SwitchEntry } from './world.ts';

/** A port of an adapter and the switch it is on. */
export interface Connection {
  readonly entry: SwitchEntry;
  readonly port: Port;
}

/** Where the adapter's validation port stands. */
export interface Stand {
  readonly switchId: Guid;
  readonly portId: number;
}

export interface RequiredFeature {
  readonly id: Guid;
  /** For messages: also where the class is not registered. */
  readonly name: string;
}

/** What of an adapter is given when it is made, and stays. */
export interface AdapterIdentity {
  readonly id: Guid;
  /** PortName of the ports it has in its life; unrelated to its id (management.md 3.8). */
  readonly portName: Guid;
  readonly type: 'synthetic' | 'emulated';
  /** Order of creation in the world. */
  readonly order: number;
}

/** What of an adapter may change. */
export interface AdapterSettings {
  name: string;
  /** PermanentMacAddress. */
  mac: Uint8Array;
  macType: 'static' | 'dynamic';
  /** VMMacAddress, once the guest has set one (rule C14). */
  vmMac: Uint8Array | undefined;
  numaNode: number;
  /** Bytes. What an extension lowered at the first NIC_CREATE stays lowered (rule C19). */
  mtu: number;
}

/**
 * A network adapter of a VM. It owns its configuration and its policies: ports come and go, both stay (rules E61, G41).
 */
export class AdapterEntry implements MacOwner {
  readonly vm: VmEntry;
  readonly id: Guid;
  readonly portName: Guid;
  readonly type: 'synthetic' | 'emulated';
  readonly order: number;
  /** For the names of its ports. */
  readonly owner: PortOwner;
  readonly settings: AdapterSettings;
  /** The switch it connects to when the VM runs, with the name that switch had last. */
  target: { readonly id: Guid; readonly name: string } | undefined;
  /** It had its first NIC_CREATE (rule C17). */
  isKnown = false;
  /** Features a switch must offer for it to connect there (management.md 5). */
  requiredFeatures: readonly RequiredFeature[] = [];
  /** In order of creation. The port of a running VM has the same instances. */
  properties = new Map<Guid, PropertyInstance>();
  /** The operational port. */
  connection: Connection | undefined;
  /** A validation port that stands until the VM starts (OP-19). */
  standing: Connection | undefined;
  /** Where it stood when its switch was deleted: it comes back with the switch, when that is undone. */
  stoodOn: Stand | undefined;
  /** The switch on which its port is being made: it cannot be deleted meanwhile. */
  opening: SwitchEntry | undefined;
  /** Run-time data of a saved VM, and of a running one what no extension took (rule G26). */
  saved: readonly SaveRecord[] = [];
  isRemoved = false;

  constructor(vm: VmEntry, identity: AdapterIdentity, settings: AdapterSettings) {
    this.vm = vm;
    this.id = identity.id;
    this.portName = identity.portName;
    this.type = identity.type;
    this.order = identity.order;
    this.settings = settings;
    this.owner = { vmId: vm.id, vmName: vm.name, adapterId: identity.id };
  }

  get isConnected(): boolean {
    return this.connection?.port.nics.get(0)?.state === 'connected';
  }

  /** The adapter in words, for errors. */
  get description(): string {
    return `network adapter ${JSON.stringify(this.settings.name)} of VM ${JSON.stringify(this.vm.name)}`;
  }
}

/** A change of a VM that the store refused. */
export interface FailedChange {
  readonly undo: () => Steps<void>;
  readonly ops: readonly StoreOp[];
}

/** A virtual machine, as far as a switch meets it. */
export class VmEntry {
  readonly id: Guid;
  readonly name: string;
  /** Order of creation in the world. */
  readonly order: number;
  readonly queue = new TurnQueue();
  state: VmState = 'off';
  adapters: readonly AdapterEntry[] = [];
  isDeleted = false;
  /** It is migrating: changes wait, or are refused (migration-travel.ts). */
  travel: Travel | undefined;
  /** The host a migration took it to. */
  movedTo: string | undefined;
  /** Changes committed. */
  changes = 0;
  /** Of changes, by number, that the store refused while a later one was under way: undone when that one is. */
  readonly undos = new Map<number, FailedChange>();
  /** The last change that is stored. */
  stored = 0;
  /** Changes whose write has not ended, its undo included. */
  inFlight = 0;
  /** Keys written, with the change that wrote them last; while something is in flight. */
  readonly written = new Map<string, number>();

  constructor(id: Guid, name: string, order: number) {
    this.id = id;
    this.name = name;
    this.order = order;
  }

  /** NICs are connected: `paused` keeps them so (OP-16). */
  get isAlive(): boolean {
    return this.state === 'running' || this.state === 'paused';
  }
}

/** The stored form of a VM. */
export function vmRecord(vm: VmEntry): VmRecord {
  const adapters: AdapterRecord[] = [];
  for (const adapter of vm.adapters) adapters.push(adapterRecord(adapter));
  return { name: vm.name, state: vm.state, order: vm.order, adapters };
}

function adapterRecord(adapter: AdapterEntry): AdapterRecord {
  const { settings, target } = adapter;
  const vfAdapter = vfAdapterOf(adapter);
  return {
    id: adapter.id,
    portName: adapter.portName,
    type: adapter.type,
    order: adapter.order,
    name: settings.name,
    mac: macText(settings.mac),
    macType: settings.macType,
    vmMac: settings.vmMac === undefined ? undefined : macText(settings.vmMac),
    numaNode: settings.numaNode,
    mtu: settings.mtu,
    isKnown: adapter.isKnown,
    switchId: target?.id,
    switchName: target?.name,
    portId: adapter.connection?.port.portId,
    vfAssigned: adapter.connection?.port.nics.get(0)?.vfAssigned ?? false,
    ...(vfAdapter === undefined ? {} : { vfAdapter }),
    ...(adapter.requiredFeatures.length === 0
      ? {}
      : { requiredFeatures: adapter.requiredFeatures }),
  };
}
