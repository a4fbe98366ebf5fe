import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
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
import {
  ensureLockFile,
  type FolderLease,
  LEASE_FILE,
  LEASE_LOCK_FILE,
  leaseFolder,
  linkIfAbsent,
} from './folder-lease.ts';
import { type Environment, META_KEY, openEnvironment } from './lmdb-environment.ts';
import { emptyLmdbFile } from './lmdb-file.ts';
import { storeFault } from './store-fault.ts';
import {
  damagedStore,
  encodeFormatRecord,
  newFormatRecord,
  readFormatRecord,
  STORE_FORMAT,
} from './store-format.ts';
import { upgradeStore } from './store-upgrade.ts';

/** A store folder that was checked, is leased to this process and has its environment open. */
export interface StoreFolder {
  /** As it was given. */
  readonly given: string;
  /** Absolute path. */
  readonly path: string;
  readonly environment: Environment;
  /** Opens the environment again, once the one before is closed. */
  reopen(): Environment;
  /** Gives the folder back; the environment must be closed. */
  release(): Promise<void>;
}

/** Makes the folder or checks what is in it, and opens it; errors as of `openLmdbStore`. */
export async function openFolder(given: string): Promise<StoreFolder> {
  const path = resolve(given);
  let made: string | undefined;
  let lease: FolderLease | undefined;
  try {
    made = makeFolder(path);
    checkAccess(path);
    checkFinished(path);
    lease = await leaseFolder(path);
    await makeDataFile(path);
    checkDataFile(path);
    ensureLockFile(join(path, LOCK_FILE));
    const environment = openEnvironment(path);
    try {
      const record = readFormatRecord(environment, path);
      if (record.format < STORE_FORMAT) await upgradeStore(path, environment, record);
    } catch (cause) {
      await environment.close();
      throw cause;
    }
    return {
      given,
      path,
      environment,
      reopen: () => openEnvironment(path),
      release: () => (lease as FolderLease).release(),
    };
  } catch (cause) {
    await lease?.release();
    if (made !== undefined) removeEmpty(path, made);
    throw storeFault('open', path, cause);
  }
}

/** The first folder that had to be made, or `undefined` when all were there. */
function makeFolder(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return makeMissing(path);
  if (stat.isDirectory()) return undefined;
  throw new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `cannot open the store in ${path}: it is not a folder; choose another path, or move that file away`,
    { expected: 'a folder', found: 'a file' },
  );
}

/** `mkdir -p` that says EROFS or EACCES where Node's own says ENOENT. */
function makeMissing(path: string): string {
  const parent = dirname(path);
  const made = existsSync(parent) ? undefined : makeMissing(parent);
  try {
    mkdirSync(path, FOLDER_MODE);
  } catch (cause) {
    // Another server made it in the same moment.
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
  }
  return made ?? path;
}

/**
 * Removes the folders from `path` up to `made` as far as they are empty: another server may have begun to use the folder
 * that this one made, so nothing that has content is ever removed.
 */
function removeEmpty(path: string, made: string): void {
  try {
    for (let folder = path; folder.length >= made.length; folder = dirname(folder)) {
      rmdirSync(folder);
    }
  } catch {
    // Not empty, or not ours to remove.
  }
}

function checkAccess(path: string): void {
  accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const name of [DATA_FILE, LOCK_FILE, LEASE_FILE, LEASE_LOCK_FILE]) {
    const file = join(path, name);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (!stat.isFile()) throw damagedStore(path, `${name} is not a file`);
    accessSync(file, constants.R_OK | constants.W_OK);
  }
}

/** A folder that a copy was being made in (store-copy.ts) is no store, and must not become an empty one. */
function checkFinished(path: string): void {
  if (!existsSync(join(path, UNFINISHED_COPY))) return;
  throw new ExtSwitchError(
    'STORE_CORRUPT',
    `${path} is an unfinished backup or restore: the process that made it was ended. It is no store: remove it, and make ` +
      'the copy again',
    { found: `a folder ${UNFINISHED_COPY}` },
  );
}

/**
 * Makes the data file where there is none. It is built aside and then linked into place, so that it is whole whenever
 * it is there: an empty or half-written one is always damage, never an unfinished beginning. The lock file comes after
 * it, so a lock file alone means that the data file was taken away.
 */
async function makeDataFile(path: string): Promise<void> {
  const file = join(path, DATA_FILE);
  if (existsSync(file)) return;
  if (existsSync(join(path, LOCK_FILE))) throw damagedStore(path, `${DATA_FILE} is missing`);
  const fresh = `${file}.new`;
  const freshLock = `${fresh}-lock`;
  // Left over when the process was killed in the middle of this; the lease says that nobody is at it now.
  rmSync(fresh, { force: true });
  try {
    writeFileSync(fresh, emptyLmdbFile(), { mode: 0o600 });
    ensureLockFile(freshLock);
    const environment = openEnvironment(fresh, { singleFile: true });
    try {
      environment.putSync(META_KEY, encodeFormatRecord(newFormatRecord()));
    } finally {
      await environment.close();
    }
    linkIfAbsent(fresh, file);
    syncPath(path);
  } finally {
    rmSync(fresh, { force: true });
    rmSync(freshLock, { force: true });
  }
}
