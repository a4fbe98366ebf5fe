import type { Guid } from '../core/guid.ts';
import { NULL_GUID, parseGuid, readGuid } from '../core/guid.ts';

/*
 * A switch sees the same few GUIDs (feature and instance ids) again and again. A direct-mapped cache of their texts
 * turns reading one into four loads and four compares; a miss costs what core/guid.ts costs. The zeroed keys of an
 * empty slot are NULL_GUID's, so every slot is consistent from the start.
 */
const SLOT_COUNT = 2048;
const KEYS = new Int32Array(SLOT_COUNT * 4);
const TEXTS: Guid[] = new Array<Guid>(SLOT_COUNT).fill(NULL_GUID);

/** Reads the GUID at `offset` of `bytes`; `data` is a DataView in which the same byte lies at `at`. Canonical text. */
export function readGuidMember(
  data: DataView,
  at: number,
  bytes: Uint8Array,
  offset: number,
): Guid {
  const a = data.getInt32(at, true);
  const b = data.getInt32(at + 4, true);
  const c = data.getInt32(at + 8, true);
  const d = data.getInt32(at + 12, true);
  const mixed = Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 131) ^ d, 0x9e3779b1);
  const slot = mixed >>> 21;
  const key = slot * 4;
  if (KEYS[key] === a && KEYS[key + 1] === b && KEYS[key + 2] === c && KEYS[key + 3] === d) {
    return TEXTS[slot] as Guid;
  }
  const text = readGuid(bytes, offset);
  KEYS[key] = a;
  KEYS[key + 1] = b;
  KEYS[key + 2] = c;
  KEYS[key + 3] = d;
  TEXTS[slot] = text;
  return text;
}

/** Value of a hex digit's character code; others have a bit above all bytes. */
const DIGIT = new Uint16Array(128).fill(0x1000);
for (let i = 0; i < 10; i += 1) DIGIT[48 + i] = i;
for (let i = 0; i < 6; i += 1) {
  DIGIT[65 + i] = 10 + i;
  DIGIT[97 + i] = 10 + i;
}

/** Value of the two hex digits at `at`, or something above 255 when they are none. */
function pair(text: string, at: number): number {
  const high = text.charCodeAt(at);
  const low = text.charCodeAt(at + 1);
  if ((high | low) > 127) return 0x1000;
  return ((DIGIT[high] as number) << 4) | (DIGIT[low] as number);
}

/*
 * The way back: texts written before, found by a hash over eight of their digits and compared as a whole. Texts that
 * came out of a view are the same string object, so comparing them is comparing pointers.
 */
const WRITE_KEYS = new Int32Array(SLOT_COUNT * 4);
const WRITE_TEXTS: Guid[] = new Array<Guid>(SLOT_COUNT).fill(NULL_GUID);

function writeSlot(t: string): number {
  const low = t.charCodeAt(0) ^ (t.charCodeAt(3) << 4) ^ (t.charCodeAt(7) << 8);
  const high = t.charCodeAt(20) ^ (t.charCodeAt(26) << 5) ^ (t.charCodeAt(31) << 10);
  const tail = (t.charCodeAt(34) << 3) ^ (t.charCodeAt(35) << 7);
  return Math.imul(low ^ (high << 7) ^ (tail << 15), 0x9e3779b1) >>> 21;
}

/**
 * Writes a GUID's text as its 16 wire bytes: u32, u16, u16 little-endian, then 8 raw bytes (ndis-switch-abi.md 1).
 * Any case, braces allowed; anything else is `INVALID_ARGUMENT` naming `member`, and nothing is written.
 */
export function writeGuidMember(data: DataView, at: number, guid: Guid, member: string): void {
  const slot = writeSlot(guid);
  const key = slot * 4;
  if (WRITE_TEXTS[slot] !== guid) {
    parseInto(guid.length === 36 ? guid : parseGuid(guid, member), key, member);
    WRITE_TEXTS[slot] = guid;
  }
  data.setInt32(at, WRITE_KEYS[key] as number, true);
  data.setInt32(at + 4, WRITE_KEYS[key + 1] as number, true);
  data.setInt32(at + 8, WRITE_KEYS[key + 2] as number, true);
  data.setInt32(at + 12, WRITE_KEYS[key + 3] as number, true);
}

/** The four little-endian words of a GUID's text into {@link WRITE_KEYS}; not a GUID: throws, and writes nothing. */
function parseInto(t: string, key: number, member: string): void {
  const g0 = pair(t, 0);
  const g1 = pair(t, 2);
  const g2 = pair(t, 4);
  const g3 = pair(t, 6);
  const g4 = pair(t, 9);
  const g5 = pair(t, 11);
  const g6 = pair(t, 14);
  const g7 = pair(t, 16);
  const g8 = pair(t, 19);
  const g9 = pair(t, 21);
  const ga = pair(t, 24);
  const gb = pair(t, 26);
  const gc = pair(t, 28);
  const gd = pair(t, 30);
  const ge = pair(t, 32);
  const gf = pair(t, 34);
  const all = g0 | g1 | g2 | g3 | g4 | g5 | g6 | g7 | g8 | g9 | ga | gb | gc | gd | ge | gf;
  if (all > 255 || !hyphens(t)) parseGuid(t, member);
  WRITE_KEYS[key] = (g0 << 24) | (g1 << 16) | (g2 << 8) | g3;
  WRITE_KEYS[key + 1] = (g6 << 24) | (g7 << 16) | (g4 << 8) | g5;
  WRITE_KEYS[key + 2] = (gb << 24) | (ga << 16) | (g9 << 8) | g8;
  WRITE_KEYS[key + 3] = (gf << 24) | (ge << 16) | (gd << 8) | gc;
}

function hyphens(t: string): boolean {
  const h = 45;
  return (
    t.charCodeAt(8) === h &&
    t.charCodeAt(13) === h &&
    t.charCodeAt(18) === h &&
    t.charCodeAt(23) === h
  );
}
