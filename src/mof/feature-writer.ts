import { ExtSwitchError } from '../core/errors.ts';
import type { MemberValue, SerializationProfile } from './feature-class.ts';
import { alignUp, type FeaturePlan, isTail, type MemberPlan, Op } from './feature-plan.ts';
import { writeScalar, writeUint16, writeUint32 } from './scalar-codec.ts';
import type { Settings } from './settings.ts';
import { writeUtf16 } from './utf16.ts';

type Elements = readonly (boolean | number | bigint | string)[];

/** Below this many bytes a loop zeroes quicker than a call of `fill`. */
const FILL_LIMIT = 48;

function zero(bytes: Uint8Array, from: number, to: number): void {
  if (to - from > FILL_LIMIT) {
    bytes.fill(0, from, to);
    return;
  }
  for (let i = from; i < to; i += 1) bytes[i] = 0;
}

/**
 * Writes settings as the bytes a driver gets (management.md 2.2, 2.5). Works on normalized settings: a value of the
 * wrong JavaScript type or a text or array that does not fit throws `SETTINGS_INVALID`, number ranges are not looked at.
 */
export class FeatureWriter {
  private readonly className: string;
  private readonly plan: FeaturePlan;
  private readonly members: readonly MemberPlan[];
  private readonly tails: readonly MemberPlan[];
  /** 1 when counts are in characters, 2 when in bytes. */
  private readonly countFactor: number;
  /** NUL units inside the count, and after it (management.md 2.4). */
  private readonly countedNuls: number;
  private readonly recordNuls: number;

  constructor(className: string, plan: FeaturePlan, profile: SerializationProfile) {
    this.className = className;
    this.plan = plan;
    this.members = plan.members;
    this.tails = plan.members.filter(isTail);
    this.countFactor = profile.stringUnit === 'bytes' ? 2 : 1;
    this.countedNuls = profile.nul === 'counted' ? 1 : 0;
    this.recordNuls = profile.nul === 'none' ? 0 : 1;
  }

  /** Total length in bytes: end of the last tail, or sizeof when there is none (R18). */
  size(settings: Settings): number {
    let cursor = this.plan.size;
    for (let i = 0; i < this.tails.length; i += 1) {
      const m = this.tails[i] as MemberPlan;
      const value = settings[m.name];
      if (m.op === Op.tailString) {
        cursor = alignUp(cursor, 2) + this.recordSize(this.text(m, value));
        continue;
      }
      const elements = this.elements(m, value);
      if (elements.length === 0) continue;
      cursor = alignUp(cursor, m.tailAlignment) + elements.length * m.elementSize;
      if (m.op !== Op.tailStrings) continue;
      for (const text of elements)
        cursor = alignUp(cursor, 2) + this.recordSize(this.text(m, text));
    }
    return cursor;
  }

  /** Writes at `offset` and gives the total length. Every byte of that length is written: pads and unused room are 0. */
  write(settings: Settings, bytes: Uint8Array, offset: number): number {
    const size = this.plan.size;
    this.needRoom(bytes, offset, offset + size);
    zero(bytes, offset, offset + size);
    let cursor = size; // R11
    const members = this.members;
    let done = 0;
    // Normalized settings have their members in our order, and V8 reads `settings[key]` in a for-in by index instead of
    // by a lookup in a table shared by all classes. Other orders go on below.
    for (const key in settings) {
      const m = members[done];
      if (m === undefined || m.name !== key) break;
      cursor = this.writeMember(m, settings[key], bytes, offset, cursor);
      done += 1;
    }
    for (; done < members.length; done += 1) {
      const m = members[done] as MemberPlan;
      cursor = this.writeMember(m, settings[m.name], bytes, offset, cursor);
    }
    return cursor;
  }

  /** Writes one member and its tail; gives the new end of the tails. The numbers are those of Kind and Op. */
  private writeMember(
    m: MemberPlan,
    value: MemberValue | undefined,
    bytes: Uint8Array,
    offset: number,
    cursor: number,
  ): number {
    switch (m.op) {
      case 15: // inlineString
        this.writeInlineString(this.text(m, value), bytes, offset + m.offset);
        return cursor;
      case 16: // tailString
        return this.writeTailString(this.text(m, value), bytes, offset, cursor, m.dataOffset);
      case 17: {
        // inlineArray
        const elements = this.elements(m, value);
        writeUint32(bytes, offset + m.offset, elements.length);
        this.writeElements(m, elements, bytes, offset + m.dataOffset);
        return cursor;
      }
      case 18: // tailArray
        return this.writeTailArray(m, this.elements(m, value), bytes, offset, cursor);
      case 19: {
        // inlineBlocks
        const texts = this.elements(m, value);
        writeUint32(bytes, offset + m.offset, texts.length);
        this.writeBlocks(m, texts, bytes, offset + m.dataOffset);
        return cursor;
      }
      case 20: // tailBlocks
        return this.writeTailBlocks(m, this.elements(m, value), bytes, offset, cursor);
      case 21: // tailStrings
        return this.writeTailStrings(m, this.elements(m, value), bytes, offset, cursor);
      default:
        if (!writeScalar(bytes, offset + m.offset, m.op, value)) throw this.wrongType(m, value);
        return cursor;
    }
  }

  /** R5, R6: the room was zeroed, so the tail of the text is. */
  private writeInlineString(text: string, bytes: Uint8Array, at: number): void {
    writeUint16(bytes, at, (text.length + this.countedNuls) * this.countFactor);
    writeUtf16(bytes, at + 2, text);
  }

  private recordSize(text: string): number {
    return 2 + (text.length + this.recordNuls) * 2;
  }

