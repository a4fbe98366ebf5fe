import type { MemberValue, SerializationProfile } from './feature-class.ts';
import { noRoom, unfitValue } from './feature-error.ts';
import { alignUp, type FeaturePlan, isTail, type MemberPlan, Op } from './feature-plan.ts';
import {
  type MemberWriter,
  memberWriter,
  TextStyle,
  type WriterContext,
  zero,
} from './member-writer.ts';
import type { Settings } from './settings.ts';

/**
 * Writes settings as the bytes a driver gets (management.md 2.2, 2.5). Works on normalized settings: a value of the
 * wrong JavaScript type or a text or array that does not fit throws `SETTINGS_INVALID`, number ranges are not looked at.
 */
export class FeatureWriter {
  private readonly context: WriterContext;
  private readonly fixedSize: number;
  private readonly names: readonly string[];
  private readonly writers: readonly MemberWriter[];
  private readonly tails: readonly MemberPlan[];

  constructor(className: string, plan: FeaturePlan, profile: SerializationProfile) {
    const context = { className, style: new TextStyle(profile) };
    this.context = context;
    this.fixedSize = plan.size;
    this.names = plan.members.map((m) => m.name);
    this.writers = plan.members.map((m) => memberWriter(context, m));
    this.tails = plan.members.filter(isTail);
  }

  /** Total length in bytes: end of the last tail, or sizeof when there is none (R18). */
  size(settings: Settings): number {
    let cursor = this.fixedSize;
    for (let i = 0; i < this.tails.length; i += 1) {
      const m = this.tails[i] as MemberPlan;
      cursor = this.tailEnd(m, settings[m.name], cursor);
    }
    return cursor;
  }

  private tailEnd(m: MemberPlan, value: MemberValue | undefined, cursor: number): number {
    const { style, className } = this.context;
    if (m.op === Op.tailString && typeof value === 'string') {
      return alignUp(cursor, 2) + style.recordSize(value);
    }
    if (m.op === Op.tailString || !Array.isArray(value)) throw unfitValue(className, m, value);
    if (value.length === 0) return cursor;
    let end = alignUp(cursor, m.tailAlignment) + value.length * m.elementSize;
    if (m.op !== Op.tailStrings) return end;
    for (const text of value as readonly string[]) {
      end = alignUp(end, 2) + style.recordSize(String(text));
    }
    return end;
  }

  /** Writes at `base` and gives the total length. Every byte of that length is written: pads and unused room are 0. */
  write(settings: Settings, bytes: Uint8Array, base: number): number {
    const { fixedSize, names, writers } = this;
    if (!(base >= 0 && base + fixedSize <= bytes.length)) {
      throw noRoom(this.context.className, bytes, base, fixedSize);
    }
    zero(bytes, base, base + fixedSize);
    let cursor = fixedSize; // R11
    let done = 0;
    // Normalized settings have their members in our order, and V8 reads `settings[key]` in a for-in by index instead of
    // by a lookup in a table shared by all classes. Other orders go on below.
    for (const key in settings) {
      if (key !== names[done]) break;
      cursor = (writers[done] as MemberWriter)(settings[key], bytes, base, cursor);
      done += 1;
    }
    for (; done < names.length; done += 1) {
      const value = settings[names[done] as string];
      cursor = (writers[done] as MemberWriter)(value, bytes, base, cursor);
    }
    return cursor;
  }
}
