import { OIDS, oidIndex, structure } from '../src/abi/index.ts';
import { type Guid, NULL_GUID } from '../src/core/guid.ts';
import { isErrorStatus } from '../src/core/status.ts';
import type { Settings } from '../src/sdk/extension.ts';
import type { PropertyCodec } from './environment.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { PropertyInstance, PropertyOwner } from './ports.ts';
import {
  DeletedPortPropertyView,
  DeletedSwitchPropertyView,
  PortPropertyView,
  SwitchPropertyView,
} from './property-view.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import {
  CUSTOM_SIZE,
  PORT_PROPERTY_OFFSET,
  type RequestBuffer,
  SWITCH_PROPERTY_OFFSET,
} from './request-buffer.ts';
import type { MaybePromise } from './steps.ts';

const PORT_PROPERTY = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
const PORT_DELETE = structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');
const SWITCH_PROPERTY = structure('NDIS_SWITCH_PROPERTY_PARAMETERS');
const SWITCH_DELETE = structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS');

const CUSTOM = 1;
/** NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1 (rule E10). */
const SERIALIZATION_VERSION = 1;
/** Header of each structure as one little-endian word: type 0x80, revision 1, size. */
const header = (size: number): number => (size << 16) | (1 << 8) | 0x80;

/** The outcome of a property change: the completed request, or `undefined` when no OID is sent (rule E3). */
export type PropertyOutcome = OidRequest | undefined;

/** Property OIDs of ports and of the switch (rules E14-E19, sequences S5, S6). */
export class PropertyOperations {
  readonly #edge: ProtocolEdge;
  readonly #pipeline: Pipeline;

  constructor(edge: ProtocolEdge, pipeline: Pipeline) {
    this.#edge = edge;
    this.#pipeline = pipeline;
  }

  /** Rule E16: the owner holds the property only when the OID completed with success. */
  add(
    owner: PropertyOwner,
    property: PropertyInstance,
    accepted?: (property: PropertyInstance) => void,
  ): MaybePromise<PropertyOutcome> {
    const oid =
      owner.portId >= 0
        ? OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code
        : OIDS.OID_SWITCH_PROPERTY_ADD.code;
    return this.#carry(oid, owner, property.codec, property.id, property.settings, (succeeded) => {
      if (!succeeded) return;
      owner.properties.set(property.id, property);
      accepted?.(property);
    });
  }

  /** On success the property has the new settings and the next revision. */
  update(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    accepted?: (property: PropertyInstance) => void,
  ): MaybePromise<PropertyOutcome> {
    const oid =
      owner.portId >= 0
        ? OIDS.OID_SWITCH_PORT_PROPERTY_UPDATE.code
        : OIDS.OID_SWITCH_PROPERTY_UPDATE.code;
    return this.#carry(oid, owner, property.codec, property.id, settings, (succeeded) => {
      if (!succeeded) return;
      property.settings = settings;
      property.revision += 1;
      property.refused = undefined;
      accepted?.(property);
    });
  }

  /** On success the owner no longer holds the property; a failing delete keeps it (OP-4). */
  delete(
    owner: PropertyOwner,
    property: PropertyInstance,
    accepted?: (property: PropertyInstance) => void,
  ): MaybePromise<PropertyOutcome> {
    // Rule E3: built-in policies are never shown to extensions. One refused at re-issue is unknown to them.
    if (property.codec.propertyType === 0 || property.refused !== undefined) {
      owner.properties.delete(property.id);
      accepted?.(property);
      return undefined;
    }
    const buffer = this.#edge.takeBuffer(PORT_DELETE.sizeof());
    const forPort = owner.portId >= 0;
    const request = new OidRequest(
      forPort ? OIDS.OID_SWITCH_PORT_PROPERTY_DELETE.code : OIDS.OID_SWITCH_PROPERTY_DELETE.code,
      oidIndex(
        forPort ? OIDS.OID_SWITCH_PORT_PROPERTY_DELETE.code : OIDS.OID_SWITCH_PROPERTY_DELETE.code,
      ),
      REQUEST_TYPE.set,
      buffer.bytes,
      forPort ? PORT_DELETE.sizeof() : SWITCH_DELETE.sizeof(),
      0,
    );
    request.words = buffer.words;
    request.codec = property.codec;
    const id = property.codec.propertyType === CUSTOM ? property.codec.id : NULL_GUID;
    if (forPort) {
      PORT_DELETE.initialize(buffer.bytes);
      buffer.portPropertyDelete.PortId = owner.portId;
      buffer.portPropertyDelete.PropertyType = property.codec.propertyType;
      buffer.portPropertyDelete.PropertyId = id;
      buffer.portPropertyDelete.PropertyInstanceId = property.id;
      request.property = new DeletedPortPropertyView(request, buffer, this.#pipeline);
    } else {
      SWITCH_DELETE.initialize(buffer.bytes);
      buffer.switchPropertyDelete.PropertyType = CUSTOM;
      buffer.switchPropertyDelete.PropertyId = id;
      buffer.switchPropertyDelete.PropertyInstanceId = property.id;
      request.property = new DeletedSwitchPropertyView(request, buffer, this.#pipeline);
    }
    return this.#settle(request, buffer, (succeeded) => {
      if (!succeeded) return;
      owner.properties.delete(property.id);
      accepted?.(property);
    });
  }

  #carry(
    oid: number,
    owner: PropertyOwner,
    codec: PropertyCodec,
    instanceId: Guid,
    settings: Settings,
    apply: (succeeded: boolean) => void,
  ): MaybePromise<PropertyOutcome> {
    // Rule E3: stored and enforced by the switch, never provisioned to extensions.
    if (codec.propertyType === 0) {
      apply(true);
      return undefined;
    }
    const forPort = owner.portId >= 0;
    const custom = codec.propertyType === CUSTOM ? CUSTOM_SIZE : 0;
    const dataOffset = (forPort ? PORT_PROPERTY_OFFSET : SWITCH_PROPERTY_OFFSET) + custom;
    const dataLength = codec.size(settings);
    const buffer = this.#edge.takeBuffer(dataOffset + dataLength);
    const request = new OidRequest(
      oid,
      oidIndex(oid),
      REQUEST_TYPE.set,
      buffer.bytes,
      dataOffset + dataLength,
      0,
    );
    request.words = buffer.words;
    request.codec = codec;
    request.dataOffset = dataOffset;
    request.dataLength = dataLength;
    if (forPort) {
      writePortParameters(buffer, owner.portId, codec, instanceId, dataLength);
      request.property = new PortPropertyView(request, buffer, this.#pipeline);
    } else {
      writeSwitchParameters(buffer, codec, instanceId, dataLength);
      request.property = new SwitchPropertyView(request, buffer, this.#pipeline);
    }
    codec.write(settings, buffer.bytes, dataOffset);
    return this.#settle(request, buffer, apply);
  }

  #settle(
    request: OidRequest,
    buffer: RequestBuffer,
    apply: (succeeded: boolean) => void,
  ): MaybePromise<OidRequest> {
    const sent = this.#edge.send(request);
    if (sent instanceof Promise) {
      return sent.then((done) => {
        apply(!isErrorStatus(done.status));
        return done;
      });
    }
    this.#edge.giveBack(buffer, request);
    apply(!isErrorStatus(request.status));
    return request;
  }
}

