import type { FabricEvent } from './api.ts';

/** Events kept for clients that resume. */
const HISTORY = 1000;
/** Bytes of requests kept with them. */
const HISTORY_BYTES = 4 * 1024 * 1024;

/** The world's one counter of things that happened, the recent events that are not OIDs, and who listens. */
export class EventLog {
  #seq = 0;
  #events: FabricEvent[] = [];
  /** Of offending requests, with findings. */
  #bytes = 0;
  readonly #listeners = new Set<(seq: number) => void>();
  readonly #listenerFailed: (error: unknown) => void;

  constructor(listenerFailed: (error: unknown) => void) {
    this.#listenerFailed = listenerFailed;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  /** The next number: for trace entries and events alike. */
  next(): number {
    this.#seq += 1;
    return this.#seq;
  }

  /** Tells listeners that something with this number is there; one that throws hurts neither the request nor the others. */
  announce(seq: number): void {
    for (const listener of this.#listeners) {
      try {
        listener(seq);
      } catch (error) {
        this.#listenerFailed(error);
      }
    }
  }

  add(
    time: number,
    type: FabricEvent['type'],
    switchName: string | undefined,
    data: Readonly<Record<string, unknown>>,
  ): number {
    const seq = this.next();
    this.#events.push(
      switchName === undefined
        ? { seq, time, type, data }
        : { seq, time, type, switch: switchName, data },
    );
    this.#bytes += bytesOf(data);
    if (this.#events.length > HISTORY * 2 || this.#bytes > HISTORY_BYTES) this.#forget();
    this.announce(seq);
    return seq;
  }

  /** Down to half of what may be kept, so that it is not done for every event. */
  #forget(): void {
    let from = Math.max(0, this.#events.length - HISTORY);
    for (let i = 0; i < this.#events.length; i += 1) {
      if (i >= from && this.#bytes <= HISTORY_BYTES / 2) break;
      this.#bytes -= bytesOf((this.#events[i] as FabricEvent).data);
      from = Math.max(from, i + 1);
    }
    this.#events = this.#events.slice(from);
  }

  after(seq: number): FabricEvent[] {
    let from = this.#events.length;
    while (from > 0 && (this.#events[from - 1] as FabricEvent).seq > seq) from -= 1;
    return this.#events.slice(from);
  }

  subscribe(listener: (seq: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.#events = [];
    this.#bytes = 0;
  }
}

function bytesOf({ bytes }: Readonly<Record<string, unknown>>): number {
  return bytes instanceof Uint8Array ? bytes.length : 0;
}
