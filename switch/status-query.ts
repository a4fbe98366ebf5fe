import { FeatureStatusBuffer, featureStatusSize, type Scope } from '../src/abi/index.ts';
import type { Guid } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import type {
  FeatureStatusQuery,
  FinalVerdict,
  OidRequest as OidRequestHandle,
  PortFeatureStatusQuery,
} from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, RequestHandle } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';

/** A feature status query as a handler sees it; writes the answer (rules F9-F12). */
export class StatusQueryView implements FeatureStatusQuery {
  readonly #request: OidRequest;
  readonly #module: FilterModule;
  readonly #pipeline: Pipeline;
  protected readonly buffer: FeatureStatusBuffer;
  /** Where the vendor area stands in the buffer the switch sends (rule F2). */
  readonly #dataOffset: number;

  constructor(scope: Scope, request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    this.#request = request;
    this.#module = module;
    this.#pipeline = pipeline;
    this.buffer = new FeatureStatusBuffer(scope).bind(request.buffer, 0, request.length);
    this.#dataOffset = featureStatusSize(scope, 0);
  }

  get featureStatusId(): Guid {
    return this.buffer.parameters.FeatureStatusId;
  }
  get featureStatusInstanceId(): Guid {
    return this.buffer.parameters.FeatureStatusInstanceId;
  }
  get feature(): string | undefined {
    return this.#request.codec?.name;
  }
  get capacityBytes(): number {
    return Math.max(0, this.#request.outputLength - this.#dataOffset);
  }
  get request(): OidRequestHandle {
    return new RequestHandle(this.#request, this.#module, this.#pipeline);
  }

  respond(values: object): FinalVerdict {
    const codec = this.#request.codec;
    // Rule F7: what another extension manages, or nobody that is known here, goes on down.
    if (codec?.extensionId !== this.#module.id) return 'forward';
    const settings = codec.normalize(values as Readonly<Record<string, unknown>>);
    const lengthBytes = codec.size(settings);
    if (lengthBytes > this.capacityBytes) return this.#tooSmall(lengthBytes);
    codec.write(settings, this.#request.buffer, this.#dataOffset);
    return this.#answer(codec.version, lengthBytes);
  }

  respondRaw(bytes: Uint8Array, version?: number): NdisStatus {
    if (bytes.length > this.capacityBytes) return this.#tooSmall(bytes.length);
    this.#request.buffer.set(bytes, this.#dataOffset);
    return this.#answer(version ?? this.#request.codec?.version ?? 0x0100, bytes.length);
  }

  /** Rule F11: BytesNeeded is parameters + custom structure + data. */
  #tooSmall(lengthBytes: number): NdisStatus {
    this.#request.bytesNeeded = this.#dataOffset + lengthBytes;
    return NdisStatus.INVALID_LENGTH;
  }

  #answer(version: number, lengthBytes: number): NdisStatus {
    this.buffer.answer(version, lengthBytes);
    this.#request.bytesRead = this.#request.inputLength;
    this.#request.bytesWritten = this.#dataOffset + lengthBytes;
    return NdisStatus.SUCCESS;
  }
}

/** Of a port (rule F8). */
export class PortStatusQueryView extends StatusQueryView implements PortFeatureStatusQuery {
  get portId(): number {
    return this.buffer.portId ?? 0;
  }
}
