import type { JetStreamManager, MsgRequest, NextMsgRequest, StoredMsg } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';

const RETRY_MS = 150;

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
