import type { Finding } from '../../switch/environment.ts';
import { FindingGroup } from './finding-group.ts';
import type { FindingCount, FindingEntry, FindingFilter, FindingGroupInfo } from './trace-api.ts';

/** Bytes of offending requests that are kept. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Rule and extension together: extensions that come and go for ever must not fill the memory. */
const GROUPS = 1_000;
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
 * The findings of a world: of each rule and extension the first and the newest, and how many there were. An extension that
 * breaks a rule with every request fills neither memory nor log, and pushes out nothing but its own.
 */
export class FindingLog {
  readonly #groups = new Map<string, FindingGroup>();
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
    const group = this.#groupOf(entry);
    this.#change(group, () => group.add(entry));
    while (this.#bytes > KEPT_BYTES) {
      const heaviest = this.#heaviest();
      this.#change(heaviest, () => heaviest.lighten());
    }
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
  entries(filter: FindingFilter = {}): FindingEntry[] {
    const ranked = this.#matching(filter).flatMap((group) => {
      const entries = group.entries();
      return entries.map((entry, at) => ({ entry, rank: entries.length - at }));
    });
    const { limit = ranked.length } = filter;
    // The newest of each before the second newest of any: a flood hides nothing on a short page either.
    ranked.sort((a, b) => a.rank - b.rank || b.entry.seq - a.entry.seq);
    const shown = ranked.slice(0, limit).map(({ entry }) => entry);
    return shown.sort((a, b) => a.seq - b.seq);
  }

  /** What there was of each rule and extension since the history began, in the order they were first seen. */
  groups(filter: Omit<FindingFilter, 'limit'> = {}): readonly FindingGroupInfo[] {
    return this.#matching(filter).map((group) => group.info());
  }

  /** Of all there were, also those no longer kept. */
  counts(): readonly FindingCount[] {
    return [...this.#counts.values()].map((count) => ({ ...count }));
  }

  /** The findings are gone; the counts go on. */
  clear(): void {
    this.#groups.clear();
    this.#bytes = 0;
  }

  #matching({ rule, extensionId }: Omit<FindingFilter, 'limit'>): FindingGroup[] {
    return [...this.#groups.values()].filter((group) => {
      const info = group.info();
      return (
        (rule === undefined || info.rule === rule) &&
        (extensionId === undefined || info.extensionId === extensionId)
      );
    });
  }

  #groupOf(entry: FindingEntry): FindingGroup {
    const key = FindingGroup.keyOf(entry);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    for (const [oldest, group] of this.#groups) {
      if (this.#groups.size < GROUPS) break;
      this.#groups.delete(oldest);
      this.#bytes -= group.bytes;
    }
    const made = new FindingGroup(entry);
    this.#groups.set(key, made);
    return made;
  }

  #change(group: FindingGroup, act: () => void): void {
    const before = group.bytes;
    act();
    this.#bytes += group.bytes - before;
  }

  #heaviest(): FindingGroup {
    return [...this.#groups.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
  }
}
