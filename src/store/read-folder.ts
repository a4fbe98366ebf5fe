import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checkDataFile, DATA_FILE, LOCK_FILE } from './data-file.ts';
import { ensureLockFile, FolderInUse, type FolderLease, leaseFolder } from './folder-lease.ts';
import { type Environment, openEnvironment } from './lmdb-environment.ts';
import { storeFault } from './store-fault.ts';
import { damagedStore, type FormatRecord, readFormatRecord } from './store-format.ts';

/** A store folder opened for reading beside the server that may be using it. */
export interface ReadFolder {
  readonly environment: Environment;
  readonly format: FormatRecord;
  /** Another process has it open and may be writing. */
  readonly isInUse: boolean;
  close(): Promise<void>;
}

/** Address space for what a busy server adds while the file is read. */
const MAP_SPARE_BYTES = 1 << 30;

/**
 * Opens the store in `path` (absolute) for reading; nothing in it is changed. While a server has it, LMDB's snapshots
 * keep both apart; while none has it, it is leased, so that none starts.
 *
 * Errors name the folder: `STORE_UNAVAILABLE` (no such folder, no access, in use by this very process), `STORE_VERSION`,
 * `STORE_CORRUPT`.
 */
export async function readFolder(path: string): Promise<ReadFolder> {
  let lease: FolderLease | undefined;
  try {
    const file = join(path, DATA_FILE);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) throw noStore(path);
    const { isInUse, lease: taken } = await leaseIfFree(path);
    lease = taken;
    // A server checked its file when it opened it; while it writes, the pages on the disk are of several states.
    if (!isInUse) checkDataFile(path);
    const environment = openEnvironment(path, {
      readOnly: true,
      mapBytes: statSync(file).size + MAP_SPARE_BYTES,
    });
    const close = async (): Promise<void> => {
      await environment.close();
      await lease?.release();
    };
    try {
      return { environment, format: readFormatRecord(environment, path), isInUse, close };
    } catch (cause) {
      await environment.close();
      throw cause;
    }
  } catch (cause) {
    await lease?.release();
    throw storeFault('read', path, cause);
  }
}

/** A medium that cannot be written to holds stores too, and no server can have opened one there. */
async function leaseIfFree(path: string): Promise<{ isInUse: boolean; lease?: FolderLease }> {
  try {
    const lease = await leaseFolder(path);
    ensureLockFile(join(path, LOCK_FILE));
    return { isInUse: false, lease };
  } catch (cause) {
    // Two environments of one process on one folder would be the same one.
    if (cause instanceof FolderInUse && !cause.isOwn) return { isInUse: true };
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EROFS' || code === 'EACCES') return { isInUse: false };
    throw cause;
  }
}

function noStore(path: string): Error {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return damagedStore(path, `${DATA_FILE} is missing`);
  const found = stat === undefined ? 'there is no such folder' : 'it is not a folder';
  return Object.assign(new Error(`${found}: give the folder of a store`), { code: undefined });
}
