import { hostname } from 'node:os';
import type { Cluster } from '../../cluster/api.ts';
import { assertBindable } from '../../http/host-names.ts';
import { drain, drainOnSignals, type Listening, listen } from '../../http/listen.ts';
import { buildServer } from '../../http/server.ts';
import { Worlds } from '../../http/worlds.ts';
import type { FabricOptions, IsolationOptions, VerifierMode } from '../../policy/api.ts';
import { Fabric } from '../../policy/fabric.ts';
import { LocalHosts } from '../../policy/migration-hosts.ts';
import type { ExtensionDefinition } from '../../sdk/extension.ts';
import { withProgress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { readVersion } from '../version.ts';
import { createLazyLogger, type ServerLogger } from './lazy-logger.ts';
import type { ServeSettings } from './settings.ts';
import { catchStrayErrors } from './stray-errors.ts';

/** How long a server that has thrown may drain. */
const FATAL_DRAIN_MS = 15_000;

/** Opens the store, listens, says where, and serves until a signal (or the terminal's) ends it; then drains. */
export async function runServer(settings: ServeSettings, terminal: Terminal): Promise<void> {
  assertBindable(settings.host, settings.token);
  const logger = createLazyLogger(settings.logLevel, terminal.stderr);
  const extensions = await loadExtensions(settings, terminal);
  const options = {
    // The worlds of a server are each other's hosts.
    hosts: new LocalHosts(),
    profile: settings.profile,
    extensions,
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
    ...(settings.isolate === undefined ? {} : { isolate: settings.isolate }),
    log: (
      level: 'info' | 'warn' | 'error',
      message: string,
      fields: Readonly<Record<string, unknown>> = {},
    ): void => logger[level](fields, message),
  };
  const main = await withProgress(terminal, 'opening the store', () =>
    openVerified(
      { ...options, store: settings.store, name: settings.name ?? 'default' },
      settings.verifier,
    ),
  );
  const { cluster } = main;
  const worlds = new Worlds({
    main,
    mainStore: settings.shownStore,
    verifier: settings.verifier,
    open: (given, verifier) => openVerified({ ...options, ...given }, verifier),
  });
  const app = buildServer({
    worlds,
    logger,
    version: readVersion(),
    host: settings.host,
    allowedHosts: settings.allowedHosts,
    ...(settings.name === undefined ? {} : { hostName: settings.name }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(settings.token === undefined ? {} : { token: settings.token }),
  });
  let listening: Listening;
  try {
    listening = await listen(app, { host: settings.host, port: settings.port });
    await cluster?.announce(urlForOthers(listening));
  } catch (error) {
    await app.close();
    await worlds.close();
    throw error;
  }
  const watch = (end: (error: unknown) => void): (() => void) =>
    catchStrayErrors({
      answer: settings.onCrash,
      extensions,
      logger,
      worlds: () => worlds.list(),
      end,
    });
  const ended = untilEnded(app, logger, terminal.signal, cluster?.lost, watch);
  await terminal.print(readyText(settings, listening, cluster));
  await ended;
}

/** The checks are loaded with the first world that wants them. */
async function openVerified(options: FabricOptions, mode: VerifierMode): Promise<Fabric> {
  if (mode === 'off') return Fabric.open(options);
  const { liveVerifier } = await import('../../verifier/live-verifier.ts');
  return Fabric.open({ ...options, ...liveVerifier(mode) });
}

/** An address that stands for all of this machine's means nothing elsewhere: its name is told. */
function urlForOthers({ url, host, port }: Listening): string {
  return host === '0.0.0.0' || host === '::' ? `http://${hostname()}:${port}` : url;
}

/**
 * Resolves when the server has drained; rejects when draining failed, and with the reason once it has drained because another
 * process became its host, or with an error that nobody caught and no extension threw.
 */
function untilEnded(
  app: Parameters<typeof drain>[0],
  logger: ServerLogger,
  signal: AbortSignal | undefined,
  lost: AbortSignal | undefined,
  catchStray: (end: (error: unknown) => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      letGo();
      if (error === undefined) resolve();
      else reject(error);
    };
    const remove = drainOnSignals(app, settle);
    const letGo = catchStray((error) => {
      logger.fatal({ err: error }, 'an error nobody caught: the server drains and ends');
      remove();
      // What is broken may keep it from draining.
      setTimeout(() => process.exit(1), FATAL_DRAIN_MS).unref();
      drain(app).then(
        () => settle(error),
        () => settle(error),
      );
    });
    const onLost = (): void => {
      remove();
      const end = (): void => settle(lost?.reason);
      drain(app).then(end, (error: unknown) => {
        // Its store takes nothing any more, so closing may complain of that.
        logger.warn({ err: error }, 'the server did not close in order');
        end();
      });
    };
    if (lost?.aborted) onLost();
    else lost?.addEventListener('abort', onLost, { once: true });
    signal?.addEventListener('abort', () => {
      remove();
      drain(app).then(() => settle(), settle);
    });
  });
}

/** Bundled ones first; a module that does not load ends the start. */
async function loadExtensions(
  settings: ServeSettings,
  terminal: Terminal,
): Promise<readonly ExtensionDefinition[]> {
  const loaded: ExtensionDefinition[] = [];
  if (settings.bundled) {
    const { bundledExtensions } = await import('../../../extensions/index.ts');
    loaded.push(...(await bundledExtensions()));
  }
  if (settings.extensions.length === 0) return loaded;
  const { loadExtension } = await import('../../sdk/load.ts');
  const { isolate } = settings;
  for (const path of settings.extensions) {
    const isolated = isolate === undefined ? undefined : await isolatedOf(path, terminal, isolate);
    loaded.push(isolated ?? (await loadExtension(path, terminal.cwd)));
  }
  return loaded;
}

/** What an isolated module exports, learned in a worker: this process never runs a line of it. */
async function isolatedOf(
  path: string,
  { cwd }: Terminal,
  isolate: IsolationOptions,
): Promise<ExtensionDefinition | undefined> {
  const { Isolation } = await import('../../isolation/isolation.ts');
  const { loadIsolated } = await import('../../isolation/load-isolated.ts');
  const chosen = new Isolation(isolate);
  const definition = await loadIsolated(path, cwd, chosen.limits);
  return chosen.chooses(definition) ? definition : undefined;
}

function readyText(
  settings: ServeSettings,
  { url, host, port }: Listening,
  cluster: Cluster | undefined,
): string {
  const { shownStore: store } = settings;
  const member = cluster === undefined ? {} : { name: cluster.host, cluster: cluster.name };
  if (settings.print === 'json') {
    return `${JSON.stringify({ url, host, port, pid: process.pid, store, ...member })}\n`;
  }
  const place =
    cluster === undefined
      ? ''
      : `\nHost ${cluster.host} of cluster ${cluster.name}; its hosts: extswitch host list --url ${url}`;
  const token = settings.token === undefined ? '' : ' -H "authorization: Bearer $EXTSWITCH_TOKEN"';
  return `${url}

Try:
  curl -s${token} ${url}/v1/extensions
  curl -s${token} ${url}/v1/switches -H 'content-type: application/json' -d '{"name":"TestSwitch"}'
  curl -s${token} '${url}/v1/trace?limit=5'

Store: ${store}. Profile: ${settings.profile}. API: ${url}/docs. Ctrl-C ends it.${place}
`;
}
