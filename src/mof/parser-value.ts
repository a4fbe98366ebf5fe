import type { MofInstance, MofQualifier, MofValue } from './ast.ts';
import { type Cursor, SyntaxFailure } from './parser-cursor.ts';
import type { Span } from './source.ts';
import type { Token } from './token.ts';

/** How a nested `instance of` is read; given by the declaration parser, so the files do not need each other. */
export type ParseInstance = (cursor: Cursor, qualifiers: readonly MofQualifier[]) => MofInstance;

/** Qualifier flavors of CIM and WMI (management.md 1.3). */
const FLAVORS = new Set(
  (
    'enableoverride disableoverride overridable restricted tosubclass toinstance nottoinstance ' +
    'nottosubclass amended translatable'
  ).split(' '),
);

/** Parses a value: constant, `{…}`, `$Alias`, or a nested instance when `instances` is given. */
export function parseValue(cursor: Cursor, instances: ParseInstance | undefined): MofValue {
  if (cursor.isSign('{')) return parseArray(cursor, instances);
  if (instances !== undefined && startsInstance(cursor)) {
    const start = cursor.peek();
    const instance = cursor.nested(() => instances(cursor, []));
    return { kind: 'instance', instance, span: join(start, cursor.previous) };
  }
  return parseConstant(cursor);
}

function startsInstance(cursor: Cursor): boolean {
  return cursor.isWord('instance') && cursor.isWord('of', 1);
}

function parseArray(cursor: Cursor, instances: ParseInstance | undefined): MofValue {
  return cursor.nested(() => {
    const start = cursor.expectSign('{', 'to begin the values');
    const items: MofValue[] = [];
    try {
      while (!cursor.isSign('}')) {
        if (items.length > 0) cursor.expectSign(',', 'or "}" between values');
        if (cursor.isSign('{')) {
          const value = parseArray(cursor, instances);
          cursor.refuse('E-SYNTAX', value.span, 'an array cannot hold an array');
        }
        items.push(parseValue(cursor, instances));
      }
    } catch (failure) {
      // Its closing brace must not be taken for that of the class.
      if (failure instanceof SyntaxFailure) cursor.skipArray();
      throw failure;
    }
    cursor.take();
    return { kind: 'array', items, span: join(start, cursor.previous) };
  });
}

function parseConstant(cursor: Cursor): MofValue {
  const token = cursor.peek();
  switch (token.kind) {
    case 'string':
      return parseStrings(cursor);
    case 'integer':
      cursor.take();
      return { kind: 'integer', value: token.integer, span: token };
    case 'real':
      cursor.take();
      return { kind: 'real', value: token.number, span: token };
    case 'char':
      cursor.take();
      return { kind: 'char', value: token.number, span: token };
    case 'alias':
      cursor.take();
      return { kind: 'alias', name: token.text, span: token };
    case 'word':
      return parseWordConstant(cursor, token);
    default:
      return cursor.fail('a value');
  }
}

function parseWordConstant(cursor: Cursor, token: Token): MofValue {
  const word = token.text.toLowerCase();
  if (word === 'true' || word === 'false') {
    cursor.take();
    return { kind: 'boolean', value: word === 'true', span: token };
  }
  if (word === 'null') {
    cursor.take();
    return { kind: 'null', span: token };
  }
  if (word === 'value' && cursor.isWord('of', 1)) {
    cursor.refuse(
      'E-MOF3',
      token,
      '"value of" belongs to MOF version 3 (DSP0221), not to this one',
    );
  }
  return cursor.fail('a value', 'text is written in quotes: "text"');
}

/** Adjacent strings are one (management.md 1.2). */
function parseStrings(cursor: Cursor): MofValue {
  const start = cursor.take();
  if (cursor.peek().kind !== 'string') return { kind: 'string', value: start.text, span: start };
  const parts = [start.text];
  while (cursor.peek().kind === 'string') parts.push(cursor.take().text);
  return { kind: 'string', value: parts.join(''), span: join(start, cursor.previous) };
}

/** Parses `[A, B(1), C{"x"} : Amended]`; an empty list when there is no `[`. After an error in it, what was read so far. */
export function parseQualifiers(cursor: Cursor): readonly MofQualifier[] {
  if (!cursor.takeSign('[')) return [];
  const qualifiers: MofQualifier[] = [];
  try {
    do {
      qualifiers.push(parseQualifier(cursor));
    } while (cursor.takeSign(','));
    cursor.expectSign(']', 'or "," after a qualifier');
  } catch (failure) {
    if (!(failure instanceof SyntaxFailure) || !cursor.skipQualifiers()) throw failure;
  }
  return qualifiers;
}

function parseQualifier(cursor: Cursor): MofQualifier {
  const name = cursor.expectWord('a qualifier name');
  let value: MofValue | undefined;
  if (cursor.takeSign('(')) {
    value = parseValue(cursor, undefined);
    cursor.expectSign(')', 'after the qualifier value');
  } else if (cursor.isSign('{')) {
    value = parseValue(cursor, undefined);
  }
  const flavors = cursor.takeSign(':') ? parseFlavors(cursor) : [];
  return { name: name.text, ...(value === undefined ? {} : { value }), flavors, span: name };
}

/** Flavors behind a colon, separated by white space. Unknown ones are kept with a warning. */
export function parseFlavors(cursor: Cursor): string[] {
  const flavors: string[] = [];
  do {
    const token = cursor.expectWord('a qualifier flavor');
    checkFlavor(cursor, token);
    flavors.push(token.text);
  } while (cursor.peek().kind === 'word');
  return flavors;
}

export function checkFlavor(cursor: Cursor, token: Token): void {
  if (FLAVORS.has(token.text.toLowerCase())) return;
  cursor.sink.report('W-FLAVOR', token, `unknown qualifier flavor "${token.text}"`);
}

/** From the start of `first` to the end of `last`; of one file, else just `first`. */
export function join(first: Span, last: Span): Span {
  const isOneFile = first.source === last.source && last.end >= first.start;
  return { source: first.source, start: first.start, end: isOneFile ? last.end : first.end };
}
