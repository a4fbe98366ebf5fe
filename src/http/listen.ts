import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ExtSwitchError } from '../core/errors.ts';
import { assertBindable } from './host-names.ts';

export interface ListenOptions {
  /** Default `127.0.0.1`; anything else than loopback needs a token. */
  readonly host?: string;
  /** 0 to 65535; 0 takes any free port. */
  readonly port: number;
}

export interface Listening {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Starts to listen. Throws `USAGE` (reachable host without token), `PORT_IN_USE`, `FORBIDDEN` (privileged port) and
 * `INVALID_ARGUMENT` (no such address here).
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<Listening> {
  const host = options.host ?? '127.0.0.1';
  assertBindable(host, app.plane.deps.token);
  try {
    await app.listen({ host, port: options.port });
  } catch (cause) {
    throw listenError(host, options.port, cause);
  }
  const { port } = app.server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host.replace(/[[\]]/g, '')}]` : host;
  const url = `http://${shown}:${port}`;
  app.plane.url = url;
  return { url, host, port };
}

function listenError(host: string, port: number, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new ExtSwitchError(
      'PORT_IN_USE',
      `${host}:${port} is in use: another server may be running; --port takes another (0: any free one)`,
      {},
      { cause },
    );
  }
  if (code === 'EACCES') {
    return new ExtSwitchError(
      'FORBIDDEN',
      `not allowed to listen on ${host}:${port}`,
      {},
      { cause },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new ExtSwitchError(
      'INVALID_ARGUMENT',
      `${host} is no address of this machine`,
      {},
      { cause },
    );
  }
  return cause;
}

/** How long requests in flight may go on by default. */
const DRAIN_MS = 10_000;
const drains = new WeakMap<FastifyInstance, Promise<void>>();

/**
 * Ends a server in good order: /readyz says 503, nothing new is accepted, event streams end, requests in flight finish
 * within `limitMs` (then their connections are cut), the worlds are closed. Later calls wait for the first.
 */
export function drain(app: FastifyInstance, limitMs = DRAIN_MS): Promise<void> {
  let running = drains.get(app);
  if (running === undefined) {
    running = drainOnce(app, limitMs);
    drains.set(app, running);
  }
  return running;
}

async function drainOnce(app: FastifyInstance, limitMs: number): Promise<void> {
  const { plane } = app;
  plane.draining = true;
  const cut = setTimeout(() => app.server.closeAllConnections(), limitMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    await plane.deps.worlds.close();
  }
}

/**
 * Drains on SIGTERM and SIGINT, once; a second signal ends the process at once, as people expect of ^C ^C. `done` is
 * called with the error, if any. Returns the function that takes the handlers away.
 */
export function drainOnSignals(
  app: FastifyInstance,
  done: (error?: unknown) => void,
  limitMs = DRAIN_MS,
): () => void {
  const remove = (): void => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
  const onSignal = (): void => {
    remove();
    drain(app, limitMs).then(() => done(), done);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return remove;
}
