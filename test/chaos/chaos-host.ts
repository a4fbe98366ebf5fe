import { setTimeout as sleep } from 'node:timers/promises';
import type { EndWithParent } from '../../src/testing/end-with-parent.ts';
import { type Cut, TcpProxy } from '../support/tcp-proxy.ts';
import { HostProcess } from './host-process.ts';

/** Milliseconds a host may take to serve, with elections of leaders and a lease that must run out. */
const START_TIMEOUT_MS = 240_000;
/** And one process of it, until it serves or has ended with an error. */
const SERVE_TIMEOUT_MS = 120_000;

/**
 * A host of the cluster: an identity, its own lines to the NATS servers, and the process that is it now. Whoever supervises it
 * starts it again until it serves, as systemd would.
 */
export class ChaosHost {
  readonly name: string;
  /** Processes that were started as this host. */
  starts = 0;
  /** Of the process that is the host now. */
  url = '';
  process: HostProcess | undefined;
  /** Processes that ended without being asked to, with the end of what they said. */
  readonly surprises: string[] = [];
  readonly #words: readonly string[];
  readonly #proxies: readonly TcpProxy[];
  readonly #watchdog: EndWithParent;

  private constructor(
    name: string,
    words: readonly string[],
    proxies: readonly TcpProxy[],
    watchdog: EndWithParent,
  ) {
    this.name = name;
    this.#words = words;
    this.#proxies = proxies;
    this.#watchdog = watchdog;
  }

  /** `store`: what follows the servers in the address, `/lab?lease=2s`; `words`: the command, with `serve`. */
  static async make(
    name: string,
    natsPorts: readonly number[],
    store: string,
    words: readonly string[],
    watchdog: EndWithParent,
  ): Promise<ChaosHost> {
    const proxies: TcpProxy[] = [];
    for (const port of natsPorts) proxies.push(await TcpProxy.open(port));
    const servers = proxies.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const all = [...words, '--store', `nats://${servers}${store}`, '--port', '0'];
    return new ChaosHost(name, all, proxies, watchdog);
  }

  /** Runs it, again and again until it serves. */
  async start(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const { process, url } = await this.startOne();
      if (url !== undefined) {
        this.become(process, url);
        return;
      }
      if (Date.now() > deadline)
        throw new Error(`host ${this.name} does not start: ${process.log}`);
      await sleep(200);
    }
  }

  /** Starts one more process of this name; `url` is undefined when it ended before it served. */
  async startOne(): Promise<{ readonly process: HostProcess; readonly url: string | undefined }> {
    this.starts += 1;
    const process = new HostProcess(this.name, this.#words, this.#watchdog);
    const late = sleep(SERVE_TIMEOUT_MS, 'late', { ref: false });
    const url = await Promise.race([process.served, late]);
    if (url !== 'late') return { process, url };
    this.surprises.push(`host ${this.name} neither served nor ended in ${SERVE_TIMEOUT_MS} ms`);
    await process.kill('SIGKILL');
    return { process, url: undefined };
  }

  /** The process is the host from now on. */
  become(process: HostProcess, url: string): void {
    this.process = process;
    this.url = url;
    void process.ended.then((ending) => {
      if (ending.wasAsked) return;
      this.surprises.push(
        `host ${this.name} ended with ${ending.code ?? ending.signal}: ${process.log.slice(-2_000)}`,
      );
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.process?.kill(signal);
  }

  get isRunning(): boolean {
    return this.process?.isRunning === true;
  }

  /** Cuts it off from the NATS servers, or from one of them. */
  cut(how: Cut, server?: number): void {
    for (const [at, proxy] of this.#proxies.entries()) {
      if (server === undefined || server === at) proxy.cut(how);
    }
  }

  heal(): void {
    for (const proxy of this.#proxies) proxy.heal();
  }

  async close(): Promise<void> {
    if (this.isRunning) await this.kill('SIGKILL');
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}
