import type { DiagnosticSink } from './diagnostic.ts';
import { Lexer } from './lexer.ts';
import { SourceFile, type Span } from './source.ts';
import { makeToken, type Token } from './token.ts';

/** A `#define`: object-like, or function-like when it has parameters (also none: `F()`). */
export interface Macro {
  readonly name: string;
  readonly parameters?: readonly string[];
  readonly body: readonly Token[];
}

/** Most tokens all expansions of a compilation may make: macros that double each other stop here. */
const MAX_EXPANDED_TOKENS = 1_000_000;
/** Deepest chain of macros in macros. */
const MAX_MACRO_DEPTH = 64;

/** A token on its way through expansion, with the macros it may not expand again. */
interface Pending {
  readonly token: Token;
  readonly hidden: ReadonlySet<string>;
}

/** Where {@link MacroTable.expand} takes the arguments of a function-like macro from. */
export interface TokenSource {
  peek(): Token;
  take(): Token;
}

const END = makeToken('eof', '', new SourceFile('', ''), 0, 0);

/** A list read as a source; behind its end `eof` for ever. */
export class TokenList implements TokenSource {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }
  peek(): Token {
    return this.#tokens[this.#index] ?? END;
  }
  take(): Token {
    const token = this.peek();
    this.#index += 1;
    return token;
  }
}

/** Macros by name, and their expansion. Expanded tokens carry the place where the macro was used. */
export class MacroTable {
  readonly #macros = new Map<string, Macro>();
  readonly #sink: DiagnosticSink;
  #budget = MAX_EXPANDED_TOKENS;
  #argumentDepth = 0;

  constructor(defines: Readonly<Record<string, string>>, sink: DiagnosticSink) {
    this.#sink = sink;
    for (const [name, text] of Object.entries(defines)) {
      const source = new SourceFile(`<define ${name}>`, text);
      this.define({ name, body: lexBody(source, 0, text.length, sink) });
    }
  }

  define(macro: Macro): void {
    this.#macros.set(macro.name, macro);
  }
  undefine(name: string): void {
    this.#macros.delete(name);
  }
  has(name: string): boolean {
    return this.#macros.has(name);
  }

  /** Expands `first`, which was taken from `rest`; gives the tokens to use in its place. */
  expand(first: Token, rest: TokenSource): Token[] {
    return this.#expandAll([{ token: first, hidden: new Set() }], rest);
  }

  /** Expands what is in `queue`, its last entry first. */
  #expandAll(queue: Pending[], rest: TokenSource): Token[] {
    const done: Token[] = [];
    const feed = new Feed(queue, rest);
    while (queue.length > 0) {
      const { token, hidden } = queue.pop() as Pending;
      const macro = token.kind === 'word' ? this.#macros.get(token.text) : undefined;
      if (macro === undefined || hidden.has(macro.name)) {
        done.push(token);
        continue;
      }
      const replacement = this.#replace(macro, token, hidden, feed);
      if (replacement === undefined) {
        done.push(token);
        continue;
      }
      for (let i = replacement.length - 1; i >= 0; i -= 1) queue.push(replacement[i] as Pending);
    }
    return done;
  }

  #replace(
    macro: Macro,
    use: Token,
    hidden: ReadonlySet<string>,
    feed: Feed,
  ): Pending[] | undefined {
    let list: readonly Token[][] | undefined;
    if (macro.parameters !== undefined) {
      if (!isSign(feed.peek(), '(')) return undefined;
      list = this.#arguments(macro, use, feed);
      if (list === undefined) return [];
    }
    if (hidden.size >= MAX_MACRO_DEPTH) {
      this.#sink.report('E-CPP-MACRO', use, `macro ${macro.name}: nested too deeply`);
      return [];
    }
    const inner = new Set(hidden).add(macro.name);
    const plain = list ?? [];
    const expanded = plain.map((argument) => this.#expandArgument(macro, use, argument, hidden));
    const tokens = substitute(macro, { plain, expanded }, use, this.#sink);
    this.#budget -= tokens.length + 1;
    if (this.#budget < 0) {
      const message = `macro ${macro.name}: all macros together make more than ${MAX_EXPANDED_TOKENS} tokens`;
      this.#sink.report('E-CPP-MACRO', use, message);
      // Further expansions would only report the same; without macros there are none.
      this.#macros.clear();
      return [];
    }
    return tokens.map((token) => ({ token, hidden: inner }));
  }

  /** An argument is expanded before it is put in, as in C, except next to `#` and `##`. */
  #expandArgument(
    macro: Macro,
    use: Token,
    argument: readonly Token[],
    hidden: ReadonlySet<string>,
  ): Token[] {
    if (this.#argumentDepth >= MAX_MACRO_DEPTH) {
      this.#sink.report('E-CPP-MACRO', use, `macro ${macro.name}: nested too deeply`);
      this.#macros.clear();
    }
    const queue = argument.map((token) => ({ token, hidden })).reverse();
    this.#argumentDepth += 1;
    const tokens = this.#expandAll(queue, new TokenList([]));
    this.#argumentDepth -= 1;
    return tokens;
  }

  #arguments(macro: Macro, use: Token, feed: Feed): Token[][] | undefined {
    feed.take();
    const list: Token[][] = [[]];
    let depth = 0;
    for (;;) {
      const token = feed.peek();
      if (token.kind === 'eof') {
        this.#sink.report('E-CPP-MACRO', use, `macro ${macro.name}: the ")" is missing`);
        return undefined;
      }
      feed.take();
      if (isSign(token, ')') && depth === 0) break;
      if (isSign(token, ',') && depth === 0) {
        list.push([]);
        continue;
      }
      if (isSign(token, '(')) depth += 1;
      if (isSign(token, ')')) depth -= 1;
      (list.at(-1) as Token[]).push(token);
    }
    const wanted = macro.parameters?.length ?? 0;
    if (wanted === 0 && list.length === 1 && list[0]?.length === 0) return [];
    if (list.length === wanted) return list;
    const message = `macro ${macro.name} has ${wanted} parameters, found ${list.length} arguments`;
    this.#sink.report('E-CPP-MACRO', use, message);
    return undefined;
  }
}

