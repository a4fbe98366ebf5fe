/** A value a store keeps: JSON-like, plus `bigint` and `Uint8Array`. Given values are never changed afterwards by either side. */
export type StoreValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly StoreValue[]
  | { readonly [name: string]: StoreValue | undefined };

/** One write: `put` replaces, `delete` of an absent key is no error. */
export type StoreOp =
  | { readonly op: 'put'; readonly key: string; readonly value: StoreValue }
  | { readonly op: 'delete'; readonly key: string };

/**
 * The small interface every engine stands behind (design.md 5, 6). Keys are `/`-separated ASCII segments, at most 512
 * bytes; order is the byte order of the key.
 *
 * - `write` applies all operations or none. When its promise resolves they are durable (memory: visible). Engines group
 *   concurrent writes into one commit; writes become visible in the order they were called.
 * - When a write fails, it and every write that was queued behind it reject with the same cause, none of them was
 *   applied, and the store accepts new writes again once the medium does.
 * - Errors are `ExtSwitchError`s: `STORE_UNAVAILABLE`, `STORE_VERSION`, `STORE_CORRUPT`. A key or value that cannot be
 *   stored (`INVALID_ARGUMENT`) and a closed store (`STORE_UNAVAILABLE`) are thrown by the call itself, and nothing of
 *   that call is queued.
 */
export interface Store {
  /** Engine and place for people, e.g. `memory`, `lmdb ./data`. */
  readonly description: string;
  get(key: string): StoreValue | undefined;
  /**
   * Entries whose key starts with `prefix`, in key order, as of the last write visible when an iteration starts; what is
   * written while it runs is not seen by it. An iteration that is not run to its end must be left by `return`, as
   * `for … of` does.
   */
  range(prefix: string): Iterable<readonly [key: string, value: StoreValue]>;
  /** `undefined` when the write is done at once (memory), else a promise of its durability. */
  write(ops: readonly StoreOp[]): Promise<void> | undefined;
  /**
   * Copies all entries, as of one moment between two writes, to a new store folder; writes go on meanwhile. Engines
   * without one are copied entry by entry (`backupStore`).
   */
  backup?(folder: string): Promise<StoreReport>;
  /** Flushes and closes; idempotent. */
  close(): Promise<void>;
}

/** What a store folder holds. */
export interface StoreReport {
  /** Absolute path. */
  readonly folder: string;
  /** On-disk format and the version of extswitch that made it. */
  readonly format: number;
  readonly product: string;
  /** ISO 8601. */
  readonly created: string;
  /** A server has it open. */
  readonly isInUse: boolean;
  readonly records: number;
  /** Size of all records without their keys. */
  readonly bytes: number;
  /** By first segment of the key: `switch`, `port`, `property`, … */
  readonly kinds: Readonly<Record<string, { readonly records: number; readonly bytes: number }>>;
  /** Records whose checksum is wrong or which cannot be read. */
  readonly damaged: readonly { readonly key: string; readonly found: string }[];
}
