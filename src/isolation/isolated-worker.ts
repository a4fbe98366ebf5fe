import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { ExtSwitchError } from '../core/errors.ts';
import { Channel, type Patience } from './channel.ts';
import { ExposedBytes } from './exposed-bytes.ts';
import {
  type DefinitionFacts,
  type Message,
  type News,
  SIGNAL,
  SIGNAL_WORDS,
  unpackError,
  type WorkerStart,
} from './wire.ts';

/** How long an extension may take, and how much it may have. */
export interface WorkerLimits {
  /** Wall milliseconds one handler may run; what the switch does for it meanwhile does not count. */
  readonly watchdogMs: number;
  /** Mebibytes of heap, and again of buffers outside the heap. */
  readonly memoryMb: number;
  /** Wall milliseconds loading the module may take. */
  readonly loadMs: number;
}

/** Why a worker is no more. */
export type EndReason = 'watchdog' | 'memory' | 'exit' | 'load' | 'closed';

export interface WorkerEvents {
  /** It ended, not because it was closed. */
  ended(reason: EndReason, message: string): void;
  /** Something was thrown in it where nobody catches it. */
  stray(message: string): void;
  serve(target: number, name: string, args: readonly unknown[]): unknown;
  released(targets: readonly number[]): void;
  pended(): unknown;
}

interface Settle {
  resolve(facts: DefinitionFacts): void;
  reject(error: unknown): void;
}

const MIB = 1024 * 1024;
/** While asleep the server looks this often whether the worker still lives, wall milliseconds. */
const LOOK_MS = 50;

