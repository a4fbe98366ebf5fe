import type { FabricEvent } from './api.ts';

/** Events kept for clients that resume. */
const HISTORY = 1000;

/** The world's one counter of things that happened, the recent events that are not OIDs, and who listens. */
export class EventLog {
  #seq = 0;
  #events: FabricEvent[] = [];
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
  ): void {
    const seq = this.next();
    this.#events.push(
      switchName === undefined
        ? { seq, time, type, data }
        : { seq, time, type, switch: switchName, data },
    );
    if (this.#events.length > HISTORY * 2) this.#events = this.#events.slice(-HISTORY);
    this.announce(seq);
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
  }
}
