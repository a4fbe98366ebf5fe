import { type ErrorCode, ExtSwitchError } from '../core/errors.ts';
import type { ClusterAddress } from './api.ts';

const SCHEME = /^(nats|tls):\/\//i;
const PORT_DEFAULT = 4222;
const CLUSTER_DEFAULT = 'extswitch';
/** Legal in stream, bucket and subject names alike; the rest of a stream's name still fits 255 characters. */
const CLUSTER_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const HOST_PORT = /^(\[[0-9a-f:.]+\]|[^:[\]\s,/]+)(?::(.*))?$/i;
const FORM = 'nats://[user:password@|token@]host[:port][,host[:port]…][/cluster][?option=value&…]';

/** Longer than an election after a server was killed, which takes 4 to 9 seconds (nats-server 2.9). */
const LEASE_DEFAULT_MS = 15_000;
const WRITE_TIMEOUT_DEFAULT_MS = 15_000;
const HOUR_MS = 3_600_000;
/** A bucket below this could not hold the 64 commits of one busy host. */
const MAX_BYTES_LEAST = 1_048_576;

/** True for a store spec that names a cluster. */
export function isClusterAddress(spec: string): boolean {
  return SCHEME.test(spec);
}

/**
 * Reads `nats://[user[:password]@|token@]h1:4222,h2:4222/lab?replicas=3&lease=15s&writeTimeout=15s&maxBytes=1GiB`
 * (`tls://` for an encrypted connection). Credentials are percent-decoded. Durations are a number with `ms`, `s`, `m` or
 * `h`: `lease` 1 s to 1 h (JetStream expires nothing faster), `writeTimeout` 100 ms to 1 h. `maxBytes` is a number of
 * bytes, or of `KiB`, `MiB`, `GiB`, from 1 MiB.
 *
 * Errors: `USAGE` for what is no such address, `INVALID_ARGUMENT` for a part that is out of range. Credentials are in no
 * message.
 */
export function parseClusterAddress(spec: string): ClusterAddress {
  const scheme = SCHEME.exec(spec)?.[0];
  if (scheme === undefined) throw refused('USAGE', 'the cluster address', FORM, 'another scheme');
  // A password may hold any character, a "/" or a "?" too: what is before the last "@" is nobody's business.
  const rest = spec.slice(scheme.length);
  const at = rest.lastIndexOf('@');
  const place = rest.slice(at + 1);
  const [, authority = '', path, query] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(place) ?? [];
  if (authority === '') throw refused('USAGE', 'the cluster address', FORM, 'no server');
  return {
    servers: authority.split(',').map(readServer),
    cluster: readCluster(path),
    isTls: scheme.toLowerCase() === 'tls://',
    ...(at < 0 ? {} : readCredentials(rest.slice(0, at))),
    ...readOptions(query),
  };
}

/** The address for people and logs: without credentials. */
export function describe(address: ClusterAddress): string {
  const scheme = address.isTls ? 'tls' : 'nats';
  return `${scheme}://${address.servers.join(',')}/${address.cluster}`;
}

function readServer(text: string): string {
  const [, host, port] = HOST_PORT.exec(text) ?? [];
  if (host === undefined) {
    throw refused('USAGE', 'a server of the cluster address', 'host:port', JSON.stringify(text));
  }
  if (port === undefined) return `${host}:${PORT_DEFAULT}`;
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535) {
    throw refused('INVALID_ARGUMENT', `the port of server ${host}`, '1 to 65535', port || 'none');
  }
  return `${host}:${number}`;
}

function readCluster(path: string | undefined): string {
  if (path === undefined || path === '') return CLUSTER_DEFAULT;
  if (CLUSTER_NAME.test(path)) return path;
  const expected = '1 to 64 of letters, digits, "_" and "-"';
  throw refused('INVALID_ARGUMENT', 'the name of the cluster', expected, JSON.stringify(path));
}

function readCredentials(text: string): Pick<ClusterAddress, 'user' | 'password' | 'token'> {
  const colon = text.indexOf(':');
  const first = decoded(colon < 0 ? text : text.slice(0, colon));
  if (first === '') {
    throw refused('USAGE', 'the credentials of the cluster address', FORM, 'nothing before "@"');
  }
  return colon < 0 ? { token: first } : { user: first, password: decoded(text.slice(colon + 1)) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    const expected = '"%" only before two hexadecimal digits ("%25" for itself)';
    throw refused(
      'INVALID_ARGUMENT',
      'the credentials of the cluster address',
      expected,
      'another "%"',
    );
  }
}

type Options = Pick<ClusterAddress, 'replicas' | 'leaseMs' | 'writeTimeoutMs' | 'maxBytes'>;

function readOptions(query: string | undefined): Options {
  const given = new Map<string, string>();
  for (const part of (query ?? '').split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!OPTION_NAMES.has(name)) {
      const expected = [...OPTION_NAMES].join(', ');
      throw refused('USAGE', 'an option of the cluster address', expected, JSON.stringify(name));
    }
    if (given.has(name)) {
      throw refused('USAGE', `option ${name} of the cluster address`, 'one value', 'two');
    }
    given.set(name, equals < 0 ? '' : part.slice(equals + 1));
  }
  const replicas = given.get('replicas');
  const maxBytes = given.get('maxBytes');
  return {
    leaseMs: readDuration('lease', given.get('lease'), LEASE_DEFAULT_MS, 1_000, HOUR_MS),
    writeTimeoutMs: readDuration(
      'writeTimeout',
      given.get('writeTimeout'),
      WRITE_TIMEOUT_DEFAULT_MS,
      100,
      HOUR_MS,
    ),
    ...(replicas === undefined ? {} : { replicas: readReplicas(replicas) }),
    ...(maxBytes === undefined ? {} : { maxBytes: readBytes(maxBytes) }),
  };
}

const OPTION_NAMES: ReadonlySet<string> = new Set([
  'replicas',
  'lease',
  'writeTimeout',
  'maxBytes',
]);

function readReplicas(text: string): number {
  if (text === '1' || text === '3' || text === '5') return Number(text);
  throw badOption('replicas', '1, 3 or 5', text);
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: HOUR_MS };

function readDuration(
  name: string,
  text: string | undefined,
  defaultMs: number,
  leastMs: number,
  mostMs: number,
): number {
  if (text === undefined) return defaultMs;
  const [, count, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(count) * (MILLISECONDS[unit] ?? Number.NaN);
  if (ms >= leastMs && ms <= mostMs) return ms;
  const expected = `a time from ${leastMs} ms to ${mostMs / HOUR_MS} h such as 10s or 1500ms`;
  throw badOption(name, expected, text);
}

const BYTES: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

function readBytes(text: string): number {
  const [, count, unit = ''] = /^(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  const bytes = Number(count) * (BYTES[unit] ?? Number.NaN);
  if (bytes >= MAX_BYTES_LEAST && Number.isSafeInteger(bytes)) return bytes;
  throw badOption('maxBytes', 'a number of bytes from 1MiB, such as 67108864 or 64MiB', text);
}

function badOption(name: string, expected: string, found: string): ExtSwitchError {
  const what = `option ${name} of the cluster address`;
  return refused('INVALID_ARGUMENT', what, expected, found === '' ? 'nothing' : found);
}

function refused(code: ErrorCode, what: string, expected: string, found: string): ExtSwitchError {
  return new ExtSwitchError(code, `${what}: expected ${expected}, found ${found}`, {
    expected,
    found,
  });
}
