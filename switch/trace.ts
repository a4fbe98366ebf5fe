import { oidName } from '../src/abi/index.ts';
import { statusName } from '../src/core/status.ts';
import type { TraceFinding } from './environment.ts';
import type { Injection, TraceFault } from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, REQUEST_TYPE, type RouteStop, requestTypeName } from './oid-request.ts';
import type { Indication } from './status-path.ts';

/** One OID request or one status indication of the past. */
export interface TraceEntry {
  /** Order of completion in the world; shared with events, so one cursor resumes both. */
  readonly seq: number;
  /** Number of the request on its switch, in order of issue. */
  readonly request: number;
  /** Virtual milliseconds when it was issued. */
  readonly time: number;
  /** Switch name. */
  readonly switch: string;
  readonly oid: string;
  /** `indication`: a NIC_STATUS on its way up; `request` is then 0, `oid` the indication's name, `status` the one inside. */
  readonly requestType: 'query' | 'set' | 'method' | 'indication';
  /** `protocolEdge`, for an indication `miniportEdge`, or the issuing extension's id. */
  readonly origin: string;
  /**
   * Modules in the order they saw it; the last one completed it (`miniportEdge` or an extension). Verdict: `forward`, `pend`,
   * or a status name. An indication goes bottom-up: `forward` or `drop`, and at `protocolEdge` the status it unwrapped.
   */
  readonly route: readonly { readonly module: string; readonly verdict: string }[];
  readonly status: string;
  readonly input: Uint8Array;
  /** Query and method: what came back. */
  readonly output?: Uint8Array;
  /**
   * Rules that extensions broke with this request before it completed, in order, at most 100; left out when there were none. What
   * is found later stands in events and findings with the request's number.
   */
  readonly findings?: readonly TraceFinding[];
  /** Faults that rules injected into this request (docs/howto/inject-faults.md), in order; left out when there were none. */
  readonly faults?: readonly TraceFault[];
}
export interface TraceFilter {
  readonly switch?: string;
  readonly oid?: string;
  /** The last this many of what the rest of the filter lets through. */
  readonly limit?: number;
  readonly afterSeq?: number;
  /** Nothing newer than this. */
  readonly untilSeq?: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** How a request went: what an entry needs beside numbers and bytes. Requests that simply went through share one. */
interface RouteFacts {
  readonly switchName: string;
  readonly modules: readonly FilterModule[];
  readonly completedBy: FilterModule | undefined;
  readonly stops: readonly RouteStop[] | undefined;
  readonly findings?: readonly TraceFinding[] | undefined;
  readonly injected?: readonly Injection[] | undefined;
  /** An indication: who raised it and its way up, bottom to top. */
  readonly indication?: Indication;
}

/** Columns of one entry: sequence number and time as doubles, the rest as 32-bit words. */
const DOUBLES = 2;
const SEQ = 0;
const TIME = 1;
const WORDS = 8;
/** Stands in column TYPE for an indication, which is no request. */
const INDICATION = 0xff;
const REQUEST = 0;
const OID = 1;
const TYPE = 2;
const STATUS = 3;
/** Place of the issuing module plus 1: the protocol edge is 0. */
const ORIGIN = 4;
const START = 5;
const INPUT = 6;
const OUTPUT = 7;

/**
 * The last requests of a world, in order of completion, in rings of numbers and a ring of bytes that grow to their
 * limits and then overwrite the oldest. Recording copies the bytes and allocates nothing once the rings have grown.
 */
export class TraceRing {
  readonly #limit: number;
  readonly #byteLimit: number;
  readonly #nextSeq: () => number;
  #capacity = 0;
  #doubles = new Float64Array(0);
  #words = new Uint32Array(0);
  #facts: RouteFacts[] = [];
  /** Facts of the last request that simply went through. */
  #plain: RouteFacts = { switchName: '', modules: [], completedBy: undefined, stops: undefined };
  #first = 0;
  #count = 0;
  #bytes = new Uint8Array(0);
  /** The same memory as `#bytes`. */
  #byteWords = new Uint32Array(0);
  /** Next byte to write; multiple of 8. */
  #head = 0;
  /** No entry's bytes stand between `#head` and here. */
  #clear = 0;
  /** Total recorded since the beginning. */
  recorded = 0;
  /** Number of the newest entry that had to go for newer ones since it was last cleared, or 0. */
  droppedSeq = 0;
  onRecord: ((seq: number) => void) | undefined;

