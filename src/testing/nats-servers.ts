import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExtSwitchError } from '../core/errors.ts';
import { EndWithParent } from './end-with-parent.ts';
import { type NatsServer, NatsServerProcess } from './nats-server-process.ts';

export { type NatsServer, natsServerMissing, natsServerPath } from './nats-server-process.ts';

/*
 * A JetStream cluster of real servers on this machine, for tests, `npm run cluster` and chaos.
 *
 * Seen with nats-server 2.9.10, two cores: three servers are ready 0.3–0.6 s after the call. Started at the same time, one of
 * them now and then dials another before that listens, and tries again only a second later; 40 ms between them avoid that.
 * Election time-outs are fixed there: after SIGKILL of a leader another leads after 4–9 s (4.9 and 5.4 s seen); one that is
 * stopped in order hands over first (0.03 s). A server that comes back is whole again after 2 s; a kept folder starts in 5 s.
 */

export interface NatsServersOptions {
  /** 1, 3 or 5; default 3. */
  readonly count?: number;
  /** Most bytes of JetStream on each server; left out: what the server takes, three quarters of the free disk. */
  readonly maxStore?: number;
  /** Where data, configuration and logs are, and stay; left out: a folder of its own that goes with the servers. */
  readonly folder?: string;
  /** Gives the port that server `from` dials in place of `to`'s `port` for servers: a test cuts them off from each other there. */
  readonly routeThrough?: (from: string, to: string, port: number) => Promise<number>;
}

