import { crc32 } from 'node:zlib';
import { ExtSwitchError } from '../core/errors.ts';
import type { StoreValue } from './store.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/**
 * A record as it lies on the disk since format 2: the value's MessagePack bytes, then a CRC-32 (zlib, polynomial
 * 0xEDB88320) of the key's bytes and of these, four bytes, little endian. The key is part of it, so that a record that
 * turns up under another key is damage too.
 */
const SEAL_BYTES = 4;

/** Bytes of a record; `INVALID_ARGUMENT` when `value` cannot be stored. */
export function encodeRecord(key: string, value: StoreValue): Uint8Array {
  return sealRecord(key, encodeValue(key, value));
}

/** A record of value bytes that are encoded already. Keys are ASCII, so their UTF-8 is their bytes. */
export function sealRecord(key: string, value: Uint8Array): Buffer {
  const lengthBytes = value.length;
  const record = Buffer.allocUnsafe(lengthBytes + SEAL_BYTES);
  record.set(value);
  record.writeUInt32LE(crc32(value, crc32(key)), lengthBytes);
  return record;
}

/**
 * The value of the record in the first `lengthBytes` of `bytes`; nothing of `bytes` is kept. Throws `STORE_CORRUPT` naming
 * the key and `place` when the checksum is not that of key and value.
 */
export function decodeRecord(
  key: string,
  bytes: Buffer,
  lengthBytes: number,
  place: string,
): StoreValue {
  const valueBytes = lengthBytes - SEAL_BYTES;
  if (valueBytes <= 0) {
    throw damagedRecord(key, place, `it has ${lengthBytes} bytes, which is no record`);
  }
  const expected =
    (bytes[valueBytes] as number) |
    ((bytes[valueBytes + 1] as number) << 8) |
    ((bytes[valueBytes + 2] as number) << 16) |
    ((bytes[valueBytes + 3] as number) << 24);
  if ((crc32(bytes.subarray(0, valueBytes), crc32(key)) | 0) !== expected) {
    throw damagedRecord(key, place, `its ${valueBytes} bytes do not have the checksum they should`);
  }
  return decodePlain(key, bytes, valueBytes, place);
}

/** The value of a record of format 1, which has no checksum. */
export function decodePlain(
  key: string,
  bytes: Uint8Array,
  lengthBytes: number,
  place: string,
): StoreValue {
  try {
    return decodeValue(bytes, lengthBytes);
  } catch (cause) {
    const found = `its ${lengthBytes} bytes cannot be read: ${String(cause)}`;
    throw damagedRecord(key, place, found, { cause });
  }
}

function damagedRecord(
  key: string,
  place: string,
  found: string,
  options?: ErrorOptions,
): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_CORRUPT',
    `the store in ${place} is damaged: record ${JSON.stringify(key)}: ${found}. Restore a backup ` +
      '(extswitch store restore); extswitch store check names every damaged record',
    { member: key, found },
    options,
  );
}
