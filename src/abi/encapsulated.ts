import { abiInvalid } from './abi-error.ts';
import type { NdisVersion } from './ndis-version.ts';
import { NEWEST_NDIS } from './ndis-version.ts';
import { align8, checkPiece, type PieceMembers } from './piece.ts';
import { type AnyStructure, structure } from './structure.ts';

/*
 * Buffers with pointers in them. OID_SWITCH_NIC_REQUEST and NDIS_STATUS_SWITCH_NIC_STATUS point to a second structure,
 * which points to data; on Windows the three stand anywhere in memory. Here they stand in one buffer, each at a multiple
 * of 8, and a pointer holds the offset from the start of the first structure: simulated memory starts at the buffer. A
 * null pointer is 0, as on Windows.
 */

const NIC_REQUEST = structure('NDIS_SWITCH_NIC_OID_REQUEST');
const OID_REQUEST = structure('NDIS_OID_REQUEST');
const NIC_STATUS = structure('NDIS_SWITCH_NIC_STATUS_INDICATION');
const STATUS = structure('NDIS_STATUS_INDICATION');

/** NDIS_REQUEST_TYPE values an encapsulated request may have (ndis-switch-abi.md 2). */
const QUERY = 0;
const SET = 1;
const METHOD = 12;

/** Offset of DATA in NDIS_OID_REQUEST, and of the members in its arms (ndis-switch-abi.md 2). */
const DATA = 32;
const LENGTH_AT = 16;
const OUTPUT_LENGTH_AT = 20;

/** Where the request inside a NIC_REQUEST starts: right behind the 32 bytes of the outer structure. */
const INNER = align8(NIC_REQUEST.minimumSize);

/** Port and NIC at both ends of an encapsulated request or indication; 0/0 as rule B11 says. */
export interface EncapsulatedEnds {
  readonly sourcePortId: number;
  readonly sourceNicIndex: number;
  readonly destinationPortId: number;
  readonly destinationNicIndex: number;
}

/** What a NIC_REQUEST says beside its data. */
export interface NicRequestHead extends EncapsulatedEnds {
  /** NDIS_REQUEST_TYPE of the request inside: 0 query, 1 set, 12 method. */
  readonly requestType: number;
  /** OID of the request inside. */
  readonly oid: number;
}

/** A checked NIC_REQUEST. Offsets are absolute in the buffer, lengths in bytes. */
export interface NicRequestParts extends NicRequestHead {
  /** Start of the NDIS_OID_REQUEST inside. */
  readonly innerOffset: number;
  /** Its InformationBuffer. */
  readonly dataOffset: number;
  /** Room of the InformationBuffer: the longer of both lengths. */
  readonly dataLength: number;
  readonly inputLength: number;
  readonly outputLength: number;
}

/** The counters of a completed request (ndis-switch-abi.md 2); those its type does not have stay out. */
export interface NicRequestCounters {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly bytesNeeded: number;
}

/** Bytes a NIC_REQUEST takes with an InformationBuffer of `dataLength` bytes: 32 + 240 (248 from NDIS 6.50 on) + data. */
export function nicRequestSize(dataLength: number, ndis: NdisVersion = NEWEST_NDIS): number {
  return nicRequestDataOffset(ndis) + dataLength;
}

/** Offset of the InformationBuffer from the start: 272, or 280 from NDIS 6.50 on (OID request revision 2). */
export function nicRequestDataOffset(ndis: NdisVersion = NEWEST_NDIS): number {
  return INNER + align8(OID_REQUEST.sizeof(ndis));
}

/**
 * Writes NDIS_SWITCH_NIC_OID_REQUEST at `offset`, the NDIS_OID_REQUEST inside, and `input` in its InformationBuffer. A
 * query has no input lengths, a set no output; a method's InformationBuffer takes the longer of both. Gives the total in
 * bytes; too little room is `ABI_INVALID`.
 */
