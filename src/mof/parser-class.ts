import type {
  MofArray,
  MofClass,
  MofFeature,
  MofMethod,
  MofName,
  MofParameter,
  MofQualifier,
  MofType,
} from './ast.ts';
import { type Cursor, SyntaxFailure } from './parser-cursor.ts';
import { type ParseInstance, parseQualifiers, parseValue } from './parser-value.ts';
import type { Token } from './token.ts';
import { aliasType, scalarType } from './type-names.ts';

/** What the class parser hands back: qualifiers read before it saw that the next declaration had begun. */
export interface ParsedClass {
  readonly declaration: MofClass;
  readonly leftover: readonly MofQualifier[];
}

/**
 * Parses `class Name [as $Alias] [: Super] { features };` behind its qualifiers. `failuresBefore`: syntax errors up to
 * the start of these.
 */
export function parseClass(
  cursor: Cursor,
  qualifiers: readonly MofQualifier[],
  instances: ParseInstance,
  failuresBefore: number,
): ParsedClass {
  cursor.take();
  const name = cursor.expectWord('a class name');
  const alias = parseAlias(cursor);
  let superclass: MofName | undefined;
  if (cursor.takeSign(':')) {
    const token = cursor.expectWord('the name of the superclass');
    superclass = { text: token.text, span: token };
  }
  cursor.expectSign('{', 'to begin the class');
  const body = new ClassBody(cursor, name, instances);
  body.parse();
  const declaration: MofClass = {
    kind: 'class',
    name: name.text,
    ...(alias === undefined ? {} : { alias }),
    ...(superclass === undefined ? {} : { superclass }),
    qualifiers,
    features: body.features,
    broken: cursor.failures > failuresBefore,
    span: name,
  };
  return { declaration, leftover: body.leftover };
}

export function parseAlias(cursor: Cursor): string | undefined {
  if (!cursor.isWord('as')) return undefined;
  cursor.take();
  if (cursor.peek().kind !== 'alias') cursor.fail('an alias such as $Name');
  return cursor.take().text;
}

/** The closing `;` is missing in some published samples: a warning (management.md 1.3). */
export function takeClosingSemicolon(cursor: Cursor, what: string): void {
  if (cursor.takeSign(';')) return;
  const { source, end } = cursor.previous;
  const span = { source, start: Math.max(0, end - 1), end };
  cursor.sink.report('W-SEMICOLON', span, `missing ";" after ${what}`);
}

class ClassBody {
  readonly features: MofFeature[] = [];
  leftover: readonly MofQualifier[] = [];
  readonly #cursor: Cursor;
  readonly #name: Token;
  readonly #instances: ParseInstance;
  readonly #failuresBefore: number;

  constructor(cursor: Cursor, name: Token, instances: ParseInstance) {
    this.#cursor = cursor;
    this.#failuresBefore = cursor.failures;
    this.#name = name;
    this.#instances = instances;
  }

  parse(): void {
    const cursor = this.#cursor;
    for (;;) {
      if (cursor.takeSign('}')) {
        takeClosingSemicolon(cursor, `class ${this.#name.text}`);
        return;
      }
      const before = cursor.taken;
      try {
        const qualifiers = parseQualifiers(cursor);
        if (cursor.peek().kind === 'eof' || this.#isNextDeclaration()) {
          this.leftover = qualifiers;
          this.#missingBrace();
          return;
        }
        this.features.push(this.#feature(qualifiers));
      } catch (failure) {
        if (!(failure instanceof SyntaxFailure)) throw failure;
        cursor.skipMember();
        if (cursor.taken === before && !cursor.isSign('}') && !this.#isNextDeclaration()) {
          if (cursor.peek().kind === 'eof') return;
          cursor.take();
        }
      }
    }
  }

  #isNextDeclaration(): boolean {
    const cursor = this.#cursor;
    if (!cursor.isDeclarationStart()) return false;
    // `class` and `qualifier` may also be types of a property; only a body or a superclass tells.
    if (!cursor.isWord('class') && !cursor.isWord('qualifier')) return true;
    const after = cursor.peek(2);
    return after.text === '{' || after.text === ':' || after.text.toLowerCase() === 'as';
  }

  #missingBrace(): void {
    // After an error the brace may have been skipped, so only a class without one is reported.
    if (this.#cursor.failures > this.#failuresBefore) return;
    this.#cursor.failures += 1;
    const message = `class ${this.#name.text} is not closed`;
    this.#cursor.sink.report('E-SYNTAX', this.#name, message, { hint: 'add };' });
  }

