import { ExtSwitchError } from '../core/errors.ts';
import { MARKS_KEPT_MS, type Moment, now, since } from './moment.ts';

/** The number of a question among all. */
export interface QuestionNumber {
  readonly from: string;
  /** Of the process that asks. */
  readonly epoch: number;
  readonly id: number;
  /** The lowest number it waits for. */
  readonly open: number;
}

/** What is known of a question that comes. */
export type Heard =
  | { readonly kind: 'new' }
  /** It is being answered. */
  | { readonly kind: 'working' }
  | { readonly kind: 'answered'; readonly answer: Uint8Array }
  /** It was answered, and the answer has not been kept; or nobody waits for it any more. */
  | { readonly kind: 'over' };

interface Asker {
  readonly epoch: number;
  open: number;
  heardAt: Moment;
  /** The numbers from `open` on that were taken, and the answers that are kept. */
  readonly taken: Map<number, Heard>;
}

/** Bytes of answers that are kept for those who may ask again; the oldest go first. */
const KEPT_BYTES = 32 << 20;
/** What remembering one answer takes besides its bytes, about. */
const ENTRY_BYTES = 256;
const OVER: Heard = { kind: 'over' };

/**
 * The questions that were taken from each host, so that one that is asked again is not done again: its answer is given once more.
 * Numbers are remembered until whoever asked waits for none so low any more.
 */
export class HeardQuestions {
  readonly #askers = new Map<string, Asker>();
  /** Answers, the oldest first. */
  readonly #kept = new Set<{
    readonly asker: Asker;
    readonly id: number;
    readonly bytes: number;
  }>();
  readonly #keptBytes: number;
  #bytes = 0;

  constructor(keptBytes = KEPT_BYTES) {
    this.#keptBytes = keptBytes;
  }

  /**
   * Looks a question up. Throws `LEASE_LOST` for one of a process that is the host no more: `aliveEpoch` is what its lease says, and
   * what a later process has asked says it too.
   */
  look({ from, epoch, id, open }: QuestionNumber, aliveEpoch: number | undefined): Heard {
    const asker = this.#asker(from, epoch, aliveEpoch);
    asker.heardAt = now();
    if (open > asker.open) {
      asker.open = open;
      // Nearly in order: one that is not goes with those before it, later.
      for (const taken of asker.taken.keys()) {
        if (taken >= open) break;
        asker.taken.delete(taken);
      }
    }
    if (id < asker.open) return OVER;
    return asker.taken.get(id) ?? { kind: 'new' };
  }

  /** The question, `new` when it was looked up just now, is being answered from here on. */
  take({ from, id }: QuestionNumber): void {
    this.#askers.get(from)?.taken.set(id, { kind: 'working' });
  }

  answered({ from, epoch, id }: QuestionNumber, answer: Uint8Array): void {
    const asker = this.#askers.get(from);
    if (asker?.epoch !== epoch || !asker.taken.has(id)) return;
    asker.taken.set(id, { kind: 'answered', answer });
    const bytes = answer.length + ENTRY_BYTES;
    this.#kept.add({ asker, id, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept) {
      const isOpen = oldest.asker.taken.has(oldest.id);
      if (isOpen && this.#bytes <= this.#keptBytes) break;
      if (isOpen) oldest.asker.taken.set(oldest.id, OVER);
      this.#kept.delete(oldest);
      this.#bytes -= oldest.bytes;
    }
  }

  #asker(from: string, epoch: number, aliveEpoch = 0): Asker {
    const known = this.#askers.get(from);
    // The numbers of epochs of a host that was removed begin again, after as long as its marks are kept.
    const isOld = known === undefined || since(known.heardAt) >= MARKS_KEPT_MS;
    const newest = Math.max(aliveEpoch, isOld ? 0 : known.epoch);
    if (epoch < newest) {
      throw new ExtSwitchError(
        'LEASE_LOST',
        `another process is host ${JSON.stringify(from)} (epoch ${newest}; what was asked is of epoch ${epoch})`,
        { expected: `epoch ${newest}`, found: `epoch ${epoch}` },
      );
    }
    if (known?.epoch === epoch) return known;
    known?.taken.clear();
    const asker: Asker = { epoch, open: 0, heardAt: now(), taken: new Map() };
    this.#askers.set(from, asker);
    return asker;
  }
}
