import type { MaybePromise } from '../../switch/steps.ts';
import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';
import type { Store, StoreOp } from '../store/store.ts';
import { Removal } from './removal.ts';

/** Takes a change back in switch and extensions, by inverse OIDs. */
export type Undo = () => MaybePromise<unknown>;

/** Everything an atomic change did so far; stored at its end, or undone. */
export class Transaction {
  readonly ops: StoreOp[] = [];
  readonly undos: Undo[] = [];
  /** Takes back what was done to fault rules: first, so that none of them is met by an undo. */
  readonly faultUndos: (() => void)[] = [];
}

/** What a write may be told beside its undo. */
export interface CommitOptions {
  /** What would be written now, for records that hold more than this change and may be written by another one while it is undone. */
  readonly asItIs?: () => readonly StoreOp[];
  /** What the write is about, when its records hold more than that. */
  readonly part?: string;
  /** What the write removes. */
  readonly removal?: OpenRemoval;
}

/** A write whose durability is not known yet. */
interface Written extends CommitOptions {
  readonly ops: readonly StoreOp[];
  readonly undo: Undo;
  /** Later ones have higher ones. */
  readonly order: number;
  readonly durable: Promise<void>;
}

export type OpenRemoval = Removal<Written>;

/**
 * How changes become durable (design.md 5): the switch and the extensions have accepted, now the store writes; only
 * then is the caller told. When a write fails, it and all that was queued behind it are undone in reverse order.
 * Atomic changes run alone and are written at once.
 */
export class ChangeLog {
  readonly #store: Pick<Store, 'write'>;
  readonly #reportFailedUndo: (error: unknown) => void;
  readonly #undoing: (undo: Undo) => MaybePromise<unknown>;
  /** Writes whose durability is not known yet, in call order. */
  #inFlight: Written[] = [];
  #recovery: Promise<void> | undefined;
  /** The recovery still looks at what is in flight; afterwards it undoes. */
  #isCollecting = false;
  /** Keys written while the recovery undoes: those values came later and stand. */
  #writtenSince: Set<string> | undefined;
  #active = 0;
  #transaction: Transaction | undefined;
  #waiting: (() => void)[] = [];
  #idle: (() => void) | undefined;
  /** The write at the end of an atomic change. */
  #atomicWrite: Promise<void> | undefined;
  /** One that is made while others are undone. */
  #againWrite: Promise<void> | undefined;
  #order = 0;
  readonly #removals = new Set<OpenRemoval>();
  /** Why no change is made any more. */
  #ended: ExtSwitchError | undefined;

  /** `undoing` runs an undo; left out: as it is. */
  constructor(
    store: Pick<Store, 'write'>,
    reportFailedUndo: (error: unknown) => void,
    undoing: (undo: Undo) => MaybePromise<unknown> = (undo) => undo(),
  ) {
    this.#store = store;
    this.#reportFailedUndo = reportFailedUndo;
    this.#undoing = undoing;
  }

  /**
   * Runs one change of its own, or as part of `transaction`. A plain change waits while an atomic one runs or a failed
   * write is being undone.
   */
  run<T>(transaction: Transaction | undefined, change: () => MaybePromise<T>): MaybePromise<T> {
    if (transaction !== undefined) {
      if (transaction !== this.#transaction) {
        throw new ExtSwitchError(
          'ILLEGAL_TRANSITION',
          'the atomic change has ended; its world is of no use any more',
        );
      }
      return change();
    }
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#transaction !== undefined || this.#recovery !== undefined) {
      return this.#later(() => this.run(undefined, change));
    }
    this.#active += 1;
    let result: MaybePromise<T>;
    try {
      result = change();
    } catch (error) {
      this.#leave();
      throw error;
    }
    if (!(result instanceof Promise)) {
      this.#leave();
      return result;
    }
    return result.finally(() => this.#leave());
  }

  /** Every later change is refused with `reason`; those under way end as their writes do. */
  end(reason: ExtSwitchError): void {
    this.#ended ??= reason;
  }

  /** Changes that have begun and not ended: atomic ones wait for them. */
  get active(): number {
    return this.#active;
  }

