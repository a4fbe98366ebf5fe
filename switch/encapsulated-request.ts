import {
  type NdisVersion,
  type NicRequestCounters,
  type NicRequestParts,
  nicRequestSize,
  type OffloadOid,
  OIDS,
  offloadOidByCode,
  oidIndex,
  oidName,
  readNicRequest,
  readNicRequestCounters,
  writeNicRequest,
  writeNicRequestCounters,
} from '../src/abi/index.ts';
import type { NdisStatus } from '../src/core/status.ts';
import type {
  NicAddress,
  NicOidRequest,
  OidRequest as OidRequestHandle,
  RequestType,
} from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import {
  OidRequest,
  REQUEST_TYPE,
  RequestHandle,
  type RequestTypeCode,
  requestTypeName,
} from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';

export const NIC_REQUEST = OIDS.OID_SWITCH_NIC_REQUEST.code;

/** Rule B11: as source the switch interface itself, as destination the extensions in the stack. */
export const NOWHERE: NicAddress = { portId: 0, nicIndex: 0 };

export function sameNic(a: NicAddress, b: NicAddress): boolean {
  return a.portId === b.portId && a.nicIndex === b.nicIndex;
}

/** The request inside an OID_SWITCH_NIC_REQUEST, as the switch keeps it beside the bytes. */
export interface Encapsulated {
  readonly parts: NicRequestParts;
  readonly source: NicAddress;
  readonly destination: NicAddress;
  /** Row of the table, when the OID is a hardware-offload or multicast one. */
  readonly offload: OffloadOid | undefined;
  /** The extension that originated it; `undefined`: the protocol edge. */
  readonly issuer: FilterModule | undefined;
  /** The request a module sent in this one's place while filtering it (rules D31, D38); PENDING while that is under way. */
  replacement: { readonly by: FilterModule; status: NdisStatus } | undefined;
}

/** What an encapsulated request is made of. */
export interface EncapsulatedOptions {
  readonly source: NicAddress;
  readonly destination: NicAddress;
  readonly requestType: RequestType;
  readonly oid: number;
  readonly input: Uint8Array;
  /** Room for the answer, bytes. */
  readonly outputLength: number;
  readonly issuer?: FilterModule | undefined;
}

/** A NIC_REQUEST around a request (rules D24-D27): method, one buffer with everything in it. */
export function encapsulate(options: EncapsulatedOptions, ndis: NdisVersion): OidRequest {
  const { source, destination, requestType, oid, input } = options;
  const outputLength = requestType === 'set' ? 0 : options.outputLength;
  const sent = requestType === 'query' ? new Uint8Array(0) : input;
  const bytes = new Uint8Array(nicRequestSize(Math.max(sent.length, outputLength), ndis));
  const head = {
    sourcePortId: source.portId,
    sourceNicIndex: source.nicIndex,
    destinationPortId: destination.portId,
    destinationNicIndex: destination.nicIndex,
    requestType: REQUEST_TYPE[requestType],
    oid,
  };
  writeNicRequest(bytes, 0, head, sent, outputLength, ndis);
  return nicRequestOf(bytes, options.issuer);
}

/** A NIC_REQUEST of bytes that are there; throws `ABI_INVALID` when they are none. */
export function nicRequestOf(bytes: Uint8Array, issuer: FilterModule | undefined): OidRequest {
  const parts = readNicRequest(bytes);
  const index = oidIndex(NIC_REQUEST);
  const { method } = REQUEST_TYPE;
  const request = new OidRequest(NIC_REQUEST, index, method, bytes, bytes.length, bytes.length);
  request.encapsulated = {
    parts,
    source: { portId: parts.sourcePortId, nicIndex: parts.sourceNicIndex },
    destination: { portId: parts.destinationPortId, nicIndex: parts.destinationNicIndex },
    offload: offloadOidByCode(parts.oid),
    issuer,
    replacement: undefined,
  };
  return request;
}

/** What came back from the request inside. */
export interface InnerAnswer extends NicRequestCounters {
  /** What a query or method wrote; empty for a set. */
  readonly output: Uint8Array;
}

export function innerAnswer(request: OidRequest, { parts }: Encapsulated): InnerAnswer {
  const counters = readNicRequestCounters(request.buffer, parts);
  const length = Math.min(counters.bytesWritten, parts.dataLength);
  const output = request.buffer.subarray(parts.dataOffset, parts.dataOffset + length);
  return { ...counters, output };
}

/**
 * Rule D31: a redirected request is a clone and shares its InformationBuffer with the original, so the answer is the
 * original's as well. The copy is what nobody may change from here on.
 */
export function answerOriginal(original: OidRequest, redirected: OidRequest): void {
  const to = original.encapsulated;
  const from = redirected.encapsulated;
  if (to === undefined || from === undefined) return;
  const answer = innerAnswer(redirected, from);
  const output = answer.output.subarray(0, to.parts.dataLength);
  const targets =
    original.pristine === undefined ? [original.buffer] : [original.buffer, original.pristine];
  for (const bytes of targets) {
    bytes.set(output, to.parts.dataOffset);
    writeNicRequestCounters(bytes, to.parts, answer);
  }
  original.bytesRead = redirected.bytesRead;
  original.bytesWritten = Math.min(redirected.bytesWritten, original.length);
}

/** OID_SWITCH_NIC_REQUEST as a handler sees it. */
export class NicRequestView implements NicOidRequest {
  readonly #raw: OidRequest;
  readonly #inner: Encapsulated;
  readonly request: OidRequestHandle;

  constructor(request: OidRequest, inner: Encapsulated, module: FilterModule, pipeline: Pipeline) {
    this.#raw = request;
    this.#inner = inner;
    this.request = new RequestHandle(request, module, pipeline);
  }

  get source(): NicAddress {
    return this.#inner.source;
  }
  get destination(): NicAddress {
    return this.#inner.destination;
  }
  get requestType(): RequestType {
    return requestTypeName(this.#inner.parts.requestType as RequestTypeCode);
  }
  get oid(): number {
    return this.#inner.parts.oid;
  }
  get oidName(): string {
    return oidName(this.#inner.parts.oid);
  }
  get data(): Uint8Array {
    const { dataOffset, dataLength } = this.#inner.parts;
    return this.request.bytes.subarray(dataOffset, dataOffset + dataLength);
  }
  get status(): NdisStatus {
    return this.#raw.status;
  }
}
