import { OIDS, oidIndex } from '../src/abi/index.ts';
import { isErrorStatus, NdisStatus } from '../src/core/status.ts';
import type { Settings } from '../src/sdk/extension.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { PropertyInstance, PropertyOwner } from './ports.ts';
import {
  type HeadLayout,
  PORT_DELETE_HEAD,
  PORT_HEAD,
  SWITCH_DELETE_HEAD,
  SWITCH_HEAD,
  writeHead,
} from './property-bytes.ts';
import {
  DeletedPortPropertyView,
  DeletedSwitchPropertyView,
  PortPropertyView,
  SwitchPropertyView,
} from './property-view.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { CUSTOM_SIZE, type RequestBuffer } from './request-buffer.ts';
import { drive, type MaybePromise, type Steps, settled } from './steps.ts';

const CUSTOM = 1;

/** The outcome of a property change: the completed request, or `undefined` when no OID is sent (rule E3). */
export type PropertyOutcome = OidRequest | undefined;

type Accepted = ((property: PropertyInstance) => void) | undefined;

/** One kind of change: its two OIDs and what it does to the owner once the OID has succeeded (rule E16). */
interface Change {
  readonly portOid: number;
  readonly switchOid: number;
  apply(owner: PropertyOwner, property: PropertyInstance, settings: Settings): void;
}

const ADD: Change = {
  portOid: OIDS.OID_SWITCH_PORT_PROPERTY_ADD.code,
  switchOid: OIDS.OID_SWITCH_PROPERTY_ADD.code,
  apply: (owner, property) => {
    owner.properties.set(property.id, property);
  },
};

const UPDATE: Change = {
  portOid: OIDS.OID_SWITCH_PORT_PROPERTY_UPDATE.code,
  switchOid: OIDS.OID_SWITCH_PROPERTY_UPDATE.code,
  apply: (_owner, property, settings) => {
    property.settings = settings;
    property.revision += 1;
    property.refused = undefined;
  },
};

/** The update of a property that was refused at re-issue: no extension holds it, so they are told of it as new (rule E27). */
const REPAIR: Change = { ...ADD, apply: UPDATE.apply };

const DELETE: Change = {
  portOid: OIDS.OID_SWITCH_PORT_PROPERTY_DELETE.code,
  switchOid: OIDS.OID_SWITCH_PROPERTY_DELETE.code,
  apply: (owner, property) => {
    owner.properties.delete(property.id);
  },
};

/**
 * Property OIDs of ports (rule E14) and of the switch (rule E15); sequences S5, S6. A failed one fails the change (rule E17);
 * an add or update that failed with RESOURCES is sent again as often as the option says, each time as a fresh OID (rules E18,
 * D19, OP-29).
 */
export class PropertyOperations {
  readonly #edge: ProtocolEdge;
  readonly #pipeline: Pipeline;
  readonly #retries: number;

  constructor(edge: ProtocolEdge, pipeline: Pipeline, transientRetries: number) {
    this.#edge = edge;
    this.#pipeline = pipeline;
    this.#retries = transientRetries;
  }

  /** On success the owner holds the property. */
  add(
    owner: PropertyOwner,
    property: PropertyInstance,
    accepted?: Accepted,
  ): MaybePromise<PropertyOutcome> {
    return this.#attempt(ADD, owner, property, property.settings, accepted);
  }

  /** On success the property has the new settings and the next revision. */
  update(
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    accepted?: Accepted,
  ): MaybePromise<PropertyOutcome> {
    const change = property.refused === undefined ? UPDATE : REPAIR;
    return this.#attempt(change, owner, property, settings, accepted);
  }

