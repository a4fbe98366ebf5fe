import { Worker } from 'node:worker_threads';

/**
 * A thread that runs the module `name` beside the one that asks (`from`: its `import.meta.url`). Run from the sources, it needs the
 * TypeScript loader that only the main thread was started with.
 */
export function ownThread(from: string, name: string, workerData: unknown): Worker {
  if (from.endsWith('.js')) return new Worker(new URL(`./${name}.js`, from), { workerData });
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL(`./${name}.ts`, from).href);
  const text = `import(${tsx}).then(({ register }) => { register(); return import(${entry}); });`;
  return new Worker(text, { eval: true, execArgv: [], workerData });
}
