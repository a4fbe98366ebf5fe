import type { DiagnosticSink } from './diagnostic.ts';
import { Lexer } from './lexer.ts';
import { evaluateCondition } from './preprocess-condition.ts';
import { type Directive, findDirective } from './preprocess-lines.ts';
import { lexBody, type MacroTable, type TokenSource } from './preprocess-macros.ts';
import type { SourceFile, Span } from './source.ts';
import { makeToken, type Token, type TokenStream } from './token.ts';

/** Deepest chain of `#include`. */
const MAX_HEADER_DEPTH = 32;
/** Most `#include` of one compilation: without guards two headers that include each other twice would double. */
const MAX_HEADERS = 1000;

/** Reads the header a `#include` names; reports it and gives `undefined` when it cannot. */
export type HeaderReader = (path: string, from: string, span: Span) => SourceFile | undefined;

/** One `#if` that is open. */
interface Branch {
  readonly span: Span;
  /** Text of the present branch counts. */
  isActive: boolean;
  /** An earlier branch counted, or the whole `#if` stands in text that does not. */
  isDone: boolean;
  sawElse: boolean;
}

/** One file being read: the main file or a header. */
interface Frame {
  readonly source: SourceFile;
  lexer: Lexer;
  directive: Directive | undefined;
  readonly branches: Branch[];
}

/**
 * The C preprocessor in front of the parser, for WDM sources (management.md 1.1): `#define` with and without
 * parameters, `#undef`, `#include`, `#if`, `#ifdef`, `#ifndef`, `#elif`, `#else`, `#endif`, `#error`, joined lines.
 * Tokens keep the places of their file; those out of a macro have the place of its use.
 */
export class Preprocessor implements TokenStream, TokenSource {
  readonly #sink: DiagnosticSink;
  readonly #macros: MacroTable;
  readonly #readHeader: HeaderReader;
  readonly #frames: Frame[] = [];
  readonly #end: Token;
  #ahead: Token | undefined;
  #ready: Token[] = [];
  #headerCount = 0;

  constructor(
    source: SourceFile,
    sink: DiagnosticSink,
    macros: MacroTable,
    readHeader: HeaderReader,
  ) {
    this.#sink = sink;
    this.#macros = macros;
    this.#readHeader = readHeader;
    const { length } = source.text;
    this.#end = makeToken('eof', '', source, length, length);
    this.#push(source);
  }

  next(): Token {
    for (;;) {
      const ready = this.#ready.pop();
      if (ready !== undefined) return ready;
      const token = this.take();
      if (token.kind !== 'word' || !this.#macros.has(token.text)) return token;
      this.#ready = this.#macros.expand(token, this).reverse();
    }
  }

  /** The next token before expansion. */
  peek(): Token {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }
  take(): Token {
    const token = this.peek();
    this.#ahead = undefined;
    return token;
  }

  #read(): Token {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return this.#end;
      if (isActive(frame)) {
        const token = frame.lexer.next();
        if (token.kind !== 'eof') return token;
      }
      const { directive } = frame;
      if (directive === undefined) {
        this.#close(frame);
        continue;
      }
      advance(frame, directive.end, this.#sink);
      this.#run(frame, directive);
    }
  }

  #push(source: SourceFile): void {
    const lexer = new Lexer(source, this.#sink, { end: 0 });
    const frame: Frame = { source, lexer, directive: undefined, branches: [] };
    advance(frame, 0, this.#sink);
    this.#frames.push(frame);
  }

  #close(frame: Frame): void {
    for (const { span } of frame.branches) {
      this.#sink.report('E-CPP-DIRECTIVE', span, 'this #if has no #endif');
    }
    this.#frames.pop();
  }

