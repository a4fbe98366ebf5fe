import { RULES } from '../src/rules/rule-book.ts';

/** One test of the suite: where it is and what its title says. */
export interface TestTitle {
  readonly file: string;
  readonly title: string;
  /** Rules the title names, in the order of the title. */
  readonly rules: readonly string[];
}

const KNOWN: ReadonlySet<string> = new Set(RULES.map((rule) => rule.id));

/** `B20`, `E9-E12`, `A46-52`, `S13`, `OP-4`: the last two stand in lists of citations and name no rule. */
const ITEM = String.raw`(?:OP-\d+|[A-KRS]\d{1,3}(?:\s?[-–]\s?[A-K]?\d{1,3})?)`;
const AFTER_THE_WORD = new RegExp(
  String.raw`\b[Rr]ules?:?\s+(${ITEM}(?:(?:\s*[,;/+]\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+)${ITEM})*)`,
  'g',
);
const QUOTED = /(['"])([A-K]\d{1,3})\1/g;
const ONE = /\b([A-K])(\d{1,3})(?:\s?[-–]\s?([A-K]?)(\d{1,3}))?\b/g;

/** Rules a list such as `A46-A52, S13 and E14` names; ranges are written out. Numbers that no rule has are left out. */
export function rulesNamedIn(text: string): string[] {
  const found = new Set<string>();
  for (const [, chapter = '', first, lastChapter, last] of text.matchAll(ONE)) {
    const isRange = last !== undefined && (lastChapter === '' || lastChapter === chapter);
    const end = isRange ? Number(last) : Number(first);
    for (let n = Number(first); n <= end; n += 1) found.add(`${chapter}${n}`);
    if (!isRange && last !== undefined) found.add(`${lastChapter}${last}`);
  }
  return [...found].filter((id) => KNOWN.has(id));
}

/**
 * Rules a source file says it keeps: after the word rule or rules, in comments or messages, and as whole string
 * literals, which is how state tables and findings name theirs.
 */
export function rulesKeptIn(source: string): Set<string> {
  const text = source.replace(/\n\s*(?:\*|\/\/)?\s*/g, ' ');
  const found = new Set<string>();
  for (const [, list = ''] of text.matchAll(AFTER_THE_WORD)) {
    for (const id of rulesNamedIn(list)) found.add(id);
  }
  for (const [, , id = ''] of text.matchAll(QUOTED)) if (KNOWN.has(id)) found.add(id);
  return found;
}

const TEST_CALL =
  /\.test\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)\s*,\s*(\{[^}]*\})?/g;

/**
 * The tests in a test file that run: titles of `t.test` calls, skipped ones and to-dos left out. A rule in a comment or
 * in an assertion's text proves nothing.
 */
export function testsIn(file: string, source: string): TestTitle[] {
  const code = source.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '');
  const found: TestTitle[] = [];
  for (const [, single, double, template, options = ''] of code.matchAll(TEST_CALL)) {
    if (/\b(?:skip|todo)\b/.test(options)) continue;
    const title = (single ?? double ?? template ?? '').replace(/\\(.)/g, '$1');
    found.push({ file, title, rules: rulesNamedIn(title) });
  }
  return found;
}