export function writeNicRequest(
  bytes: Uint8Array,
  offset: number,
  head: NicRequestHead,
  input: Uint8Array,
  outputLength: number,
  ndis: NdisVersion = NEWEST_NDIS,
): number {
  const dataAt = nicRequestDataOffset(ndis);
  const dataLength = Math.max(input.length, outputLength);
  const total = dataAt + dataLength;
  room(NIC_REQUEST, bytes, offset, total);
  NIC_REQUEST.initialize(bytes, offset, { ndis });
  writeEnds(NIC_REQUEST.view(bytes, offset), head);
  NIC_REQUEST.view(bytes, offset).OidRequest = BigInt(INNER);
  OID_REQUEST.initialize(bytes, offset + INNER, { ndis });
  const inner = OID_REQUEST.view(bytes, offset + INNER);
  inner.RequestType = head.requestType;
  inner.DATA.Oid = head.oid;
  const pointer = dataLength === 0 ? 0n : BigInt(dataAt);
  inner.DATA.QUERY_INFORMATION.InformationBuffer = pointer;
  if (head.requestType === METHOD) {
    inner.DATA.METHOD_INFORMATION.InputBufferLength = input.length;
    inner.DATA.METHOD_INFORMATION.OutputBufferLength = outputLength;
  } else {
    inner.DATA.SET_INFORMATION.InformationBufferLength = dataLength;
  }
  bytes.fill(0, offset + dataAt, offset + total);
  bytes.set(input, offset + dataAt);
  return total;
}

/**
 * Checks a NIC_REQUEST that may use `length` bytes and gives its parts. Nothing outside is read: a pointer that leads
 * out of the buffer or back into a structure before it, a length that does not fit, a request type no switch uses are
 * `ABI_INVALID` with their place.
 */
export function readNicRequest(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): NicRequestParts {
  NIC_REQUEST.check(bytes, offset, length);
  const view = NIC_REQUEST.view(bytes, offset, length);
  const innerOffset = follow(
    REQUEST_POINTER,
    offset,
    NIC_REQUEST.minimumSize,
    length,
    view.OidRequest,
    OID_REQUEST.minimumSize,
  );
  const innerRoom = offset + length - innerOffset;
  OID_REQUEST.check(bytes, innerOffset, innerRoom);
  const inner = OID_REQUEST.view(bytes, innerOffset, innerRoom);
  const requestType = inner.RequestType;
  if (requestType !== QUERY && requestType !== SET && requestType !== METHOD) {
    const expected = '0 (query), 1 (set) or 12 (method)';
    throw abiInvalid(
      OID_REQUEST.name,
      'RequestType',
      innerOffset + 4,
      expected,
      String(requestType),
    );
  }
  const { METHOD_INFORMATION: method, SET_INFORMATION: plain } = inner.DATA;
  const inputLength =
    requestType === METHOD
      ? method.InputBufferLength
      : requestType === SET
        ? plain.InformationBufferLength
        : 0;
  const outputLength =
    requestType === METHOD
      ? method.OutputBufferLength
      : requestType === QUERY
        ? plain.InformationBufferLength
        : 0;
  const dataLength = Math.max(inputLength, outputLength);
  const dataOffset = follow(
    informationPointer(innerOffset - offset, inputLength < outputLength && requestType === METHOD),
    offset,
    innerOffset - offset + inner.Header.Size,
    length,
    plain.InformationBuffer,
    dataLength,
  );
  return {
    ...ends(view),
    requestType,
    oid: inner.DATA.Oid,
    innerOffset,
    dataOffset,
    dataLength,
    inputLength,
    outputLength,
  };
}

