import { oidName } from '../src/abi/index.ts';
import { statusName } from '../src/core/status.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, REQUEST_TYPE, type RouteStop, requestTypeName } from './oid-request.ts';

/** One completed OID request. */
export interface TraceEntry {
  readonly seq: number;
  readonly request: number;
  readonly time: number;
  readonly switch: string;
  readonly oid: string;
  readonly requestType: 'query' | 'set' | 'method';
  readonly origin: string;
  readonly route: readonly { readonly module: string; readonly verdict: string }[];
  readonly status: string;
  readonly input: Uint8Array;
  readonly output?: Uint8Array;
}

export interface TraceFilter {
  readonly switch?: string;
  readonly oid?: string;
  /** The last this many. */
  readonly limit?: number;
  readonly afterSeq?: number;
  /** Nothing newer than this. */
  readonly untilSeq?: number;
}

/** What an entry needs beside numbers and bytes; references, so that recording allocates nothing. */
interface RouteFacts {
  switchName: string;
  modules: readonly FilterModule[];
  completedBy: FilterModule | undefined;
  stops: RouteStop[] | undefined;
}

const NUMBERS = 9;
const SEQ = 0;
const TIME = 1;
const REQUEST = 2;
const OID = 3;
const TYPE = 4;
const STATUS = 5;
const ORIGIN = 6;
const START = 7;
const LENGTHS = 8;

/**
 * The last requests of a world, in order of completion, in a ring of numbers and a ring of bytes that grow to their
 * limits and then overwrite the oldest. Recording copies the bytes and allocates nothing once the rings have grown.
 */
export class TraceRing {
  readonly #limit: number;
  readonly #byteLimit: number;
  readonly #nextSeq: () => number;
  #capacity = 0;
  #numbers = new Float64Array(0);
  #facts: RouteFacts[] = [];
  #first = 0;
  #count = 0;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  /** Next byte to write; multiple of 8. */
  #head = 0;
  /** Total recorded since the beginning. */
  recorded = 0;
  onRecord: ((seq: number) => void) | undefined;

  /** `limit` entries and `byteLimit` bytes of payload at most. `nextSeq` hands out numbers shared with other events. */
  constructor(limit: number, byteLimit: number, nextSeq: () => number) {
    this.#limit = Math.max(1, limit);
    this.#byteLimit = Math.max(4096, byteLimit) & ~7;
    this.#nextSeq = nextSeq;
  }

  /** Sequence number of the oldest entry still held, or 0. */
  get firstSeq(): number {
    return this.#count === 0 ? 0 : (this.#numbers[this.#slot(0) * NUMBERS + SEQ] as number);
  }

  record(switchName: string, request: OidRequest): void {
    const input = request.methodInput ?? request.buffer;
    let inputLength = request.inputLength;
    let outputLength =
      request.type === REQUEST_TYPE.set ? 0 : Math.min(request.bytesWritten, request.buffer.length);
    // A payload larger than the whole ring is not kept; the entry then shows no bytes.
    if (roomFor(inputLength, outputLength) > this.#byteLimit) inputLength = outputLength = 0;
    const start = this.#reserve(roomFor(inputLength, outputLength));
    this.#copy(
      input,
      inputLength,
      start,
      request.methodInput === undefined ? request.words : undefined,
    );
    if (outputLength > 0) {
      this.#copy(request.buffer, outputLength, start + ((inputLength + 7) & ~7), undefined);
    }
    if (this.#count === this.#capacity) this.#makeRoom();
    const slot = this.#slot(this.#count);
    this.#count += 1;
    const n = this.#numbers;
    const at = slot * NUMBERS;
    const seq = this.#nextSeq();
    n[at + SEQ] = seq;
    n[at + TIME] = request.issuedAt;
    n[at + REQUEST] = request.id;
    n[at + OID] = request.oid;
    n[at + TYPE] = request.type;
    n[at + STATUS] = request.status;
    n[at + ORIGIN] = request.origin;
    n[at + START] = start;
    n[at + LENGTHS] = inputLength * 0x1_0000_0000 + outputLength;
    const facts = this.#facts[slot];
    if (facts === undefined) {
      this.#facts[slot] = {
        switchName,
        modules: request.modules,
        completedBy: request.completedBy,
        stops: request.stops,
      };
    } else {
      facts.switchName = switchName;
      facts.modules = request.modules;
      facts.completedBy = request.completedBy;
      facts.stops = request.stops;
    }
    this.recorded += 1;
    this.onRecord?.(seq);
  }

