import { findRule } from '../../../rules/rule-book.ts';
import type { RuleOutcome, VerifyFinding, VerifyReport } from '../verify-report.ts';

/** What there is to say about the rule of a finding. */
export type FindingRule = Pick<RuleOutcome, 'rule' | 'name' | 'force' | 'text' | 'sources'> &
  Partial<Pick<RuleOutcome, 'what' | 'why' | 'mend'>>;

/**
 * Findings carry Driver Verifier's name where it has the rule; some name a rule of the switch that the extension made it break.
 * `undefined`: no rule of the rule book.
 */
export function findingRule(
  report: Pick<VerifyReport, 'rules'>,
  { rule }: Pick<VerifyFinding, 'rule'>,
): FindingRule | undefined {
  if (rule === undefined) return undefined;
  const own = report.rules.find((one) => one.rule === rule || one.name === rule);
  if (own !== undefined) return own;
  const row = findRule(rule);
  if (row === undefined) return undefined;
  const { id, force, text, sources } = row;
  return { rule: id, force, text, sources };
}

/** The findings of one rule. */
export function findingsOf(
  report: Pick<VerifyReport, 'findings'>,
  { rule, name }: Pick<RuleOutcome, 'rule' | 'name'>,
): readonly VerifyFinding[] {
  return report.findings.filter((one) => one.rule === rule || (one.rule ?? '') === name);
}

/** The findings that belong to none of the rules that bind extensions. */
export function otherFindings({ findings, rules }: VerifyReport): readonly VerifyFinding[] {
  return findings.filter(
    (finding) =>
      !rules.some(({ rule, name }) => finding.rule === rule || finding.rule === (name ?? rule)),
  );
}
