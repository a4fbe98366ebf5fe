import { createHash, type Hash } from 'node:crypto';
import type { TraceEntry } from '../../policy/api.ts';

const ROOM = 1 << 16;

/**
 * SHA-256 of what happened, taken without writing it out as text: entries go in as their numbers, names and bytes, each with its
 * length before it, so that different histories cannot look alike.
 */
export class TraceDigest {
  readonly #hash: Hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(ROOM);
  #end = 0;
  /** Numbers of names: a name goes in once. */
  readonly #names = new Map<string, number>();

  /** Hexadecimal, of all so far. */
  text(): string {
    this.#flush();
    return this.#hash.copy().digest('hex');
  }

  line(text: string): void {
    const length = Buffer.byteLength(text);
    this.#number(length);
    if (length > ROOM) {
      this.#flush();
      this.#hash.update(text);
      return;
    }
    this.#room(length);
    this.#end += this.#buffer.write(text, this.#end);
  }

  entry(host: string, entry: TraceEntry): void {
    this.#name(host);
    this.#number(entry.seq);
    this.#number(entry.request);
    this.#number(entry.time);
    this.#name(entry.switch);
    this.#name(entry.oid);
    this.#name(entry.status);
    this.#number(entry.route.length);
    for (const { module, verdict } of entry.route) {
      this.#name(module);
      this.#name(verdict);
    }
    this.#bytes(entry.input);
  }

  #name(name: string): void {
    const known = this.#names.get(name);
    if (known !== undefined) {
      this.#number(known);
      return;
    }
    // Numbers of names are whole and not negative: this one says that a new name follows.
    this.#number(-1);
    this.#names.set(name, this.#names.size);
    this.line(name);
  }

  #number(value: number): void {
    this.#room(8);
    this.#end = this.#buffer.writeDoubleLE(value, this.#end);
  }

  #bytes(bytes: Uint8Array): void {
    this.#number(bytes.length);
    if (bytes.length > ROOM) {
      this.#flush();
      this.#hash.update(bytes);
      return;
    }
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #room(length: number): void {
    if (this.#end + length > ROOM) this.#flush();
  }

  #flush(): void {
    if (this.#end > 0) this.#hash.update(this.#buffer.subarray(0, this.#end));
    this.#end = 0;
  }
}

/** The same as a line to be read. */
export function entryText(host: string, entry: TraceEntry): string {
  const { seq, request, time, switch: sw, oid, status, route, input } = entry;
  const way = route.map(({ module, verdict }) => `${module} ${verdict}`).join(', ');
  const bytes = Buffer.from(input).toString('base64');
  return `${host} ${seq} ${request} ${time} ${sw} ${oid} ${status} [${way}] ${bytes}`;
}
