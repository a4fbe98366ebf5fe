import type { StoreValue } from '../store/store.ts';
import { decodeValue, encodeValue } from '../store/value-codec.ts';

/** A question or an answer on the wire: the body itself, or the name of the parcel that holds it. */
export interface Envelope {
  /** The host that sends it, and its epoch: what a process says that is the host no more is refused. */
  readonly from?: string;
  readonly epoch?: number;
  /** Of a question: its number among those of the process that asks. Asked again it is the same, without a body once it was heard. */
  readonly id?: number;
  /** Lowest number whose answer is waited for: what lies below need not be remembered. */
  readonly open?: number;
  readonly body?: Uint8Array;
  readonly parcel?: string;
  readonly error?: StoreValue;
  /** In place of an answer: it was heard, and is being answered. */
  readonly isHeard?: boolean;
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
  const fields = value as Readonly<Record<string, StoreValue | undefined>>;
  const { from, epoch, id, open, body, parcel, error, isHeard } = fields;
  return {
    ...(typeof from === 'string' ? { from } : {}),
    ...(isCount(epoch) ? { epoch } : {}),
    ...(isCount(id) ? { id } : {}),
    ...(isCount(open) ? { open } : {}),
    ...(body instanceof Uint8Array ? { body } : {}),
    ...(typeof parcel === 'string' ? { parcel } : {}),
    ...(error === undefined ? {} : { error }),
    ...(isHeard === true ? { isHeard } : {}),
  };
}

function isCount(value: StoreValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
