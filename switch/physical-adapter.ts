import { OFFLOAD_OIDS } from '../src/abi/index.ts';
import { NdisStatus } from '../src/core/status.ts';
import type { NicAddress } from '../src/sdk/extension.ts';
import { linkState } from './link-state.ts';
import {
  ALLOCATION_COMPLETE,
  DEFAULT_ID,
  dataView,
  FILTER_PARAMETERS,
  MOVE_FILTER_PARAMETERS,
  NO_FUNCTION,
  QUEUE_PARAMETERS,
  RESET_VF_PARAMETERS,
  VF_PARAMETERS,
  VPORT_PARAMETERS,
} from './offload-parameters.ts';
import { type OffloadResource, type ResourceKind, releasedBy } from './offload-resource.ts';

const O = OFFLOAD_OIDS;
/** Queries every adapter answers (ntddndis.h). */
const OID_GEN_LINK_STATE = 0x00010207;
const OID_802_3_PERMANENT_ADDRESS = 0x01010101;
const OID_802_3_CURRENT_ADDRESS = 0x01010102;
/** NDIS_OBJECT_TYPE_DEFAULT. */
const DEFAULT_TYPE = 0x80;
/** Routing id of VF 0: bus 1, function 0x10; one more per VF (NDIS_MAKE_RID). Made up, as a real one is the machine's. */
const FIRST_RID = 0x0110;
/** Receive filters one adapter holds: no page gives a number. */
const MAX_FILTERS = 1024;
/** Addresses of its multicast list. */
const MAX_MULTICAST = 1024;
/** On no queue, VPort or virtual function of its own. */
const UNPLACED = { queueId: DEFAULT_ID, vportId: DEFAULT_ID, vfId: NO_FUNCTION };

/** Facts of a physical network adapter, or of an LBFO team that looks like one (rule C5). */
export interface AdapterFacts {
  readonly name: string;
  /** Virtual functions for SR-IOV; default 0: the adapter has none. */
  readonly virtualFunctions?: number;
  /** Receive queues for VMQ besides the default one; default 0. */
  readonly queues?: number;
  /** State of its link; default up. */
  readonly linkUp?: boolean;
}

/** A request handed to the adapter: the answer is written into `data` and the counters. */
export interface AdapterRequest {
  readonly oid: number;
  /** NDIS_REQUEST_TYPE. */
  readonly requestType: number;
  /** InformationBuffer, as long as the room it has. */
  readonly data: Uint8Array;
  readonly inputLength: number;
  readonly outputLength: number;
  /** Whose request it is; 0/0 the switch interface. */
  readonly source: NicAddress;
  /** Who allocates: the extension that originated the request, `undefined` for what came from above (rule D39). */
  readonly issuer: object | undefined;
  bytesRead: number;
  bytesWritten: number;
  bytesNeeded: number;
}

/** A resource in use, and by whom. */
export interface HeldResource extends OffloadResource {
  readonly source: NicAddress;
  readonly issuer: object | undefined;
}

/**
 * The simulated hardware below the external NIC: accounts virtual functions, VPorts, receive queues and filters, keeps a
 * multicast list, answers link state and addresses. Moves no packets. IPsec offload it does not have.
 */
export class PhysicalAdapter {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly virtualFunctions: number;
  readonly queues: number;
  linkUp: boolean;
  readonly #held = new Map<string, HeldResource>();
  readonly #multicast = new Set<string>();

  constructor(facts: AdapterFacts, mac: Uint8Array) {
    this.name = facts.name;
    this.mac = mac;
    this.virtualFunctions = facts.virtualFunctions ?? 0;
    this.queues = facts.queues ?? 0;
    this.linkUp = facts.linkUp ?? true;
  }

