import type { VerifyFinding, VerifyReport } from '../verify-report.ts';

/** The report as JSON can hold it: bytes as base64. */
export type PlainVerifyReport = Omit<VerifyReport, 'findings'> & {
  readonly findings: readonly (Omit<VerifyFinding, 'bytes'> & { readonly bytes?: string })[];
};

export function plainReport(report: VerifyReport): PlainVerifyReport {
  const findings = report.findings.map(({ bytes, ...finding }) => ({
    ...finding,
    ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes).toString('base64') }),
  }));
  return { ...report, findings };
}
