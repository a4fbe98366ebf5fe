import { defectKey } from './breach.ts';
import type { MishandledFault, SweepReport } from './sweep-report.ts';

/** Faults named with a defect that was seen after many. */
export const OTHERS_SHOWN = 5;

const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** Errors first, else in the order in which they were seen. */
export function bySeverity(found: readonly MishandledFault[]): readonly MishandledFault[] {
  return [...found].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}

/** One report of subjects that were swept apart, each given in the order in which one sweep would have played them. */
export function joinedReports(
  target: SweepReport['target'],
  parts: readonly SweepReport[],
): SweepReport {
  const found = new Map<string, MishandledFault>();
  for (const { mishandled } of parts) {
    for (const one of mishandled) {
      const key = defectKey(one);
      const known = found.get(key);
      if (known === undefined) {
        found.set(key, one);
        continue;
      }
      const others = [...known.others, one.only, ...one.others].slice(0, OTHERS_SHOWN);
      found.set(key, { ...known, count: known.count + one.count, others });
    }
  }
  const effects: Partial<Record<keyof SweepReport['effects'], number>> = {};
  for (const part of parts) {
    for (const [effect, runs] of Object.entries(part.effects)) {
      const name = effect as keyof SweepReport['effects'];
      effects[name] = (effects[name] ?? 0) + runs;
    }
  }
  return {
    target,
    ok: parts.every(({ ok }) => ok),
    complete: parts.every(({ complete }) => complete),
    mishandled: bySeverity([...found.values()]),
    subjects: parts.flatMap(({ subjects }) => subjects),
    effects,
    runs: parts.reduce((sum, { runs }) => sum + runs, 0),
  };
}
