import { ERROR_CODES, type ErrorCode, ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { Result } from './route.ts';

/** Fastify's own errors, by its code (docs/Reference/Errors.md), with ours and what a client can do about it. */
const FASTIFY_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['TOO_LARGE', 'the body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UNSUPPORTED_MEDIA_TYPE',
    'send Content-Type: application/json or application/msgpack (text/plain for MOF)',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'MALFORMED',
    'the body is not as long as Content-Length says',
  ],
  FST_ERR_BAD_URL: ['MALFORMED', 'the path has a malformed percent escape'],
  FST_ERR_ASYNC_CONSTRAINT: ['MALFORMED', 'the request cannot be routed'],
};

/** Body of `application/problem+json` (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [member: string]: unknown;
}

/** The problem of an error. `unknown` is called with what is not ours, so that it gets logged; nothing of it is told. */
export function problemOf(
  error: unknown,
  errorId: string,
  unknown: (error: unknown) => void,
): Problem {
  const known = asKnown(error);
  if (known !== undefined) {
    const place = known.place;
    return {
      type: `urn:extswitch:error:${known.code}`,
      title: known.title,
      status: known.httpStatus,
      detail: known.message,
      ...place,
    };
  }
  unknown(error);
  return {
    type: 'urn:extswitch:error:INTERNAL',
    title: ERROR_CODES.INTERNAL.title,
    status: 500,
    detail: `the server failed; its log tells more under error ${errorId}`,
    errorId,
  };
}

/** The same as a handler's result. */
export function problemResult(problem: Problem): Result {
  return { status: problem.status, body: problem, problem: true };
}

function asKnown(error: unknown): ExtSwitchError | undefined {
  if (isExtSwitchError(error)) return error.code in ERROR_CODES ? error : undefined;
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  const mapped = typeof code === 'string' ? FASTIFY_ERRORS[code] : undefined;
  if (mapped !== undefined) return new ExtSwitchError(mapped[0], mapped[1]);
  // Streams that break off while the body is read.
  if (statusCode === 400) return new ExtSwitchError('MALFORMED', 'the request could not be read');
  return undefined;
}
