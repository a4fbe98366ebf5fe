import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { errors, type NatsConnection, nanos } from '@nats-io/transport-node';
import { ExtSwitchError } from '../core/errors.ts';
import { describe } from './address.ts';
import type { ClusterAddress } from './api.ts';

/** Error codes of JetStream's API (nats-server, server/jetstream_errors_generated.go). */
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_EXISTS = 10058;
const NO_SUITABLE_PEERS = 10005;
const NOT_CLUSTERED = 10074;
const NOT_AVAILABLE = 10008;
const INSUFFICIENT_RESOURCES = 10023;
const NOT_ENABLED = 10076;
const NOT_ENABLED_FOR_ACCOUNT = 10039;

const RETRY_MS = 200;
/** Servers that start together need this long until they know each other. */
const PEERS_WAIT_MS = 5_000;

interface Ensured {
  readonly replicas: number;
  readonly notes: readonly string[];
}

/** Makes what is missing of the cluster's buckets; those that are there stay as they are. */
export async function ensureStreams(
  address: ClusterAddress,
  connection: NatsConnection,
  manager: JetStreamManager,
): Promise<Ensured> {
  const deadline = Date.now() + Math.max(address.writeTimeoutMs, PEERS_WAIT_MS);
  const notes: string[] = [];
  const isLarge = address.servers.length >= 3 || (connection.info?.connect_urls?.length ?? 0) >= 3;
  let wanted = address.replicas ?? (isLarge ? 3 : 1);
  let least = wanted;
  for (const config of streamConfigs(address)) {
    let found: number | string = await ensureStream(address, manager, config, wanted, deadline);
    if (typeof found === 'string') {
      if (address.replicas !== undefined) throw tooFewServers(address, wanted, found);
      notes.push(`one replica instead of ${wanted}: ${found}`);
      wanted = 1;
      found = await ensureStream(address, manager, config, wanted, deadline);
      if (typeof found === 'string') throw tooFewServers(address, wanted, found);
    }
    least = Math.min(least, found);
  }
  return { replicas: least, notes };
}

/** Removes everything the cluster of this name has in JetStream, its event feed and large messages too. */
export async function dropStreams(
  address: ClusterAddress,
  manager: JetStreamManager,
): Promise<void> {
  const { cluster } = address;
  const own = streamConfigs(address).map(({ name }) => name);
  const names = [...own, `${cluster}-events`, `OBJ_${cluster}-parcels`];
  for (const name of names) {
    try {
      await manager.streams.delete(name);
    } catch (cause) {
      if (!isCode(cause, STREAM_NOT_FOUND)) throw cause;
    }
  }
}

type NamedConfig = Partial<StreamConfig> & { readonly name: string };

function streamConfigs(address: ClusterAddress): readonly NamedConfig[] {
  const shared = {
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    allow_rollup_hdrs: true,
    // Reads go to the leader: another replica may not have the last write yet.
    allow_direct: false,
    max_bytes: address.maxBytes ?? -1,
  };
  const bucket = (name: string): NamedConfig => {
    const full = `${address.cluster}-${name}`;
    const subjects = [`$KV.${full}.>`];
    return { ...shared, name: `KV_${full}`, subjects, max_msgs_per_subject: 1 };
  };
  const state = `${address.cluster}-state`;
  return [
    bucket('journal'),
    bucket('policies'),
    { ...bucket('hosts'), max_age: nanos(address.leaseMs) },
    { ...shared, name: `OBJ_${state}`, subjects: [`$O.${state}.C.>`, `$O.${state}.M.>`] },
  ];
}

/** Replicas the stream has; text when the servers are too few for `replicas`. */
async function ensureStream(
  address: ClusterAddress,
  manager: JetStreamManager,
  config: NamedConfig,
  replicas: number,
  deadline: number,
): Promise<number | string> {
  const peersDeadline = Math.min(deadline, Date.now() + PEERS_WAIT_MS);
  for (;;) {
    try {
      return await boundOrMade(manager, config, replicas);
    } catch (cause) {
      const few = fewServers(cause);
      if (few !== undefined && (isCode(cause, NOT_CLUSTERED) || Date.now() > peersDeadline)) {
        return few;
      }
      if (few === undefined && !isPassing(cause)) throw streamFault(address, config.name, cause);
      if (Date.now() > deadline) throw streamFault(address, config.name, cause);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function boundOrMade(
  manager: JetStreamManager,
  config: NamedConfig,
  replicas: number,
): Promise<number> {
  try {
    return (await manager.streams.info(config.name)).config.num_replicas;
  } catch (cause) {
    if (!isCode(cause, STREAM_NOT_FOUND)) throw cause;
  }
  try {
    const made = await manager.streams.add({ ...config, num_replicas: replicas });
    return made.config.num_replicas;
  } catch (cause) {
    // Another process made it meanwhile, with other limits: they hold.
    if (!isCode(cause, STREAM_NAME_EXISTS)) throw cause;
    return (await manager.streams.info(config.name)).config.num_replicas;
  }
}

function isCode(cause: unknown, code: number): boolean {
  return cause instanceof JetStreamApiError && cause.code === code;
}

/** No server took the request: JetStream is off, or has no leader yet. The package does not export the class. */
function isUnanswered(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'JetStreamNotEnabled';
}

function fewServers(cause: unknown): string | undefined {
  if (isCode(cause, NOT_CLUSTERED)) return 'the server stands alone';
  return isCode(cause, NO_SUITABLE_PEERS) ? 'there are too few servers with JetStream' : undefined;
}

/** What goes away when servers have found each other: no leader yet, no answer. */
function isPassing(cause: unknown): boolean {
  if (cause instanceof errors.TimeoutError || isUnanswered(cause)) return true;
  if (cause instanceof errors.ConnectionError || cause instanceof errors.RequestError) return true;
  return [NOT_AVAILABLE, INSUFFICIENT_RESOURCES].some((code) => isCode(cause, code));
}

function streamFault(address: ClusterAddress, name: string, cause: unknown): ExtSwitchError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const isOff =
    isUnanswered(cause) || isCode(cause, NOT_ENABLED) || isCode(cause, NOT_ENABLED_FOR_ACCOUNT);
  const found = isOff ? 'JetStream does not answer (is it enabled?)' : text;
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `cannot open ${name} in the cluster ${describe(address)}: ${found}`,
    { found },
    { cause },
  );
}

function tooFewServers(address: ClusterAddress, replicas: number, found: string): ExtSwitchError {
  const expected = `servers for ${replicas} replicas`;
  return new ExtSwitchError(
    'STORE_UNAVAILABLE',
    `cannot open the cluster ${describe(address)}: expected ${expected}, found that ${found}`,
    { expected, found },
  );
}
