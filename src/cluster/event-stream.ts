import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';
import type { ClusterEvent, ClusterEvents } from './api.ts';
import { parsePosition } from './event-message.ts';
import { EventPublisher } from './event-publisher.ts';
import { EventReader } from './event-reader.ts';

const HOUR_MS = 3_600_000;
const BYTES_MAX = 256 * 1024 * 1024;
/** Below this the stream would forget faster than people look. */
const BYTES_LEAST = 1024 * 1024;
/** In which a message that was sent twice is kept once. */
const DUPLICATE_WINDOW_MS = 120_000;
const SEND_TIMEOUT_MS = 5_000;
const MESSAGE_BYTES_MAX = 256 * 1024;
/** Headers and subject of a message. */
const MESSAGE_OVERHEAD = 4_096;
/** JetStream's `JSStreamNameExistErr`. */
const NAME_EXISTS = 10058;
/** `JSStorageResourcesExceededErr`; of several servers `JSClusterNoPeersErrF`. */
const STORAGE_EXCEEDED: ReadonlySet<number | undefined> = new Set([10047, 10005]);
/** `JSClusterNotAvailErr` and `JSInsufficientResourcesErr`: there is no leader yet. */
const NO_LEADER: ReadonlySet<number | undefined> = new Set([10008, 10023]);
const MAKE_MS = 15_000;
const RETRY_MS = 200;

export interface EventStreamOptions {
  readonly connection: NatsConnection;
  readonly jetStream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly cluster: string;
  /** Of this process. */
  readonly host: string;
  /** 1, 3 or 5. */
  readonly replicas: number;
  /** Most bytes of the stream, default 256 MB; never more. */
  readonly maxBytes?: number;
}

/** Name of the stream of a cluster's events. */
function eventStreamName(cluster: string): string {
  return `${cluster}-events`;
}

/**
 * The OID event feed of a cluster: the stream `<cluster>-events`, which keeps an hour or 256 MB, the oldest going first. Messages
 * have the subject `<cluster>.events.<host>`; the types of a host's events are not apart, for their order would be lost.
 */
export class EventStream implements ClusterEvents {
  readonly #options: EventStreamOptions;
  readonly #publisher: EventPublisher;
  readonly #readers = new Set<EventReader>();

  private constructor(options: EventStreamOptions) {
    const { connection, jetStream, cluster, host } = options;
    const subject = `${cluster}.events.${host.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
    const payloadMax = connection.info?.max_payload ?? MESSAGE_BYTES_MAX;
    this.#options = options;
    this.#publisher = new EventPublisher({
      host,
      messageBytesMax: Math.min(MESSAGE_BYTES_MAX, payloadMax - MESSAGE_OVERHEAD),
      send: (bytes, msgID) =>
        jetStream.publish(subject, bytes, { msgID, timeout: SEND_TIMEOUT_MS }),
    });
    void this.#followConnection();
  }

  async #followConnection(): Promise<void> {
    for await (const { type } of this.#options.connection.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue;
      for (const reader of this.#readers) reader.interrupt();
    }
  }

  /** Makes the stream where there is none; one that is there stays as it is. Throws `STORE_UNAVAILABLE`. */
  static async open(options: EventStreamOptions): Promise<EventStream> {
    await makeStream(options);
    return new EventStream(options);
  }

  publish(event: Omit<ClusterEvent, 'id' | 'host'>): void {
    this.#publisher.publish(event);
  }

  /** Throws `MALFORMED` at once for an `after` that is no event's id. "From now on" begins with the call. */
  read({
    after,
    signal,
  }: {
    readonly after?: string;
    readonly signal: AbortSignal;
  }): AsyncIterable<ClusterEvent> {
    const { connection, jetStream, manager, cluster, host } = this.#options;
    const stream = eventStreamName(cluster);
    const start = after === undefined ? {} : { after: parsePosition(after) };
    const reader = new EventReader({
      ...{ connection, jetStream, manager, stream, host, signal },
      ...start,
    });
    const readers = this.#readers;
    const begun = reader.begin().catch(() => undefined);
    return (async function* () {
      readers.add(reader);
      try {
        await begun;
        yield* reader.events();
      } finally {
        readers.delete(reader);
      }
    })();
  }

  /** Sends what waits, as far as 2 seconds go. Readings end by their signals, or with the connection. Idempotent. */
  async close(): Promise<void> {
    await this.#publisher.close();
  }
}

async function makeStream(options: EventStreamOptions): Promise<void> {
  const { manager, cluster, replicas } = options;
  const isClosed = (): boolean => options.connection.isClosed();
  const name = eventStreamName(cluster);
  const until = Date.now() + MAKE_MS;
  let bytes = Math.min(BYTES_MAX, options.maxBytes ?? BYTES_MAX);
  for (;;) {
    try {
      await manager.streams.add(streamConfig(name, cluster, replicas, bytes));
      return;
    } catch (cause) {
      const code = cause instanceof JetStreamApiError ? cause.code : undefined;
      // Made with other limits, by hand or by another version: theirs count.
      if (code === NAME_EXISTS) return;
      // The limit is set aside on every server at once: a small one gets a short memory rather than none.
      if (STORAGE_EXCEEDED.has(code) && bytes / 4 >= BYTES_LEAST) {
        bytes = Math.floor(bytes / 4);
        continue;
      }
      // No answer, or no leader yet; making it twice makes one.
      if ((code === undefined || NO_LEADER.has(code)) && Date.now() < until && !isClosed()) {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        continue;
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ExtSwitchError(
        'STORE_UNAVAILABLE',
        `stream ${name} cannot be made: ${why}`,
        { found: why },
        { cause },
      );
    }
  }
}

function streamConfig(
  name: string,
  cluster: string,
  replicas: number,
  bytes: number,
): Partial<StreamConfig> & { name: string } {
  return {
    name,
    subjects: [`${cluster}.events.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(HOUR_MS),
    max_bytes: bytes,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    num_replicas: replicas,
    allow_direct: true,
  };
}
