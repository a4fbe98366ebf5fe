import type { ScenarioOutcome } from '../outcome.ts';
import type { PolicySet } from '../policies.ts';
import { type ReportOptions, SharedTimelines, shownTimeline } from './shown-timeline.ts';

/** Version of the document's shape. */
const FORMAT = 2;

/**
 * The outcomes as JSON, each line of a timeline on a line of its own. Nothing of the machine's clock is in it: the same files with
 * the same seeds give the same bytes.
 */
export function* jsonParts(
  outcomes: readonly ScenarioOutcome[],
  options: ReportOptions,
): Generator<string, void, undefined> {
  const failed = outcomes.filter(({ ok }) => !ok).length;
  const head = {
    format: 'extswitch-scenario-report',
    version: FORMAT,
    passed: outcomes.length - failed,
    failed,
  };
  yield `${open(head)},\n  "scenarios": [`;
  const shared = new SharedTimelines();
  for (const [i, outcome] of outcomes.entries()) {
    yield i === 0 ? '\n' : ',\n';
    yield* scenarioParts(outcome, i, shared, options);
  }
  yield outcomes.length === 0 ? ']\n}\n' : '\n  ]\n}\n';
}

function* scenarioParts(
  outcome: ScenarioOutcome,
  index: number,
  shared: SharedTimelines,
  options: ReportOptions,
): Generator<string, void, undefined> {
  const { durationMs: _real, policies, timeline, ...facts } = outcome;
  const { before, after, diff } = policies;
  const listing = { before: listed(before), after: listed(after), diff };
  const text = open({ ...facts, policies: listing })
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
  const { first, leftOut, last } = shownTimeline(outcome, options);
  const lines = [...first, ...(leftOut === 0 ? [] : [{ kind: 'leftOut', lines: leftOut }]), ...last]
    .map((line) => `        ${JSON.stringify(line, bigints)}`)
    .join(',\n');
  const earlier = shared.earlier(index, timeline.length, lines);
  if (earlier !== undefined) yield `${text},\n      "sameTimelineAs": ${earlier}\n    }`;
  else if (lines === '') yield `${text},\n      "timeline": []\n    }`;
  else yield* [`${text},\n      "timeline": [\n`, lines, '\n      ]\n    }'];
}

/** Text of an object without the end, so that members can follow. */
function open(value: object): string {
  return JSON.stringify(value, bigints, 2).replace(/\n\}$/, '');
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