/** First what expansion left over, then the text behind it. */
class Feed {
  readonly #queue: Pending[];
  readonly #rest: TokenSource;

  constructor(queue: Pending[], rest: TokenSource) {
    this.#queue = queue;
    this.#rest = rest;
  }
  peek(): Token {
    return this.#queue.at(-1)?.token ?? this.#rest.peek();
  }
  take(): Token {
    return this.#queue.pop()?.token ?? this.#rest.take();
  }
}

/** The body with its parameters replaced, `#x` made a string and `a ## b` one word. */
function substitute(
  macro: Macro,
  given: { readonly plain: readonly Token[][]; readonly expanded: readonly Token[][] },
  use: Token,
  sink: DiagnosticSink,
): Token[] {
  const { body, parameters = [] } = macro;
  const result: Token[] = [];
  const argument = (
    token: Token | undefined,
    list: readonly Token[][] = given.plain,
  ): readonly Token[] | undefined => {
    const index = token?.kind === 'word' ? parameters.indexOf(token.text) : -1;
    return index < 0 ? undefined : (list[index] ?? []);
  };
  for (let i = 0; i < body.length; i += 1) {
    const token = body[i] as Token;
    if (isSign(token, '#') && isSign(body[i + 1], '#') && result.length > 0) {
      const right = body[i + 2];
      const tokens = argument(right) ?? (right === undefined ? [] : [right]);
      const left = result.pop() as Token;
      const text = rawText(left) + tokens.map(rawText).join('');
      const source = new SourceFile(use.source.name, text);
      for (const made of lexBody(source, 0, text.length, sink)) result.push(moveTo(made, use));
      i += 2;
      continue;
    }
    const quoted = isSign(token, '#') ? argument(body[i + 1]) : undefined;
    if (quoted !== undefined) {
      const text = quoted.map(rawText).join(' ');
      result.push(makeToken('string', text, use.source, use.start, use.end));
      i += 1;
      continue;
    }
    const isJoined = isSign(body[i + 1], '#') && isSign(body[i + 2], '#');
    const list = isJoined ? given.plain : given.expanded;
    for (const each of argument(token, list) ?? [token]) result.push(moveTo(each, use));
  }
  return result;
}

function rawText(token: Token): string {
  return token.text;
}

function moveTo(token: Token, use: Span): Token {
  return makeToken(
    token.kind,
    token.text,
    use.source,
    use.start,
    use.end,
    token.integer,
    token.number,
  );
}

function isSign(token: Token | undefined, sign: string): boolean {
  return token?.kind === 'punct' && token.text === sign;
}

/** Tokens of a directive: every sign is one, also those MOF does not have. In an expression `-` is not part of a number. */
export function lexBody(
  source: SourceFile,
  start: number,
  end: number,
  sink: DiagnosticSink,
  mode: 'body' | 'expression' = 'body',
): Token[] {
  const lexer = new Lexer(source, sink, { start, end, mode });
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    if (token.kind === 'eof') return tokens;
    tokens.push(token);
  }
}
