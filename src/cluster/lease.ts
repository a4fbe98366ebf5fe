import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { KV, KvEntry } from '@nats-io/kv';
import { ExtSwitchError } from '../core/errors.ts';
import { decodeMember, encodeMember, type MemberRecord } from './member-record.ts';
import { type Moment, now, since } from './moment.ts';

export interface LeaseOptions {
  /** Bucket of all hosts; its keys live for {@link leaseMs} at the server. */
  readonly bucket: KV;
  readonly host: string;
  readonly leaseMs: number;
  readonly record: MemberRecord;
  /** How long a holder is waited for; default twice the lease. */
  readonly waitMs?: number;
  log(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
  /** It stands in the bucket like this now. */
  onRenewed?(record: MemberRecord): void;
}

/** Milliseconds between attempts to become the host, or to be heard again. */
const RETRY_MS = 500;

/** Milliseconds until a bucket that does not answer is given up: an election takes up to nine seconds. */
const REACH_MS = 20_000;

/** What an attempt to become the holder came to. */
type Held =
  | { readonly revision: number; readonly holder?: undefined }
  | { readonly revision?: undefined; readonly holder: string };

/**
 * The key of a host, held by one process: it keeps a second one from trying while the first lives. What makes that safe is the
 * epoch (cluster-store.ts); here are clocks, and nothing is decided by them but whether this process answers.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  #record: MemberRecord;
  #revision: number;
  /** When the last heartbeat that was acknowledged was sent. */
  #renewed: Moment;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> = Promise.resolve();
  #isClosed = false;
  #isSilent = false;
  /** The lease was nobody's for a while, and whether another process has been the host has not been answered since. */
  #isDoubtful = false;
  /** Asked after a time in which another process may have been the host. */
  isStillHost: () => Promise<boolean> = async () => true;

  private constructor(options: LeaseOptions, revision: number, renewed: Moment) {
    this.#options = options;
    this.#record = options.record;
    this.#revision = revision;
    this.#renewed = renewed;
    this.#schedule(options.leaseMs / 3);
  }

