import { readFile } from 'node:fs/promises';
import { dirname, extname, relative, resolve } from 'node:path';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import { loadDefaultExport } from '../sdk/load.ts';
import { parseText } from './parse.ts';
import { Problems } from './problems.ts';
import { nodeOf, type SourceNode } from './source-node.ts';

const PROGRAM = /^\.m?[tj]s$/i;

/** A scenario file that was read and not yet checked. */
export interface ScenarioSource {
  /** As people see it: relative to where they are. */
  readonly file: string;
  /** Absolute; paths in the file start here. */
  readonly folder: string;
  readonly node: SourceNode;
}

/**
 * Reads a scenario: YAML, JSON, or a TypeScript or JavaScript module whose default export has the same shape. Throws
 * `NOT_FOUND` when there is no such file, `INVALID_ARGUMENT` with line and column when it cannot be read,
 * `EXTENSION_INVALID` when a module cannot be loaded.
 */
export async function loadScenario(path: string, cwd: string): Promise<ScenarioSource> {
  const absolute = resolve(cwd, path);
  const file = relative(cwd, absolute) || path;
  const folder = dirname(absolute);
  if (PROGRAM.test(extname(absolute))) {
    return { file, folder, node: nodeOf(await loadModule(absolute, file)) };
  }
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (cause) {
    const why = (cause as { code?: string }).code === 'ENOENT' ? 'no such file' : String(cause);
    throw new ExtSwitchError('NOT_FOUND', `scenario ${file}: ${why}`, { file }, { cause });
  }
  const problems = new Problems(file);
  const node = parseText(text, problems);
  problems.throwIfAny();
  if (node === undefined) throw new ExtSwitchError('INVALID_ARGUMENT', `${file}: it is empty`);
  return { file, folder, node };
}

/** The default export of a module that is no extension: what is wrong with it is said of the scenario. */
async function loadModule(absolute: string, file: string): Promise<unknown> {
  try {
    return await loadDefaultExport(absolute, dirname(absolute));
  } catch (cause) {
    const prefix = `extension ${absolute}: `;
    if (!isExtSwitchError(cause) || !cause.message.startsWith(prefix)) throw cause;
    const reason = cause.message.slice(prefix.length).replaceAll(absolute, file);
    throw new ExtSwitchError(cause.code, `scenario ${file}: ${reason}`, cause.place, { cause });
  }
}