  /**
   * Kept when the write that is under way has ended; `undefined`: there is none. The undoing of failed ones is none: it may
   * wait for an extension, and so for time to move.
   */
  get writing(): Promise<unknown> | undefined {
    const last = this.#againWrite ?? this.#atomicWrite ?? this.#inFlight.at(-1)?.durable;
    return last?.catch(() => undefined);
  }

  async #later<T>(change: () => MaybePromise<T>): Promise<T> {
    while (this.#transaction !== undefined || this.#recovery !== undefined) {
      if (this.#recovery !== undefined) await this.#recovery;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return change();
  }

  #leave(): void {
    this.#active -= 1;
    if (this.#active === 0) {
      const idle = this.#idle;
      this.#idle = undefined;
      idle?.();
    }
  }

  /**
   * A removal of what these keys and prefixes name, or of this part of it, begins, to be given to {@link commit} or {@link giveUp}: until it is known
   * whether it stands, undos of changes there wait for its own.
   */
  removing(keys: readonly string[], part?: string): OpenRemoval {
    const removal: OpenRemoval = new Removal(keys, part);
    this.#removals.add(removal);
    return removal;
  }

  /** It came to nothing: what waited for it is undone now. Nothing to do for one that was committed. */
  giveUp(removal: OpenRemoval | undefined): Promise<void> | undefined {
    if (removal === undefined || !this.#removals.has(removal)) return undefined;
    if (this.#inFlight.some((written) => written.removal === removal)) return undefined;
    const held = this.#end(removal);
    if (held.length === 0) return undefined;
    this.#inFlight.push(...held);
    this.#inFlight.sort(byOrder);
    return this.#recovered(held);
  }

  /** Whatever waits for it, which is given back. */
  #end(removal: OpenRemoval | undefined): Written[] {
    if (removal === undefined) return [];
    this.#removals.delete(removal);
    return removal.release();
  }

  /** Writes `ops`; `undo` takes the change back when they cannot be kept. `undefined`: done at once. */
  commit(
    transaction: Transaction | undefined,
    ops: readonly StoreOp[],
    undo: Undo,
    options: CommitOptions = {},
  ): Promise<void> | undefined {
    if (transaction !== undefined) {
      transaction.ops.push(...ops);
      transaction.undos.push(undo);
      // Atomic changes run alone: nothing else is to be undone.
      this.#end(options.removal);
      return undefined;
    }
    let durable: Promise<void> | undefined;
    try {
      durable = this.#store.write(ops);
    } catch (error) {
      durable = Promise.reject(error);
    }
    if (this.#writtenSince !== undefined) for (const { key } of ops) this.#writtenSince.add(key);
    if (durable === undefined) {
      this.#end(options.removal);
      // One that was kept at once while failed ones are collected has its place among them all the same.
      if (this.#isCollecting) {
        this.#order += 1;
        this.#inFlight.push({ ops, undo, order: this.#order, durable: Promise.resolve() });
      }
      return undefined;
    }
    this.#order += 1;
    const written: Written = { ...options, ops, undo, order: this.#order, durable };
    this.#inFlight.push(written);
    return durable.then(
      () => {
        this.#end(options.removal);
        // Writes become durable in order, so this is the first one nearly always. While failed ones are undone, the
        // recovery still needs to see it.
        if (this.#isCollecting) return;
        const at = this.#inFlight.indexOf(written);
        if (at >= 0) this.#inFlight.splice(at, 1);
      },
      async (error) => {
        await this.#recovered([written]);
        throw storeError(error);
      },
    );
  }

  /** A recovery that is past its collecting does not know these: then another follows. */
  async #recovered(failed: readonly Written[]): Promise<void> {
    for (;;) {
      if (failed.some((written) => this.#inFlight.includes(written))) {
        this.#recovery ??= this.#recover();
      }
      if (this.#recovery === undefined) return;
      await this.#recovery;
    }
  }

  /**
   * Waits for all writes under way, then undoes those that failed, latest first. One whose keys a later write that
   * succeeded has replaced needs no undoing: that value stands.
   */
  async #recover(): Promise<void> {
    this.#isCollecting = true;
    const settled: { readonly written: Written; readonly failed: boolean }[] = [];
    while (settled.length < this.#inFlight.length) {
      const written = this.#inFlight[settled.length] as Written;
      const failed = await written.durable.then(
        () => false,
        () => true,
      );
      settled.push({ written, failed });
    }
    this.#inFlight = [];
    this.#isCollecting = false;
    const replaced = new Set<string>();
    this.#writtenSince = replaced;
    for (let next = settled.pop(); next !== undefined; next = settled.pop()) {
      const { written, failed } = next;
      if (!failed) for (const { key } of written.ops) replaced.add(key);
      else if (!written.ops.some(({ key }) => replaced.has(key))) {
        await this.#takeBack(written);
        // What waited for this removal: older than it, and not always than what else is to be undone.
        const held = this.#end(written.removal);
        settled.push(...held.map((one) => ({ written: one, failed: true })));
        settled.sort((a, b) => byOrder(a.written, b.written));
      } else {
        // A later change was made on top of this one, so that this one stands: with all that belongs to it.
        await this.writeAgain(written.ops.filter(({ key }) => !replaced.has(key)));
        this.#end(written.removal);
      }
    }
    this.#writtenSince = undefined;
    this.#recovery = undefined;
  }

  /**
   * A change that cannot be taken back, since one that came later has built on it, stands: the store is given it once more, so
   * that it holds what the world shows.
   */
  async #takeBack(written: Written): Promise<void> {
    const { ops, part, undo, asItIs } = written;
    for (const removal of this.#removals) {
      if (removal === written.removal || !removal.covers(ops, part)) continue;
      removal.hold(written);
      return;
    }
    const isUndone = await this.#undo(undo);
    const isLater = ({ key }: StoreOp): boolean => this.#writtenSince?.has(key) === true;
    // Another change has written the record before the undo had changed it.
    const stale = isUndone && ops.some(isLater) ? (asItIs?.() ?? []) : [];
    await this.writeAgain(isUndone ? stale : ops.filter((op) => !isLater(op)));
  }

  /** Stores what stands although its own write failed; what fails once more is reported. */
  async writeAgain(ops: readonly StoreOp[]): Promise<void> {
    try {
      if (ops.length === 0) return;
      this.#againWrite = this.#store.write(ops);
      await this.#againWrite;
    } catch (error) {
      this.#reportFailedUndo(error);
    } finally {
      this.#againWrite = undefined;
    }
  }

  /** Whether it could be done. */
  async #undo(undo: Undo): Promise<boolean> {
    try {
      await this.#undoing(undo);
      return true;
    } catch (error) {
      this.#reportFailedUndo(error);
      return false;
    }
  }

  /**
   * Runs `change` alone; one write at its end, then `kept`, still alone. Throws what it threw, after everything was undone.
   */
  async atomic<T>(
    change: (transaction: Transaction) => Promise<T>,
    kept?: () => MaybePromise<void>,
  ): Promise<T> {
    while (this.#transaction !== undefined || this.#recovery !== undefined) {
      if (this.#recovery !== undefined) await this.#recovery;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#ended !== undefined) throw this.#ended;
    const transaction = new Transaction();
    this.#transaction = transaction;
    try {
      if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
      try {
        const result = await change(transaction);
        if (transaction.ops.length > 0) {
          this.#atomicWrite = this.#write(transaction.ops);
          await this.#atomicWrite;
          this.#atomicWrite = undefined;
        }
        await kept?.();
        return result;
      } catch (error) {
        this.#atomicWrite = undefined;
        for (const undo of transaction.faultUndos.reverse()) undo();
        for (const undo of transaction.undos.reverse()) await this.#undo(undo);
        throw error;
      }
    } finally {
      this.#transaction = undefined;
      for (const waiting of this.#waiting.splice(0)) waiting();
    }
  }

  async #write(ops: readonly StoreOp[]): Promise<void> {
    try {
      await this.#store.write(ops);
    } catch (error) {
      throw storeError(error);
    }
  }
}

function byOrder(a: Written, b: Written): number {
  return a.order - b.order;
}

function storeError(error: unknown): ExtSwitchError {
  if (isExtSwitchError(error)) return error;
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `the store did not take the change: ${String(error)}`,
    {},
    {
      cause: error,
    },
  );
}
