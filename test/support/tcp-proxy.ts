import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection is cut: reset at once, as by a process that is gone, or silent, as by a cable that is out. */
export type Cut = 'refuse' | 'stall';

/** Stands between clients and one port of this machine, so that a test can cut them off from it. */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #cut: Cut | undefined;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    server.on('connection', (client: Socket) => this.#join(client));
  }

  /** Listens on a free port of 127.0.0.1 for `target` there. */
  static async open(target: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, (server.address() as AddressInfo).port, target);
  }

  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  cut(how: Cut): void {
    this.#cut = how;
    for (const pair of [...this.#pairs]) this.#apply(pair);
  }

  /** What was silent goes on where it was. */
  heal(): void {
    this.#cut = undefined;
    for (const pair of [...this.#pairs]) {
      if (pair.some(({ destroyed }) => destroyed)) this.#drop(pair);
      else flow(pair);
    }
  }

  async close(): Promise<void> {
    for (const pair of [...this.#pairs]) end(pair);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const pair = [client, connect(this.#target, '127.0.0.1')] as const;
    this.#pairs.add(pair);
    const [near, far] = pair;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk: Buffer) => {
        if (to.write(chunk) || this.isCut) return;
        from.pause();
        to.once('drain', () => {
          if (!this.isCut) from.resume();
        });
      });
      // The other end hears of it, unless the line is silent.
      from.on('close', () => {
        if (this.#cut !== 'stall') this.#drop(pair);
      });
      from.on('error', () => from.destroy());
    }
    if (this.#cut === undefined) flow(pair);
    else this.#apply(pair);
  }

  #apply(pair: readonly [Socket, Socket]): void {
    if (this.#cut === 'refuse') this.#drop(pair);
    else for (const socket of pair) socket.pause();
  }

  #drop(pair: readonly [Socket, Socket]): void {
    this.#pairs.delete(pair);
    end(pair);
  }
}

function flow(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.resume();
}

function end([near, far]: readonly [Socket, Socket]): void {
  if (!near.destroyed) near.resetAndDestroy();
  far.destroy();
}
