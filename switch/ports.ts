import { type Guid, guidWords, NULL_GUID, writeGuid } from '../src/core/guid.ts';
import type { NicType, PortType, Settings } from '../src/sdk/extension.ts';
import type { PropertyCodec } from './environment.ts';
import type { OffloadResource } from './offload-resource.ts';
import { type AdapterFacts, PhysicalAdapter } from './physical-adapter.ts';
import type { NicLifeState, PortLifeState } from './states.ts';

/** One stored property (rule E7): owner, type, PropertyId and instance id tell it apart. */
export class PropertyInstance {
  readonly id: Guid;
  readonly codec: PropertyCodec;
  settings: Settings;
  /** Starts at 1, one more with every update. */
  revision = 1;
  /** Order of creation in the world: how properties are told again after a restart. */
  order = 0;
  /** NDIS status name with which an extension refused it at re-issue after a restart. */
  refused: string | undefined;
  #idWords: Uint32Array | undefined;

  constructor(id: Guid, codec: PropertyCodec, settings: Settings) {
    this.id = id;
    this.codec = codec;
    this.settings = settings;
  }

  /**
   * PropertyInstanceId on the wire, kept once it was needed again: most properties are told once. Good until the next
   * call for any property.
   */
  get idWords(): Uint32Array {
    const known = this.#idWords;
    if (known !== undefined) return known;
    if (this.revision > 1) {
      this.#idWords = guidWords(this.id);
      return this.#idWords;
    }
    writeGuid(onceBytes, 0, this.id);
    return onceWords;
  }
}

/** Room for the id of a property that is told for the first time; the wire is little-endian, and so is the machine. */
const onceBytes = new Uint8Array(16);
const onceWords = new Uint32Array(onceBytes.buffer);

/** What carries properties: a port, or the switch itself (portId -1). */
export interface PropertyOwner {
  readonly portId: number;
  /** By PropertyInstanceId: several instances of one PropertyId stand side by side (rule E8). */
  readonly properties: Map<Guid, PropertyInstance>;
}

/** What of a NIC may change while it is connected (rule C29). */
export interface NicChange {
  readonly friendlyName?: string;
  readonly netCfgInstanceId?: Guid;
  /** Bytes. */
  readonly mtu?: number;
  readonly numaNodeId?: number;
  readonly permanentMac?: Uint8Array;
  readonly vmMac?: Uint8Array;
  readonly currentMac?: Uint8Array;
  readonly vfAssigned?: boolean;
}

/** A NIC connection, identified by (PortId, NicIndex) (rule C1). */
export class Nic {
  readonly portId: number;
  readonly index: number;
  readonly type: NicType;
  readonly name: string;
  friendlyName: string;
  readonly vmName: string;
  readonly vmFriendlyName: string;
  permanentMac: Uint8Array;
  /** What the guest set; VM NICs only (rule C14). */
  vmMac: Uint8Array | undefined;
  /** In use now (rule C15). */
  currentMac: Uint8Array;
  /** External and internal NICs (rule C12). */
  netCfgInstanceId: Guid;
  /** The hardware behind an index from 1. */
  readonly adapter: PhysicalAdapter | undefined;
  /** VM NICs (rule C13). */
  numaNodeId: number;
  /** A virtual function carries its traffic past the switch (rules C16, H16). */
  vfAssigned = false;
  /** REMOVE_VF has been raised for the virtual function it has (rule H12). */
  isVfRemovalAsked = false;
  /** What it has of an adapter, in the order it was allocated; most NICs have nothing. */
  offloads: OffloadResource[] | undefined;
  /** Its multicast list, by address as hex text (rule D26). */
  multicast: ReadonlyMap<string, Uint8Array> | undefined;
  /** A save or a restore runs on it (rules G9, G28). */
  transfer: 'save' | 'restore' | undefined;
  /** NDIS_SWITCH_NIC_FLAGS SUSPENDED and SUSPENDED_LM now in force (rule G44). */
  suspension = 0;
  mtu: number;
  state: NicLifeState = 'notCreated';
  /** Rule C56: not deleted while it is non-zero. */
  references = 0;
  /** Called when `references` falls to zero. */
  onUnreferenced: (() => void) | undefined;

