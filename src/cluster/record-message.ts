import { ExtSwitchError } from '../core/errors.ts';

/*
 * A record of a host in the bucket `policies`: 20 bytes that say whose it is, then what is kept.
 *
 *   0  u8   version, 1
 *   1  u8   what follows: 0 the sealed record (src/store/record.ts), 1 the name of the object that has it, 2 nothing: deleted
 *   2  u16  zero
 *   4  f64  epoch of the process that wrote it, little endian
 *  12  f64  number of its commit, little endian
 */
const HEAD_BYTES = 20;
const VERSION = 1;

export type RecordContent =
  | { readonly sealed: Uint8Array }
  | { readonly object: string }
  | { readonly isDelete: true };

export interface RecordMessage {
  readonly epoch: number;
  /** Of the commit. */
  readonly number: number;
  readonly content: RecordContent;
}

export function encodeMessage(epoch: number, number: number, content: RecordContent): Uint8Array {
  const body =
    'sealed' in content
      ? content.sealed
      : 'object' in content
        ? Buffer.from(content.object, 'latin1')
        : undefined;
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + (body?.length ?? 0));
  bytes[0] = VERSION;
  bytes[1] = 'sealed' in content ? 0 : 'object' in content ? 1 : 2;
  bytes[2] = 0;
  bytes[3] = 0;
  bytes.writeDoubleLE(epoch, 4);
  bytes.writeDoubleLE(number, 12);
  if (body !== undefined) bytes.set(body, HEAD_BYTES);
  return bytes;
}

/** Throws `STORE_CORRUPT` or `STORE_VERSION`, naming `key` and `place`. The content is a view of `bytes`. */
export function decodeMessage(key: string, bytes: Uint8Array, place: string): RecordMessage {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = buffer[1];
  if (buffer.length < HEAD_BYTES || kind === undefined || kind > 2) {
    throw damaged(key, place, `${buffer.length} bytes that are no record`);
  }
  if (buffer[0] !== VERSION) {
    throw new ExtSwitchError(
      'STORE_VERSION',
      `record ${JSON.stringify(key)} in ${place}: expected version ${VERSION}, found ${buffer[0]}`,
      { expected: String(VERSION), found: String(buffer[0]) },
    );
  }
  const body = buffer.subarray(HEAD_BYTES);
  return {
    epoch: buffer.readDoubleLE(4),
    number: buffer.readDoubleLE(12),
    content:
      kind === 0
        ? { sealed: body }
        : kind === 1
          ? { object: body.toString('latin1') }
          : { isDelete: true },
  };
}

function damaged(key: string, place: string, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_CORRUPT',
    `the store in ${place} is damaged: record ${JSON.stringify(key)}: expected a record, found ${found}`,
    { found },
  );
}
