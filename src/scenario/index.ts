/** Scenario files: read, checked, played, reported. The CLI's `run` is a face of this. */
export { SCENARIO_FILE } from './load.ts';
export type { ScenarioOutcome } from './outcome.ts';
export { tapHead, tapPoint } from './reports/tap.ts';
export { countScenarios, type RunOptions, runScenarios } from './run-scenarios.ts';
