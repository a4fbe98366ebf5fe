import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorPlace,
  ExtSwitchError,
  isExtSwitchError,
} from '../core/errors.ts';
import type { StoreValue } from '../store/store.ts';
import { encodeValue } from '../store/value-codec.ts';

/** An error as it travels to the host that asked: code, message and place; never a stack. */
export function errorToWire(error: unknown): StoreValue {
  if (!isExtSwitchError(error)) {
    return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
  }
  const { code, message, place } = error;
  const whole = { code, message, place: place as StoreValue };
  try {
    encodeValue('error', whole);
    return whole;
  } catch {
    // A place that cannot travel is no reason to lose the error itself.
    return { code, message };
  }
}

/** The error that {@link errorToWire} was given; one of a newer version, whose code is not known here, as `INTERNAL`. */
export function errorFromWire(wire: StoreValue | undefined, host: string): ExtSwitchError {
  const { code, message, place } = (typeof wire === 'object' && wire !== null ? wire : {}) as {
    readonly code?: StoreValue;
    readonly message?: StoreValue;
    readonly place?: StoreValue;
  };
  const text = typeof message === 'string' ? message : 'no message';
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) {
    const found = typeof code === 'string' ? code : 'no code';
    return new ExtSwitchError('INTERNAL', `host ${JSON.stringify(host)}: ${text} (${found})`, {
      found,
    });
  }
  const isPlace = typeof place === 'object' && place !== null && !Array.isArray(place);
  return new ExtSwitchError(code as ErrorCode, text, isPlace ? (place as ErrorPlace) : {});
}
