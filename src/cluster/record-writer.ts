import {
  type AckedPublisher,
  isNoRoom,
  type PublishAnswer,
  WRONG_LAST_SEQUENCE,
} from './acked-publisher.ts';
import { AppliedMark } from './applied-mark.ts';
import type { JournalOp } from './journal-entry.ts';
import { decodeMessage, encodeMessage, type RecordMessage } from './record-message.ts';
import type { ClusterSession } from './session.ts';
import type { StateObjects } from './state-objects.ts';
import { pause, readMessage } from './stream-reads.ts';
import { subjectOfKey } from './subject-key.ts';
import type { Tombstones } from './tombstones.ts';

/** What the writer knows of a key's record in the bucket. */
export interface KnownRecord {
  /** Place in the stream; a deleted key's too, as long as its tombstone is there. */
  readonly revision: number;
  /** Object that has its value. */
  readonly object?: string;
}

/** A change of a key that its record lacks. */
interface Change {
  readonly op: JournalOp;
  /** Commit it is of. */
  readonly number: number;
  /** Oldest commit that changed the key since its record was written. */
  readonly since: number;
}

export interface RecordWriterOptions {
  readonly session: ClusterSession;
  readonly publisher: AckedPublisher;
  readonly host: string;
  readonly epoch: number;
  /** Number of the last commit that the records have. */
  readonly applied: number;
  readonly known: Map<string, KnownRecord>;
  readonly objects: StateObjects;
  readonly tombstones: Tombstones;
  /** The mark moved, or there is room again. */
  readonly onProgress: () => void;
  /** The journal has said of late that this process is the host. */
  readonly isSure: () => boolean;
  /** Another process may be the host: resolves false when it is. */
  readonly isCurrent: () => Promise<boolean>;
}

const IN_FLIGHT_MAX = 256;
const ATTEMPT_MS = 2_000;
const RETRY_MS = 150;
/** How often a full bucket is asked whether it has room. */
const FULL_RETRY_MS = 1_000;

/**
 * Writes records behind the journal: of each key the newest change, one message at a time, each put with the revision
 * that the record has as far as this process knows. Fenced, it is refused: the process that is the host has written
 * what was open.
 */
export class RecordWriter {
  readonly mark: AppliedMark;
  readonly #options: RecordWriterOptions;
  readonly #prefix: string;
  readonly #waiting = new Map<string, Change>();
  readonly #inFlight = new Map<string, Change>();
  /** What the full bucket refused; goes back to waiting together. */
  readonly #refused = new Map<string, Change>();
  #retry: NodeJS.Timeout | undefined = undefined;
  #isFull = false;
  #isAsking = false;
  #isStopped = false;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#prefix = `$KV.${options.session.bucketName('policies')}.${options.host}.`;
    this.mark = new AppliedMark(options.applied);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The bucket refused a record for want of room, and has not taken one since. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Object that has the committed value of `key`. */
  objectOf(key: string): string | undefined {
    const change = this.#waiting.get(key) ?? this.#refused.get(key) ?? this.#inFlight.get(key);
    if (change !== undefined) return 'object' in change.op ? change.op.object : undefined;
    return this.#options.known.get(key)?.object;
  }

  /** A change of `key` is not in its record yet. */
  isOpen(key: string): boolean {
    return this.#waiting.has(key) || this.#refused.has(key) || this.#inFlight.has(key);
  }

