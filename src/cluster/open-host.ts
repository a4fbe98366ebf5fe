import type { JsMsg } from '@nats-io/jetstream';
import { MemoryStore } from '../store/memory-store.ts';
import { decodeRecord } from '../store/record.ts';
import type { StoreOp, StoreValue } from '../store/store.ts';
import type { AckedPublisher } from './acked-publisher.ts';
import type { Journal } from './journal.ts';
import { decodeOpsObject, type JournalOp } from './journal-entry.ts';
import { markOpening, OPENED, REMOVED, readRecords } from './read-records.ts';
import { decodeMessage, type RecordContent } from './record-message.ts';
import type { KnownRecord } from './record-writer.ts';
import type { ClusterSession } from './session.ts';
import { inParallel, type StateObjects } from './state-objects.ts';
import { keyOfSubject } from './subject-key.ts';
import { type TakeOver, takeOver } from './take-over.ts';

/** A host's records, as the process that has become it holds them. */
export interface OpenedHost {
  readonly taken: TakeOver;
  /** Everything committed. */
  readonly mirror: MemoryStore;
  readonly known: Map<string, KnownRecord>;
  /** Deleted keys whose tombstones are in the bucket. */
  readonly deleted: readonly {
    readonly key: string;
    readonly revision: number;
    readonly since: number;
  }[];
  /** Newest changes that the records lack, by key, each with its commit. */
  readonly lacking: ReadonlyMap<string, { readonly op: JournalOp; readonly number: number }>;
  /** Objects that records or the journal name. */
  readonly usedObjects: ReadonlySet<string>;
}

/** What it takes to write to an opened host. */
export interface HostParts {
  readonly session: ClusterSession;
  readonly publisher: AckedPublisher;
  readonly journal: Journal;
  readonly objects: StateObjects;
  readonly opened: OpenedHost;
}

/**
 * Becomes the host and reads what is its own. Until `deadline` (of `performance.now`) for each request.
 *
 * Errors: `STORE_UNAVAILABLE`, `STORE_CORRUPT`, `STORE_VERSION`.
 */
export async function openHost(
  session: ClusterSession,
  publisher: AckedPublisher,
  journal: Journal,
  objects: StateObjects,
  deadline: number,
): Promise<OpenedHost> {
  const taken = await takeOver(journal, deadline);
  objects.begin(taken.epoch);
  const { host } = journal;
  const usedObjects = new Set<string>();
  for (const { object } of taken.entries) if (object !== undefined) usedObjects.add(object);
  const changes = await changesOf(taken, objects, deadline);
  for (const { op } of changes.values()) if ('object' in op) usedObjects.add(op.object);

  const last = await markOpening(session, publisher, host, taken.epoch, taken.number, deadline);
  const place = session.bucketName('policies');
  const reader = new RecordReader(place, changes);
  const silenceMaxMs = Math.max(session.address.writeTimeoutMs, deadline - performance.now());
  await readRecords(session, host, last, silenceMaxMs, (message) => reader.take(message));
  const records = await recordsOf(reader.found, changes, place, objects, deadline);
  for (const { object } of records.known.values()) {
    if (object !== undefined) usedObjects.add(object);
  }
  const mirror = new MemoryStore();
  mirror.write(records.puts);
  mirror.write(await opsOf(changes, objects, deadline));
  const { known, deleted } = records;
  return { taken, mirror, known, deleted, lacking: changes, usedObjects };
}

type Changes = Map<string, { readonly op: JournalOp; readonly number: number }>;

/** The newest change of each key among the open commits. */
async function changesOf(
  taken: TakeOver,
  objects: StateObjects,
  deadline: number,
): Promise<Changes> {
  const changes: Changes = new Map();
  for (const { entry, object } of taken.open) {
    const { number } = entry;
    const what = `commit ${number}`;
    const ops =
      object === undefined
        ? entry.ops
        : decodeOpsObject(await objects.load(object, what, deadline), objects.place);
    for (const op of ops) changes.set(op.key, { op, number });
  }
  return changes;
}

