import { ExtSwitchError } from '../core/errors.ts';
import type { CommitBatch } from '../store/group-commit.ts';
import { encodeRecord } from '../store/record.ts';
import type { StoreOp } from '../store/store.ts';
import { describe } from './address.ts';
import { type CommitOps, commitOps, inMessage, lastOfEachKey } from './commit-ops.ts';
import type { AppendOutcome, PlacedEntry } from './journal.ts';
import type { JournalEntry, JournalOp } from './journal-entry.ts';
import { JournalTrimmer } from './journal-trimmer.ts';
import { now, SURE_MS, since } from './moment.ts';
import { type HostParts, unsealed } from './open-host.ts';
import { RecordWriter } from './record-writer.ts';
import { Replay } from './replay.ts';
import { pause, removeMessage } from './stream-reads.ts';
import { Tombstones } from './tombstones.ts';

/** Commits that may be ahead of the records (docs/decisions/0011). */
const AHEAD_MAX = 48;
/** For commits that only delete: they make the room that a full bucket lacks. */
const AHEAD_OF_DELETES_MAX = 10_000;
/** A full bucket is asked for room before a write fails for want of it. */
const ROOM_WAIT_MS = 250;
const CLOSE_WAIT_MS = 5_000;

/** A commit of which nobody knows whether it is in the journal. */
interface Unsettled extends CommitOps {
  readonly number: number;
}

/** One host's way of writing: a batch becomes a commit of the journal, then part of the mirror, then records. */
export class CommitWriter {
  readonly #parts: HostParts;
  readonly #epoch: number;
  readonly #onFenced: (error: ExtSwitchError) => void;
  readonly #records: RecordWriter;
  readonly #tombstones: Tombstones;
  readonly #trimmer: JournalTrimmer;
  #number: number;
  #unsettled: Unsettled | undefined = undefined;
  /** What a commit did that came through after its writers were told that it failed. */
  #toUndo: Omit<CommitOps, 'object'> | undefined = undefined;
  #fenced: ExtSwitchError | undefined = undefined;
  #isClosed = false;
  #isEnding = false;
  /** When the journal last said that this process is the host. */
  #sureAt = now();
  #waiting: (() => void)[] = [];

  constructor(parts: HostParts, onFenced: (error: ExtSwitchError) => void) {
    const { session, publisher, journal, objects, opened } = parts;
    const { epoch, number } = opened.taken;
    this.#parts = parts;
    this.#onFenced = onFenced;
    this.#epoch = epoch;
    this.#number = number;
    this.#tombstones = new Tombstones((key, revision) => this.#eraseTombstone(key, revision));
    for (const { key, revision, since } of opened.deleted) {
      this.#tombstones.add(key, revision, since);
    }
    this.#records = new RecordWriter({
      session,
      publisher,
      host: journal.host,
      epoch,
      applied: opened.taken.applied,
      known: opened.known,
      objects,
      tombstones: this.#tombstones,
      onProgress: () => this.#progressed(),
      isSure: () => since(this.#sureAt) < SURE_MS,
      isCurrent: () => this.isCurrent(),
    });
    this.#trimmer = new JournalTrimmer(journal, objects, opened.taken);
    const replay = new Replay(parts, this.#records, (key) => this.#opOf(key));
    void replay
      .run()
      .then(() => objects.sweep(opened.usedObjects))
      .catch(() => undefined);
  }

  /** All of the batch is in the journal and visible, or nothing of it. */
  async commit(batch: CommitBatch): Promise<void> {
    const deadline = performance.now() + this.#parts.session.address.writeTimeoutMs;
    this.#checkHost();
    if (batch.keys.length === 0) return;
    await this.#settle(deadline);
    await this.#waitForRoom(batch, deadline);
    const { session, objects, journal, opened } = this.#parts;
    const commit = await commitOps(session, objects, batch, deadline);
    this.#checkHost();
    const outcome = await this.#append(commit, deadline);
    if (outcome.kind !== 'stored') {
      if (outcome.kind !== 'unknown') objects.remove(commit.kept);
      throw this.#failure(outcome);
    }
    const writes: StoreOp[] = [];
    for (const [key, sealed] of lastOfEachKey(batch)) {
      if (sealed === undefined) writes.push({ op: 'delete', key });
      else writes.push({ op: 'put', key, value: unsealed(key, sealed, journal.place) });
    }
    opened.mirror.write(writes);
  }

