import { oidName } from '../src/abi/index.ts';
import type { Timer } from '../src/core/clock.ts';
import { ExtSwitchError } from '../src/core/errors.ts';
import { NdisStatus } from '../src/core/status.ts';
import type {
  NicParameters,
  OidRequest as OidRequestHandle,
  Pended,
  PortParameters,
  PortProperty,
  RequestType,
  SwitchProperty,
} from '../src/sdk/extension.ts';
import type { Encapsulated } from './encapsulated-request.ts';
import type { Finding, PropertyCodec, TraceFinding } from './environment.ts';
import type { Injection } from './fault-points.ts';
import type { FilterModule } from './filter-module.ts';
import type { Pipeline } from './pipeline.ts';

/** NDIS_REQUEST_TYPE values that switch OIDs use (ndis-switch-abi.md 2). */
export const REQUEST_TYPE = { query: 0, set: 1, method: 12 } as const;
export type RequestTypeCode = (typeof REQUEST_TYPE)[keyof typeof REQUEST_TYPE];

/** Name of an NDIS_REQUEST_TYPE value. */
export function requestTypeName(code: RequestTypeCode): RequestType {
  return code === 1 ? 'set' : code === 0 ? 'query' : 'method';
}

/** A stop that is not a plain `forward`: who, and what it said. */
export interface RouteStop {
  readonly module: FilterModule;
  readonly verdict: 'pend' | 'forward';
}

/** Findings of one request that its trace entry keeps; all are counted and told as events. */
const MAX_FINDINGS = 100;

/**
 * One OID request on its way through the stack (design.md 1): an object with one buffer that holds exactly the bytes
 * Windows would pass. Extensions see it through a {@link RequestHandle} that knows which module holds it.
 */
export class OidRequest {
  readonly oid: number;
  /** Dense index of the OID, -1 when unknown. */
  readonly oidIndex: number;
  readonly type: RequestTypeCode;
  /** InformationBuffer; may be larger than what is in use. */
  buffer: Uint8Array;
  /** Bytes in: InformationBufferLength of a set, InputBufferLength of a method, what a query presets (its header). */
  readonly inputLength: number;
  /** Room for the answer: InformationBufferLength of a query, OutputBufferLength of a method. */
  readonly outputLength: number;
  /** Number on its switch, from 1 in order of issue. */
  id = 0;
  /** Virtual ms of issue. */
  issuedAt = 0;
  status: NdisStatus = NdisStatus.PENDING;
  bytesRead = 0;
  bytesWritten = 0;
  bytesNeeded = 0;
  /** Stack as it was at issue, top to bottom. */
  modules: readonly FilterModule[] = [];
  /** Place of the issuing module; -1 is the protocol edge. The request is seen only below it (rule D2). */
  origin = -1;
  /** Place where it is now; `modules.length` is the miniport edge. */
  position = 0;
  done = false;
  /** The module whose handler runs right now. */
  running: FilterModule | undefined;
  /** The module that pended it. */
  holder: FilterModule | undefined;
  /** Completed by its holder before the handler returned. */
  early: number | 'forward' | undefined;
  /** Runs while pended (NdisTimedOidComplete). */
  timer: Timer | undefined;
  /** Virtual ms when that timer ends it. */
  endsAt = 0;
  /** Module that completed it; `undefined` is the miniport edge. Meaningful when done. */
  completedBy: FilterModule | undefined;
  /** Pends on the way, in order; most requests have none. */
  stops: RouteStop[] | undefined;
  /** The module that broke a rule with it: where rules are enforced the request fails. */
  brokenBy: FilterModule | undefined;
  /** What was found about it while it was under way: its trace entry tells. Most requests have none. */
  findings: TraceFinding[] | undefined;
  /** Faults that were injected into it; most requests have none. */
  injected: Injection[] | undefined;
  onComplete: ((request: OidRequest) => void) | undefined;
  /** Property OIDs: the class, where its bytes stand in the buffer, and the typed view for handlers. */
  codec: PropertyCodec | undefined;
  dataOffset = 0;
  dataLength = 0;
  property: PortProperty | SwitchProperty | undefined;
  /** Port and NIC OIDs: the decoded structure, shared by the modules that see it. */
  parameters: PortParameters | NicParameters | undefined;
  /** OID_SWITCH_NIC_REQUEST: the request inside. */
  encapsulated: Encapsulated | undefined;
  /** Bytes as issued, kept from the moment a handler could change them. */
  pristine: Uint8Array | undefined;
  /** Input of a method request as issued; the answer overwrites the buffer. */
  methodInput: Uint8Array | undefined;
  /** Exactly the words that hold the input, when the buffer is the switch's own aligned one: quicker to copy. */
  words: Uint32Array | undefined;

