import type {
  MofAssignment,
  MofDeclaration,
  MofInstance,
  MofPragma,
  MofQualifier,
  MofQualifierDeclaration,
} from './ast.ts';
import { parseAlias, parseBrackets, parseClass, takeClosingSemicolon } from './parser-class.ts';
import { type Cursor, SyntaxFailure } from './parser-cursor.ts';
import { checkFlavor, parseFlavors, parseQualifiers, parseValue } from './parser-value.ts';
import { aliasType, scalarType } from './type-names.ts';

/** Words of MOF version 3 (DSP0221) that begin a declaration this compiler does not read. */
const MOF3_WORDS = new Set(['structure', 'enumeration']);

/**
 * Reads declarations to the end of the text and hands each to `accept` at once, so that an include is compiled where it
 * stands. After a syntax error it goes on with the next declaration: one run reports all errors of a file.
 */
export function parseDeclarations(
  cursor: Cursor,
  accept: (declaration: MofDeclaration) => void,
): void {
  let leftover: readonly MofQualifier[] | undefined;
  while (cursor.peek().kind !== 'eof') {
    const before = cursor.taken;
    const { failures } = cursor;
    if (leftover === undefined && cursor.takeSign(';')) continue;
    try {
      const qualifiers = leftover ?? parseQualifiers(cursor);
      leftover = undefined;
      const parsed = parseDeclaration(cursor, qualifiers, failures);
      if (parsed.leftover.length > 0) leftover = parsed.leftover;
      if (parsed.declaration !== undefined) accept(parsed.declaration);
    } catch (failure) {
      if (!(failure instanceof SyntaxFailure)) throw failure;
      leftover = undefined;
      cursor.skipDeclaration();
      if (cursor.taken === before && cursor.peek().kind !== 'eof') cursor.take();
    }
  }
}

interface Parsed {
  readonly declaration?: MofDeclaration;
  readonly leftover: readonly MofQualifier[];
}

function parseDeclaration(
  cursor: Cursor,
  qualifiers: readonly MofQualifier[],
  failures: number,
): Parsed {
  const token = cursor.peek();
  const only = (declaration: MofDeclaration): Parsed => ({ declaration, leftover: [] });
  if (cursor.isWord('class')) return parseClass(cursor, qualifiers, parseInstance, failures);
  if (cursor.isWord('instance')) {
    const instance = parseInstance(cursor, qualifiers);
    takeClosingSemicolon(cursor, `the instance of ${instance.className}`);
    return only(instance);
  }
  if (token.kind === 'word' && MOF3_WORDS.has(token.text.toLowerCase())) {
    const message = `"${token.text}" belongs to MOF version 3 (DSP0221), not to this one`;
    cursor.refuse('E-MOF3', token, message, 'declare a class');
  }
  if (qualifiers.length > 0) return cursor.fail('"class" or "instance of" after the qualifiers');
  if (token.kind === 'pragma') return only(parsePragma(cursor));
  if (cursor.isWord('qualifier')) return only(parseQualifierDeclaration(cursor));
  return cursor.fail('"class", "instance of", "qualifier" or #pragma');
}

/** Parses `instance of C [as $A] { P = v; … }`; the closing `;` is the caller's, a nested instance has none. */
function parseInstance(cursor: Cursor, qualifiers: readonly MofQualifier[]): MofInstance {
  cursor.take();
  if (!cursor.isWord('of')) cursor.fail('"of" after "instance"');
  cursor.take();
  const name = cursor.expectWord('a class name');
  const alias = parseAlias(cursor);
  cursor.expectSign('{', 'to begin the instance');
  const { failures } = cursor;
  const properties: MofAssignment[] = [];
  while (!cursor.takeSign('}')) {
    if (cursor.peek().kind === 'eof' || cursor.isDeclarationStart()) {
      const message = `the instance of ${name.text} is not closed`;
      cursor.failUnlessFailed(failures, name, message, 'add };');
    }
    const before = cursor.taken;
    try {
      properties.push(parseAssignment(cursor));
    } catch (failure) {
      if (!(failure instanceof SyntaxFailure)) throw failure;
      cursor.skipMember();
      if (cursor.taken === before && !cursor.isSign('}') && cursor.peek().kind !== 'eof') {
        cursor.take();
      }
    }
  }
  const part = alias === undefined ? {} : { alias };
  return { kind: 'instance', className: name.text, ...part, qualifiers, properties, span: name };
}

