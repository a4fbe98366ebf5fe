import { ExtSwitchError } from '../core/errors.ts';
import type {
  FeatureClass,
  FeatureMember,
  LayoutMember,
  ScalarType,
  SerializationProfile,
} from './feature-class.ts';

/**
 * Numbers of the value kinds. A member that is one scalar uses its kind as its operation, so that writer and reader run
 * one dense switch. Their switches spell the numbers out: a `case` that loads a property of an imported object costs more
 * than the work it selects (measured, bench/mof.ts).
 */
export const Kind = {
  boolean: 0,
  uint8: 1,
  sint8: 2,
  uint16: 3,
  sint16: 4,
  uint32: 5,
  sint32: 6,
  uint64: 7,
  sint64: 8,
  real32: 9,
  real64: 10,
  char16: 11,
  datetime: 12,
  string: 13,
  /** A uint16 scalar in the doc32 profile: UINT32 in the buffer (management.md 2.4). */
  wideUint16: 14,
} as const;

/** Operations beyond the scalar kinds. */
export const Op = {
  /** R5: byte count and WCHAR[maxLen + 1] in place. */
  inlineString: 15,
  /** R7: offset of a length-prefixed record. */
  tailString: 16,
  /** R8: count and elements in place. */
  inlineArray: 17,
  /** R9: count and offset of packed elements. */
  tailArray: 18,
  /** R17: count and R5 blocks in place. */
  inlineBlocks: 19,
  /** R17: count and offset of packed R5 blocks. */
  tailBlocks: 20,
  /** R17: count and offset of UINT32 offsets, each to an R7 record. */
  tailStrings: 21,
} as const;

/** Largest MaxLen, in UTF-16 units: the UINT16 byte count must also hold a counted NUL (management.md 2.8). */
export const MAX_STRING_LENGTH = 32_766;

/**
 * Largest fixed part of a class, bytes. A convention of ours: the fixed part is allocated for every property, so a
 * class with `Max(1000000000)` must not be able to take the machine down.
 */
export const MAX_FIXED_SIZE_BYTES = 1_048_576;

/** How one member is stored. All plans have the same shape, so the loops over them stay monomorphic. */
export interface MemberPlan {
  readonly name: string;
  readonly wmiDataId: number;
  readonly type: ScalarType;
  readonly isArray: boolean;
  /** A {@link Kind} for one scalar, else an {@link Op}. */
  readonly op: number;
  /** Kind of the value or of one element. */
  readonly kind: number;
  /** Offset of the first C field: the value, the byte count, the element count, or the string's offset field. */
  readonly offset: number;
  /** Offset of the inline data (R5, R8) or of the field that holds the tail's offset (R7, R9). */
  readonly dataOffset: number;
  /** Bytes of one element (R5 block for strings with MaxLen; 4 for a string offset). */
  readonly elementSize: number;
  /** Alignment of the tail, if there is one (R12). */
  readonly tailAlignment: number;
  /** Most elements; 2^31 - 1 when not limited. */
  readonly max: number;
  /** Most UTF-16 units of a string. */
  readonly maxLen: number;
}

/** Everything computed once per class and profile. */
export interface FeaturePlan {
  readonly members: readonly MemberPlan[];
  readonly fields: readonly LayoutMember[];
  /** sizeof, R11. */
  readonly size: number;
  /** End of the last field, before the trailing pad. */
  readonly end: number;
  readonly alignment: number;
}

export const DEFAULT_PROFILE: SerializationProfile = {
  uint16: 'native',
  stringUnit: 'bytes',
  nul: 'appended',
};

/** Size of each kind in bytes (R3, R4); a string as element is its UINT32 offset. */
const SIZE: Readonly<Record<ScalarType, number>> = {
  boolean: 1,
  uint8: 1,
  sint8: 1,
  uint16: 2,
  sint16: 2,
  uint32: 4,
  sint32: 4,
  uint64: 8,
  sint64: 8,
  real32: 4,
  real64: 8,
  char16: 2,
  datetime: 50,
  string: 4,
};

