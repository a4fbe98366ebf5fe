import type { DiagnosticSink } from './diagnostic.ts';
import { lexCharacter, lexString } from './lexer-string.ts';
import type { SourceFile, Span } from './source.ts';
import { makeToken, type Token, type TokenStream } from './token.ts';

const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F]+|[01]+[bB]|\d*\.\d+(?:[eE][+-]?\d+)?|\d+)(?![\p{L}\p{N}_.])/uy;
const NUMBER_RUN = /[+-]?[\p{L}\p{N}_.]+/uy;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
/** Directives of the C preprocessor that may stand in MOF sources (management.md 1.1). */
const DIRECTIVE = /[ \t]*([A-Za-z]\w*)/y;
const C_DIRECTIVES = new Set(
  'define undef include if ifdef ifndef elif else endif error warning line'.split(' '),
);
const PUNCTUATION = '[](){}:;,=';
/** Longest integer literal: 64 binary digits, sign and suffix fit well; keeps conversion linear. */
const MAX_INTEGER_TEXT = 80;

/**
 * `mof`: plain text. `preprocessed`: a backslash may join lines. `body`, `expression`: inside a directive; lines are
 * joined and every sign is a token, in an expression also the sign in front of a number.
 */
export type LexerMode = 'mof' | 'preprocessed' | 'body' | 'expression';

/** Turns MOF text into tokens, on demand and in linear time (management.md 1.2). Errors are reported and skipped. */
export class Lexer implements TokenStream {
  readonly source: SourceFile;
  readonly #sink: DiagnosticSink;
  readonly #end: number;
  readonly #mode: LexerMode;
  #offset: number;
  #lastDumpLine = -1;
  /** Counts `#pragma` `namespace` `(`, or `include`: the string behind may be an unescaped path. */
  #pathState = 0;

  constructor(
    source: SourceFile,
    sink: DiagnosticSink,
    range: { readonly start?: number; readonly end?: number; readonly mode?: LexerMode } = {},
  ) {
    this.source = source;
    this.#sink = sink;
    this.#offset = range.start ?? 0;
    this.#end = range.end ?? source.text.length;
    this.#mode = range.mode ?? 'mof';
  }

  next(): Token {
    const token = this.#read();
    this.#pathState = pathState(this.#pathState, token);
    return token;
  }

  #read(): Token {
    for (;;) {
      this.#skipBlank();
      const start = this.#offset;
      if (start >= this.#end) return makeToken('eof', '', this.source, this.#end, this.#end);
      const token = this.#readAt(start, this.source.text[start] as string);
      if (token !== undefined) return token;
    }
  }

  #readAt(start: number, sign: string): Token | undefined {
    const { text } = this.source;
    if (isWordStart(sign)) return this.#word(start);
    if (PUNCTUATION.includes(sign)) return this.#advance('punct', sign, start, start + 1);
    if (sign === '"') {
      const token = lexString(this.source, start, this.#end, this.#sink, this.#pathState === 3);
      this.#offset = token.end;
      return token;
    }
    if (sign === "'") {
      const token = lexCharacter(this.source, start, this.#end, this.#sink);
      this.#offset = token.end;
      return token;
    }
    if (sign === '$') {
      WORD.lastIndex = start + 1;
      if (WORD.test(text)) return this.#alias(start, WORD.lastIndex);
    }
    const second = text[start + 1] ?? '';
    const isSigned = sign === '+' || sign === '-';
    if (isDigit(sign) || (sign === '.' && isDigit(second))) return this.#number(start);
    const isSignedNumber = isSigned && (isDigit(second) || second === '.');
    if (isSignedNumber && this.#mode !== 'expression') return this.#number(start);
    WORD.lastIndex = start;
    if (WORD.test(text)) return this.#word(start);
    if (this.#mode === 'body' || this.#mode === 'expression') {
      return this.#advance('punct', sign, start, start + 1);
    }
    if (sign === '#') return this.#hash(start);
    if (sign === '\\' && isLineEnd(text.charCodeAt(start + 1))) {
      return this.#refuseDirective(
        { source: this.source, start, end: start + 1 },
        '\\ at a line end',
      );
    }
    this.#strange(start);
    return undefined;
  }

  #advance(kind: Token['kind'], text: string, start: number, end: number): Token {
    this.#offset = end;
    return makeToken(kind, text, this.source, start, end);
  }

