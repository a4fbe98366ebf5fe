import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ExtSwitchError } from '../core/errors.ts';

/** Settings of policy classes, by class name. */
export type PolicySettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** `--settings FILE`: JSON like `{"Class": {"Member": 1}}`. Throws `INVALID_ARGUMENT` naming the file. */
export async function readPolicySettings(file: string, cwd: string): Promise<PolicySettings> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(resolve(cwd, file), 'utf8'));
  } catch (cause) {
    throw wrongSettings(file, (cause as Error).message, cause);
  }
  const isObject = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject(found) && Object.values(found as object).every(isObject))
    return found as PolicySettings;
  throw wrongSettings(file, 'expected an object of settings for each class');
}

function wrongSettings(file: string, why: string, cause?: unknown): ExtSwitchError {
  const options = cause === undefined ? undefined : { cause };
  return new ExtSwitchError('INVALID_ARGUMENT', `--settings ${file}: ${why}`, { file }, options);
}
