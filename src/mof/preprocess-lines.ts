import type { SourceFile, Span } from './source.ts';

/** A line of the preprocessor, with the lines joined to it. */
export interface Directive {
  /** Lower-case word behind the `#`. */
  readonly name: string;
  /** Of `#name`. */
  readonly span: Span;
  readonly bodyStart: number;
  readonly end: number;
}

const DIRECTIVE = /[ \t]*#[ \t]*([A-Za-z]\w*)/y;
/** What hides a `#`: strings, characters, comments; or the rest of a line without any of them. */
const STRETCH = /"(?:\\.|[^"\\\r\n])*"?|'(?:\\.|[^'\\\r\n]){1,8}'|\/\/[^\r\n]*|[^"'/\r\n]+|['/]/y;

/** Finds the next directive at or behind `from`, which is a line start. `#pragma` belongs to MOF itself. */
export function findDirective(source: SourceFile, from: number): Directive | undefined {
  const { text } = source;
  let at = from;
  let isLineStart = true;
  while (at < text.length) {
    if (isLineStart) {
      const directive = directiveAt(source, at);
      if (directive !== undefined) return directive;
      isLineStart = false;
    }
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) {
      at += 1;
      isLineStart = true;
    } else at = skipStretch(text, at);
  }
  return undefined;
}

function directiveAt(source: SourceFile, at: number): Directive | undefined {
  const { text } = source;
  DIRECTIVE.lastIndex = at;
  const match = DIRECTIVE.exec(text);
  const name = match?.[1]?.toLowerCase();
  if (match === null || name === undefined || name === 'pragma') return undefined;
  const bodyStart = at + match[0].length;
  const start = at + match[0].indexOf('#');
  return {
    name,
    span: { source, start, end: bodyStart },
    bodyStart,
    end: lineEnd(text, bodyStart),
  };
}

/** End of the line, with the lines that a backslash or a comment joins to it. */
function lineEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) {
      if (text[at - 1] !== '\\') return at;
      at += text.startsWith('\r\n', at) ? 2 : 1;
    } else if (text[at] === '\\') at += 1;
    else at = skipStretch(text, at);
  }
  return text.length;
}

function skipStretch(text: string, at: number): number {
  if (text.startsWith('/*', at)) {
    const close = text.indexOf('*/', at + 2);
    return close < 0 ? text.length : close + 2;
  }
  STRETCH.lastIndex = at;
  STRETCH.test(text);
  const end = Math.max(at + 1, STRETCH.lastIndex);
  // A stretch must not swallow the backslash that joins lines.
  return text[end - 1] === '\\' && end - 1 > at ? end - 1 : end;
}