function parseAssignment(cursor: Cursor): MofAssignment {
  const qualifiers = parseQualifiers(cursor);
  const name = cursor.expectWord('the name of a property or "}"');
  cursor.expectSign('=', `after ${name.text}`);
  const value = parseValue(cursor, parseInstance);
  if (!cursor.takeSign(';')) {
    if (!cursor.isSign('}') && !cursor.isAtLineStart()) cursor.fail(`";" after ${name.text}`);
    const { source, end } = cursor.previous;
    const span = { source, start: end, end: end + 1 };
    cursor.sink.report('E-SYNTAX', span, `expected ";" after ${name.text}`);
  }
  return { name: name.text, value, qualifiers, span: name };
}

/** `#pragma name`, with or without arguments in parentheses. */
function parsePragma(cursor: Cursor): MofPragma {
  const start = cursor.take();
  const name = cursor.expectWord('the name of a pragma');
  const list: string[] = [];
  if (cursor.takeSign('(')) {
    while (!cursor.isSign(')')) {
      if (list.length > 0) cursor.expectSign(',', 'or ")" after the argument');
      list.push(parsePragmaArgument(cursor));
    }
    cursor.expectSign(')', 'after the pragma');
  }
  const span = { source: start.source, start: start.start, end: name.end };
  return { kind: 'pragma', name: name.text, arguments: list, span };
}

function parsePragmaArgument(cursor: Cursor): string {
  const token = cursor.peek();
  if (token.kind === 'word' || token.kind === 'integer' || token.kind === 'real') {
    return cursor.take().text;
  }
  if (token.kind !== 'string') return cursor.fail('an argument of the pragma');
  let text = '';
  while (cursor.peek().kind === 'string') text += cursor.take().text;
  return text;
}

/** The DMTF declaration `Qualifier X : type = default, Scope(…), Flavor(…);` or WMI's `Qualifier X : flavors;`. */
function parseQualifierDeclaration(cursor: Cursor): MofQualifierDeclaration {
  cursor.take();
  const name = cursor.expectWord('the name of a qualifier');
  cursor.expectSign(':', 'after the name of the qualifier');
  const word = cursor.peek();
  const type = word.kind === 'word' ? (scalarType(word.text) ?? aliasType(word.text)) : undefined;
  const base = { kind: 'qualifier', name: name.text, span: name } as const;
  if (type === undefined) {
    const flavors = parseFlavors(cursor);
    while (cursor.takeSign(',')) flavors.push(...parseFlavors(cursor));
    cursor.expectSign(';', 'after the qualifier declaration');
    return { ...base, scopes: [], flavors };
  }
  cursor.take();
  const array = parseBrackets(cursor);
  const initial = cursor.takeSign('=') ? parseValue(cursor, undefined) : undefined;
  const scopes: string[] = [];
  const flavors: string[] = [];
  while (cursor.takeSign(',')) {
    const isScope = cursor.isWord('scope');
    if (!isScope && !cursor.isWord('flavor')) cursor.fail('"Scope" or "Flavor"');
    cursor.take();
    parseWordList(cursor, isScope ? scopes : flavors, !isScope);
  }
  cursor.expectSign(';', 'after the qualifier declaration');
  const arrayPart = array === undefined ? {} : { array };
  const initialPart = initial === undefined ? {} : { initial };
  return { ...base, type, ...arrayPart, ...initialPart, scopes, flavors };
}

function parseWordList(cursor: Cursor, list: string[], areFlavors: boolean): void {
  cursor.expectSign('(', 'before the list');
  do {
    const token = cursor.expectWord('a word');
    if (areFlavors) checkFlavor(cursor, token);
    list.push(token.text);
  } while (cursor.takeSign(',') || cursor.peek().kind === 'word');
  cursor.expectSign(')', 'after the list');
}
