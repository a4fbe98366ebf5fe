import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { ExtSwitchError } from '../../core/errors.ts';
import { shellWord } from '../../core/shell-word.ts';
import { parameterValue } from '../../scenario/index.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { loadDefaultExport, loadExtension } from '../../sdk/load.ts';
import {
  type ExtensionSweepOptions,
  type ListedFault,
  listExtensionFaults,
  listScenarioFaults,
  type ScenarioSweepOptions,
  SWEEP_EFFECTS,
  type SweepEffect,
  type SweepOptions,
  type SweepReport,
  sweepExtension,
  sweepReport,
  sweepScenario,
  verifyStages,
} from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { didYouMean } from '../nearest.ts';
import { readPolicySettings } from '../policy-settings.ts';
import { printJson } from '../print-items.ts';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { reportFormatOf } from '../verify/report-format.ts';
import { readVersion } from '../version.ts';

const OF_EXTENSIONS = ['stage', 'mof', 'settings'];
const OF_SCENARIOS = ['param'];
const PROGRAM = /\.m?[tj]s$/i;

/** What is to be swept, with its options. */
type Target =
  | { readonly kind: 'scenario'; readonly file: string; readonly options: ScenarioSweepOptions }
  | {
      readonly kind: 'extension';
      readonly extension: ExtensionDefinition;
      readonly options: ExtensionSweepOptions;
    };

/** `sweep --list`. */
export async function listFaults(call: Invocation, terminal: Terminal): Promise<number> {
  const target = await targetOf(call, terminal);
  const faults =
    target.kind === 'scenario'
      ? await listScenarioFaults(target.file, target.options)
      : await listExtensionFaults(target.extension, target.options);
  if (call.has('json')) await printJson(terminal, faults);
  else for (const { only } of faults satisfies readonly ListedFault[]) await terminal.line(only);
  return 0;
}

/** `sweep`: 1 when a fault was mishandled. */
export async function sweepFile(call: Invocation, terminal: Terminal): Promise<number> {
  const files = await reportFiles(call.list('report'), terminal.cwd);
  const target = await targetOf(call, terminal);
  const report = await swept(target, terminal, call);
  const [file = ''] = call.arguments;
  const options = {
    file: relative(terminal.cwd, resolve(terminal.cwd, file)).split(sep).join('/'),
    toolVersion: readVersion(),
    command: commandOf(file, call),
  };
  if (call.has('json')) await terminal.print(sweepReport(report, 'json', options));
  else await terminal.print(sweepReport(report, 'text', { ...options, style: terminal.style }));
  let ok = report.ok;
  for (const { path, format } of files) {
    try {
      await writeFile(resolve(terminal.cwd, path), sweepReport(report, format, options));
    } catch (error) {
      ok = false;
      terminal.note(harmless(`--report ${path}: not written: ${(error as Error).message}`));
    }
  }
  return ok ? 0 : 1;
}

async function swept(target: Target, terminal: Terminal, call: Invocation): Promise<SweepReport> {
  const progress = progressOn(terminal);
  try {
    return target.kind === 'scenario'
      ? await sweepScenario(target.file, { ...target.options, ...progress })
      : await sweepExtension(target.extension, { ...target.options, ...progress });
  } catch (error) {
    if (!(error instanceof RangeError) || !call.has('only')) throw error;
    throw new UsageError(`--only: ${error.message} (--list)`, 'sweep');
  } finally {
    if (terminal.stderr.isTTY === true) terminal.stderr.write('\r\u001b[K');
  }
}

