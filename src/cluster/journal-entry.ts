import { ExtSwitchError } from '../core/errors.ts';
import { decodeRecord, encodeRecord } from '../store/record.ts';
import type { StoreValue } from '../store/store.ts';

/** What one write of a key does. `sealed` are the bytes of `encodeRecord`; `object` names an object that has them. */
export type JournalOp =
  | { readonly key: string; readonly sealed: Uint8Array }
  | { readonly key: string; readonly object: string }
  | { readonly key: string; readonly isDelete: true };

/**
 * One message of a host's journal.
 *
 * - `commit`: what was written together.
 * - `barrier`: stands in the place of a commit that got no answer, which can then be stored no more.
 * - `opening`: ends the epoch before; nothing of that epoch can follow.
 */
export interface JournalEntry {
  readonly kind: 'commit' | 'barrier' | 'opening';
  /** The process that wrote it. */
  readonly writer: string;
  /** Of an `opening`: the one that begins. */
  readonly epoch: number;
  /** Over all epochs, from 1. */
  readonly number: number;
  /** The records have everything up to this number. */
  readonly applied: number;
  readonly ops: readonly JournalOp[];
}

/** Version of the encoding, first field of every entry. */
const VERSION = 1;

type WireOp = readonly [key: string, content: Uint8Array | string | null];

function encodeOps(ops: readonly JournalOp[]): readonly WireOp[] {
  return ops.map((op) =>
    'sealed' in op ? [op.key, op.sealed] : 'object' in op ? [op.key, op.object] : [op.key, null],
  );
}

/** Bytes of an entry; with `object`, its operations are in the object of that name. */
export function encodeEntry(subject: string, entry: JournalEntry, object?: string): Uint8Array {
  const { kind, writer, epoch, number, applied } = entry;
  const ops = object ?? encodeOps(entry.ops);
  return encodeRecord(subject, [VERSION, kind, writer, epoch, number, applied, ops] as StoreValue);
}

/** An entry as it was read: the operations are there, or in an object. */
export interface ReadEntry {
  readonly entry: JournalEntry;
  readonly object: string | undefined;
}

/** Throws `STORE_CORRUPT` or `STORE_VERSION` naming the subject. */
export function decodeEntry(subject: string, bytes: Uint8Array, place: string): ReadEntry {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = decodeRecord(subject, buffer, buffer.length, place) as readonly unknown[];
  const [version, kind, writer, epoch, number, applied, ops] = value;
  if (version !== VERSION) {
    throw new ExtSwitchError(
      'STORE_VERSION',
      `the journal entry ${subject} in ${place}: expected version ${VERSION}, found ${String(version)}`,
      { expected: String(VERSION), found: String(version) },
    );
  }
  const object = typeof ops === 'string' ? ops : undefined;
  const entry = {
    kind,
    writer,
    epoch,
    number,
    applied,
    ops: object === undefined ? decodeOps(ops as readonly WireOp[]) : [],
  };
  return { entry: entry as JournalEntry, object };
}

function decodeOps(ops: readonly WireOp[]): readonly JournalOp[] {
  return ops.map(([key, content]) =>
    content === null
      ? { key, isDelete: true }
      : typeof content === 'string'
        ? { key, object: content }
        : { key, sealed: content },
  );
}

/** Stands in for a key in the seal of operations that are an object. */
const OPS_SEAL = 'ops';

/** Operations that are an object of their own. */
export function encodeOpsObject(ops: readonly JournalOp[]): Uint8Array {
  return encodeRecord(OPS_SEAL, encodeOps(ops) as StoreValue);
}

export function decodeOpsObject(bytes: Uint8Array, place: string): readonly JournalOp[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decodeOps(decodeRecord(OPS_SEAL, buffer, buffer.length, place) as readonly WireOp[]);
}
