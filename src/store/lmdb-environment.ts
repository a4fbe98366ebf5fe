import { open, type RootDatabase } from 'lmdb';
import type { StoreValue } from './store.ts';
import { decodeValue } from './value-codec.ts';

/** The LMDB environment of a store: string keys, values already encoded on the way in and decoded on the way out. */
export type Environment = RootDatabase<unknown, string>;

/** Keys of a store are printable, so no key of a caller can be this one, and it sorts before all of them. */
export const META_KEY = '\0meta';

/**
 * Opens (or makes) the environment at `path`: a folder, or with `singleFile` a file. `place` is named in errors about
 * unreadable records.
 *
 * Each commit is flushed to the disk before its promise resolves: `overlappingSync` would resolve it before. The value
 * codec is ours, not the msgpackr copy that lmdb carries. Batches are the store's own: with lmdb's `eventTurnBatching` a
 * failed commit would also reject a promise that nobody can see, which ends the process.
 */
export function openEnvironment(path: string, place: string, singleFile = false): Environment {
  return open({
    path,
    noSubdir: singleFile,
    maxDbs: 1,
    overlappingSync: false,
    eventTurnBatching: false,
    encoding: 'binary',
    permissionsMode: 0o600,
    keyEncoder: KEY_ENCODER,
    encoder: {
      encode: (bytes: Uint8Array) => bytes,
      // lmdb lends a buffer of its own, longer than the value; the codec copies what it keeps.
      decode: (bytes: Buffer, lengthBytes?: number): StoreValue =>
        decodeValue(bytes, lengthBytes ?? bytes.length, place),
    },
  } as Parameters<typeof open>[0]) as Environment;
}

/** Keys are ASCII (checked by the store), stored as they are, so LMDB's byte order is the order of the contract. */
const KEY_ENCODER = {
  writeKey(key: string, target: Buffer, start: number): number {
    return start + target.write(key, start, 'latin1');
  },
  readKey(source: Buffer, start: number, end: number): string {
    return source.toString('latin1', start, end);
  },
};
