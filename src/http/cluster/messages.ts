import { ExtSwitchError } from '../../core/errors.ts';
import { packValue, unpackValue } from '../msgpack.ts';
import type { Result } from '../route.ts';

/** Question `http`: a request that another host answers. */
export interface Passing {
  readonly method: string;
  /** Path and query, as the client wrote them. */
  readonly url: string;
  /** Only those a route depends on: {@link PASSED_HEADERS}. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Its answer: what the other host would have sent. */
export interface Passed {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** Nothing was done: what the request is about is not there. */
  readonly isAbsent: boolean;
}

/** Question `http.whose`: who has it, or remembers what was answered under the key? */
export interface WhoseQuestion {
  readonly kind: SubjectKind;
  readonly text: string;
  readonly key?: string;
}
export interface WhoseAnswer {
  readonly claims: readonly Claim[];
  /** An answer is remembered under the Idempotency-Key. */
  readonly remembers: boolean;
}
/** A VM or migration that the text stands for. */
export interface Claim {
  readonly id: string;
  /** A migration is taking it away: when another host has it too, it is that host's. */
  readonly isLeaving: boolean;
}
/** `kept`: what a host keeps of the VM of a migration; source and destination may each. */
export type SubjectKind = 'vm' | 'migration' | 'kept';

/** Question `http.host`. */
export interface HostAnswer {
  readonly vms: number;
}

/** The headers of a request that go with it to another host. The token has been checked by then. */
export const PASSED_HEADERS = [
  'accept',
  'content-type',
  'if-match',
  'if-none-match',
  'idempotency-key',
] as const;

/** Marks, inside a process, a request that another host passed on; its value is known to nobody else. */
export const INSIDE_HEADER = 'extswitch-inside';
/** In the answer to such a request: {@link Passed.isAbsent}. */
export const ABSENT_HEADER = 'extswitch-absent';
/** In the answer to a client: the host that gave it, when it was another one. */
const HOST_HEADER = 'extswitch-host';

/** What belongs to one connection, or is between hosts only. */
const NOT_PASSED: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'date',
  ABSENT_HEADER,
]);

export function encodeMessage(
  message: Passing | Passed | WhoseQuestion | WhoseAnswer | HostAnswer,
) {
  return packValue(message);
}

/** What {@link encodeMessage} of the same version wrote; of another version: what both know. Throws `INTERNAL`. */
export function decodeMessage<T>(bytes: Uint8Array, what: string): T {
  try {
    const value = unpackValue(bytes);
    if (typeof value === 'object' && value !== null) return value as T;
  } catch {
    // Said below: other hosts run our own program, so this is one that is broken or much newer.
  }
  throw new ExtSwitchError('INTERNAL', `${what} is no message this version knows`);
}

/** Headers of an answer that go back to the client. */
export function passedHeaders(headers: Readonly<Record<string, unknown>>): string[] {
  const passed: string[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || NOT_PASSED.has(name)) continue;
    passed.push(name, String(value));
  }
  return passed;
}

/** The answer of `host` as what is sent to the client: the same bytes. */
export function passedResult(host: string, { status, headers, body }: Passed): Result {
  return { status, passed: { headers: [...headers, HOST_HEADER, host], body } };
}
