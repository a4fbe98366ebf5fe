import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { ExtSwitchError } from '../core/errors.ts';
import {
  ensureLockFile,
  type FolderLease,
  LEASE_FILE,
  LEASE_LOCK_FILE,
  leaseFolder,
  linkIfAbsent,
} from './folder-lease.ts';
import { type Environment, META_KEY, openEnvironment } from './lmdb-environment.ts';
import { checkLmdbFile, emptyLmdbFile, LmdbFileDamage } from './lmdb-file.ts';
import { storeFault } from './store-fault.ts';
import { encodeValue } from './value-codec.ts';

/** Number of the on-disk format this version writes and reads. */
const STORE_FORMAT = 1;

const DATA_FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
const FOLDER_MODE = 0o700;

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
    lease = await leaseFolder(path);
    await makeDataFile(path);
    checkDataFile(path);
    ensureLockFile(join(path, LOCK_FILE));
    const environment = openEnvironment(path, path);
    try {
      checkFormat(path, environment.get(META_KEY));
    } catch (cause) {
      await environment.close();
      throw cause;
    }
    return {
      given,
      path,
      environment,
      reopen: () => openEnvironment(path, path),
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
    if (!stat.isFile()) throw damaged(path, `${name} is not a file`);
    accessSync(file, constants.R_OK | constants.W_OK);
  }
}

/**
 * Makes the data file where there is none. It is built aside and then linked into place, so that it is whole whenever
 * it is there: an empty or half-written one is always damage, never an unfinished beginning. The lock file comes after
 * it, so a lock file alone means that the data file was taken away.
 */
async function makeDataFile(path: string): Promise<void> {
  const file = join(path, DATA_FILE);
  if (existsSync(file)) return;
  if (existsSync(join(path, LOCK_FILE))) throw damaged(path, `${DATA_FILE} is missing`);
  const fresh = `${file}.new`;
  const freshLock = `${fresh}-lock`;
  // Left over when the process was killed in the middle of this; the lease says that nobody is at it now.
  rmSync(fresh, { force: true });
  try {
    writeFileSync(fresh, emptyLmdbFile(), { mode: 0o600 });
    ensureLockFile(freshLock);
    const environment = openEnvironment(fresh, path, true);
    try {
      environment.putSync(META_KEY, encodeValue('meta', newMeta()));
    } finally {
      await environment.close();
    }
    linkIfAbsent(fresh, file);
    syncFolder(path);
  } finally {
    rmSync(fresh, { force: true });
    rmSync(freshLock, { force: true });
  }
}

function newMeta() {
  return { format: STORE_FORMAT, product: productVersion(), created: new Date().toISOString() };
}

function productVersion(): string {
  // The package finds itself by name from the sources and from the compiled files alike.
  const manifest = createRequire(import.meta.url)('extswitch/package.json') as { version: string };
  return manifest.version;
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function checkDataFile(path: string): void {
  try {
    checkLmdbFile(join(path, DATA_FILE));
  } catch (cause) {
    if (cause instanceof LmdbFileDamage) throw damaged(path, `${DATA_FILE}: ${cause.message}`);
    throw cause;
  }
}

function checkFormat(path: string, meta: unknown): void {
  const record = typeof meta === 'object' && meta !== null ? meta : {};
  const format = 'format' in record ? record.format : undefined;
  if (format === STORE_FORMAT) return;
  if (meta === undefined || typeof format !== 'number') {
    throw damaged(
      path,
      `${DATA_FILE} has no extswitch store record; another program may have written it`,
    );
  }
  const product = 'product' in record ? String(record.product) : 'an unknown version';
  throw new ExtSwitchError(
    'STORE_VERSION',
    `cannot open the store in ${path}: it has format ${format}, written by extswitch ${product}; this is extswitch ` +
      `${productVersion()}, which reads format ${STORE_FORMAT}: use that version, or another folder`,
    { expected: `format ${STORE_FORMAT}`, found: `format ${format}` },
  );
}

function damaged(path: string, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_CORRUPT',
    `the store in ${path} is damaged: ${found}. Nothing was changed: put back a copy of the folder, or start with ` +
      'another one',
    { found },
  );
}
