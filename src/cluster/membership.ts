import type { KvEntry, KvWatchEntry } from '@nats-io/kv';
import type { HostMember } from './api.ts';
import { decodeMember, type MemberRecord } from './member-record.ts';

export interface MembershipOptions {
  /** Bucket of all leases. */
  readonly bucket: {
    get(host: string): Promise<KvEntry | null>;
    watch(): Promise<AsyncIterable<KvWatchEntry> & { stop(): void }>;
  };
  readonly host: string;
  readonly leaseMs: number;
  /** Hosts that have records: those that are not, and are not alive, were removed. Left out: nothing is known of that. */
  registered?(): Promise<ReadonlySet<string>>;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
}

interface Known {
  record: MemberRecord;
  state: HostMember['state'];
  /** By performance.now(). */
  heardAt: number;
  /** Of what was heard last, in the bucket. */
  revision: number;
}

/** Of a host that is known by its journal only. */
const UNHEARD: MemberRecord = {
  incarnation: '',
  epoch: 0,
  profile: '',
  version: '',
  since: '',
  isOpen: false,
};
/** Of those of which nothing was heard for half the lease, so many are looked for at a time. */
const PROBES = 64;
/** Milliseconds until a watch that ended is begun again. */
const REWATCH_MS = 500;
/** How often hosts that are not alive are looked up: one may have been removed, or have come and gone, unheard. */
const REFRESH_MS = 30_000;

