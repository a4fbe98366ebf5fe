import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExtSwitchError } from '../core/errors.ts';
import type { EndWithParent } from './end-with-parent.ts';

/** One nats-server, a process of its own. */
export interface NatsServer {
  readonly name: string;
  /** Clients, on 127.0.0.1; the same after a restart. */
  readonly port: number;
  /** Of the process that runs; undefined when none does. */
  readonly pid: number | undefined;
  /** Ends it by a signal (default SIGKILL) and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Runs it on its folder and ports, and waits until it takes clients; nothing where it runs. */
  start(): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
}

/** Where `nats-server` is: `NATS_SERVER`, the folders of `PATH`, and those that only root has there. */
export function natsServerPath(): string | undefined {
  const named = process.env['NATS_SERVER'];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const candidates = folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nats-server'));
  return (named === undefined || named === '' ? candidates : [named]).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why tests with NATS servers are left out; `false` when they are not. */
export function natsServerMissing(): string | false {
  if (natsServerPath() !== undefined) return false;
  return 'no nats-server on PATH (Debian and Ubuntu: apt-get install nats-server)';
}

/** Milliseconds a server may take until it takes clients. */
const START_TIMEOUT_MS = 20_000;

export class NatsServerProcess implements NatsServer {
  readonly name: string;
  readonly port: number;
  readonly #monitorPort: number;
  readonly #configurationFile: string;
  readonly #logFile: string;
  readonly #watchdog: EndWithParent;
  #child: ChildProcess | undefined;

  constructor(options: {
    readonly name: string;
    readonly port: number;
    readonly monitorPort: number;
    readonly configurationFile: string;
    readonly logFile: string;
    readonly watchdog: EndWithParent;
  }) {
    this.name = options.name;
    this.port = options.port;
    this.#monitorPort = options.monitorPort;
    this.#configurationFile = options.configurationFile;
    this.#logFile = options.logFile;
    this.#watchdog = options.watchdog;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process; it takes clients later. */
  spawn(): void {
    const path = natsServerPath();
    if (path === undefined) throw new ExtSwitchError('NOT_FOUND', String(natsServerMissing()));
    const log = openSync(this.#logFile, 'a');
    // A session of its own: Ctrl-C must not take the store away from hosts that are closing.
    const child = spawn(path, ['-c', this.#configurationFile], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.unref();
    child.once('error', () => {
      this.#child = undefined;
    });
    child.once('exit', () => {
      if (child.pid !== undefined) this.#watchdog.drop(child.pid);
      if (this.#child === child) this.#child = undefined;
    });
    if (child.pid !== undefined) this.#watchdog.add(child.pid);
    this.#child = child;
  }

  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    this.spawn();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while ((await this.ask('/varz')) === undefined) {
      if (this.#child === undefined || Date.now() > deadline) throw this.notStarted();
      await sleep(10);
    }
  }

  /** A page of its monitoring port; undefined where it does not answer. */
  async ask(page: string): Promise<unknown> {
    if (this.#child === undefined) return undefined;
    try {
      const signal = AbortSignal.timeout(2_000);
      const answer = await fetch(`http://127.0.0.1:${this.#monitorPort}${page}`, { signal });
      return await answer.json();
    } catch {
      return undefined;
    }
  }

  notStarted(): ExtSwitchError {
    const log = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
    return new ExtSwitchError(
      'STORE_UNAVAILABLE',
      `nats-server ${this.name} on 127.0.0.1:${this.port} did not start: ${log}`,
    );
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async stop(): Promise<void> {
    // One that is paused would never see SIGTERM.
    this.resume();
    await this.kill('SIGTERM');
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}
