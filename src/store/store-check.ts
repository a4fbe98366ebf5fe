import { resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isExtSwitchError } from '../core/errors.ts';
import type { Environment, LentRecord } from './lmdb-environment.ts';
import { readFolder } from './read-folder.ts';
import { decodePlain, decodeRecord } from './record.ts';
import type { StoreReport } from './store.ts';
import type { FormatRecord } from './store-format.ts';
import { prefixBounds } from './store-key.ts';

/** Records read between two turns of the event loop. */
const RECORDS_A_TURN = 5_000;

/**
 * Reads every record of the store in `folder`, also while a server has it: as of one moment between two of its commits.
 * Damaged records are named in the report; a data file that cannot be trusted at all is an error (readFolder).
 */
export async function checkStore(folder: string): Promise<StoreReport> {
  const path = resolve(folder);
  const source = await readFolder(path);
  try {
    return await reportOn(source.environment, source.format, path, source.isInUse);
  } finally {
    await source.close();
  }
}

/** What an open environment holds. */
export async function reportOn(
  environment: Environment,
  format: FormatRecord,
  path: string,
  isInUse: boolean,
): Promise<StoreReport> {
  const decode = format.format === 1 ? decodePlain : decodeRecord;
  const kinds: Record<string, { records: number; bytes: number }> = {};
  const damaged: { key: string; found: string }[] = [];
  let records = 0;
  let bytes = 0;
  for (const { key, value } of environment.getRange(prefixBounds(''))) {
    const lent = value as LentRecord;
    records += 1;
    bytes += lent.lengthBytes;
    const kind = key.slice(0, Math.max(0, key.indexOf('/'))) || key;
    const count = kinds[kind] ?? { records: 0, bytes: 0 };
    kinds[kind] = count;
    count.records += 1;
    count.bytes += lent.lengthBytes;
    try {
      decode(key, lent.bytes, lent.lengthBytes, path);
    } catch (error) {
      damaged.push({
        key,
        found: isExtSwitchError(error) ? (error.place.found ?? '') : `${error}`,
      });
    }
    if (records % RECORDS_A_TURN === 0) await turn();
  }
  const { format: number, product, created } = format;
  return {
    folder: path,
    format: number,
    product,
    created,
    isInUse,
    records,
    bytes,
    kinds,
    damaged,
  };
}
