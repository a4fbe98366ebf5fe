import type { ScenarioOutcome } from '../outcome.ts';
import { htmlParts } from './html.ts';
import { jsonParts } from './json.ts';
import { junitReport } from './junit.ts';
import type { ReportOptions } from './shown-timeline.ts';

export type ReportFormat = 'html' | 'junit' | 'json';

/** All outcomes as one document, in parts: a whole one may be longer than a string can be. */
export function reportParts(
  outcomes: readonly ScenarioOutcome[],
  format: ReportFormat,
  options: ReportOptions = {},
): Iterable<string> {
  if (format === 'html') return htmlParts(outcomes, options);
  return format === 'junit' ? [junitReport(outcomes)] : jsonParts(outcomes, options);
}

/** All outcomes as one document. */
export function reportText(
  outcomes: readonly ScenarioOutcome[],
  format: ReportFormat,
  options: ReportOptions = {},
): string {
  return [...reportParts(outcomes, format, options)].join('');
}