  #run(frame: Frame, directive: Directive): void {
    switch (directive.name) {
      case 'if':
      case 'ifdef':
      case 'ifndef':
        this.#openBranch(frame, directive);
        break;
      case 'elif':
      case 'else':
      case 'endif':
        this.#nextBranch(frame, directive);
        break;
      default:
        if (isActive(frame)) this.#act(frame, directive);
    }
  }

  #act(frame: Frame, directive: Directive): void {
    const { name, span } = directive;
    switch (name) {
      case 'define':
        this.#define(directive);
        break;
      case 'undef':
        this.#macros.undefine(this.#tokens(directive)[0]?.text ?? '');
        break;
      case 'include':
        this.#include(frame, directive);
        break;
      case 'error': {
        const text = frame.source.text.slice(directive.bodyStart, directive.end).trim();
        this.#sink.report('E-CPP-DIRECTIVE', span, `#error ${text}`);
        break;
      }
      case 'line':
      case 'warning':
        break;
      default: {
        const message = `#${name} is not a directive`;
        this.#sink.report('E-CPP-DIRECTIVE', span, message);
      }
    }
  }

  #tokens(directive: Directive, mode: 'body' | 'expression' = 'body'): Token[] {
    const { source } = directive.span;
    return lexBody(source, directive.bodyStart, directive.end, this.#sink, mode);
  }

  #define(directive: Directive): void {
    const [name, ...rest] = this.#tokens(directive);
    if (name?.kind !== 'word') {
      const message = '#define needs the name of a macro';
      this.#sink.report('E-CPP-DIRECTIVE', directive.span, message);
      return;
    }
    const [first] = rest;
    // Only a parenthesis that touches the name begins parameters.
    if (first?.text !== '(' || first.kind !== 'punct' || first.start !== name.end) {
      this.#macros.define({ name: name.text, body: rest });
      return;
    }
    const close = rest.findIndex((token) => token.kind === 'punct' && token.text === ')');
    const inside = rest.slice(1, close);
    const isList = inside.every((token, i) =>
      i % 2 === 0 ? token.kind === 'word' : token.text === ',',
    );
    if (close < 0 || !isList || (inside.length > 0 && inside.length % 2 === 0)) {
      const message = `the parameters of macro ${name.text} are malformed`;
      this.#sink.report('E-CPP-DIRECTIVE', first, message);
      return;
    }
    const parameters = inside.filter((token) => token.kind === 'word').map((token) => token.text);
    this.#macros.define({ name: name.text, parameters, body: rest.slice(close + 1) });
  }

  #include(frame: Frame, directive: Directive): void {
    const { source } = frame;
    const text = source.text.slice(directive.bodyStart, directive.end);
    const match = /^\s*(?:"([^"]+)"|<([^>]+)>)/.exec(text);
    const path = match?.[1] ?? match?.[2];
    if (path === undefined) {
      const message = '#include needs a file in quotes or angle brackets';
      this.#sink.report('E-CPP-DIRECTIVE', directive.span, message);
      return;
    }
    this.#headerCount += 1;
    if (this.#frames.length >= MAX_HEADER_DEPTH || this.#headerCount > MAX_HEADERS) {
      const isDeep = this.#frames.length >= MAX_HEADER_DEPTH;
      const message = isDeep
        ? `headers nested more than ${MAX_HEADER_DEPTH} deep`
        : `more than ${MAX_HEADERS} headers`;
      this.#sink.report('E-CPP-INCLUDE', directive.span, message, {
        hint: 'a header that includes itself needs #ifndef around it',
      });
      // Unwinding through a thousand unguarded levels would report each of them.
      this.#sink.mute(source);
      return;
    }
    const header = this.#readHeader(path, source.name, directive.span);
    if (header !== undefined) this.#push(header);
  }

  #openBranch(frame: Frame, directive: Directive): void {
    const { span } = directive;
    const isOuterActive = isActive(frame);
    const holds = isOuterActive && this.#condition(directive);
    frame.branches.push({ span, isActive: holds, isDone: holds || !isOuterActive, sawElse: false });
  }

  #nextBranch(frame: Frame, directive: Directive): void {
    const { name, span } = directive;
    const branch = frame.branches.at(-1);
    if (branch === undefined) {
      this.#sink.report('E-CPP-DIRECTIVE', span, `#${name} without #if`);
      return;
    }
    if (name === 'endif') {
      frame.branches.pop();
      return;
    }
    if (branch.sawElse) {
      this.#sink.report('E-CPP-DIRECTIVE', span, `#${name} after #else`);
      return;
    }
    branch.sawElse = name === 'else';
    branch.isActive = !branch.isDone && (name === 'else' || this.#condition(directive));
    branch.isDone ||= branch.isActive;
  }

  #condition(directive: Directive): boolean {
    const tokens = this.#tokens(directive, 'expression');
    if (directive.name === 'if' || directive.name === 'elif') {
      return evaluateCondition(tokens, directive.span, this.#macros, this.#sink);
    }
    const [name] = tokens;
    if (name?.kind !== 'word') {
      const message = `#${directive.name} needs the name of a macro`;
      this.#sink.report('E-CPP-DIRECTIVE', directive.span, message);
      return false;
    }
    return this.#macros.has(name.text) === (directive.name === 'ifdef');
  }
}

/** The innermost branch tells: inside one that does not count, none does. */
function isActive(frame: Frame): boolean {
  return frame.branches.at(-1)?.isActive ?? true;
}

/** Goes on behind a directive: the text up to the next one gets a lexer of its own. */
function advance(frame: Frame, start: number, sink: DiagnosticSink): void {
  const { source } = frame;
  frame.directive = findDirective(source, start);
  const end = frame.directive?.span.start ?? source.text.length;
  frame.lexer = new Lexer(source, sink, { start, end, mode: 'preprocessed' });
}
