import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ReportFormat, reportParts, type ScenarioOutcome } from '../../scenario/index.ts';
import type { Invocation } from '../command.ts';
import { UsageError } from '../usage-error.ts';

const FORMATS: Readonly<Record<string, ReportFormat>> = {
  html: 'html',
  xml: 'junit',
  json: 'json',
};

/** A file of `--report`. */
export interface ReportFile {
  /** Absolute. */
  readonly path: string;
  readonly format: ReportFormat;
}

/** The files of `--report`. Throws `USAGE` for one that cannot be written: before anything is played, not after. */
export async function reportFiles(call: Invocation, cwd: string): Promise<ReportFile[]> {
  const given = call.list('report');
  if (call.has('all-lines') && given.length === 0 && !call.has('json')) {
    throw new UsageError('--all-lines is about reports: give --report or --json too', 'run');
  }
  const files: ReportFile[] = [];
  for (const name of given) {
    const path = resolve(cwd, name);
    const format = FORMATS[/\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''];
    const problem =
      format === undefined
        ? 'expected a name that ends in .html, .xml or .json'
        : await unwritable(path);
    if (format === undefined || problem !== undefined) {
      throw new UsageError(`--report ${name}: ${problem}`, 'run');
    }
    files.push({ path, format });
  }
  return files;
}

async function unwritable(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return 'it is a folder';
  const folder = dirname(path);
  try {
    await access(found === undefined ? folder : path, constants.W_OK);
    return undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `there is no folder ${folder}` : `cannot be written (${code})`;
  }
}

/** Writes a report part by part. */
export async function writeReport(
  { path, format }: ReportFile,
  outcomes: readonly ScenarioOutcome[],
  allLines: boolean,
): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of reportParts(outcomes, format, { allLines })) await file.writeFile(part);
  } finally {
    await file.close();
  }
}
