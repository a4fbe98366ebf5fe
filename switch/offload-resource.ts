import { OFFLOAD_OIDS } from '../src/abi/index.ts';
import {
  CLEAR_FILTER_PARAMETERS,
  DEFAULT_ID,
  DELETE_VPORT_PARAMETERS,
  dataView,
  FILTER_PARAMETERS,
  FREE_QUEUE_PARAMETERS,
  FREE_VF_PARAMETERS,
  NO_FUNCTION,
  QUEUE_PARAMETERS,
  VF_PARAMETERS,
  VPORT_PARAMETERS,
} from './offload-parameters.ts';

/** What an adapter hands out: virtual functions, VPorts, receive queues, receive filters. */
export type ResourceKind = 'vf' | 'vport' | 'queue' | 'filter';

/** One resource by what tells it apart on its adapter. */
export interface OffloadResource {
  readonly kind: ResourceKind;
  readonly id: number;
  /** Filters: the queue and the VPort they are on. */
  readonly queueId: number;
  readonly vportId: number;
  /** VPorts: the virtual function they are on; {@link NO_FUNCTION} is the physical one. */
  readonly vfId: number;
}

interface Place {
  readonly kind: ResourceKind;
  /** Fewest bytes that say which resource it is. */
  readonly size: number;
  readonly id: number;
  readonly isShort?: boolean;
  readonly queueId?: number;
  readonly vportId?: number;
  readonly vfId?: number;
}

const ALLOCATED: ReadonlyMap<number, Place> = new Map<number, Place>([
  [
    OFFLOAD_OIDS.OID_NIC_SWITCH_ALLOCATE_VF.code,
    { kind: 'vf', size: VF_PARAMETERS.size, id: VF_PARAMETERS.vfId, isShort: true },
  ],
  [
    OFFLOAD_OIDS.OID_NIC_SWITCH_CREATE_VPORT.code,
    {
      kind: 'vport',
      size: VPORT_PARAMETERS.headerSize,
      id: VPORT_PARAMETERS.vportId,
      vfId: VPORT_PARAMETERS.attachedFunctionId,
    },
  ],
  [
    OFFLOAD_OIDS.OID_RECEIVE_FILTER_ALLOCATE_QUEUE.code,
    { kind: 'queue', size: QUEUE_PARAMETERS.headerSize, id: QUEUE_PARAMETERS.queueId },
  ],
  [
    OFFLOAD_OIDS.OID_RECEIVE_FILTER_SET_FILTER.code,
    {
      kind: 'filter',
      size: FILTER_PARAMETERS.size,
      id: FILTER_PARAMETERS.filterId,
      queueId: FILTER_PARAMETERS.queueId,
      vportId: FILTER_PARAMETERS.vportId,
    },
  ],
]);

const RELEASED: ReadonlyMap<number, Place> = new Map<number, Place>([
  [
    OFFLOAD_OIDS.OID_NIC_SWITCH_FREE_VF.code,
    {
      kind: 'vf',
      size: FREE_VF_PARAMETERS.headerSize,
      id: FREE_VF_PARAMETERS.vfId,
      isShort: true,
    },
  ],
  [
    OFFLOAD_OIDS.OID_NIC_SWITCH_DELETE_VPORT.code,
    {
      kind: 'vport',
      size: DELETE_VPORT_PARAMETERS.headerSize,
      id: DELETE_VPORT_PARAMETERS.vportId,
    },
  ],
  [
    OFFLOAD_OIDS.OID_RECEIVE_FILTER_FREE_QUEUE.code,
    { kind: 'queue', size: FREE_QUEUE_PARAMETERS.headerSize, id: FREE_QUEUE_PARAMETERS.queueId },
  ],
  [
    OFFLOAD_OIDS.OID_RECEIVE_FILTER_CLEAR_FILTER.code,
    {
      kind: 'filter',
      size: CLEAR_FILTER_PARAMETERS.headerSize,
      id: CLEAR_FILTER_PARAMETERS.filterId,
    },
  ],
]);

/** The resource a successful allocation answered with, or `undefined` for another OID or too few bytes. */
export function allocatedBy(oid: number, answer: Uint8Array): OffloadResource | undefined {
  return resourceAt(ALLOCATED.get(oid), answer);
}

/** The resource a release names, or `undefined` for another OID or too few bytes. */
export function releasedBy(oid: number, input: Uint8Array): OffloadResource | undefined {
  return resourceAt(RELEASED.get(oid), input);
}

function resourceAt(place: Place | undefined, bytes: Uint8Array): OffloadResource | undefined {
  if (place === undefined || bytes.length < place.size) return undefined;
  const view = dataView(bytes);
  const word = (at: number | undefined): number =>
    at === undefined || bytes.length < at + 4 ? DEFAULT_ID : view.getUint32(at, true);
  return {
    kind: place.kind,
    id: place.isShort === true ? view.getUint16(place.id, true) : view.getUint32(place.id, true),
    queueId: word(place.queueId),
    vportId: word(place.vportId),
    vfId: place.vfId === undefined ? NO_FUNCTION : view.getUint16(place.vfId, true),
  };
}
