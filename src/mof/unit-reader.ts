import type {
  MofClass,
  MofDeclaration,
  MofInstance,
  MofPragma,
  MofQualifierDeclaration,
} from './ast.ts';
import type { DiagnosticSink } from './diagnostic.ts';
import { Lexer } from './lexer.ts';
import { normalizeNamespace } from './namespace.ts';
import { parseDeclarations } from './parser.ts';
import { Cursor } from './parser-cursor.ts';
import { Preprocessor } from './preprocess.ts';
import { MacroTable } from './preprocess-macros.ts';
import { decodeSource, SourceFile, type Span } from './source.ts';

/** Largest file, in UTF-16 units. The whole DMTF schema has 5.5 MB. */
const MAX_FILE_LENGTH = 16 * 1024 * 1024;
/** Most text in one compilation with its includes. */
const MAX_TOTAL_LENGTH = 4 * MAX_FILE_LENGTH;
/** Deepest chain of includes. */
const MAX_INCLUDE_DEPTH = 32;

/** Returns an included file, or `undefined` when there is none. `from` is the file that includes it. */
export type IncludeReader = (path: string, from: string) => string | Uint8Array | undefined;

export interface UnitOptions {
  readonly include?: IncludeReader | undefined;
  /** Present: run the C preprocessor, with these macros defined at the start. */
  readonly defines?: Readonly<Record<string, string>> | undefined;
}

/** Pragmas of CIM and WMI (management.md 1.3); others give a warning. */
const PRAGMAS = new Set(
  (
    'namespace include locale instancelocale amendment autorecover classflags instanceflags ' +
    'deleteclass deleteinstance'
  ).split(' '),
);

/** Reads a file and what it includes into flat lists of declarations. */
export class UnitReader {
  readonly classes: MofClass[] = [];
  readonly instances: MofInstance[] = [];
  readonly pragmas: MofPragma[] = [];
  readonly qualifierDeclarations: MofQualifierDeclaration[] = [];
  readonly namespaces = new Map<MofClass, string>();
  readonly #sink: DiagnosticSink;
  readonly #options: UnitOptions;
  readonly #macros: MacroTable | undefined;
  readonly #done = new Set<string>();
  readonly #open: string[] = [];
  #namespace: string | undefined;
  #totalLength = 0;

  constructor(sink: DiagnosticSink, options: UnitOptions) {
    this.#sink = sink;
    this.#options = options;
    if (options.defines !== undefined) this.#macros = new MacroTable(options.defines, sink);
  }

