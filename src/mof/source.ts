/** Where a piece of MOF text stands: half-open range of UTF-16 units in one file. */
export interface Span {
  readonly source: SourceFile;
  readonly start: number;
  readonly end: number;
}

/** 1-based line and column; the column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One file of MOF text with its line table (CR LF, LF and CR all end a line: management.md 1.2). */
export class SourceFile {
  readonly name: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  position(offset: number): Position {
    const starts = this.#starts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 };
  }

  /** Text of a 1-based line without its line end; empty when there is no such line. */
  lineText(line: number): string {
    const starts = this.#starts();
    const start = starts[line - 1];
    if (start === undefined) return '';
    let end = starts[line] ?? this.text.length;
    while (end > start && isLineEnd(this.text.charCodeAt(end - 1))) end -= 1;
    return this.text.slice(start, end);
  }

  #starts(): number[] {
    if (this.#lineStarts !== undefined) return this.#lineStarts;
    const starts = [0];
    const { text } = this;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit === 13 && text.charCodeAt(i + 1) === 10) continue;
      if (isLineEnd(unit)) starts.push(i + 1);
    }
    this.#lineStarts = starts;
    return starts;
  }
}

function isLineEnd(unit: number): boolean {
  return unit === 10 || unit === 13;
}

/** Encodings a MOF file may have (management.md 1.2). `text`: it came as a string. */
export type SourceEncoding = 'text' | 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** Decoded text; `problem` says why the bytes are not MOF text at all. */
export interface DecodedSource {
  readonly text: string;
  readonly encoding: SourceEncoding;
  readonly problem?: string;
}

/**
 * Decodes MOF bytes: UTF-16 by its byte-order mark (mofcomp looks at the first two bytes), UTF-8 with or without a mark,
 * else Windows-1252 (management.md 1.2). Never throws.
 */
export function decodeSource(input: string | Uint8Array): DecodedSource {
  if (typeof input === 'string') return checkNul(stripMark(input), 'text');
  const [a, b, c, d] = input;
  const isUtf32 =
    (a === 0xff && b === 0xfe && c === 0 && d === 0) ||
    (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  if (isUtf32) {
    return { text: '', encoding: 'text', problem: 'the file is UTF-32, which MOF does not allow' };
  }
  if (a === 0xff && b === 0xfe) return decodeUtf16(input, 'utf-16le');
  if (a === 0xfe && b === 0xff) return decodeUtf16(input, 'utf-16be');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(input);
    return checkNul(text, 'utf-8');
  } catch {
    return checkNul(decodeWindows1252(input), 'windows-1252');
  }
}

/** Windows-1252 from 0x80 to 0x9f; undefined bytes stay control characters, as in the WHATWG table. */
const WINDOWS_1252 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';

/** Not by TextDecoder: that of Node 20 takes these bytes for Latin-1. */
function decodeWindows1252(input: Uint8Array): string {
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
  return text.replace(
    /[\u0080-\u009f]/g,
    (sign) => WINDOWS_1252[sign.charCodeAt(0) - 0x80] ?? sign,
  );
}

function decodeUtf16(input: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): DecodedSource {
  const text = new TextDecoder(encoding).decode(input);
  if (input.length % 2 !== 0) {
    const problem = `the file starts with a ${encoding} mark but has an odd number of bytes (${input.length})`;
    return { text: '', encoding, problem };
  }
  return checkNul(text, encoding);
}

function checkNul(text: string, encoding: SourceEncoding): DecodedSource {
  const at = text.indexOf('\0');
  if (at < 0) return { text, encoding };
  const problem = `the file has a NUL character at offset ${at}; UTF-16 text needs a byte-order mark`;
  return { text: '', encoding, problem };
}

function stripMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