  constructor(options: NicOptions, portId: number) {
    this.portId = portId;
    this.index = options.index;
    this.type = options.type;
    this.name = options.name;
    this.friendlyName = options.friendlyName;
    this.vmName = options.vmName ?? '';
    this.vmFriendlyName = options.vmFriendlyName ?? '';
    this.permanentMac = options.mac;
    const isVm = options.type === 'synthetic' || options.type === 'emulated';
    this.vmMac = isVm ? (options.vmMac ?? options.mac) : undefined;
    this.currentMac = options.currentMac ?? options.mac;
    this.netCfgInstanceId = isVm ? NULL_GUID : (options.netCfgInstanceId ?? NULL_GUID);
    this.numaNodeId = isVm ? (options.numaNodeId ?? 0) : 0;
    this.mtu = options.mtu;
    this.adapter =
      options.adapter === undefined ? undefined : new PhysicalAdapter(options.adapter, options.mac);
  }

  /** Rule H16: a NIC with a virtual function sends and receives past the switch and its port's policies. */
  get path(): 'synthetic' | 'vf' {
    return this.vfAssigned ? 'vf' : 'synthetic';
  }
}

export interface NicOptions {
  /** 0 for the NIC on the port itself, 1-32 for adapters below the external NIC (rules C2, C3). */
  readonly index: number;
  readonly type: NicType;
  readonly name: string;
  readonly friendlyName: string;
  readonly vmName?: string;
  readonly vmFriendlyName?: string;
  /** PermanentMacAddress, six bytes. */
  readonly mac: Uint8Array;
  /** Default: `mac`. */
  readonly vmMac?: Uint8Array;
  readonly currentMac?: Uint8Array;
  readonly netCfgInstanceId?: Guid;
  readonly numaNodeId?: number;
  /** Bytes. */
  readonly mtu: number;
  readonly adapter?: AdapterFacts;
  /** The NIC was created before: its NIC_CREATE no longer says NIC_INITIALIZING (rule C17). */
  readonly isKnown?: boolean;
}

export interface PortOptions {
  readonly id: Guid;
  /** Given on restart; else the next free one. */
  readonly portId?: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: PortType;
  readonly isValidationPort?: boolean;
  /** NDIS_SWITCH_PORT_PARAMETERS.Flags: UNTRUSTED_INTERNAL_PORT 1 (rule B8), RESTORING_PORT 2 (rule B9). */
  readonly flags?: number;
  readonly owner?: PortOwner;
}

/** The VM's network adapter a port was made for, for names only: management's, not NDIS's. */
export interface PortOwner {
  readonly vmId: Guid;
  readonly vmName: string;
  /** Id of the network adapter: `<NIC>` of the WMI names; unrelated to the port's GUID. */
  readonly adapterId: Guid;
}

/** A switch port; each NIC of a VM has one of its own (rule A9). */
export class Port implements PropertyOwner {
  readonly id: Guid;
  /** Unique on the switch, 1-65,535 (rule B1; the packet's source field has 16 bits). */
  readonly portId: number;
  readonly name: string;
  friendlyName: string;
  /** Fixed for its life (rule B3). */
  readonly type: PortType;
  readonly isValidationPort: boolean;
  flags: number;
  state: PortLifeState = 'notCreated';
  readonly nics = new Map<number, Nic>();
  readonly properties = new Map<Guid, PropertyInstance>();
  /** Rule B35: not deleted while it is non-zero. */
  references = 0;
  /** Called when `references` falls to zero. */
  onUnreferenced: (() => void) | undefined;
  /** Order of creation in the world. */
  order = 0;
  /** Undefined for ports of the host and ports made by hand. */
  owner: PortOwner | undefined;

  constructor(options: PortOptions, portId: number) {
    this.id = options.id;
    this.portId = portId;
    this.name = options.name;
    this.friendlyName = options.friendlyName;
    this.type = options.type;
    this.isValidationPort = options.isValidationPort ?? false;
    this.flags = options.flags ?? 0;
    this.owner = options.owner;
  }
}