/** NDIS_SWITCH_PORT_PROPERTY_PARAMETERS, then …_CUSTOM for custom properties (rules E9-E12). */
function writePortParameters(
  buffer: RequestBuffer,
  portId: number,
  codec: PropertyCodec,
  instanceId: Guid,
  dataLength: number,
): void {
  const words = buffer.words;
  words[0] = header(PORT_PROPERTY.minimumSize);
  words[1] = 0;
  const view = buffer.portProperty;
  const isCustom = codec.propertyType === CUSTOM;
  view.PortId = portId;
  view.PropertyType = codec.propertyType;
  // Rule E24: PropertyId means something only when the type is custom.
  view.PropertyId = isCustom ? codec.id : NULL_GUID;
  view.PropertyVersion = codec.version;
  view.SerializationVersion = SERIALIZATION_VERSION;
  view.PropertyInstanceId = instanceId;
  view.PropertyBufferLength = (isCustom ? CUSTOM_SIZE : 0) + dataLength;
  view.PropertyBufferOffset = PORT_PROPERTY_OFFSET;
  view.Reserved = 0;
  if (!isCustom) return;
  words[PORT_PROPERTY_OFFSET >> 2] = header(CUSTOM_SIZE);
  words[(PORT_PROPERTY_OFFSET >> 2) + 1] = 0;
  buffer.portCustom.PropertyBufferLength = dataLength;
  buffer.portCustom.PropertyBufferOffset = CUSTOM_SIZE;
}

/** NDIS_SWITCH_PROPERTY_PARAMETERS, then NDIS_SWITCH_PROPERTY_CUSTOM (rules E2, E9-E12). */
function writeSwitchParameters(
  buffer: RequestBuffer,
  codec: PropertyCodec,
  instanceId: Guid,
  dataLength: number,
): void {
  const words = buffer.words;
  words[0] = header(SWITCH_PROPERTY.minimumSize);
  words[1] = 0;
  const view = buffer.switchProperty;
  view.PropertyType = CUSTOM;
  view.PropertyId = codec.id;
  view.PropertyVersion = codec.version;
  view.SerializationVersion = SERIALIZATION_VERSION;
  view.PropertyInstanceId = instanceId;
  view.PropertyBufferLength = CUSTOM_SIZE + dataLength;
  view.PropertyBufferOffset = SWITCH_PROPERTY_OFFSET;
  words[SWITCH_PROPERTY_OFFSET >> 2] = header(CUSTOM_SIZE);
  words[(SWITCH_PROPERTY_OFFSET >> 2) + 1] = 0;
  buffer.switchCustom.PropertyBufferLength = dataLength;
  buffer.switchCustom.PropertyBufferOffset = CUSTOM_SIZE;
}
