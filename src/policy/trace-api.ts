import type { Finding, TraceFinding } from '../../switch/environment.ts';
import type { TraceFault } from '../../switch/fault-points.ts';

export type { TraceFault, TraceFinding };

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
export interface TraceView {
  entries(filter?: {
    readonly oid?: string;
    /** The last this many of what the rest of the filter lets through. */
    readonly limit?: number;
    readonly afterSeq?: number;
    /** Nothing newer than this. */
    readonly untilSeq?: number;
  }): TraceEntry[];
}

/** Something that is not an OID: state changes and findings. `seq` shares the trace's numbers, so one cursor resumes both. */
export interface FabricEvent {
  readonly seq: number;
  readonly time: number;
  readonly type: 'state' | 'finding';
  readonly switch?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A rule that an extension broke. */
export interface FindingEntry extends Finding {
  readonly seq: number;
  /** Virtual milliseconds. */
  readonly time: number;
  /** Switch name. */
  readonly switch: string;
  /** Length of the request, when `bytes` is only its beginning. */
  readonly length?: number;
}
/** All that there were of one rule. */
export interface FindingCount {
  readonly rule: string;
  readonly severity: Finding['severity'];
  readonly count: number;
}
export interface FindingFilter {
  /** The last this many of what the rest lets through. */
  readonly limit?: number;
  readonly rule?: string;
  readonly extensionId?: string;
}
/** The newest findings of a world: at most 1,000, with at most 4 MiB of bytes. */
export interface FindingView {
  /** Newest last. */
  entries(filter?: FindingFilter): FindingEntry[];
  /** Since the world was opened, also of those no longer kept. */
  counts(): readonly FindingCount[];
}

/** A request in flight (`!ndiskd.oid`). */
export interface PendingOid {
  /** Number of the request on its switch. */
  readonly request: number;
  readonly switch: string;
  readonly oid: string;
  /** The module that holds it. */
  readonly heldBy: string;
  readonly pendingForMs: number;
  /** Requests waiting behind it. */
  readonly queued: number;
  readonly requestType: 'query' | 'set' | 'method';
  /** `protocolEdge` or the issuing extension's id. */
  readonly origin: string;
  /** Places it passed so far, top to bottom, ending with the holder. */
  readonly route: readonly string[];
  /** Virtual milliseconds left until the switch ends it (NdisTimedOidComplete); only while a module pends it. */
  readonly endsInMs?: number;
}
