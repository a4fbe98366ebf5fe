import { harmless } from '../../../core/harmless-text.ts';
import { tapTitle, yamlText } from '../../../core/tap-text.ts';
import { jsonText } from '../../verify/reports/json.ts';
import type { SweepReport } from '../sweep-report.ts';
import { sweepHtml } from './html.ts';
import { sweepJunit } from './junit.ts';
import { sweepSarif } from './sarif.ts';
import { mishandledLines, type SweepTextOptions, sweepText } from './text.ts';

export type SweepReportFormat = 'text' | 'tap' | 'junit' | 'sarif' | 'html' | 'json';

export interface SweepReportOptions extends SweepTextOptions {
  /** File that was swept, relative to the repository, or a URL: SARIF. */
  readonly file?: string;
  /** Version of extswitch: SARIF and HTML. */
  readonly toolVersion?: string;
}

/** A sweep as text for a terminal, TAP 14, JUnit XML, SARIF 2.1.0, HTML that stands alone, or JSON (bytes as base64). */
export function sweepReport(
  report: SweepReport,
  format: SweepReportFormat,
  options: SweepReportOptions = {},
): string {
  const { file = 'scenario', toolVersion = '0.0.0', command } = options;
  switch (format) {
    case 'text':
      return sweepText(report, options);
    case 'tap':
      return sweepTap(report, command);
    case 'junit':
      return sweepJunit(report, command);
    case 'sarif':
      return sweepSarif(report, { file, toolVersion, command });
    case 'html':
      return sweepHtml(report, { toolVersion, command });
    case 'json':
      return sweepJson(report);
  }
}

function sweepJson(report: SweepReport): string {
  const mishandled = report.mishandled.map(({ bytes, ...one }) => ({
    ...one,
    ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes).toString('base64') }),
  }));
  return jsonText({ ...report, mishandled });
}

/** A test point for each cell or stage. */
function sweepTap({ subjects, mishandled }: SweepReport, command: string | undefined): string {
  const lines = ['TAP version 14', `1..${subjects.length}`];
  let failed = 0;
  for (const [index, { name, title, played }] of subjects.entries()) {
    const found = mishandled.filter(({ subject }) => subject === name);
    const isBroken = found.some(({ severity }) => severity === 'error');
    if (isBroken) failed += 1;
    const point = `${index + 1} - ${tapTitle(`${title}: ${played} faults`)}`;
    lines.push(`${isBroken ? 'not ok' : 'ok'} ${point}`);
    if (found.length === 0) continue;
    lines.push('  ---', '  mishandled:');
    for (const one of found) {
      lines.push(`    - message: ${yamlText(one.message)}`, `      fault: ${yamlText(one.only)}`);
      const told = mishandledLines(one, { command });
      lines.push('      told: |-', ...told.map((line) => `        ${harmless(line)}`));
    }
    lines.push('  ...');
  }
  lines.push(`# pass ${subjects.length - failed}, fail ${failed}`);
  return `${lines.join('\n')}\n`;
}
