import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ExtSwitchError } from '../core/errors.ts';
import {
  checkDataFile,
  DATA_FILE,
  FOLDER_MODE,
  LOCK_FILE,
  syncPath,
  UNFINISHED_COPY,
} from './data-file.ts';
import { ensureLockFile, FolderInUse, type FolderLease, leaseFolder } from './folder-lease.ts';
import { type Environment, openEnvironment } from './lmdb-environment.ts';
import { readFolder } from './read-folder.ts';
import type { StoreReport } from './store.ts';
import { reportOn } from './store-check.ts';
import { storeFault } from './store-fault.ts';
import { readFormatRecord } from './store-format.ts';

/*
 * Copies of stores: backups and their restoring. A copy is made in `<to>.partial/unfinished-copy`, flushed, read from its
 * first record to its last, and only then renamed to `<to>`: so `<to>` is a whole store or not there, whenever the
 * process that makes it ends. The lease of `<to>.partial` tells a copy under way from one that was given up.
 */

export interface CopyOptions {
  /** A store at the destination is moved to `<to>.replaced-<time>` first, instead of being an error. */
  readonly replace?: boolean;
}

/**
 * Copies the store in `from` to `to`, also while a server has `from`: the copy is its state between two commits. `to` must
 * be missing or an empty folder.
 *
 * Throws `ALREADY_EXISTS` when something is at `to`, `STORE_CORRUPT` when `from` has a damaged record (named), and the
 * errors of opening a store; nothing is then at `to`.
 */
export async function copyStore(
  from: string,
  to: string,
  options: CopyOptions = {},
): Promise<StoreReport> {
  const source = await readFolder(resolve(from));
  try {
    return await makeCopy(to, (folder) => copyEnvironment(source.environment, folder), options);
  } finally {
    await source.close();
  }
}

/** LMDB's own hot copy of an open environment, without its free pages, into the existing folder. */
export function copyEnvironment(environment: Environment, folder: string): Promise<void> {
  return environment.backup(folder, true);
}

/** Has `fill` make a data file in a folder it is given, and puts that folder at `given` when it proves whole. */
export async function makeCopy(
  given: string,
  fill: (folder: string) => Promise<void>,
  options: CopyOptions = {},
): Promise<StoreReport> {
  const to = resolve(given);
  const partial = `${to}.partial`;
  let lease: FolderLease | undefined;
  let isOurs = false;
  try {
    if (options.replace !== true) checkFree(to);
    isOurs = mkdirSync(partial, { recursive: true, mode: FOLDER_MODE }) !== undefined;
    lease = await leaseFolder(partial);
    const folder = join(partial, UNFINISHED_COPY);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, FOLDER_MODE);
    await fill(folder);
    const report = await prove(folder, to);
    await putInPlace(folder, to, options);
    return report;
  } catch (cause) {
    // Without the lease, what is there may be another's copy under way.
    if (lease === undefined && isOurs && !(cause instanceof FolderInUse)) {
      rmSync(partial, { recursive: true, force: true });
    }
    throw storeFault('make', to, cause);
  } finally {
    if (lease !== undefined) {
      await lease.release();
      rmSync(partial, { recursive: true, force: true });
    }
  }
}

/** Flushes the copy and reads all of it; leaves its data file only. */
async function prove(folder: string, to: string): Promise<StoreReport> {
  const file = join(folder, DATA_FILE);
  chmodSync(file, 0o600);
  syncPath(file);
  checkDataFile(folder);
  ensureLockFile(join(folder, LOCK_FILE));
  const environment = openEnvironment(folder, { readOnly: true });
  let report: StoreReport;
  try {
    report = await reportOn(environment, readFormatRecord(environment, folder), to, false);
  } finally {
    await environment.close();
  }
  const [first] = report.damaged;
  if (first !== undefined) {
    throw new ExtSwitchError(
      'STORE_CORRUPT',
      `there is no copy at ${to}: ${report.damaged.length} of ${report.records} records of the store are damaged, the ` +
        `first is ${JSON.stringify(first.key)}: ${first.found}`,
      { member: first.key, found: first.found },
    );
  }
  for (const name of readdirSync(folder)) {
    if (name !== DATA_FILE) rmSync(join(folder, name), { force: true });
  }
  syncPath(folder);
  return report;
}

async function putInPlace(folder: string, to: string, options: CopyOptions): Promise<void> {
  if (options.replace === true && !isFree(to)) await moveAway(to);
  checkFree(to);
  if (existsSync(to)) rmdirSync(to);
  renameSync(folder, to);
  syncPath(dirname(to));
}

/** The lease proves that nobody uses what is moved. */
async function moveAway(to: string): Promise<void> {
  const lease = await leaseFolder(to);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  await lease.release();
  renameSync(to, `${to}.replaced-${stamp}`);
}

function isFree(to: string): boolean {
  return !existsSync(to) || readdirSync(to).length === 0;
}

function checkFree(to: string): void {
  if (isFree(to)) return;
  throw new ExtSwitchError(
    'ALREADY_EXISTS',
    `${to} is there already and is not empty: give a folder that is not there yet`,
    { expected: 'a missing or empty folder', found: 'a folder with files' },
  );
}
