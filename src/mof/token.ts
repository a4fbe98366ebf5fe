import type { SourceFile, Span } from './source.ts';

/** Kinds of tokens. `pragma` is the word `#pragma`; `punct` one of `[](){}:;,=` (any sign in preprocessor mode). */
export type TokenKind =
  | 'word'
  | 'integer'
  | 'real'
  | 'string'
  | 'char'
  | 'alias'
  | 'pragma'
  | 'punct'
  | 'eof';

/** A token; itself a {@link Span}. `text` is the word, the sign, or the decoded string. */
export interface Token extends Span {
  readonly kind: TokenKind;
  readonly text: string;
  /** Value of an integer. */
  readonly integer: bigint;
  /** Value of a real, or the code unit of a character. */
  readonly number: number;
}

/** Where the parser takes its tokens from: the lexer, or the preprocessor in front of it. After the end: `eof` for ever. */
export interface TokenStream {
  next(): Token;
}

export function makeToken(
  kind: TokenKind,
  text: string,
  source: SourceFile,
  start: number,
  end: number,
  integer = 0n,
  number = 0,
): Token {
  return { kind, text, source, start, end, integer, number };
}

/** A token as an error message names it. */
export function describeToken(token: Token): string {
  switch (token.kind) {
    case 'eof':
      return 'the end of the file';
    case 'string':
      return 'a string';
    case 'integer':
    case 'real':
      return `the number ${token.source.text.slice(token.start, Math.min(token.end, token.start + 40))}`;
    case 'char':
      return 'a character constant';
    case 'pragma':
      return '#pragma';
    case 'alias':
      return `$${token.text}`;
    default:
      return `"${token.text.length > 60 ? `${token.text.slice(0, 60)}…` : token.text}"`;
  }
}