/** Writes the result counters of the request inside into the arm its type has. */
export function writeNicRequestCounters(
  bytes: Uint8Array,
  parts: NicRequestParts,
  counters: NicRequestCounters,
): void {
  const { DATA: data } = OID_REQUEST.view(bytes, parts.innerOffset);
  if (parts.requestType === METHOD) {
    data.METHOD_INFORMATION.BytesRead = counters.bytesRead;
    data.METHOD_INFORMATION.BytesWritten = counters.bytesWritten;
    data.METHOD_INFORMATION.BytesNeeded = counters.bytesNeeded;
  } else if (parts.requestType === SET) {
    data.SET_INFORMATION.BytesRead = counters.bytesRead;
    data.SET_INFORMATION.BytesNeeded = counters.bytesNeeded;
  } else {
    data.QUERY_INFORMATION.BytesWritten = counters.bytesWritten;
    data.QUERY_INFORMATION.BytesNeeded = counters.bytesNeeded;
  }
}

/** The result counters of the request inside; those its type does not have are 0. */
export function readNicRequestCounters(
  bytes: Uint8Array,
  parts: NicRequestParts,
): NicRequestCounters {
  const { DATA: data } = OID_REQUEST.view(bytes, parts.innerOffset);
  if (parts.requestType === METHOD) {
    const { BytesRead, BytesWritten, BytesNeeded } = data.METHOD_INFORMATION;
    return { bytesRead: BytesRead, bytesWritten: BytesWritten, bytesNeeded: BytesNeeded };
  }
  if (parts.requestType === SET) {
    const { BytesRead, BytesNeeded } = data.SET_INFORMATION;
    return { bytesRead: BytesRead, bytesWritten: 0, bytesNeeded: BytesNeeded };
  }
  const { BytesWritten, BytesNeeded } = data.QUERY_INFORMATION;
  return { bytesRead: 0, bytesWritten: BytesWritten, bytesNeeded: BytesNeeded };
}

// --- status indications ------------------------------------------------------------------------------------------------

/** What a NIC_STATUS says beside its data. */
export interface NicStatusHead extends EncapsulatedEnds {
  /** StatusCode of the indication inside. Codes have error severity here and there: never test one for success (quirk 33). */
  readonly statusCode: number;
  /** SourceHandle of the indication inside: who raised it (rule H10). */
  readonly sourceHandle: number;
}

/** A checked NIC_STATUS. Offsets are absolute in the buffer, lengths in bytes. */
export interface NicStatusParts extends NicStatusHead {
  readonly innerOffset: number;
  readonly dataOffset: number;
  readonly dataLength: number;
}

/** Offset of the StatusBuffer from the start: 32 + 112. */
const STATUS_DATA = INNER + align8(STATUS.minimumSize);

/** Bytes a NIC_STATUS takes with a StatusBuffer of `dataLength` bytes. */
export function nicStatusSize(dataLength: number): number {
  return STATUS_DATA + dataLength;
}

/**
 * Writes NDIS_SWITCH_NIC_STATUS_INDICATION at `offset` (type 0x80, quirk 16), the NDIS_STATUS_INDICATION inside (type
 * 0x98), and `data` as its StatusBuffer; without data StatusBuffer is null and its size 0 (rule H11). On Windows this is
 * the StatusBuffer of yet another NDIS_STATUS_INDICATION whose StatusBufferSize is 32 (quirk 34). Gives the total in bytes.
 */
export function writeNicStatus(
  bytes: Uint8Array,
  offset: number,
  head: NicStatusHead,
  data: Uint8Array,
): number {
  const total = nicStatusSize(data.length);
  room(NIC_STATUS, bytes, offset, total);
  NIC_STATUS.initialize(bytes, offset);
  writeEnds(NIC_STATUS.view(bytes, offset), head);
  NIC_STATUS.view(bytes, offset).StatusIndication = BigInt(INNER);
  STATUS.initialize(bytes, offset + INNER);
  const inner = STATUS.view(bytes, offset + INNER);
  inner.SourceHandle = BigInt(head.sourceHandle);
  inner.StatusCode = head.statusCode;
  inner.StatusBuffer = data.length === 0 ? 0n : BigInt(STATUS_DATA);
  inner.StatusBufferSize = data.length;
  bytes.set(data, offset + STATUS_DATA);
  return total;
}