/** C types; integers spelled as in "Overview of Hyper-V Extensible Switch Policies". */
export const C_TYPE: Readonly<Record<ScalarType, string>> = {
  boolean: 'BOOLEAN',
  uint8: 'UINT8',
  sint8: 'INT8',
  uint16: 'UINT16',
  sint16: 'INT16',
  uint32: 'UINT32',
  sint32: 'INT32',
  uint64: 'UINT64',
  sint64: 'INT64',
  real32: 'float',
  real64: 'double',
  char16: 'WCHAR',
  datetime: 'WCHAR',
  string: 'WCHAR',
};

export const DATETIME_LENGTH = 25;
/** More elements than any buffer has; a small integer, so that all plans share one hidden class. */
const UNLIMITED = 0x7fff_ffff;

/** Rounds up to a multiple of `alignment`, a power of two. */
export function alignUp(offset: number, alignment: number): number {
  const over = offset & (alignment - 1);
  return over === 0 ? offset : offset + alignment - over;
}

/** True for members whose data lies behind the fixed part (R7, R9, R17). */
export function isTail(m: MemberPlan): boolean {
  return (
    m.op === Op.tailString ||
    m.op === Op.tailArray ||
    m.op === Op.tailBlocks ||
    m.op === Op.tailStrings
  );
}

/** Places fields one after another: natural alignment, at most 8 (R1). */
class FieldPlacer {
  readonly fields: LayoutMember[] = [];
  end = 0;
  alignment = 1;
  private readonly names = new Set<string>();

  add(wmiDataId: number, name: string, ctype: string, size: number, alignment: number): number {
    const offset = alignUp(this.end, alignment);
    this.fields.push({ name: this.unused(name), wmiDataId, ctype, offset, size });
    this.end = offset + size;
    this.alignment = Math.max(this.alignment, alignment);
    return offset;
  }

  /** A member may be called like another one's count field (`Name` and `NameByteCount`): C needs different names. */
  private unused(name: string): string {
    let candidate = name;
    while (this.names.has(candidate)) candidate += '_';
    this.names.add(candidate);
    return candidate;
  }
}

type Shape = Omit<MemberPlan, 'name' | 'wmiDataId' | 'type' | 'isArray'>;

function planScalar(m: FeatureMember, profile: SerializationProfile, to: FieldPlacer): Shape {
  const id = m.wmiDataId;
  const wide = m.type === 'uint16' && profile.uint16 === 'doc32';
  const size = wide ? 4 : SIZE[m.type];
  const ctype = wide ? 'UINT32' : C_TYPE[m.type];
  const isDatetime = m.type === 'datetime';
  const shown = isDatetime ? `WCHAR[${DATETIME_LENGTH}]` : ctype;
  const offset = to.add(id, m.name, shown, size, isDatetime ? 2 : size);
  const kind = wide ? Kind.wideUint16 : Kind[m.type];
  const maxLen = isDatetime ? DATETIME_LENGTH : 1;
  return shape(kind, kind, offset, offset, size, 1, 1, maxLen);
}

function shape(
  op: number,
  kind: number,
  offset: number,
  dataOffset: number,
  elementSize: number,
  tailAlignment: number,
  max: number,
  maxLen: number,
): Shape {
  return { op, kind, offset, dataOffset, elementSize, tailAlignment, max, maxLen };
}

function planString(m: FeatureMember, profile: SerializationProfile, to: FieldPlacer): Shape {
  const id = m.wmiDataId;
  if (m.maxLen === undefined) {
    const offset = to.add(id, `${m.name}Offset`, 'UINT32', 4, 4);
    return shape(Op.tailString, Kind.string, offset, offset, 2, 2, 1, MAX_STRING_LENGTH);
  }
  const count = profile.stringUnit === 'bytes' ? 'ByteCount' : 'CharCount';
  const offset = to.add(id, m.name + count, 'UINT16', 2, 2);
  const units = m.maxLen + 1;
  const data = to.add(id, m.name, `WCHAR[${units}]`, 2 * units, 2);
  return shape(Op.inlineString, Kind.string, offset, data, 2, 1, 1, m.maxLen);
}

