import { oidIndex } from '../src/abi/index.ts';
import type { FilterModule } from './filter-module.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import { RequestBuffer } from './request-buffer.ts';
import type { MaybePromise } from './steps.ts';

/**
 * Where the switch's own OIDs start: one operation at a time (design.md 4), the rest waits in order. An operation may
 * send several OIDs; each completes before the next is sent.
 */
export class ProtocolEdge {
  readonly #pipeline: Pipeline;
  readonly #modules: () => readonly FilterModule[];
  readonly #waiting: (() => void)[] = [];
  #busy = false;
  #draining = false;
  #buffer: RequestBuffer | undefined;

  constructor(pipeline: Pipeline, modules: () => readonly FilterModule[]) {
    this.#pipeline = pipeline;
    this.#modules = modules;
  }

  /** Operations waiting behind the one that runs. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Runs `operation` when its turn comes: at once, and synchronously, when nothing else runs. */
  run<T>(operation: () => MaybePromise<T>): MaybePromise<T> {
    if (!this.#busy) return this.#begin(operation);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          const result = this.#begin(operation);
          if (result instanceof Promise) result.then(resolve, reject);
          else resolve(result);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #begin<T>(operation: () => MaybePromise<T>): MaybePromise<T> {
    this.#busy = true;
    let result: MaybePromise<T>;
    try {
      result = operation();
    } catch (error) {
      this.leave();
      throw error;
    }
    return this.left(result);
  }

  /**
   * Takes the turn when nothing runs: what {@link run} does, without a closure, for the operation that comes most often.
   * Who got true calls {@link left} with the result, or {@link leave} when the operation threw.
   */
  enter(): boolean {
    if (this.#busy) return false;
    this.#busy = true;
    return true;
  }

  /** Gives the turn back when `result` is there. */
  left<T>(result: MaybePromise<T>): MaybePromise<T> {
    if (result instanceof Promise) {
      return result.then(
        (value) => {
          this.leave();
          return value;
        },
        (error) => {
          this.leave();
          throw error;
        },
      );
    }
    this.leave();
    return result;
  }

  /** Gives the turn back and starts what waits: in a loop, since each of thousands may end at once. */
  leave(): void {
    this.#busy = false;
    if (this.#draining || this.#waiting.length === 0) return;
    this.#draining = true;
    while (!this.#busy) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      next();
    }
    this.#draining = false;
  }

  /** The reusable buffer, or a larger or fresh one. Give it back with {@link giveBack}. */
  takeBuffer(sizeBytes: number): RequestBuffer {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return buffer !== undefined && buffer.bytes.length >= sizeBytes
      ? buffer
      : new RequestBuffer(sizeBytes);
  }

  /** Takes the buffer back unless a handler saw its raw bytes and may still hold them. */
  giveBack(buffer: RequestBuffer, request: OidRequest): void {
    if (
      request.pristine === undefined &&
      request.stops === undefined &&
      buffer.bytes.length <= 65_536
    ) {
      this.#buffer = buffer;
    }
  }

  /** Sends one request down the stack; `request.done` tells whether it completed at once. */
  start(request: OidRequest): void {
    this.#pipeline.start(request, this.#modules());
  }

  /**
   * Sends one request down the stack: itself when it completed at once, else a promise of its completion. `completed`
   * changes the switch's tables in the moment of completion, before a request that waited in the stack can ask for them.
   */
  send(request: OidRequest, completed?: (request: OidRequest) => void): MaybePromise<OidRequest> {
    this.start(request);
    if (request.done) {
      completed?.(request);
      return request;
    }
    return new Promise((resolve) => {
      request.onComplete = (done) => {
        completed?.(done);
        resolve(done);
      };
    });
  }

  /** A set request whose whole buffer is its data. */
  set(oid: number, bytes: Uint8Array): OidRequest {
    return new OidRequest(oid, oidIndex(oid), REQUEST_TYPE.set, bytes, bytes.length, 0);
  }
}
