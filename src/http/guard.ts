import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ExtSwitchError } from '../core/errors.ts';
import { HostCheck } from './host-names.ts';
import { type RateLimit, RateLimiter } from './rate-limit.ts';

export interface GuardOptions {
  /** The address listened on, for the Host check; default `127.0.0.1`. */
  readonly host?: string;
  readonly allowedHosts?: readonly string[];
  /** Origins beside the plane's own that browsers may call from, e.g. `http://localhost:3000`. */
  readonly allowedOrigins?: readonly string[];
  /** Bearer token of every route but /healthz and /readyz. */
  readonly token?: string;
  readonly rateLimit?: RateLimit;
}

/** Generous: a test suite never meets it, a runaway loop does. */
const DEFAULT_RATE_LIMIT: RateLimit = { perSecond: 20_000, burst: 40_000 };

const OPEN_ROUTES: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** What every request passes before anything of it is read: Host, Origin, token, rate. Straight-line, no allocation. */
export class Guard {
  readonly #hosts: HostCheck;
  readonly #origins: ReadonlySet<string>;
  readonly #tokenDigest: Buffer | undefined;
  readonly #limiter: RateLimiter;

  constructor(options: GuardOptions) {
    this.#hosts = new HostCheck({
      host: options.host ?? '127.0.0.1',
      allowedHosts: options.allowedHosts ?? [],
    });
    this.#origins = new Set(options.allowedOrigins);
    this.#tokenDigest = options.token === undefined ? undefined : digest(options.token);
    this.#limiter = new RateLimiter(options.rateLimit ?? DEFAULT_RATE_LIMIT);
  }

  /** Why the request is refused, or `undefined`. `nowMs` is a monotonic clock. */
  check(request: IncomingMessage, nowMs: number): ExtSwitchError | undefined {
    const headers = request.headers;
    if (!this.#hosts.allows(headers.host)) {
      return new ExtSwitchError(
        'FORBIDDEN',
        'the Host header names none of the hosts this server answers for',
        { member: 'Host' },
      );
    }
    if (headers.origin !== undefined && !this.#allowsOrigin(headers.origin, headers.host)) {
      return new ExtSwitchError('FORBIDDEN', 'requests from pages of other origins are refused', {
        member: 'Origin',
      });
    }
    if (headers['sec-fetch-site'] === 'cross-site' && !this.#origins.has(headers.origin ?? '')) {
      return new ExtSwitchError('FORBIDDEN', 'requests from pages of other sites are refused', {
        member: 'Sec-Fetch-Site',
      });
    }
    const wait = this.#limiter.take(request.socket, nowMs);
    if (wait > 0) {
      return new ExtSwitchError('RATE_LIMITED', 'too many requests from this address', {
        expected: `retry after ${wait} s`,
      });
    }
    if (this.#tokenDigest !== undefined && !this.#authorized(request, this.#tokenDigest)) {
      return new ExtSwitchError('UNAUTHORIZED', 'send Authorization: Bearer <token>', {
        member: 'Authorization',
      });
    }
    return undefined;
  }

  #allowsOrigin(origin: string, host: string | undefined): boolean {
    return origin === `http://${host}` || origin === `https://${host}` || this.#origins.has(origin);
  }

  #authorized(request: IncomingMessage, expected: Buffer): boolean {
    const header = request.headers.authorization;
    const given = header !== undefined && /^Bearer /i.test(header) ? header.slice(7).trim() : '';
    // Both are SHA-256, so they are as long as each other and the comparison takes as long whatever was sent.
    return timingSafeEqual(digest(given), expected) || OPEN_ROUTES.has(request.url ?? '');
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