  /** `limit` entries and `byteLimit` bytes of payload at most. `nextSeq` hands out numbers shared with other events. */
  constructor(limit: number, byteLimit: number, nextSeq: () => number) {
    this.#limit = Math.max(1, limit);
    this.#byteLimit = Math.max(4096, byteLimit) & ~7;
    this.#nextSeq = nextSeq;
  }

  /** Sequence number of the oldest entry still held, or 0. */
  get firstSeq(): number {
    return this.#count === 0 ? 0 : (this.#doubles[this.#first * DOUBLES + SEQ] as number);
  }

  record(switchName: string, request: OidRequest): void {
    let inputLength = request.inputLength;
    let outputLength =
      request.type === REQUEST_TYPE.set ? 0 : Math.min(request.bytesWritten, request.buffer.length);
    let room = roomFor(inputLength, outputLength);
    // A payload larger than the whole ring is not kept; the entry then shows no bytes.
    if (room > this.#byteLimit) {
      inputLength = outputLength = 0;
      room = roomFor(0, 0);
    }
    const start = this.#head + room <= this.#clear ? this.#head : this.#findRoom(room);
    this.#head = start + room;
    this.#copyBytes(request, inputLength, outputLength, start);
    if (this.#count === this.#capacity) this.#makeRoom();
    const end = this.#first + this.#count;
    const slot = end >= this.#capacity ? end - this.#capacity : end;
    this.#count += 1;
    const seq = this.#nextSeq();
    const doubles = this.#doubles;
    doubles[slot * DOUBLES + SEQ] = seq;
    doubles[slot * DOUBLES + TIME] = request.issuedAt;
    const words = this.#words;
    const at = slot * WORDS;
    words[at + REQUEST] = request.id;
    words[at + OID] = request.oid;
    words[at + TYPE] = request.type;
    words[at + STATUS] = request.status;
    words[at + ORIGIN] = request.origin + 1;
    words[at + START] = start;
    words[at + INPUT] = inputLength;
    words[at + OUTPUT] = outputLength;
    this.#facts[slot] = this.#factsOf(switchName, request);
    this.recorded += 1;
    if (this.onRecord !== undefined) this.onRecord(seq);
  }

  /** An indication that has been delivered or swallowed; it has bytes and a status, but no request number. */
  recordIndication(switchName: string, indication: Indication): void {
    const { bytes } = indication;
    const length = roomFor(bytes.length, 0) > this.#byteLimit ? 0 : bytes.length;
    const room = roomFor(length, 0);
    const start = this.#head + room <= this.#clear ? this.#head : this.#findRoom(room);
    this.#head = start + room;
    this.#bytes.set(bytes.subarray(0, length), start);
    if (this.#count === this.#capacity) this.#makeRoom();
    const end = this.#first + this.#count;
    const slot = end >= this.#capacity ? end - this.#capacity : end;
    this.#count += 1;
    const seq = this.#nextSeq();
    this.#doubles[slot * DOUBLES + SEQ] = seq;
    this.#doubles[slot * DOUBLES + TIME] = indication.time;
    const at = slot * WORDS;
    this.#words.fill(0, at, at + WORDS);
    this.#words[at + OID] = indication.status;
    this.#words[at + TYPE] = INDICATION;
    this.#words[at + STATUS] = indication.inner;
    this.#words[at + START] = start;
    this.#words[at + INPUT] = length;
    this.#facts[slot] = {
      switchName,
      modules: [],
      completedBy: undefined,
      stops: undefined,
      indication,
    };
    this.recorded += 1;
    if (this.onRecord !== undefined) this.onRecord(seq);
  }

  #factsOf(switchName: string, request: OidRequest): RouteFacts {
    const { modules, completedBy, stops, findings, injected } = request;
    if (findings !== undefined || injected !== undefined) {
      return { switchName, modules, completedBy, stops, findings, injected };
    }
    const plain = this.#plain;
    if (completedBy !== undefined || stops !== undefined) {
      return { switchName, modules, completedBy, stops };
    }
    if (plain.modules === modules && plain.switchName === switchName) return plain;
    this.#plain = { switchName, modules, completedBy: undefined, stops: undefined };
    return this.#plain;
  }

  #copyBytes(request: OidRequest, inputLength: number, outputLength: number, start: number): void {
    const { words, methodInput } = request;
    const isWhole = words !== undefined && words.length === (inputLength + 3) >>> 2;
    if (isWhole && methodInput === undefined) {
      this.#byteWords.set(words, start >>> 2);
    } else {
      const input = methodInput ?? request.buffer;
      this.#bytes.set(input.length === inputLength ? input : input.subarray(0, inputLength), start);
    }
    if (outputLength === 0) return;
    this.#bytes.set(request.buffer.subarray(0, outputLength), start + ((inputLength + 7) & ~7));
  }

