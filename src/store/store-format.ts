import { createRequire } from 'node:module';
import { ExtSwitchError } from '../core/errors.ts';
import { type Environment, META_KEY } from './lmdb-environment.ts';
import type { StoreValue } from './store.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/**
 * Number of the on-disk format this version writes. It reads 1 too, and upgrades it when it opens a folder:
 *
 * | format | records |
 * |---|---|
 * | 1 | MessagePack |
 * | 2 | MessagePack and a checksum (record.ts) |
 */
export const STORE_FORMAT = 2;

/** The store's record about itself. It has no checksum in any format, so that every version can read the number. */
export interface FormatRecord {
  readonly format: number;
  /** Version of extswitch that made the folder. */
  readonly product: string;
  /** ISO 8601. */
  readonly created: string;
  /** Format it had before this one, the version that upgraded it, and when. */
  readonly upgraded?: { readonly from: number; readonly product: string; readonly at: string };
}

export function newFormatRecord(): FormatRecord {
  return { format: STORE_FORMAT, product: productVersion(), created: new Date().toISOString() };
}

/** Bytes of the record under {@link META_KEY}. */
export function encodeFormatRecord(record: FormatRecord): Uint8Array {
  return encodeValue('meta', record as unknown as StoreValue);
}

/**
 * The format record of an environment. Throws `STORE_VERSION` for a format newer than {@link STORE_FORMAT} and
 * `STORE_CORRUPT` when there is none, naming `path`.
 */
export function readFormatRecord(environment: Environment, path: string): FormatRecord {
  const bytes = environment.getBinary(META_KEY);
  const record = bytes === undefined ? undefined : decoded(bytes);
  const format = record?.['format'];
  if (record === undefined || !Number.isInteger(format) || Number(format) < 1) {
    throw damagedStore(
      path,
      'data.mdb has no extswitch store record; another program may have written it',
    );
  }
  if (Number(format) > STORE_FORMAT) {
    throw new ExtSwitchError(
      'STORE_VERSION',
      `cannot open the store in ${path}: it has format ${Number(format)}, written by extswitch ` +
        `${String(record['product'] ?? 'of an unknown version')}; this is extswitch ${productVersion()}, which reads ` +
        `format ${STORE_FORMAT} and older: use that version, or another folder`,
      { expected: `format ${STORE_FORMAT}`, found: `format ${Number(format)}` },
    );
  }
  return record as unknown as FormatRecord;
}

function decoded(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = decodeValue(bytes, bytes.length);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function productVersion(): string {
  // The package finds itself by name from the sources and from the compiled files alike.
  const manifest = createRequire(import.meta.url)('extswitch/package.json') as { version: string };
  return manifest.version;
}

/** `STORE_CORRUPT` about the folder as a whole. */
export function damagedStore(path: string, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_CORRUPT',
    `the store in ${path} is damaged: ${found}. Nothing was changed: put back a copy of the folder, or start with ` +
      'another one',
    { found },
  );
}
