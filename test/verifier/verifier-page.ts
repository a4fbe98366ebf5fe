import { CHAPTERS, type RuleRow } from '../../src/rules/rule-book.ts';
import { RULE_CHECKS } from '../../src/verifier/checks/index.ts';
import type { RuleCheck, UnseenRule } from '../../src/verifier/rule-check.ts';
import { UNSEEN_RULES } from '../../src/verifier/unseen-rules.ts';

const CHECKS = new Map(RULE_CHECKS.map((check) => [check.rule, check]));
const UNSEEN = new Map(UNSEEN_RULES.map((rule) => [rule.rule, rule]));

const BECAUSE: Readonly<Record<UnseenRule['because'], string>> = {
  packets: 'waits for the data path',
  inside: 'cannot be seen from outside',
  may: 'a permission',
  elsewhere: 'reported as other rules',
};
const SEEN_BY: Readonly<Record<RuleCheck['by'], string>> = {
  runtime: 'the switch itself, always',
  watch: 'a watcher: `extswitch verify`, and a server with `--verifier observe` or `enforce`',
  stage: 'a stage of `extswitch verify`',
};

/** Text of docs/reference/verifier.md: every rule that binds extensions, with its check or the reason why it has none. */
export function verifierPage(): string {
  const rules = CHAPTERS.flatMap((chapter) => chapter.rules).filter(isForExtensions);
  const names = RULE_CHECKS.filter(({ name }) => name !== undefined);
  return `# Rules that extensions are verified against

<!-- Written by test/verifier/verifier-page.test.ts from src/verifier: change it there, then UPDATE_GOLDEN=1. -->

The rule book has ${rules.length} rules that bind extensions. \`extswitch verify\` ([how to](../howto/verify-an-extension.md)) checks
${RULE_CHECKS.length} of them; ${UNSEEN_RULES.length} have no check, for a reason that stands with them.
A broken MUST is an error, a broken SHOULD a warning. \`extswitch verify --explain B42\` prints what stands here about one rule.

For each rule: what a driver that breaks it does, why that hurts on a real host, how to mend it, who sees it, what input exercises
it, and two samples that the tests of the verifier drive: one that breaks the rule and one that comes close and does not.

${namesTable(names)}
${CHAPTERS.map(({ letter, title, rules }) => chapterText(letter, title, rules.filter(isForExtensions))).join('')}`;
}

const isForExtensions = ({ kind }: RuleRow): boolean => kind === 'ext';

function namesTable(names: readonly RuleCheck[]): string {
  if (names.length === 0) return '';
  const rows = names.map(
    ({ rule, name, what }) => `| \`${name}\` | [${rule}](#${rule.toLowerCase()}) | ${cell(what)} |`,
  );
  return `Where Driver Verifier has the rule, findings carry its name:\n\n| name | rule | |\n|---|---|---|\n${rows.join('\n')}`;
}

function chapterText(letter: string, title: string, rules: readonly RuleRow[]): string {
  if (rules.length === 0) return '';
  const checked = rules.filter(({ id }) => CHECKS.has(id));
  const others = rules.filter(({ id }) => !CHECKS.has(id));
  const head = `\n## ${letter}. ${title}\n\n${checked.length} of ${rules.length} rules are checked.\n`;
  return head + checked.map(ruleText).join('') + othersTable(others);
}

function ruleText({ id, force, text, sources }: RuleRow): string {
  const check = CHECKS.get(id);
  if (check === undefined) return '';
  const { name, what, why, mend, by, stages, exercise, breaks, close } = check;
  const severity = force.startsWith('MUST') ? 'error' : force === 'MAY' ? 'info' : 'warning';
  const played =
    stages === undefined ? '' : ` Stages: ${stages.map((stage) => `\`${stage}\``).join(', ')}.`;
  const known = name === undefined ? '' : `Reported as \`${name}\`. `;
  return `
### ${id}

${text}

${known}${severity[0]?.toUpperCase()}${severity.slice(1)}; seen by ${SEEN_BY[by]}.${played}

- **What** ${what}
- **Why** ${why}
- **Mend** ${mend}
- **To exercise it**: ${exercise}.
- **Breaks it** (${breaks.type}): ${breaks.about}.
- **Comes close** (${close.type}): ${close.about}.
- **Source** ${sources.join(', ')}
`;
}

function othersTable(rules: readonly RuleRow[]): string {
  if (rules.length === 0) return '';
  const rows = rules.map(({ id, text, sources }) => {
    const unseen = UNSEEN.get(id);
    const why =
      unseen === undefined
        ? 'this version has no check for it'
        : `${BECAUSE[unseen.because]}: ${unseen.reason}`;
    return `| ${id} | ${cell(text)} | ${cell(why)} | ${sources.join(', ')} |`;
  });
  return `\n| not checked | rule | why | source |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
