import type { ScenarioOutcome } from '../outcome.ts';
import type { PolicySet } from '../policies.ts';

/** Version of the document's shape. */
const FORMAT = 1;

/**
 * The outcomes as JSON. Nothing of the machine's clock is in it: the same files with the same seeds give the same bytes.
 */
export function jsonReport(outcomes: readonly ScenarioOutcome[]): string {
  const failed = outcomes.filter(({ ok }) => !ok).length;
  const document = {
    format: 'extswitch-scenario-report',
    version: FORMAT,
    passed: outcomes.length - failed,
    failed,
    scenarios: outcomes.map(({ durationMs: _real, policies, ...outcome }) => ({
      ...outcome,
      policies: {
        before: listed(policies.before),
        after: listed(policies.after),
        diff: policies.diff,
      },
    })),
  };
  return `${JSON.stringify(document, bigints, 2)}\n`;
}

function listed(policies: PolicySet): readonly object[] {
  return [...policies].flatMap(([owner, mine]) =>
    [...mine].map(([id, policy]) => ({ owner, id, ...policy })),
  );
}

/** 64-bit values as decimal text, as everywhere in JSON. */
function bigints(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