/**
 * Who is there: the leases as the server tells of them, and an own clock for those of which nothing is heard any more. Hosts that
 * were here once stay in the list, silent.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #known = new Map<string, Known>();
  readonly #listeners = new Set<() => void>();
  #watch: { stop(): void } | undefined;
  /** When the watch last told of anything, and when the own lease was last renewed, by performance.now(). */
  #toldAt = performance.now();
  #renewedAt = performance.now();
  #sweeper: NodeJS.Timeout | undefined;
  #rewatch: NodeJS.Timeout | undefined;
  #sweptAt = performance.now();
  #isProbing = false;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Settles when everything that stands in the bucket is in the list. */
  static async watch(options: MembershipOptions): Promise<Membership> {
    const membership = new Membership(options);
    await membership.#begin();
    await membership.refresh();
    const every = options.leaseMs / 4;
    membership.#sweeper = setInterval(() => membership.#sweep(every), every);
    membership.#sweeper.unref();
    return membership;
  }

  list(): readonly HostMember[] {
    return [...this.#known.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([host, { record, state }]) => ({
        host,
        epoch: record.epoch,
        state,
        ...(record.url === undefined ? {} : { url: record.url }),
        profile: record.profile,
        version: record.version,
        since: record.since,
        isSelf: host === this.#options.host,
      }));
  }

  /** What a host that is alive says of itself. */
  alive(host: string): MemberRecord | undefined {
    const known = this.#known.get(host);
    return known?.state === 'alive' ? known.record : undefined;
  }

  /** The others that are alive, in the order of names. */
  others(): string[] {
    const names: string[] = [];
    for (const [host, { state }] of this.#known) {
      if (state === 'alive' && host !== this.#options.host) names.push(host);
    }
    return names.sort();
  }

  /** Epochs of the others whose worlds are open. */
  open(): Map<string, number> {
    const open = new Map<string, number>();
    for (const [host, { record, state }] of this.#known) {
      if (state !== 'alive' || !record.isOpen || host === this.#options.host) continue;
      open.set(host, record.epoch);
    }
    return open;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A host that has written once; nothing is known of it now. */
  remember(host: string): void {
    if (this.#known.has(host)) return;
    this.#known.set(host, { record: UNHEARD, state: 'silent', heardAt: 0, revision: 0 });
  }

  /** Hosts that have records come into the list, those that were removed go from it; one look after the other. */
  refresh(): Promise<void> {
    this.#refreshedAt = performance.now();
    this.#refreshing = this.#refreshing.then(async () => {
      const registered = await this.#options.registered?.().catch(() => undefined);
      if (registered === undefined || this.#isClosed) return;
      const before = new Set(this.#known.keys());
      for (const [host, { state }] of this.#known) {
        if (state !== 'alive' && !registered.has(host)) this.#known.delete(host);
      }
      for (const host of registered) this.remember(host);
      const isSame =
        before.size === this.#known.size && [...before].every((host) => this.#known.has(host));
      if (!isSame) this.#tell();
    });
    return this.#refreshing;
  }

  /** The own lease has been renewed, which the watch tells of too unless it is deaf. */
  renewed(record: MemberRecord): void {
    this.#renewedAt = performance.now();
    this.#heard(this.#options.host, record, 0);
  }

  /** `record` stands in the lease of `host` now. */
  #heard(host: string, record: MemberRecord, revision: number): void {
    const known = this.#known.get(host);
    const isNews =
      known?.state !== 'alive' || JSON.stringify(known.record) !== JSON.stringify(record);
    this.#known.set(host, {
      record,
      state: 'alive',
      heardAt: performance.now(),
      revision: Math.max(revision, known?.revision ?? 0),
    });
    if (isNews) this.#tell();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    clearTimeout(this.#rewatch);
    this.#watch?.stop();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#options.log('error', 'a listener of the hosts failed', { error: String(error) });
      }
    }
  }

  /** At least one lease is there: the own. */
  async #begin(): Promise<void> {
    const entries = await this.#options.bucket.watch();
    if (this.#isClosed) {
      entries.stop();
      return;
    }
    this.#watch = entries;
    this.#toldAt = performance.now();
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, this.#options.leaseMs);
      void this.#follow(entries, () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  async #follow(entries: AsyncIterable<KvWatchEntry>, isWhole: () => void): Promise<void> {
    try {
      for await (const entry of entries) {
        this.#toldAt = performance.now();
        this.#entry(entry);
        if (entry.isUpdate) isWhole();
      }
    } catch (error) {
      this.#options.log('warn', 'the leases of the hosts are not heard', { error: String(error) });
    }
    isWhole();
    this.#again();
  }

  #again(): void {
    if (this.#isClosed) return;
    this.#rewatch = setTimeout(() => {
      this.#begin().then(
        () => this.refresh(),
        () => this.#again(),
      );
    }, REWATCH_MS);
    this.#rewatch.unref();
  }

  #entry({ key, operation, value, revision }: KvEntry): void {
    if (operation !== 'PUT') {
      const known = this.#known.get(key);
      if (known?.state === 'left') return;
      const record = known?.record ?? UNHEARD;
      this.#known.set(key, { record, state: 'left', heardAt: 0, revision });
      this.#tell();
      void this.refresh();
      return;
    }
    const record = decodeMember(value);
    if (record === undefined) {
      this.#options.log('warn', `the lease of host ${key} cannot be read`);
      return;
    }
    this.#heard(key, record, revision);
  }

  /** Hosts of which nothing was heard for the length of the lease. */
  #sweep(everyMs: number): void {
    const at = performance.now();
    const wasStopped = at - this.#sweptAt > 2 * everyMs;
    this.#sweptAt = at;
    // What came while this process did not run is heard first.
    if (wasStopped) return;
    void this.#probe(at - this.#options.leaseMs / 2);
    this.#listen();
    let isNews = false;
    for (const known of this.#known.values()) {
      if (known.state !== 'alive' || at - known.heardAt < this.#options.leaseMs) continue;
      known.state = 'silent';
      isNews = true;
    }
    if (isNews) this.#tell();
    if (at - this.#refreshedAt > REFRESH_MS) void this.refresh();
  }

  /**
   * Begins the watch anew when it has not told of the own renewals for the length of the lease: a host that comes would not be
   * seen. After a connection was lost the client does not listen for heartbeats until it has found its consumer again.
   */
  #listen(): void {
    if (this.#renewedAt - this.#toldAt < this.#options.leaseMs) return;
    this.#toldAt = this.#renewedAt;
    this.#watch?.stop();
  }

  /**
   * Looks for the hosts of which nothing was heard since then. A watch is deaf for ten seconds when the server that has it is
   * killed: longer than a lease may be.
   */
  async #probe(before: number): Promise<void> {
    if (this.#isProbing) return;
    this.#isProbing = true;
    let isDeaf = false;
    try {
      const missed = [...this.#known].filter(
        ([, { state, heardAt }]) => state === 'alive' && heardAt < before,
      );
      const probe = async ([host, { revision }]: (typeof missed)[number]): Promise<void> => {
        const entry = await this.#options.bucket.get(host);
        if (entry === null || entry.revision <= revision || this.#isClosed) return;
        isDeaf = true;
        this.#entry(entry);
      };
      for (let from = 0; from < missed.length; from += PROBES) {
        await Promise.all(missed.slice(from, from + PROBES).map(probe));
      }
    } catch {
      // The bucket does not answer: then nobody can renew either.
    } finally {
      this.#isProbing = false;
    }
    // Its end begins another one.
    if (isDeaf) this.#watch?.stop();
  }
}