  /** Entries that match, oldest first. */
  entries(filter: TraceFilter = {}): TraceEntry[] {
    const found: TraceEntry[] = [];
    const limit = filter.limit ?? Number.POSITIVE_INFINITY;
    for (let i = this.#count - 1; i >= 0 && found.length < limit; i -= 1) {
      const slot = this.#slot(i);
      const seq = this.#doubles[slot * DOUBLES + SEQ] as number;
      if (seq <= (filter.afterSeq ?? 0)) break;
      if (filter.untilSeq !== undefined && seq > filter.untilSeq) continue;
      const facts = this.#facts[slot] as RouteFacts;
      if (filter.switch !== undefined && facts.switchName !== filter.switch) continue;
      if (filter.oid !== undefined && this.#nameAt(slot) !== filter.oid) continue;
      found.push(this.#entry(slot, facts));
    }
    return found.reverse();
  }

  /** Name of the OID or of the indication. */
  #nameAt(slot: number): string {
    const code = this.#words[slot * WORDS + OID] as number;
    return this.#words[slot * WORDS + TYPE] === INDICATION ? statusName(code) : oidName(code);
  }

  #indicationEntry(slot: number, facts: RouteFacts, indication: Indication): TraceEntry {
    const at = slot * WORDS;
    const start = this.#words[at + START] as number;
    return {
      seq: this.#doubles[slot * DOUBLES + SEQ] as number,
      request: 0,
      time: this.#doubles[slot * DOUBLES + TIME] as number,
      switch: facts.switchName,
      oid: this.#nameAt(slot),
      requestType: 'indication',
      origin: indication.origin,
      route: indication.route,
      status: statusName(this.#words[at + STATUS] as number),
      input: this.#bytes.slice(start, start + (this.#words[at + INPUT] as number)),
    };
  }

  #entry(slot: number, facts: RouteFacts): TraceEntry {
    if (facts.indication !== undefined) return this.#indicationEntry(slot, facts, facts.indication);
    const words = this.#words;
    const at = slot * WORDS;
    const type = words[at + TYPE] as 0 | 1 | 12;
    const origin = (words[at + ORIGIN] as number) - 1;
    const start = words[at + START] as number;
    const inputLength = words[at + INPUT] as number;
    const outputLength = words[at + OUTPUT] as number;
    const bytes = (from: number, length: number): Uint8Array =>
      this.#bytes.slice(from, from + length);
    const status = statusName(words[at + STATUS] as number);
    const entry: Writable<TraceEntry> = {
      seq: this.#doubles[slot * DOUBLES + SEQ] as number,
      request: words[at + REQUEST] as number,
      time: this.#doubles[slot * DOUBLES + TIME] as number,
      switch: facts.switchName,
      oid: oidName(words[at + OID] as number),
      requestType: requestTypeName(type),
      origin: origin < 0 ? 'protocolEdge' : (facts.modules[origin]?.id ?? 'protocolEdge'),
      route: routeOf(facts, origin, status),
      status,
      input: bytes(start, inputLength),
    };
    const { findings, injected } = facts;
    if (type !== REQUEST_TYPE.set) {
      entry.output = bytes(start + ((inputLength + 7) & ~7), outputLength);
    }
    if (findings !== undefined) entry.findings = findings;
    if (injected !== undefined) entry.faults = injected.map(faultOf);
    return entry;
  }

  clear(): void {
    this.#count = 0;
    this.#first = 0;
    this.#head = 0;
    this.#clear = this.#bytes.length;
    this.#facts = [];
    this.droppedSeq = 0;
  }

