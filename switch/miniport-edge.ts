import { OIDS, structure } from '../src/abi/index.ts';
import { type Guid, NULL_GUID } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { FeatureCatalog } from './environment.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import { NIC_PARAMETERS, PORT_PARAMETERS, SWITCH_PARAMETERS } from './parameters.ts';
import type { MiniportEdge } from './pipeline.ts';
import { type Nic, type Port, PropertyInstance, type PropertyOwner } from './ports.ts';
import { CUSTOM_SIZE } from './request-buffer.ts';
import type { SwitchState } from './switch-state.ts';

const PORT_ARRAY = structure('NDIS_SWITCH_PORT_ARRAY');
const NIC_ARRAY = structure('NDIS_SWITCH_NIC_ARRAY');
const PORT_ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');
const SWITCH_ENUM = structure('NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS');
const PORT_INFO = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO');
const SWITCH_INFO = structure('NDIS_SWITCH_PROPERTY_ENUM_INFO');
const PORT_CUSTOM = structure('NDIS_SWITCH_PORT_PROPERTY_CUSTOM');
const SWITCH_CUSTOM = structure('NDIS_SWITCH_PROPERTY_CUSTOM');

/** First element of an array reply: the head is 20 bytes, elements stand at a multiple of 8 (ndis-switch-abi.md 4). */
const FIRST_ELEMENT = 24;
const INFO_SIZE = 40;
const CUSTOM = 1;
const ROUTING_DOMAIN = 6;
const up8 = (n: number): number => (n + 7) & ~7;

/** NDIS_SWITCH_PORT_PARAMETERS of a port at `offset`; PortState by the life cycle (rule B7). */
export function writePort(bytes: Uint8Array, offset: number, port: Port, state: number): void {
  PORT_PARAMETERS.initialize(bytes, offset);
  const view = PORT_PARAMETERS.view(bytes, offset);
  view.PortId = port.portId;
  view.PortName = port.name;
  view.PortFriendlyName = port.friendlyName;
  view.PortType = ['generic', 'external', 'synthetic', 'emulated', 'internal'].indexOf(port.type);
  view.IsValidationPort = port.isValidationPort;
  view.PortState = state;
}

/** NDIS_SWITCH_NIC_PARAMETERS of a NIC at `offset`, in the revision of the profile. */
export function writeNic(
  bytes: Uint8Array,
  offset: number,
  nic: Nic,
  state: number,
  flags: number,
  ndis: SwitchState['ndis'],
): void {
  NIC_PARAMETERS.initialize(bytes, offset, { ndis });
  const view = NIC_PARAMETERS.view(bytes, offset);
  view.Flags = flags;
  view.NicName = nic.name;
  view.NicFriendlyName = nic.friendlyName;
  view.PortId = nic.portId;
  view.NicIndex = nic.index;
  view.NicType = ['external', 'synthetic', 'emulated', 'internal'].indexOf(nic.type);
  view.NicState = state;
  view.VmName = nic.vmName;
  view.VmFriendlyName = nic.vmFriendlyName;
  view.MTU = nic.mtu;
  view.PermanentMacAddress.set(nic.permanentMac);
  // Rules C14, C15: VMMacAddress only for VM NICs; without spoofing or teaming the current address is the permanent one.
  if (nic.type === 'synthetic' || nic.type === 'emulated') view.VMMacAddress.set(nic.permanentMac);
  view.CurrentMacAddress.set(nic.permanentMac);
}

/** Rule J6: the sender presets the header; its Size is not looked at (ndis-switch-abi.md, quirk 18). */
function hasHeader(request: OidRequest): boolean {
  return request.buffer[0] === 0x80 && (request.buffer[1] ?? 0) >= 1;
}

/** NDIS_SWITCH_NIC_STATE of a life state (rule C7). */
export const NIC_STATE_CODE = {
  notCreated: 0,
  created: 1,
  connected: 2,
  disconnected: 3,
  deleted: 4,
} as const;
/** NDIS_SWITCH_PORT_STATE of a life state (rule B7). */
const PORT_STATE_CODE = { notCreated: 0, created: 1, tearingDown: 2 } as const;

/** The extension miniport's edge: answers configuration queries and completes what nobody completed (rules A6, E19, J1-J8). */
export class SwitchMiniportEdge implements MiniportEdge {
  readonly #state: SwitchState;
  readonly #catalog: FeatureCatalog;

  constructor(state: SwitchState, catalog: FeatureCatalog) {
    this.#state = state;
    this.#catalog = catalog;
  }

