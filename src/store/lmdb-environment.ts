import { open, type RootDatabase } from 'lmdb';

/**
 * The LMDB environment of a store: string keys, records as bytes. `get` and `getRange` give a {@link LentRecord}, `put`
 * takes bytes.
 */
export type Environment = RootDatabase<unknown, string>;

/**
 * The bytes of the record read last, in a buffer of lmdb's own that is longer than the record and changes with the next
 * read of any environment. There is one such object: whoever reads takes out what is needed at once.
 */
export interface LentRecord {
  bytes: Buffer;
  lengthBytes: number;
}

/** Keys of a store are printable, so no key of a caller can be this one, and it sorts before all of them. */
export const META_KEY = '\0meta';

export interface EnvironmentOptions {
  /** `path` is a file, not a folder. */
  readonly singleFile?: boolean;
  /** Nothing is written but LMDB's reader table. */
  readonly readOnly?: boolean;
  /** Address space for a file that may grow while it is read, in bytes. */
  readonly mapBytes?: number;
}

/**
 * Opens (or makes) the environment at `path`.
 *
 * Each commit is flushed to the disk before its promise resolves: `overlappingSync` would resolve it before. Records are
 * encoded by the store, not by the msgpackr copy that lmdb carries. Batches are the store's own: with lmdb's
 * `eventTurnBatching` a failed commit would also reject a promise that nobody can see, which ends the process.
 */
export function openEnvironment(path: string, options: EnvironmentOptions = {}): Environment {
  return open({
    path,
    noSubdir: options.singleFile === true,
    readOnly: options.readOnly === true,
    ...(options.mapBytes === undefined ? {} : { mapSize: options.mapBytes }),
    maxDbs: 1,
    overlappingSync: false,
    eventTurnBatching: false,
    encoding: 'binary',
    permissionsMode: 0o600,
    keyEncoder: KEY_ENCODER,
    encoder: {
      encode: (bytes: Uint8Array) => bytes,
      decode: (bytes: Buffer, lengthBytes?: number): LentRecord => {
        LENT.bytes = bytes;
        LENT.lengthBytes = lengthBytes ?? bytes.length;
        return LENT;
      },
    },
  } as Parameters<typeof open>[0]) as Environment;
}

const LENT: LentRecord = { bytes: Buffer.alloc(0), lengthBytes: 0 };

/** Keys are ASCII (checked by the store), stored as they are, so LMDB's byte order is the order of the contract. */
const KEY_ENCODER = {
  writeKey(key: string, target: Buffer, start: number): number {
    return start + target.write(key, start, 'latin1');
  },
  readKey(source: Buffer, start: number, end: number): string {
    return source.toString('latin1', start, end);
  },
};
