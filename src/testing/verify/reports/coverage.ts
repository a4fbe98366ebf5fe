import type { RuleOutcome, VerifyReport } from '../verify-report.ts';

/** The rules that came out alike, in the order of the rule book. */
export interface CoverageGroup {
  readonly key:
    | 'broken'
    | 'consequence'
    | 'kept'
    | 'notExercised'
    | NonNullable<RuleOutcome['because']>
    | 'unchecked';
  /** For people, e.g. `Not exercised; what would`. */
  readonly title: string;
  /** In a row of counts, e.g. `not exercised`. */
  readonly label: string;
  readonly rules: readonly RuleOutcome[];
}

const GROUPS: readonly Omit<CoverageGroup, 'rules'>[] = [
  { key: 'broken', title: 'Broken', label: 'broken' },
  { key: 'consequence', title: 'Broken only as a consequence', label: 'broken as a consequence' },
  { key: 'kept', title: 'Kept', label: 'kept' },
  { key: 'notExercised', title: 'Not exercised; what would', label: 'not exercised' },
  { key: 'packets', title: 'Waiting for the data path', label: 'waiting for the data path' },
  { key: 'inside', title: 'Not to be seen from outside', label: 'not to be seen from outside' },
  { key: 'may', title: 'Permissions, that nothing can break', label: 'permissions' },
  { key: 'elsewhere', title: 'Reported as other rules', label: 'reported as other rules' },
  { key: 'unchecked', title: 'Without a check in this version', label: 'without a check' },
];

/** All rules by how they came out; a group that has none is there too. */
export function coverageGroups(report: VerifyReport): readonly CoverageGroup[] {
  return GROUPS.map((group) => ({
    ...group,
    rules: report.rules.filter((rule) => groupOf(rule) === group.key),
  }));
}

/** The group of one rule. */
export function groupOf({ outcome, because }: RuleOutcome): CoverageGroup['key'] {
  return outcome === 'unseen' ? (because ?? 'inside') : outcome;
}
