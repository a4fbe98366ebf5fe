import { parentPort, workerData } from 'node:worker_threads';
import { loadScenario } from './load.ts';
import { planScenario } from './plan.ts';
import { playCell } from './play-cell.ts';
import { groundMaker } from './store-option.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './worker-pool.ts';

/*
 * A thread that plays scenarios for WorkerPool, one at a time. It plans the file itself: a cell may hold what does not travel.
 */

/** Milliseconds between two lines about what goes on. */
const TELL_EVERY_MS = 50;

const { cwd, store, plan, tells } = workerData as WorkerOptions;
const makeGround = await groundMaker(store);
let toldAt = 0;

function tell(answer: FromWorker): void {
  parentPort?.postMessage(answer);
}

function progress(text: string): void {
  const now = performance.now();
  if (now - toldAt < TELL_EVERY_MS) return;
  toldAt = now;
  tell({ progress: text });
}

async function play({ file, cell: at, index }: ToWorker): Promise<void> {
  const cell = planScenario(await loadScenario(file, cwd), plan)[at];
  if (cell === undefined) throw new Error(`${file} has changed since it was planned`);
  const onProgress = tells ? progress : undefined;
  const outcome = await playCell(file, cell, cwd, () => makeGround(index), onProgress);
  tell({ outcome });
}

// What it throws ends the thread, with a reason.
parentPort?.on('message', (job: ToWorker) => void play(job));
