import type { DiagnosticSink } from './diagnostic.ts';
import type { SourceFile } from './source.ts';
import { makeToken, type Token } from './token.ts';

/** Escapes of MOF strings (DSP0004 annex A, management.md 1.2); `\x` with one to four digits is read apart. */
const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
};
const HEX_ESCAPE = /[0-9a-fA-F]{1,4}/y;

/** Reads one quoted string. `raw`: keep backslashes as they stand (`#pragma namespace` is often written unescaped). */
export function lexString(
  source: SourceFile,
  start: number,
  limit: number,
  sink: DiagnosticSink,
  raw: boolean,
): Token {
  const { text } = source;
  let value = '';
  let at = start + 1;
  let plainFrom = at;
  for (;;) {
    const unit = at < limit ? text.charCodeAt(at) : 10;
    if (unit === 34) {
      value += text.slice(plainFrom, at);
      return makeToken('string', value, source, start, at + 1);
    }
    if (unit === 10 || unit === 13) {
      value += text.slice(plainFrom, at);
      const message = 'this string is not closed on its line';
      const hint = 'close it with " and continue with another string on the next line';
      sink.report('E-STRING', { source, start, end: at }, message, { hint });
      return makeToken('string', value, source, start, at);
    }
    if (unit === 92 && !raw) {
      value += text.slice(plainFrom, at);
      const escaped = readEscape(source, at, limit, sink);
      value += escaped.value;
      at = escaped.end;
      plainFrom = at;
    } else if (unit === 92 && text.charCodeAt(at + 1) === 34) {
      at += text.charCodeAt(at + 2) === 41 ? 1 : 2;
    } else {
      at += 1;
    }
  }
}

/** Reads `'A'` or `'\x4133'`: one UTF-16 unit. */
export function lexCharacter(
  source: SourceFile,
  start: number,
  limit: number,
  sink: DiagnosticSink,
): Token {
  const { text } = source;
  let at = start + 1;
  let value = '';
  while (at < limit && text[at] !== "'" && text[at] !== '\n' && text[at] !== '\r') {
    if (text[at] === '\\') {
      const escaped = readEscape(source, at, limit, sink);
      value += escaped.value;
      at = escaped.end;
    } else {
      value += text[at];
      at += 1;
    }
  }
  const isClosed = at < limit && text[at] === "'";
  const end = isClosed ? at + 1 : at;
  if (!isClosed || value.length !== 1) {
    const why = isClosed ? `holds ${value.length} UTF-16 units, not one` : 'is not closed';
    const hint = `write one character, e.g. 'A' or '\\x0041'`;
    sink.report('E-CHAR16', { source, start, end }, `this character constant ${why}`, { hint });
  }
  return makeToken('char', value, source, start, end, 0n, value === '' ? 0 : value.charCodeAt(0));
}

function readEscape(
  source: SourceFile,
  at: number,
  limit: number,
  sink: DiagnosticSink,
): { value: string; end: number } {
  const { text } = source;
  const sign = at + 1 < limit ? (text[at + 1] as string) : '\n';
  const known = ESCAPES[sign];
  if (known !== undefined) return { value: known, end: at + 2 };
  if (sign === 'x' || sign === 'X') {
    HEX_ESCAPE.lastIndex = at + 2;
    const digits = HEX_ESCAPE.exec(text)?.[0];
    if (digits !== undefined) {
      const value = String.fromCharCode(Number.parseInt(digits, 16));
      return { value, end: at + 2 + digits.length };
    }
  }
  if (sign === '\n' || sign === '\r') return { value: '', end: at + 1 };
  const message = `"\\${sign}" is not an escape of MOF`;
  const hint =
    'a backslash is written \\\\; the escapes are \\b \\t \\n \\f \\r \\" \\\' \\\\ \\x0041';
  sink.report('E-ESCAPE', { source, start: at, end: at + 2 }, message, { hint });
  return { value: sign, end: at + 2 };
}