  #slot(i: number): number {
    const slot = this.#first + i;
    return slot >= this.#capacity ? slot - this.#capacity : slot;
  }

  // --- room ----------------------------------------------------------------------------------------------------------

  #makeRoom(): void {
    if (this.#capacity === this.#limit) {
      this.#dropOldest();
      return;
    }
    const capacity = Math.min(this.#limit, Math.max(64, this.#capacity * 2));
    const doubles = new Float64Array(capacity * DOUBLES);
    const words = new Uint32Array(capacity * WORDS);
    const facts: RouteFacts[] = [];
    for (let i = 0; i < this.#count; i += 1) {
      const slot = this.#slot(i);
      doubles.set(this.#doubles.subarray(slot * DOUBLES, (slot + 1) * DOUBLES), i * DOUBLES);
      words.set(this.#words.subarray(slot * WORDS, (slot + 1) * WORDS), i * WORDS);
      facts.push(this.#facts[slot] as RouteFacts);
    }
    this.#doubles = doubles;
    this.#words = words;
    this.#facts = facts;
    this.#capacity = capacity;
    this.#first = 0;
  }

  #dropOldest(): void {
    this.droppedSeq = this.#doubles[this.#first * DOUBLES + SEQ] as number;
    this.#first = this.#first + 1 === this.#capacity ? 0 : this.#first + 1;
    this.#count -= 1;
  }

  /**
   * Start of `room` free bytes behind the head, or at the beginning of the ring when the end is too near. Only when the
   * entries held leave no such room does the ring grow, and only at its limit are the oldest dropped.
   */
  #findRoom(room: number): number {
    for (;;) {
      const length = this.#bytes.length;
      const head = this.#count === 0 ? 0 : this.#head;
      const oldest = this.#count === 0 ? 0 : (this.#words[this.#first * WORDS + START] as number);
      if (this.#count === 0 || head > oldest) {
        this.#clear = length;
        if (head + room <= length) return head;
        if (room <= oldest) {
          this.#clear = oldest;
          return 0;
        }
      } else {
        this.#clear = oldest;
        if (head + room <= oldest) return head;
      }
      if (length < this.#byteLimit) this.#growBytes(room);
      else this.#dropOldest();
    }
  }

  /** Moves the entries held, oldest first, into a ring of twice the size. */
  #growBytes(room: number): void {
    const length = this.#bytes.length;
    const wanted = Math.max(4096, length * 2, length + room);
    const grown = new ArrayBuffer(Math.min(this.#byteLimit, (wanted + 7) & ~7));
    const bytes = new Uint8Array(grown);
    const isFromStart = this.#count > 0 && this.#words[this.#first * WORDS + START] === 0;
    let end: number;
    if (isFromStart && this.#head > 0) {
      // They follow each other without a gap, as nearly always: one copy, and each stays where it is.
      end = this.#head;
      bytes.set(this.#bytes.subarray(0, end));
    } else {
      end = this.#moveEntries(bytes);
    }
    this.#bytes = bytes;
    this.#byteWords = new Uint32Array(grown, 0, grown.byteLength >>> 2);
    this.#head = end;
    this.#clear = grown.byteLength;
  }

  /** Copies what each entry holds into `bytes`, one behind the other; returns the end of the last. */
  #moveEntries(bytes: Uint8Array): number {
    let end = 0;
    for (let i = 0; i < this.#count; i += 1) {
      const at = this.#slot(i) * WORDS;
      const start = this.#words[at + START] as number;
      const taken = roomFor(this.#words[at + INPUT] as number, this.#words[at + OUTPUT] as number);
      bytes.set(this.#bytes.subarray(start, start + taken), end);
      this.#words[at + START] = end;
      end += taken;
    }
    return end;
  }
}

/** Bytes an entry takes in the ring, a multiple of 8 and never 0, so that overwriting finds every entry in order. */
function roomFor(inputLength: number, outputLength: number): number {
  return Math.max(8, ((inputLength + 7) & ~7) + ((outputLength + 7) & ~7));
}

function faultOf({ rule, module, effect, call }: Injection): TraceFault {
  const where = module?.id ?? 'miniportEdge';
  return { rule, module: where, effect, ...(call === undefined ? {} : { call }) };
}

const NO_STOPS: readonly RouteStop[] = [];

/** Who saw it, top to bottom, and what each said; the last one completed it. */
function routeOf(
  facts: RouteFacts,
  origin: number,
  status: string,
): { module: string; verdict: string }[] {
  const route: { module: string; verdict: string }[] = [];
  for (let i = origin + 1; i < facts.modules.length; i += 1) {
    const module = facts.modules[i] as FilterModule;
    let last: string | undefined;
    for (const stop of facts.stops ?? NO_STOPS) {
      if (stop.module !== module) continue;
      last = stop.verdict;
      route.push({ module: module.id, verdict: last });
    }
    if (module === facts.completedBy) {
      route.push({ module: module.id, verdict: status });
      return route;
    }
    if (last !== 'forward') route.push({ module: module.id, verdict: 'forward' });
  }
  route.push({ module: 'miniportEdge', verdict: status });
  return route;
}