interface FoundRecord {
  readonly revision: number;
  /** Of its commit. */
  readonly number: number;
  readonly content: RecordContent;
  /** Milliseconds, when it was put. */
  readonly time: number;
}

/** Newest message of each key, as the stream has them up to the opening. */
class RecordReader {
  readonly found = new Map<string, FoundRecord>();
  readonly #place: string;
  readonly #changes: Changes;
  /** Number of the commit up to which the host was removed. */
  #removed = 0;

  constructor(place: string, changes: Changes) {
    this.#place = place;
    this.#changes = changes;
  }

  take(message: JsMsg): void {
    // $KV.<bucket>.<host>.<key>
    const token = message.subject.split('.').slice(3).join('.');
    if (token === OPENED) return;
    const key = token === REMOVED ? token : keyOfSubject(token);
    const { number, content } = decodeMessage(key, message.data, this.#place);
    if (token === REMOVED) this.#remove(number);
    // A process from before the removal had it on its way.
    if (number <= this.#removed) return;
    const change = this.#changes.get(key);
    // The record has it already, or something newer.
    if (change !== undefined && number >= change.number) this.#changes.delete(key);
    // Put again, a key moves to the end.
    this.found.delete(key);
    const time = message.time.getTime();
    this.found.set(key, { revision: message.seq, number, content, time });
  }

  #remove(upTo: number): void {
    this.#removed = upTo;
    for (const [key, record] of this.found) if (record.number <= upTo) this.found.delete(key);
    for (const [key, change] of this.#changes) if (change.number <= upTo) this.#changes.delete(key);
  }
}

type Records = Pick<OpenedHost, 'known' | 'deleted'> & { readonly puts: readonly StoreOp[] };

async function recordsOf(
  found: ReadonlyMap<string, FoundRecord>,
  changes: Changes,
  place: string,
  objects: StateObjects,
  deadline: number,
): Promise<Records> {
  const known = new Map<string, KnownRecord>();
  const deleted: { key: string; revision: number; since: number }[] = [];
  const puts: StoreOp[] = [];
  const elsewhere: { readonly key: string; readonly object: string }[] = [];
  for (const [key, { revision, content, time }] of found) {
    const object = 'object' in content ? content.object : undefined;
    known.set(key, object === undefined ? { revision } : { revision, object });
    if ('isDelete' in content) deleted.push({ key, revision, since: time });
    else if (changes.has(key)) continue;
    else if ('sealed' in content) puts.push(put(key, content.sealed, place));
    else elsewhere.push({ key, object: content.object });
  }
  await inParallel(elsewhere, async ({ key, object }) => {
    const sealed = await objects.load(object, `record ${JSON.stringify(key)}`, deadline);
    puts.push(put(key, sealed, objects.place));
  });
  return { known, deleted, puts };
}

async function opsOf(
  changes: Changes,
  objects: StateObjects,
  deadline: number,
): Promise<StoreOp[]> {
  const ops: StoreOp[] = [];
  await inParallel([...changes.values()], async ({ op }) => {
    const { key } = op;
    if ('isDelete' in op) ops.push({ op: 'delete', key });
    else if ('sealed' in op) ops.push(put(key, op.sealed, objects.place));
    else {
      const sealed = await objects.load(op.object, `record ${JSON.stringify(key)}`, deadline);
      ops.push(put(key, sealed, objects.place));
    }
  });
  return ops;
}

function put(key: string, sealed: Uint8Array, place: string): StoreOp {
  return { op: 'put', key, value: unsealed(key, sealed, place) };
}

/** The value that `encodeRecord` made `sealed` of. */
export function unsealed(key: string, sealed: Uint8Array, place: string): StoreValue {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  return decodeRecord(key, bytes, bytes.length, place);
}
