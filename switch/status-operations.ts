import {
  featureStatusSize,
  OIDS,
  oidIndex,
  structure,
  writeFeatureStatusQuery,
} from '../src/abi/index.ts';
import { type Guid, NULL_GUID } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { PropertyCodec } from './environment.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { ProtocolEdge } from './protocol-edge.ts';
import { type Steps, settled } from './steps.ts';

const PORT_STATUS = structure('NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS');
const PORT_CUSTOM = structure('NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM');
const SWITCH_STATUS = structure('NDIS_SWITCH_FEATURE_STATUS_PARAMETERS');
const SWITCH_CUSTOM = structure('NDIS_SWITCH_FEATURE_STATUS_CUSTOM');

/** A query is asked again with room at most this often; an owner that wants more each time is cut off. */
const MAX_ATTEMPTS = 8;
/** Largest room an owner may ask for, bytes. */
const MAX_ROOM = 16 * 1024 * 1024;
/** Room offered for a status whose class is not registered, bytes. */
const DEFAULT_ROOM = 256;

export interface StatusAnswer {
  readonly status: NdisStatus;
  readonly completedBy: Guid | undefined;
  readonly version: number;
  /** The vendor data, copied. */
  readonly data: Uint8Array;
}

/** Feature status queries of ports and of the switch (rules F1-F5, sequence S7). */
export class StatusOperations {
  readonly #edge: ProtocolEdge;

  constructor(edge: ProtocolEdge) {
    this.#edge = edge;
  }

  /** `portId` < 0 asks the switch. `codec` is the status class, when it is registered. */
  *query(portId: number, id: Guid, codec: PropertyCodec | undefined): Steps<StatusAnswer> {
    const dataOffset = featureStatusSize(portId >= 0 ? 'port' : 'switch', 0);
    let room = codec === undefined ? DEFAULT_ROOM : codec.fixedSize;
    for (let attempt = 1; ; attempt += 1) {
      const request = buildQuery(portId, id, room);
      request.codec = codec;
      const done = yield* settled(this.#edge.send(request));
      const needed = done.bytesNeeded - dataOffset;
      // Rule F5; BUFFER_TOO_SHORT is accepted as well (OP-32).
      const tooSmall =
        done.status === NdisStatus.INVALID_LENGTH || done.status === NdisStatus.BUFFER_TOO_SHORT;
      if (tooSmall && needed > room && needed <= MAX_ROOM && attempt < MAX_ATTEMPTS) {
        room = needed;
        continue;
      }
      return answerOf(done, portId >= 0, dataOffset);
    }
  }
}

/** Everything preset but FeatureStatusVersion and the result (rules F2-F4). */
function buildQuery(portId: number, id: Guid, room: number): OidRequest {
  const scope = portId >= 0 ? 'port' : 'switch';
  const bytes = new Uint8Array(featureStatusSize(scope, room));
  const head = { portId, featureStatusId: id, featureStatusInstanceId: NULL_GUID };
  writeFeatureStatusQuery(scope, bytes, 0, head, room);
  const oid =
    scope === 'port'
      ? OIDS.OID_SWITCH_PORT_FEATURE_STATUS_QUERY.code
      : OIDS.OID_SWITCH_FEATURE_STATUS_QUERY.code;
  return new OidRequest(oid, oidIndex(oid), REQUEST_TYPE.method, bytes, bytes.length, bytes.length);
}

function answerOf(done: OidRequest, forPort: boolean, dataOffset: number): StatusAnswer {
  if (done.status !== NdisStatus.SUCCESS) {
    return {
      status: done.status,
      completedBy: done.completedBy?.id,
      version: 0,
      data: new Uint8Array(0),
    };
  }
  const version = forPort
    ? PORT_STATUS.view(done.buffer).FeatureStatusVersion
    : SWITCH_STATUS.view(done.buffer).FeatureStatusVersion;
  const length = forPort
    ? PORT_CUSTOM.view(done.buffer, 64).FeatureStatusBufferLength
    : SWITCH_CUSTOM.view(done.buffer, 56).FeatureStatusCustomBufferLength;
  const end = Math.min(dataOffset + length, done.buffer.length);
  return {
    status: done.status,
    completedBy: done.completedBy?.id,
    version,
    data: done.buffer.slice(dataOffset, end),
  };
}
