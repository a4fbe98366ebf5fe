import { html } from '../../core/html-text.ts';
import type { ScenarioOutcome } from '../outcome.ts';
import { type PolicyChange, policyDiff } from '../policies.ts';
import { STYLE } from './html-style.ts';
import { timelineHtml } from './html-timeline.ts';
import { type ReportOptions, SharedTimelines, shownTimeline } from './shown-timeline.ts';
import { titleOf } from './tap.ts';

/** All outcomes as one page that needs nothing else: no network, no script. */
export function* htmlParts(
  outcomes: readonly ScenarioOutcome[],
  options: ReportOptions,
): Generator<string, void, undefined> {
  const failed = outcomes.filter(({ ok }) => !ok).length;
  const summary = `${outcomes.length - failed} passed, ${failed} failed`;
  const index = outcomes
    .map(
      (outcome, i) =>
        `<li class="${state(outcome)}"><a href="#s${i + 1}">${html(titleOf(outcome))}</a></li>`,
    )
    .join('\n');
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Scenarios: ${summary}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>Scenarios</h1><p class="${failed === 0 ? 'passed' : 'failed'}">${summary}</p></header>
<nav><ol>
${index}
</ol></nav>
`;
  const shared = new SharedTimelines();
  for (const [i, outcome] of outcomes.entries()) {
    yield* sectionHead(outcome, i + 1);
    yield* timelineParts(outcomes, i, shared, options);
    yield '</section>\n';
  }
  yield '</body>\n</html>\n';
}

const state = ({ ok }: ScenarioOutcome): string => (ok ? 'passed' : 'failed');

function sectionHead(outcome: ScenarioOutcome, number: number): string[] {
  const { failure, failedAsExpected } = outcome;
  const parts = [
    `<section id="s${number}"><h2 class="${state(outcome)}">${html(titleOf(outcome))}</h2>`,
    `<p class="facts">${facts(outcome)}</p>`,
  ];
  if (outcome.description !== undefined) parts.push(`<p>${html(outcome.description)}</p>`);
  if (failure !== undefined) {
    const line = failure.line > 0 ? ` (line ${failure.line})` : '';
    parts.push(
      `<pre class="failure"><b>${html(failure.in)}${line}</b>\n${html(failure.message)}</pre>`,
    );
  }
  if (failedAsExpected !== undefined) {
    parts.push(`<p class="expected">It failed as it was meant to: ${html(failedAsExpected)}</p>`);
  }
  parts.push(stepList(outcome));
  // What could not be set up has no policies to compare.
  if (outcome.steps.length > 0) parts.push(policies(outcome));
  return parts.map((part) => `${part}\n`);
}

function timelineParts(
  outcomes: readonly ScenarioOutcome[],
  index: number,
  shared: SharedTimelines,
  options: ReportOptions,
): readonly string[] {
  const outcome = outcomes[index];
  if (outcome === undefined || outcome.timeline.length === 0) return [];
  const text = timelineHtml(shownTimeline(outcome, options));
  const earlier = shared.earlier(index, outcome.timeline.length, text);
  const same = outcomes[earlier ?? index];
  if (earlier !== undefined && same !== undefined) {
    const link = `<a href="#s${earlier + 1}">${html(titleOf(same))}</a>`;
    return [`<p class="facts">The timeline is line by line that of ${link}.</p>\n`];
  }
  const isOpen = outcome.ok && index > 0 ? '' : ' open';
  return [`<details${isOpen}><summary>Timeline</summary>`, text, '</details>\n'];
}

function facts({ file, seed, traceEntries, traceSha256, virtualMs }: ScenarioOutcome): string {
  const all: readonly (readonly [string, string])[] = [
    ['file', file],
    ['seed', seed],
    ['OIDs', String(traceEntries)],
    ['virtual time', `${virtualMs} ms`],
    ['trace', traceSha256.slice(0, 16)],
  ];
  return all.map(([name, value]) => `${name} <code>${html(value)}</code>`).join(' · ');
}

function stepList({ steps, checks, failedAsExpected }: ScenarioOutcome): string {
  if (steps.length === 0) return '';
  const tone = (name: string): string =>
    name === 'failed' && failedAsExpected !== undefined ? 'expected' : name;
  const item = (name: string, text: string): string =>
    `<li class="${tone(name)}">${html(text)}</li>`;
  const all = [
    ...steps.map((step) => item(step.state, step.title)),
    ...checks.map(({ name, ok }) => item(ok ? 'passed' : 'failed', `invariant ${name}`)),
  ];
  return `<details><summary>${steps.length} steps</summary><ol class="steps">${all.join('')}</ol></details>`;
}

/** The policies before and after: what stayed, and in red and green what the steps did not want. */
function policies({ policies: { before, after, diff } }: ScenarioOutcome): string {
  const count = (set: typeof before): number =>
    [...set.values()].reduce((sum, mine) => sum + mine.size, 0);
  const head = `<p>Policies: ${count(before)} before, ${count(after)} after.`;
  if (diff.length > 0) return `${head}</p>\n${diffTable(diff, ({ change }) => change)}`;
  const said = `${head} None was lost, none is there that no step wanted.</p>`;
  const changes = policyDiff(before, after);
  if (changes.length === 0) return said;
  const table = diffTable(changes.slice(0, MOST_CHANGES), () => 'wanted');
  const more = changes.length - MOST_CHANGES;
  const rest = more > 0 ? `<p class="facts">… and ${more} more</p>` : '';
  return `${said}\n<details><summary>What the steps changed, before − and after +</summary>${table}${rest}</details>`;
}

/** Changes that steps wanted which are shown: to be looked at, not counted. */
const MOST_CHANGES = 200;

function diffTable(
  changes: readonly PolicyChange[],
  toneOf: (change: PolicyChange) => string,
): string {
  const rows = changes.map((each) => {
    const { owner, change, feature, settings } = each;
    const sign = change === 'lost' ? '−' : '+';
    return `<tr class="${toneOf(each)}"><td>${sign}</td><td>${html(owner)}</td><td>${html(feature)}</td><td><code>${html(settings)}</code></td></tr>`;
  });
  return `<table class="diff"><thead><tr><th></th><th>whose</th><th>policy</th><th>settings</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}
