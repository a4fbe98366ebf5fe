import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ExtSwitchError } from '../core/errors.ts';
import { definedAt } from '../sdk/define.ts';
import type { ExtensionDefinition } from '../sdk/extension.ts';
import { IsolatedWorker, type WorkerLimits } from './isolated-worker.ts';

/**
 * The definition an extension's module exports, learned by loading it in a worker: this thread never runs a line of it, so that a
 * module that does not come to its end when it is loaded stops nothing. It runs only in worlds that isolate it. Paths are
 * relative to `cwd`. Throws `EXTENSION_INVALID` or `EXTENSION_FAILED`.
 */
export async function loadIsolated(
  path: string,
  cwd: string,
  limits: WorkerLimits,
): Promise<ExtensionDefinition> {
  const file = path.startsWith('file:') ? fileURLToPath(path) : resolve(cwd, path);
  const nothing = (): undefined => undefined;
  const worker = new IsolatedWorker(
    pathToFileURL(file).href,
    undefined,
    `extension ${path}`,
    limits,
    {
      serve: () => {
        throw new Error('nothing is served while a module is looked at');
      },
      released: nothing,
      pended: nothing,
      stray: nothing,
      ended: nothing,
    },
  );
  try {
    const { origin, ...facts } = await worker.ready;
    const attach = (): never => {
      throw new ExtSwitchError(
        'EXTENSION_FAILED',
        `${facts.name} was loaded to be isolated, and this world does not isolate it`,
        { extensionId: facts.id },
      );
    };
    return definedAt({ ...facts, attach }, origin);
  } finally {
    await worker.close();
  }
}
