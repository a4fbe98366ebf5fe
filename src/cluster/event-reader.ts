import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos, nuid } from '@nats-io/transport-node';
import type { ClusterEvent } from './api.ts';
import { decodeMessage, type EventPosition, positionText } from './event-message.ts';

/** Messages a reading holds at most: what a slow reader costs. */
const MESSAGES_PER_FETCH = 8;
const FETCH_MS = 20_000;
const HEARTBEAT_MS = 2_000;
/** A consumer nobody fetches from goes away by itself. */
const CONSUMER_IDLE_MS = 60_000;
const RETRY_FIRST_MS = 50;
const RETRY_MAX_MS = 2_000;

export interface EventReaderOptions {
  readonly connection: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly stream: string;
  /** Of this process: who says that something is missing. */
  readonly host: string;
  /** Where to begin; left out: behind what is there at the call. */
  readonly after?: EventPosition;
  readonly signal: AbortSignal;
}

/** A message came that is not the next one: the consumer is made again, from the next one on. */
class OutOfOrder extends Error {}

/** The connection was lost while a fetch waited. */
class Interrupted extends Error {}

/**
 * One reading of the stream. It knows the position it has come to and makes its consumer again from there whenever that is lost,
 * so that every event comes once, in the order of the stream, whatever happens to servers and connections; where the stream has
 * gone on without it, an event of type `gap` says so: nothing between the ids `after` and `first` is there any more.
 */
export class EventReader {
  readonly #options: EventReaderOptions;
  /** Messages of a host that were sent twice are seen once. */
  readonly #seen = new Map<string, { readonly run: string; readonly number: number }>();
  #position: EventPosition | undefined;
  #messages: ConsumerMessages | undefined;
  #isInterrupted = false;

  constructor(options: EventReaderOptions) {
    this.#options = options;
    this.#position = options.after;
  }

  async *events(): AsyncGenerator<ClusterEvent, void, undefined> {
    const { signal, connection } = this.#options;
    const stop = (): void => this.#messages?.stop();
    signal.addEventListener('abort', stop);
    let waitMs = RETRY_FIRST_MS;
    try {
      while (!signal.aborted) {
        try {
          for await (const event of this.#fromHere()) {
            waitMs = RETRY_FIRST_MS;
            yield event;
          }
        } catch (error) {
          if (error instanceof OutOfOrder) continue;
          // A leader may be elected, a connection come back: there is another try until the reader or the host gives up.
          if (signal.aborted || connection.isClosed()) return;
          await pause(waitMs, signal);
          waitMs = Math.min(RETRY_MAX_MS, waitMs * 2);
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  /**
   * The connection went or came back: what waits is begun anew. The client's own fetch would listen for no heartbeat until it has
   * found its consumer again, which it looks for every 20 s only, the time a fetch may take.
   */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#messages?.stop();
  }

  /** Fixes where "from now on" is. Rejects when the stream cannot be asked; {@link events} asks again then. */
  async begin(): Promise<void> {
    await this.#bounds();
  }

  /** Sequence numbers of the first message that is there, and of the next one that will be. */
  async #bounds(): Promise<{ readonly first: number; readonly next: number }> {
    const { manager, stream } = this.#options;
    const { state } = await manager.streams.info(stream);
    const next = state.last_seq + 1;
    this.#position ??= { sequence: next, index: 0 };
    return { first: Math.max(1, state.first_seq), next };
  }

  async *#fromHere(): AsyncGenerator<ClusterEvent, void, undefined> {
    this.#isInterrupted = false;
    const { first, next } = await this.#bounds();
    const position = this.#position ?? { sequence: next, index: 0 };
    // A position beyond the end is one of another stream of this name.
    const isGone = position.sequence < first || position.sequence > next;
    if (isGone) yield this.#gap(position, first);
    const consumer = await this.#makeConsumer(isGone ? first : position.sequence);
    try {
      let delivered = 0;
      while (!this.#options.signal.aborted) {
        for await (const message of await this.#fetch(consumer)) {
          delivered += 1;
          if (message.info.deliverySequence !== delivered) throw new OutOfOrder();
          yield* this.#take(message, delivered === 1);
        }
        if (this.#isInterrupted) throw new Interrupted();
      }
    } finally {
      this.#messages?.stop();
      consumer.delete().catch(() => undefined);
    }
  }

  async #makeConsumer(startSequence: number): Promise<Consumer> {
    const { jetStream, manager, stream } = this.#options;
    const name = `reader-${nuid.next()}`;
    await manager.consumers.add(stream, {
      name,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: startSequence,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(CONSUMER_IDLE_MS),
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
    });
    return jetStream.consumers.get(stream, name);
  }

  async #fetch(consumer: Consumer): Promise<ConsumerMessages> {
    this.#messages = await consumer.fetch({
      max_messages: MESSAGES_PER_FETCH,
      expires: FETCH_MS,
      idle_heartbeat: HEARTBEAT_MS,
    });
    if (this.#options.signal.aborted || this.#isInterrupted) this.#messages.stop();
    return this.#messages;
  }

  /** Events of a message behind the position. */
  *#take(message: JsMsg, isFirst: boolean): Generator<ClusterEvent, void, undefined> {
    const sequence = message.seq;
    const position = this.#position ?? { sequence, index: 0 };
    if (sequence < position.sequence) return;
    if (sequence > position.sequence) {
      if (!isFirst) throw new OutOfOrder();
      yield this.#gap(position, sequence);
    }
    const skipped = sequence === position.sequence ? position.index : 0;
    const decoded = decodeMessage(message.data);
    const end = { sequence: sequence + 1, index: 0 };
    if (decoded === undefined || this.#wasSeen(decoded)) {
      this.#position = end;
      return;
    }
    const { host, events } = decoded;
    for (const [i, { type, time, data }] of events.entries()) {
      if (i < skipped) continue;
      this.#position = i + 1 === events.length ? end : { sequence, index: i + 1 };
      yield { id: positionText(this.#position), host, type, time, data };
    }
    this.#position = end;
  }

  #wasSeen({ host, run, number }: { host: string; run: string; number: number }): boolean {
    const seen = this.#seen.get(host);
    if (seen?.run === run && number <= seen.number) return true;
    this.#seen.set(host, { run, number });
    return false;
  }

  /** Goes on at the beginning of this message and says what is missing. */
  #gap(after: EventPosition, sequence: number): ClusterEvent {
    this.#position = { sequence, index: 0 };
    const id = positionText(this.#position);
    const data = { after: positionText(after), first: id };
    return { id, host: this.#options.host, type: 'gap', time: Date.now(), data };
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
