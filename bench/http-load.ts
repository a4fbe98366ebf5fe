import { connect, type Socket } from 'node:net';

export interface LoadTarget {
  readonly port: number;
  /** Whole request, head and body. */
  readonly request: Buffer;
  /** Expected first line begins so; anything else ends the run with an error. */
  readonly expect: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = Buffer.from('content-length: ');

/**
 * Closed-loop load: every connection sends the request, waits for the whole answer, sends it again. Bare sockets, so that
 * the client costs less than the server. Requests answered within `durationMs` are counted.
 */
export class Load {
  readonly #sockets: Socket[] = [];
  readonly #target: LoadTarget;
  #running = false;
  #done = 0;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(target: LoadTarget) {
    this.#target = target;
  }

  static async open(target: LoadTarget, connections: number): Promise<Load> {
    const load = new Load(target);
    for (let i = 0; i < connections; i += 1) load.#sockets.push(await load.#connect());
    return load;
  }

  /** Requests answered; resolves when none is in flight any more. */
  async run(durationMs: number): Promise<number> {
    this.#done = 0;
    this.#running = true;
    return new Promise((resolve, reject) => {
      this.#idle = () => resolve(this.#done);
      this.#failed = reject;
      setTimeout(() => {
        this.#running = false;
      }, durationMs);
      for (const socket of this.#sockets) this.#send(socket);
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #send(socket: Socket): void {
    this.#inFlight += 1;
    socket.write(this.#target.request);
  }

  #answered(socket: Socket): void {
    this.#done += 1;
    this.#inFlight -= 1;
    if (this.#running) this.#send(socket);
    else if (this.#inFlight === 0) this.#idle?.();
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#target.port, '127.0.0.1', () => resolve(socket));
      socket.setNoDelay(true);
      let pending = Buffer.alloc(0);
      socket.on('error', (error) => {
        reject(error);
        this.#failed?.(error);
      });
      socket.on('data', (chunk) => {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
        const head = pending.indexOf(HEAD_END);
        if (head < 0) return;
        const start = pending.toString('latin1', 0, this.#target.expect.length);
        if (start !== this.#target.expect) {
          this.#failed?.(new Error(`unexpected answer: ${pending.toString('utf8', 0, 400)}`));
          return;
        }
        const at = pending.indexOf(LENGTH) + LENGTH.length;
        const length = Number.parseInt(pending.toString('latin1', at, at + 10), 10);
        if (pending.length < head + 4 + length) return;
        pending = Buffer.alloc(0);
        this.#answered(socket);
      });
    });
  }
}

/** A POST of JSON as bytes. */
export function postBytes(path: string, body: unknown): Buffer {
  const text = JSON.stringify(body);
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
