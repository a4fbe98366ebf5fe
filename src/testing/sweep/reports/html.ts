import { harmless } from '../../../core/harmless-text.ts';
import { html as escaped } from '../../../core/html-text.ts';
import { PAGE_STYLE } from '../../../core/page-style.ts';
import { INVARIANTS } from '../breach.ts';
import type { MishandledFault, SweepReport } from '../sweep-report.ts';
import { mishandledLines, notesOf, sweepText } from './text.ts';

const html = (text: string): string => escaped(harmless(text));

/** One page that needs nothing else: what was mishandled, what was judged, what was swept. */
export function sweepHtml(
  report: SweepReport,
  { toolVersion, command }: { toolVersion: string; command: string | undefined },
): string {
  const { target, mishandled, subjects, ok } = report;
  const verdict = sweepText({ ...report, mishandled: [] })
    .trim()
    .split('\n')
    .at(-1)
    ?.replace(/: 0 faults mishandled/, `: ${mishandled.length} mishandled`);
  const rows = subjects.map(
    ({ title, seed, sites, newSites, faults, played, unmet }) =>
      `<tr><td>${html(title)}</td><td>${html(seed)}</td>${[sites, newSites, faults, played, unmet]
        .map((count) => `<td class="num">${count}</td>`)
        .join('')}</tr>`,
  );
  const judged = Object.entries(INVARIANTS).map(
    ([name, what]) => `<dt><code>${name}</code></dt><dd>${html(what)}</dd>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(target.name)}: ${ok ? 'passed' : 'failed'}</title>
<style>${PAGE_STYLE}
.one { border-left: 4px solid var(--bad); padding: 0 1rem; margin: 1rem 0; } .one.warning { border-color: var(--warn); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; } td.num { text-align: right; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dd { margin: 0; }
</style>
</head>
<body>
<header><h1>${html(target.name)}</h1><p class="${ok ? 'passed' : 'failed'}">${html(verdict ?? '')}</p></header>
<p class="facts">extswitch ${html(toolVersion)}${command === undefined ? '' : ` · <code>${html(command)}</code>`}</p>
<section><h2>Mishandled</h2>
${mishandled.length === 0 ? '<p>Nothing: every fault that was played was stood.</p>' : mishandled.map((one) => mishandledHtml(one, command)).join('\n')}
</section>
<section><h2>Swept</h2>
<div class="scroll"><table><thead><tr><th>what</th><th>seed</th><th>places</th><th>new places</th><th>faults</th><th>played</th><th>not met</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
${notesOf(report)
  .map((note) => `<p class="facts">${html(note)}</p>`)
  .join('\n')}
</section>
<section><h2>Judged after each run</h2><dl>${judged.join('')}</dl></section>
</body>
</html>
`;
}

function mishandledHtml(one: MishandledFault, command: string | undefined): string {
  const lines = mishandledLines(one, { command }).map(html).join('\n');
  return `<article class="one ${one.severity}"><pre>${lines}</pre></article>`;
}
