import type { StoreValue } from '../store/store.ts';
import { decodeValue, encodeValue } from '../store/value-codec.ts';

/** A question or an answer on the wire: the body itself, or the name of the parcel that holds it. */
export interface Envelope {
  readonly from?: string;
  readonly body?: Uint8Array;
  readonly parcel?: string;
  readonly error?: StoreValue;
}

export function sealEnvelope(envelope: Envelope): Uint8Array {
  return encodeValue('message', envelope as StoreValue);
}

/** `undefined` for bytes that are no envelope. */
export function openEnvelope(bytes: Uint8Array): Envelope | undefined {
  let value: StoreValue;
  try {
    value = decodeValue(bytes, bytes.length);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { from, body, parcel, error } = value as Readonly<Record<string, StoreValue | undefined>>;
  return {
    ...(typeof from === 'string' ? { from } : {}),
    ...(body instanceof Uint8Array ? { body } : {}),
    ...(typeof parcel === 'string' ? { parcel } : {}),
    ...(error === undefined ? {} : { error }),
  };
}