  #word(start: number): Token {
    const { text } = this.source;
    let end = start;
    while (isAsciiWordPart(text.charCodeAt(end))) end += 1;
    if (text.charCodeAt(end) > 127) {
      WORD.lastIndex = start;
      WORD.test(text);
      end = WORD.lastIndex;
    }
    end = Math.min(end, this.#end);
    return this.#advance('word', this.source.text.slice(start, end), start, end);
  }

  #alias(start: number, wordEnd: number): Token {
    const end = Math.min(wordEnd, this.#end);
    return this.#advance('alias', this.source.text.slice(start + 1, end), start, end);
  }

  #number(start: number): Token {
    const { source } = this;
    NUMBER.lastIndex = start;
    const match = NUMBER.exec(source.text)?.[0];
    if (match === undefined) {
      NUMBER_RUN.lastIndex = start;
      const run = NUMBER_RUN.exec(source.text)?.[0] ?? source.text[start];
      const end = start + (run?.length ?? 1);
      return this.#badNumber(start, end, 'is not a number');
    }
    const end = start + match.length;
    this.#offset = end;
    if (match.includes('.')) return makeToken('real', match, source, start, end, 0n, Number(match));
    if (match.length > MAX_INTEGER_TEXT) return this.#badNumber(start, end, 'is too long');
    const integer = parseInteger(match);
    if (integer === undefined) return this.#badNumber(start, end, 'is not a number');
    return makeToken('integer', match, source, start, end, integer);
  }

  #badNumber(start: number, end: number, why: string): Token {
    this.#offset = end;
    const { source } = this;
    const shown = source.text.slice(start, Math.min(end, start + 40));
    const hint = /^[+-]?0\d+$/.test(shown)
      ? 'a leading zero means octal, which has only the digits 0 to 7'
      : 'decimal 12, hexadecimal 0x0C, octal 014, binary 1100b, real 1.5';
    this.#sink.report('E-NUMBER', { source, start, end }, `"${shown}" ${why}`, { hint });
    return makeToken('integer', '0', source, start, end, 0n);
  }

  /** `#pragma`, a C directive, or a line of a text dump. */
  #hash(start: number): Token | undefined {
    const { source } = this;
    DIRECTIVE.lastIndex = start + 1;
    const word = DIRECTIVE.exec(source.text)?.[1] ?? '';
    const wordEnd = DIRECTIVE.lastIndex;
    if (word.toLowerCase() === 'pragma') return this.#advance('pragma', '#pragma', start, wordEnd);
    const end = this.#lineEnd(start);
    this.#offset = end;
    const span = { source, start, end: word === '' ? start + 1 : wordEnd };
    if (C_DIRECTIVES.has(word)) return this.#refuseDirective(span, `#${word}`);
    const { line } = source.position(start);
    if (line !== this.#lastDumpLine + 1) {
      const message =
        'a line that starts with # is not MOF; text dumps of instances have such lines';
      this.#sink.report('E-DUMP-LINE', span, message, {
        hint: 'delete it, or make it a // comment',
      });
    }
    this.#lastDumpLine = line;
    return undefined;
  }

  /** Macro names stand for types and qualifier lists, so every later finding of the file would be noise. */
  #refuseDirective(span: Span, what: string): undefined {
    const message = `C-preprocessed MOF: ${what} is for the C preprocessor; the rest was not checked`;
    const hint = 'compile with the preprocess option (CLI: --preprocess)';
    this.#sink.report('E-CPP', span, message, { hint });
    this.#sink.mute(this.source);
    this.#offset = this.#end;
    return undefined;
  }

  /** Reports a run of unusable characters once. */
  #strange(start: number): void {
    const { text } = this.source;
    let end = start;
    do {
      end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
    } while (end < this.#end && isStrange(text[end] as string));
    this.#offset = end;
    const code = (text.codePointAt(start) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    const shown = text.slice(start, Math.min(end, start + 20));
    const message = `unexpected ${JSON.stringify(shown)} (U+${code})`;
    this.#sink.report('E-CHAR', { source: this.source, start, end }, message);
  }

  #skipBlank(): void {
    const { text } = this.source;
    while (this.#offset < this.#end) {
      const unit = text.charCodeAt(this.#offset);
      const isBlank = unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xa0 || unit === 0xfeff;
      if (isBlank) this.#offset += 1;
      else if (text.startsWith('//', this.#offset)) this.#offset = this.#lineEnd(this.#offset);
      else if (text.startsWith('/*', this.#offset)) this.#skipBlockComment();
      else if (this.#isJoinedLine()) this.#offset += 1;
      else return;
    }
  }

  /** A backslash at the end of a line, which only the preprocessor knows. */
  #isJoinedLine(): boolean {
    const { text } = this.source;
    if (this.#mode === 'mof' || text[this.#offset] !== '\\') return false;
    return this.#offset + 1 >= text.length || isLineEnd(text.charCodeAt(this.#offset + 1));
  }

  #skipBlockComment(): void {
    const start = this.#offset;
    const close = this.source.text.indexOf('*/', start + 2);
    if (close >= 0 && close + 2 <= this.#end) {
      this.#offset = close + 2;
      return;
    }
    const span = { source: this.source, start, end: start + 2 };
    this.#sink.report('E-COMMENT', span, 'this comment is not closed', { hint: 'add */' });
    this.#offset = this.#end;
  }

  #lineEnd(from: number): number {
    const { text } = this.source;
    let at = from;
    while (at < this.#end && !isLineEnd(text.charCodeAt(at))) at += 1;
    return at;
  }
}

function pathState(state: number, token: Token): number {
  if (token.kind === 'pragma') return 1;
  if (state === 1 && token.kind === 'word' && /^(namespace|include)$/i.test(token.text)) return 2;
  if (state === 2 && token.text === '(') return 3;
  return 0;
}

/** Value of an integer literal that {@link NUMBER} matched; `undefined`: octal with an 8 or 9. */
export function parseInteger(text: string): bigint | undefined {
  const isNegative = text.startsWith('-');
  const digits = text.replace(/^[+-]/, '');
  const magnitude = parseMagnitude(digits);
  if (magnitude === undefined) return undefined;
  return isNegative ? -magnitude : magnitude;
}

function parseMagnitude(digits: string): bigint | undefined {
  if (/^0x/i.test(digits)) return BigInt(digits);
  if (/b$/i.test(digits)) return BigInt(`0b${digits.slice(0, -1)}`);
  if (!/^0\d/.test(digits)) return BigInt(digits);
  return /[89]/.test(digits) ? undefined : BigInt(`0o${digits}`);
}

function isAsciiWordPart(unit: number): boolean {
  if (unit >= 97) return unit <= 122;
  if (unit >= 65) return unit <= 90 || unit === 95;
  return unit >= 48 && unit <= 57;
}

function isLineEnd(unit: number): boolean {
  return unit === 10 || unit === 13;
}

function isDigit(sign: string): boolean {
  return sign >= '0' && sign <= '9' && sign.length === 1;
}

function isWordStart(sign: string): boolean {
  return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') || sign === '_';
}

const USABLE = /[\p{L}\p{N}_\s"'$#/+.-]/u;
function isStrange(sign: string): boolean {
  return !USABLE.test(sign) && !PUNCTUATION.includes(sign);
}
