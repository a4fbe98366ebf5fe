import type { Finding, TraceFinding } from '../../switch/environment.ts';
import type { TraceFault } from '../../switch/fault-points.ts';
import type { TraceEntry, TraceFilter } from '../../switch/trace.ts';

export type { TraceEntry, TraceFault, TraceFinding };

export interface TraceView {
  entries(filter?: Omit<TraceFilter, 'switch'>): TraceEntry[];
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
  /** Length of the request, when `bytes` is only its beginning or is no longer kept. */
  readonly length?: number;
}
/** All that there were of one rule. */
export interface FindingCount {
  readonly rule: string;
  readonly severity: Finding['severity'];
  readonly count: number;
}
/** What there was of one rule by one extension since the world's history began. */
export interface FindingGroupInfo extends FindingCount {
  readonly extensionId?: string;
  /** Faults that were injected broke it, not the extension. */
  readonly injected?: true;
  /** How many of them are still there: the first 10, and the newest. */
  readonly kept: number;
  /** `seq` of the first one. */
  readonly firstSeq: number;
}
export interface FindingFilter {
  /** At most so many of what the rest lets through: the newest of each rule and extension, then the second newest of each … */
  readonly limit?: number;
  readonly rule?: string;
  readonly extensionId?: string;
}
/** The findings of a world: of each rule and extension the first 10 and the newest 90, with at most 4 MiB of bytes. */
export interface FindingView {
  /** Newest last. */
  entries(filter?: FindingFilter): FindingEntry[];
  /** What there was of each rule and extension, also of those no longer kept; in the order they were first seen. */
  groups(filter?: Omit<FindingFilter, 'limit'>): readonly FindingGroupInfo[];
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
