import type { ServerResponse } from 'node:http';
import { ExtSwitchError } from '../core/errors.ts';
import type { FabricEvent, FabricInterface, TraceEntry } from '../policy/api.ts';
import { jsonText } from './json-text.ts';
import { traceItem } from './routes/trace.ts';
import { SECURITY_HEADERS } from './send.ts';
import type { World } from './worlds.ts';

/** Sequence numbers looked at in one go: bounds what a stream holds between two writes. */
const WINDOW = 256;
export const HEARTBEAT_MS = 15_000;

export interface StreamLimits {
  /** Streams of one world at a time. */
  readonly perWorld: number;
  readonly heartbeatMs?: number;
}

/**
 * One client of `GET /v1/events` (WHATWG HTML 9.2). It holds a position, not a queue: what it has not been sent stays in
 * the world's history, so a slow client costs no memory. When the history has gone on without it, it gets one `gap`
 * event naming the first sequence number still there, and goes on from that.
 */
class EventStream {
  readonly #world: FabricInterface;
  readonly #response: ServerResponse;
  readonly #unsubscribe: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #onEnd: () => void;
  /** Last sequence number this client has, or was told it missed. */
  #position: number;
  #scheduled = false;
  #blocked = false;
  #ended = false;

  constructor(
    world: FabricInterface,
    response: ServerResponse,
    position: number,
    heartbeatMs: number,
    onEnd: () => void,
  ) {
    this.#world = world;
    this.#response = response;
    this.#position = position;
    this.#onEnd = onEnd;
    this.#unsubscribe = world.events.subscribe(() => this.#schedule());
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    this.#heartbeat.unref();
    response.on('drain', () => {
      this.#blocked = false;
      this.#schedule();
    });
    response.on('close', () => this.end());
    response.on('error', () => this.end());
    this.#schedule();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#unsubscribe();
    this.#onEnd();
    if (!this.#response.writableEnded) this.#response.end();
  }

  /** Called in the middle of a request's completion: only notes that there is something. */
  #schedule(): void {
    if (this.#scheduled || this.#ended || this.#blocked) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#ended || this.#blocked) return;
    const { lastSeq } = this.#world.events;
    // A number from another life of this server, or after a reset that began again.
    if (this.#position > lastSeq) this.#gap(this.#firstSeq() ?? lastSeq + 1);
    if (this.#position >= lastSeq || this.#ended) return;
    const until = Math.min(lastSeq, this.#position + WINDOW);
    const items = this.#between(this.#position, until);
    for (const item of items) {
      if (item.seq > this.#position + 1) this.#gap(item.seq);
      if (!this.#write(eventText(this.#world, item))) {
        this.#position = item.seq;
        return;
      }
      this.#position = item.seq;
    }
    if (this.#position < until) {
      const first = this.#firstSeq(this.#position) ?? lastSeq + 1;
      this.#gap(first);
    }
    if (this.#position < lastSeq) this.#schedule();
  }

  /** Trace entries and events in (after, until], oldest first. */
  #between(after: number, until: number): (TraceEntry | FabricEvent)[] {
    const entries = this.#world.trace.entries({ afterSeq: after, untilSeq: until });
    const events = this.#world.events.after(after).filter((event) => event.seq <= until);
    if (events.length === 0) return entries;
    return [...entries, ...events].sort((a, b) => a.seq - b.seq);
  }

  /** The first sequence number after `after` that is still there, by bisection: the trace tells only its newest. */
  #firstSeq(after = 0): number | undefined {
    const { lastSeq } = this.#world.events;
    const event = this.#world.events.after(after)[0]?.seq;
    let low = after;
    let high = lastSeq;
    const held = (until: number): boolean =>
      this.#world.trace.entries({ afterSeq: after, untilSeq: until, limit: 1 }).length > 0;
    if (!held(high)) return event;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (held(middle)) high = middle;
      else low = middle;
    }
    return event === undefined ? high : Math.min(high, event);
  }

  #gap(firstSeq: number): void {
    const data = jsonText({ after: this.#position, firstSeq });
    this.#position = firstSeq - 1;
    this.#write(`event: gap\nid: ${this.#position}\ndata: ${data}\n\n`);
  }

  #beat(): void {
    if (!this.#blocked && !this.#ended) this.#write(': still here\n\n');
  }

  #write(text: string): boolean {
    if (this.#response.write(text)) return true;
    this.#blocked = true;
    return false;
  }
}

/** Status and head of an event stream. */
export function writeEventHead(response: ServerResponse): void {
  response.writeHead(200, [
    'content-type',
    'text/event-stream; charset=utf-8',
    'x-accel-buffering',
    'no',
    // A stream ends with its connection, so that a client notices and draining does not wait.
    'connection',
    'close',
    ...SECURITY_HEADERS,
  ]);
  response.socket?.setTimeout(0);
  response.socket?.setNoDelay(true);
  response.write('retry: 1000\n\n');
}

/** Takes over a response as a stream of the world's events after `lastEventId`; without one, of what comes from now on. */
export function openEventStream(
  world: World,
  response: ServerResponse,
  lastEventId: number | undefined,
  limits: StreamLimits,
): void {
  writeEventHead(response);
  const stream = new EventStream(
    world.fabric,
    response,
    lastEventId ?? world.fabric.events.lastSeq,
    limits.heartbeatMs ?? HEARTBEAT_MS,
    () => world.streams.delete(end),
  );
  const end = (): void => stream.end();
  world.streams.add(end);
}

/** Position of a resume. Throws `MALFORMED` unless it is a sequence number. */
export function parseEventId(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new ExtSwitchError('MALFORMED', 'Last-Event-ID is not a sequence number', {
    member: 'Last-Event-ID',
  });
}

function eventText(world: FabricInterface, item: TraceEntry | FabricEvent): string {
  if ('oid' in item) {
    return `event: trace\nid: ${item.seq}\ndata: ${jsonText(traceItem(world, item))}\n\n`;
  }
  return `event: ${item.type}\nid: ${item.seq}\ndata: ${jsonText(item)}\n\n`;
}