export interface NatsServers {
  /** `nats://127.0.0.1:p1,127.0.0.1:p2,127.0.0.1:p3`, what `--store` takes. */
  readonly url: string;
  readonly servers: readonly NatsServer[];
  /** Data, configuration and logs (`n1.log`). */
  readonly folder: string;
  /** The server that leads the stream (`KV_lab-journal`, `OBJ_lab-state`, `lab-events`); undefined while there is none. */
  leaderOf(stream: string): Promise<NatsServer | undefined>;
  /** The server that leads JetStream's own records; undefined while there is none. */
  metaLeader(): Promise<NatsServer | undefined>;
  /** Waits until every server runs, JetStream has a leader, and each is up to date; STORE_UNAVAILABLE after `timeoutMs`. */
  ready(timeoutMs?: number): Promise<void>;
  /** Kills all of them; a folder of its own is removed. Idempotent. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;
const START_ATTEMPTS = 3;

/**
 * Starts the servers on free ports of 127.0.0.1 and waits until JetStream can be used. They end with this process, however
 * that ends.
 *
 * Errors: NOT_FOUND without a `nats-server`; STORE_UNAVAILABLE when they do not start, with the end of a log.
 */
export async function startNatsServers(options: NatsServersOptions = {}): Promise<NatsServers> {
  for (let attempt = 1; ; attempt += 1) {
    const servers = await LocalServers.make(options);
    try {
      await servers.startAll();
      return servers;
    } catch (error) {
      await servers.stop();
      // A port may have become another process's between looking and binding: others are tried.
      const isRepeatable = !(error instanceof ExtSwitchError && error.code === 'NOT_FOUND');
      if (!isRepeatable || attempt === START_ATTEMPTS) throw error;
    }
  }
}

interface ServerRow {
  readonly name: string;
  readonly port: number;
  readonly routePort: number;
  readonly monitorPort: number;
}

async function configurationOf(
  own: ServerRow,
  all: readonly ServerRow[],
  folder: string,
  { maxStore, routeThrough }: NatsServersOptions,
): Promise<string> {
  const limit = maxStore === undefined ? '' : `, max_file: ${maxStore}`;
  const lines = [
    `server_name: ${own.name}`,
    `listen: 127.0.0.1:${own.port}`,
    `http: 127.0.0.1:${own.monitorPort}`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, own.name))}${limit} }`,
  ];
  const routes: string[] = [];
  for (const { name, routePort } of all) {
    if (name === own.name) continue;
    const port = (await routeThrough?.(own.name, name, routePort)) ?? routePort;
    routes.push(`nats://127.0.0.1:${port}`);
  }
  if (routes.length > 0) {
    // Servers tell each other where they are: with routes of a test's own, nowhere that can be reached.
    const advertise = routeThrough === undefined ? '' : 'advertise: "127.0.0.1:1", ';
    lines.push(
      // Not advertised to clients: they would go round the proxies of a test.
      `cluster { name: local, listen: 127.0.0.1:${own.routePort}, no_advertise: true, ${advertise}routes: [${routes.join(', ')}] }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

class LocalServers implements NatsServers {
  readonly url: string;
  readonly servers: readonly NatsServerProcess[];
  readonly folder: string;
  readonly #watchdog: EndWithParent;

  private constructor(
    folder: string,
    servers: readonly NatsServerProcess[],
    watchdog: EndWithParent,
  ) {
    this.folder = folder;
    this.servers = servers;
    this.url = `nats://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    this.#watchdog = watchdog;
  }

  static async make(options: NatsServersOptions): Promise<LocalServers> {
    const { count = 3 } = options;
    const isOwn = options.folder === undefined;
    const folder = resolve(options.folder ?? mkdtempSync(join(tmpdir(), 'extswitch-nats-')));
    mkdirSync(folder, { recursive: true });
    const watchdog = new EndWithParent(isOwn ? folder : undefined);
    const ports = await freePorts(count * 3);
    const rows: ServerRow[] = Array.from({ length: count }, (_, at) => {
      const [port = 0, routePort = 0, monitorPort = 0] = ports.slice(at * 3);
      return { name: `n${at + 1}`, port, routePort, monitorPort };
    });
    const servers: NatsServerProcess[] = [];
    for (const row of rows) {
      const configurationFile = join(folder, `${row.name}.conf`);
      writeFileSync(configurationFile, await configurationOf(row, rows, folder, options));
      const logFile = join(folder, `${row.name}.log`);
      servers.push(new NatsServerProcess({ ...row, configurationFile, logFile, watchdog }));
    }
    return new LocalServers(folder, servers, watchdog);
  }

  async startAll(): Promise<void> {
    for (const [at, server] of this.servers.entries()) {
      if (at > 0) await sleep(40);
      server.spawn();
    }
    await this.ready();
  }

  async leaderOf(stream: string): Promise<NatsServer | undefined> {
    const pages = await this.#askAll('/jsz?accounts=true&streams=true');
    const details = pages.flatMap(([, page]) =>
      listOf(page, 'account_details').flatMap((account) => listOf(account, 'stream_detail')),
    );
    return this.#mostNamed(
      details
        .filter((each) => textOf(each, 'name') === stream)
        .map((each) => textOf(each, 'cluster', 'leader')),
    );
  }

  async metaLeader(): Promise<NatsServer | undefined> {
    const pages = await this.#askAll('/jsz');
    return this.#mostNamed(pages.map(([, page]) => textOf(page, 'meta_cluster', 'leader')));
  }

  /** One that is cut off may hold itself for the leader for a while: what most say counts. */
  #mostNamed(names: readonly string[]): NatsServer | undefined {
    return this.servers.find(
      ({ name }) => names.filter((each) => each === name).length > this.servers.length / 2,
    );
  }

  async ready(timeoutMs = READY_TIMEOUT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await this.#areReady())) {
      const dead = this.servers.find(({ pid }) => pid === undefined);
      if (dead !== undefined) throw dead.notStarted();
      if (Date.now() > deadline) {
        throw new ExtSwitchError(
          'STORE_UNAVAILABLE',
          `${this.url}: JetStream has no leader that knows all ${this.servers.length} servers after ${timeoutMs} ms`,
        );
      }
      await sleep(15);
    }
  }

  async #areReady(): Promise<boolean> {
    const pages = await this.#askAll('/jsz');
    const health = await this.#askAll('/healthz');
    if (health.some(([, page]) => textOf(page, 'status') !== 'ok')) return false;
    if (this.servers.length === 1) return textOf(pages[0]?.[1], 'config', 'store_dir') !== '';
    const leaders = new Set(pages.map(([, page]) => textOf(page, 'meta_cluster', 'leader')));
    if (leaders.size !== 1 || leaders.has('')) return false;
    return pages.some(([, page]) => {
      const followers = listOf(field(page, 'meta_cluster'), 'replicas');
      const isWhole = followers.length === this.servers.length - 1;
      return isWhole && followers.every((each) => field(each, 'current') === true);
    });
  }

  #askAll(page: string): Promise<(readonly [NatsServerProcess, unknown])[]> {
    return Promise.all(
      this.servers.map(async (server) => [server, await server.ask(page)] as const),
    );
  }

  async stop(): Promise<void> {
    // Nothing they hold is needed any more: no time is spent on an orderly end.
    await Promise.all(this.servers.map((server) => server.kill('SIGKILL')));
    await this.#watchdog.end();
  }
}

/** Below the range the kernel gives to outgoing connections, so that a server that comes back finds its port free. */
const FIRST_PORT = 15_000;
const PORT_RANGE = 16_000;

async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_RANGE);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
  });
}

function field(value: unknown, name: string): unknown {
  if (!(value instanceof Object)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = field(value, name);
  return Array.isArray(list) ? list : [];
}

function textOf(value: unknown, ...path: readonly string[]): string {
  const text = path.reduce<unknown>((each, name) => field(each, name), value);
  return typeof text === 'string' ? text : '';
}