  constructor(
    oid: number,
    oidIndex: number,
    type: RequestTypeCode,
    buffer: Uint8Array,
    inputLength: number,
    outputLength: number,
  ) {
    this.oid = oid;
    this.oidIndex = oidIndex;
    this.type = type;
    this.buffer = buffer;
    this.inputLength = inputLength;
    this.outputLength = outputLength;
  }

  /** Keeps `finding`, and gives it, for the trace entry; one that comes after the request has ended belongs to no entry. */
  note(finding: Finding): Finding {
    if (this.done) return finding;
    this.findings ??= [];
    if (this.findings.length >= MAX_FINDINGS) return finding;
    const { rule, severity, message, extensionId, offset, injected } = finding;
    this.findings.push({
      rule,
      severity,
      message,
      ...(extensionId === undefined ? {} : { extensionId }),
      ...(offset === undefined ? {} : { offset }),
      ...(injected === undefined ? {} : { injected }),
    });
    return finding;
  }

  /** Bytes in use: what a reader may look at. */
  get length(): number {
    return this.inputLength > this.outputLength ? this.inputLength : this.outputLength;
  }

  /** Called before a handler gets at the raw bytes: keeps a copy to compare with afterwards (rules D4, B26, C42, E22, F10). */
  expose(): Uint8Array {
    if (this.done) {
      throw new ExtSwitchError(
        'ILLEGAL_TRANSITION',
        `${oidName(this.oid)} has completed: its bytes are no longer valid; copy what you keep`,
        { rule: 'D6', oid: oidName(this.oid) },
      );
    }
    if (this.pristine === undefined) this.pristine = this.buffer.slice(0, this.length);
    return this.buffer.subarray(0, this.length);
  }
}

declare const handlePended: Pended;

/** The request as one module sees it. */
export class RequestHandle implements OidRequestHandle {
  readonly #request: OidRequest;
  readonly #module: FilterModule;
  readonly #pipeline: Pipeline;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    this.#request = request;
    this.#module = module;
    this.#pipeline = pipeline;
  }

  get oid(): number {
    return this.#request.oid;
  }
  get oidName(): string {
    return oidName(this.#request.oid);
  }
  get requestType(): RequestType {
    return requestTypeName(this.#request.type);
  }
  get id(): number {
    return this.#request.id;
  }
  get bytes(): Uint8Array {
    return this.#request.expose();
  }
  get status(): NdisStatus {
    return this.#request.status;
  }
  get bytesRead(): number {
    return this.#request.bytesRead;
  }
  set bytesRead(value: number) {
    this.#counters().bytesRead = value >>> 0;
  }
  get bytesWritten(): number {
    return this.#request.bytesWritten;
  }
  set bytesWritten(value: number) {
    this.#counters().bytesWritten = value >>> 0;
  }
  get bytesNeeded(): number {
    return this.#request.bytesNeeded;
  }
  set bytesNeeded(value: number) {
    this.#counters().bytesNeeded = value >>> 0;
  }
  get property(): PortProperty | SwitchProperty | undefined {
    return this.#request.property;
  }

  /** ULONGs of the module that has the request; who only watches the completion changes nothing (rule D5). */
  #counters(): OidRequest {
    const request = this.#request;
    const mine = request.running === this.#module || request.holder === this.#module;
    if (mine && request.status === NdisStatus.PENDING) return request;
    throw new ExtSwitchError(
      'ILLEGAL_TRANSITION',
      `${this.#module.name} does not have ${oidName(request.oid)}: its counters belong to who completes it`,
      { rule: 'D5', oid: oidName(request.oid), extensionId: this.#module.id },
    );
  }

  pend(): Pended {
    return this.#pipeline.pend(this.#request, this.#module);
  }
  complete(status: NdisStatus): void {
    this.#pipeline.completePended(this.#request, this.#module, status);
  }
  forward(): void {
    this.#pipeline.completePended(this.#request, this.#module, 'forward');
  }
}

/** The token `pend()` returns. */
export const PENDED: typeof handlePended = Object.freeze({}) as typeof handlePended;
