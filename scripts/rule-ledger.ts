import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CHAPTERS, RULES, type RuleRow } from '../src/rules/rule-book.ts';
import { rulesKeptIn, type TestTitle, testsIn } from './rule-citations.ts';
import { RULE_EXCEPTIONS } from './rule-exceptions.ts';

/*
 * The rule ledger: which rule of the rule book is kept where, and which test proves it. Compares docs/reference/rules.md
 * and src/rules/tables/ledger.ts with what sources and test titles say, prints the share that is proven, and fails when it
 * is below LEAST_SHARE, when a rule is neither proven nor explained, or when a file is stale. UPDATE_GOLDEN=1 rewrites.
 */

const ROOT = resolve(import.meta.dirname, '..');
const PAGE = 'docs/reference/rules.md';
const TABLE = 'src/rules/tables/ledger.ts';
/** Share of the counted rules that must be proven. */
const LEAST_SHARE = 0.95;
/** Chapters that wait for the data path as a whole. */
const WAITING = new Set(['I', 'K']);
const WAITS = 'waits for the data path';
/** Tests a row of the page names; the rest is counted. */
const TESTS_SHOWN = 3;
/** Of the formatter. */
const LINE_WIDTH = 100;

interface Entry {
  readonly rule: RuleRow;
  /** Source files that say they keep it. */
  readonly keptIn: readonly string[];
  /** Tests that name it, the ones that name fewest rules first. */
  readonly provenBy: readonly TestTitle[];
  /** Why no test proves it. */
  readonly reason: string | undefined;
  /** It binds what comes later as a whole: listed, not counted. */
  readonly waits: 'packets' | undefined;
}

function filesBelow(folder: string, suffix: string): string[] {
  return readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith(suffix) && !name.includes('node_modules'))
    .sort();
}

