/**
 * `extswitch/testing`: what a test of an extension needs, in any framework (node:test, tap, vitest). Failed expectations are
 * `AssertionError`s of node:assert.
 *
 * ```ts
 * import { test } from 'node:test';
 * import { expectNoFindings, expectVeto, testSwitch } from 'extswitch/testing';
 * import filter from './extension.ts';
 *
 * test('a limit of zero is vetoed', async () => {
 *   const sw = await testSwitch({ extensions: [filter] });
 *   const port = await sw.port('A');
 *   await expectVeto(port.properties.add('My_PortPolicy', { Limit: 0 }));
 *   expectNoFindings(sw);
 *   await sw.close();
 * });
 * ```
 */

export { VERIFIER_MODES, type VerifierMode } from '../policy/api.ts';
export { liveVerifier } from '../verifier/live-verifier.ts';
export { hex, hexDump, unhex } from './bytes-text.ts';
export { expectNoFindings, expectVeto, type FindingExpectation } from './expect.ts';
export { lifeCycles } from './life-cycles/index.ts';
export type {
  LifeCycle,
  LifeCycleFailure,
  LifeCycleOptions,
  LifeCycleOrigin,
  LifeCycleReport,
} from './life-cycles/life-cycle.ts';
export { runLifeCycle } from './life-cycles/run-life-cycle.ts';
export type { ByteDifference } from './replay/byte-difference.ts';
export {
  type ReplayDifference,
  type ReplayReport,
  replayText,
} from './replay/replay-report.ts';
export { type ReplayOptions, replayTrace } from './replay/replay-trace.ts';
export {
  type SimulateOptions,
  type SimulateReport,
  type SimulationFailure,
  simulate,
} from './simulation/simulate.ts';
export type { Step as SimulationStep } from './simulation/step.ts';
export {
  SWEEP_EFFECTS,
  type SweepEffect,
} from './sweep/effects.ts';
export {
  type SweepReportFormat,
  type SweepReportOptions,
  sweepReport,
} from './sweep/reports/report.ts';
export type { SweepOptions, SweepProgress } from './sweep/sweep.ts';
export {
  type ExtensionSweepOptions,
  listExtensionFaults,
  sweepExtension,
} from './sweep/sweep-extension.ts';
export type {
  ListedFault,
  MishandledFault,
  SweepReport,
  SweptSubject,
} from './sweep/sweep-report.ts';
export {
  listScenarioFaults,
  type ScenarioSweepOptions,
  sweepScenario,
} from './sweep/sweep-scenario.ts';
export { type SweepJob, sweepInThreads } from './sweep/sweep-threads.ts';
export {
  type OidFilter,
  type TestFinding,
  type TestSwitch,
  type TestSwitchOptions,
  testSwitch,
} from './test-switch.ts';
export { type TraceTextOptions, traceText } from './trace-text.ts';
export {
  type VerifyReportFormat,
  type VerifyReportOptions,
  verifyReport,
} from './verify/reports/report.ts';
export { type RuleGuide, ruleGuide } from './verify/rule-guide.ts';
export { verifyStages } from './verify/stages.ts';
export {
  type VerifyOptions,
  verifyExtension,
} from './verify/verify-extension.ts';
export type {
  RuleOutcome,
  StageOutcome,
  VerifyConsequence,
  VerifyFinding,
  VerifyReport,
} from './verify/verify-report.ts';