  get virtualFunctionsUsed(): number {
    return this.#count('vf');
  }
  get queuesUsed(): number {
    return this.#count('queue');
  }
  /** Addresses of the multicast list, as twelve hex digits. */
  get multicastAddresses(): readonly string[] {
    return [...this.#multicast];
  }
  /** What is allocated, in the order it was. */
  get resources(): readonly HeldResource[] {
    return [...this.#held.values()];
  }

  /** Who holds a resource, or `undefined` when nobody does. */
  holder(kind: ResourceKind, id: number): HeldResource | undefined {
    return this.#held.get(keyOf(kind, id));
  }

  /**
   * Answers a request (rule D28). RESOURCES when what is asked for is used up, INVALID_PARAMETER for a resource that is
   * not there or bytes that are not the structure, INVALID_LENGTH with BytesNeeded for too little room, NOT_SUPPORTED for
   * what this adapter does not do.
   */
  answer(request: AdapterRequest): NdisStatus {
    const { requestType } = request;
    if (requestType === 0) return this.#query(request);
    if (requestType === 12) return this.#method(request);
    const status = this.#set(request);
    if (status === NdisStatus.SUCCESS) request.bytesRead = request.inputLength;
    return status;
  }

  /** NDIS_LINK_STATE now: what NDIS_STATUS_LINK_STATE and OID_GEN_LINK_STATE carry. */
  linkState(): Uint8Array {
    return linkState(this.linkUp);
  }

  // --- queries -------------------------------------------------------------------------------------------------------

  #query(request: AdapterRequest): NdisStatus {
    switch (request.oid) {
      case OID_GEN_LINK_STATE:
        return this.#tell(request, this.linkState());
      case OID_802_3_PERMANENT_ADDRESS:
      case OID_802_3_CURRENT_ADDRESS:
        return this.#tell(request, this.mac);
      default:
        return NdisStatus.NOT_SUPPORTED;
    }
  }

  #tell(request: AdapterRequest, answer: Uint8Array): NdisStatus {
    if (request.outputLength < answer.length) return tooShort(request, answer.length);
    request.data.set(answer);
    request.bytesWritten = answer.length;
    return NdisStatus.SUCCESS;
  }

  // --- methods: allocations ------------------------------------------------------------------------------------------

