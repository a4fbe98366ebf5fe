import { type AnyStructure, structure, walkEnum } from '../../abi/index.ts';
import type { TraceEntry } from '../../policy/api.ts';

/** What stands at the start of a buffer. */
const HEADS: Readonly<Record<string, AnyStructure>> = {
  OID_SWITCH_PORT_CREATE: structure('NDIS_SWITCH_PORT_PARAMETERS'),
  OID_SWITCH_PORT_UPDATED: structure('NDIS_SWITCH_PORT_PARAMETERS'),
  OID_SWITCH_PORT_TEARDOWN: structure('NDIS_SWITCH_PORT_PARAMETERS'),
  OID_SWITCH_PORT_DELETE: structure('NDIS_SWITCH_PORT_PARAMETERS'),
  OID_SWITCH_NIC_CREATE: structure('NDIS_SWITCH_NIC_PARAMETERS'),
  OID_SWITCH_NIC_CONNECT: structure('NDIS_SWITCH_NIC_PARAMETERS'),
  OID_SWITCH_NIC_UPDATED: structure('NDIS_SWITCH_NIC_PARAMETERS'),
  OID_SWITCH_NIC_DISCONNECT: structure('NDIS_SWITCH_NIC_PARAMETERS'),
  OID_SWITCH_NIC_DELETE: structure('NDIS_SWITCH_NIC_PARAMETERS'),
  OID_SWITCH_PORT_PROPERTY_ADD: structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS'),
  OID_SWITCH_PORT_PROPERTY_UPDATE: structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS'),
  OID_SWITCH_PORT_PROPERTY_DELETE: structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS'),
  OID_SWITCH_PROPERTY_ADD: structure('NDIS_SWITCH_PROPERTY_PARAMETERS'),
  OID_SWITCH_PROPERTY_UPDATE: structure('NDIS_SWITCH_PROPERTY_PARAMETERS'),
  OID_SWITCH_PROPERTY_DELETE: structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS'),
  OID_SWITCH_NIC_SAVE: structure('NDIS_SWITCH_NIC_SAVE_STATE'),
  OID_SWITCH_NIC_SAVE_COMPLETE: structure('NDIS_SWITCH_NIC_SAVE_STATE'),
  OID_SWITCH_NIC_RESTORE: structure('NDIS_SWITCH_NIC_SAVE_STATE'),
  OID_SWITCH_NIC_RESTORE_COMPLETE: structure('NDIS_SWITCH_NIC_SAVE_STATE'),
  OID_SWITCH_NIC_REQUEST: structure('NDIS_SWITCH_NIC_OID_REQUEST'),
};
const PORT_ENUM = structure('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS');
const SWITCH_ENUM = structure('NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS');
const INNER = structure('NDIS_OID_REQUEST');
/** The request inside a NIC_REQUEST stands behind the 32 bytes of the outer structure (ndis-switch-abi.md 2). */
const INNER_AT = 32;
/** NDIS_REQUEST_TYPE of what stands there; 12, method, is the third. */
const QUERY = 0;
const SET = 1;

/** Where, up to `end`, no member stands, or one that is reserved: all zero. */
const gaps = new Map<string, readonly number[]>();
function gapsOf({ name, row }: AnyStructure, end: number): readonly number[] {
  const key = `${name} ${end}`;
  const known = gaps.get(key);
  if (known !== undefined) return known;
  const covered = new Uint8Array(end);
  for (const { name: member, offset, size } of row.fields) {
    if (!/^Reserved/.test(member)) covered.fill(1, offset, Math.min(end, offset + size));
  }
  const found: number[] = [];
  covered.forEach((isCovered, at) => {
    if (isCovered === 0) found.push(at);
  });
  gaps.set(key, found);
  return found;
}

/** What is wrong with the header of a structure, or with what no member covers. */
function flawOf(head: AnyStructure, bytes: Uint8Array, at = 0): string | undefined {
  const revision = bytes[at + 1] ?? 0;
  const size = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  const fixed = head.revisions[revision - 1]?.size;
  if (bytes[at] !== head.headerType) return `${head.name} has header type ${bytes[at]}`;
  if (fixed === undefined) return `${head.name} has revision ${revision}`;
  // Header.Size of a save state covers its data (quirk 19).
  if (size < fixed) return `${head.name}: Header.Size ${size} in revision ${revision}`;
  for (const gap of gapsOf(head, fixed)) {
    if (bytes[at + gap] !== 0)
      return `${head.name}: byte ${gap}, of no member, is ${bytes[at + gap]}`;
  }
  return undefined;
}

