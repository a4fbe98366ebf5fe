import { isExtSwitchError } from '../core/errors.ts';
import type { Ground } from './ground.ts';
import { loadScenario } from './load.ts';
import type { ScenarioOutcome } from './outcome.ts';
import type { Cell } from './plan.ts';
import { playScenario } from './play-scenario.ts';
import { readScenario } from './read-scenario.ts';

/** Plays one cell of a file; a file that is wrong is an outcome too. Throws only what is a mistake of ours. */
export async function playCell(
  file: string,
  cell: Cell,
  cwd: string,
  makeGround: () => Ground,
  onProgress: ((text: string) => void) | undefined,
): Promise<ScenarioOutcome> {
  try {
    const scenario = await readScenario(await loadScenario(file, cwd), cell);
    return await playScenario(scenario, cell, {
      ground: makeGround(),
      ...(onProgress === undefined
        ? {}
        : { onStep: (title) => onProgress(`${scenario.name}: ${title}`) }),
    });
  } catch (problem) {
    if (!isExtSwitchError(problem)) throw problem;
    const { message, place } = problem;
    return notPlayed(file, cell, { in: 'file', message, line: place.line ?? 0 });
  }
}

/** Nothing of it was played, or nobody is left to say what. */
export function notPlayed(
  file: string,
  cell: Cell | undefined,
  failure: NonNullable<ScenarioOutcome['failure']>,
): ScenarioOutcome {
  return {
    name: file,
    file,
    cell: cell?.label ?? '',
    ...(cell?.profile === undefined ? {} : { profile: cell.profile }),
    seed: cell?.seed ?? '',
    ok: false,
    failure,
    steps: [],
    checks: [],
    policies: { before: new Map(), after: new Map(), diff: [] },
    timeline: [],
    traceEntries: 0,
    traceSha256: '',
    durationMs: 0,
    virtualMs: 0,
  };
}
