import { oidName } from '../src/abi/index.ts';
import { NdisStatus } from '../src/core/status.ts';
import { failingOf, RELEASE_RULE } from './offload-oids.ts';
import type { OidRequest } from './oid-request.ts';

/** First byte a handler changed although it may not, and the rule it broke. */
export interface ForbiddenChange {
  readonly offset: number;
  readonly expected: number;
  readonly found: number;
  readonly rule: string;
}

interface Allowed {
  readonly rule: string;
  /** Rule broken by who writes and then forwards; default `rule`. */
  readonly forwardRule?: string;
  /** Ranges `[from, to)` a handler may write; `Infinity` is the end of the buffer. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

const NOTHING: readonly (readonly [number, number])[] = [];

/**
 * What a handler may write into the bytes of each OID. Feature status answers (rules F9, F10): FeatureStatusVersion,
 * the length in the custom structure, and the vendor area. NIC_CREATE (rules C19, C20): MTU, see {@link mtuRange}.
 */
const ALLOWED: Readonly<Record<number, Allowed>> = {
  // OID_SWITCH_FEATURE_STATUS_QUERY: parameters 56 bytes, custom at 56, data from 72.
  66151: {
    rule: 'F10',
    ranges: [
      [44, 46],
      [64, 68],
      [72, Number.POSITIVE_INFINITY],
    ],
  },
  // OID_SWITCH_PORT_FEATURE_STATUS_QUERY: parameters 64 bytes, custom at 64, data from 80.
  66174: {
    rule: 'F10',
    ranges: [
      [32, 34],
      [72, 76],
      [80, Number.POSITIVE_INFINITY],
    ],
  },
  // OID_SWITCH_NIC_SAVE (rules G13, G14, G16): ExtensionId, ExtensionFriendlyName, FeatureClassId, SaveDataSize; then
  // SaveDataSizeOverflow and the data, or in revision 1 the data alone (quirk 21).
  66192: {
    rule: 'G15',
    forwardRule: 'G18',
    ranges: [
      [16, 566],
      [568, Number.POSITIVE_INFINITY],
    ],
  },
  // OID_SWITCH_NIC_REQUEST: who wants another one sends one of its own.
  66160: { rule: 'D31', ranges: NOTHING },
  66193: { rule: 'G20', ranges: NOTHING },
  66194: { rule: 'D4', forwardRule: 'G32', ranges: NOTHING },
  66195: { rule: 'G34', ranges: NOTHING },
  66147: { rule: 'E22', ranges: NOTHING },
  66148: { rule: 'E22', ranges: NOTHING },
  66149: { rule: 'E22', ranges: NOTHING },
  66161: { rule: 'E22', ranges: NOTHING },
  66162: { rule: 'E22', ranges: NOTHING },
  66163: { rule: 'E22', ranges: NOTHING },
  66168: { rule: 'B26', ranges: NOTHING },
  66169: { rule: 'B26', ranges: NOTHING },
  66175: { rule: 'B26', ranges: NOTHING },
  66197: { rule: 'B26', ranges: NOTHING },
  66170: { rule: 'C42', ranges: NOTHING },
  66171: { rule: 'C42', ranges: NOTHING },
  66172: { rule: 'C42', ranges: NOTHING },
  66173: { rule: 'C42', ranges: NOTHING },
  66196: { rule: 'C42', ranges: NOTHING },
};
const OTHER: Allowed = { rule: 'D4', ranges: NOTHING };

/** NDIS_SWITCH_NIC_PARAMETERS.MTU, u32 at 2104; Flags, u32 at 4, bit 0 NIC_INITIALIZING. */
const MTU_OFFSET = 2104;
const NIC_CREATE = 0x1027a;

/**
 * Compares the bytes in use with `pristine`, the bytes as the handler got them. Only a module that `answered` may have
 * written an answer; on the way back up nothing may change at all.
 */
export function changedByte(
  request: OidRequest,
  pristine: Uint8Array,
  answered: boolean,
): ForbiddenChange | undefined {
  const allowed = ALLOWED[request.oid] ?? OTHER;
  const ranges = answered ? allowed.ranges : NOTHING;
  const bytes = request.buffer;
  // An answer may be megabytes of data: what stands in a range that runs to the end is not looked at.
  const last = ranges[ranges.length - 1];
  const isOpen = last?.[1] === Number.POSITIVE_INFINITY;
  const end = isOpen ? Math.min(last[0], pristine.length) : pristine.length;
  // Nearly always nothing has changed, which one comparison of memory tells many times as fast as the loop.
  if (Buffer.prototype.compare.call(bytes, pristine, 0, end, 0, end) === 0) return undefined;
  const mayLowerMtu = loweredMtu(request, pristine);
  for (let i = 0; i < end; i += 1) {
    if (bytes[i] === pristine[i]) continue;
    if (mayLowerMtu && i >= MTU_OFFSET && i < MTU_OFFSET + 4) continue;
    if (!ranges.some(([from, to]) => i >= from && i < to)) {
      const ofMtu = request.oid === NIC_CREATE && i >= MTU_OFFSET && i < MTU_OFFSET + 4;
      const ruleHere = answered ? allowed.rule : (allowed.forwardRule ?? allowed.rule);
      const rule = ofMtu ? 'C20' : isRelease(request) ? 'D40' : ruleHere;
      return { offset: i, expected: pristine[i] ?? 0, found: bytes[i] ?? 0, rule };
    }
  }
  return undefined;
}

/** Rule D40: what gives a resource of the adapter back, or ends its allocation, may not be altered. */
function isRelease({ encapsulated }: OidRequest): boolean {
  return encapsulated !== undefined && failingOf(encapsulated.offload).rule === RELEASE_RULE;
}

/** Rules C19, C20, OP-35: NIC_CREATE with NIC_INITIALIZING lets an extension lower MTU, never raise it. */
function loweredMtu(request: OidRequest, pristine: Uint8Array): boolean {
  if (request.oid !== NIC_CREATE || ((pristine[4] ?? 0) & 1) === 0) return false;
  if (request.status !== NdisStatus.PENDING) return false;
  return u32(request.buffer, MTU_OFFSET) < u32(pristine, MTU_OFFSET);
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  );
}

/** Rule C20, OP-35: the next module may lower MTU further, never raise it again. */
export function keepLoweredMtu(request: OidRequest, pristine: Uint8Array): void {
  if (!loweredMtu(request, pristine)) return;
  pristine.set(request.buffer.subarray(MTU_OFFSET, MTU_OFFSET + 4), MTU_OFFSET);
}

/** Puts every byte back that a handler may not change. */
export function restoreBytes(request: OidRequest, pristine: Uint8Array, answered: boolean): void {
  const allowed = answered ? (ALLOWED[request.oid] ?? OTHER) : OTHER;
  const mtu = loweredMtu(request, pristine)
    ? request.buffer.slice(MTU_OFFSET, MTU_OFFSET + 4)
    : undefined;
  const kept = allowed.ranges.map(([from, to]) => {
    const end = Math.min(to, pristine.length);
    return from < end ? ([from, request.buffer.slice(from, end)] as const) : undefined;
  });
  request.buffer.set(pristine, 0);
  for (const piece of kept) if (piece !== undefined) request.buffer.set(piece[1], piece[0]);
  if (mtu !== undefined) request.buffer.set(mtu, MTU_OFFSET);
}

/** For a finding: which byte, from what, to what. */
export function changeText(
  { offset, expected, found }: ForbiddenChange,
  { oid }: OidRequest,
): string {
  return `byte ${offset} of ${oidName(oid)} from 0x${hex(expected)} to 0x${hex(found)}`;
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
