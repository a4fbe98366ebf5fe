import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { ExtSwitchError } from '../core/errors.ts';
import type { AckedPublisher } from './acked-publisher.ts';
import { encodeMessage } from './record-message.ts';
import type { ClusterSession } from './session.ts';
import { pause, retried } from './stream-reads.ts';

const ATTEMPT_MS = 1_500;
const PAUSE_MS = 100;
/** A reading that gets nothing for so long goes on with another consumer: the server of the first may be gone. */
const SILENCE_MS = 2_000;

/** Tokens of messages among a host's records that are none: no key has them, for `=` is followed by two digits there. */
export const OPENED = '=opened';
/** Nothing counts of what was put for commits up to its number. */
export const REMOVED = '=removed';

/** Puts {@link OPENED}, see {@link markRecords}. */
export function markOpening(
  session: ClusterSession,
  publisher: AckedPublisher,
  host: string,
  epoch: number,
  number: number,
  deadline: number,
): Promise<number> {
  return markRecords(session, publisher, host, OPENED, epoch, number, deadline);
}

/**
 * Puts a mark among the records of `host`, and returns its place in the stream. What was put before lies before it, whichever
 * server is asked.
 */
export async function markRecords(
  session: ClusterSession,
  publisher: AckedPublisher,
  host: string,
  mark: typeof OPENED | typeof REMOVED,
  epoch: number,
  number: number,
  deadline: number,
): Promise<number> {
  const bucket = session.bucketName('policies');
  const subject = `$KV.${bucket}.${host}.${mark}`;
  const data = encodeMessage(epoch, number, { isDelete: true });
  for (;;) {
    const answer = await publisher.publish({ subject, data, isDelete: true }, ATTEMPT_MS);
    if (answer.kind === 'stored') return answer.revision;
    if (session.connection.isClosed() || performance.now() >= deadline) {
      const found = answer.kind === 'refused' ? answer.text : 'no quorum of servers answers';
      throw unavailable(bucket, found);
    }
    await pause(PAUSE_MS);
  }
}

/** Every host that was opened and not removed, whether or not a process is it now. */
export async function registeredHosts(session: ClusterSession): Promise<ReadonlySet<string>> {
  const bucket = session.bucketName('policies');
  const subjects_filter = `$KV.${bucket}.*.${OPENED}`;
  const { state } = await session.manager.streams.info(`KV_${bucket}`, { subjects_filter });
  return new Set(Object.keys(state.subjects ?? {}).map((subject) => subject.split('.')[2] ?? ''));
}

/**
 * Hands every message of `host` in the bucket `policies` up to place `last` to `onMessage`, in the order of the stream.
 * What `onMessage` throws ends the reading. `STORE_UNAVAILABLE` after `silenceMaxMs` without a message.
 */
export async function readRecords(
  session: ClusterSession,
  host: string,
  last: number,
  silenceMaxMs: number,
  onMessage: (message: JsMsg) => void,
): Promise<void> {
  const bucket = session.bucketName('policies');
  let next = 1;
  let heard = performance.now();
  while (next <= last) {
    const before = next;
    next = await readSome(session, bucket, host, next, last, silenceMaxMs, onMessage);
    if (next > before) heard = performance.now();
    else if (performance.now() - heard > silenceMaxMs) {
      throw unavailable(bucket, 'no server hands out the records');
    }
  }
}

/** One consumer's worth; returns the place to go on from. */
async function readSome(
  session: ClusterSession,
  bucket: string,
  host: string,
  from: number,
  last: number,
  silenceMaxMs: number,
  onMessage: (message: JsMsg) => void,
): Promise<number> {
  const start =
    from === 1
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from };
  const options = { ...start, filter_subject: `$KV.${bucket}.${host}.>` };
  const deadline = performance.now() + silenceMaxMs;
  const consumers = session.jetstream.consumers;
  const consumer = await retried(deadline, () =>
    consumers.getPushConsumer(`KV_${bucket}`, options),
  );
  const reading = new Reading(from, last, onMessage);
  const messages = await consumer.consume({ callback: (message) => reading.take(message) });
  try {
    await reading.ended;
  } finally {
    // The consumer ends with it at the server; whether that is heard of is nobody's concern.
    void messages.close().catch(() => undefined);
  }
  return reading.next;
}

class Reading {
  readonly ended: Promise<void>;
  /** Place of the message to go on with. */
  next: number;
  readonly #last: number;
  readonly #onMessage: (message: JsMsg) => void;
  readonly #watch: NodeJS.Timeout;
  #heard = performance.now();
  #end: (cause?: unknown) => void = () => undefined;

  constructor(from: number, last: number, onMessage: (message: JsMsg) => void) {
    this.next = from;
    this.#last = last;
    this.#onMessage = onMessage;
    this.#watch = setInterval(() => {
      if (performance.now() - this.#heard > SILENCE_MS) this.#end();
    }, SILENCE_MS / 4);
    this.ended = new Promise<void>((resolve, reject) => {
      this.#end = (cause) => {
        clearInterval(this.#watch);
        this.#end = () => undefined;
        if (cause === undefined) resolve();
        else reject(cause);
      };
    });
  }

  take(message: JsMsg): void {
    if (this.next > this.#last) return;
    this.#heard = performance.now();
    try {
      if (message.seq <= this.#last) this.#onMessage(message);
      this.next = message.seq + 1;
      if (this.next > this.#last) this.#end();
    } catch (cause) {
      this.next = this.#last + 1;
      this.#end(cause);
    }
  }
}

function unavailable(bucket: string, found: string): ExtSwitchError {
  return new ExtSwitchError('STORE_UNAVAILABLE', `cannot read ${bucket}: ${found}`, { found });
}
