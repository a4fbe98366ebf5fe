import { ExtSwitchError } from '../core/errors.ts';
import type { Journal, PlacedEntry } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import { pause } from './stream-reads.ts';

/** What a process that became the host found in the journal. */
export interface TakeOver {
  readonly epoch: number;
  /** Of the opening; the next commit has the next one. */
  readonly number: number;
  /** The records have everything up to here. */
  readonly applied: number;
  /** Commits the records may lack, in their order. */
  readonly open: readonly PlacedEntry[];
  /** Every entry before the opening. */
  readonly entries: readonly PlacedEntry[];
  /** Place of the opening in the stream. */
  readonly revision: number;
}

/** Processes that open the same host at once each get an epoch; more of them than this, and something is wrong. */
const ATTEMPTS = 20;

/**
 * Becomes the host: ends the epoch that the journal is in and begins the next. From then on no other process can commit.
 *
 * Errors: `STORE_UNAVAILABLE` when that could not be done until `deadline` (of `performance.now`).
 */
export async function takeOver(journal: Journal, deadline: number): Promise<TakeOver> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entries = await journal.read(0, deadline);
    const head = headOf(entries);
    const opening: JournalEntry = {
      kind: 'opening',
      writer: journal.writer,
      epoch: head.epoch + 1,
      number: head.number + 1,
      applied: head.applied,
      ops: [],
    };
    const outcome = await journal.append(head.epoch, opening, deadline);
    if (outcome.kind === 'unknown' || outcome.kind === 'refused') {
      const found = outcome.kind === 'unknown' ? 'no quorum of servers answers' : outcome.text;
      throw unavailable(journal, found);
    }
    if (outcome.kind === 'stored') {
      const { epoch, number, applied } = opening;
      const { revision } = outcome;
      if (await isLast(journal, entries, head.epoch, number, revision, deadline)) {
        return { epoch, number, applied, open: head.open, entries, revision };
      }
      await journal.remove(revision, deadline);
    }
    // Two that open at once would meet again and again.
    await pause(Math.random() * 20);
  }
  throw unavailable(journal, `${ATTEMPTS} times another process was faster`);
}

interface Head {
  readonly epoch: number;
  readonly number: number;
  readonly applied: number;
  readonly open: readonly PlacedEntry[];
}

/**
 * What is valid of a journal: an epoch ends with its last number, if that is an opening. Entries that a late message of
 * a process made in place of a trimmed one have a number below what is applied, or lie below a gap.
 */
function headOf(entries: readonly PlacedEntry[]): Head {
  const lastNumbers = new Map<number, number>();
  for (const { subjectEpoch, entry } of entries) {
    const last = lastNumbers.get(subjectEpoch) ?? 0;
    lastNumbers.set(subjectEpoch, Math.max(last, entry.number));
  }
  const valid = entries.filter(
    ({ subjectEpoch, entry }) =>
      entry.kind !== 'opening' || lastNumbers.get(subjectEpoch) === entry.number,
  );
  let epoch = 0;
  for (const { entry } of valid) {
    if (entry.kind === 'opening') epoch = Math.max(epoch, entry.epoch);
  }
  const byNumber = new Map<number, PlacedEntry>();
  for (const placed of valid) byNumber.set(placed.entry.number, placed);
  const number = Math.max(0, ...byNumber.keys());
  const applied = byNumber.get(number)?.entry.applied ?? 0;
  const open: PlacedEntry[] = [];
  for (let next = number; next > applied; next--) {
    const placed = byNumber.get(next);
    if (placed === undefined) break;
    if (placed.entry.kind === 'commit') open.unshift(placed);
  }
  return { epoch, number, applied, open };
}

/**
 * A leader that was none any more may have shown an old state of the journal. The opening is valid if, where it is, there
 * is nothing that such a state would have hidden.
 */
async function isLast(
  journal: Journal,
  seen: readonly PlacedEntry[],
  subjectEpoch: number,
  number: number,
  revision: number,
  deadline: number,
): Promise<boolean> {
  const after = seen.at(-1)?.revision ?? 0;
  for (;;) {
    const later = await journal.read(after, deadline);
    if (later.some((placed) => placed.revision === revision)) {
      return !later.some(
        (placed) =>
          placed.revision < revision &&
          (placed.subjectEpoch > subjectEpoch || placed.entry.number > number),
      );
    }
    if (performance.now() >= deadline) throw unavailable(journal, 'no quorum of servers answers');
    await pause(100);
  }
}

function unavailable(journal: Journal, found: string): ExtSwitchError {
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `cannot become host ${JSON.stringify(journal.host)} in ${journal.place}: ${found}`,
    { found },
  );
}