  /** Asks the journal whether this process is the host still. */
  async isCurrent(): Promise<boolean> {
    if (this.#fenced !== undefined) return false;
    const { journal, session } = this.#parts;
    const deadline = performance.now() + session.address.writeTimeoutMs;
    for (;;) {
      const number = this.#number + 1;
      const asked = now();
      const [next, newest] = await Promise.all([
        journal.at(this.#epoch, number, deadline),
        // The opening that ended this epoch is not kept for ever.
        journal.newest(deadline),
      ]).catch((cause) => {
        throw this.#unavailable(String(cause));
      });
      // A commit that came through meanwhile moved the end.
      if (this.#number >= number) continue;
      const other = [next, newest].find((placed) => placed !== undefined && this.#ends(placed));
      if (other === undefined) {
        this.#sureAt = asked;
        return true;
      }
      this.#fence(other.entry);
      return false;
    }
  }

  /** The entry at the next number, or the newest of all, is of a process that has become the host. */
  #ends({ entry, subjectEpoch }: PlacedEntry): boolean {
    if (entry.writer === this.#parts.journal.writer || entry.number <= this.#number) return false;
    return subjectEpoch > this.#epoch || entry.epoch > this.#epoch || subjectEpoch === this.#epoch;
  }

  /** One that was cut off or stopped for long asks first: see `SURE_MS`. */
  async #mustBeSure(): Promise<void> {
    if (since(this.#sureAt) >= SURE_MS) await this.isCurrent();
    this.#checkHost();
  }

  /** Whatever waits for servers now fails with `STORE_UNAVAILABLE`. */
  end(): void {
    this.#isEnding = true;
    this.#parts.journal.end();
    this.#progressed();
  }

  /** Waits a while for the records, so that the next opening finds them all. */
  async close(): Promise<void> {
    const { objects, publisher } = this.#parts;
    const deadline = performance.now() + CLOSE_WAIT_MS;
    const mark = this.#records.mark;
    if (this.#isEnding) this.#records.stop();
    // What was refused must not be there when the host is opened again.
    if (!this.#isEnding) await this.#settle(deadline).catch(() => undefined);
    while (mark.ahead > 0 && !this.#records.isStopped && !this.#records.isFull) {
      if (performance.now() >= deadline) break;
      await this.#progress(CLOSE_WAIT_MS / 50);
    }
    this.#isClosed = true;
    this.#records.stop();
    this.#tombstones.close();
    if (this.#fenced === undefined) await this.#trimmer.trim(mark.applied);
    await Promise.race([objects.idle(), pause(CLOSE_WAIT_MS)]);
    publisher.close();
  }

  /** Puts the next commit to the journal; stored, it goes to the records. */
  async #append(commit: CommitOps, deadline: number): Promise<AppendOutcome> {
    const number = this.#number + 1;
    const { ops, object } = commit;
    const { journal } = this.#parts;
    const entry = this.#entry('commit', number, ops);
    await this.#mustBeSure();
    let outcome = await journal.append(this.#epoch, entry, deadline, object);
    if (outcome.kind === 'refused' && outcome.isFull) {
      await this.#trimmer.trim(this.#records.mark.applied);
      outcome = await journal.append(this.#epoch, entry, deadline, object);
    }
    if (outcome.kind === 'stored') this.#apply(number, outcome.revision, ops, object);
    else if (outcome.kind === 'unknown') this.#unsettled = { ...commit, number };
    else if (outcome.kind === 'taken') this.#fence(outcome.by.entry);
    return outcome;
  }

  #apply(
    number: number,
    revision: number,
    ops: readonly JournalOp[],
    object: string | undefined,
  ): void {
    this.#number = number;
    this.#sureAt = now();
    this.#trimmer.added(number, revision, object);
    this.#records.add(number, ops);
  }

  #entry(kind: JournalEntry['kind'], number: number, ops: readonly JournalOp[]): JournalEntry {
    const { writer } = this.#parts.journal;
    const { applied } = this.#records.mark;
    return { kind, writer, epoch: this.#epoch, number, applied, ops };
  }

  /**
   * Finds out about a commit that got no answer. A barrier in its place keeps it out; was it in the journal before, what it
   * did is undone: its writers were told that it failed.
   */
  async #settle(deadline: number): Promise<void> {
    const unsettled = this.#unsettled;
    if (unsettled !== undefined) {
      const { number, ops, object, kept } = unsettled;
      const { journal, objects } = this.#parts;
      const barrier = this.#entry('barrier', number, []);
      await this.#mustBeSure();
      const outcome = await journal.append(this.#epoch, barrier, deadline);
      if (outcome.kind === 'stored') {
        this.#apply(number, outcome.revision, [], undefined);
        objects.remove(kept);
      } else if (outcome.kind === 'taken' && outcome.by.entry.writer === journal.writer) {
        this.#apply(number, outcome.revision, [], object);
        const { ops: older = [], kept: olderKept = [] } = this.#toUndo ?? {};
        this.#toUndo = { ops: [...older, ...ops], kept: [...olderKept, ...kept] };
      } else {
        if (outcome.kind === 'taken') this.#fence(outcome.by.entry);
        throw this.#failure(outcome);
      }
      this.#unsettled = undefined;
    }
    if (this.#toUndo !== undefined) await this.#undo(this.#toUndo, deadline);
  }

  /** Commits the opposite of `done`; nothing else is committed before. */
  async #undo(done: Omit<CommitOps, 'object'>, deadline: number): Promise<void> {
    const { session, objects } = this.#parts;
    const keys = new Set(done.ops.map(({ key }) => key));
    const opposite = [...keys].map((key) => this.#opOf(key));
    const { ops, object } = await inMessage(session, objects, opposite, deadline);
    const kept = object === undefined ? [] : [object];
    const outcome = await this.#append({ ops, object, kept }, deadline);
    if (outcome.kind !== 'stored') {
      if (outcome.kind !== 'unknown') objects.remove(kept);
      throw this.#failure(outcome);
    }
    this.#toUndo = undefined;
    const own = done.ops.flatMap((op) => ('object' in op ? [op.object] : []));
    objects.remove(own.filter((name) => done.kept.includes(name)));
  }

  /** What makes the record of `key` what the mirror has. */
  #opOf(key: string): JournalOp {
    const object = this.#records.objectOf(key);
    if (object !== undefined) return { key, object };
    const value = this.#parts.opened.mirror.get(key);
    return value === undefined
      ? { key, isDelete: true }
      : { key, sealed: encodeRecord(key, value) };
  }

  /** Waits until another commit may be ahead of the records. */
  async #waitForRoom(batch: CommitBatch, deadline: number): Promise<void> {
    const records = this.#records;
    const isPut = batch.values.some((value) => value !== undefined);
    if (records.isFull && isPut) {
      records.tryAgain();
      await this.#progress(ROOM_WAIT_MS);
      if (records.isFull) throw this.#unavailable(`${this.#bucket} is full`);
    }
    const most = isPut ? AHEAD_MAX : AHEAD_OF_DELETES_MAX;
    while (records.mark.ahead >= most) {
      await this.#progress(Math.max(1, deadline - performance.now()));
      this.#checkHost();
      if (records.isFull && isPut) throw this.#unavailable(`${this.#bucket} is full`);
      if (performance.now() >= deadline || this.#isEnding) {
        throw this.#unavailable(`${this.#bucket} does not take the records of ${most} commits`);
      }
    }
  }

  get #bucket(): string {
    return this.#parts.session.bucketName('policies');
  }

  /** Resolves when records have been written, or after `timeoutMs`. */
  #progress(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #progressed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
    if (!this.#isClosed) this.#trimmer.progressed(this.#records.mark.applied);
  }

  async #eraseTombstone(key: string, revision: number): Promise<void> {
    const { session, opened } = this.#parts;
    // The key may have been put again meanwhile.
    await removeMessage(session.manager, `KV_${this.#bucket}`, revision);
    if (opened.known.get(key)?.revision === revision) opened.known.delete(key);
  }

  #checkHost(): void {
    if (this.#fenced !== undefined) throw this.#fenced;
  }

  /** For good. */
  #fence(by: JournalEntry): void {
    if (this.#fenced !== undefined) return;
    const host = JSON.stringify(this.#parts.journal.host);
    this.#fenced = new ExtSwitchError(
      'LEASE_LOST',
      `another process has become host ${host} (epoch ${by.epoch}, this one was ${this.#epoch})`,
      { expected: `epoch ${this.#epoch}`, found: `epoch ${by.epoch}` },
    );
    this.#records.stop();
    this.#tombstones.close();
    this.#progressed();
    this.#onFenced(this.#fenced);
  }

  #failure(outcome: AppendOutcome): ExtSwitchError {
    if (this.#fenced !== undefined) return this.#fenced;
    const { journal, session } = this.#parts;
    if (outcome.kind === 'refused') {
      return this.#unavailable(
        outcome.isFull ? `${journal.place} is full` : `${journal.place}: ${outcome.text}`,
      );
    }
    if (this.#isEnding)
      return this.#unavailable('no quorum of servers answered until it was closed');
    const { writeTimeoutMs } = session.address;
    return this.#unavailable(`no quorum of servers answered within ${writeTimeoutMs} ms`);
  }

  #unavailable(found: string): ExtSwitchError {
    const place = describe(this.#parts.session.address);
    const message = `cannot write to the cluster ${place}: ${found}`;
    return new ExtSwitchError('STORE_UNAVAILABLE', message, { found });
  }
}
