import type { LayoutMember, MemberValue } from './feature-class.ts';
import {
  C_TYPE,
  DATETIME_LENGTH,
  type FeaturePlan,
  isTail,
  type MemberPlan,
  Op,
} from './feature-plan.ts';
import type { FeatureReader } from './feature-reader.ts';
import { readUint16, readUint32 } from './scalar-codec.ts';

/** One field of a dump. `offset` counts from wherever the caller's base is; sizes in bytes. */
export interface AnnotatedField {
  readonly name: string;
  readonly ctype: string;
  readonly offset: number;
  readonly size: number;
  readonly value: MemberValue;
  /** What an offset field points to. */
  readonly children?: readonly AnnotatedField[];
}

interface Tail {
  readonly start: number;
  readonly sizeBytes: number;
}

function arrayType(m: MemberPlan, count: number): string {
  if (m.op === Op.tailBlocks) return `{UINT16, WCHAR[${m.maxLen + 1}]}[${count}]`;
  if (m.op === Op.tailStrings) return `UINT32[${count}]`;
  const inner = m.type === 'datetime' ? `[${DATETIME_LENGTH}]` : '';
  return `${C_TYPE[m.type]}[${count}]${inner}`;
}

function recordField(name: string, tail: Tail, base: number, text: MemberValue): AnnotatedField {
  const ctype = `{UINT16, WCHAR[${(tail.sizeBytes - 2) / 2}]}`;
  return { name, ctype, offset: base + tail.start, size: tail.sizeBytes, value: text };
}

/** What the offset field of `m` leads to. */
function tailFields(
  m: MemberPlan,
  value: MemberValue,
  tails: readonly Tail[],
  bytes: Uint8Array,
  base: number,
): AnnotatedField[] {
  const [first, ...records] = tails;
  if (first === undefined) return [];
  if (m.op === Op.tailString) return [recordField(m.name, first, base, value)];
  const elements = value as readonly (boolean | number | bigint | string)[];
  const ctype = arrayType(m, elements.length);
  const place = { name: m.name, ctype, offset: base + first.start, size: first.sizeBytes };
  if (m.op !== Op.tailStrings) return [{ ...place, value }];
  const offsets = elements.map((_, i) => readUint32(bytes, first.start + i * 4));
  const children = records.map((record, i) =>
    recordField(`${m.name}[${i}]`, record, base, elements[i] as string),
  );
  return [{ ...place, value: offsets, children }];
}

function rawField(field: LayoutMember, bytes: Uint8Array, base: number): AnnotatedField {
  const value =
    field.size === 2 ? readUint16(bytes, field.offset) : readUint32(bytes, field.offset);
  return annotated(field, base, value);
}

function annotated(field: LayoutMember, base: number, value: MemberValue): AnnotatedField {
  const { name, ctype, offset, size } = field;
  return { name, ctype, offset: base + offset, size, value };
}

/** Every C field of a serialized class with place and value; throws `ABI_INVALID` as the reader does. */
export function annotate(
  plan: FeaturePlan,
  reader: FeatureReader,
  bytes: Uint8Array,
  base: number,
): AnnotatedField[] {
  const tails = new Map<MemberPlan, Tail[]>();
  for (const m of plan.members) tails.set(m, []);
  const settings = reader.read(bytes, 0, bytes.length, (m, start, sizeBytes) => {
    tails.get(m)?.push({ start, sizeBytes });
  });
  return plan.members.flatMap((m) => {
    const fields = plan.fields.filter((field) => field.wmiDataId === m.wmiDataId);
    const value = settings[m.name] as MemberValue;
    return fields.map((field, i) => {
      const isLast = i === fields.length - 1;
      if (!isLast) return rawField(field, bytes, base);
      if (!isTail(m)) return annotated(field, base, value);
      const children = tailFields(m, value, tails.get(m) ?? [], bytes, base);
      const raw = rawField(field, bytes, base);
      return children.length === 0 ? raw : { ...raw, children };
    });
  });
}
