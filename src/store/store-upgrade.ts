import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkDataFile, DATA_FILE, FOLDER_MODE, syncPath } from './data-file.ts';
import { type Environment, META_KEY } from './lmdb-environment.ts';
import { decodePlain, sealRecord } from './record.ts';
import {
  encodeFormatRecord,
  type FormatRecord,
  productVersion,
  STORE_FORMAT,
} from './store-format.ts';
import { prefixBounds } from './store-key.ts';

/** The copy of a store that was upgraded, as it was before: `data.format-1.mdb`. */
function formatBackupName(format: number): string {
  return `data.format-${format}.mdb`;
}

/**
 * Brings a store of format 1 to {@link STORE_FORMAT}: first a copy of the data file beside it, then all records in one
 * transaction. Killed at any moment, the store is of one format or the other and has every record.
 *
 * Throws `STORE_CORRUPT` naming the key of a record that cannot be read, and what the disk refuses; the store is then as
 * it was.
 */
export async function upgradeStore(
  path: string,
  environment: Environment,
  record: FormatRecord,
): Promise<void> {
  await keepOld(path, environment, record.format);
  const upgraded: FormatRecord = {
    format: STORE_FORMAT,
    product: record.product,
    created: record.created,
    upgraded: { from: record.format, product: productVersion(), at: new Date().toISOString() },
  };
  const keys = [...environment.getKeys(prefixBounds(''))];
  environment.transactionSync(() => {
    for (const key of keys) {
      const value = environment.getBinary(key) as Buffer;
      // What cannot be read must not get a checksum that says it is whole.
      decodePlain(key, value, value.length, path);
      environment.putSync(key, sealRecord(key, value));
    }
    environment.putSync(META_KEY, encodeFormatRecord(upgraded));
  });
}

/** The copy appears whole or not at all; one of an earlier attempt is older than the store and is replaced. */
async function keepOld(path: string, environment: Environment, format: number): Promise<void> {
  const name = formatBackupName(format);
  const folder = join(path, `${name}.new`);
  rmSync(folder, { recursive: true, force: true });
  try {
    mkdirSync(folder, FOLDER_MODE);
    await environment.backup(folder, true);
    checkDataFile(folder);
    const copy = join(folder, DATA_FILE);
    chmodSync(copy, 0o600);
    syncPath(copy);
    renameSync(copy, join(path, name));
    syncPath(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
