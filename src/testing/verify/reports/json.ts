import { harmless } from '../../../core/harmless-text.ts';
import type { VerifyConsequence, VerifyFinding, VerifyReport } from '../verify-report.ts';

type Plain<T> = Omit<T, 'bytes' | 'consequences'> & { readonly bytes?: string };

/** What is in it: the report, with bytes as base64. */
type PlainVerifyReport = Omit<VerifyReport, 'findings'> & {
  readonly findings: readonly (Plain<VerifyFinding> & {
    readonly consequences: readonly Plain<VerifyConsequence>[];
  })[];
};

/** The report as JSON text. */
export function jsonReport(report: VerifyReport): string {
  const findings = report.findings.map(({ consequences, ...finding }) => ({
    ...plain(finding),
    consequences: consequences.map(plain),
  }));
  return jsonText({ ...report, findings } satisfies PlainVerifyReport);
}

function plain({ bytes, ...rest }: VerifyConsequence): Plain<VerifyConsequence> {
  return bytes === undefined ? rest : { ...rest, bytes: Buffer.from(bytes).toString('base64') };
}

/** JSON whose strings hold no control character as such: what makes one visible is JSON's own escape. */
export function jsonText(value: unknown): string {
  return `${harmless(JSON.stringify(value, undefined, 2))}\n`;
}
