import { harmless } from '../../../core/harmless-text.ts';
import { html as escaped } from '../../../core/html-text.ts';
import { CHAPTERS } from '../../../rules/rule-book.ts';
import type { RuleOutcome, VerifyFinding, VerifyReport } from '../verify-report.ts';
import { consequenceCount, consequenceLine } from './consequences.ts';
import { type CoverageGroup, coverageGroups, groupOf } from './coverage.ts';
import { type Evidence, evidence } from './evidence.ts';
import { findingRule } from './finding-rule.ts';
import { styleOf } from './html-style.ts';
import { playAgain } from './play-again.ts';
import { counted } from './text.ts';

export interface HtmlOptions {
  readonly toolVersion: string;
  readonly command: string | undefined;
}

/** Consequences that are shown without a click. */
const FEW = 3;

const html = (text: string): string => escaped(harmless(text));

/** One page that needs nothing else, no network and no script: findings with their bytes, coverage of the rules, stages. */
export function htmlReport(report: VerifyReport, { toolVersion, command }: HtmlOptions): string {
  const { extension, profile, findings, ok } = report;
  const groups = coverageGroups(report).filter(({ rules }) => rules.length > 0);
  const count = (wanted: VerifyFinding['severity']): number =>
    findings.filter(({ severity }) => severity === wanted).length;
  const verdict = `${ok ? '✓ passed' : '✗ failed'}: ${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}`;
  const facts = [
    `${extension.type} extension`,
    `<code>${html(extension.id)}</code>`,
    `as ${html(profile)}`,
    `extswitch ${html(toolVersion)}`,
    ...(command === undefined ? [] : [`<code>${html(command)}</code>`]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(extension.name)}: ${verdict}</title>
<style>${styleOf(groups)}</style>
</head>
<body>
<header><h1>${html(`${extension.name} ${extension.version}`)}</h1><p class="${ok ? 'passed' : 'failed'}">${verdict}</p></header>
<p class="facts">${facts.join(' · ')}</p>
${coverageBar(groups, report.rules.length)}
<section id="findings"><h2>Findings</h2>
${findings.length === 0 ? '<p>None: it kept every rule that was exercised.</p>' : findings.map((one) => findingHtml(one, report, command)).join('\n')}
</section>
<section id="rules"><h2>Rules</h2>
${rulesHtml(report, groups)}
</section>
<section id="stages"><h2>Stages</h2>
${stagesHtml(report)}
</section>
</body>
</html>
`;
}

function coverageBar(groups: readonly CoverageGroup[], total: number): string {
  const parts = groups.map(
    ({ key, label, rules }) =>
      `<span class="swatch ${key}" style="flex-grow:${rules.length}" title="${rules.length} ${label}"></span>`,
  );
  const legend = groups.map(
    ({ key, label, rules }) =>
      `<li><span class="swatch ${key}"></span>${rules.length} ${label}</li>`,
  );
  return `<div class="bar" role="img" aria-label="How ${total} rules came out; the list below has the numbers">${parts.join('')}</div>
<ul class="legend"><li>${total} rules:</li>${legend.join('')}</ul>`;
}

function findingHtml(
  finding: VerifyFinding,
  report: VerifyReport,
  command: string | undefined,
): string {
  const { severity, rule, message, oid, route, times, stage } = finding;
  const about = findingRule(report, finding);
  const again = playAgain(command, finding);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['what', about?.what === undefined ? undefined : html(about.what)],
    ['why', about?.why === undefined ? undefined : html(about.why)],
    ['mend', about?.mend === undefined ? undefined : html(about.mend)],
    ['rule', about && html(`${about.rule}: ${about.text} (${about.sources.join(', ')})`)],
    ['seen', html(`${times === 1 ? 'once' : `${times} times`}, first in ${stage}`)],
    ['again', again === undefined ? undefined : `<code>${html(again)}</code>`],
  ];
  const facts = rows
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => `<dt>${label}</dt><dd>${value}</dd>`);
  const way = route === undefined ? '' : `: ${['protocol edge', ...route].map(html).join(' → ')}`;
  const seen = evidence(finding);
  return `<article class="one ${severity}"><h3><b>${severity} ${html(rule ?? 'no rule')}</b>${html(message)}</h3>
${oid === undefined ? '' : `<p><code>${html(oid)}</code>${way}</p>\n`}${seen === undefined ? '' : `${bytesHtml(seen)}\n`}<dl>${facts.join('')}</dl>${consequencesHtml(finding)}</article>`;
}

/** Open where they are few: printed and searched pages have them all. */
function consequencesHtml(finding: VerifyFinding): string {
  const { consequences } = finding;
  if (consequences.length === 0) return '';
  const items = consequences.map((one) => `<li>${html(consequenceLine(one, finding))}</li>`);
  const open = consequences.length <= FEW ? ' open' : '';
  return `<details${open}><summary>${consequenceCount(consequences)}, of the same cause</summary><ul>${items.join('\n')}</ul></details>`;
}

/** The bytes with the wrong one marked, and a caret below it for who reads them without colour. */
function bytesHtml({ lines, caret, member }: Evidence): string {
  const shown = lines.map((line, index) => {
    if (caret?.line !== index) return html(line);
    const { column } = caret;
    const marked = `${html(line.slice(0, column))}<mark>${html(line.slice(column, column + 2))}</mark>${html(line.slice(column + 2))}`;
    return `${marked}\n${' '.repeat(column)}^^${member === undefined ? '' : ` ${html(member)}`}`;
  });
  return `<pre>${shown.join('\n')}</pre>`;
}

function rulesHtml(report: VerifyReport, groups: readonly CoverageGroup[]): string {
  const choices = [
    { key: 'all', label: 'all', count: report.rules.length },
    ...groups.map(({ key, label, rules }) => ({ key, label, count: rules.length })),
  ].map(
    ({ key, label, count }) =>
      `<input type="radio" name="show" id="show-${key}"${key === 'all' ? ' checked' : ''}><label class="filter" for="show-${key}">${label} (${count})</label>`,
  );
  const labels = new Map(groups.map(({ key, label }) => [key, label]));
  const bodies = CHAPTERS.map(({ letter, title, rules }) => {
    const own = new Set(rules.map(({ id }) => id));
    const rows = report.rules.filter(({ rule }) => own.has(rule));
    if (rows.length === 0) return '';
    const head = `<tr class="chapter"><th colspan="3" scope="rowgroup">${letter}. ${html(title)}</th></tr>`;
    return `<tbody>${head}\n${rows.map((rule) => ruleRow(rule, labels)).join('\n')}</tbody>`;
  });
  return `${choices.join('\n')}
<div class="scroll"><table class="rules"><thead><tr><th>Rule</th><th>Came out</th><th>What it says; what would exercise it, or why it cannot be seen</th></tr></thead>
${bodies.join('\n')}</table></div>`;
}

function ruleRow(rule: RuleOutcome, labels: ReadonlyMap<CoverageGroup['key'], string>): string {
  const key = groupOf(rule);
  const { rule: id, name, text, reason } = rule;
  const known = name === undefined ? '' : `<br><code>${html(name)}</code>`;
  const more = reason === undefined ? '' : `<p class="reason">${html(reason)}</p>`;
  return `<tr class="rule ${key}"><td class="id"><b>${id}</b>${known}</td><td class="how"><span class="swatch ${key}"></span>${labels.get(key) ?? key}</td><td class="text">${html(text)}${more}</td></tr>`;
}

function stagesHtml({ stages }: VerifyReport): string {
  const rows = stages.map(({ name, title, ok, seed, seeds, notes }) => {
    const told = notes.map((note) => `<p class="reason">${html(note)}</p>`).join('');
    const mark = ok ? '<span class="passed">✓ ok</span>' : '<span class="failed">✗ failed</span>';
    return `<tr><td class="how">${mark}</td><td><code>${html(name)}</code><br>${html(title)}${told}</td><td class="num">${seeds}</td><td><code>${html(seed)}</code></td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>Result</th><th>Stage</th><th>Seeds</th><th>Last seed</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}
