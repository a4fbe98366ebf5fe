/// <reference path="./baseline-libraries.d.ts" />
import { Parser } from 'binary-parser';
import * as r from 'restructure';

/*
 * The sample class of management.md 2.3, profile native16, written and read in other ways. All of them do the same work:
 * every member, zeroed room, tails by offset, checks of what points where.
 */
export interface Sample {
  readonly IntValue8: number;
  readonly IntValue16: number;
  readonly IntValue32: number;
  readonly IntValue64: bigint;
  readonly FixedLengthString: string;
  readonly VariableLengthString: string;
  readonly FixedLengthArray: readonly number[];
  readonly VariableLengthArray: readonly number[];
}

function putText(view: DataView, at: number, text: string): void {
  for (let i = 0; i < text.length; i += 1) view.setUint16(at + i * 2, text.charCodeAt(i), true);
}

function putNumbers(view: DataView, at: number, values: readonly number[]): void {
  for (let i = 0; i < values.length; i += 1) view.setUint32(at + i * 4, values[i] as number, true);
}

/** By hand with a DataView over a reused buffer; what a careful programmer writes for one known class. */
export function handEncode(s: Sample, bytes: Uint8Array, view: DataView): number {
  const text = s.VariableLengthString;
  const fixed = s.FixedLengthString;
  if (fixed.length > 255 || s.FixedLengthArray.length > 8) throw new RangeError('too long');
  const arrayAt = Math.ceil((584 + 2 + text.length * 2 + 2) / 4) * 4;
  const end = arrayAt + s.VariableLengthArray.length * 4;
  if (end > bytes.length) throw new RangeError('no room');
  bytes.fill(0, 0, end);
  view.setUint8(0, s.IntValue8);
  view.setUint16(2, s.IntValue16, true);
  view.setUint32(4, s.IntValue32, true);
  view.setBigUint64(8, s.IntValue64, true);
  view.setUint16(16, fixed.length * 2, true);
  putText(view, 18, fixed);
  view.setUint32(532, 584, true);
  view.setUint32(536, s.FixedLengthArray.length, true);
  putNumbers(view, 540, s.FixedLengthArray);
  view.setUint16(584, text.length * 2, true);
  putText(view, 586, text);
  if (s.VariableLengthArray.length > 0) {
    view.setUint32(572, s.VariableLengthArray.length, true);
    view.setUint32(576, arrayAt, true);
    putNumbers(view, arrayAt, s.VariableLengthArray);
  }
  return end;
}

function takeText(view: DataView, at: number, byteCount: number): string {
  let text = '';
  for (let i = 0; i < byteCount; i += 2) text += String.fromCharCode(view.getUint16(at + i, true));
  return text;
}

function takeNumbers(view: DataView, at: number, count: number): number[] {
  const values: number[] = [];
  for (let i = 0; i < count; i += 1) values.push(view.getUint32(at + i * 4, true));
  return values;
}

export function handDecode(view: DataView): Sample {
  const length = view.byteLength;
  if (length < 584) throw new RangeError('short');
  const fixedBytes = view.getUint16(16, true);
  const textAt = view.getUint32(532, true);
  const fixedCount = view.getUint32(536, true);
  const count = view.getUint32(572, true);
  const arrayAt = view.getUint32(576, true);
  if (fixedBytes > 512 || fixedBytes % 2 !== 0 || fixedCount > 8) throw new RangeError('count');
  if (textAt < 584 || textAt + 2 > length) throw new RangeError('text');
  const textBytes = view.getUint16(textAt, true);
  if (textBytes % 2 !== 0 || textAt + 2 + textBytes > length) throw new RangeError('text');
  if (count > 0 && (arrayAt < 584 || arrayAt + count * 4 > length)) throw new RangeError('array');
  return {
    IntValue8: view.getUint8(0),
    IntValue16: view.getUint16(2, true),
    IntValue32: view.getUint32(4, true),
    IntValue64: view.getBigUint64(8, true),
    FixedLengthString: takeText(view, 18, fixedBytes),
    VariableLengthString: takeText(view, textAt + 2, textBytes),
    FixedLengthArray: takeNumbers(view, 540, fixedCount),
    VariableLengthArray: count === 0 ? [] : takeNumbers(view, arrayAt, count),
  };
}

