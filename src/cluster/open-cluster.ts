import { randomUUID } from 'node:crypto';
import { ExtSwitchError } from '../core/errors.ts';
import type { HostDirectory } from '../policy/migration-api.ts';
import type { Store } from '../store/store.ts';
import { productVersion } from '../store/store-format.ts';
import { describe, parseClusterAddress } from './address.ts';
import type { Answer, Cluster, ClusterEvents, HostMember, RemovedHost } from './api.ts';
import { ClusterHosts } from './cluster-hosts.ts';
import { openClusterStore } from './cluster-store.ts';
import { EventStream } from './event-stream.ts';
import { Lease } from './lease.ts';
import { HOST_NAME } from './member-record.ts';
import { Membership } from './membership.ts';
import { Messages } from './messages.ts';
import { Parcels } from './parcel.ts';
import { registeredHosts } from './read-records.ts';
import { removeHost } from './remove-host.ts';
import { type ClusterSession, openSession } from './session.ts';

export interface OpenClusterOptions {
  /** Of this host: letters, digits, `_` and `-`, at most 63. */
  readonly name: string;
  readonly profile: string;
  readonly log?: (
    level: 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
}

type Log = NonNullable<OpenClusterOptions['log']>;

/** What was opened so far, the last first: closed in this order, whatever of it fails. */
type Closers = (() => unknown)[];

/**
 * Becomes host `name` of the cluster that `spec` names, and reads what that host has stored.
 *
 * Errors: `INVALID_ARGUMENT` for a name, `USAGE` for an address; `LEASE_LOST` when another process is this host and does not end
 * within twice the lease; `STORE_UNAVAILABLE`; those of the store.
 */
export async function openCluster(spec: string, options: OpenClusterOptions): Promise<Cluster> {
  const { name, log = () => undefined } = options;
  const address = parseClusterAddress(spec);
  if (!HOST_NAME.test(name)) {
    throw new ExtSwitchError(
      'INVALID_ARGUMENT',
      `host name ${JSON.stringify(name)}: expected letters, digits, "_" and "-", 63 at most`,
      { member: 'name', expected: 'letters, digits, "_" and "-"', found: name },
    );
  }
  const closers: Closers = [];
  try {
    const session = await openSession(address, `extswitch ${name}`);
    closers.unshift(() => session.close());
    for (const note of session.notes) log('warn', `cluster ${describe(address)}: ${note}`);
    return await OpenCluster.enter(session, options, log, closers);
  } catch (cause) {
    await closeAll(closers, log);
    if (cause instanceof ExtSwitchError) throw cause;
    const found = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot enter cluster ${describe(address)} as host ${name}: ${found}`;
    throw new ExtSwitchError('STORE_UNAVAILABLE', message, { found }, { cause });
  }
}

async function closeAll(closers: Closers, log: Log): Promise<void> {
  for (const close of closers.splice(0)) {
    try {
      await close();
    } catch (error) {
      log('warn', 'a part of the cluster did not close', { error: String(error) });
    }
  }
}

interface Parts {
  readonly session: ClusterSession;
  readonly leaseMs: number;
  readonly log: Log;
  readonly lease: Lease;
  readonly membership: Membership;
  readonly messages: Messages;
  readonly store: Store;
  readonly events: ClusterEvents;
}

class OpenCluster implements Cluster {
  readonly name: string;
  readonly host: string;
  readonly epoch: number;
  readonly store: Store;
  readonly hosts: HostDirectory;
  readonly events: ClusterEvents;
  readonly lost: AbortSignal;
  readonly #parts: Parts;
  readonly #close: () => Promise<void>;
  #closed: Promise<void> | undefined;

  private constructor(host: string, parts: Parts, close: () => Promise<void>) {
    const { session, lease, membership, messages } = parts;
    this.name = session.address.cluster;
    this.host = host;
    this.epoch = lease.record.epoch;
    this.store = parts.store;
    this.events = parts.events;
    this.lost = lease.lost;
    this.#parts = parts;
    this.#close = close;
    this.hosts = new ClusterHosts({
      host,
      ask: (...question) => messages.ask(...question),
      serve: (...service) => messages.serve(...service),
      subscribe: (listener) => membership.subscribe(listener),
      open: () => membership.open(),
      known: () => new Set(this.members().flatMap((one) => (one.isSelf ? [] : [one.host]))),
      sayOpen: (isOpen) => void lease.say({ isOpen }),
    });
  }

  static async enter(
    session: ClusterSession,
    { name: host, profile }: OpenClusterOptions,
    log: Log,
    closers: Closers,
  ): Promise<OpenCluster> {
    const bucket = session.kv('hosts');
    // The cluster's, which the address of whoever made it has said.
    const leaseMs = (await bucket.status()).ttl;
    let membership: Membership | undefined;
    const lease = await Lease.acquire({
      bucket,
      host,
      leaseMs,
      log,
      record: {
        incarnation: randomUUID(),
        epoch: 0,
        profile,
        version: productVersion(),
        since: new Date().toISOString(),
        isOpen: false,
      },
      onRenewed: (record) => membership?.renewed(record),
    });
    closers.unshift(() => lease.close());
    const { store, epoch, isCurrent } = await openClusterStore(session, host, {
      incarnation: lease.record.incarnation,
      onFenced: (error) => lease.lose(error),
    });
    closers.unshift(() => store.close());
    lease.isStillHost = isCurrent;
    await lease.say({ epoch });
    membership = await Membership.watch({
      bucket,
      host,
      leaseMs,
      log,
      registered: () => registeredHosts(session),
    });
    const members = membership;
    closers.unshift(() => members.close());
    const messages = new Messages({
      connection: session.connection,
      cluster: session.address.cluster,
      host,
      epoch,
      parcels: new Parcels(session.jetstream, session.address.cluster, session.replicas),
      epochOf: (other) => members.alive(other)?.epoch,
      others: () => members.others(),
      subscribe: (listener) => members.subscribe(listener),
      isHolding: () => lease.isHolding,
      lost: lease.lost,
      log,
    });
    closers.unshift(() => messages.close());
    const { connection, jetstream: jetStream, manager, replicas, address } = session;
    const events = await EventStream.open({
      connection,
      jetStream,
      manager,
      cluster: address.cluster,
      host,
      replicas,
      ...(address.maxBytes === undefined ? {} : { maxBytes: address.maxBytes }),
    });
    closers.unshift(() => events.close());
    if (lease.lost.aborted) throw lease.lost.reason;
    const parts: Parts = { session, leaseMs, log, lease, membership, messages, store, events };
    return new OpenCluster(host, parts, () => closeAll(closers, log));
  }

  members(): readonly HostMember[] {
    return this.#parts.membership.list();
  }

  subscribe(listener: () => void): () => void {
    return this.#parts.membership.subscribe(listener);
  }

  get isHolding(): boolean {
    return this.#parts.lease.isHolding;
  }

  announce(url: string): Promise<void> {
    return this.#parts.lease.say({ url });
  }

  ask(host: string, service: string, body: Uint8Array, timeoutMs?: number): Promise<Answer> {
    return this.#parts.messages.ask(host, service, body, timeoutMs);
  }

  askAll(service: string, body: Uint8Array, timeoutMs?: number): ReturnType<Cluster['askAll']> {
    return this.#parts.messages.askAll(service, body, timeoutMs);
  }

  serve(service: string, handler: Parameters<Cluster['serve']>[1]): () => void {
    return this.#parts.messages.serve(service, handler);
  }

  async removeHost(
    host: string,
    { withVms = false }: { readonly withVms?: boolean } = {},
  ): Promise<RemovedHost> {
    const { session, leaseMs, log, membership, lease } = this.#parts;
    if (lease.lost.aborted) throw lease.lost.reason;
    const name = JSON.stringify(host.slice(0, 100));
    const place = { member: 'host', found: host.slice(0, 100) };
    const known = this.members().find((member) => member.host === host);
    if (known === undefined) {
      const message = `there is no host ${name} in cluster ${JSON.stringify(this.name)}`;
      throw new ExtSwitchError('NOT_FOUND', message, place);
    }
    if (known.isSelf || known.state === 'alive') {
      const why = known.isSelf ? 'is the one that was asked' : 'is alive';
      const message = `host ${name} ${why}: end its process first`;
      throw new ExtSwitchError('ILLEGAL_TRANSITION', message, place);
    }
    const removed = await removeHost(session, host, { leaseMs, withVms, log });
    await membership.refresh();
    return removed;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }
}
