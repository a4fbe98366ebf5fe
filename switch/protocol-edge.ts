import { oidIndex } from '../src/abi/index.ts';
import type { Rng } from '../src/core/rng.ts';
import type { FilterModule } from './filter-module.ts';
import { OidRequest, REQUEST_TYPE } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { Nic, Port } from './ports.ts';
import { RequestBuffer } from './request-buffer.ts';
import type { MaybePromise, Steps } from './steps.ts';
import { TurnScheduler } from './turn-scheduler.ts';

/** An operation that waits for its turn. */
interface Waiting {
  readonly owner: object | undefined;
  begin(): void;
}

/**
 * Where the switch's own OIDs start: one OID at a time (design.md 4). With `fifo` scheduling operations run one after
 * the other in the order they came; only while one waits for references to be given back do others go on, but none of
 * the same owner. With `seeded` scheduling operations of different owners interleave OID by OID, in an order that the
 * seed picks.
 *
 * `owner` is what an operation works on: a port, the switch's own state, the stack. Two operations of one owner never
 * overlap.
 */
export class ProtocolEdge {
  readonly #pipeline: Pipeline;
  readonly #modules: () => readonly FilterModule[];
  readonly #turns: TurnScheduler | undefined;
  readonly #waiting: Waiting[] = [];
  /** Owners of operations that wait for references, with what must wait for them. */
  readonly #suspended = new Map<object, Waiting[]>();
  #busy = false;
  #owner: object | undefined;
  #draining = false;
  #buffer: RequestBuffer | undefined;

  /** `rng` given: seeded scheduling. */
  constructor(pipeline: Pipeline, modules: () => readonly FilterModule[], rng?: Rng) {
    this.#pipeline = pipeline;
    this.#modules = modules;
    this.#turns = rng === undefined ? undefined : new TurnScheduler(rng);
  }

  /** Operations waiting behind the one that runs. */
  get queued(): number {
    let parked = 0;
    for (const list of this.#suspended.values()) parked += list.length;
    return this.#waiting.length + parked + (this.#turns?.waiting ?? 0);
  }

  /** Modules with a reference on it, top to bottom. */
  holding(object: Port | Nic): readonly FilterModule[] {
    return this.#modules().filter(({ references }) => references.has(object));
  }

  /** Runs `operation` when its turn comes: at once, and synchronously, when nothing else runs. */
  run<T>(operation: () => MaybePromise<T>, owner?: object): MaybePromise<T> {
    if (this.#turns !== undefined) return this.#turns.run(operation, owner);
    if (!this.#busy && !this.#isSuspended(owner)) return this.#begin(operation, owner);
    return new Promise<T>((resolve, reject) => {
      this.#enqueue({
        owner,
        begin: () => {
          try {
            const result = this.#begin(operation, owner);
            if (result instanceof Promise) result.then(resolve, reject);
            else resolve(result);
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** {@link run} for an operation of a single request that it starts itself: it has the turn as a whole. */
  runWhole<T>(operation: () => MaybePromise<T>, owner: object): MaybePromise<T> {
    const turns = this.#turns;
    if (turns === undefined) return this.run(operation, owner);
    return turns.run(() => turns.inTurn(operation), owner);
  }

  #isSuspended(owner: object | undefined): boolean {
    return this.#suspended.size > 0 && owner !== undefined && this.#suspended.has(owner);
  }

  #enqueue(waiting: Waiting): void {
    const { owner } = waiting;
    const parked = owner === undefined ? undefined : this.#suspended.get(owner);
    if (parked === undefined) this.#waiting.push(waiting);
    else parked.push(waiting);
  }

  #begin<T>(operation: () => MaybePromise<T>, owner: object | undefined): MaybePromise<T> {
    this.#busy = true;
    this.#owner = owner;
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
   * Takes the turn when nothing runs: what {@link runWhole} does, without a closure, for the operation that comes most
   * often. Who got true calls {@link left} with the result, or {@link leave} when the operation threw.
   */
  enter(owner: object): boolean {
    if (this.#busy || this.#turns !== undefined || this.#isSuspended(owner)) return false;
    this.#busy = true;
    this.#owner = owner;
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
      if (this.#isSuspended(next.owner)) this.#enqueue(next);
      else next.begin();
    }
    this.#draining = false;
  }

  /**
   * Inside an operation: waits for `promise` without keeping other owners' operations waiting. Those of the same owner
   * stay behind this one.
   */
  *waitAside(promise: Promise<void>): Steps<void> {
    if (this.#turns !== undefined) {
      yield promise;
      return;
    }
    const owner = this.#owner;
    if (owner !== undefined) this.#suspended.set(owner, []);
    this.leave();
    yield promise;
    if (this.#busy) {
      yield new Promise<void>((resolve) =>
        this.#waiting.unshift({ owner: undefined, begin: () => this.#reenter(owner, resolve) }),
      );
    } else {
      this.#reenter(owner);
    }
  }

  /** The operation goes on; what waited behind it comes right after it. */
  #reenter(owner: object | undefined, resumed?: () => void): void {
    this.#busy = true;
    this.#owner = owner;
    const parked = owner === undefined ? undefined : this.#suspended.get(owner);
    if (owner !== undefined) this.#suspended.delete(owner);
    if (parked !== undefined) this.#waiting.unshift(...parked);
    resumed?.();
  }

  /** Inside an operation: `act` starts a request of its own and has the turn until that is done. */
  inTurn<T>(act: () => MaybePromise<T>): MaybePromise<T> {
    return this.#turns === undefined ? act() : this.#turns.inTurn(act);
  }

  /** Inside an operation that is no request, such as a step of a stack change: others may come before it when seeded. */
  *turn(): Steps<void> {
    if (this.#turns !== undefined) yield this.#turns.inTurn(() => undefined);
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

  /** Sends one request down the stack; `request.done` tells whether it completed at once. Needs the turn. */
  start(request: OidRequest): void {
    this.#pipeline.start(request, this.#modules());
  }

  /**
   * Sends one request down the stack: itself when it completed at once, else a promise of its completion. `completed`
   * changes the switch's tables in the moment of completion, before a request that waited in the stack can ask for them.
   */
  send(request: OidRequest, completed?: (request: OidRequest) => void): MaybePromise<OidRequest> {
    const turns = this.#turns;
    return turns === undefined
      ? this.#send(request, completed)
      : turns.inTurn(() => this.#send(request, completed));
  }

  #send(request: OidRequest, completed?: (request: OidRequest) => void): MaybePromise<OidRequest> {
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

  /** Sends a set request whose `sizeBytes` of data `write` fills in, all of them: the buffer is used again and again. */
  sendSet(
    oid: number,
    sizeBytes: number,
    write: (buffer: RequestBuffer) => void,
    completed?: (request: OidRequest) => void,
  ): MaybePromise<OidRequest> {
    const buffer = this.takeBuffer(sizeBytes);
    write(buffer);
    const { set } = REQUEST_TYPE;
    const request = new OidRequest(oid, oidIndex(oid), set, buffer.bytes, sizeBytes, 0);
    request.words = buffer.prefix(sizeBytes);
    const sent = this.send(request, completed);
    if (sent === request) this.giveBack(buffer, request);
    return sent;
  }
}
