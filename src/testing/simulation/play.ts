import type { Breach } from './breach.ts';
import { drawSetting, StepDraw } from './draw-step.ts';
import type { SimulationOptions } from './host-lives.ts';
import type { Plant } from './plants.ts';
import { Simulation } from './simulation.ts';
import type { History, Result, Step } from './step.ts';

/** What came of a history. */
export interface PlayReport {
  /** The first invariant that did not hold; left out: all held. */
  readonly breach?: Breach;
  /** As it was played: ends where an invariant broke. */
  readonly history: History;
  /** SHA-256 of the trace of all hosts, hexadecimal: equal for equal histories. */
  readonly digest: string;
  readonly changes: Simulation['changes'];
  readonly results: readonly Result[];
  /** OID requests that completed, and hand-overs of them to a module of a stack. */
  readonly requests: number;
  readonly visits: number;
}

/** Plays a history as it stands. */
export async function play(history: History, options: SimulationOptions = {}): Promise<PlayReport> {
  const simulation = new Simulation(history.setting, options);
  await simulation.open();
  for (const step of history.steps) {
    if (simulation.breach !== undefined) break;
    await simulation.play(step);
  }
  return finish(simulation, history);
}

/** Draws the history of a seed (any text) step by step, and plays it. */
export async function playSeed(
  seed: string,
  steps: number,
  options: SimulationOptions & { readonly plant?: Plant } = {},
): Promise<PlayReport> {
  const { plant } = options;
  const setting = { ...drawSetting(seed), ...(plant === undefined ? {} : { plant }) };
  const simulation = new Simulation(setting, options);
  await simulation.open();
  const draw = new StepDraw(seed);
  const played: Step[] = [];
  while (played.length < steps && simulation.breach === undefined) {
    const step = draw.next(simulation);
    played.push(step);
    await simulation.play(step);
  }
  return finish(simulation, { setting, steps: played });
}

async function finish(simulation: Simulation, history: History): Promise<PlayReport> {
  await simulation.close();
  const { breach, changes, results, requests, visits } = simulation;
  const report = { history, digest: simulation.digest(), changes, results, requests, visits };
  return breach === undefined ? report : { ...report, breach };
}
