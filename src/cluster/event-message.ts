import { ExtSwitchError } from '../core/errors.ts';
import type { StoreValue } from '../store/store.ts';
import { decodeValue, encodeValue } from '../store/value-codec.ts';
import type { ClusterEvent } from './api.ts';

/** An event as its host tells it. */
export type ToldEvent = Omit<ClusterEvent, 'id' | 'host'>;

/** What one message of the stream holds: the events of a short while of one host, in their order. */
export interface EventMessage {
  readonly host: string;
  /** Of the process that told it; with `number` it names the message, so that one that was sent twice is seen once. */
  readonly run: string;
  /** Counts the messages of the run, from 1. */
  readonly number: number;
  readonly events: readonly ToldEvent[];
}

/**
 * A place between two events: `index` events of message `sequence` have been read. Behind the last event of a message it is
 * the beginning of the next one, so that one who has read everything asks for nothing that may have gone meanwhile.
 */
export interface EventPosition {
  /** Sequence number of a message of the stream, from 1. */
  readonly sequence: number;
  readonly index: number;
}

const VERSION = 1;
const POSITION = /^(\d{1,15})-(\d{1,6})$/;
const TYPES: ReadonlySet<unknown> = new Set(['trace', 'state', 'finding', 'log', 'gap']);

/** `<sequence>-<index>`: the id of the event before it. */
export function positionText({ sequence, index }: EventPosition): string {
  return `${sequence}-${index}`;
}

/** Position of an event's id. Throws `MALFORMED`. */
export function parsePosition(id: string): EventPosition {
  const [, sequence, index] = POSITION.exec(id) ?? [];
  if (sequence !== undefined && Number(sequence) > 0) {
    return { sequence: Number(sequence), index: Number(index) };
  }
  const expected = 'the id of an event of the cluster, such as 1204-3';
  throw new ExtSwitchError('MALFORMED', `the event id: expected ${expected}`, {
    expected,
    found: id.slice(0, 64),
  });
}

/** MessagePack of a message. Throws `INVALID_ARGUMENT` when an event holds what MessagePack has no word for. */
export function encodeMessage(message: EventMessage): Uint8Array {
  const { host, run, number, events } = message;
  const value = { version: VERSION, host, run, number, events };
  return encodeValue('events', value as unknown as StoreValue);
}

/** The message in the bytes; `undefined` for what is none: anyone with access may have put it there. */
export function decodeMessage(bytes: Uint8Array): EventMessage | undefined {
  let value: unknown;
  try {
    value = decodeValue(bytes, bytes.length);
  } catch {
    return undefined;
  }
  if (!isMap(value) || value['version'] !== VERSION) return undefined;
  const { host, run, number, events } = value;
  if (typeof host !== 'string' || typeof run !== 'string') return undefined;
  if (typeof number !== 'number' || !Array.isArray(events)) return undefined;
  return events.length > 0 && events.every(isEvent) ? { host, run, number, events } : undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEvent(value: unknown): value is ToldEvent {
  return isMap(value) && TYPES.has(value['type']) && typeof value['time'] === 'number';
}
