import type { TraceEntry } from '../../policy/api.ts';
import { traceText } from '../trace-text.ts';
import type {
  LifeCycle,
  LifeCycleFailure,
  LifeCycleOptions,
  LifeCycleReport,
} from './life-cycle.ts';
import { checkOidOrder } from './oid-order.ts';
import { LifeCycleStage, LifeCycleStopped, type StageOptions } from './stage.ts';

const DEFAULT_SEED = 'life-cycle';
/** Seeds of a race when nothing is said. */
const RACE_SEEDS = 8;

/**
 * Plays a life cycle with one extension and reports everything that was not as it has to be. Nothing is thrown for what the
 * extension does wrong. A race is played once for each seed until one fails; that seed alone, given as `seed`, plays the same
 * again.
 *
 * ```ts
 * for (const lifeCycle of lifeCycles) {
 *   const report = await runLifeCycle(lifeCycle, { extension });
 *   assert.deepEqual(report.failures, [], `${report.name}, seed ${report.seed}`);
 * }
 * ```
 */
export async function runLifeCycle(
  lifeCycle: LifeCycle,
  options: LifeCycleOptions,
): Promise<LifeCycleReport> {
  const { isRace } = lifeCycle;
  const profile = options.profile ?? 'ws2022';
  const scheduling = options.scheduling ?? (isRace ? 'seeded' : 'fifo');
  const { extension, mof, settings, isolate } = options;
  const seeds = seedsOf(options, isRace);
  let report: LifeCycleReport | undefined;
  for (const [index, seed] of seeds.entries()) {
    const outcome = await play((stage) => lifeCycle.run(stage), {
      extension,
      seed,
      profile,
      scheduling,
      ...(mof === undefined ? {} : { mof }),
      ...(settings === undefined ? {} : { settings }),
      ...(isolate === undefined ? {} : { isolate }),
    });
    const ok = outcome.failures.length === 0;
    report = { name: lifeCycle.name, ok, ...outcome, seed, seeds: index + 1, profile, scheduling };
    if (!ok) break;
  }
  if (report === undefined) throw new Error('there is at least one seed');
  return report;
}

/** The seeds of a run: one that is named, or so many of a row. */
export function seedsOf(
  { seed, seeds }: Pick<LifeCycleOptions, 'seed' | 'seeds'>,
  isRace: boolean,
): readonly string[] {
  if (seed !== undefined && seeds === undefined) return [seed];
  const base = seed ?? DEFAULT_SEED;
  const count = seeds ?? (isRace ? RACE_SEEDS : 1);
  return Array.from({ length: Math.max(1, count) }, (_, i) => `${base}-${i + 1}`);
}

export type Outcome = Pick<LifeCycleReport, 'failures' | 'notes' | 'findings' | 'trace'>;

/** Plays one life cycle, or a stage of `verify`, once. */
export async function play(
  run: (stage: LifeCycleStage) => Promise<void>,
  options: StageOptions,
): Promise<Outcome> {
  const stage = await LifeCycleStage.open(options);
  let isComplete = true;
  try {
    await run(stage);
    await stage.check('at the end');
    // Out of every stack: what it still holds is found there (rules A63, B39, C60).
    await stage.removeEverywhere();
  } catch (error) {
    if (!(error instanceof LifeCycleStopped)) throw error;
    isComplete = false;
  } finally {
    await stage.close();
  }
  const failures = [...stage.failures, ...ofFindings(stage, isComplete)];
  for (const trace of options.sendsByHand === true ? [] : stage.wholeTraces) {
    for (const entries of bySwitch(trace).values()) failures.push(...checkOidOrder(entries));
  }
  return {
    failures,
    notes: stage.policies.notes,
    findings: stage.findings,
    trace: stage.traces.map((trace) => worldText(stage, trace)).join('the service starts again\n'),
  };
}

/** Errors it made. Those against a witness are the simulator's own; a life cycle that broke off may leave some. */
function ofFindings(stage: LifeCycleStage, isComplete: boolean): LifeCycleFailure[] {
  return stage.findings
    .filter(({ severity, extensionId }) => {
      if (severity !== 'error') return false;
      return isComplete || extensionId === stage.extension.id;
    })
    .map(({ rule, message }) => ({ message, rule }));
}

function bySwitch(trace: readonly TraceEntry[]): Map<string, TraceEntry[]> {
  const switches = new Map<string, TraceEntry[]>();
  for (const entry of trace) {
    const entries = switches.get(entry.switch);
    if (entries === undefined) switches.set(entry.switch, [entry]);
    else entries.push(entry);
  }
  return switches;
}

function worldText(stage: LifeCycleStage, trace: readonly TraceEntry[]): string {
  const { extension, above, below } = stage;
  const names = new Map(
    [extension, above.definition, ...(below === undefined ? [] : [below.definition])].map(
      ({ id, name }) => [id, name],
    ),
  );
  return [...bySwitch(trace)]
    .map(([name, entries]) => `switch ${name}\n${traceText(entries, { names })}`)
    .join('');
}
