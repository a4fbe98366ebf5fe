import type { VerifyReportFormat } from '../../testing/index.ts';
import { UsageError } from '../usage-error.ts';

export type ReportFormat = VerifyReportFormat;

const FORMATS: Readonly<Record<string, ReportFormat>> = {
  html: 'html',
  json: 'json',
  sarif: 'sarif',
  tap: 'tap',
  txt: 'text',
  xml: 'junit',
};

/** The format a file name asks for. */
export function reportFormatOf(path: string, verb: string): ReportFormat {
  const format = FORMATS[/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''];
  if (format !== undefined) return format;
  const known = Object.keys(FORMATS).map((it) => `.${it}`);
  throw new UsageError(`--report ${path}: expected a name that ends in ${known.join(', ')}`, verb);
}