  /**
   * Becomes the holder; one that holds it already is waited for, up to `waitMs`. Errors: `LEASE_LOST` naming the holder,
   * `STORE_UNAVAILABLE` when the bucket cannot be written.
   */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const { host, leaseMs, log, waitMs = 2 * leaseMs } = options;
    const begun = now();
    let isTold = false;
    for (;;) {
      const sent = now();
      let found: Held;
      try {
        found = await take(options);
        if (found.revision !== undefined) return new Lease(options, found.revision, sent);
      } catch (problem) {
        if (since(begun) < Math.max(2 * leaseMs, REACH_MS)) {
          await pause(leaseMs);
          continue;
        }
        throw new ExtSwitchError(
          'STORE_UNAVAILABLE',
          `host ${JSON.stringify(host)} cannot be registered in the cluster: ${String(problem)}`,
          { member: 'name', found: host },
          { cause: problem },
        );
      }
      if (!isTold) {
        isTold = true;
        log('warn', `${found.holder}: waiting for it to end, ${waitMs / 1000} s at most`);
      }
      if (since(begun) >= waitMs) {
        throw new ExtSwitchError(
          'LEASE_LOST',
          `${found.holder}: end that process, or open this one under another name`,
          { member: 'name', expected: 'a name no other process has', found: host },
        );
      }
      await pause(leaseMs);
    }
  }

  get record(): MemberRecord {
    return this.#record;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** False once it has run out by this process's own clock, until it is renewed. */
  get isHolding(): boolean {
    return (
      !this.#isClosed && !this.#lost.signal.aborted && since(this.#renewed) < this.#options.leaseMs
    );
  }

  /** Says something else of this host from now on; settles when that has been written, or the next heartbeat will. */
  async say(change: Partial<Omit<MemberRecord, 'incarnation'>>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    await this.#beat();
  }

  /** Another process is the host. */
  lose(error: ExtSwitchError): void {
    if (this.#isClosed || this.#lost.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#options.log('error', error.message, { code: error.code });
    this.#lost.abort(error);
  }

  /** Hands it back: another process need not wait. Idempotent, never throws. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const { bucket, host, log } = this.#options;
    const isOurs = !this.#lost.signal.aborted;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#beating;
    if (!isOurs) return;
    try {
      await bucket.delete(host, { previousSeq: this.#revision });
    } catch (error) {
      log('warn', `the lease of host ${host} runs out by itself`, { error: String(error) });
    }
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#lost.signal.aborted) return;
    this.#timer = setTimeout(() => void this.#beat(), afterMs);
    this.#timer.unref();
  }

  /** One heartbeat after the other; never rejects. */
  #beat(): Promise<void> {
    this.#beating = this.#beating.then(async () => {
      if (this.#isClosed || this.#lost.signal.aborted) return;
      const { leaseMs, host, log } = this.#options;
      try {
        await this.#renew();
        if (this.#isSilent) log('info', `host ${host} reaches the cluster again`);
        this.#isSilent = false;
        this.#schedule(leaseMs / 3);
      } catch (error) {
        if (!this.isHolding && !this.#isSilent && !this.#isClosed) {
          this.#isSilent = true;
          log('warn', `host ${host} does not reach the cluster: it answers nothing until it does`, {
            error: String(error),
          });
        }
        this.#schedule(Math.min(RETRY_MS, leaseMs / 10));
      }
    });
    return this.#beating;
  }

  async #renew(): Promise<void> {
    const { bucket, host, leaseMs } = this.#options;
    const record = this.#record;
    if (!this.isHolding) this.#isDoubtful = true;
    // From before it is sent: at the server it lasts longer, never shorter.
    let sent = now();
    try {
      const timeoutMs = Math.max(RETRY_MS, leaseMs / 3);
      this.#revision = await bucket.update(host, encodeMember(record), this.#revision, timeoutMs);
    } catch (error) {
      if (!isTaken(error)) throw error;
      sent = await this.#reconcile(record);
      if (this.#lost.signal.aborted) return;
    }
    if (this.#isDoubtful && !(await this.isStillHost())) return this.#giveUp();
    this.#isDoubtful = false;
    this.#renewed = sent;
    this.#options.onRenewed?.(record);
  }

  /** The key is not as this process left it: renewed without our hearing it, run out, or another's. Gives when it was renewed. */
  async #reconcile(record: MemberRecord): Promise<Moment> {
    const { bucket, host } = this.#options;
    const entry = await read(bucket, host);
    const found = entry === undefined ? undefined : decodeMember(entry.value);
    if (entry !== undefined && found?.incarnation !== record.incarnation) {
      // What a replica that lags behind still shows is from before this process.
      if (entry.revision < this.#revision) throw new Error('a replica of the leases is behind');
      const holder = found === undefined ? `host ${JSON.stringify(host)}` : heldBy(host, found);
      this.lose(new ExtSwitchError('LEASE_LOST', `${holder}; this process is to end`));
      return this.#renewed;
    }
    const sent = now();
    const bytes = encodeMember(record);
    // Another may have come and gone while it was nobody's.
    if (entry === undefined) this.#isDoubtful = true;
    this.#revision =
      entry === undefined
        ? await bucket.create(host, bytes)
        : await bucket.update(host, bytes, entry.revision);
    return sent;
  }

  /** Another process has been the host and closed: the key, which is ours again, goes to whoever is the next. */
  async #giveUp(): Promise<void> {
    const { bucket, host } = this.#options;
    const name = JSON.stringify(host);
    this.lose(
      new ExtSwitchError(
        'LEASE_LOST',
        `another process has been host ${name} since; this one is to end`,
      ),
    );
    // Otherwise it runs out by itself.
    await bucket.delete(host, { previousSeq: this.#revision }).catch(() => undefined);
  }
}

/** One attempt. Throws when it cannot be known. */
async function take({ bucket, host, record }: LeaseOptions): Promise<Held> {
  const bytes = encodeMember(record);
  try {
    return { revision: await bucket.create(host, bytes) };
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  const entry = await read(bucket, host);
  // It has just become free.
  if (entry === undefined) return { revision: await bucket.create(host, bytes) };
  const found = decodeMember(entry.value);
  // Ours, when only the acknowledgement was lost.
  if (found?.incarnation === record.incarnation) {
    return { revision: await bucket.update(host, bytes, entry.revision) };
  }
  return {
    holder:
      found === undefined
        ? `the lease of host ${JSON.stringify(host)} is held by what is no host of extswitch`
        : heldBy(host, found),
  };
}

function pause(leaseMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MS, leaseMs / 10)));
}

function isTaken(error: unknown): boolean {
  if (!(error instanceof JetStreamApiError)) return false;
  const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = JetStreamApiCodes;
  // The second, of newer servers: another's message is being ordered.
  return error.code === StreamWrongLastSequence || error.code === StreamWrongLastSequenceUnknown;
}

/** What stands there; `undefined`: nothing, or that it was handed back. */
async function read(bucket: KV, host: string): Promise<KvEntry | undefined> {
  const entry = await bucket.get(host);
  return entry === null || entry.operation !== 'PUT' ? undefined : entry;
}

function heldBy(host: string, record: MemberRecord): string {
  const { incarnation, epoch, url } = record;
  const at = url === undefined ? '' : ` at ${url}`;
  return `host ${JSON.stringify(host)} is held by another process${at} (since ${record.since}, epoch ${epoch}, incarnation ${incarnation})`;
}
