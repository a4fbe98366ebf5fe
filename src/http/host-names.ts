import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { ExtSwitchError } from '../core/errors.ts';

/** True for 127.0.0.0/8, ::1 and the name localhost: only this machine reaches them. */
export function isLoopback(host: string): boolean {
  const name = bare(host).toLowerCase();
  if (name === 'localhost' || name === '::1' || name === '0:0:0:0:0:0:0:1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}

/**
 * Throws `USAGE` when `host` can be reached from other machines and there is no token: whoever reaches the plane
 * controls every switch.
 */
export function assertBindable(host: string, token: string | undefined): void {
  if (isLoopback(host) || (token !== undefined && token !== '')) return;
  throw new ExtSwitchError(
    'USAGE',
    `refusing to listen on ${JSON.stringify(host)}, which other machines can reach, without a bearer token: ` +
      'give --token (EXTSWITCH_TOKEN), or listen on 127.0.0.1',
    { member: 'token' },
  );
}

export interface HostRules {
  /** The address listened on. */
  readonly host: string;
  /** Further names clients may use in Host, without port. */
  readonly allowedHosts: readonly string[];
}

/**
 * Tells whether a Host header is one of ours. A page that rebinds its DNS name to this machine sends its own name, so
 * names must be known; addresses cannot be rebound and pass when the plane listens on a reachable address.
 */
export class HostCheck {
  readonly #names: ReadonlySet<string>;
  readonly #anyAddress: boolean;
  readonly #known = new Map<string, boolean>();

  constructor(rules: HostRules) {
    const bound = bare(rules.host).toLowerCase();
    const names = [
      'localhost',
      bound,
      ...rules.allowedHosts.map((name) => bare(name).toLowerCase()),
    ];
    this.#anyAddress = !isLoopback(rules.host);
    if (this.#anyAddress) names.push(hostname().toLowerCase());
    this.#names = new Set(names);
  }

  allows(header: string | undefined): boolean {
    if (header === undefined) return false;
    let answer = this.#known.get(header);
    if (answer === undefined) {
      answer = this.#decide(header);
      if (this.#known.size < 256) this.#known.set(header, answer);
    }
    return answer;
  }

  #decide(header: string): boolean {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::[0-9]{1,5})?$/.exec(header);
    if (match === null) return false;
    const name = bare(match[1] ?? '').toLowerCase();
    if (this.#names.has(name) || isLoopback(name)) return true;
    return this.#anyAddress && isIP(name) !== 0;
  }
}

function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
