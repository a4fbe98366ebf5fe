import { createHash } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import { packValue, unpackValue } from './msgpack.ts';
import type { Result } from './route.ts';

/** Answers kept for one world. */
const MAX_ENTRIES = 1_000;
/** Bytes of kept bodies for one world. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_KEY_LENGTH = 255;
/** Visible ASCII, as the IETF draft "The Idempotency-Key HTTP Header Field" (a structured-header string) allows. */
const KEY = /^[\x20-\x7e]+$/;

interface Entry {
  readonly fingerprint: string;
  /** The first request while it runs; duplicates wait for it. */
  running: Promise<Result> | undefined;
  /** What was answered, with the body as MessagePack so that it can be sent again in either form. */
  answer: { readonly result: Result; readonly body: Uint8Array | undefined } | undefined;
}

/**
 * Remembers what was answered to an Idempotency-Key. Same key and same request: the same answer, without doing it again.
 * Same key and another request: `IDEMPOTENCY_MISMATCH`. Least recently used answers are forgotten first. Answers that
 * say "try again" (5xx, 429) are not kept.
 */
export class IdempotencyCache {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** An answer is remembered under the key, or the first request runs. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The answer under the key turned out to be another host's to give. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    this.#bytes -= entry?.answer?.body?.length ?? 0;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Throws `MALFORMED` for a key of the wrong form, `IDEMPOTENCY_MISMATCH`. */
  async run(
    key: string,
    fingerprint: string,
    execute: () => Result | Promise<Result>,
  ): Promise<{ readonly result: Result; readonly replayed: boolean }> {
    if (key.length > MAX_KEY_LENGTH || !KEY.test(key)) {
      throw new ExtSwitchError(
        'MALFORMED',
        `Idempotency-Key must be 1 to ${MAX_KEY_LENGTH} visible ASCII characters`,
        { member: 'Idempotency-Key' },
      );
    }
    const known = this.#entries.get(key);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) {
        throw new ExtSwitchError(
          'IDEMPOTENCY_MISMATCH',
          'this Idempotency-Key was used with another method, path or body',
          { member: 'Idempotency-Key' },
        );
      }
      if (known.running !== undefined) return { result: await known.running, replayed: true };
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return { result: replay(known), replayed: true };
    }
    return { result: await this.#first(key, fingerprint, execute), replayed: false };
  }

  async #first(
    key: string,
    fingerprint: string,
    execute: () => Result | Promise<Result>,
  ): Promise<Result> {
    const entry: Entry = { fingerprint, running: undefined, answer: undefined };
    this.#entries.set(key, entry);
    const running = (async () => execute())();
    entry.running = running;
    try {
      const result = await running;
      if (this.#entries.get(key) !== entry) return result;
      if (result.status >= 500 || result.status === 429 || result.stream !== undefined) {
        this.#entries.delete(key);
      } else {
        this.#keep(key, entry, result);
      }
      return result;
    } catch (error) {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    } finally {
      entry.running = undefined;
    }
  }

  #keep(key: string, entry: Entry, result: Result): void {
    const body = result.body === undefined ? undefined : packValue(result.body);
    if (body !== undefined && body.length > MAX_BYTES) {
      this.#entries.delete(key);
      return;
    }
    const { body: _body, ...head } = result;
    entry.answer = { result: head, body };
    this.#bytes += body?.length ?? 0;
    for (const [oldKey, old] of this.#entries) {
      if (this.#entries.size <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) break;
      if (old === entry || old.running !== undefined) continue;
      this.#entries.delete(oldKey);
      this.#bytes -= old.answer?.body?.length ?? 0;
    }
  }
}

/** What "the same request" means: method, path with query, and the body's value (or bytes). */
export function requestFingerprint(method: string, url: string, body: unknown): string {
  const hash = createHash('sha256');
  hash.update(method).update('\0').update(url).update('\0');
  if (body !== undefined) hash.update(packValue(body));
  return hash.digest('base64');
}

function replay(entry: Entry): Result {
  const answer = entry.answer;
  if (answer === undefined) throw new Error('invariant broken: a finished entry has its answer');
  return answer.body === undefined
    ? answer.result
    : { ...answer.result, body: unpackValue(answer.body) };
}
