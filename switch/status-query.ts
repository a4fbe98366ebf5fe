import { structure } from '../src/abi/index.ts';
import type { Guid } from '../src/core/guid.ts';
import { NdisStatus } from '../src/core/status.ts';
import type {
  FeatureStatusQuery,
  OidRequest as OidRequestHandle,
  PortFeatureStatusQuery,
} from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, RequestHandle } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';

const PORT_STATUS = structure('NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS');
const PORT_STATUS_CUSTOM = structure('NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM');
const SWITCH_STATUS = structure('NDIS_SWITCH_FEATURE_STATUS_PARAMETERS');
const SWITCH_STATUS_CUSTOM = structure('NDIS_SWITCH_FEATURE_STATUS_CUSTOM');

/** Where the vendor area stands in the buffer the switch sends (rule F2). */
export const PORT_STATUS_DATA_OFFSET = 80;
export const SWITCH_STATUS_DATA_OFFSET = 72;

/** A feature status query as a handler sees it; writes the answer (rules F9-F12). */
abstract class StatusQueryView {
  protected readonly oidRequest: OidRequest;
  readonly #module: FilterModule;
  readonly #pipeline: Pipeline;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    this.oidRequest = request;
    this.#module = module;
    this.#pipeline = pipeline;
  }

  protected abstract readonly dataOffset: number;
  protected abstract finish(version: number, lengthBytes: number): void;

  get feature(): string | undefined {
    return this.oidRequest.codec?.name;
  }
  get capacityBytes(): number {
    return Math.max(0, this.oidRequest.outputLength - this.dataOffset);
  }
  get request(): OidRequestHandle {
    return new RequestHandle(this.oidRequest, this.#module, this.#pipeline);
  }

  respond(values: object): NdisStatus {
    const codec = this.oidRequest.codec;
    if (codec === undefined) return NdisStatus.FAILURE;
    const settings = codec.normalize(values as Readonly<Record<string, unknown>>);
    const lengthBytes = codec.size(settings);
    if (lengthBytes > this.capacityBytes) return this.#tooSmall(lengthBytes);
    codec.write(settings, this.oidRequest.buffer, this.dataOffset);
    return this.#done(codec.version, lengthBytes);
  }

  respondRaw(bytes: Uint8Array, version?: number): NdisStatus {
    if (bytes.length > this.capacityBytes) return this.#tooSmall(bytes.length);
    this.oidRequest.buffer.set(bytes, this.dataOffset);
    return this.#done(version ?? this.oidRequest.codec?.version ?? 0x0100, bytes.length);
  }

  /** Rule F11: BytesNeeded is parameters + custom structure + data. */
  #tooSmall(lengthBytes: number): NdisStatus {
    this.oidRequest.bytesNeeded = this.dataOffset + lengthBytes;
    return NdisStatus.INVALID_LENGTH;
  }

  #done(version: number, lengthBytes: number): NdisStatus {
    this.finish(version, lengthBytes);
    this.oidRequest.bytesRead = this.oidRequest.inputLength;
    this.oidRequest.bytesWritten = this.dataOffset + lengthBytes;
    return NdisStatus.SUCCESS;
  }
}

export class PortStatusQueryView extends StatusQueryView implements PortFeatureStatusQuery {
  readonly #parameters;
  protected readonly dataOffset = PORT_STATUS_DATA_OFFSET;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    super(request, module, pipeline);
    this.#parameters = PORT_STATUS.view(request.buffer, 0);
  }
  get portId(): number {
    return this.#parameters.PortId;
  }
  get featureStatusId(): Guid {
    return this.#parameters.FeatureStatusId;
  }
  get featureStatusInstanceId(): Guid {
    return this.#parameters.FeatureStatusInstanceId;
  }
  protected finish(version: number, lengthBytes: number): void {
    this.#parameters.FeatureStatusVersion = version;
    PORT_STATUS_CUSTOM.view(this.oidRequest.buffer, 64).FeatureStatusBufferLength = lengthBytes;
  }
}

export class SwitchStatusQueryView extends StatusQueryView implements FeatureStatusQuery {
  readonly #parameters;
  protected readonly dataOffset = SWITCH_STATUS_DATA_OFFSET;

  constructor(request: OidRequest, module: FilterModule, pipeline: Pipeline) {
    super(request, module, pipeline);
    this.#parameters = SWITCH_STATUS.view(request.buffer, 0);
  }
  get featureStatusId(): Guid {
    return this.#parameters.FeatureStatusId;
  }
  get featureStatusInstanceId(): Guid {
    return this.#parameters.FeatureStatusInstanceId;
  }
  protected finish(version: number, lengthBytes: number): void {
    this.#parameters.FeatureStatusVersion = version;
    SWITCH_STATUS_CUSTOM.view(this.oidRequest.buffer, 56).FeatureStatusCustomBufferLength =
      lengthBytes;
  }
}