  /** Reads one file; `at` is the include that names it. */
  read(file: string, input: string | Uint8Array, at?: Span): void {
    const source = this.#decode(file, input, at);
    if (source === undefined) return;
    this.#open.push(file);
    this.#done.add(file);
    const lexer =
      this.#macros === undefined
        ? new Lexer(source, this.#sink)
        : new Preprocessor(source, this.#sink, this.#macros, (path, from, span) =>
            this.#header(path, from, span),
          );
    const cursor = new Cursor(lexer, this.#sink);
    parseDeclarations(cursor, (declaration) => this.#accept(declaration));
    this.#open.pop();
  }

  #decode(file: string, input: string | Uint8Array, at: Span | undefined): SourceFile | undefined {
    const { text, encoding, problem } = decodeSource(input);
    const empty = new SourceFile(file, '');
    const span = at ?? { source: empty, start: 0, end: 0 };
    if (problem !== undefined) {
      this.#sink.report('E-ENCODING', span, `${file}: ${problem}`);
      return undefined;
    }
    this.#totalLength += text.length;
    if (text.length > MAX_FILE_LENGTH || this.#totalLength > MAX_TOTAL_LENGTH) {
      const message = `${file} has ${text.length} characters; at most ${MAX_FILE_LENGTH} are read, ${MAX_TOTAL_LENGTH} with includes`;
      this.#sink.report('E-SIZE', span, message);
      return undefined;
    }
    const source = new SourceFile(file, text);
    if (encoding === 'windows-1252') {
      const message = 'the text is not UTF-8; read as Windows-1252';
      const hint = 'save it as UTF-8, or as UTF-16 with a byte-order mark';
      this.#sink.report('W-ENCODING', { source, start: 0, end: 0 }, message, { hint });
    }
    return source;
  }

  #accept(declaration: MofDeclaration): void {
    switch (declaration.kind) {
      case 'class':
        this.classes.push(declaration);
        if (this.#namespace !== undefined) this.namespaces.set(declaration, this.#namespace);
        return;
      case 'instance':
        this.instances.push(declaration);
        return;
      case 'qualifier':
        this.qualifierDeclarations.push(declaration);
        return;
      case 'pragma':
        this.#pragma(declaration);
    }
  }

  #pragma(pragma: MofPragma): void {
    const name = pragma.name.toLowerCase();
    const [argument] = pragma.arguments;
    const needsArgument = name === 'namespace' || name === 'include';
    if (needsArgument && argument === undefined) {
      this.pragmas.push(pragma);
      const message = `#pragma ${name} needs an argument in parentheses`;
      this.#sink.report('E-SYNTAX', pragma.span, message);
      return;
    }
    if (name === 'namespace' && argument !== undefined) {
      const { namespace, host } = normalizeNamespace(argument);
      if (host !== undefined && this.#sink.strict) {
        const message = `the namespace names the host "${host}"`;
        const hint = `write #pragma namespace("${namespace.replaceAll('\\', '\\\\')}")`;
        this.#sink.report('E-NAMESPACE-HOST', pragma.span, message, { hint });
      }
      this.#namespace = namespace;
      this.pragmas.push({ ...pragma, arguments: [namespace] });
      return;
    }
    this.pragmas.push(pragma);
    if (!PRAGMAS.has(name)) {
      this.#sink.report('W-PRAGMA', pragma.span, `unknown pragma "${pragma.name}"`);
    }
    if (name === 'include' && argument !== undefined) this.#include(argument, pragma.span);
  }

  /** A file is compiled once, however often it is named. */
  #include(path: string, span: Span): void {
    const file = resolveInclude(path, span.source.name);
    if (this.#open.includes(file)) {
      const message = `${file} includes itself`;
      this.#sink.report('E-INCLUDE-CYCLE', span, message);
      return;
    }
    if (this.#done.has(file)) return;
    if (this.#open.length >= MAX_INCLUDE_DEPTH) {
      this.#sink.report('E-DEPTH', span, `includes nested more than ${MAX_INCLUDE_DEPTH} deep`);
      return;
    }
    const input = this.#options.include?.(file, span.source.name);
    if (input === undefined) {
      const why =
        this.#options.include === undefined
          ? 'includes are not allowed here'
          : 'there is no such file';
      this.#sink.report('E-INCLUDE', span, `cannot read ${file}: ${why}`);
      return;
    }
    this.read(file, input, span);
  }

  /** A header of the C preprocessor; may be read again and again. */
  #header(path: string, from: string, span: Span): SourceFile | undefined {
    const file = resolveInclude(path, from);
    const input = this.#options.include?.(file, from);
    if (input === undefined) {
      const why =
        this.#options.include === undefined
          ? 'includes are not allowed here'
          : 'there is no such file';
      this.#sink.report('E-CPP-INCLUDE', span, `cannot read ${file}: ${why}`);
      return undefined;
    }
    return this.#decode(file, input, span);
  }
}

/** Path of an included file: relative to the including one, with forward slashes and without `.` and `..` inside. */
export function resolveInclude(path: string, from: string): string {
  const forward = path.replaceAll('\\', '/');
  const isAbsolute = /^(\/|[A-Za-z]:\/)/.test(forward);
  const folder = from.replaceAll('\\', '/').replace(/[^/]*$/, '');
  const parts: string[] = [];
  for (const part of (isAbsolute ? forward : folder + forward).split('/')) {
    const last = parts.at(-1);
    if (part === '.' || (part === '' && parts.length > 0)) continue;
    if (part === '..' && last !== undefined && last !== '..' && last !== '') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}
