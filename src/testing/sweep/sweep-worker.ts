import { parentPort, workerData } from 'node:worker_threads';
import { loadExtension } from '../../sdk/load.ts';
import type { SweepSubject } from './subject.ts';
import { Sweep, type SweepOptions } from './sweep.ts';
import { extensionSubjects, extensionTarget } from './sweep-extension.ts';
import type { SweepReport } from './sweep-report.ts';
import { scenarioSubjects, scenarioTarget } from './sweep-scenario.ts';
import type { FromSweepThread, SweepJob, ToSweepThread } from './sweep-threads.ts';

/*
 * A thread of sweepInThreads. It loads what is swept itself: an extension does not travel.
 */

/** Milliseconds between two reports of what goes on. */
const TELL_EVERY_MS = 200;

interface Swept {
  readonly target: SweepReport['target'];
  readonly subjects: readonly SweepSubject[];
}

const job = workerData as SweepJob;
const swept = await load();
let toldAt = 0;

async function load(): Promise<Swept> {
  if (job.kind === 'scenario') {
    const { name, subjects } = await scenarioSubjects(job.file, job.options);
    return { target: scenarioTarget(name, job.options), subjects };
  }
  const extension = await loadExtension(job.file, job.cwd);
  return {
    target: extensionTarget(extension, job.options),
    subjects: extensionSubjects(extension, job.options),
  };
}

function tell(answer: FromSweepThread): void {
  parentPort?.postMessage(answer);
}

async function sweep({ subject: name, budgetMs }: ToSweepThread): Promise<void> {
  const options: SweepOptions = {
    ...job.options,
    ...(budgetMs === undefined ? {} : { budgetMs }),
    progress: (state) => {
      const now = performance.now();
      if (now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      tell({ progress: state });
    },
    interim: (report) => tell({ report, isOver: false }),
  };
  const one = new Sweep(swept.target, options);
  await one.subjects(swept.subjects.filter((each) => each.name === name));
  tell({ report: one.report(), isOver: true });
}

// What it throws ends the thread, with a reason.
parentPort?.on('message', (wanted: ToSweepThread) => void sweep(wanted));