  /** R7, R12, R13: a record even for an empty text, so that the offset can always be followed. */
  private writeTailString(
    text: string,
    bytes: Uint8Array,
    offset: number,
    cursor: number,
    offsetField: number,
  ): number {
    const record = this.tail(bytes, offset, cursor, 2, this.recordSize(text));
    const end = record + this.recordSize(text);
    writeUint32(bytes, offset + offsetField, record); // R10
    writeUint16(bytes, offset + record, (text.length + this.countedNuls) * this.countFactor);
    writeUtf16(bytes, offset + record + 2, text);
    if (this.recordNuls > 0) writeUint16(bytes, offset + end - 2, 0);
    return end;
  }

  /** R9, R13: an empty array keeps count 0 and offset 0. */
  private writeTailArray(
    m: MemberPlan,
    elements: Elements,
    bytes: Uint8Array,
    offset: number,
    cursor: number,
  ): number {
    const length = elements.length;
    if (length === 0) return cursor;
    const sizeBytes = length * m.elementSize;
    const start = this.tail(bytes, offset, cursor, m.tailAlignment, sizeBytes);
    writeUint32(bytes, offset + m.offset, length);
    writeUint32(bytes, offset + m.dataOffset, start);
    // Texts shorter than their room (datetime) and char16 '' rely on zeroes.
    if (m.maxLen > 1 || m.type === 'char16')
      zero(bytes, offset + start, offset + start + sizeBytes);
    this.writeElements(m, elements, bytes, offset + start);
    return start + sizeBytes;
  }

  private writeTailBlocks(
    m: MemberPlan,
    texts: Elements,
    bytes: Uint8Array,
    offset: number,
    cursor: number,
  ): number {
    if (texts.length === 0) return cursor;
    const sizeBytes = texts.length * m.elementSize;
    const start = this.tail(bytes, offset, cursor, 2, sizeBytes);
    zero(bytes, offset + start, offset + start + sizeBytes);
    writeUint32(bytes, offset + m.offset, texts.length);
    writeUint32(bytes, offset + m.dataOffset, start);
    this.writeBlocks(m, texts, bytes, offset + start);
    return start + sizeBytes;
  }

  /** R17: first the offsets, then the records. */
  private writeTailStrings(
    m: MemberPlan,
    texts: Elements,
    bytes: Uint8Array,
    offset: number,
    cursor: number,
  ): number {
    if (texts.length === 0) return cursor;
    const start = this.tail(bytes, offset, cursor, 4, texts.length * 4);
    writeUint32(bytes, offset + m.offset, texts.length);
    writeUint32(bytes, offset + m.dataOffset, start);
    let end = start + texts.length * 4;
    for (let i = 0; i < texts.length; i += 1) {
      const text = this.text(m, texts[i]);
      end = this.writeTailString(text, bytes, offset, end, start + i * 4);
    }
    return end;
  }

  private writeElements(m: MemberPlan, elements: Elements, bytes: Uint8Array, at: number): void {
    const { kind, elementSize } = m;
    for (let i = 0; i < elements.length; i += 1) {
      const value = elements[i];
      if (!writeScalar(bytes, at + i * elementSize, kind, value)) throw this.wrongType(m, value);
    }
  }

  private writeBlocks(m: MemberPlan, texts: Elements, bytes: Uint8Array, at: number): void {
    for (let i = 0; i < texts.length; i += 1) {
      this.writeInlineString(this.text(m, texts[i]), bytes, at + i * m.elementSize);
    }
  }

  /** Place of the next tail (R12), checked for room and with the gap before it zeroed. */
  private tail(
    bytes: Uint8Array,
    offset: number,
    cursor: number,
    alignment: number,
    sizeBytes: number,
  ): number {
    const start = alignUp(cursor, alignment);
    this.needRoom(bytes, offset, offset + start + sizeBytes);
    for (let i = cursor; i < start; i += 1) bytes[offset + i] = 0;
    return start;
  }

  private needRoom(bytes: Uint8Array, offset: number, end: number): void {
    if (offset >= 0 && end <= bytes.length) return;
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `${this.className} does not fit: expected room for ${end - offset} bytes at offset ${offset}, found ${bytes.length} bytes in all`,
      {
        structure: this.className,
        offset,
        expected: `${end - offset} bytes`,
        found: `${Math.max(0, bytes.length - offset)} bytes`,
      },
    );
  }

  private text(m: MemberPlan, value: MemberValue | undefined): string {
    if (typeof value !== 'string') throw this.wrongType(m, value);
    if (value.length > m.maxLen) throw this.tooLong(m, value.length, m.maxLen);
    return value;
  }

  private elements(m: MemberPlan, value: MemberValue | undefined): Elements {
    if (typeof value !== 'object' || value === null) throw this.wrongType(m, value);
    if (value.length > m.max) throw this.tooLong(m, value.length, m.max);
    return value;
  }

  private wrongType(m: MemberPlan, value: MemberValue | undefined): ExtSwitchError {
    const expected = `a normalized ${m.type}`;
    return this.problem(m, expected, typeof value === 'object' ? 'an array' : typeof value);
  }

  private tooLong(m: MemberPlan, length: number, max: number): ExtSwitchError {
    return this.problem(m, `a length of at most ${max}`, `${length}`);
  }

  private problem(m: MemberPlan, expected: string, found: string): ExtSwitchError {
    const message = `${this.className}.${m.name}: expected ${expected}, found ${found}`;
    return new ExtSwitchError('SETTINGS_INVALID', message, {
      member: m.name,
      expected,
      found,
      problems: [{ member: m.name, message, expected, found }],
    });
  }
}
