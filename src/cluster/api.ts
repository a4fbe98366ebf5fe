import type { HostDirectory } from '../policy/migration-api.ts';
import type { Store } from '../store/store.ts';

/*
 * A host of a cluster, as the rest of the product sees it (docs/decisions/0011). One process is one host; what hosts share is in
 * one NATS JetStream cluster.
 */

/** What `nats://…` names. */
export interface ClusterAddress {
  /** `host:port`, in the order given. */
  readonly servers: readonly string[];
  /** Prefix of every bucket, stream and subject: letters, digits, `_`, `-`; default `extswitch`. */
  readonly cluster: string;
  readonly isTls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** 1, 3 or 5; left out: 3 where there are three servers, else 1. */
  readonly replicas?: number;
  /** Milliseconds without a sign of life after which another process may be the host; default 15,000. */
  readonly leaseMs: number;
  /** Milliseconds a write waits for a quorum before it fails with STORE_UNAVAILABLE; default 15,000. */
  readonly writeTimeoutMs: number;
  /** Most bytes of each bucket; left out: no limit of ours. */
  readonly maxBytes?: number;
}

/** A host as the others see it. */
export interface HostMember {
  readonly host: string;
  /** Fencing token: the how many-th process that is this host. */
  readonly epoch: number;
  /** `silent`: no sign of life for the length of the lease; `left`: it closed. */
  readonly state: 'alive' | 'silent' | 'left';
  /** Where its HTTP plane listens, for people. */
  readonly url?: string;
  readonly profile: string;
  readonly version: string;
  /** ISO 8601, by its own clock. */
  readonly since: string;
  readonly isSelf: boolean;
}

/** A VM that a host has: itself, or the document of one that a migration keeps. */
export interface HostLeftover {
  readonly id: string;
  readonly name: string;
  /** The migration that keeps it. */
  readonly migration?: string;
}

/** What {@link Cluster.removeHost} has removed. */
export interface RemovedHost {
  readonly host: string;
  /** Of the removal: the process that was the host had a smaller one. */
  readonly epoch: number;
  /** VMs that went with it. */
  readonly vms: readonly HostLeftover[];
}

/** An answer to {@link Cluster.ask}. Bytes as they were given. */
export type Answer = Uint8Array;

/**
 * Membership in a cluster, held by one open world.
 *
 * Errors: `HOST_UNREACHABLE` for a host that is not alive or does not answer in time; what a host's handler throws as an
 * `ExtSwitchError` is thrown here with the same code, message and place.
 */
export interface Cluster {
  readonly name: string;
  /** Of this process. */
  readonly host: string;
  readonly epoch: number;
  /** Of this host: every write carries the epoch, and is refused once another process is the host. */
  readonly store: Store;
  /** The other hosts, for migrations. */
  readonly hosts: HostDirectory;
  /** In the order of names, this one included. */
  members(): readonly HostMember[];
  /** Called after a change of {@link members}; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /**
   * False from the moment the lease has run out by this process's own clock until it is renewed, and for ever once another
   * process is the host: nothing may be answered from memory then.
   */
  readonly isHolding: boolean;
  /** Aborted, with an `ExtSwitchError` `LEASE_LOST` as reason, when another process is the host: this one is to end. */
  readonly lost: AbortSignal;
  /** Where this host's HTTP plane listens. */
  announce(url: string): Promise<void>;
  /** Asks one host (or the same question of this one); any size. */
  ask(host: string, service: string, body: Uint8Array, timeoutMs?: number): Promise<Answer>;
  /** Asks every other host that is alive; those that did not answer are named. */
  askAll(
    service: string,
    body: Uint8Array,
    timeoutMs?: number,
  ): Promise<{
    readonly answers: ReadonlyMap<string, Answer>;
    readonly silent: readonly string[];
  }>;
  /** Answers {@link ask} of other hosts from now on; returns what ends it. */
  serve(service: string, handler: (body: Uint8Array, from: string) => Promise<Answer>): () => void;
  readonly events: ClusterEvents;
  /**
   * Removes another host for good, with everything it has stored; its name is free then. A process of it that comes back is fenced.
   *
   * Errors: `NOT_FOUND`; `ILLEGAL_TRANSITION` for one that is alive, for this one, and, without `withVms`, for one that has VMs (named
   * in `problems`): nothing is changed then. `STORE_UNAVAILABLE`: to be done again.
   */
  removeHost(host: string, options?: { readonly withVms?: boolean }): Promise<RemovedHost>;
  /** Hands the lease back; the store is closed with it. Idempotent. */
  close(): Promise<void>;
}

/** One event of any host, as the stream keeps it. */
export interface ClusterEvent {
  /** Position in the stream, text; resumes a reading. */
  readonly id: string;
  readonly host: string;
  /**
   * `trace`: `data` is a `TraceEntry`; `state`, `finding`: a `FabricEvent`; `log`: `{dropped: n}`, events its host could not tell;
   * `gap`: said by the reader's host, nothing between the ids `{after, first}` is there any more.
   */
  readonly type: 'trace' | 'state' | 'finding' | 'log' | 'gap';
  /** Milliseconds, of the host's world. */
  readonly time: number;
  readonly data: unknown;
}

/** The OID event feed of all hosts: one JetStream stream, bounded in age and size; the oldest go first. */
export interface ClusterEvents {
  /** Never waits and never fails the change it tells of; what cannot be kept up with is counted and said in the stream. */
  publish(event: Omit<ClusterEvent, 'id' | 'host'>): void;
  /** From after `after` (left out: from now on) until the signal aborts. */
  read(options: {
    readonly after?: string;
    readonly signal: AbortSignal;
  }): AsyncIterable<ClusterEvent>;
}
