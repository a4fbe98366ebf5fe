import { type ArrayKind, arraySize, OIDS, structure, writeArray } from '../src/abi/index.ts';
import { type Guid, NULL_GUID } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import { replyToEnum } from './enumeration-reply.ts';
import type { FeatureCatalog } from './environment.ts';
import { deliverNicRequest } from './nic-request-delivery.ts';
import { type OidRequest, REQUEST_TYPE } from './oid-request.ts';
import {
  NIC_PARAMETERS,
  NIC_STATE_CODE,
  PORT_PARAMETERS,
  PORT_STATE_CODE,
  SWITCH_PARAMETERS,
  writeNic,
  writePort,
} from './parameters.ts';
import type { MiniportEdge } from './pipeline.ts';
import { type Nic, type Port, PropertyInstance, type PropertyOwner } from './ports.ts';
import type { SwitchState } from './switch-state.ts';

const ARRAYS = {
  port: structure('NDIS_SWITCH_PORT_ARRAY'),
  nic: structure('NDIS_SWITCH_NIC_ARRAY'),
};
const ELEMENTS = { port: PORT_PARAMETERS, nic: NIC_PARAMETERS };
const PORT_ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');
const SWITCH_ENUM = structure('NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS');

const CUSTOM = 1;
const ROUTING_DOMAIN = 6;

/** Rule J6: the sender presets the header; its Size is not looked at (ndis-switch-abi.md, quirk 18). */
function hasHeader(request: OidRequest): boolean {
  return request.buffer[0] === 0x80 && (request.buffer[1] ?? 0) >= 1;
}

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
      // Rule G6, OP-10: nobody has (more) data. ExtensionId stays zero and nothing is written.
      case OIDS.OID_SWITCH_NIC_SAVE.code:
        request.bytesRead = request.inputLength;
        return NdisStatus.SUCCESS;
      // Rules D27, D28.
      case OIDS.OID_SWITCH_NIC_REQUEST.code:
        return deliverNicRequest(this.#state, request);
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

  /** Rule J2; validation ports are listed as such (rule B52). */
  #portArray(request: OidRequest): NdisStatus {
    const ports = [...this.#state.ports.values()];
    return this.#array(request, 'port', ports.length, (at, i) => {
      const port = ports[i] as Port;
      writePort(PORT_PARAMETERS.view(request.buffer, at), port, PORT_STATE_CODE[port.state]);
    });
  }

  #nicArray(request: OidRequest): NdisStatus {
    const nics: Nic[] = [];
    for (const port of this.#state.ports.values()) {
      for (const nic of port.nics.values()) {
        if (nic.state !== 'notCreated' && nic.state !== 'deleted') nics.push(nic);
      }
    }
    return this.#array(request, 'nic', nics.length, (at, i) => {
      const nic = nics[i] as Nic;
      const view = NIC_PARAMETERS.view(request.buffer, at);
      writeNic(view, nic, NIC_STATE_CODE[nic.state], 0, this.#state.ndis);
    });
  }

  /** Rules J2-J5; an empty array is its head alone, 20 bytes (rule J4). */
  #array(
    request: OidRequest,
    kind: ArrayKind,
    count: number,
    writeElement: (at: number, index: number) => void,
  ): NdisStatus {
    const { ndis } = this.#state;
    const head = ARRAYS[kind];
    const needed = count === 0 ? head.sizeof() : arraySize(kind, count, ndis);
    if (request.outputLength < needed) return this.#tooSmall(request, needed);
    if (!hasHeader(request)) return NdisStatus.INVALID_PARAMETER;
    const size = ELEMENTS[kind].sizeof(ndis);
    if (count === 0) {
      head.initialize(request.buffer, 0);
      head.view(request.buffer, 0).ElementSize = size;
    } else {
      const first = writeArray(kind, request.buffer, 0, count, ndis);
      for (let i = 0; i < count; i += 1) writeElement(first + i * size, i);
    }
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
    return replyToEnum(request, 'port', found, type === CUSTOM);
  }

  #switchEnum(request: OidRequest): NdisStatus {
    const bad = this.#enumInput(request, SWITCH_ENUM.minimumSize);
    if (bad !== undefined) return bad;
    const question = SWITCH_ENUM.view(request.buffer, 0);
    // Rule E2: custom is the only switch property type.
    if (question.PropertyType !== CUSTOM) return NdisStatus.NOT_SUPPORTED;
    const found = this.#matching(this.#state, CUSTOM, question.PropertyId);
    return replyToEnum(request, 'switch', found, true);
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
}