  /**
   * Takes over the operations of a commit that is in the journal. With `isHeld`, its number counts as open until
   * {@link release}.
   */
  add(number: number, ops: readonly JournalOp[], isHeld = false): void {
    if (this.#isStopped) return;
    let openKeys = isHeld ? 1 : 0;
    for (const op of ops) {
      const waiting = this.#waiting.get(op.key) ?? this.#refused.get(op.key);
      if (waiting === undefined) openKeys++;
      else this.#forgetObject(waiting.op, op);
      this.#refused.delete(op.key);
      this.#waiting.set(op.key, { op, number, since: waiting?.since ?? number });
    }
    this.mark.commit(number, openKeys);
    this.#pump();
  }

  release(number: number): void {
    if (this.mark.done(number)) this.#options.onProgress();
  }

  /** Asks a full bucket again, at once. */
  tryAgain(): void {
    if (this.#refused.size === 0 || this.#isStopped) return;
    for (const [key, change] of this.#refused) this.#waiting.set(key, change);
    this.#refused.clear();
    this.#pump();
  }

  /** Drops what is open; nothing is sent any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    this.#waiting.clear();
    this.#refused.clear();
    this.#inFlight.clear();
  }

  #pump(): void {
    if (this.#waiting.size > 0 && !this.#options.isSure()) {
      void this.#ask();
      return;
    }
    for (const [key, change] of this.#waiting) {
      if (this.#inFlight.size >= (this.#isFull ? 1 : IN_FLIGHT_MAX)) return;
      // One message of a key at a time: the next one needs its revision.
      if (this.#inFlight.has(key)) continue;
      this.#waiting.delete(key);
      this.#inFlight.set(key, change);
      this.#send(key, change);
    }
  }

  /** After a long time cut off or stopped: a record without a revision would find its place free again. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      // Fenced: whoever asked has told the store, which stops this writer.
      await this.#options.isCurrent();
    } catch {
      await pause(FULL_RETRY_MS);
    } finally {
      this.#isAsking = false;
    }
    if (!this.#isStopped && !this.#options.session.connection.isClosed()) this.#pump();
  }

  #send(key: string, change: Change): void {
    const { op, number } = change;
    const isDelete = 'isDelete' in op;
    const revision = this.#options.known.get(key)?.revision ?? 0;
    if (isDelete && revision === 0) {
      this.#written(key, change, 0);
      return;
    }
    if (isDelete && this.#isFull) {
      void this.#erase(key, change, revision);
      return;
    }
    const subject = this.#prefix + subjectOfKey(key);
    const data = encodeMessage(this.#options.epoch, number, op);
    const publication = { subject, data, expected: revision, isDelete };
    this.#options.publisher.send(publication, ATTEMPT_MS, (answer) =>
      this.#answered(key, change, answer),
    );
  }

  #answered(key: string, change: Change, answer: PublishAnswer): void {
    if (this.#isStopped) return;
    if (answer.kind === 'stored') {
      this.#hasRoom();
      this.#written(key, change, answer.revision);
    } else if (isNoRoom(answer)) {
      this.#isFull = true;
      this.#putBack(key, change, this.#refused);
      this.#retryLater(FULL_RETRY_MS);
      // Deletions behind it make room.
      this.#pump();
    } else if (answer.kind === 'refused' && answer.code === WRONG_LAST_SEQUENCE) {
      void this.#settle(key, change);
    } else if (this.#options.session.connection.isClosed()) {
      // For good: the session has ended before the store.
      this.stop();
    } else {
      this.#putBack(key, change, this.#refused);
      this.#retryLater(RETRY_MS);
    }
  }

  /** In a full bucket not even a tombstone has room; removing the message itself is as exact: it names the revision. */
  async #erase(key: string, change: Change, revision: number): Promise<void> {
    const { session } = this.#options;
    const stream = `KV_${session.bucketName('policies')}`;
    try {
      await session.manager.streams.deleteMessage(stream, revision, false);
      if (this.#isStopped) return;
      this.#written(key, change, 0);
      this.tryAgain();
    } catch {
      if (!this.#isStopped) void this.#settle(key, change);
    }
  }

  #written(key: string, change: Change, revision: number): void {
    const { known, tombstones } = this.#options;
    const { op, since } = change;
    this.#inFlight.delete(key);
    const before = known.get(key)?.object;
    const object = 'object' in op ? op.object : undefined;
    if (before !== undefined && before !== object) this.#options.objects.remove([before]);
    if (revision === 0) known.delete(key);
    else known.set(key, object === undefined ? { revision } : { revision, object });
    if ('isDelete' in op && revision !== 0) tombstones.add(key, revision);
    if (this.mark.done(since)) this.#options.onProgress();
    this.#pump();
  }

  /**
   * The record is not what this process knows. Its own message may have been stored and only the answer lost; a message
   * of the process before may have come late. Or this process is the host no more.
   */
  async #settle(key: string, change: Change): Promise<void> {
    const { session, epoch, known } = this.#options;
    const bucket = session.bucketName('policies');
    const subject = this.#prefix + subjectOfKey(key);
    try {
      const deadline = performance.now() + ATTEMPT_MS;
      const request = { last_by_subj: subject };
      const message = await readMessage(session.manager, `KV_${bucket}`, request, deadline);
      const found = message === undefined ? undefined : decodeMessage(key, message.data, bucket);
      if (this.#isStopped) return;
      if (message !== undefined && isWritten(found, epoch, change.number)) {
        this.#written(key, change, message.seq);
        return;
      }
      // Fenced: whoever asked has told the store, which stops this writer.
      if (!(await this.#options.isCurrent()) || this.#isStopped) return;
      const object = known.get(key)?.object;
      const revision = message?.seq ?? 0;
      if (revision === 0 && object === undefined) known.delete(key);
      else known.set(key, object === undefined ? { revision } : { revision, object });
    } catch {
      // Nobody answers: asked again with the next refusal.
    }
    await pause(RETRY_MS);
    if (this.#isStopped) return;
    this.#putBack(key, change, this.#waiting);
    this.#pump();
  }

  /** Unless a newer change of the key waits: then that one is all there is to write, and this one's age goes over to it. */
  #putBack(key: string, change: Change, to: Map<string, Change>): void {
    this.#inFlight.delete(key);
    const newer = this.#waiting.get(key) ?? this.#refused.get(key);
    if (newer === undefined) {
      to.set(key, change);
      return;
    }
    this.#forgetObject(change.op, newer.op);
    this.#waiting.delete(key);
    this.#refused.delete(key);
    to.set(key, { ...newer, since: change.since });
    if (this.mark.done(newer.since)) this.#options.onProgress();
  }

  /** An object that no record came to name. */
  #forgetObject(op: JournalOp, newer: JournalOp): void {
    if (!('object' in op) || ('object' in newer && newer.object === op.object)) return;
    if (this.#options.known.get(op.key)?.object === op.object) return;
    this.#options.objects.remove([op.object]);
  }

  #hasRoom(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.tryAgain();
    this.#options.onProgress();
  }

  #retryLater(ms: number): void {
    if (this.#isStopped) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.tryAgain();
    }, ms);
  }
}

function isWritten(found: RecordMessage | undefined, epoch: number, number: number): boolean {
  return found !== undefined && found.epoch === epoch && found.number === number;
}
