import { isExtSwitchError } from '../core/errors.ts';
import { type Problem, ServerError, UnreachableError } from './server-error.ts';
import { harmless, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Members of a problem that are printed below its text, in this order. */
const PLACES: readonly string[] = [
  'member',
  'extensionId',
  'oid',
  'ndisStatus',
  'rule',
  'structure',
  'offset',
  'expected',
  'found',
];

/** Prints a failure to standard error, as one JSON object when `json`; returns the exit code. */
export function reportError(error: unknown, terminal: Terminal, json: boolean): number {
  const code = error instanceof UsageError ? 2 : 1;
  terminal.note(json ? JSON.stringify(asJson(error)) : asText(error, terminal));
  return code;
}

function asJson(error: unknown): Readonly<Record<string, unknown>> {
  if (error instanceof ServerError) return { status: error.status, ...error.problem };
  if (isExtSwitchError(error)) {
    return { code: error.code, title: error.title, detail: error.message, ...error.place };
  }
  const code = error instanceof UnreachableError ? 'UNREACHABLE' : 'INTERNAL';
  return { code, detail: error instanceof Error ? error.message : String(error) };
}

function asText(error: unknown, terminal: Terminal): string {
  const head = terminal.errorStyle.error('extswitch:');
  if (error instanceof ServerError) return serverText(error, head, terminal);
  if (error instanceof UsageError) {
    const about = error.help === '' ? '' : ` ${error.help}`;
    return `${head} ${harmless(error.message)}\nRun "extswitch${about} --help" for help.`;
  }
  if (isExtSwitchError(error) || error instanceof UnreachableError) {
    return `${head} ${harmless(error.message)}`;
  }
  const problem = error instanceof Error ? error : new Error(String(error));
  const detail = terminal.env['EXTSWITCH_DEBUG'] ? (problem.stack ?? '') : problem.message;
  return `${head} internal error: ${detail} (EXTSWITCH_DEBUG=1 shows where)`;
}

function serverText(error: ServerError, head: string, terminal: Terminal): string {
  const { problem, status } = error;
  const title = harmless(String(problem['title'] ?? 'the server refused'));
  const lines = [`${head} ${title} (${status})`];
  const problems = Array.isArray(problem['problems']) ? (problem['problems'] as Problem[]) : [];
  if (problems.length === 0 && problem['line'] !== undefined) problems.push(problem);
  const detail = problem['detail'];
  if (typeof detail === 'string' && detail !== title && problems.length === 0) {
    lines.push(`  ${harmless(detail)}`);
  }
  for (const place of PLACES) {
    const value = problem[place];
    if (value !== undefined) lines.push(`  ${place}: ${harmless(String(value))}`);
  }
  for (const each of problems) lines.push(...problemLines(each, error.sources, terminal));
  return lines.join('\n');
}

/** One problem of the list: its place, its text, and the source line with a caret where the source is known. */
function problemLines(
  problem: Problem,
  sources: ReadonlyMap<string, string>,
  terminal: Terminal,
): string[] {
  const { errorStyle } = terminal;
  const file = String(problem['file'] ?? '');
  const line = Number(problem['line'] ?? 0);
  const column = Number(problem['column'] ?? 0);
  const place = line > 0 ? `${file === '' ? 'line ' : `${file}:`}${line}:${column}: ` : '';
  const text = String(problem['message'] ?? problem['detail'] ?? '');
  const lines = [`${harmless(place)}${errorStyle.error('error')}: ${harmless(text)}`];
  const source = sources.get(file) ?? (sources.size === 1 ? [...sources.values()][0] : undefined);
  const sourceLine = source?.split(/\r\n|\n|\r/)[line - 1];
  const shown = typeof problem['lineText'] === 'string' ? problem['lineText'] : sourceLine;
  if (shown !== undefined && line > 0 && shown.length <= 200) {
    const pad = shown.slice(0, column - 1).replace(/[^\t]/g, ' ');
    lines.push(`  ${harmless(shown)}`, `  ${pad}${errorStyle.good('^')}`);
  }
  if (typeof problem['hint'] === 'string') lines.push(`  hint: ${harmless(problem['hint'])}`);
  return lines;
}
