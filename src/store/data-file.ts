import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { checkLmdbFile, LmdbFileDamage } from './lmdb-file.ts';
import { damagedStore } from './store-format.ts';

/** Names LMDB gives to the two files of an environment. */
export const DATA_FILE = 'data.mdb';
export const LOCK_FILE = 'lock.mdb';
/** Where a copy is made before it gets its name (store-copy.ts). */
export const UNFINISHED_COPY = 'unfinished-copy';
export const FOLDER_MODE = 0o700;

/** Throws `STORE_CORRUPT` naming the folder when its data file cannot be trusted. Nobody may be writing to it. */
export function checkDataFile(folder: string): void {
  try {
    checkLmdbFile(join(folder, DATA_FILE));
  } catch (cause) {
    if (cause instanceof LmdbFileDamage) {
      throw damagedStore(folder, `${DATA_FILE}: ${cause.message}`);
    }
    throw cause;
  }
}

/** Flushes a file, or the names in a folder, to the disk. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
