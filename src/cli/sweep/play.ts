import { relative, resolve, sep } from 'node:path';
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
  type SweepJob,
  type SweepOptions,
  type SweepReport,
  sweepExtension,
  sweepInThreads,
  sweepReport,
  sweepScenario,
  verifyStages,
} from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { didYouMean } from '../nearest.ts';
import { printJson } from '../print-items.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import {
  commandLine,
  commandWords,
  extensionOptions,
  worldOptions,
} from '../verify/given-extension.ts';
import { reportFiles, writeReports } from '../verify/report-files.ts';
import type { ReportFormat } from '../verify/report-format.ts';
import { readVersion } from '../version.ts';
import { keeperOf } from './keep.ts';
import { watchOf } from './watch.ts';

const OF_EXTENSIONS = ['stage', 'mof', 'settings'];
const OF_SCENARIOS = ['param'];
const PROGRAM = /\.m?[tj]s$/i;

/** What is to be swept, with its options. */
type Target =
  | { readonly kind: 'scenario'; readonly file: string; readonly options: ScenarioSweepOptions }
  | {
      readonly kind: 'extension';
      readonly file: string;
      readonly cwd: string;
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
  const files = await reportFiles(call.list('report'), terminal.cwd, 'sweep');
  const target = await targetOf(call, terminal);
  const [file = ''] = call.arguments;
  const options = {
    file: relative(terminal.cwd, resolve(terminal.cwd, file)).split(sep).join('/'),
    toolVersion: readVersion(),
    command: commandOf(file, call),
  };
  const watch = watchOf(terminal);
  const interim = keeperOf(files, terminal, options, watch.say);
  const report = await swept(target, { progress: watch.progress, interim }, call).finally(
    watch.end,
  );
  if (call.has('json')) await terminal.print(sweepReport(report, 'json', options));
  else await terminal.print(sweepReport(report, 'text', { ...options, style: terminal.style }));
  const text = (format: ReportFormat): string => sweepReport(report, format, options);
  const isWritten = await writeReports(files, text, terminal);
  return report.ok && isWritten ? 0 : 1;
}

/** What is called while a sweep goes on. */
type Told = Required<Pick<SweepOptions, 'progress' | 'interim'>>;

async function swept(target: Target, told: Told, call: Invocation): Promise<SweepReport> {
  const jobs = call.integer('jobs') ?? 1;
  try {
    if (jobs > 1) return await sweepInThreads(jobOf(target, told), jobs);
    return target.kind === 'scenario'
      ? await sweepScenario(target.file, { ...target.options, ...told })
      : await sweepExtension(target.extension, { ...target.options, ...told });
  } catch (error) {
    if (!(error instanceof RangeError) || !call.has('only')) throw error;
    throw new UsageError(`--only: ${error.message} (--list)`, 'sweep');
  }
}

/** What a thread is told: it loads an extension itself. */
function jobOf(target: Target, told: Told): SweepJob {
  if (target.kind === 'scenario') return { ...target, options: { ...target.options, ...told } };
  const { extension: _loaded, options, ...rest } = target;
  return { ...rest, options: { ...options, ...told } };
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
  const given = await extensionOptions(call, cwd, 'sweep');
  const stages = given.stages ?? stagesOfOnly(call);
  return {
    kind: 'extension',
    file,
    cwd,
    extension,
    options: { ...options, ...given, ...(stages.length === 0 ? {} : { stages }) },
  };
}

/** A fault names the stage it is met in. */
function stagesOfOnly(call: Invocation): readonly string[] {
  const only = call.text('only');
  if (only === undefined) return [];
  return verifyStages().flatMap(({ name }) => (only.startsWith(`${name}/`) ? [name] : []));
}

const isExtension = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'attach' in value;

function refuse(call: Invocation, flags: readonly string[], belongs: string): void {
  const given = flags.find((flag) => call.has(flag));
  if (given !== undefined) throw new UsageError(`--${given} belongs to ${belongs}`, 'sweep');
}

function optionsOf(call: Invocation): SweepOptions & { seed?: string } {
  const only = call.text('only');
  const site = call.text('site');
  const attempts = call.integer('attempts');
  const budget = call.integer('budget');
  const maxRuns = call.integer('max-runs');
  const jobs = call.integer('jobs') ?? 1;
  const apart = jobs > 1 ? ['only', 'max-runs'].find((flag) => call.has(flag)) : undefined;
  if (apart !== undefined) {
    throw new UsageError(`--${apart} plays one fault after the other: not with --jobs`, 'sweep');
  }
  const effects = call.text('effects')?.split(',').map(effectOf);
  return {
    ...worldOptions(call),
    ...(only === undefined ? {} : { only }),
    ...(site === undefined ? {} : { site }),
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
  const words = commandWords('sweep', file, call);
  for (const word of call.list('param')) words.push('--param', word);
  return commandLine(words);
}
