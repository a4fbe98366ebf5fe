import { withoutNumbers } from './finding-key.ts';
import type { VerifyConsequence, VerifyFinding } from './verify-report.ts';

type Seen = Omit<VerifyConsequence, 'times'>;

const SEVERITY_ORDER = { error: 0, warning: 1, info: 2 } as const;

/** All that a run found, put together by cause: the first of the most severe is the finding, the others are its consequences. */
export class Found {
  /** By rule, message without what differs from time to time, and member that is wrong. */
  readonly #all = new Map<string, { seen: VerifyConsequence; readonly cause: string }>();

  /** `cause`: text that all have in common that come of the same mistake. */
  add(seen: Seen, cause: string): void {
    const key = `${seen.rule}/${withoutNumbers(seen.message)}/${seen.member ?? ''}`;
    const known = this.#all.get(key);
    if (known === undefined) this.#all.set(key, { seen: { ...seen, times: 1 }, cause });
    else known.seen = { ...known.seen, times: known.seen.times + 1 };
  }

  findings(): readonly VerifyFinding[] {
    const causes = new Map<string, VerifyConsequence[]>();
    for (const { seen, cause } of this.#all.values()) {
      const alike = causes.get(cause);
      if (alike === undefined) causes.set(cause, [seen]);
      else alike.push(seen);
    }
    const findings = [...causes.values()].flatMap((alike) => {
      const [first, ...consequences] = bySeverity(alike);
      return first === undefined ? [] : [{ ...first, consequences }];
    });
    return bySeverity(findings);
  }
}

function bySeverity<T extends VerifyConsequence>(all: readonly T[]): readonly T[] {
  return [...all].sort((a, b) => SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity]);
}
