import type { ChangedBytes } from './wire.ts';

interface Exposed {
  /** The bytes as this side has them now; throws when they are no longer valid. */
  readonly read: () => Uint8Array;
  /** As the other side knows them. */
  known: Uint8Array;
}

/**
 * Bytes of requests that an extension looks at: in one thread both sides would have the same memory, so each message carries what
 * the sender changed, and both have the same again before anything else happens (rules D4, B26, C42, E22, F10).
 */
export class ExposedBytes {
  readonly #byKey = new Map<string, Exposed>();
  /** No longer valid here, and the other side does not know yet. */
  #gone: string[] = [];

  /** From now on the other side has `known` under this key. */
  add(key: string, read: () => Uint8Array, known: Uint8Array): void {
    this.#byKey.set(key, { read, known });
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  get(key: string): Uint8Array | undefined {
    return this.#byKey.get(key)?.read();
  }

  delete(key: string): void {
    this.#byKey.delete(key);
  }

  /** What this side changed since the other one knew; `undefined`: nothing. Bytes that are no longer valid are forgotten. */
  changed(): ChangedBytes | undefined {
    if (this.#byKey.size === 0 && this.#gone.length === 0) return undefined;
    const changed: [string, Uint8Array | undefined][] = [];
    for (const [key, exposed] of this.#byKey) {
      const now = this.#now(key, exposed);
      if (now === undefined || Buffer.compare(now, exposed.known) === 0) continue;
      exposed.known = Uint8Array.from(now);
      changed.push([key, exposed.known]);
    }
    for (const key of this.#gone) changed.push([key, undefined]);
    this.#gone = [];
    return changed.length === 0 ? undefined : changed;
  }

  #now(key: string, { read }: Exposed): Uint8Array | undefined {
    try {
      return read();
    } catch {
      this.#byKey.delete(key);
      this.#gone.push(key);
      return undefined;
    }
  }

  /** Puts here what the other side changed. */
  take(changed: ChangedBytes | undefined): void {
    for (const [key, bytes] of changed ?? []) {
      const exposed = this.#byKey.get(key);
      if (exposed === undefined) continue;
      if (bytes === undefined) {
        this.#byKey.delete(key);
        continue;
      }
      const here = this.#now(key, exposed);
      if (here === undefined) continue;
      here.set(bytes.subarray(0, here.length));
      exposed.known = bytes;
    }
  }
}