/** What the thread runs first: from sources something that has TypeScript loaded, which a thread cannot do for its own first file. */
function entryUrl(): URL {
  const runsFromSource = import.meta.url.endsWith('.ts');
  const entry = new URL(`./worker-entry${runsFromSource ? '.ts' : '.js'}`, import.meta.url);
  if (!runsFromSource) return entry;
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const text = `import { register } from ${loader}; register(); await import(${JSON.stringify(entry.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

/** One thread with one extension in it, from its start to its end. */
export class IsolatedWorker {
  readonly bytes = new ExposedBytes();
  readonly channel: Channel;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #signals: Int32Array;
  readonly #limits: WorkerLimits;
  readonly #events: WorkerEvents;
  readonly #label: string;
  /** Settles when the module is loaded, or not. */
  readonly ready: Promise<DefinitionFacts>;
  #settleReady: Settle | undefined;
  #end: Error | undefined;
  #reason: EndReason | undefined;
  #loadTimer: NodeJS.Timeout | undefined;
  #heart: NodeJS.Timeout | undefined;
  #isPinged = false;
  #isSettling = false;

  /** `label`: what to call the extension before its module has said. */
  constructor(
    module: string,
    id: string | undefined,
    label: string,
    limits: WorkerLimits,
    events: WorkerEvents,
  ) {
    this.#label = label;
    this.#limits = limits;
    this.#events = events;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#signals = new Int32Array(new SharedArrayBuffer(SIGNAL_WORDS * 4));
    this.channel = new Channel({
      port: port1,
      signals: this.#signals,
      mine: SIGNAL.server,
      theirs: SIGNAL.worker,
      bytes: this.bytes,
      serve: events.serve,
      news: (message) => this.#news(message),
      pended: events.pended,
    });
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    const start: WorkerStart = {
      port: port2,
      signals: this.#signals,
      module,
      ...(id === undefined ? {} : { id }),
    };
    this.#worker = new Worker(entryUrl(), {
      workerData: start,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: limits.memoryMb },
    });
    this.#worker.on('error', (error) => this.#failed(error));
    this.#worker.on('exit', (code) => this.#ended('exit', `ended its thread with code ${code}`));
    port1.on('message', (message: Message) => this.channel.receive(message));
    this.channel.onPromises = (count) => this.#hold(count > 0);
    this.channel.onSettled = () => this.settle();
    this.#loadTimer = setTimeout(() => this.#tooLate(), limits.loadMs);
  }

  get isAlive(): boolean {
    return this.#end === undefined;
  }

  /** Why it is no more. */
  get reason(): EndReason | undefined {
    return this.#reason;
  }

  get #isLoading(): boolean {
    return this.#settleReady !== undefined;
  }

  /** Sleeps until the module is loaded; throws why it is not. */
  waitReady(): void {
    if (this.#isLoading) {
      const patience = this.#patience(this.#limits.loadMs, () => this.#tooLate());
      this.channel.waitUntil(() => !this.#isLoading, patience);
    }
    if (this.#end !== undefined) throw this.#end;
  }

  /** Calls into the worker; throws what is thrown there, and why it ended when it did. */
  call(target: number, name: string, args: readonly unknown[], what: string): unknown {
    const patience = this.#patience(this.#limits.watchdogMs, () =>
      this.#kill('watchdog', `did not return from ${what} within ${this.#limits.watchdogMs} ms`),
    );
    try {
      return this.channel.call(target, name, args, patience);
    } finally {
      this.settle();
    }
  }

  /**
   * When the present code of this thread has run to its end, before anything else: lets what the call left in the worker's
   * microtasks happen, as it would in one thread.
   */
  settle(): void {
    if (this.#isSettling || this.#end !== undefined) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      if (this.#end !== undefined) return;
      const patience = this.#patience(this.#limits.watchdogMs, () =>
        this.#kill(
          'watchdog',
          `kept its thread busy for more than ${this.#limits.watchdogMs} ms after a handler`,
        ),
      );
      try {
        this.channel.waitUntil(() => this.#isIdle(), patience);
      } catch {
        // It ended: who had asked for something has been told.
      }
    });
  }

  #isIdle(): boolean {
    // Both count on and on, in 32 bits.
    return ((Atomics.load(this.#signals, SIGNAL.idle) - this.channel.sent) | 0) >= 0;
  }

  /** Time is counted only while this thread sleeps. */
  #patience(limitMs: number, giveUp: () => void): Patience {
    let left = limitMs;
    let since = performance.now();
    const count = (): void => {
      const now = performance.now();
      left -= now - since;
      since = now;
    };
    return {
      sleepMs: () => {
        count();
        if (left <= 0) giveUp();
        else if (this.#worker.performance.eventLoopUtilization().idle === -1) this.#vanished();
        return Math.min(LOOK_MS, Math.max(0, left));
      },
      serving: count,
      served: () => {
        since = performance.now();
      },
    };
  }

  #news(message: News): void {
    switch (message.kind) {
      case 'ready':
        this.#loaded()?.resolve(message.facts);
        break;
      case 'unready': {
        const error = unpackError(message.error);
        this.#kill('load', error instanceof Error ? error.message : String(error), error);
        break;
      }
      case 'released':
        this.#events.released(message.targets);
        break;
      case 'stray': {
        const { name, message: text } = message.error;
        const line = `${name}: ${text}`.split('\n', 1)[0] ?? '';
        this.#events.stray(`${message.how} outside its handlers: ${line}`);
        break;
      }
      case 'exit':
        this.#ended('exit', `ended its thread with code ${message.code}`);
        break;
      case 'pong':
        this.#isPinged = false;
        if (message.external > this.#limits.memoryMb * MIB) this.#outOfMemory();
        break;
      case 'ping':
        break;
    }
  }

  #loaded(): Settle | undefined {
    clearTimeout(this.#loadTimer);
    const settle = this.#settleReady;
    this.#settleReady = undefined;
    if (this.#end === undefined) {
      this.#hold(false);
      const everyMs = Math.max(1_000, this.#limits.watchdogMs);
      this.#heart = setInterval(() => this.#beat(), everyMs).unref();
    }
    return settle;
  }

  /** Between calls nobody waits for it, so it is asked now and then whether its loop turns. */
  #beat(): void {
    if (this.#isPinged) {
      this.#kill('watchdog', `kept its thread busy for more than ${this.#limits.watchdogMs} ms`);
      return;
    }
    this.#isPinged = true;
    this.channel.post({ kind: 'ping' });
  }

  /** What it has promised keeps the process alive; the thread alone does not. */
  #hold(isHeld: boolean): void {
    if (this.#end !== undefined) return;
    if (isHeld || this.#isLoading) {
      this.#worker.ref();
      this.#port.ref();
    } else {
      this.#worker.unref();
      this.#port.unref();
    }
  }

  #failed(error: Error): void {
    if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') this.#outOfMemory();
    else this.#ended('exit', `ended its thread: ${error.message}`);
  }

  #outOfMemory(): void {
    this.#kill('memory', `needed more than ${this.#limits.memoryMb} MB of memory`);
  }

  /** The thread is gone and has not said so: what runs out of memory cannot. */
  #vanished(): void {
    this.#outOfMemory();
  }

  #tooLate(): void {
    this.#kill('watchdog', `was not loaded within ${this.#limits.loadMs} ms`);
  }

  #kill(reason: EndReason, message: string, cause?: unknown): void {
    this.#ended(reason, message, cause);
    this.#worker.terminate().catch(() => undefined);
  }

  #ended(reason: EndReason, message: string, cause?: unknown): void {
    if (this.#end !== undefined) return;
    const isOwn = cause instanceof ExtSwitchError;
    const error = isOwn
      ? cause
      : new ExtSwitchError('EXTENSION_FAILED', `${this.#label} ${message}`, {}, { cause });
    this.#end = error;
    this.#reason = reason;
    this.#loaded()?.reject(error);
    clearInterval(this.#heart);
    this.channel.close(error);
    this.#port.close();
    if (reason !== 'closed') this.#events.ended(reason, message);
  }

  /** Ends the thread; nobody is told. */
  async close(): Promise<void> {
    this.#ended('closed', 'was closed');
    await this.#worker.terminate();
  }
}
