import type { MemberValue, SerializationProfile } from './feature-class.ts';
import { wrongBytes } from './feature-error.ts';
import type { FeaturePlan, MemberPlan } from './feature-plan.ts';
import { type MemberReader, memberReader, ReadSource, type TailListener } from './member-reader.ts';
import { readUint16, readUint32 } from './scalar-codec.ts';
import type { Settings } from './settings.ts';
import { storeAll } from './settings-object.ts';

const EMPTY = new Uint8Array(0);

/**
 * Reads settings from bytes somebody else wrote (management.md 2.5). Anything that points outside, or a count that cannot
 * be, throws `ABI_INVALID` naming class, member, offset from the start of the class, expected and found. A buffer longer
 * than the class (written by a newer version of it) is read as far as it is known (rule E51).
 */
export class FeatureReader {
  private readonly source: ReadSource;
  private readonly names: readonly string[];
  private readonly members: readonly MemberPlan[];
  private readonly readers: readonly MemberReader[];
  /** Values of the buffer being read, by member. */
  private readonly values: MemberValue[];
  /** Has every member in order; copying it gives all results of a class one hidden class. */
  private readonly template: Settings;

  constructor(
    className: string,
    plan: FeaturePlan,
    profile: SerializationProfile,
    template: Settings,
  ) {
    this.source = new ReadSource(className, plan.size);
    this.names = plan.members.map((m) => m.name);
    this.members = plan.members;
    this.readers = plan.members.map((m) => memberReader(profile, m));
    this.values = plan.members.map(() => '');
    this.template = template;
  }

  read(bytes: Uint8Array, base: number, length: number, listener?: TailListener): Settings {
    const { source, members, readers, values } = this;
    this.checkBounds(bytes, base, length);
    source.start(bytes, base, length, listener);
    for (let i = 0; i < members.length; i += 1) {
      const m = members[i] as MemberPlan;
      // The commonest scalars without a call. The numbers are those of Kind.
      switch (m.op) {
        case 1: // uint8
          values[i] = bytes[base + m.offset] as number;
          break;
        case 3: // uint16
          values[i] = readUint16(bytes, base + m.offset);
          break;
        case 5: // uint32
          values[i] = readUint32(bytes, base + m.offset);
          break;
        default:
          values[i] = (readers[i] as MemberReader)(source);
      }
    }
    source.bytes = EMPTY;
    const settings: Record<string, MemberValue> = { ...this.template };
    storeAll(settings, this.names, values);
    return settings;
  }

  private checkBounds(bytes: Uint8Array, base: number, length: number): void {
    const { className, fixedSize } = this.source;
    const isRange = base >>> 0 === base && length >>> 0 === length;
    if (!isRange || base + length > bytes.length) {
      const found = `${length} bytes at offset ${base}`;
      throw wrongBytes(className, '', 0, `at most ${bytes.length} bytes`, found);
    }
    if (length < fixedSize) {
      throw wrongBytes(className, '', 0, `at least ${fixedSize} bytes`, `${length} bytes`);
    }
  }
}
