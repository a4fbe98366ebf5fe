import {
  JetStreamApiError,
  type JetStreamManager,
  type MsgRequest,
  type NextMsgRequest,
  type StoredMsg,
} from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';

const RETRY_MS = 150;
/** JetStream API error: there is no message at this place of the stream. */
const NO_SUCH_SEQUENCE = 10043;
/** The same of a place before the first message; and whatever else a deletion fails of. */
const DELETE_FAILED = 10057;

/**
 * One message of a stream, from its leader; `undefined` when there is none. Asks again until `deadline` (of
 * `performance.now`) while the leader does not answer, and throws the last cause then.
 */
export async function readMessage(
  manager: JetStreamManager,
  stream: string,
  request: MsgRequest | NextMsgRequest,
  deadline: number,
): Promise<StoredMsg | undefined> {
  // The servers take `next_by_subj` here too since 2.9; the types know it of direct reads only.
  const read = () => manager.streams.getMessage(stream, request as MsgRequest);
  return (await retried(deadline, read)) ?? undefined;
}

/**
 * Removes one message of a stream; one that is not there is removed already.
 *
 * Messages are removed like this and by nothing else: never by a purge. A server before 2.9.18 that is started again does what its log
 * has of purges with a filter as purges of the whole stream (nats-server issue 4196): its copy is empty then, and it may lead.
 */
export async function removeMessage(
  manager: JetStreamManager,
  stream: string,
  place: number,
): Promise<void> {
  try {
    await manager.streams.deleteMessage(stream, place, false);
  } catch (cause) {
    const code = cause instanceof JetStreamApiError ? cause.code : undefined;
    if (code === NO_SUCH_SEQUENCE) return;
    if (code !== DELETE_FAILED) throw cause;
    if ((await readMessage(manager, stream, { seq: place }, 0)) !== undefined) throw cause;
  }
}

/** Runs a request of the JetStream API that may be sent twice, again and again until `deadline` or the end of the connection. */
export async function retried<T>(deadline: number, request: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await request();
    } catch (cause) {
      const isClosed = cause instanceof errors.ClosedConnectionError;
      if (isClosed || performance.now() >= deadline) throw cause;
    }
    await pause(RETRY_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
