import type { Socket } from 'node:net';

/** A token bucket per remote address. */
export interface RateLimit {
  /** Requests a second in the long run; 0 turns the limit off. */
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  updatedAt: number;
}

/** Addresses remembered; the ones longest unused go first. */
const MAX_ADDRESSES = 10_000;

/** Counts requests. A connection finds its bucket once, so that a request costs a subtraction. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #byAddress = new Map<string, Bucket>();
  readonly #bySocket = new WeakMap<Socket, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Seconds to wait before the next request, 0 when this one may pass. `nowMs` is any monotonic clock. */
  take(socket: Socket, nowMs: number): number {
    const { perSecond, burst } = this.#limit;
    if (perSecond === 0) return 0;
    const bucket = this.#bySocket.get(socket) ?? this.#bucketOf(socket, nowMs);
    const filled = bucket.tokens + ((nowMs - bucket.updatedAt) / 1_000) * perSecond;
    bucket.tokens = filled > burst ? burst : filled;
    bucket.updatedAt = nowMs;
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perSecond);
    bucket.tokens -= 1;
    return 0;
  }

  #bucketOf(socket: Socket, nowMs: number): Bucket {
    const address = socket.remoteAddress ?? '';
    const bucket = this.#byAddress.get(address) ?? { tokens: this.#limit.burst, updatedAt: nowMs };
    this.#byAddress.delete(address);
    this.#byAddress.set(address, bucket);
    if (this.#byAddress.size > MAX_ADDRESSES) {
      const oldest = this.#byAddress.keys().next();
      if (oldest.done !== true) this.#byAddress.delete(oldest.value);
    }
    this.#bySocket.set(socket, bucket);
    return bucket;
  }
}
