import type { StoredMsg } from '@nats-io/jetstream';
import type { AckedPublisher } from './acked-publisher.ts';
import { isNoRoom, type PublishAnswer, WRONG_LAST_SEQUENCE } from './acked-publisher.ts';
import { decodeEntry, encodeEntry, type JournalEntry, type ReadEntry } from './journal-entry.ts';
import { now, RESENT_MOST_MS, since } from './moment.ts';
import type { ClusterSession } from './session.ts';
import { pause, readMessage, removeMessage, retried } from './stream-reads.ts';

/** What became of an entry. */
export type AppendOutcome =
  /** It is in the journal. */
  | { readonly kind: 'stored'; readonly revision: number }
  /** Another entry has its place, and it can never be there. */
  | { readonly kind: 'taken'; readonly by: ReadEntry; readonly revision: number }
  /** It is not in the journal. */
  | { readonly kind: 'refused'; readonly isFull: boolean; readonly text: string }
  /** It may be in the journal, or come to be. */
  | { readonly kind: 'unknown' };

/** An entry with its place in the stream. */
export interface PlacedEntry extends ReadEntry {
  readonly revision: number;
  /** Milliseconds, by the clock of the servers. */
  readonly time: number;
  /** The epoch in its subject: of an `opening`, the one that ends. */
  readonly subjectEpoch: number;
}

/** An answer that is not there by now is asked for again by sending the same entry. */
const ATTEMPT_MS = 1_500;
const PAUSE_MS = 100;
/** Entries that are removed at a time. */
const TRIMMED_AT_ONCE = 32;

/**
 * The journal of one host. Entry `number` of `epoch` has a subject of its own, `<host>.<epoch>.<number>`, and is put only
 * where nothing is yet (expected last sequence 0).
 *
 * Why not one subject, with the revision of the entry before: nats-server 2.9 with three replicas checks that revision
 * when a message arrives, not when it is ordered, so of two messages at once with the same revision both are stored and
 * acknowledged. That there is none yet it checks when the message is ordered: exactly one wins (test/cluster/store.test.ts).
 */
export class Journal {
  readonly host: string;
  readonly writer: string;
  /** For people. */
  readonly place: string;
  readonly #session: ClusterSession;
  readonly #publisher: AckedPublisher;
  readonly #stream: string;
  #isEnding = false;

  constructor(session: ClusterSession, publisher: AckedPublisher, host: string, writer: string) {
    this.#session = session;
    this.#publisher = publisher;
    this.host = host;
    this.writer = writer;
    this.place = session.bucketName('journal');
    this.#stream = `KV_${this.place}`;
  }

  /**
   * Puts `entry` at its number in `subjectEpoch`, again and again until it is known what became of it or it is `deadline`
   * (of `performance.now`). With `object`, its operations are there.
   */
  async append(
    subjectEpoch: number,
    entry: JournalEntry,
    deadline: number,
    object?: string,
  ): Promise<AppendOutcome> {
    const subject = this.#subject(subjectEpoch, entry.number);
    const data = encodeEntry(subject, entry, object);
    let isOnTheWay = false;
    // A machine that sleeps in between wakes with a deadline that is as far away as ever.
    for (const begun = now(); since(begun) < RESENT_MOST_MS; ) {
      const answer = await this.#publisher.publish({ subject, data, expected: 0 }, ATTEMPT_MS);
      if (answer.kind === 'stored') return { kind: 'stored', revision: answer.revision };
      const found = await this.#lookAfter(answer, subject, entry, deadline);
      if (found !== undefined) return found;
      if (answer.kind === 'unanswered') isOnTheWay = true;
      else if (answer.code !== WRONG_LAST_SEQUENCE && !isOnTheWay) {
        return { kind: 'refused', isFull: isNoRoom(answer), text: answer.text };
      }
      if (performance.now() >= deadline || this.#isEnding) return { kind: 'unknown' };
      await pause(PAUSE_MS);
    }
    return { kind: 'unknown' };
  }

  /** Nothing is sent again any more: what has no answer has none. */
  end(): void {
    this.#isEnding = true;
  }

  /** Every entry of the host from place `after` of the stream on, in the order of the stream. */
  async read(after: number, deadline: number): Promise<PlacedEntry[]> {
    const entries: PlacedEntry[] = [];
    const filter = `$KV.${this.place}.${this.host}.>`;
    for (let from = after + 1; ; ) {
      const message = await this.#message({ next_by_subj: filter, seq: from }, deadline);
      if (message === undefined) return entries;
      entries.push(this.#placed(message));
      from = message.seq + 1;
    }
  }

  /** The entry at `number` of `epoch`, if there is one. */
  async at(epoch: number, number: number, deadline: number): Promise<PlacedEntry | undefined> {
    const message = await this.#message({ last_by_subj: this.#subject(epoch, number) }, deadline);
    return message === undefined ? undefined : this.#placed(message);
  }

  /** The entry that came last, of whatever epoch. */
  async newest(deadline: number): Promise<PlacedEntry | undefined> {
    const filter = `$KV.${this.place}.${this.host}.>`;
    const message = await this.#message({ last_by_subj: filter }, deadline);
    return message === undefined ? undefined : this.#placed(message);
  }

  /** Removes the entries at these places of the stream, in this order. */
  async trim(revisions: readonly number[]): Promise<void> {
    const { manager } = this.#session;
    for (let from = 0; from < revisions.length; from += TRIMMED_AT_ONCE) {
      const some = revisions.slice(from, from + TRIMMED_AT_ONCE);
      await Promise.all(some.map((revision) => removeMessage(manager, this.#stream, revision)));
    }
  }

  /** Removes the one entry at place `revision` of the stream. */
  async remove(revision: number, deadline: number): Promise<void> {
    const { manager } = this.#session;
    await retried(deadline, () => removeMessage(manager, this.#stream, revision));
  }

  /** After a refusal that says there is an entry already: whose? It may be this one, its first answer lost. */
  async #lookAfter(
    answer: PublishAnswer,
    subject: string,
    entry: JournalEntry,
    deadline: number,
  ): Promise<AppendOutcome | undefined> {
    if (answer.kind !== 'refused' || answer.code !== WRONG_LAST_SEQUENCE) return undefined;
    let message: StoredMsg | undefined;
    try {
      message = await this.#message({ last_by_subj: subject }, deadline);
    } catch {
      return undefined;
    }
    // A leader that has just become one may not have ordered it yet.
    if (message === undefined) return undefined;
    const { revision, ...by } = this.#placed(message);
    const { kind, writer, number } = by.entry;
    const isOurs = writer === this.writer && number === entry.number && kind === entry.kind;
    return isOurs ? { kind: 'stored', revision } : { kind: 'taken', by, revision };
  }

  #message(
    request: { last_by_subj: string } | { next_by_subj: string; seq: number },
    deadline: number,
  ): Promise<StoredMsg | undefined> {
    return readMessage(this.#session.manager, this.#stream, request, deadline);
  }

  #placed(message: StoredMsg): PlacedEntry {
    const { subject, seq: revision, data, time } = message;
    const subjectEpoch = Number(subject.split('.').at(-2));
    return {
      ...decodeEntry(subject, data, this.place),
      revision,
      time: time.getTime(),
      subjectEpoch,
    };
  }

  #subject(epoch: number, number: number): string {
    return `$KV.${this.place}.${this.host}.${epoch}.${number}`;
  }
}
