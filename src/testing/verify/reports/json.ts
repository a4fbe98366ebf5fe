import { harmless } from '../../../core/harmless-text.ts';
import type { VerifyFinding, VerifyReport } from '../verify-report.ts';

/** What is in it: the report, with bytes as base64. */
type PlainVerifyReport = Omit<VerifyReport, 'findings'> & {
  readonly findings: readonly (Omit<VerifyFinding, 'bytes'> & { readonly bytes?: string })[];
};

/** The report as JSON text. */
export function jsonReport(report: VerifyReport): string {
  const findings = report.findings.map(({ bytes, ...finding }) => ({
    ...finding,
    ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes).toString('base64') }),
  }));
  const plain: PlainVerifyReport = { ...report, findings };
  return jsonText(plain);
}

/** JSON whose strings hold no control character as such: what makes one visible is JSON's own escape. */
export function jsonText(value: unknown): string {
  return `${harmless(JSON.stringify(value, undefined, 2))}\n`;
}
