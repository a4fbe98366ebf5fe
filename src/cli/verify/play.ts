import { isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { limitsOf } from '../../isolation/isolation.ts';
import { loadIsolated } from '../../isolation/load-isolated.ts';
import { findRule } from '../../rules/rule-book.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { loadExtension } from '../../sdk/load.ts';
import {
  ruleGuide,
  type VerifyOptions,
  type VerifyReport,
  verifyExtension,
  verifyReport,
  verifyStages,
} from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { printJson } from '../print-items.ts';
import { StrayNotes } from '../stray-notes.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { readVersion } from '../version.ts';
import { commandLine, commandWords, extensionOptions, worldOptions } from './given-extension.ts';
import { reportFiles, writeReports } from './report-files.ts';
import type { ReportFormat } from './report-format.ts';

/** `verify --list`. */
export async function listStages(call: Invocation, terminal: Terminal): Promise<number> {
  const stages = verifyStages();
  if (call.has('json')) {
    await printJson(terminal, stages);
    return 0;
  }
  const width = 2 + Math.max(...stages.map(({ name }) => name.length));
  for (const { name, title } of stages) {
    await terminal.line(`${terminal.style.bold(name.padEnd(width))}${title}`);
  }
  return 0;
}

/** `verify --explain RULE`. */
export async function explainRule(
  rule: string,
  call: Invocation,
  terminal: Terminal,
): Promise<number> {
  const guide = ruleGuide(rule);
  if (guide === undefined) {
    const known = findRule(rule.toUpperCase());
    const why =
      known === undefined
        ? 'the rule book has no such rule'
        : `${known.id} binds the ${known.kind === 'switch' ? 'switch' : 'management layer'}, not extensions`;
    throw new UsageError(`--explain ${rule}: ${why}`, 'verify');
  }
  if (call.has('json')) {
    await printJson(terminal, guide);
    return 0;
  }
  const { style } = terminal;
  const { rule: id, name, text, sources, what, why, mend, breaks, close, reason } = guide;
  await terminal.line(`${style.bold(name === undefined ? id : `${id} ${name}`)}: ${text}`);
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['what', what],
    ['why', why],
    ['mend', mend],
    ['breaks', breaks],
    ['close', close],
    ['not seen', reason],
    ['source', sources.join(', ')],
  ];
  for (const [label, line] of lines) {
    if (line !== undefined) await terminal.line(`  ${style.dim(label.padEnd(10))}${line}`);
  }
  return 0;
}

/** `verify`: 1 when an extension broke a rule (with --strict also one that only warns). */
export async function verifyExtensions(call: Invocation, terminal: Terminal): Promise<number> {
  const paths = call.arguments;
  if (paths.length === 0) throw new UsageError('name the extension modules to verify', 'verify');
  const files = await reportFiles(call.list('report'), terminal.cwd, 'verify');
  if (files.length > 0 && paths.length > 1) {
    throw new UsageError('--report takes one extension: verify them one after the other', 'verify');
  }
  const options = await optionsOf(call, terminal);
  const { isolate } = options;
  // All of them first: a module that does not load must not cost what the others took.
  const given: { readonly path: string; readonly extension: ExtensionDefinition }[] = [];
  for (const path of paths) {
    const extension =
      isolate === undefined
        ? await loadExtension(path, terminal.cwd)
        : await loadIsolated(path, terminal.cwd, limitsOf(isolate));
    given.push({ path, extension });
  }
  let failed = 0;
  const stray = new StrayNotes(terminal);
  const json: string[] = [];
  try {
    for (const { path, extension } of given) {
      const report = await verifyExtension(extension, options);
      if (!report.ok) failed += 1;
      const text = textsOf(report, path, call, terminal);
      if (call.has('json')) json.push(text('json'));
      else await terminal.print(text(call.text('format') === 'tap' ? 'tap' : 'text', true));
      // After what a person reads: a disk that is full must not cost the findings.
      if (!(await writeReports(files, text, terminal))) failed += 1;
    }
  } finally {
    stray.end();
  }
  if (call.has('json')) {
    await terminal.print(json.length === 1 ? json.join('') : `[\n${json.join(',\n')}]\n`);
  }
  return failed + stray.exceptions === 0 ? 0 : 1;
}

function textsOf(
  report: VerifyReport,
  path: string,
  call: Invocation,
  terminal: Terminal,
): (format: ReportFormat, isShown?: boolean) => string {
  const { cwd, style } = terminal;
  const options = {
    file: uriOf(path, cwd),
    toolVersion: readVersion(),
    command: commandOf(path, call),
    coverage: call.has('coverage'),
  };
  return (format, isShown = false) =>
    verifyReport(report, format, isShown ? { ...options, style } : options);
}

/** Relative to where it was started, which in CI is the repository; of what lies elsewhere a URL. */
function uriOf(path: string, cwd: string): string {
  const full = path.startsWith('file:') ? fileURLToPath(path) : resolve(cwd, path);
  const file = relative(cwd, full);
  const isElsewhere = isAbsolute(file) || file.split(sep)[0] === '..';
  return isElsewhere ? pathToFileURL(full).href : file.split(sep).join('/');
}

/** What plays the same again, without stage and seed. */
function commandOf(path: string, call: Invocation): string {
  const words = commandWords('verify', path, call);
  // Without it an endless loop would be played again in this thread.
  if (call.has('isolate')) words.push('--isolate');
  for (const limit of ['watchdog-ms', 'memory-mb']) {
    const value = call.integer(limit);
    if (value !== undefined) words.push(`--${limit}`, String(value));
  }
  return commandLine(words);
}

async function optionsOf(call: Invocation, terminal: Terminal): Promise<VerifyOptions> {
  const seeds = call.integer('seeds');
  const isolate = isolateOf(call);
  const { stderr } = terminal;
  const isWatched = stderr.isTTY === true;
  return {
    ...(await extensionOptions(call, terminal.cwd, 'verify')),
    ...worldOptions(call),
    ...(seeds === undefined ? {} : { seeds }),
    ...(isolate === undefined ? {} : { isolate }),
    ...(call.has('strict') ? { strict: true } : {}),
    ...(isWatched
      ? {
          progress: (stage, index, count) =>
            void stderr.write(
              stage === '' ? '\r\u001b[K' : `\r\u001b[K${index + 1}/${count} ${stage}`,
            ),
        }
      : {}),
  };
}

function isolateOf(call: Invocation): VerifyOptions['isolate'] {
  const watchdogMs = call.integer('watchdog-ms');
  const memoryMb = call.integer('memory-mb');
  if (!call.has('isolate')) {
    if (watchdogMs === undefined && memoryMb === undefined) return undefined;
    throw new UsageError('--watchdog-ms and --memory-mb belong to --isolate', 'verify');
  }
  return {
    ...(watchdogMs === undefined ? {} : { watchdogMs }),
    ...(memoryMb === undefined ? {} : { memoryMb }),
  };
}
