import type { DiagnosticSink } from './diagnostic.ts';
import type { DiagnosticCode } from './diagnostic-codes.ts';
import type { Span } from './source.ts';
import { describeToken, type Token, type TokenStream } from './token.ts';

/** Deepest nesting of values, instances and declarations. Real files need three; the stack never notices 64. */
export const MAX_DEPTH = 64;

/** Thrown by the parser after it reported a syntax error; caught where parsing can go on. Never leaves the parser. */
export class SyntaxFailure extends Error {}
const FAILURE = new SyntaxFailure('syntax');

/** Reads tokens with lookahead, reports syntax errors, and finds the place to go on after one. */
export class Cursor {
  readonly sink: DiagnosticSink;
  readonly #stream: TokenStream;
  readonly #ahead: Token[] = [];
  #previous: Token | undefined;
  #depth = 0;
  /** Syntax errors so far: a declaration during which it rose may have lost members. */
  failures = 0;
  /** Tokens taken so far: a loop that did not raise it must skip one itself. */
  taken = 0;

  constructor(stream: TokenStream, sink: DiagnosticSink) {
    this.#stream = stream;
    this.sink = sink;
  }

  peek(distance = 0): Token {
    while (this.#ahead.length <= distance) this.#ahead.push(this.#stream.next());
    return this.#ahead[distance] as Token;
  }

  take(): Token {
    const token = this.peek();
    this.#ahead.shift();
    this.#previous = token;
    this.taken += 1;
    return token;
  }

  /** The token taken last; before the first one, the token ahead. */
  get previous(): Token {
    return this.#previous ?? this.peek();
  }

  isSign(sign: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'punct' && token.text === sign;
  }

  /** Keywords are case-insensitive (management.md 1.2). */
  isWord(word: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }

  takeSign(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.take();
    return true;
  }

  expectSign(sign: string, where: string): Token {
    if (!this.isSign(sign)) this.fail(`"${sign}" ${where}`);
    return this.take();
  }

  expectWord(what: string): Token {
    if (this.peek().kind !== 'word') this.fail(what);
    return this.take();
  }

  /** Reports "expected …, found …" at the next token and gives up this production. */
  fail(expected: string, hint?: string): never {
    const token = this.peek();
    const message = `expected ${expected}, found ${describeToken(token)}`;
    return this.refuse('E-SYNTAX', token, message, hint);
  }

  refuse(code: DiagnosticCode, span: Span, message: string, hint?: string): never {
    this.failures += 1;
    this.sink.report(code, span, message, { hint });
    throw FAILURE;
  }

  /** As `refuse`, but silent when there were errors since `failures` was read: recovery may have skipped what is missing. */
  failUnlessFailed(failures: number, span: Span, message: string, hint: string): never {
    if (this.failures > failures) throw FAILURE;
    return this.refuse('E-SYNTAX', span, message, hint);
  }

  /** Runs `parse` one level deeper; more than {@link MAX_DEPTH} levels are refused instead of overflowing the stack. */
  nested<T>(parse: () => T): T {
    if (this.#depth >= MAX_DEPTH) {
      this.refuse('E-DEPTH', this.peek(), `nested more than ${MAX_DEPTH} levels deep`);
    }
    this.#depth += 1;
    try {
      return parse();
    } finally {
      this.#depth -= 1;
    }
  }

  /** True when the next token is the first one on its line. */
  isAtLineStart(): boolean {
    const token = this.peek();
    const { text } = token.source;
    let at = token.start - 1;
    while (at >= 0 && (text[at] === ' ' || text[at] === '\t')) at -= 1;
    return at < 0 || text[at] === '\n' || text[at] === '\r';
  }

  /** A declaration starts here: `class X`, `instance of`, `#pragma`, or such a word behind a line end. */
  isDeclarationStart(): boolean {
    const token = this.peek();
    if (token.kind === 'pragma') return true;
    if (token.kind !== 'word') return false;
    if (this.isWord('instance') && this.isWord('of', 1)) return true;
    const isNamed = this.peek(1).kind === 'word';
    return isNamed && (this.isWord('class') || (this.isWord('qualifier') && this.isAtLineStart()));
  }

  /**
   * Skips to the end of the broken member of a class or instance: behind the next `;`, or in front of the `}` that closes
   * the body, or in front of a declaration. Balanced braces on the way are skipped whole.
   */
  skipMember(): void {
    let depth = 0;
    for (;;) {
      const token = this.peek();
      if (token.kind === 'eof') return;
      if (depth === 0 && this.isSign('}')) return;
      if (this.isDeclarationStart() && this.isAtLineStart()) return;
      this.take();
      if (token.kind !== 'punct') continue;
      if (token.text === '{') depth += 1;
      else if (token.text === '}') depth -= 1;
      else if (token.text === ';' && depth === 0) return;
    }
  }

  /** Skips a broken qualifier list: behind its `]` or in front of a declaration. False: what it belongs to is lost too. */
  skipQualifiers(): boolean {
    for (;;) {
      const token = this.peek();
      if (token.kind === 'eof' || this.isSign(';')) return false;
      // "instance of" is common in descriptions, whose quotes may be what is broken.
      if (this.isDeclarationStart() && (this.isAtLineStart() || this.isWord('class'))) return true;
      this.take();
      if (token.kind === 'punct' && token.text === ']') return true;
    }
  }

  /** Skips behind the `}` of a broken array, or in front of what cannot be part of it. */
  skipArray(): void {
    let depth = 1;
    while (depth > 0) {
      const token = this.peek();
      if (token.kind === 'eof' || this.isSign(';') || this.isDeclarationStart()) return;
      this.take();
      if (token.kind !== 'punct') continue;
      if (token.text === '{') depth += 1;
      else if (token.text === '}') depth -= 1;
    }
  }

  /** Skips to the next declaration after a broken one. */
  skipDeclaration(): void {
    let depth = 0;
    for (;;) {
      const token = this.peek();
      if (token.kind === 'eof') return;
      if (this.isDeclarationStart() && (depth === 0 || this.isAtLineStart())) return;
      if (depth === 0 && this.isSign('[') && this.isAtLineStart()) return;
      this.take();
      if (token.kind !== 'punct') continue;
      if (token.text === '{') depth += 1;
      else if (token.text === '}') {
        depth -= 1;
        if (depth <= 0) {
          this.takeSign(';');
          return;
        }
      } else if (token.text === ';' && depth === 0) return;
    }
  }
}
