import { findRule, type RuleForce } from '../../rules/rule-book.ts';
import { RULE_CHECKS } from '../../verifier/checks/index.ts';
import { UNSEEN_RULES } from '../../verifier/unseen-rules.ts';

/** What there is to say about one rule that binds extensions. */
export interface RuleGuide {
  readonly rule: string;
  readonly name?: string;
  readonly force: RuleForce;
  readonly text: string;
  readonly sources: readonly string[];
  readonly what?: string;
  readonly why?: string;
  readonly mend?: string;
  /** What the sample that breaks it does, and the one that comes close. */
  readonly breaks?: string;
  readonly close?: string;
  /** Why it is not checked. */
  readonly reason?: string;
}

/** By rule (`B42`, any case) or Driver Verifier's name; `undefined`: no such rule for extensions. */
export function ruleGuide(ruleOrName: string): RuleGuide | undefined {
  const wanted = ruleOrName.toLowerCase();
  const check = RULE_CHECKS.find(
    ({ rule, name }) => rule.toLowerCase() === wanted || name?.toLowerCase() === wanted,
  );
  const row = findRule(check?.rule ?? ruleOrName.toUpperCase());
  if (row === undefined || row.kind !== 'ext') return undefined;
  const { id: rule, force, text, sources } = row;
  const head = { rule, force, text, sources };
  if (check === undefined) {
    const unseen = UNSEEN_RULES.find((one) => one.rule === rule);
    return { ...head, reason: unseen?.reason ?? 'this version has no check for it' };
  }
  const { name, what, why, mend, breaks, close } = check;
  return {
    ...head,
    ...(name === undefined ? {} : { name }),
    what,
    why,
    mend,
    breaks: breaks.about,
    close: close.about,
  };
}