  #attempt(
    change: Change,
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    accepted: Accepted,
  ): MaybePromise<PropertyOutcome> {
    if (this.#retries === 0) return this.#carry(change, owner, property, settings, accepted);
    return drive(this.#again(() => this.#carry(change, owner, property, settings, accepted)));
  }

  *#again(send: () => MaybePromise<PropertyOutcome>): Steps<PropertyOutcome> {
    for (let retries = 0; ; retries += 1) {
      const outcome = yield* settled(send());
      if (outcome?.status !== NdisStatus.RESOURCES || retries >= this.#retries) return outcome;
    }
  }

  /** On success the owner no longer holds the property; a failing delete keeps it (OP-4). */
  delete(
    owner: PropertyOwner,
    property: PropertyInstance,
    accepted?: Accepted,
  ): MaybePromise<PropertyOutcome> {
    // Rule E3: built-in policies are never shown to extensions. One refused at re-issue is unknown to them.
    if (property.codec.propertyType === 0 || property.refused !== undefined) {
      DELETE.apply(owner, property, property.settings);
      accepted?.(property);
      return undefined;
    }
    const forPort = owner.portId >= 0;
    const layout = forPort ? PORT_DELETE_HEAD : SWITCH_DELETE_HEAD;
    const buffer = this.#edge.takeBuffer(layout.sizeBytes);
    const request = newRequest(DELETE, forPort, buffer, layout.sizeBytes);
    request.codec = property.codec;
    request.property = forPort
      ? new DeletedPortPropertyView(request, buffer, this.#pipeline)
      : new DeletedSwitchPropertyView(request, buffer, this.#pipeline);
    writeHead(buffer.words, layout, owner.portId, property.codec, property.idWords, 0);
    return this.#send(DELETE, request, buffer, owner, property, property.settings, accepted);
  }

  #carry(
    change: Change,
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    accepted: Accepted,
  ): MaybePromise<PropertyOutcome> {
    const { codec } = property;
    // Rule E3: stored and enforced by the switch, never provisioned to extensions.
    if (codec.propertyType === 0) {
      change.apply(owner, property, settings);
      accepted?.(property);
      return undefined;
    }
    const forPort = owner.portId >= 0;
    const layout: HeadLayout = forPort ? PORT_HEAD : SWITCH_HEAD;
    const dataOffset = layout.sizeBytes + (codec.propertyType === CUSTOM ? CUSTOM_SIZE : 0);
    const dataLength = codec.size(settings);
    const buffer = this.#edge.takeBuffer(dataOffset + dataLength);
    const request = newRequest(change, forPort, buffer, dataOffset + dataLength);
    request.codec = codec;
    request.dataOffset = dataOffset;
    request.dataLength = dataLength;
    request.property = forPort
      ? new PortPropertyView(request, buffer, this.#pipeline)
      : new SwitchPropertyView(request, buffer, this.#pipeline);
    writeHead(buffer.words, layout, owner.portId, codec, property.idWords, dataLength);
    codec.write(settings, buffer.bytes, dataOffset);
    return this.#send(change, request, buffer, owner, property, settings, accepted);
  }

  #send(
    change: Change,
    request: OidRequest,
    buffer: RequestBuffer,
    owner: PropertyOwner,
    property: PropertyInstance,
    settings: Settings,
    accepted: Accepted,
  ): MaybePromise<OidRequest> {
    this.#edge.start(request);
    if (!request.done) {
      return whenDone(change, request, owner, property, settings, accepted);
    }
    this.#edge.giveBack(buffer, request);
    settle(change, request, owner, property, settings, accepted);
    return request;
  }
}

/** A function of its own, so that what its closures keep is not allocated for requests that complete at once. */
function whenDone(
  change: Change,
  request: OidRequest,
  owner: PropertyOwner,
  property: PropertyInstance,
  settings: Settings,
  accepted: Accepted,
): Promise<OidRequest> {
  return new Promise((resolve, reject) => {
    request.onComplete = (done) => {
      // What the caller throws is the caller's: the extension that completes the request must not meet it.
      try {
        settle(change, done, owner, property, settings, accepted);
      } catch (error) {
        reject(error);
        return;
      }
      resolve(done);
    };
  });
}

function newRequest(
  change: Change,
  forPort: boolean,
  buffer: RequestBuffer,
  length: number,
): OidRequest {
  const oid = forPort ? change.portOid : change.switchOid;
  const request = new OidRequest(oid, oidIndex(oid), REQUEST_TYPE.set, buffer.bytes, length, 0);
  request.words = buffer.prefix(length);
  return request;
}

/** Rule E16: the switch's own store changes only when the OID completed with success. */
function settle(
  change: Change,
  request: OidRequest,
  owner: PropertyOwner,
  property: PropertyInstance,
  settings: Settings,
  accepted: Accepted,
): void {
  if (isErrorStatus(request.status)) return;
  change.apply(owner, property, settings);
  if (accepted !== undefined) accepted(property);
}
