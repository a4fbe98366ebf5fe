/** Scenario files: read, checked, played, reported. The CLI's `run` is a face of this. */
export type { ScenarioOutcome } from './outcome.ts';
export { parameterValue } from './parse.ts';
export { type ReportFormat, reportParts, reportText } from './reports/report.ts';
export { tapHead, tapPoint } from './reports/tap.ts';
export { type RunOptions, ScenarioRunner } from './run-scenarios.ts';
