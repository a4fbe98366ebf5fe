import type { ScenarioOutcome } from '../outcome.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { junitReport } from './junit.ts';

export type ReportFormat = 'html' | 'junit' | 'json';

/** All outcomes as one document. */
export function reportText(outcomes: readonly ScenarioOutcome[], format: ReportFormat): string {
  if (format === 'html') return htmlReport(outcomes);
  return format === 'junit' ? junitReport(outcomes) : jsonReport(outcomes);
}
