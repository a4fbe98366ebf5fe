import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { harmless, type Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { type ReportFormat, reportFormatOf } from './report-format.ts';

/** A file of `--report`. */
export interface ReportFile {
  readonly path: string;
  readonly format: ReportFormat;
}

/** The files of `--report`, with folders that are there: a long run must not end in a path that cannot be. */
export async function reportFiles(
  paths: readonly string[],
  cwd: string,
  verb: string,
): Promise<readonly ReportFile[]> {
  const files = paths.map((path) => ({ path, format: reportFormatOf(path, verb) }));
  for (const { path } of files) {
    const full = resolve(cwd, path);
    const folder = await stat(dirname(full)).catch(() => undefined);
    if (folder?.isDirectory() !== true) {
      throw new UsageError(`--report ${path}: there is no folder ${dirname(path)}`, verb);
    }
    const there = await stat(full).catch(() => undefined);
    if (there?.isDirectory() === true) {
      throw new UsageError(`--report ${path}: it is a folder`, verb);
    }
  }
  return files;
}

/** False when a file could not be written: the others are. */
export async function writeReports(
  files: readonly ReportFile[],
  text: (format: ReportFormat) => string,
  terminal: Terminal,
): Promise<boolean> {
  let ok = true;
  for (const { path, format } of files) {
    try {
      await writeFile(resolve(terminal.cwd, path), text(format));
    } catch (error) {
      ok = false;
      terminal.note(harmless(`--report ${path}: not written: ${(error as Error).message}`));
    }
  }
  return ok;
}
