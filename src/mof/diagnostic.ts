import { ExtSwitchError } from '../core/errors.ts';
import { DIAGNOSTIC_CODES, type DiagnosticCode, type DiagnosticRule } from './diagnostic-codes.ts';
import type { SourceFile, Span } from './source.ts';

/** One finding of the compiler. Lines and columns are 1-based, columns count UTF-16 units. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** First column behind the marked text; on the same line. */
  readonly endColumn: number;
  readonly hint?: string;
  /** The line the finding is on, for the caret. */
  readonly lineText: string;
  /** The other place, e.g. the first of two equal ids. */
  readonly related?: Place;
}

/** After this many errors (or ten times as many warnings) the compiler stops looking. */
const MAX_ERRORS = 100;

/** Thrown inside the compiler when the limit of errors is reached; never leaves `compileMof`. */
export class TooManyDiagnostics extends Error {}

/** A place outside the texts of this compilation. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface DiagnosticExtra {
  readonly hint?: string | undefined;
  readonly related?: Span | Place | undefined;
}

function placeOf(related: Span | Place): Place {
  if ('file' in related) return related;
  return { file: related.source.name, ...related.source.position(related.start) };
}

/** Collects findings of one compilation. */
export class DiagnosticSink {
  readonly diagnostics: Diagnostic[] = [];
  readonly strict: boolean;
  errorCount = 0;
  #warningCount = 0;
  readonly #muted = new Set<SourceFile>();

  constructor(strict: boolean) {
    this.strict = strict;
  }

  /** Adds a finding. Severity follows the code: `W-…` is a warning unless strict mode forbids the quirk. */
  report(code: DiagnosticCode, span: Span, message: string, extra: DiagnosticExtra = {}): void {
    if (this.#muted.has(span.source)) return;
    const { strict }: DiagnosticRule = DIAGNOSTIC_CODES[code];
    const isError = code.startsWith('E-') || (this.strict && strict === 'error');
    this.diagnostics.push(
      makeDiagnostic(isError ? 'error' : 'warning', code, span, message, extra),
    );
    if (isError) this.errorCount += 1;
    else this.#warningCount += 1;
    if (this.errorCount >= MAX_ERRORS || this.#warningCount >= MAX_ERRORS * 10) {
      const text = `stopped after ${this.diagnostics.length} findings; the rest was not checked`;
      this.diagnostics.push(makeDiagnostic('error', 'E-TOO-MANY', span, text, {}));
      throw new TooManyDiagnostics(text);
    }
  }

  /** Drops further findings in a file whose text means nothing any more. */
  mute(source: SourceFile): void {
    this.#muted.add(source);
  }
}

function makeDiagnostic(
  severity: 'error' | 'warning',
  code: DiagnosticCode,
  span: Span,
  message: string,
  extra: DiagnosticExtra,
): Diagnostic {
  const { line, column } = span.source.position(span.start);
  const lineText = span.source.lineText(line);
  const length = Math.max(1, Math.min(span.end - span.start, lineText.length - column + 1));
  const base = { severity, code, message, file: span.source.name, line, column };
  const full = { ...base, endColumn: column + length, lineText };
  const related = extra.related;
  return {
    ...full,
    ...(extra.hint === undefined ? {} : { hint: extra.hint }),
    ...(related === undefined ? {} : { related: placeOf(related) }),
  };
}

/** Widest piece of a source line that is printed; longer lines are cut around the caret. */
const WINDOW = 100;

/**
 * A finding as text: `file:line:column: error CODE: message`, the line, a caret under the marked columns, and the hint.
 * Tabs before the caret are kept, so it stands under its text in any terminal.
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, endColumn, severity, code, message, hint, related } = diagnostic;
  const rows = [`${file}:${line}:${column}: ${severity} ${code}: ${message}`];
  let text = diagnostic.lineText;
  let before = column - 1;
  let cut = '';
  if (text.length > WINDOW) {
    const from = Math.max(0, Math.min(before - WINDOW / 2, text.length - WINDOW));
    text = text.slice(from, from + WINDOW);
    before -= from;
    cut = from > 0 ? '…' : '';
  }
  const gutter = String(line).padStart(5);
  const pad = text.slice(0, before).replace(/[^\t]/g, ' ').padEnd(before);
  const marks = Math.max(1, Math.min(endColumn - column, text.length - before));
  rows.push(`${gutter} | ${cut}${text}`);
  rows.push(`      | ${cut === '' ? '' : ' '}${pad}${'^'.repeat(marks)}`);
  if (related !== undefined) {
    rows.push(`      = the other is at ${related.file}:${related.line}:${related.column}`);
  }
  if (hint !== undefined) rows.push(`      = hint: ${hint}`);
  return rows.join('\n');
}

/** True when a compilation may be used: no finding is an error. */
export function isMofValid(result: { readonly diagnostics: readonly Diagnostic[] }): boolean {
  return result.diagnostics.every((diagnostic) => diagnostic.severity !== 'error');
}

/**
 * The error of a failed compilation: `MOF_INVALID` with the place of the first error and every error in
 * `place.problems`. Call it only when there is one.
 */
export function mofError(result: { readonly diagnostics: readonly Diagnostic[] }): ExtSwitchError {
  const errors = result.diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  const [first] = errors;
  if (first === undefined) return new ExtSwitchError('INTERNAL', 'the MOF text has no errors');
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const { file, line, column } = first;
  const message = `${file}:${line}:${column}: ${first.code}: ${first.message}${more}`;
  const problems = errors.map((error) => ({ ...error }));
  return new ExtSwitchError('MOF_INVALID', message, { file, line, column, problems });
}
