import type { NdisStatus } from '../core/status.ts';
import type {
  FinalVerdict,
  OidRequest,
  Pended,
  PortProperty,
  RequestType,
  Settings,
  SwitchProperty,
} from '../sdk/extension.ts';
import type { Channel } from './channel.ts';
import type { ExposedBytes } from './exposed-bytes.ts';
import type { ArgumentFacts, BytesFacts, RequestFacts, RequestState, ViewFacts } from './facts.ts';

/** What the objects of a worker share. */
export interface WorkerSide {
  readonly channel: Channel;
  readonly bytes: ExposedBytes;
  readonly pended: Pended;
  /** The server may forget `target` when `holder` is garbage. */
  holds(holder: object, target: number): void;
}

/** The request as an isolated extension sees it: what changes is asked for whenever something may have happened since. */
class WorkerRequest implements OidRequest {
  readonly oid: number;
  readonly oidName: string;
  readonly requestType: RequestType;
  readonly id: number;
  readonly #side: WorkerSide;
  readonly #target: number;
  readonly #key: string;
  #state: RequestState;
  #stateEpoch: number;
  #bytesEpoch = -1;
  #property: PortProperty | SwitchProperty | undefined;

  constructor(side: WorkerSide, facts: RequestFacts) {
    this.#side = side;
    this.#target = facts.target;
    this.#key = facts.key;
    this.oid = facts.oid;
    this.oidName = facts.oidName;
    this.requestType = facts.requestType;
    this.id = facts.id;
    this.#state = facts.state;
    this.#stateEpoch = side.channel.epoch;
    side.holds(this, facts.target);
  }

  ask(name: string, ...args: readonly unknown[]): unknown {
    return this.#side.channel.call(this.#target, name, args);
  }

  #now(): RequestState {
    const { channel } = this.#side;
    if (this.#stateEpoch !== channel.epoch) {
      this.#state = this.ask('state') as RequestState;
      this.#stateEpoch = channel.epoch;
    }
    return this.#state;
  }

  get bytes(): Uint8Array {
    return this.part('bytes');
  }

  /** The same memory for all parts of one request, as in the server's thread. */
  part(name: 'bytes' | 'raw' | 'data'): Uint8Array {
    const { bytes, channel } = this.#side;
    const here = bytes.get(this.#key);
    if (name === 'bytes' && here !== undefined && this.#bytesEpoch === channel.epoch) return here;
    const facts = this.ask(name) as BytesFacts;
    let all = bytes.get(this.#key);
    if (all === undefined) {
      const made = facts.bytes;
      all = made;
      bytes.add(this.#key, () => made, made.slice());
    }
    this.#bytesEpoch = channel.epoch;
    return name === 'bytes' ? all : all.subarray(facts.offset, facts.offset + facts.length);
  }

  get status(): NdisStatus {
    return this.#now().status as NdisStatus;
  }
  get bytesRead(): number {
    return this.#now().bytesRead;
  }
  set bytesRead(value: number) {
    this.ask('set', 'bytesRead', value);
  }
  get bytesWritten(): number {
    return this.#now().bytesWritten;
  }
  set bytesWritten(value: number) {
    this.ask('set', 'bytesWritten', value);
  }
  get bytesNeeded(): number {
    return this.#now().bytesNeeded;
  }
  set bytesNeeded(value: number) {
    this.ask('set', 'bytesNeeded', value);
  }

  get property(): PortProperty | SwitchProperty | undefined {
    if (this.#property !== undefined) return this.#property;
    const facts = this.ask('property') as ViewFacts | undefined;
    if (facts === undefined) return undefined;
    this.#property = new WorkerProperty(this.#side, facts) as unknown as PortProperty;
    return this.#property;
  }

  pend(): Pended {
    this.ask('pend');
    return this.#side.pended;
  }
  complete(status: NdisStatus): void {
    this.ask('complete', status);
  }
  forward(): void {
    this.ask('forward');
  }
}

/** A property request: everything but its bytes and values stands still. */
class WorkerProperty {
  readonly request: OidRequest;
  readonly #request: WorkerRequest;
  readonly #side: WorkerSide;
  readonly #settings: Settings | undefined;
  readonly #epoch: number;

  constructor(side: WorkerSide, facts: ViewFacts) {
    this.#side = side;
    this.#request = new WorkerRequest(side, facts.request);
    this.request = this.#request;
    const { settings, ...values } = facts.values;
    this.#settings = settings as Settings | undefined;
    this.#epoch = side.channel.epoch;
    Object.assign(this, values);
  }

  get raw(): Uint8Array {
    return this.#request.part('raw');
  }

  get settings(): Settings | undefined {
    // Whether it may still be read: the values are those of the first look.
    if (this.#epoch !== this.#side.channel.epoch) this.#request.ask('settings');
    return this.#settings;
  }
}

/** A view with methods of its own, which are done where the request is. */
class WorkerView {
  readonly request: OidRequest;
  protected readonly raw: WorkerRequest;
  readonly #side: WorkerSide;
  readonly #target: number;

  constructor(side: WorkerSide, facts: ViewFacts) {
    this.#side = side;
    this.#target = facts.target;
    this.raw = new WorkerRequest(side, facts.request);
    this.request = this.raw;
    Object.assign(this, facts.values);
    side.holds(this, facts.target);
  }

  protected ask(name: string, ...args: readonly unknown[]): unknown {
    return this.#side.channel.call(this.#target, name, args);
  }
}

class WorkerStatusQuery extends WorkerView {
  respond(values: object): FinalVerdict {
    return this.ask('respond', values) as FinalVerdict;
  }
  respondRaw(bytes: Uint8Array, version?: number): NdisStatus {
    return this.ask('respondRaw', Uint8Array.from(bytes), version) as NdisStatus;
  }
}

class WorkerSaveState extends WorkerView {
  save(data: Uint8Array, featureClassId?: string): NdisStatus {
    const given = data instanceof Uint8Array ? Uint8Array.from(data) : data;
    return this.ask('save', given, featureClassId) as NdisStatus;
  }
}

class WorkerRestoreState extends WorkerView {
  #data: Uint8Array | undefined;

  get data(): Uint8Array {
    this.#data ??= this.ask('data') as Uint8Array;
    return this.#data;
  }
}

class WorkerNicRequest extends WorkerView {
  get data(): Uint8Array {
    const { offset, length } = this.ask('dataPlace') as BytesFacts;
    return this.raw.bytes.subarray(offset, offset + length);
  }
  get status(): NdisStatus {
    return this.raw.status;
  }
}

const VIEWS = {
  property: WorkerProperty,
  statusQuery: WorkerStatusQuery,
  saveState: WorkerSaveState,
  restoreState: WorkerRestoreState,
  nicRequest: WorkerNicRequest,
} as const;

/** The object a handler is called with. */
export function argumentOf(side: WorkerSide, facts: ArgumentFacts): unknown {
  if (facts.kind === 'request') return new WorkerRequest(side, facts);
  if (facts.kind === 'plain') {
    const { value, isFrozen } = facts;
    return isFrozen ? Object.freeze(value) : value;
  }
  if (facts.kind === 'indication') {
    const { key, values, bytes, dataOffset, dataLength } = facts;
    side.bytes.add(key, () => bytes, bytes.slice());
    const data = bytes.subarray(dataOffset, dataOffset + dataLength);
    return { ...values, bytes, data };
  }
  return new VIEWS[facts.kind](side, facts);
}
