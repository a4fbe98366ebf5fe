import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ExtSwitchError } from '../../core/errors.ts';
import { shellWord } from '../../core/shell-word.ts';
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
import { didYouMean } from '../nearest.ts';
import { readPolicySettings } from '../policy-settings.ts';
import { printJson } from '../print-items.ts';
import { StrayNotes } from '../stray-notes.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { readVersion } from '../version.ts';
import { type ReportFormat, reportFormatOf } from './report-format.ts';

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
  const files = await reportFiles(call.list('report'), terminal.cwd);
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
      if (!report.ok || (call.has('strict') && hasWarning(report))) failed += 1;
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

const hasWarning = ({ findings }: VerifyReport): boolean =>
  findings.some(({ severity }) => severity === 'warning');

interface ReportFile {
  readonly path: string;
  readonly format: ReportFormat;
}

/** The files of `--report`, with folders that are there: a long run must not end in a path that cannot be. */
async function reportFiles(paths: readonly string[], cwd: string): Promise<readonly ReportFile[]> {
  const files = paths.map((path) => ({ path, format: reportFormatOf(path) }));
  for (const { path } of files) {
    const full = resolve(cwd, path);
    const folder = await stat(dirname(full)).catch(() => undefined);
    if (folder?.isDirectory() !== true) {
      throw new UsageError(`--report ${path}: there is no folder ${dirname(path)}`, 'verify');
    }
    const there = await stat(full).catch(() => undefined);
    if (there?.isDirectory() === true) {
      throw new UsageError(`--report ${path}: it is a folder`, 'verify');
    }
  }
  return files;
}

/** False when a file could not be written: the others are. */
async function writeReports(
  files: readonly ReportFile[],
  text: (format: ReportFormat) => string,
  terminal: Terminal,
): Promise<boolean> {
  let ok = true;
  for (const { path, format } of files) {
    try {
      await writeFile(resolve(terminal.cwd, path), text(format));
    } catch (error) {
      ok = false;
      terminal.note(harmless(`--report ${path}: not written: ${(error as Error).message}`));
    }
  }
  return ok;
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
  const words = ['extswitch', 'verify', path];
  for (const flag of ['mof', 'settings', 'profile']) {
    const value = call.text(flag);
    if (value !== undefined) words.push(`--${flag}`, value);
  }
  // Without it an endless loop would be played again in this thread.
  if (call.has('isolate')) words.push('--isolate');
  for (const limit of ['watchdog-ms', 'memory-mb']) {
    const value = call.integer(limit);
    if (value !== undefined) words.push(`--${limit}`, String(value));
  }
  return words.map(shellWord).join(' ');
}

async function optionsOf(call: Invocation, terminal: Terminal): Promise<VerifyOptions> {
  const { cwd } = terminal;
  const settings = call.text('settings');
  const mof = call.text('mof');
  const stages = call.list('stage');
  const known = verifyStages().map(({ name }) => name);
  for (const name of stages) {
    if (known.includes(name)) continue;
    throw new UsageError(
      `no stage is named ${JSON.stringify(name)}${didYouMean(name, known)} (--list)`,
      'verify',
    );
  }
  const seed = call.text('seed');
  const seeds = call.integer('seeds');
  const profile = call.text('profile') as VerifyOptions['profile'];
  const isolate = isolateOf(call);
  const { stderr } = terminal;
  const isWatched = stderr.isTTY === true;
  return {
    ...(settings === undefined ? {} : { settings: await readPolicySettings(settings, cwd) }),
    ...(mof === undefined ? {} : { mof: await readMof(mof, cwd) }),
    ...(stages.length === 0 ? {} : { stages }),
    ...(seed === undefined ? {} : { seed }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(profile === undefined ? {} : { profile }),
    ...(isolate === undefined ? {} : { isolate }),
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

async function readMof(file: string, cwd: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(cwd, file));
  } catch (cause) {
    const { message } = cause as Error;
    throw new ExtSwitchError('INVALID_ARGUMENT', `--mof ${file}: ${message}`, { file }, { cause });
  }
}