function progressOn({ stderr }: Terminal): Pick<SweepOptions, 'progress'> {
  if (stderr.isTTY !== true) return {};
  return {
    progress: ({ subject, fault, played, known, mishandled }) => {
      const bad = mishandled === 0 ? '' : `, ${mishandled} mishandled`;
      const line = harmless(`${played + 1}/${known}${bad} ${subject}: ${fault}`);
      stderr.write(`\r\u001b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
    },
  };
}

async function targetOf(call: Invocation, { cwd }: Terminal): Promise<Target> {
  const [file = ''] = call.arguments;
  const options = optionsOf(call);
  if (!PROGRAM.test(file) || !isExtension(await loadDefaultExport(resolve(cwd, file), cwd))) {
    refuse(call, OF_EXTENSIONS, 'extensions, not to scenario files');
    const parameters = parametersOf(call);
    return { kind: 'scenario', file, options: { ...options, cwd, parameters } };
  }
  refuse(call, OF_SCENARIOS, 'scenario files, not to extensions');
  const extension = await loadExtension(file, cwd);
  const settings = call.text('settings');
  const mof = call.text('mof');
  const stages = stagesOf(call);
  return {
    kind: 'extension',
    extension,
    options: {
      ...options,
      ...(settings === undefined ? {} : { settings: await readPolicySettings(settings, cwd) }),
      ...(mof === undefined ? {} : { mof: await readMof(mof, cwd) }),
      ...(stages.length === 0 ? {} : { stages }),
    },
  };
}

const isExtension = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'attach' in value;

function refuse(call: Invocation, flags: readonly string[], belongs: string): void {
  const given = flags.find((flag) => call.has(flag));
  if (given !== undefined) throw new UsageError(`--${given} belongs to ${belongs}`, 'sweep');
}

function optionsOf(call: Invocation): SweepOptions & { seed?: string } {
  const seed = call.text('seed');
  const only = call.text('only');
  const site = call.text('site');
  const profile = call.text('profile') as ExtensionSweepOptions['profile'];
  const attempts = call.integer('attempts');
  const budget = call.integer('budget');
  const maxRuns = call.integer('max-runs');
  const effects = call.text('effects')?.split(',').map(effectOf);
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(only === undefined ? {} : { only }),
    ...(site === undefined ? {} : { site }),
    ...(profile === undefined ? {} : { profile }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(budget === undefined ? {} : { budgetMs: budget * 1000 }),
    ...(maxRuns === undefined ? {} : { maxRuns }),
    ...(effects === undefined ? {} : { effects }),
  };
}

function effectOf(word: string): SweepEffect {
  const known = SWEEP_EFFECTS.find((effect) => effect === word.trim());
  if (known !== undefined) return known;
  const hint = didYouMean(word, SWEEP_EFFECTS);
  throw new UsageError(`--effects: no effect is called ${JSON.stringify(word)}${hint}`, 'sweep');
}

function stagesOf(call: Invocation): readonly string[] {
  const only = call.text('only');
  const stages = call.list('stage');
  const known = verifyStages().map(({ name }) => name);
  for (const name of stages) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known);
    throw new UsageError(`no stage is named ${JSON.stringify(name)}${hint}`, 'sweep');
  }
  return only === undefined || stages.length > 0
    ? stages
    : known.filter((name) => only.startsWith(`${name}/`));
}

function parametersOf(call: Invocation): Readonly<Record<string, unknown>> {
  const parameters: Record<string, unknown> = {};
  for (const word of call.list('param')) {
    const at = word.indexOf('=');
    if (at < 1) throw new UsageError(`--param ${word}: expected NAME=VALUE`, 'sweep');
    parameters[word.slice(0, at)] = parameterValue(word.slice(at + 1));
  }
  return parameters;
}

/** What sweeps the same again, without seed and fault. */
function commandOf(file: string, call: Invocation): string {
  const words = ['extswitch', 'sweep', file];
  for (const flag of ['mof', 'settings', 'profile']) {
    const value = call.text(flag);
    if (value !== undefined) words.push(`--${flag}`, value);
  }
  for (const word of call.list('param')) words.push('--param', word);
  return words.map(shellWord).join(' ');
}

async function reportFiles(paths: readonly string[], cwd: string) {
  const files = paths.map((path) => ({ path, format: reportFormatOf(path) }));
  for (const { path } of files) {
    const folder = await stat(dirname(resolve(cwd, path))).catch(() => undefined);
    if (folder?.isDirectory() === true) continue;
    throw new UsageError(`--report ${path}: there is no folder ${dirname(path)}`, 'sweep');
  }
  return files;
}

async function readMof(file: string, cwd: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(cwd, file));
  } catch (cause) {
    const { message } = cause as Error;
    throw new ExtSwitchError('INVALID_ARGUMENT', `--mof ${file}: ${message}`, { file }, { cause });
  }
}
