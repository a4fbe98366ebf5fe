import { JetStreamApiError } from '@nats-io/jetstream';
import { ExtSwitchError } from '../core/errors.ts';
import type { CommitBatch } from '../store/group-commit.ts';
import { encodeOpsObject, type JournalOp } from './journal-entry.ts';
import type { ClusterSession } from './session.ts';
import { inParallel, type StateObjects } from './state-objects.ts';
import { pause } from './stream-reads.ts';

/** What a batch is in the journal. */
export interface CommitOps {
  /** One a key: the last. */
  readonly ops: readonly JournalOp[];
  /** Object that has the operations, when a message is too small for them. */
  readonly object: string | undefined;
  /** Every object made for it. */
  readonly kept: readonly string[];
}

/** Values beyond this are objects, so that one does not hold up the messages behind it. */
const INLINE_MAX_BYTES = 262_144;
const PAYLOAD_DEFAULT_BYTES = 1_048_576;
/** Headers, subject and fields of a message, at most. */
const FRAME_BYTES = 4_096;
/** Lengths around key and value of each operation. */
const OP_FRAME_BYTES = 16;
/** Run-time data of extensions: large, and read only when a VM starts. */
const STATE_PREFIX = 'saved/';
const RETRY_MS = 150;

/**
 * Operations of a batch, with what is no part of a message stored as objects until `deadline` (of `performance.now`).
 * `STORE_UNAVAILABLE`, and no object left, when that cannot be done.
 */
export async function commitOps(
  session: ClusterSession,
  objects: StateObjects,
  batch: CommitBatch,
  deadline: number,
): Promise<CommitOps> {
  const inlineMax = Math.min(INLINE_MAX_BYTES, messageMax(session));
  const changes = new Map<string, JournalOp>();
  const large: { readonly key: string; readonly sealed: Uint8Array }[] = [];
  for (const [key, sealed] of lastOfEachKey(batch)) {
    if (sealed === undefined) changes.set(key, { key, isDelete: true });
    else {
      changes.set(key, { key, sealed });
      if (sealed.length > inlineMax || key.startsWith(STATE_PREFIX)) large.push({ key, sealed });
    }
  }
  const kept: string[] = [];
  try {
    await inParallel(large, async ({ key, sealed }) => {
      const object = await keepObject(session, objects, sealed, deadline);
      kept.push(object);
      changes.set(key, { key, object });
    });
    const { ops, object } = await inMessage(session, objects, [...changes.values()], deadline);
    if (object !== undefined) kept.push(object);
    return { ops, object, kept };
  } catch (cause) {
    objects.remove(kept);
    throw cause;
  }
}

/** `ops`, with an object that has them when they are too many for a message. */
export async function inMessage(
  session: ClusterSession,
  objects: StateObjects,
  ops: readonly JournalOp[],
  deadline: number,
): Promise<Omit<CommitOps, 'kept'>> {
  if (sizeOf(ops) <= messageMax(session)) return { ops, object: undefined };
  return { ops, object: await keepObject(session, objects, encodeOpsObject(ops), deadline) };
}

/** Bytes of content that fit one message. */
function messageMax(session: ClusterSession): number {
  return (session.connection.info?.max_payload ?? PAYLOAD_DEFAULT_BYTES) - FRAME_BYTES;
}

/** The values of a batch that count, in the order in which their keys came first. */
export function lastOfEachKey(batch: CommitBatch): ReadonlyMap<string, Uint8Array | undefined> {
  const last = new Map<string, Uint8Array | undefined>();
  for (const [i, key] of batch.keys.entries()) last.set(key, batch.values[i]);
  return last;
}

function sizeOf(ops: readonly JournalOp[]): number {
  let bytes = 0;
  for (const op of ops) {
    const content = 'sealed' in op ? op.sealed.length : 'object' in op ? op.object.length : 0;
    bytes += op.key.length + content + OP_FRAME_BYTES;
  }
  return bytes;
}

async function keepObject(
  session: ClusterSession,
  objects: StateObjects,
  bytes: Uint8Array,
  deadline: number,
): Promise<string> {
  for (;;) {
    try {
      return await objects.keep(bytes);
    } catch (cause) {
      const isRefused = cause instanceof JetStreamApiError;
      if (isRefused || session.connection.isClosed() || performance.now() >= deadline) {
        throw refused(objects.place, cause);
      }
    }
    await pause(RETRY_MS);
  }
}

function refused(place: string, cause: unknown): ExtSwitchError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const message = `cannot write to ${place}: ${found}`;
  return new ExtSwitchError('STORE_UNAVAILABLE', message, { found }, { cause });
}
