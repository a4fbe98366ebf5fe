import { bundledExtensions } from '../../../extensions/index.ts';
import type { ProfileName } from '../../policy/api.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { loadExtension } from '../../sdk/load.ts';
import {
  type LifeCycle,
  type LifeCycleOptions,
  type LifeCycleReport,
  lifeCycles,
  runLifeCycle,
} from '../../testing/index.ts';
import type { Invocation } from '../command.ts';
import { didYouMean } from '../nearest.ts';
import { readPolicySettings } from '../policy-settings.ts';
import { printJson } from '../print-items.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { testPoint } from './tap.ts';

type Settings = NonNullable<LifeCycleOptions['settings']>;

/** What the bundled extensions do not accept by default. */
const BUNDLED_SETTINGS: Settings = {
  ExtSwitch_MacForwardAddressSettingData: { MacAddress: [0x00, 0x15, 0x5d, 0x00, 0x00, 0x01] },
};

interface Candidate {
  readonly extension: ExtensionDefinition;
  readonly settings?: Settings;
  /** Its part of the command line that plays the same again. */
  readonly flags: string;
}

/** `run --list`. */
export async function listLifeCycles(call: Invocation, terminal: Terminal): Promise<number> {
  if (call.has('json')) {
    await printJson(
      terminal,
      lifeCycles.map(({ run: _run, ...shown }) => shown),
    );
    return 0;
  }
  const { style } = terminal;
  for (const { name, title, isRace, story, origin } of lifeCycles) {
    await terminal.line(`${style.bold(name)}${isRace ? ' (race)' : ''}: ${title}`);
    await terminal.line(`  ${story}`);
    for (const { what, url } of origin) await terminal.line(`  ${what} <${url}>`);
    await terminal.line();
  }
  return 0;
}

/** `run`: 1 when a life cycle failed with an extension. */
export async function playLifeCycles(call: Invocation, terminal: Terminal): Promise<number> {
  const chosen = chosenOf(call);
  const candidates = await candidatesOf(call, terminal);
  const isJson = call.has('json');
  const reports: object[] = [];
  let failed = 0;
  let number = 0;
  // A promise that an extension dropped must not end the run.
  const onRejection = (error: unknown): void =>
    terminal.note(`a promise was rejected and nobody looked: ${String(error)}`);
  process.on('unhandledRejection', onRejection);
  try {
    if (!isJson) {
      await terminal.line('TAP version 14');
      await terminal.line(`1..${chosen.length * candidates.length}`);
    }
    for (const candidate of candidates) {
      for (const lifeCycle of chosen) {
        const report = await runLifeCycle(lifeCycle, optionsOf(call, candidate));
        number += 1;
        if (!report.ok) failed += 1;
        const { name } = candidate.extension;
        if (isJson) reports.push(shownReport(candidate.extension, report));
        else await terminal.line(testPoint(number, name, report, commandOf(report, candidate)));
      }
    }
  } finally {
    process.off('unhandledRejection', onRejection);
  }
  if (isJson) await printJson(terminal, reports);
  else await terminal.line(`# pass ${number - failed}, fail ${failed}`);
  return failed === 0 ? 0 : 1;
}

function chosenOf(call: Invocation): readonly LifeCycle[] {
  if (call.has('all')) {
    if (call.arguments.length > 0) {
      throw new UsageError('--all and names cannot be used together', 'run');
    }
    return lifeCycles;
  }
  return call.arguments.map((name) => {
    const found = lifeCycles.find((it) => it.name === name);
    if (found !== undefined) return found;
    const known = lifeCycles.map((it) => it.name);
    const hint = didYouMean(name, known);
    throw new UsageError(`no life cycle is named ${JSON.stringify(name)}${hint} (--list)`, 'run');
  });
}

async function candidatesOf(call: Invocation, { cwd }: Terminal): Promise<readonly Candidate[]> {
  const file = call.text('settings');
  const given = file === undefined ? undefined : await readPolicySettings(file, cwd);
  const settings = given === undefined ? {} : { settings: given };
  if (!call.has('extension')) {
    const bundled = await bundledExtensions();
    return bundled.map((extension) => ({
      extension,
      settings: { ...BUNDLED_SETTINGS, ...given },
      flags: '',
    }));
  }
  const candidates: Candidate[] = [];
  for (const path of call.list('extension')) {
    const extension = await loadExtension(path, cwd);
    const more = file === undefined ? '' : ` --settings ${file}`;
    candidates.push({ extension, ...settings, flags: ` --extension ${path}${more}` });
  }
  return candidates;
}

function optionsOf(call: Invocation, { extension, settings }: Candidate): LifeCycleOptions {
  const seed = call.text('seed');
  const seeds = call.integer('seeds');
  const profile = call.text('profile') as ProfileName | undefined;
  return {
    extension,
    ...(settings === undefined ? {} : { settings }),
    ...(seed === undefined ? {} : { seed }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** What failed comes with its trace. */
function shownReport({ id, name }: ExtensionDefinition, report: LifeCycleReport): object {
  const { trace, ...shown } = report;
  return { extension: { id, name }, ...shown, ...(report.ok ? {} : { trace }) };
}

function commandOf({ name, seed, profile }: LifeCycleReport, { flags }: Candidate): string {
  return `extswitch run ${name}${flags} --profile ${profile} --seed ${seed}`;
}
