import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import {
  connect,
  errors,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';
import { describe } from './address.ts';
import type { ClusterAddress } from './api.ts';
import { dropStreams, ensureStreams } from './session-streams.ts';

/** Key-value buckets of a cluster (docs/decisions/0011). */
export type BucketName = 'journal' | 'policies' | 'hosts';

/** One process's way into a cluster: its connection, which comes back by itself, and what is kept there. */
export interface ClusterSession {
  readonly address: ClusterAddress;
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Copies of each message that the servers keep. */
  readonly replicas: number;
  /** What a person should know, e.g. why there is one replica. */
  readonly notes: readonly string[];
  /** Full name in JetStream: of `journal`, `lab-journal`. */
  bucketName(name: BucketName | 'state'): string;
  /** Reads go to the leader of the bucket. */
  kv(name: BucketName): KV;
  /** Closes the connection; idempotent. */
  close(): Promise<void>;
}

/** A server that does not answer within twice this time is left for the next; requests wait meanwhile. */
const PING_EVERY_MS = 2_000;
const RECONNECT_WAIT_MS = 250;
const CONNECT_TIMEOUT_MS = 5_000;
/** For one request to the JetStream API; an unanswered one is sent again where that is safe. */
const API_TIMEOUT_MS = 3_000;

/**
 * Connects to `address`, as `clientName` for who lists the servers' connections, and makes or binds the buckets of the
 * cluster; any number of processes may do so at once. While JetStream has no leader yet, waits up to `writeTimeoutMs`.
 *
 * Errors, all naming the servers and none the credentials: `STORE_UNAVAILABLE` when no server answers, refuses the
 * credentials, has no JetStream, or cannot keep as many replicas as the address asks for.
 */
export async function openSession(
  address: ClusterAddress,
  clientName: string,
): Promise<ClusterSession> {
  const connection = await connected(address, clientName);
  try {
    const client = jetstream(connection, { timeout: API_TIMEOUT_MS });
    const manager = await client.jetstreamManager(false);
    const { replicas, notes } = await ensureStreams(address, connection, manager);
    return await bind(address, connection, client, manager, replicas, notes);
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** The way to servers for who looks at the clusters that are there: nothing is made. */
export interface ServerVisit {
  readonly manager: JetStreamManager;
  /** Of a cluster that is there with all its buckets. */
  sessionOf(cluster: string): Promise<ClusterSession>;
  close(): Promise<void>;
}

/** Errors: as {@link openSession}. */
export async function visitServers(
  address: ClusterAddress,
  clientName: string,
): Promise<ServerVisit> {
  const connection = await connected(address, clientName);
  try {
    const client = jetstream(connection, { timeout: API_TIMEOUT_MS });
    const manager = await client.jetstreamManager(false);
    return {
      manager,
      sessionOf: (cluster) => bind({ ...address, cluster }, connection, client, manager, 1, []),
      close: () => connection.close(),
    };
  } catch (cause) {
    await connection.close();
    throw cause;
  }
}

/** Removes the cluster with all hosts' records and its event feed. For runs that made it for themselves. */
export async function dropCluster(
  session: Pick<ClusterSession, 'address' | 'manager'>,
): Promise<void> {
  await dropStreams(session.address, session.manager);
}

/** Of a cluster that `run` makes for itself. */
export function isRunName(cluster: string): boolean {
  return /^run-[0-9a-f]{12}$/.test(cluster);
}

/** Milliseconds since a run's cluster was made. No run of ours lasts as long without one of its hosts being alive. */
const LEFT_MS = 3_600_000;

/**
 * Removes the clusters that killed runs have left: those of generated names (`run-` and twelve hexadecimal digits) that were made
 * more than `afterMs` ago and in which no host holds a lease. Gives their names.
 */
export async function dropLeftRuns(
  { address, manager }: Pick<ClusterSession, 'address' | 'manager'>,
  afterMs = LEFT_MS,
): Promise<readonly string[]> {
  const left: string[] = [];
  // The names alone: a list with states waits for every stream, also for those that others are just removing.
  for await (const stream of await manager.streams.names()) {
    const cluster = /^KV_(.+)-hosts$/.exec(stream)?.[1];
    if (cluster === undefined || !isRunName(cluster) || cluster === address.cluster) continue;
    const found = await manager.streams.info(stream).catch(() => undefined);
    if (found === undefined || found.state.messages > 0) continue;
    if (Date.now() - Date.parse(found.created) >= afterMs) left.push(cluster);
  }
  for (const cluster of left) await dropStreams({ ...address, cluster }, manager);
  return left;
}

async function bind(
  address: ClusterAddress,
  connection: NatsConnection,
  client: JetStreamClient,
  manager: JetStreamManager,
  replicas: number,
  notes: readonly string[],
): Promise<ClusterSession> {
  const bucketName = (name: BucketName | 'state') => `${address.cluster}-${name}`;
  const kvm = new Kvm(client);
  const [journal, policies, hosts] = await Promise.all([
    kvm.open(bucketName('journal')),
    kvm.open(bucketName('policies')),
    kvm.open(bucketName('hosts')),
  ]);
  const buckets: Readonly<Record<BucketName, KV>> = { journal, policies, hosts };
  return {
    address,
    connection,
    jetstream: client,
    manager,
    replicas,
    notes,
    bucketName,
    kv: (name) => buckets[name],
    close: () => connection.close(),
  };
}

async function connected(address: ClusterAddress, name: string): Promise<NatsConnection> {
  const { user, password, token } = address;
  const options: NodeConnectionOptions = {
    servers: [...address.servers],
    name,
    // What the address names is what is dialled: what servers tell each other may be unreachable from here.
    ignoreClusterUpdates: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_WAIT_MS,
    // A password that is being changed must not end the process.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_EVERY_MS,
    maxPingOut: 2,
    timeout: CONNECT_TIMEOUT_MS,
    ...(user === undefined ? {} : { user, pass: password ?? '' }),
    ...(token === undefined ? {} : { token }),
    ...(address.isTls ? { tls: {} } : {}),
  };
  try {
    return await connect(options);
  } catch (cause) {
    throw unreachable(address, cause);
  }
}

function unreachable(address: ClusterAddress, cause: unknown): ExtSwitchError {
  const place = describe(address);
  const found =
    cause instanceof errors.AuthorizationError
      ? 'the server refuses the credentials'
      : `no server answers: ${cause instanceof Error ? cause.message : String(cause)}`;
  const expected = 'a NATS server with JetStream at one of these addresses';
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `cannot reach the cluster ${place}: ${found}; expected ${expected}`,
    { expected, found },
    { cause },
  );
}