/** The entries of a property enumeration: rules E41 to E43. */
function flawOfReply(scope: 'port' | 'switch', bytes: Uint8Array): string | undefined {
  const head = scope === 'port' ? PORT_ENUM : SWITCH_ENUM;
  const { FirstPropertyOffset: first, NumProperties: count } = head.view(bytes) as unknown as {
    readonly FirstPropertyOffset: number;
    readonly NumProperties: number;
  };
  if (count === 0) return first === 0 ? undefined : `no properties, the first at ${first} (E41)`;
  if (first !== head.row.size) return `the first property at ${first}, not ${head.row.size} (E41)`;
  for (const { propertyOffset, propertyLength } of walkEnum(scope, bytes)) {
    const end = propertyOffset + propertyLength;
    for (let at = end; at < end + (-end & 7) && at < bytes.length; at += 1) {
      if (bytes[at] !== 0) return `byte ${at}, padding behind a property, is ${bytes[at]} (E43)`;
    }
  }
  return undefined;
}

/** Rules G2, G12: data at a multiple of 8, zeros between. */
function flawOfSaveState(bytes: Uint8Array): string | undefined {
  const view = structure('NDIS_SWITCH_NIC_SAVE_STATE').view(bytes);
  const { SaveDataOffset: at } = view;
  const fixed = view.Header.Revision > 1 ? 572 : 568;
  const wanted = fixed + (-fixed & 7);
  if (at !== wanted) return `save data at ${at}, not ${wanted}`;
  for (let i = fixed; i < at; i += 1) {
    if (bytes[i] !== 0) return `byte ${i}, in front of the save data, is ${bytes[i]}`;
  }
  return undefined;
}

/**
 * The counters of the request inside, in the arm of the union that its type has (ndis-switch-abi.md 2), when the bottom of the stack
 * has answered with success: what was sent was read, no more was written than there is room for, and nothing is needed.
 */
function flawOfAnswer(bytes: Uint8Array): string | undefined {
  const { RequestType: type, DATA } = INNER.view(bytes, INNER_AT);
  const { QUERY_INFORMATION: query, SET_INFORMATION: set, METHOD_INFORMATION: method } = DATA;
  const [sent, read, room, written, needed] =
    type === QUERY
      ? [0, 0, query.InformationBufferLength, query.BytesWritten, query.BytesNeeded]
      : type === SET
        ? [set.InformationBufferLength, set.BytesRead, 0, 0, set.BytesNeeded]
        : [
            method.InputBufferLength,
            method.BytesRead,
            method.OutputBufferLength,
            method.BytesWritten,
            method.BytesNeeded,
          ];
  const name = `a request of type ${type}`;
  if (read !== sent) return `${name}: BytesRead ${read}, ${sent} were sent`;
  if (written > room) return `${name}: BytesWritten ${written} in ${room} bytes`;
  return needed === 0 ? undefined : `${name} succeeded and needs ${needed} more bytes`;
}

/** What is wrong with the bytes of a request, as the layouts of ndis-switch-abi.md want them. */
export function byteFlaw(entry: TraceEntry): string | undefined {
  const { oid, input, output, status } = entry;
  if (entry.requestType === 'indication') return undefined;
  const isAnswered = output !== undefined && status === 'NDIS_STATUS_SUCCESS';
  if (isAnswered && oid === 'OID_SWITCH_PORT_PROPERTY_ENUM') return flawOfReply('port', output);
  if (isAnswered && oid === 'OID_SWITCH_PROPERTY_ENUM') return flawOfReply('switch', output);
  const head = HEADS[oid];
  if (head === undefined) return undefined;
  const flaw = flawOf(head, input);
  if (flaw !== undefined) return flaw;
  if (oid.includes('_SAVE') || oid.includes('_RESTORE')) return flawOfSaveState(input);
  if (oid !== 'OID_SWITCH_NIC_REQUEST') return undefined;
  // Whoever ends it in the adapter's place writes there what it likes.
  const isReached = isAnswered && entry.route.at(-1)?.module === 'miniportEdge';
  return flawOf(INNER, input, INNER_AT) ?? (isReached ? flawOfAnswer(output) : undefined);
}