function planStringArray(m: FeatureMember, to: FieldPlacer): Shape {
  const id = m.wmiDataId;
  const max = m.array?.max ?? UNLIMITED;
  const offset = to.add(id, `${m.name}ElementCount`, 'UINT32', 4, 4);
  if (m.maxLen === undefined) {
    // R17 says count + offset for every string array without MaxLen, so Max only limits the count here.
    const data = to.add(id, `${m.name}Offset`, 'UINT32', 4, 4);
    return shape(Op.tailStrings, Kind.string, offset, data, 4, 4, max, MAX_STRING_LENGTH);
  }
  const block = 2 + 2 * (m.maxLen + 1);
  if (m.array?.max === undefined) {
    const data = to.add(id, `${m.name}Offset`, 'UINT32', 4, 4);
    return shape(Op.tailBlocks, Kind.string, offset, data, block, 2, max, m.maxLen);
  }
  const ctype = `{UINT16, WCHAR[${m.maxLen + 1}]}[${max}]`;
  const data = to.add(id, m.name, ctype, block * max, 2);
  return shape(Op.inlineBlocks, Kind.string, offset, data, block, 2, max, m.maxLen);
}

function planArray(m: FeatureMember, to: FieldPlacer): Shape {
  const id = m.wmiDataId;
  const size = SIZE[m.type];
  const alignment = m.type === 'datetime' ? 2 : size;
  const maxLen = m.type === 'datetime' ? DATETIME_LENGTH : 1;
  const kind = Kind[m.type];
  const offset = to.add(id, `${m.name}ElementCount`, 'UINT32', 4, 4);
  const max = m.array?.max;
  if (max === undefined) {
    const data = to.add(id, `${m.name}Offset`, 'UINT32', 4, 4);
    return shape(Op.tailArray, kind, offset, data, size, alignment, UNLIMITED, maxLen);
  }
  const inner = m.type === 'datetime' ? `[${DATETIME_LENGTH}]` : '';
  const ctype = `${C_TYPE[m.type]}[${max}]${inner}`;
  const data = to.add(id, m.name, ctype, size * max, alignment);
  return shape(Op.inlineArray, kind, offset, data, size, alignment, max, maxLen);
}

function checkLimits(feature: FeatureClass, m: FeatureMember): void {
  const limits: readonly (readonly [string, number | undefined, number, number])[] = [
    ['MaxLen', m.maxLen, 0, MAX_STRING_LENGTH],
    ['Max', m.array?.max, 1, MAX_FIXED_SIZE_BYTES],
  ];
  for (const [qualifier, value, low, high] of limits) {
    if (value === undefined || (Number.isInteger(value) && value >= low && value <= high)) continue;
    throw new ExtSwitchError(
      'MOF_INVALID',
      `${feature.name}.${m.name}: ${qualifier}(${value}) is not within ${low}..${high}`,
      { structure: feature.name, member: m.name, expected: `${low}..${high}`, found: `${value}` },
    );
  }
}

/**
 * The same text as V8 keeps property names: comparing it with a key is then one comparison of addresses, while a piece
 * cut out of a MOF text would be compared letter by letter.
 */
function interned(name: string): string {
  return Object.keys({ [name]: 0 })[0] ?? name;
}

/**
 * Computes where everything of a class goes (management.md 2.2, R1-R18; 2.5). Throws `MOF_INVALID` for a MaxLen above
 * {@link MAX_STRING_LENGTH} or a fixed part above {@link MAX_FIXED_SIZE_BYTES}.
 */
export function planFeature(feature: FeatureClass, profile: SerializationProfile): FeaturePlan {
  const to = new FieldPlacer();
  const sorted = [...feature.members].sort((a, b) => a.wmiDataId - b.wmiDataId); // R1
  const members = sorted.map((m): MemberPlan => {
    checkLimits(feature, m);
    const isArray = m.array !== undefined;
    let planned: Shape;
    if (m.type === 'string')
      planned = isArray ? planStringArray(m, to) : planString(m, profile, to);
    else planned = isArray ? planArray(m, to) : planScalar(m, profile, to);
    if (to.end > MAX_FIXED_SIZE_BYTES) {
      throw new ExtSwitchError(
        'MOF_INVALID',
        `${feature.name}.${m.name}: the fixed part grows to ${to.end} bytes, expected at most ${MAX_FIXED_SIZE_BYTES}`,
        {
          structure: feature.name,
          member: m.name,
          expected: `at most ${MAX_FIXED_SIZE_BYTES} bytes`,
          found: `${to.end} bytes`,
        },
      );
    }
    return { name: interned(m.name), wmiDataId: m.wmiDataId, type: m.type, isArray, ...planned };
  });
  const size = alignUp(to.end, to.alignment); // R11
  return { members, fields: to.fields, size, end: to.end, alignment: to.alignment };
}
