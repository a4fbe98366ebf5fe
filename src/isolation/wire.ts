import { ExtSwitchError, isExtSwitchError } from '../core/errors.ts';

/*
 * What goes between the server's thread and an extension's worker. Both sides speak the same: calls, which the caller waits for,
 * and news, which it does not.
 */

/** An error as it crosses: enough to make one that reads the same. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  /** Of an ExtSwitchError. */
  readonly code?: string;
  readonly place?: object;
  /** Something thrown that is no Error: as text, or itself when it can cross. */
  readonly thrown?: unknown;
}

/** A value as it crosses. What cannot cross is told by what it is. */
export type Packed =
  | { readonly is: 'value'; readonly value?: unknown }
  /** The token that `pend()` gives. */
  | { readonly is: 'pended' }
  /** Settled later by a message that names it. */
  | { readonly is: 'promise'; readonly promise: number }
  | { readonly is: 'error'; readonly error: WireError }
  | { readonly is: 'function' }
  | { readonly is: 'object' };

/** Bytes that one side changed: the key of the request they are of, and all of them; none: they are no longer valid. */
export type ChangedBytes = readonly (readonly [key: string, bytes: Uint8Array | undefined])[];

/** Calls, their answers, and promises. */
export type Exchange = { readonly bytes?: ChangedBytes } & (
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly target: number;
      readonly name: string;
      readonly args: readonly unknown[];
    }
  | { readonly kind: 'reply'; readonly id: number; readonly packed: Packed }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'settled'; readonly promise: number; readonly packed: Packed }
  | { readonly kind: 'broken'; readonly promise: number; readonly error: WireError }
);

/** What nobody waits for. */
export type News = { readonly bytes?: ChangedBytes } /** The module has been loaded, or not. */ & (
  | { readonly kind: 'ready'; readonly facts: DefinitionFacts }
  | { readonly kind: 'unready'; readonly error: WireError }
  /** The worker no longer knows these objects. */
  | { readonly kind: 'released'; readonly targets: readonly number[] }
  /** Something was thrown in the worker where nobody catches it. */
  | { readonly kind: 'stray'; readonly error: WireError; readonly how: string }
  /** The worker ends by itself. */
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'ping' }
  /** `external`: bytes of buffers outside the heap. */
  | { readonly kind: 'pong'; readonly external: number }
);

export type Message = Exchange | News;

/** Places in the shared words. Each side sleeps on its own word, which the other one counts up. */
export const SIGNAL = { server: 0, worker: 1, idle: 2 } as const;
export const SIGNAL_WORDS = 4;

/** What a worker is started with. */
export interface WorkerStart {
  readonly port: import('node:worker_threads').MessagePort;
  readonly signals: Int32Array;
  /** URL of the extension's module. */
  readonly module: string;
  /** Which of its definitions; left out: its default export. */
  readonly id?: string;
}

/** What a definition tells of itself beside its code. */
export interface DefinitionFacts {
  readonly id: string;
  readonly name: string;
  readonly vendor: string;
  readonly version: string;
  readonly type: 'capture' | 'filter' | 'forward';
  /** Absolute paths. */
  readonly mof: readonly string[];
  /** URL of the module that defined it. */
  readonly origin: string;
}

export function packError(error: unknown): WireError {
  if (isExtSwitchError(error)) {
    const { name, message, stack, code, place } = error;
    return { name, message, stack, code, place: crossable(place) ? place : {} };
  }
  if (error instanceof Error) {
    const { name, message, stack } = error;
    return { name: String(name), message: String(message), stack: String(stack) };
  }
  const thrown = isPlain(error) ? error : {};
  return { name: typeof error, message: String(isPlain(error) ? error : 'an object'), thrown };
}

/** What to throw on this side. */
export function unpackError(wire: WireError): unknown {
  if ('thrown' in wire) return wire.thrown;
  if (wire.code !== undefined) {
    const { code, message, place = {} } = wire;
    return new ExtSwitchError(code as ExtSwitchError['code'], message, place);
  }
  const error = new Error(wire.message);
  error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}

const isPlain = (value: unknown): boolean =>
  (typeof value !== 'object' || value === null) &&
  typeof value !== 'function' &&
  typeof value !== 'symbol';

/** A verdict or another small answer; promises and tokens are the caller's to see first. */
export function packValue(value: unknown): Packed {
  if (isPlain(value)) return { is: 'value', value };
  if (value instanceof Error) return { is: 'error', error: packError(value) };
  if (typeof value === 'function') return { is: 'function' };
  if (typeof value === 'symbol') return { is: 'value', value: String(value) };
  return { is: 'object' };
}

/** Whether the structured clone takes it. */
export function crossable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * A copy whose byte arrays own their memory: the structured clone of a view copies the whole buffer behind it. Only plain
 * objects and arrays are looked into.
 */
export function compact(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength && value.constructor === Uint8Array
      ? value
      : Uint8Array.from(value);
  }
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, compact(inner)]));
}