/** Checks a NIC_STATUS that may use `length` bytes, 32 or more (quirk 34), and gives its parts; see {@link readNicRequest}. */
export function readNicStatus(
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): NicStatusParts {
  NIC_STATUS.check(bytes, offset, length);
  const view = NIC_STATUS.view(bytes, offset, length);
  const innerOffset = follow(
    STATUS_POINTER,
    offset,
    NIC_STATUS.minimumSize,
    length,
    view.StatusIndication,
    STATUS.minimumSize,
  );
  const innerRoom = offset + length - innerOffset;
  STATUS.check(bytes, innerOffset, innerRoom);
  const inner = STATUS.view(bytes, innerOffset, innerRoom);
  const dataLength = inner.StatusBufferSize;
  const dataOffset = follow(
    bufferPointer(innerOffset - offset),
    offset,
    innerOffset - offset + inner.Header.Size,
    length,
    inner.StatusBuffer,
    dataLength,
  );
  return {
    ...ends(view),
    statusCode: inner.StatusCode,
    sourceHandle: Number(inner.SourceHandle),
    innerOffset,
    dataOffset,
    dataLength,
  };
}

// --- pointers ----------------------------------------------------------------------------------------------------------

const REQUEST_POINTER: PieceMembers = {
  structure: NIC_REQUEST.name,
  offsetMember: 'OidRequest',
  offsetAt: 24,
  lengthMember: 'OidRequest',
  lengthAt: 24,
};
const STATUS_POINTER: PieceMembers = {
  structure: NIC_STATUS.name,
  offsetMember: 'StatusIndication',
  offsetAt: 24,
  lengthMember: 'StatusIndication',
  lengthAt: 24,
};

/** `at`: where the structure stands, from the start of the outer one. */
function informationPointer(at: number, byOutput: boolean): PieceMembers {
  return {
    structure: OID_REQUEST.name,
    offsetMember: 'InformationBuffer',
    offsetAt: at + DATA + 8,
    lengthMember: byOutput ? 'OutputBufferLength' : 'InformationBufferLength',
    lengthAt: at + DATA + (byOutput ? OUTPUT_LENGTH_AT : LENGTH_AT),
  };
}

function bufferPointer(at: number): PieceMembers {
  return {
    structure: STATUS.name,
    offsetMember: 'StatusBuffer',
    offsetAt: at + 48,
    lengthMember: 'StatusBufferSize',
    lengthAt: at + 56,
  };
}

/** Absolute offset a pointer leads to; `needed` bytes must be there, behind `behind` bytes from the start. */
function follow(
  members: PieceMembers,
  base: number,
  behind: number,
  length: number,
  pointer: bigint,
  needed: number,
): number {
  // Beyond 2^53 a number is no longer exact, and no buffer is that long: such a pointer leads outside either way.
  return checkPiece(members, base, behind, length, Number(pointer), needed);
}

interface EndsView {
  SourcePortId: number;
  SourceNicIndex: number;
  DestinationPortId: number;
  DestinationNicIndex: number;
}

function ends(view: EndsView): EncapsulatedEnds {
  return {
    sourcePortId: view.SourcePortId,
    sourceNicIndex: view.SourceNicIndex,
    destinationPortId: view.DestinationPortId,
    destinationNicIndex: view.DestinationNicIndex,
  };
}

function writeEnds(view: EndsView, head: EncapsulatedEnds): void {
  view.SourcePortId = head.sourcePortId;
  view.SourceNicIndex = head.sourceNicIndex;
  view.DestinationPortId = head.destinationPortId;
  view.DestinationNicIndex = head.destinationNicIndex;
}

function room(of: AnyStructure, bytes: Uint8Array, offset: number, total: number): void {
  if (offset + total <= bytes.length) return;
  const found = `${bytes.length - offset} bytes`;
  throw abiInvalid(of.name, '', offset, `${total} bytes`, found);
}
