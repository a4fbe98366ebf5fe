import type { VerifyReport } from '../verify-report.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';
import { sarifReport } from './sarif.ts';
import { tapReport } from './tap.ts';
import { type TextReportOptions, textReport } from './text.ts';

export type VerifyReportFormat = 'text' | 'tap' | 'junit' | 'sarif' | 'html' | 'json';

export interface VerifyReportOptions extends TextReportOptions {
  /** SARIF: file of the extension, relative to the repository, with `/`; or a `file:` URL. */
  readonly file?: string;
  /** SARIF, HTML: version of extswitch. */
  readonly toolVersion?: string;
}

/**
 * The report as text of a format: for people (`text`, `html`), TAP 14, JUnit XML, SARIF 2.1.0, JSON (bytes as base64). `style` and
 * `coverage` are for `text`; the others have no colour and always have the coverage of rules.
 */
export function verifyReport(
  report: VerifyReport,
  format: VerifyReportFormat,
  options: VerifyReportOptions = {},
): string {
  const { file = 'extension', toolVersion = '0.0.0', command } = options;
  switch (format) {
    case 'text':
      return textReport(report, options);
    case 'tap':
      return tapReport(report, command);
    case 'junit':
      return junitReport(report, command);
    case 'sarif':
      return sarifReport(report, { file, toolVersion, command });
    case 'html':
      return htmlReport(report, { toolVersion, command });
    case 'json':
      return jsonReport(report);
  }
}
