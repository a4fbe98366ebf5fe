import type { Invocation } from './command.ts';
import { withProgress } from './progress.ts';
import { type Problem, ServerError, UnreachableError } from './server-error.ts';
import { readEvents, type ServerEvent, untilAborted } from './sse.ts';
import { harmless, type Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { DEFAULT_URL } from './verbs/common-flags.ts';

/** A JSON object of the server. */
export type Item = Readonly<Record<string, unknown>>;

/** What the server answered: the parsed body (`undefined` for 204) and the ETag without quotes. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly etag?: string;
}

export interface RequestOptions {
  /** Text and bytes go as they are, with the content type of `headers`; all else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Objects a page when a list is fetched whole. */
const PAGE = 1000;

/**
 * The HTTP control plane as commands call it. Paths begin behind `/v1` (`/switches`); the world's prefix is added, or left
 * away with {@link root}. Throws {@link ServerError} for an error answer, {@link UnreachableError} when there is none.
 */
export class ControlPlane {
  readonly #base: string;
  /** Path of the API of its world. */
  readonly #prefix: string;
  readonly #token: string | undefined;
  readonly #terminal: Terminal;

  constructor(terminal: Terminal, base: string, prefix: string, token: string | undefined) {
    this.#terminal = terminal;
    this.#base = base;
    this.#prefix = prefix;
    this.#token = token;
  }

  async get(path: string): Promise<Item> {
    return (await this.request('GET', path)).body as Item;
  }

  request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return this.root(method, `${this.#prefix}${path}`, options);
  }

  /** A request to a path outside any world, e.g. `/v1/worlds` or `/openapi.json`. */
  async root(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    return withProgress(this.#terminal, `${method} ${path}`, async () => {
      const response = await this.#fetch(method, path, options);
      return this.#answer(response);
    });
  }

  /** A request whose answer is not JSON: its bytes. */
  bytes(method: string, path: string, options: RequestOptions = {}): Promise<Uint8Array> {
    return withProgress(this.#terminal, `${method} ${path}`, async () => {
      const response = await this.#fetch(method, `${this.#prefix}${path}`, options);
      if (!response.ok) await this.#answer(response);
      return new Uint8Array(await response.arrayBuffer());
    });
  }

  /** All objects of a list, page after page, at most `limit`. What a host of the cluster kept back by not answering is told. */
  async *pages(path: string, limit = Number.POSITIVE_INFINITY): AsyncGenerator<readonly Item[]> {
    const silent = new Set<string>();
    let left = limit;
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(Math.min(PAGE, left)) });
      if (cursor !== undefined) query.set('cursor', cursor);
      const page = await this.get(`${path}?${query}`);
      const items = (page['items'] as readonly Item[]).slice(0, left);
      for (const host of (page['unreachable'] ?? []) as readonly string[]) silent.add(host);
      yield items;
      left -= items.length;
      cursor = page['next'] as string | undefined;
    } while (cursor !== undefined && left > 0);
    if (silent.size === 0) return;
    const hosts = harmless([...silent].sort().join(', '));
    const warning = this.#terminal.errorStyle.warning('incomplete:');
    this.#terminal.note(`${warning} no answer from ${silent.size > 1 ? 'hosts' : 'host'} ${hosts}`);
  }

  /**
   * Server-Sent Events from `/events`, after `lastEventId` when given, until the server or `signal` ends them; `query` begins with
   * `?`.
   */
  async *events(
    lastEventId: string | undefined,
    signal: AbortSignal,
    query = '',
  ): AsyncGenerator<ServerEvent> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
    const path = `${this.#prefix}/events${query}`;
    const response = await this.#fetch('GET', path, { headers }, signal);
    if (!response.ok) await this.#answer(response);
    if (response.body !== null) yield* readEvents(untilAborted(response.body, signal));
  }

  async #fetch(
    method: string,
    path: string,
    options: RequestOptions,
    signal?: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (this.#token !== undefined) headers['authorization'] = `Bearer ${this.#token}`;
    const { body } = options;
    if (body !== undefined && typeof body !== 'string')
      headers['content-type'] ??= 'application/json';
    try {
      return await fetch(`${this.#base}${path}`, {
        method,
        headers,
        redirect: 'error',
        ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new UnreachableError(
        `cannot reach ${this.#base}: ${networkReason(cause)}; start a server with "extswitch serve" or name one with --url`,
        { cause },
      );
    }
  }

  async #answer(response: Response): Promise<Answer> {
    const text = await response.text();
    let body: unknown;
    try {
      body = text === '' ? undefined : JSON.parse(text);
    } catch {
      body = undefined;
    }
    if (!response.ok) throw new ServerError(response.status, problemOf(response, body));
    if (body === undefined && text !== '') {
      throw new UnreachableError(`${this.#base} answers, but not as an extswitch server does`);
    }
    const etag = response.headers.get('etag')?.replace(/^(?:W\/)?"(.*)"$/, '$1');
    return { status: response.status, body, ...(etag === undefined ? {} : { etag }) };
  }
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === 'string' || body instanceof Uint8Array;
}

/** The client of a command: `--url`, `--token`, `--world` or `--on`, else their environment variables, else the defaults. */
export function connect(call: Invocation, terminal: Terminal, world?: string): ControlPlane {
  const { env } = terminal;
  const given = call.text('url') ?? (env['EXTSWITCH_URL'] || DEFAULT_URL);
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new UsageError(`--url ${JSON.stringify(given)} is not a URL, e.g. ${DEFAULT_URL}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UsageError(`--url must begin with http:// or https://, found ${harmless(given)}`);
  }
  const token = call.text('token') ?? (env['EXTSWITCH_TOKEN'] || undefined);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError('--token must be of visible ASCII characters');
  }
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  const prefix = world === undefined ? prefixOf(call, terminal) : worldPrefix(world);
  return new ControlPlane(terminal, base, prefix, token);
}

/** By `--on` or `--world`, else by their environment variables. */
function prefixOf(call: Invocation, { env }: Terminal): string {
  if (call.has('on') && call.has('world')) {
    throw new UsageError(
      '--on and --world cannot be used together: other hosts show their main world',
    );
  }
  const on = call.text('on') ?? (call.has('world') ? undefined : env['EXTSWITCH_ON'] || undefined);
  if (on !== undefined) return `/hosts/${encodeURIComponent(on)}/v1`;
  return worldPrefix(call.text('world') ?? (env['EXTSWITCH_WORLD'] || 'default'));
}

function worldPrefix(world: string): string {
  return world === 'default' ? '/v1' : `/worlds/${encodeURIComponent(world)}/v1`;
}

/** A path of segments, each escaped: names may hold anything. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

function problemOf(response: Response, body: unknown): Problem {
  if (typeof body === 'object' && body !== null) return body as Problem;
  return { title: response.statusText || 'the server failed', status: response.status };
}

function networkReason(error: unknown): string {
  const cause = (error as { readonly cause?: unknown }).cause;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host';
  return cause instanceof Error && cause.message !== '' ? cause.message : String(code ?? error);
}
