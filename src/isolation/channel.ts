import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { ExposedBytes } from './exposed-bytes.ts';
import { type Message, type News, type Packed, packError, packValue, unpackError } from './wire.ts';

/** What answers calls of the other side. */
export interface ChannelOptions {
  readonly port: MessagePort;
  readonly signals: Int32Array;
  /** Word this side sleeps on. */
  readonly mine: number;
  /** Word the other side sleeps on. */
  readonly theirs: number;
  readonly bytes: ExposedBytes;
  /** Does what the other side asks for; what it returns is sent back, a promise when it settles. */
  serve(target: number, name: string, args: readonly unknown[]): unknown;
  /** Everything that is neither call, answer nor promise. */
  news(message: News): void;
  /** Token of `pend()` on this side. */
  pended(): unknown;
  /** Called when a call or a settled promise came: something may happen behind it. */
  readonly arrived?: () => void;
}

/** How long a caller may sleep. */
export interface Patience {
  /** Milliseconds it may sleep now; what gives up closes the channel. */
  sleepMs(): number;
  /** It serves the other side, which is not the other side's time. */
  serving(): void;
  served(): void;
}

const FOREVER: Patience = {
  sleepMs: () => Number.POSITIVE_INFINITY,
  serving: () => undefined,
  served: () => undefined,
};

/**
 * One end of the pair over which a server and an extension's worker call each other as if they were one thread: who calls,
 * sleeps until the answer is there, and serves the other side's calls meanwhile. Calls nest as function calls do.
 */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #answers = new Map<number, Message>();
  readonly #promises = new Map<
    number,
    { resolve(value: unknown): void; reject(error: unknown): void }
  >();
  #lastCall = 0;
  #lastPromise = 0;
  #closed: Error | undefined;
  /** Counts everything that crossed: what was read before may have changed since. */
  epoch = 0;
  /** Calls and settled promises sent. */
  sent = 0;
  /** Promises of the other side that have not settled here. */
  onPromises: ((count: number) => void) | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  /** Calls the other side and sleeps until it has answered. Throws what was thrown there. */
  call(target: number, name: string, args: readonly unknown[], patience = FOREVER): unknown {
    if (this.#closed !== undefined) throw this.#closed;
    this.#lastCall += 1;
    const id = this.#lastCall;
    this.sent += 1;
    this.post({ kind: 'call', id, target, name, args });
    const answer = this.#wait(patience, () => this.#answers.get(id));
    this.#answers.delete(id);
    if (answer.kind === 'failed') throw unpackError(answer.error);
    return answer.kind === 'reply' ? this.#unpack(answer.packed) : undefined;
  }

  /** Sleeps, and serves, until `isDone`. */
  waitUntil(isDone: () => boolean, patience: Patience): void {
    this.#wait(patience, () => (isDone() ? true : undefined));
  }

  #wait<T>(patience: Patience, find: () => T | undefined): T {
    const { port, signals, mine } = this.#options;
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      // Before looking: what comes after the look has changed the word.
      const seen = Atomics.load(signals, mine);
      const next = receiveMessageOnPort(port) as { readonly message: Message } | undefined;
      if (next === undefined) {
        Atomics.wait(signals, mine, seen, patience.sleepMs());
      } else {
        patience.serving();
        this.receive(next.message);
        patience.served();
      }
      if (this.#closed !== undefined) throw this.#closed;
    }
  }

  /** Takes a message that came, here or as an event of the port. */
  receive(message: Message): void {
    if (this.#closed !== undefined) return;
    this.epoch += 1;
    this.#options.bytes.take(message.bytes);
    switch (message.kind) {
      case 'call':
        this.#options.arrived?.();
        this.#serve(message);
        break;
      case 'reply':
      case 'failed':
        this.#answers.set(message.id, message);
        break;
      case 'settled':
      case 'broken': {
        this.#options.arrived?.();
        const promise = this.#promises.get(message.promise);
        this.#promises.delete(message.promise);
        if (message.kind === 'settled') promise?.resolve(this.#unpack(message.packed));
        else promise?.reject(unpackError(message.error));
        this.onPromises?.(this.#promises.size);
        break;
      }
      default:
        this.#options.news(message);
    }
  }

  #serve({ id, target, name, args }: Message & { readonly kind: 'call' }): void {
    let answer: Message;
    try {
      answer = { kind: 'reply', id, packed: this.pack(this.#options.serve(target, name, args)) };
    } catch (error) {
      answer = { kind: 'failed', id, error: packError(error) };
    }
    if (this.#closed === undefined) this.#postAnswer(answer, id);
  }

  /** An answer that cannot cross is an error of its own. */
  #postAnswer(answer: Message, id: number): void {
    try {
      this.post(answer);
    } catch (error) {
      this.post({ kind: 'failed', id, error: packError(error) });
    }
  }

  /** Sends a message, with the bytes that were changed since the last one. */
  post(message: Message): void {
    const { port, signals, theirs, bytes } = this.#options;
    const changed = bytes.changed();
    port.postMessage(changed === undefined ? message : { ...message, bytes: changed });
    this.epoch += 1;
    Atomics.add(signals, theirs, 1);
    Atomics.notify(signals, theirs);
  }

  /** {@link Answer}s cross as they are; of everything else only what a verdict can be. */
  pack(value: unknown): Packed {
    if (value instanceof Answer) return { is: 'value', value: value.value };
    if (value instanceof Promise) return { is: 'promise', promise: this.#promised(value) };
    if (value !== undefined && value === this.#options.pended()) return { is: 'pended' };
    return packValue(value);
  }

  #promised(promise: Promise<unknown>): number {
    this.#lastPromise += 1;
    const number = this.#lastPromise;
    promise.then(
      (value) => this.#settled({ kind: 'settled', promise: number, packed: this.pack(value) }),
      (error) => this.#settled({ kind: 'broken', promise: number, error: packError(error) }),
    );
    return number;
  }

  #settled(message: Message): void {
    if (this.#closed !== undefined) return;
    this.sent += 1;
    this.post(message);
    this.onSettled?.();
  }

  /** Called after a settled promise was told to the other side. */
  onSettled: (() => void) | undefined;

  #unpack(packed: Packed): unknown {
    switch (packed.is) {
      case 'value':
        return packed.value;
      case 'pended':
        return this.#options.pended();
      case 'error':
        return unpackError(packed.error);
      case 'function':
        return () => undefined;
      case 'object':
        return {};
      case 'promise': {
        const made = new Promise((resolve, reject) => {
          this.#promises.set(packed.promise, { resolve, reject });
        });
        this.onPromises?.(this.#promises.size);
        return made;
      }
    }
  }

  /** The other side is no more: who waits for it is told `reason`, now and later. */
  close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const waiting = [...this.#promises.values()];
    this.#promises.clear();
    this.onPromises?.(0);
    for (const { reject } of waiting) reject(reason);
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }
}

/** A value that crosses as it is, by the structured clone. */
export class Answer {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}