interface SizeContext {
  readonly val?: RestructureSample;
  readonly fixedText?: string;
  readonly fixedNumbers?: readonly number[];
}

/** As restructure wants it: 64 bits in two halves, counts of its own. */
interface RestructureSample {
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  readonly int64Low: number;
  readonly int64High: number;
  readonly fixedText: string;
  readonly text: string;
  readonly fixedNumbers: readonly number[];
  readonly numberCount: number;
  readonly numbers: readonly number[];
}

const sampleOf = (context: SizeContext): RestructureSample =>
  (context.val ?? context) as RestructureSample;

/** npm restructure. Its array tail is not aligned; otherwise the same bytes. */
export const restructureSample = new r.Struct<RestructureSample>({
  int8: r.uint8,
  pad1: new r.Reserved(r.uint8, 1),
  int16: r.uint16le,
  int32: r.uint32le,
  int64Low: r.uint32le,
  int64High: r.uint32le,
  fixedText: new r.String(r.uint16le, 'utf16le'),
  pad2: new r.Reserved(r.uint8, (c: SizeContext) => 514 - sampleOf(c).fixedText.length * 2),
  text: new r.Pointer(r.uint32le, new r.String(r.uint16le, 'utf16le')),
  fixedNumbers: new r.Array(r.uint32le, r.uint32le),
  pad3: new r.Reserved(r.uint8, (c: SizeContext) => 32 - sampleOf(c).fixedNumbers.length * 4),
  numberCount: r.uint32le,
  numbers: new r.Pointer(r.uint32le, new r.Array(r.uint32le, 'numberCount')),
  pad4: new r.Reserved(r.uint8, 4),
});

export function restructureValue(s: Sample): RestructureSample {
  return {
    int8: s.IntValue8,
    int16: s.IntValue16,
    int32: s.IntValue32,
    int64Low: Number(s.IntValue64 & 0xffff_ffffn),
    int64High: Number(s.IntValue64 >> 32n),
    fixedText: s.FixedLengthString,
    text: s.VariableLengthString,
    fixedNumbers: s.FixedLengthArray,
    numberCount: s.VariableLengthArray.length,
    numbers: s.VariableLengthArray,
  };
}

/** npm binary-parser (decodes only). Its texts are buffers turned to strings by a formatter: it knows no UTF-16. */
export const binaryParserSample = new Parser()
  .endianness('little')
  .uint8('IntValue8')
  .seek(1)
  .uint16('IntValue16')
  .uint32('IntValue32')
  .uint64('IntValue64')
  .uint16('fixedBytes')
  .buffer('FixedLengthString', {
    length: 'fixedBytes',
    formatter: (bytes: Buffer) => bytes.toString('utf16le'),
  })
  .seek(function (this: { fixedBytes: number }) {
    return 514 - this.fixedBytes;
  })
  .uint32('textOffset')
  .uint32('fixedCount')
  .array('FixedLengthArray', { type: 'uint32le', length: 'fixedCount' })
  .seek(function (this: { fixedCount: number }) {
    return 32 - this.fixedCount * 4;
  })
  .uint32('count')
  .uint32('arrayOffset')
  .pointer('VariableLengthString', {
    offset: 'textOffset',
    type: new Parser()
      .endianness('little')
      .uint16('byteCount')
      .buffer('text', {
        length: 'byteCount',
        formatter: (bytes: Buffer) => bytes.toString('utf16le'),
      }),
  })
  .pointer('VariableLengthArray', {
    offset: 'arrayOffset',
    type: new Parser().array('items', {
      type: 'uint32le',
      length(this: { $parent?: { count: number } }) {
        return this.$parent?.count ?? 0;
      },
    }),
  })
  .useContextVars();
