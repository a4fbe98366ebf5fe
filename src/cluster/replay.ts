import type { JournalOp } from './journal-entry.ts';
import type { HostParts } from './open-host.ts';
import { markOpening } from './read-records.ts';
import { decodeMessage } from './record-message.ts';
import type { RecordWriter } from './record-writer.ts';
import { pause, readMessage } from './stream-reads.ts';
import { subjectOfKey } from './subject-key.ts';

const POLL_MS = 50;

/**
 * Writes the records that an opening found lacking, and makes sure that they stay.
 *
 * The process before may have had the same records on the way. A message that arrives after ours is refused, but of two
 * that arrive at once, with the same revision expected, both are stored (see `Journal`), and the last one counts. So when
 * ours are stored, one more message is put: what arrived together with ours is ordered before it. Then each record is
 * looked at. Until that is done the journal keeps the commits.
 */
export class Replay {
  readonly #parts: HostParts;
  readonly #records: RecordWriter;
  readonly #opOf: (key: string) => JournalOp;

  /** `opOf`: what makes the record of a key what it is to be now. */
  constructor(parts: HostParts, records: RecordWriter, opOf: (key: string) => JournalOp) {
    this.#parts = parts;
    this.#records = records;
    this.#opOf = opOf;
    const { lacking, taken } = parts.opened;
    const ops = [...lacking.values()].map(({ op }) => op);
    // The opening's own number: the records it writes have all that the journal has up to it.
    records.add(taken.number, ops, true);
  }

  /** Resolves when the records are as they are to be, or the writer has stopped. */
  async run(): Promise<void> {
    const { lacking, taken } = this.#parts.opened;
    let keys = [...lacking.keys()];
    while (keys.length > 0) {
      while (keys.some((key) => this.#records.isOpen(key))) await pause(POLL_MS);
      if (this.#records.isStopped) return;
      keys = await this.#overtaken(keys);
      for (const key of keys) this.#records.add(this.#records.mark.committed, [this.#opOf(key)]);
    }
    this.#records.release(taken.number);
  }

  /** Keys whose record is of another epoch after all. */
  async #overtaken(keys: readonly string[]): Promise<string[]> {
    const { session, publisher, journal, opened } = this.#parts;
    const { epoch, number } = opened.taken;
    const bucket = session.bucketName('policies');
    const overtaken: string[] = [];
    const forever = Number.POSITIVE_INFINITY;
    await markOpening(session, publisher, journal.host, epoch, number, forever);
    for (const key of keys) {
      if (this.#records.isStopped) return [];
      const request = { last_by_subj: `$KV.${bucket}.${journal.host}.${subjectOfKey(key)}` };
      const message = await readMessage(session.manager, `KV_${bucket}`, request, forever);
      if (message === undefined || this.#records.isOpen(key)) continue;
      if (decodeMessage(key, message.data, bucket).epoch !== epoch) overtaken.push(key);
    }
    return overtaken;
  }
}
