import type { VerifyReport } from '../verify-report.ts';
import { junitReport } from './junit.ts';
import { sarifReport } from './sarif.ts';
import { tapReport } from './tap.ts';
import { type TextReportOptions, textReport } from './text.ts';

export type VerifyReportFormat = 'text' | 'tap' | 'junit' | 'sarif' | 'json';

export interface VerifyReportOptions extends TextReportOptions {
  /** SARIF: file of the extension, relative to the repository. */
  readonly file?: string;
  /** SARIF: version of extswitch. */
  readonly toolVersion?: string;
}

/** The report as text of a format: for people (`text`), TAP 14, JUnit XML, SARIF 2.1.0, JSON (bytes as base64). */
export function verifyReport(
  report: VerifyReport,
  format: VerifyReportFormat,
  options: VerifyReportOptions = {},
): string {
  switch (format) {
    case 'text':
      return textReport(report, options);
    case 'tap':
      return tapReport(report);
    case 'junit':
      return junitReport(report);
    case 'sarif':
      return sarifReport(report, {
        file: options.file ?? 'extension',
        toolVersion: options.toolVersion ?? '0.0.0',
      });
    case 'json':
      return `${JSON.stringify(report, plainBytes, 2)}\n`;
  }
}

function plainBytes(_name: string, value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;
}