function ledger(): Entry[] {
  const text = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8');
  const sources = ['switch', 'src', 'extensions']
    .flatMap((folder) => filesBelow(folder, '.ts'))
    // Rules that are not checked are named there, not kept.
    .filter((file) => !/^src\/(rules|verifier\/unseen)\//.test(file));
  const kept = sources.map((file) => ({ file, rules: rulesKeptIn(text(file)) }));
  const tests = filesBelow('test', '.test.ts')
    .flatMap((file) => testsIn(file, text(file)))
    .sort((a, b) => a.rules.length - b.rules.length);
  return RULES.map((rule) => {
    const exception = RULE_EXCEPTIONS[rule.id];
    const isLater = WAITING.has(chapterOf(rule));
    return {
      rule,
      keptIn: kept.filter(({ rules }) => rules.has(rule.id)).map(({ file }) => file),
      provenBy: tests.filter((test) => test.rules.includes(rule.id) && mayProve(test, rule)),
      reason: exception?.reason ?? (isLater ? WAITS : undefined),
      waits: isLater ? 'packets' : exception?.waits,
    };
  });
}

/** The test of an extension proves what the extension does, the test of this ledger has titles for samples. */
function mayProve(test: TestTitle, rule: RuleRow): boolean {
  if (test.file.startsWith('test/rules/')) return false;
  return rule.kind === 'ext' || !test.file.startsWith('test/extensions/');
}

function chapterOf(rule: RuleRow): string {
  return rule.id.charAt(0);
}

/** [SWITCH] and [MGMT]: what the product keeps. [EXT] rules are the verifier's. */
function isOurs({ rule }: Entry): boolean {
  return rule.kind !== 'ext';
}

// --- the page --------------------------------------------------------------------------------------------------------

function link(file: string): string {
  return `[${file}](../../${file})`;
}

function proof({ provenBy, reason }: Entry): string {
  if (provenBy.length === 0) return reason ?? '**missing**';
  const shown = provenBy.slice(0, TESTS_SHOWN);
  const rest = provenBy.length - shown.length;
  const tests = shown.map((test) => `${link(test.file)}: ${cell(test.title)}`);
  if (rest > 0) tests.push(`and ${rest} more`);
  return tests.join('<br>');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ');
}

function row(entry: Entry): string {
  const kept = entry.keptIn.length === 0 ? '–' : entry.keptIn.map(link).join('<br>');
  const kind = entry.rule.kind === 'mgmt' ? ' (management)' : '';
  return `| ${entry.rule.id}${kind} | ${cell(entry.rule.text)} | ${kept} | ${proof(entry)} |`;
}

/** [EXT] rules that the switch watches at run time, in one line each. */
function watched(entries: readonly Entry[]): string {
  const seen = entries.filter((entry) => !isOurs(entry) && entry.provenBy.length > 0);
  if (seen.length === 0) return '';
  const lines = seen.map(
    (entry) =>
      `- ${entry.rule.id}: ${cell(entry.rule.text)} ${proof({ ...entry, provenBy: entry.provenBy.slice(0, 1) })}`,
  );
  return `\nRules for extensions with a test already, one test each:\n\n${lines.join('\n')}\n`;
}

function page(entries: readonly Entry[]): string {
  const chapters = CHAPTERS.map(({ letter, title }) => {
    const own = entries.filter(({ rule }) => chapterOf(rule) === letter);
    const ours = own.filter(isOurs);
    const proven = ours.filter(({ provenBy }) => provenBy.length > 0).length;
    return `## ${letter}. ${title}

${proven} of ${ours.length} proven.

| rule | says | kept in | proven by |
|---|---|---|---|
${ours.map(row).join('\n')}
${watched(own)}`;
  });
  return `# Rule ledger

<!-- Written by scripts/rule-ledger.ts from sources and test titles: \`npm run check\` compares, UPDATE_GOLDEN=1 rewrites. -->

The rules a virtual switch and its management layer keep, where each is kept and which test proves it. "Kept in" are the
source files that name the rule at the place that keeps it; "proven by" are tests whose title names it. A rule without a
test is **missing** or has its reason. The numbers are those that errors, findings and traces name (\`rule\`); the rule book
itself is data: \`src/rules/\`.

${summary(entries)}.

${chapters.join('\n')}`;
}

function summary(entries: readonly Entry[]): string {
  const ours = entries.filter(isOurs);
  const counted = ours.filter(({ waits }) => waits === undefined);
  const proven = counted.filter(({ provenBy }) => provenBy.length > 0);
  const share = ((100 * proven.length) / counted.length).toFixed(1);
  const later = ours.length - counted.length;
  return (
    `${proven.length} of ${counted.length} [SWITCH] and [MGMT] rules of chapters A-H, J proven (${share} %); not counted: ` +
    `${later} rules on packets (I, K and a few of A-H)`
  );
}

// --- the table the server has at run time ---------------------------------------------------------------------------------

function table(entries: readonly Entry[]): string {
  return `import type { LedgerRow } from './row.ts';

/** How each rule stands. Written by scripts/rule-ledger.ts with UPDATE_GOLDEN=1. */
export const LEDGER: Readonly<Record<string, LedgerRow>> = {
${entries.map(tableRow).join('\n')}
};
`;
}

/** Laid out as the formatter lays it out. */
function tableRow({ rule, keptIn, provenBy, reason }: Entry): string {
  const standing = provenBy.length > 0 ? 'proven' : keptIn.length > 0 ? 'kept' : 'open';
  if (provenBy.length > 0 || reason === undefined || rule.kind === 'ext') {
    return `  ${rule.id}: { standing: '${standing}' },`;
  }
  const text = reason.includes("'") ? JSON.stringify(reason) : `'${reason}'`;
  const line = `  ${rule.id}: { standing: '${standing}', reason: ${text} },`;
  if (line.length <= LINE_WIDTH) return line;
  const short = `    reason: ${text},`;
  const why = short.length <= LINE_WIDTH ? short : `    reason:\n      ${text},`;
  return `  ${rule.id}: {\n    standing: '${standing}',\n${why}\n  },`;
}

// --- the check --------------------------------------------------------------------------------------------------------

function problemsOf(entries: readonly Entry[]): string[] {
  const problems: string[] = [];
  const counted = entries.filter((entry) => isOurs(entry) && entry.waits === undefined);
  const proven = counted.filter(({ provenBy }) => provenBy.length > 0);
  if (proven.length < LEAST_SHARE * counted.length) {
    problems.push(`rules: less than ${100 * LEAST_SHARE} % proven`);
  }
  for (const { rule, keptIn, provenBy, reason } of counted) {
    if (provenBy.length > 0 && keptIn.length === 0) {
      problems.push(
        `rules: no source names ${rule.id} where it is kept, although a test proves it`,
      );
    }
    if (provenBy.length === 0 && reason === undefined) {
      problems.push(
        `rules: no test names ${rule.id}, and scripts/rule-exceptions.ts has no reason`,
      );
    }
  }
  for (const id of Object.keys(RULE_EXCEPTIONS)) {
    const entry = entries.find(({ rule }) => rule.id === id);
    if (entry === undefined) problems.push(`rules: ${id} has a reason and is no rule`);
    else if (entry.provenBy.length > 0) problems.push(`rules: ${id} has a reason and a test`);
  }
  for (const [file, wanted] of [
    [PAGE, page(entries)],
    [TABLE, table(entries)],
  ] as const) {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(`${ROOT}/${file}`, wanted);
    else if (readFileSync(`${ROOT}/${file}`, 'utf8') !== wanted) {
      problems.push(`${file} is stale: UPDATE_GOLDEN=1 npm run check`);
    }
  }
  return problems;
}

const entries = ledger();
const problems = problemsOf(entries);
for (const problem of problems) console.error(problem);
console.log(`rules: ${summary(entries)}`);
if (problems.length > 0) process.exitCode = 1;
