import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';

/** `HOST_UNREACHABLE` about `host`. */
export function unreachable(host: string, message: string, cause?: unknown): ExtSwitchError {
  return new ExtSwitchError(
    'HOST_UNREACHABLE',
    message,
    { member: 'host', found: host },
    cause === undefined ? {} : { cause },
  );
}

/** What the other host said stays as it is; what the network said names host and question. */
export function asUnreachable(error: unknown, host: string, what: string): unknown {
  if (error instanceof ExtSwitchError) return error;
  const why = whyNot(error);
  return unreachable(host, `${what}: ${why}`, error);
}

function whyNot(error: unknown): string {
  if (error instanceof TimeoutError) return 'no answer in time';
  if (error instanceof NoRespondersError) return 'nobody answers there';
  if (error instanceof RequestError && error.isNoResponders()) return 'nobody answers there';
  return error instanceof Error ? error.message : String(error);
}