  #method(request: AdapterRequest): NdisStatus {
    switch (request.oid) {
      case O.OID_NIC_SWITCH_ALLOCATE_VF.code:
        return this.#allocateVf(request);
      case O.OID_NIC_SWITCH_CREATE_VPORT.code:
        return this.#createVport(request);
      case O.OID_RECEIVE_FILTER_ALLOCATE_QUEUE.code:
        return this.#allocateQueue(request);
      case O.OID_RECEIVE_FILTER_SET_FILTER.code:
        return this.#setFilter(request);
      case O.OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE.code:
        return this.#allocationComplete(request);
      default:
        return NdisStatus.NOT_SUPPORTED;
    }
  }

  #allocateVf(request: AdapterRequest): NdisStatus {
    if (this.virtualFunctions === 0) return NdisStatus.NOT_SUPPORTED;
    const bad = badBytes(request, VF_PARAMETERS.size);
    if (bad !== undefined) return bad;
    const id = this.#free('vf', 0, this.virtualFunctions);
    if (id === undefined) return NdisStatus.RESOURCES;
    const view = dataView(request.data);
    view.setUint16(VF_PARAMETERS.vfId, id, true);
    view.setUint32(VF_PARAMETERS.requestorId, FIRST_RID + id, true);
    this.#hold(request, { ...UNPLACED, kind: 'vf', id });
    return done(request, VF_PARAMETERS.size);
  }

  #createVport(request: AdapterRequest): NdisStatus {
    if (this.virtualFunctions === 0) return NdisStatus.NOT_SUPPORTED;
    const bad = badBytes(request, VPORT_PARAMETERS.headerSize);
    if (bad !== undefined) return bad;
    const view = dataView(request.data);
    const vfId = view.getUint16(VPORT_PARAMETERS.attachedFunctionId, true);
    // A VPort is on a virtual function that is allocated, or on the physical one.
    if (vfId !== NO_FUNCTION && this.holder('vf', vfId) === undefined) {
      return NdisStatus.INVALID_PARAMETER;
    }
    // Every virtual function has one; VPort 0 is the default one.
    const id = this.#free('vport', 1, this.virtualFunctions);
    if (id === undefined) return NdisStatus.RESOURCES;
    view.setUint32(VPORT_PARAMETERS.vportId, id, true);
    this.#hold(request, { ...UNPLACED, kind: 'vport', id, vfId });
    return done(request, VPORT_PARAMETERS.headerSize);
  }

  #allocateQueue(request: AdapterRequest): NdisStatus {
    if (this.queues === 0) return NdisStatus.NOT_SUPPORTED;
    const bad = badBytes(request, QUEUE_PARAMETERS.headerSize);
    if (bad !== undefined) return bad;
    const id = this.#free('queue', 1, this.queues);
    if (id === undefined) return NdisStatus.RESOURCES;
    dataView(request.data).setUint32(QUEUE_PARAMETERS.queueId, id, true);
    this.#hold(request, { ...UNPLACED, kind: 'queue', id });
    return done(request, QUEUE_PARAMETERS.headerSize);
  }

  #setFilter(request: AdapterRequest): NdisStatus {
    const bad = badBytes(request, FILTER_PARAMETERS.size);
    if (bad !== undefined) return bad;
    const view = dataView(request.data);
    const queueId = view.getUint32(FILTER_PARAMETERS.queueId, true);
    const hasVport = request.inputLength >= FILTER_PARAMETERS.sizeWithVport;
    const vportId = hasVport ? view.getUint32(FILTER_PARAMETERS.vportId, true) : DEFAULT_ID;
    if (!this.#exists('queue', queueId) || !this.#exists('vport', vportId)) {
      return NdisStatus.INVALID_PARAMETER;
    }
    const id = this.#free('filter', 1, MAX_FILTERS);
    if (id === undefined) return NdisStatus.RESOURCES;
    view.setUint32(FILTER_PARAMETERS.filterId, id, true);
    this.#hold(request, { ...UNPLACED, kind: 'filter', id, queueId, vportId });
    return done(request, Math.min(request.inputLength, request.outputLength));
  }

  /** Every queue of the list gets its CompletionStatus; a list that does not fit is INVALID_PARAMETER. */
  #allocationComplete(request: AdapterRequest): NdisStatus {
    const at = ALLOCATION_COMPLETE;
    const bad = badBytes(request, at.size);
    if (bad !== undefined) return bad;
    const view = dataView(request.data);
    const first = view.getUint32(at.firstElementOffset, true);
    const count = view.getUint32(at.numElements, true);
    const size = view.getUint32(at.elementSize, true);
    const end = Math.min(request.inputLength, request.outputLength);
    if (count > 0 && (size < at.elementMinimum || first < at.size || first + count * size > end)) {
      return NdisStatus.INVALID_PARAMETER;
    }
    for (let i = 0; i < count; i += 1) {
      const element = first + i * size;
      const queueId = view.getUint32(element + at.elementQueueId, true);
      const status = this.#exists('queue', queueId)
        ? NdisStatus.SUCCESS
        : NdisStatus.INVALID_PARAMETER;
      view.setUint32(element + at.elementStatus, status, true);
    }
    return done(request, count === 0 ? at.size : first + count * size);
  }

  // --- sets: releases and lists --------------------------------------------------------------------------------------

  #set(request: AdapterRequest): NdisStatus {
    const { oid, inputLength } = request;
    const input = request.data.subarray(0, inputLength);
    switch (oid) {
      case O.OID_NIC_SWITCH_FREE_VF.code:
      case O.OID_NIC_SWITCH_DELETE_VPORT.code:
      case O.OID_RECEIVE_FILTER_FREE_QUEUE.code:
      case O.OID_RECEIVE_FILTER_CLEAR_FILTER.code: {
        const named = releasedBy(oid, input);
        return named === undefined ? NdisStatus.INVALID_LENGTH : this.#release(named);
      }
      case O.OID_RECEIVE_FILTER_MOVE_FILTER.code:
        return this.#moveFilter(input);
      case O.OID_SRIOV_RESET_VF.code: {
        if (inputLength < RESET_VF_PARAMETERS.size) return NdisStatus.INVALID_LENGTH;
        const vfId = dataView(input).getUint16(RESET_VF_PARAMETERS.vfId, true);
        return this.holder('vf', vfId) === undefined
          ? NdisStatus.INVALID_PARAMETER
          : NdisStatus.SUCCESS;
      }
      case O.OID_802_3_ADD_MULTICAST_ADDRESS.code:
      case O.OID_802_3_DELETE_MULTICAST_ADDRESS.code:
        return this.#changeMulticast(oid === O.OID_802_3_ADD_MULTICAST_ADDRESS.code, input);
      default:
        return NdisStatus.NOT_SUPPORTED;
    }
  }

  /** VPorts go before their VF, filters before their queue or VPort (the FREE and DELETE pages). */
  #release(named: OffloadResource): NdisStatus {
    const held = this.holder(named.kind, named.id);
    if (held === undefined || this.#inUse(held)) return NdisStatus.INVALID_PARAMETER;
    this.#held.delete(keyOf(held.kind, held.id));
    return NdisStatus.SUCCESS;
  }

  #inUse({ kind, id }: OffloadResource): boolean {
    for (const other of this.#held.values()) {
      if (kind === 'vf' && other.kind === 'vport' && other.vfId === id) return true;
      if (kind === 'queue' && other.kind === 'filter' && other.queueId === id) return true;
      if (kind === 'vport' && other.kind === 'filter' && other.vportId === id) return true;
    }
    return false;
  }

  #moveFilter(input: Uint8Array): NdisStatus {
    if (input.length < MOVE_FILTER_PARAMETERS.size) return NdisStatus.INVALID_LENGTH;
    const view = dataView(input);
    const held = this.holder('filter', view.getUint32(MOVE_FILTER_PARAMETERS.filterId, true));
    const from = view.getUint32(MOVE_FILTER_PARAMETERS.sourceVportId, true);
    const to = view.getUint32(MOVE_FILTER_PARAMETERS.destinationVportId, true);
    if (held?.vportId !== from || !this.#exists('vport', to)) return NdisStatus.INVALID_PARAMETER;
    this.#held.set(keyOf('filter', held.id), { ...held, vportId: to });
    return NdisStatus.SUCCESS;
  }

  #changeMulticast(add: boolean, input: Uint8Array): NdisStatus {
    if (input.length < 6) return NdisStatus.INVALID_LENGTH;
    const address = Buffer.from(input.subarray(0, 6)).toString('hex');
    if (!add) {
      return this.#multicast.delete(address) ? NdisStatus.SUCCESS : NdisStatus.INVALID_PARAMETER;
    }
    // Bit 0 of the first byte: a group address.
    if (((input[0] ?? 0) & 1) === 0) return NdisStatus.INVALID_PARAMETER;
    if (this.#multicast.size >= MAX_MULTICAST) return NdisStatus.RESOURCES;
    this.#multicast.add(address);
    return NdisStatus.SUCCESS;
  }

  // --- accounts ------------------------------------------------------------------------------------------------------

  #hold(request: AdapterRequest, resource: OffloadResource): void {
    const { source, issuer } = request;
    this.#held.set(keyOf(resource.kind, resource.id), { ...resource, source, issuer });
  }

  /** Number 0 of queues and VPorts is the default one, which is always there. */
  #exists(kind: 'queue' | 'vport', id: number): boolean {
    return id === DEFAULT_ID || this.holder(kind, id) !== undefined;
  }

  /** The lowest free number of `count` from `first`. */
  #free(kind: ResourceKind, first: number, count: number): number | undefined {
    for (let id = first; id < first + count; id += 1) {
      if (!this.#held.has(keyOf(kind, id))) return id;
    }
    return undefined;
  }

  #count(kind: ResourceKind): number {
    let count = 0;
    for (const held of this.#held.values()) if (held.kind === kind) count += 1;
    return count;
  }
}

const keyOf = (kind: ResourceKind, id: number): string => `${kind} ${id}`;

/** Method requests: input and answer stand in the same bytes, and both have the whole structure. */
function badBytes(request: AdapterRequest, size: number): NdisStatus | undefined {
  if (request.inputLength < size || request.outputLength < size) return tooShort(request, size);
  const [type, revision] = request.data;
  const fits = type === DEFAULT_TYPE && (revision ?? 0) >= 1;
  return fits ? undefined : NdisStatus.INVALID_PARAMETER;
}

function tooShort(request: AdapterRequest, needed: number): NdisStatus {
  request.bytesNeeded = needed;
  return NdisStatus.INVALID_LENGTH;
}

function done(request: AdapterRequest, written: number): NdisStatus {
  request.bytesRead = request.inputLength;
  request.bytesWritten = written;
  return NdisStatus.SUCCESS;
}