  #feature(qualifiers: readonly MofQualifier[]): MofFeature {
    const cursor = this.#cursor;
    const typeToken = cursor.expectWord('a property, a method or "}"');
    if (cursor.isSign('['))
      cursor.fail('a name', 'the brackets stand behind the name: uint8 Name[]');
    const type = this.#type(typeToken, true);
    const name = cursor.expectWord('the name of a property or method');
    if (cursor.isSign('(')) return this.#method(type, name, qualifiers);
    if (type === undefined) {
      return cursor.refuse('E-SYNTAX', typeToken, 'only a method can be void');
    }
    const array = parseBrackets(cursor);
    const initial = cursor.takeSign('=') ? parseValue(cursor, this.#instances) : undefined;
    this.#endMember(name.text);
    return {
      kind: 'property',
      name: name.text,
      type,
      ...(array === undefined ? {} : { array }),
      ...(initial === undefined ? {} : { initial }),
      qualifiers,
      span: name,
    };
  }

  /** `undefined` is `void`. A word behind the type and in front of a name is `REF`. */
  #type(token: Token, isReturn: boolean): MofType | undefined {
    const cursor = this.#cursor;
    const { text } = token;
    if (cursor.isWord('ref') && cursor.peek(1).kind === 'word') {
      cursor.take();
      return { kind: 'reference', name: text, span: token };
    }
    const scalar = scalarType(text);
    if (scalar !== undefined) return { kind: 'scalar', name: scalar, span: token };
    if (isReturn && text.toLowerCase() === 'void') return undefined;
    const alias = aliasType(text);
    if (alias !== undefined) {
      const message = `"${text}" is not a MOF type; read as ${alias}`;
      cursor.sink.report('W-TYPE-ALIAS', token, message, { hint: `write ${alias}` });
      return { kind: 'scalar', name: alias, span: token };
    }
    if (text.toLowerCase() === 'object') {
      const message = '"object" is not a MOF type; read as an embedded object';
      const hint = 'write [EmbeddedObject] string';
      cursor.sink.report('W-TYPE-ALIAS', token, message, { hint });
    }
    return { kind: 'class', name: text, span: token };
  }

  #method(
    returns: MofType | undefined,
    name: Token,
    qualifiers: readonly MofQualifier[],
  ): MofMethod {
    const cursor = this.#cursor;
    cursor.expectSign('(', 'before the parameters');
    const parameters: MofParameter[] = [];
    while (!cursor.isSign(')')) {
      if (parameters.length > 0) cursor.expectSign(',', 'or ")" after a parameter');
      parameters.push(this.#parameter());
    }
    cursor.expectSign(')', 'after the parameters');
    this.#endMember(name.text);
    return {
      kind: 'method',
      name: name.text,
      ...(returns === undefined ? {} : { returns }),
      parameters,
      qualifiers,
      span: name,
    };
  }

  #parameter(): MofParameter {
    const cursor = this.#cursor;
    const qualifiers = parseQualifiers(cursor);
    const typeToken = cursor.expectWord('the type of a parameter');
    const type = this.#type(typeToken, false);
    if (type === undefined) return cursor.fail('the type of a parameter');
    const name = cursor.expectWord('the name of a parameter');
    const array = parseBrackets(cursor);
    const part = array === undefined ? {} : { array };
    return { name: name.text, type, ...part, qualifiers, span: name };
  }

  /** A missing `;` is reported at the end of the member; when the next line clearly begins another one, nothing is skipped. */
  #endMember(name: string): void {
    const cursor = this.#cursor;
    if (cursor.takeSign(';')) return;
    const isClear = cursor.isSign('}') || cursor.isAtLineStart();
    if (!isClear) cursor.fail(`";" after ${name}`);
    const { source, end } = cursor.previous;
    const span = { source, start: end, end: end + 1 };
    cursor.sink.report('E-SYNTAX', span, `expected ";" after ${name}`);
    cursor.failures += 1;
  }
}

/** `[]` or `[8]` behind a name. */
export function parseBrackets(cursor: Cursor): MofArray | undefined {
  if (!cursor.takeSign('[')) return undefined;
  if (cursor.takeSign(']')) return {};
  const token = cursor.peek();
  if (token.kind !== 'integer') cursor.fail('the size of the array, or "]"');
  if (token.integer < 1n || token.integer > 0xffffffffn) {
    cursor.refuse('E-SYNTAX', token, `an array has 1 to 4294967295 elements, not ${token.integer}`);
  }
  cursor.take();
  cursor.expectSign(']', 'after the size of the array');
  return { size: Number(token.integer) };
}
