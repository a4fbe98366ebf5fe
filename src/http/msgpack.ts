import { Packr, Unpackr } from 'msgpackr';
import { ExtSwitchError } from '../core/errors.ts';
import { checkMessagePack } from './msgpack-scan.ts';

export const MESSAGE_PACK = 'application/msgpack';

/* useRecords: false keeps msgpackr's own record extension out of bytes that leave the process. */
const packer = new Packr({ useRecords: false, variableMapSize: true, largeBigIntToString: true });
const unpacker = new Unpackr({ useRecords: false, mapsAsObjects: true });

/** The bytes of a value: `bigint` as int64 or uint64, `Uint8Array` as bin. The result is the caller's. */
export function packValue(value: unknown): Buffer {
  return packer.pack(value);
}

/** Value of bytes made by {@link packValue}. */
export function unpackValue(bytes: Uint8Array): unknown {
  return unpacker.unpack(bytes);
}

/**
 * Value of a request body; `undefined` when it is empty. Integers up to 2^53 are numbers however they were encoded,
 * larger ones `bigint`. Every byte is looked at before decoding ({@link checkMessagePack}), because msgpackr takes the
 * byte 0xC1, trusts array lengths and recurses as deep as it is told to. Throws `MALFORMED`.
 */
export function parseMessagePack(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const { has64Bit } = checkMessagePack(bytes);
  try {
    const value = unpacker.unpack(bytes);
    return has64Bit ? withSafeNumbers(value) : value;
  } catch (cause) {
    throw new ExtSwitchError('MALFORMED', 'the body is not MessagePack', {}, { cause });
  }
}

/** Clients may send any integer in 64 bits: the small ones become what JSON would have given. Changes `value`. */
function withSafeNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) value[i] = withSafeNumbers(value[i]);
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    const members = value as Record<string, unknown>;
    for (const name of Object.keys(members)) members[name] = withSafeNumbers(members[name]);
  }
  return value;
}
