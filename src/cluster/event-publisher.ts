import { randomBytes } from 'node:crypto';
import { encodeMessage, type ToldEvent } from './event-message.ts';

/** How long the first event of a message waits for others. */
const WINDOW_MS = 10;
/** About 64 KB of OIDs. */
const EVENTS_PER_MESSAGE = 128;
const MESSAGE_BYTES_MAX = 256 * 1024;
const QUEUE_EVENTS_MAX = 8_192;
const QUEUE_BYTES_MAX = 8 * 1024 * 1024;
/** What an event takes beside its bytes and texts, roughly. */
const EVENT_BYTES = 256;
const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 2_000;
/** What closing waits for the last events to be kept. */
const CLOSE_MS = 2_000;

export interface EventPublisherOptions {
  readonly host: string;
  /** Keeps the bytes, once for each id; rejects when it does not know that it has. */
  readonly send: (bytes: Uint8Array, id: string) => Promise<unknown>;
  /** Most bytes of a message, default 256 KB. */
  readonly messageBytesMax?: number;
}

/**
 * A host's way into the stream. Events wait in a bounded queue and leave it in their order, many to a message and one message at
 * a time, which is sent until it is known to be kept. What does not fit into the queue, or is too large for a message, is
 * counted, and the count told by an event of type `log` in its place.
 */
export class EventPublisher {
  readonly #host: string;
  readonly #send: EventPublisherOptions['send'];
  readonly #messageBytesMax: number;
  readonly #run = randomBytes(9).toString('base64url');
  readonly #closing = new AbortController();
  #queue: ToldEvent[] = [];
  #queueBytes = 0;
  #dropped = 0;
  #number = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;

  constructor({ host, send, messageBytesMax = MESSAGE_BYTES_MAX }: EventPublisherOptions) {
    this.#host = host;
    this.#send = send;
    this.#messageBytesMax = messageBytesMax;
  }

  /** Never waits and never throws. */
  publish(event: ToldEvent): void {
    if (this.#closing.signal.aborted) return;
    const bytes = sizeOf(event);
    const isFull =
      this.#queue.length >= QUEUE_EVENTS_MAX || this.#queueBytes + bytes > QUEUE_BYTES_MAX;
    if (isFull) {
      this.#dropped += 1;
      return;
    }
    this.#tellDropped(event.time);
    this.#queue.push(event);
    this.#queueBytes += bytes;
    if (this.#sending !== undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#begin(), WINDOW_MS);
    this.#timer.unref();
  }

  #tellDropped(time: number): void {
    if (this.#dropped === 0) return;
    this.#queue.push(droppedEvent(time, this.#dropped));
    this.#queueBytes += EVENT_BYTES;
    this.#dropped = 0;
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const events = this.#queue.splice(0, EVENTS_PER_MESSAGE);
      for (const event of events) this.#queueBytes -= sizeOf(event);
      for (const bytes of this.#messagesOf(events)) {
        const isKept = await this.#keep(bytes, `${this.#host}.${this.#run}.${this.#number}`);
        if (!isKept) return;
      }
    }
  }

  /** One message, or as many as the limit makes of it. Numbered as they are taken. */
  *#messagesOf(events: readonly ToldEvent[]): Generator<Uint8Array> {
    const number = this.#number + 1;
    let bytes: Uint8Array | undefined;
    try {
      bytes = encodeMessage({ host: this.#host, run: this.#run, number, events });
    } catch {
      // One of them holds what cannot be written: it is found by halving, as one that is too large is.
    }
    if (bytes !== undefined && bytes.length <= this.#messageBytesMax) {
      this.#number = number;
      yield bytes;
    } else if (events.length > 1) {
      const middle = events.length >> 1;
      yield* this.#messagesOf(events.slice(0, middle));
      yield* this.#messagesOf(events.slice(middle));
    } else {
      yield* this.#messagesOf([droppedEvent(events[0]?.time ?? 0, 1)]);
    }
  }

  /** Sends until it is kept; false when it was not before closing gave up. */
  async #keep(bytes: Uint8Array, id: string): Promise<boolean> {
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(RETRY_MAX_MS, waitMs * 2)) {
      try {
        await this.#send(bytes, id);
        return true;
      } catch {
        // Whatever it was, the same message is tried again: nothing else can be done for it.
        if (this.#closing.signal.aborted) return false;
      }
      await pause(waitMs, this.#closing.signal);
    }
  }

  /** Sends what waits, at most 2 seconds. Idempotent. */
  async close(): Promise<void> {
    this.#tellDropped(this.#queue.at(-1)?.time ?? 0);
    this.#closing.abort();
    if (this.#queue.length > 0) this.#begin();
    clearTimeout(this.#timer);
    if (this.#sending === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([this.#sending, late]);
    clearTimeout(timer);
    this.#queue = [];
  }
}

function droppedEvent(time: number, dropped: number): ToldEvent {
  return { type: 'log', time, data: { dropped } };
}

/** Bytes an event holds on to, roughly: its top members are looked at. */
function sizeOf({ data }: ToldEvent): number {
  let bytes = EVENT_BYTES;
  if (typeof data !== 'object' || data === null) return bytes;
  for (const name in data) {
    const member = (data as Readonly<Record<string, unknown>>)[name];
    if (typeof member === 'string' || member instanceof Uint8Array) bytes += member.length;
  }
  return bytes;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    timer.unref();
    signal.addEventListener('abort', end);
  });
}