  complete(request: OidRequest): NdisStatus {
    switch (request.oid) {
      case OIDS.OID_SWITCH_PARAMETERS.code:
        return this.#parameters(request);
      case OIDS.OID_SWITCH_PORT_ARRAY.code:
        return this.#portArray(request);
      case OIDS.OID_SWITCH_NIC_ARRAY.code:
        return this.#nicArray(request);
      case OIDS.OID_SWITCH_PORT_PROPERTY_ENUM.code:
        return this.#portEnum(request);
      case OIDS.OID_SWITCH_PROPERTY_ENUM.code:
        return this.#switchEnum(request);
      // Rule F13, OP-34: nobody owns the id.
      case OIDS.OID_SWITCH_PORT_FEATURE_STATUS_QUERY.code:
      case OIDS.OID_SWITCH_FEATURE_STATUS_QUERY.code:
        return NdisStatus.NOT_SUPPORTED;
      default:
        // Rules B23, C35, E19: sets succeed here. Anything else the switch does not model.
        if (request.type !== REQUEST_TYPE.set || request.oidIndex < 0)
          return NdisStatus.NOT_SUPPORTED;
        request.bytesRead = request.inputLength;
        return NdisStatus.SUCCESS;
    }
  }

  /** Rules J5, J7: too small, a zero-length probe included. */
  #tooSmall(request: OidRequest, needed: number): NdisStatus {
    request.bytesNeeded = needed;
    return NdisStatus.INVALID_LENGTH;
  }

  #parameters(request: OidRequest): NdisStatus {
    const size = SWITCH_PARAMETERS.sizeof(this.#state.ndis);
    if (request.outputLength < size) return this.#tooSmall(request, size);
    if (!hasHeader(request)) return NdisStatus.INVALID_PARAMETER;
    SWITCH_PARAMETERS.initialize(request.buffer, 0);
    const view = SWITCH_PARAMETERS.view(request.buffer, 0);
    view.SwitchName = this.#state.id;
    view.SwitchFriendlyName = this.#state.name;
    view.NumSwitchPorts = this.#state.ports.size;
    view.IsActive = this.#state.isActive;
    request.bytesWritten = size;
    return NdisStatus.SUCCESS;
  }

  #portArray(request: OidRequest): NdisStatus {
    const size = PORT_PARAMETERS.sizeof(this.#state.ndis);
    const ports = [...this.#state.ports.values()];
    const needed = ports.length === 0 ? PORT_ARRAY.sizeof() : FIRST_ELEMENT + ports.length * size;
    if (request.outputLength < needed) return this.#tooSmall(request, needed);
    if (!hasHeader(request)) return NdisStatus.INVALID_PARAMETER;
    PORT_ARRAY.initialize(request.buffer, 0);
    const head = PORT_ARRAY.view(request.buffer, 0);
    head.FirstElementOffset = ports.length === 0 ? 0 : FIRST_ELEMENT;
    head.NumElements = ports.length;
    head.ElementSize = size;
    ports.forEach((port, i) => {
      writePort(request.buffer, FIRST_ELEMENT + i * size, port, PORT_STATE_CODE[port.state]);
    });
    request.bytesWritten = needed;
    return NdisStatus.SUCCESS;
  }

  #nicArray(request: OidRequest): NdisStatus {
    const size = NIC_PARAMETERS.sizeof(this.#state.ndis);
    const nics: Nic[] = [];
    for (const port of this.#state.ports.values()) {
      for (const nic of port.nics.values()) {
        if (nic.state !== 'notCreated' && nic.state !== 'deleted') nics.push(nic);
      }
    }
    const needed = nics.length === 0 ? NIC_ARRAY.sizeof() : FIRST_ELEMENT + nics.length * size;
    if (request.outputLength < needed) return this.#tooSmall(request, needed);
    if (!hasHeader(request)) return NdisStatus.INVALID_PARAMETER;
    NIC_ARRAY.initialize(request.buffer, 0);
    const head = NIC_ARRAY.view(request.buffer, 0);
    head.FirstElementOffset = nics.length === 0 ? 0 : FIRST_ELEMENT;
    head.NumElements = nics.length;
    head.ElementSize = size;
    nics.forEach((nic, i) => {
      writeNic(
        request.buffer,
        FIRST_ELEMENT + i * size,
        nic,
        NIC_STATE_CODE[nic.state],
        0,
        this.#state.ndis,
      );
    });
    request.bytesWritten = needed;
    return NdisStatus.SUCCESS;
  }

  // --- enumeration: rules E39-E45 ------------------------------------------------------------------------------------

  #portEnum(request: OidRequest): NdisStatus {
    const head = PORT_ENUM.minimumSize;
    const bad = this.#enumInput(request, head);
    if (bad !== undefined) return bad;
    const question = PORT_ENUM.view(request.buffer, 0);
    const port = this.#state.ports.get(question.PortId);
    if (port === undefined) return NdisStatus.INVALID_PARAMETER;
    const type = question.PropertyType;
    // Rule E3: built-in policies, which have type 0 here, are never shown to extensions.
    if (type < CUSTOM || type > ROUTING_DOMAIN) return NdisStatus.NOT_SUPPORTED;
    const found = this.#matching(port, type, question.PropertyId);
    if (type !== CUSTOM && found.length === 0) {
      const entry = this.#default(type);
      if (entry !== undefined) found.push(entry);
    }
    return this.#reply(request, PORT_ENUM.sizeof(), found, type === CUSTOM, true);
  }

  #switchEnum(request: OidRequest): NdisStatus {
    const bad = this.#enumInput(request, SWITCH_ENUM.minimumSize);
    if (bad !== undefined) return bad;
    const question = SWITCH_ENUM.view(request.buffer, 0);
    // Rule E2: custom is the only switch property type.
    if (question.PropertyType !== CUSTOM) return NdisStatus.NOT_SUPPORTED;
    const found = this.#matching(this.#state, CUSTOM, question.PropertyId);
    return this.#reply(request, SWITCH_ENUM.sizeof(), found, true, false);
  }

  /** Rules E44, J6: no header is a bad parameter, too little input a length. */
  #enumInput(request: OidRequest, size: number): NdisStatus | undefined {
    if (request.inputLength < size || request.buffer.length < size) {
      return this.#tooSmall(request, size);
    }
    return hasHeader(request) ? undefined : NdisStatus.INVALID_PARAMETER;
  }

  /** Rule E40: by type, and by PropertyId for custom properties. */
  #matching(owner: PropertyOwner, type: number, id: Guid): PropertyInstance[] {
    const found: PropertyInstance[] = [];
    for (const property of owner.properties.values()) {
      if (property.codec.propertyType !== type || property.refused !== undefined) continue;
      if (type === CUSTOM && property.codec.id !== id) continue;
      found.push(property);
    }
    return found;
  }

  /** Rule E45, OP-8: a standard type always has a value in force. Rule E6: no OID tells of it, only an enumeration does. */
  #default(type: number): PropertyInstance | undefined {
    const codec = this.#catalog.standard(type);
    const settings = this.#catalog.standardDefault(type);
    if (codec === undefined || settings === undefined) return undefined;
    return new PropertyInstance(NULL_GUID, codec, settings);
  }

  /** Parameters with NumProperties, then per property an info entry, the property, padding to 8 (rules E41, E42, E43). */
  #reply(
    request: OidRequest,
    headSize: number,
    found: readonly PropertyInstance[],
    custom: boolean,
    forPort: boolean,
  ): NdisStatus {
    const first = up8(headSize);
    const lengths = found.map((p) => p.codec.size(p.settings) + (custom ? CUSTOM_SIZE : 0));
    const needed =
      found.length === 0
        ? headSize
        : lengths.reduce((at, length) => at + INFO_SIZE + up8(length), first);
    if (request.outputLength < needed) return this.#tooSmall(request, needed);
    const bytes = request.buffer;
    const head = forPort ? PORT_ENUM.view(bytes, 0) : SWITCH_ENUM.view(bytes, 0);
    head.NumProperties = found.length;
    head.FirstPropertyOffset = found.length === 0 ? 0 : first;
    let at = first;
    found.forEach((property, i) => {
      const length = lengths[i] ?? 0;
      bytes.fill(0, at, at + INFO_SIZE + up8(length));
      this.#entry(bytes, at, property, length, custom, forPort);
      at += INFO_SIZE + up8(length);
    });
    request.bytesRead = request.inputLength;
    request.bytesWritten = needed;
    return NdisStatus.SUCCESS;
  }

  #entry(
    bytes: Uint8Array,
    at: number,
    property: PropertyInstance,
    length: number,
    custom: boolean,
    forPort: boolean,
  ): void {
    const structureOfInfo = forPort ? PORT_INFO : SWITCH_INFO;
    structureOfInfo.initialize(bytes, at);
    const info = forPort ? PORT_INFO.view(bytes, at) : SWITCH_INFO.view(bytes, at);
    info.PropertyVersion = property.codec.version;
    info.PropertyInstanceId = property.id;
    info.QwordAlignedPropertyBufferLength = up8(length);
    info.PropertyBufferLength = length;
    info.PropertyBufferOffset = INFO_SIZE;
    let dataAt = at + INFO_SIZE;
    if (custom) {
      (forPort ? PORT_CUSTOM : SWITCH_CUSTOM).initialize(bytes, dataAt);
      const head = forPort ? PORT_CUSTOM.view(bytes, dataAt) : SWITCH_CUSTOM.view(bytes, dataAt);
      head.PropertyBufferLength = length - CUSTOM_SIZE;
      head.PropertyBufferOffset = CUSTOM_SIZE;
      dataAt += CUSTOM_SIZE;
    }
    property.codec.write(property.settings, bytes, dataAt);
  }
}
