import { type Guid, guidWords, writeGuid } from '../src/core/guid.ts';
import type { NicType, PortType, Settings } from '../src/sdk/extension.ts';
import type { PropertyCodec } from './environment.ts';
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

/** A NIC connection, identified by (PortId, NicIndex) (rule C1). */
export class Nic {
  readonly portId: number;
  readonly index: number;
  readonly type: NicType;
  readonly name: string;
  readonly friendlyName: string;
  readonly vmName: string;
  readonly vmFriendlyName: string;
  readonly permanentMac: Uint8Array;
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
    this.mtu = options.mtu;
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
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** Bytes. */
  readonly mtu: number;
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
}

/** A switch port. */
export class Port implements PropertyOwner {
  readonly id: Guid;
  /** Unique on the switch, 1-65,535 (rule B1; the packet's source field has 16 bits). */
  readonly portId: number;
  readonly name: string;
  readonly friendlyName: string;
  readonly type: PortType;
  readonly isValidationPort: boolean;
  state: PortLifeState = 'notCreated';
  readonly nics = new Map<number, Nic>();
  readonly properties = new Map<Guid, PropertyInstance>();
  /** Rule B35: not deleted while it is non-zero. */
  references = 0;
  /** Called when `references` falls to zero. */
  onUnreferenced: (() => void) | undefined;
  /** Order of creation in the world. */
  order = 0;

  constructor(options: PortOptions, portId: number) {
    this.id = options.id;
    this.portId = portId;
    this.name = options.name;
    this.friendlyName = options.friendlyName;
    this.type = options.type;
    this.isValidationPort = options.isValidationPort ?? false;
  }
}
