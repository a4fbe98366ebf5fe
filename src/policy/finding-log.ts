import type { Finding } from '../../switch/environment.ts';
import type { FindingCount, FindingEntry, FindingFilter } from './trace-api.ts';

/** Findings kept, and bytes of offending requests with them; the oldest go first. */
const KEPT = 1_000;
const KEPT_BYTES = 4 * 1024 * 1024;
/** Bytes kept of one request. */
const REQUEST_BYTES = 64 * 1024;
/** Findings of one rule by one extension that are logged in one span of virtual milliseconds; the rest is counted. */
const LOGGED = 10;
const LOG_SPAN_MS = 60_000;

/** How often one extension broke one rule lately. */
interface Flood {
  since: number;
  seen: number;
}

/** What the log is told of a finding: `undefined`, nothing. */
export interface LogLine {
  readonly message: string;
  /** Findings of the same rule and extension that were not logged since the last one that was. */
  readonly unlogged: number;
}

/**
 * The findings of a world: the newest of them, and how many there were of each rule. An extension that breaks a rule with
 * every request fills neither memory nor log.
 */
export class FindingLog {
  #entries: FindingEntry[] = [];
  #bytes = 0;
  readonly #counts = new Map<string, FindingCount & { count: number }>();
  readonly #floods = new Map<string, Flood>();

  /** What of a finding is kept: no more than the first 64 KiB of the request; `length` is then told. */
  static keepable(finding: Finding): Finding & { readonly length?: number } {
    const { bytes } = finding;
    if (bytes === undefined || bytes.length <= REQUEST_BYTES) return finding;
    return { ...finding, bytes: bytes.slice(0, REQUEST_BYTES), length: bytes.length };
  }

  add(entry: FindingEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes?.length ?? 0;
    let gone = 0;
    while (this.#entries.length - gone > KEPT || this.#bytes > KEPT_BYTES) {
      this.#bytes -= this.#entries[gone]?.bytes?.length ?? 0;
      gone += 1;
    }
    // In one go: a flood would move the whole list for each.
    if (gone > 0) this.#entries.splice(0, gone);
    const key = `${entry.rule}/${entry.severity}`;
    const counted = this.#counts.get(key);
    if (counted !== undefined) counted.count += 1;
    else this.#counts.set(key, { rule: entry.rule, severity: entry.severity, count: 1 });
  }

  /** Whether the log is told of this one, and what. */
  line(entry: FindingEntry): LogLine | undefined {
    const key = `${entry.rule}/${entry.extensionId ?? ''}`;
    let flood = this.#floods.get(key);
    if (flood === undefined) {
      flood = { since: entry.time, seen: 0 };
      this.#floods.set(key, flood);
    }
    let unlogged = 0;
    if (entry.time - flood.since >= LOG_SPAN_MS) {
      unlogged = Math.max(0, flood.seen - LOGGED);
      flood.since = entry.time;
      flood.seen = 0;
    }
    flood.seen += 1;
    if (flood.seen > LOGGED) return undefined;
    const last = `; more of ${entry.rule} within ${LOG_SPAN_MS / 1000} s are only counted`;
    const message = flood.seen === LOGGED ? `${entry.message}${last}` : entry.message;
    return { message, unlogged };
  }

  /** Newest last. */
  entries({ limit, rule, extensionId }: FindingFilter = {}): FindingEntry[] {
    const found = this.#entries.filter(
      (entry) =>
        (rule === undefined || entry.rule === rule) &&
        (extensionId === undefined || entry.extensionId === extensionId),
    );
    return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
  }

  /** Of all there were, also those no longer kept. */
  counts(): readonly FindingCount[] {
    return [...this.#counts.values()].map((count) => ({ ...count }));
  }

  /** The findings are gone; the counts go on. */
  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }
}
