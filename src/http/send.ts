import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { jsonText } from './json-text.ts';
import { MESSAGE_PACK, packValue } from './msgpack.ts';
import type { Representation } from './negotiation.ts';
import type { Result } from './route.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** What every answer says about itself: not to be sniffed, framed, cached or told to others. */
export const SECURITY_HEADERS: readonly string[] = [
  'x-content-type-options',
  'nosniff',
  'content-security-policy',
  "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy',
  'no-referrer',
  'cache-control',
  'no-store',
];

const POLICY_AT = SECURITY_HEADERS.indexOf('content-security-policy') + 1;

/**
 * Writes a result. Fastify lets go of the reply (`hijack`): its serializers and header copies would do again what is
 * done here, and this is the whole of what a route sends. `extra` holds further name, value pairs.
 */
export function sendResult(
  reply: FastifyReply,
  result: Result,
  representation: Representation,
  extra: readonly string[] = [],
): void {
  const response = reply.raw;
  reply.hijack();
  if (result.passed !== undefined) {
    writeHead(response, result.status, [...result.passed.headers, ...extra]);
    response.end(result.passed.body);
    return;
  }
  if (result.stream !== undefined) {
    result.stream(response);
    return;
  }
  const headers: (string | number)[] = [];
  const payload = encode(result, representation, headers);
  if (payload === undefined) {
    if (result.status !== 204 && result.status !== 304) headers.push('content-length', 0);
  } else {
    headers.push('content-length', Buffer.byteLength(payload));
  }
  if (result.etag !== undefined) headers.push('etag', `"${result.etag}"`);
  if (result.location !== undefined) headers.push('location', result.location);
  const policy = result.text?.contentSecurityPolicy;
  for (let i = 0; i < SECURITY_HEADERS.length; i += 1) {
    headers.push(
      i === POLICY_AT && policy !== undefined ? policy : (SECURITY_HEADERS[i] as string),
    );
  }
  for (let i = 0; i < extra.length; i += 1) headers.push(extra[i] as string);
  writeHead(response, result.status, headers);
  response.end(payload);
}

/** Body text or bytes; pushes its Content-Type. */
function encode(
  result: Result,
  representation: Representation,
  headers: (string | number)[],
): string | Buffer | undefined {
  if (result.problem === true) {
    headers.push('content-type', PROBLEM_TYPE);
    return jsonText(result.body);
  }
  if (result.text !== undefined) {
    headers.push('content-type', result.text.mediaType);
    return result.text.content;
  }
  if (result.body === undefined) return undefined;
  if (representation === 'msgpack') {
    headers.push('content-type', MESSAGE_PACK, 'vary', 'Accept');
    return packValue(result.body);
  }
  headers.push('content-type', JSON_TYPE, 'vary', 'Accept');
  return jsonText(result.body);
}

/** Node takes a flat array of names and values; its types say so only for strings. */
function writeHead(response: ServerResponse, status: number, headers: (string | number)[]): void {
  response.writeHead(status, headers as unknown as string[]);
}
