import { harmless } from '../../../core/harmless-text.ts';
import type { VerifyConsequence, VerifyFinding } from '../verify-report.ts';

/** `19 consequences`. */
export function consequenceCount({ length }: readonly VerifyConsequence[]): string {
  return `${length} consequence${length === 1 ? '' : 's'}`;
}

/** One consequence as a line: which rule, where it was first seen with what plays it again, what. */
export function consequenceLine(
  one: VerifyConsequence,
  { seed }: Pick<VerifyFinding, 'seed'>,
): string {
  const { severity, rule = 'no rule', stage, times, message } = one;
  const seen = times === 1 ? '' : `, ${times} times`;
  // A race has a seed of its own.
  const other = one.seed === seed ? '' : `, seed ${one.seed}`;
  const text = `${severity} ${rule} in ${stage}${other}${seen}: ${message}`;
  return harmless(text.replace(/\s+/g, ' '));
}