  /** Entries that match, oldest first. */
  entries(filter: TraceFilter = {}): TraceEntry[] {
    const found: TraceEntry[] = [];
    const limit = filter.limit ?? Number.POSITIVE_INFINITY;
    for (let i = this.#count - 1; i >= 0 && found.length < limit; i -= 1) {
      const slot = this.#slot(i);
      const at = slot * NUMBERS;
      const seq = this.#numbers[at + SEQ] as number;
      if (seq <= (filter.afterSeq ?? 0)) break;
      if (filter.untilSeq !== undefined && seq > filter.untilSeq) continue;
      const facts = this.#facts[slot] as RouteFacts;
      if (filter.switch !== undefined && facts.switchName !== filter.switch) continue;
      if (filter.oid !== undefined && oidName(this.#numbers[at + OID] as number) !== filter.oid)
        continue;
      found.push(this.#entry(at, facts));
    }
    return found.reverse();
  }

  #entry(at: number, facts: RouteFacts): TraceEntry {
    const n = this.#numbers;
    const type = n[at + TYPE] as 0 | 1 | 12;
    const origin = n[at + ORIGIN] as number;
    const start = n[at + START] as number;
    const lengths = n[at + LENGTHS] as number;
    const inputLength = Math.floor(lengths / 0x1_0000_0000);
    const outputLength = lengths % 0x1_0000_0000;
    const inputRoom = (inputLength + 7) & ~7;
    const bytes = (from: number, length: number): Uint8Array =>
      this.#bytes.slice(from, from + length);
    const status = statusName(n[at + STATUS] as number);
    const entry = {
      seq: n[at + SEQ] as number,
      request: n[at + REQUEST] as number,
      time: n[at + TIME] as number,
      switch: facts.switchName,
      oid: oidName(n[at + OID] as number),
      requestType: requestTypeName(type),
      origin: origin < 0 ? 'protocolEdge' : (facts.modules[origin]?.id ?? 'protocolEdge'),
      route: routeOf(facts, origin, status),
      status,
      input: bytes(start, inputLength),
    };
    return type === REQUEST_TYPE.set
      ? entry
      : { ...entry, output: bytes(start + inputRoom, outputLength) };
  }

  clear(): void {
    this.#count = 0;
    this.#first = 0;
    this.#head = 0;
    this.#facts = [];
  }

  #slot(i: number): number {
    const slot = this.#first + i;
    return slot >= this.#capacity ? slot - this.#capacity : slot;
  }

  #copy(from: Uint8Array, length: number, to: number, words: Uint32Array | undefined): void {
    if (words !== undefined && length <= 1024) {
      const target = this.#words;
      const at = to >>> 2;
      const count = (length + 3) >>> 2;
      for (let i = 0; i < count; i += 1) target[at + i] = words[i] as number;
    } else {
      this.#bytes.set(from.length === length ? from : from.subarray(0, length), to);
    }
  }

  // --- room ----------------------------------------------------------------------------------------------------------

  #makeRoom(): void {
    if (this.#capacity === this.#limit) {
      this.#dropOldest();
      return;
    }
    const capacity = Math.min(this.#limit, Math.max(64, this.#capacity * 2));
    const numbers = new Float64Array(capacity * NUMBERS);
    const facts: RouteFacts[] = [];
    for (let i = 0; i < this.#count; i += 1) {
      const slot = this.#slot(i);
      numbers.set(this.#numbers.subarray(slot * NUMBERS, (slot + 1) * NUMBERS), i * NUMBERS);
      facts.push(this.#facts[slot] as RouteFacts);
    }
    this.#numbers = numbers;
    this.#facts = facts;
    this.#capacity = capacity;
    this.#first = 0;
  }

  #dropOldest(): void {
    this.#first = this.#first + 1 === this.#capacity ? 0 : this.#first + 1;
    this.#count -= 1;
  }

  /** Start of `room` free bytes; what stood there before is dropped. */
  #reserve(room: number): number {
    for (;;) {
      if (this.#head + room > this.#bytes.length) {
        if (this.#bytes.length < this.#byteLimit) {
          this.#growBytes(this.#bytes.length + room);
          continue;
        }
        this.#dropOverlapping(this.#head, this.#bytes.length);
        this.#head = 0;
      }
      this.#dropOverlapping(this.#head, this.#head + room);
      const start = this.#head;
      this.#head += room;
      return start;
    }
  }

  /** Oldest entries whose bytes stand where new ones go. */
  #dropOverlapping(from: number, to: number): void {
    while (this.#count > 0) {
      const at = this.#first * NUMBERS;
      const start = this.#numbers[at + START] as number;
      const lengths = this.#numbers[at + LENGTHS] as number;
      const length = roomFor(Math.floor(lengths / 0x1_0000_0000), lengths % 0x1_0000_0000);
      if (start >= to || start + length <= from) return;
      this.#dropOldest();
    }
  }

  #growBytes(atLeast: number): void {
    const grown = new ArrayBuffer(
      Math.min(this.#byteLimit, (Math.max(16_384, this.#bytes.length * 2, atLeast) + 7) & ~7),
    );
    const bytes = new Uint8Array(grown);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#words = new Uint32Array(grown, 0, grown.byteLength >>> 2);
  }
}

/** Bytes an entry takes in the ring, a multiple of 8 and never 0, so that overwriting finds every entry in order. */
function roomFor(inputLength: number, outputLength: number): number {
  return Math.max(8, ((inputLength + 7) & ~7) + ((outputLength + 7) & ~7));
}

/** Who saw it, top to bottom, and what each said; the last one completed it. */
function routeOf(
  facts: RouteFacts,
  origin: number,
  status: string,
): { module: string; verdict: string }[] {
  const route: { module: string; verdict: string }[] = [];
  for (let i = origin + 1; i < facts.modules.length; i += 1) {
    const module = facts.modules[i] as FilterModule;
    const stops = facts.stops?.filter((stop) => stop.module === module) ?? [];
    for (const stop of stops) route.push({ module: module.id, verdict: stop.verdict });
    if (module === facts.completedBy) {
      route.push({ module: module.id, verdict: status });
      return route;
    }
    if (stops.at(-1)?.verdict !== 'forward') route.push({ module: module.id, verdict: 'forward' });
  }
  route.push({ module: 'miniportEdge', verdict: status });
  return route;
}
