import { createHash } from 'node:crypto';
import type { JetStreamClient, JetStreamManager, MsgRequest } from '@nats-io/jetstream';
import { readMessage, removeMessage } from './stream-reads.ts';

/** Bytes of a part; what the client library takes. */
const PART_BYTES = 128 * 1024;
/** Parts on their way at a time. */
const AT_ONCE = 16;

/** What stands with an object (NATS, ADR-20). */
interface ObjectInfo {
  readonly name: string;
  readonly bucket: string;
  /** Token (here: tokens) of the subject of its parts. */
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  /** `SHA-256=` and the digest, URL-safe base64. */
  readonly digest: string;
  readonly options: { readonly max_chunk_size: number };
  /** Places of the parts in the stream, in their order. */
  readonly metadata: { readonly places: string };
}

/**
 * Objects of one bucket, as any NATS client reads them. Not by the client library: it reads parts by a consumer, which goes with the
 * server that has it, and notices only after a minute; here each part is a request to the leader, which is asked again. And its parts
 * have names that say nothing: here an object's `id` names them, so that parts of an object that never came to be are found.
 */
export class ObjectBytes {
  readonly #jetStream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #bucket: string;
  readonly #stream: string;

  constructor(jetStream: JetStreamClient, manager: JetStreamManager, bucket: string) {
    this.#jetStream = jetStream;
    this.#manager = manager;
    this.#bucket = bucket;
    this.#stream = `OBJ_${bucket}`;
  }

  /**
   * Stores bytes under a name and an id (tokens of a subject) that were never used. Throws what the client throws; parts may be left
   * then, and even come to be there later.
   */
  async put(name: string, id: string, bytes: Uint8Array, timeout: number): Promise<void> {
    const parts: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; from += PART_BYTES) {
      parts.push(bytes.subarray(from, from + PART_BYTES));
    }
    const subject = this.#partsOf(id);
    // In their order: one connection, and none is sent twice.
    const acks = await inTurn(parts, (part) => this.#jetStream.publish(subject, part, { timeout }));
    const info: ObjectInfo = {
      name,
      bucket: this.#bucket,
      nuid: id,
      size: bytes.length,
      chunks: parts.length,
      digest: digestOf(bytes),
      options: { max_chunk_size: PART_BYTES },
      metadata: { places: acks.map(({ seq }) => seq).join() },
    };
    await this.#jetStream.publish(this.#infoOf(name), JSON.stringify(info), { timeout });
  }

  /**
   * The bytes; `undefined` when it is not there, or not all of it. Each request is made again until `deadline` (of
   * `performance.now`); then its cause is thrown.
   */
  async get(name: string, deadline: number): Promise<Uint8Array | undefined> {
    const found = await this.#info(name, deadline);
    if (found === undefined) return undefined;
    const parts = await inTurn(found.places, (seq) => this.#message({ seq }, deadline));
    const { buffer, byteOffset, length } = Buffer.concat(
      parts.map((part) => part?.data ?? new Uint8Array(0)),
    );
    const bytes = new Uint8Array(buffer, byteOffset, length);
    return digestOf(bytes) === found.digest ? bytes : undefined;
  }

  /** Removes an object, whole or in parts, without a mark: its name does not come back. */
  async remove(name: string, id: string): Promise<void> {
    const found = await this.#info(name, 0);
    // The parts first: cut short in between, it is still found by its name.
    await inTurn(found?.places ?? [], (place) => this.#removed(place));
    if (found === undefined) await this.#removeParts(id);
    else await this.#removed(found.place);
  }

  /** Of an object whose storing was cut off. */
  async #removeParts(id: string): Promise<void> {
    // By their places: of a subject whose last message was deleted, nats-server 2.9 finds no last one.
    for (let seq = 1; ; ) {
      const part = await this.#message({ next_by_subj: this.#partsOf(id), seq }, 0);
      if (part === undefined) return;
      await this.#removed(part.seq);
      seq = part.seq + 1;
    }
  }

  #removed(place: number): Promise<void> {
    return removeMessage(this.#manager, this.#stream, place);
  }

  async #info(name: string, deadline: number) {
    const message = await this.#message({ last_by_subj: this.#infoOf(name) }, deadline);
    if (message === undefined) return undefined;
    const { digest, metadata } = message.json<ObjectInfo>();
    const places = metadata.places.split(',').filter((place) => place !== '');
    return { place: message.seq, digest, places: places.map(Number) };
  }

  async names(): Promise<string[]> {
    const prefix = this.#infoOf('');
    const subjects = await this.#subjects(`${prefix}>`);
    return subjects.map((subject) =>
      Buffer.from(subject.slice(prefix.length), 'base64').toString(),
    );
  }

  /** Ids that begin with these tokens and have parts. */
  async ids(tokens: string): Promise<string[]> {
    const skip = this.#partsOf('').length;
    const subjects = await this.#subjects(`${this.#partsOf(tokens)}.>`);
    return subjects.map((subject) => subject.slice(skip));
  }

  async #subjects(subjects_filter: string): Promise<string[]> {
    const { state } = await this.#manager.streams.info(this.#stream, { subjects_filter });
    return Object.keys(state.subjects ?? {});
  }

  #message(request: MsgRequest | { next_by_subj: string; seq: number }, deadline: number) {
    return readMessage(this.#manager, this.#stream, request, deadline);
  }

  #partsOf(id: string): string {
    return `$O.${this.#bucket}.C.${id}`;
  }

  #infoOf(name: string): string {
    const token = Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    return `$O.${this.#bucket}.M.${token}`;
  }
}

/** Results of `work` in the order of `items`, {@link AT_ONCE} at a time. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))));
  }
  return results;
}

function digestOf(bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest('base64');
  return `SHA-256=${digest.replaceAll('+', '-').replaceAll('/', '_')}`;
}
