import { isExtSwitchError } from '../src/core/errors.ts';
import type { Guid } from '../src/core/guid.ts';
import type {
  OidRequest as OidRequestHandle,
  PortProperty,
  PortPropertyType,
  Settings,
  SwitchProperty,
} from '../src/sdk/extension.ts';
import type { FilterModule } from './filter-module.ts';
import { type OidRequest, RequestHandle } from './oid-request.ts';
import type { Pipeline } from './pipeline.ts';
import type { RequestBuffer } from './request-buffer.ts';

/** Names of NDIS_SWITCH_PORT_PROPERTY_TYPE values 0-6. */
const PROPERTY_TYPE_NAMES: readonly (PortPropertyType | undefined)[] = [
  undefined,
  'custom',
  'security',
  'vlan',
  'profile',
  'isolation',
  'routingDomain',
];

/** Value of a property type name, 0 when it has none. */
export function propertyTypeCode(name: string): number {
  return Math.max(0, PROPERTY_TYPE_NAMES.indexOf(name as PortPropertyType));
}

/** `undefined` for an unknown class, and for bytes that do not fit theirs (rule E34). */
function decoded({ codec, buffer, dataOffset, dataLength }: OidRequest): Settings | undefined {
  try {
    return codec?.decode(buffer, dataOffset, dataLength);
  } catch (error) {
    if (isExtSwitchError(error)) return undefined;
    throw error;
  }
}

/** What a property OID looks like to a handler: getters over the request's bytes. */
abstract class PropertyView {
  protected readonly oidRequest: OidRequest;
  protected readonly buffer: RequestBuffer;
  private readonly pipeline: Pipeline;
  private decoded: Settings | undefined;
  private decodedFor: FilterModule | undefined;

  constructor(request: OidRequest, buffer: RequestBuffer, pipeline: Pipeline) {
    this.oidRequest = request;
    this.buffer = buffer;
    this.pipeline = pipeline;
  }

  get feature(): string | undefined {
    return this.oidRequest.codec?.name;
  }

  get raw(): Uint8Array {
    const start = this.oidRequest.dataOffset;
    return this.oidRequest.expose().subarray(start, start + this.oidRequest.dataLength);
  }

  /** Each module gets values of its own, so that none can change what the next one reads (rule E22). */
  get settings(): Settings | undefined {
    const request = this.oidRequest;
    const module = request.running ?? request.holder;
    if (this.decoded !== undefined && this.decodedFor === module) return this.decoded;
    if (request.dataLength === 0 && request.dataOffset === 0) return undefined;
    if (request.done) request.expose();
    this.decoded = decoded(request);
    this.decodedFor = module;
    return this.decoded;
  }

  /** The request as the module sees it whose handler runs, or that pended it. */
  get request(): OidRequestHandle {
    const { running, holder, completedBy, modules } = this.oidRequest;
    const module = running ?? holder ?? completedBy ?? modules[0];
    return new RequestHandle(this.oidRequest, module as FilterModule, this.pipeline);
  }
}

export class PortPropertyView extends PropertyView implements PortProperty {
  get portId(): number {
    return this.buffer.portProperty.PortId;
  }
  get propertyType(): PortPropertyType {
    return PROPERTY_TYPE_NAMES[this.buffer.portProperty.PropertyType] ?? 'custom';
  }
  get propertyId(): Guid {
    return this.buffer.portProperty.PropertyId;
  }
  get propertyInstanceId(): Guid {
    return this.buffer.portProperty.PropertyInstanceId;
  }
  get propertyVersion(): number {
    return this.buffer.portProperty.PropertyVersion;
  }
  get serializationVersion(): number {
    return this.buffer.portProperty.SerializationVersion;
  }
}

/** NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS carries neither version nor data. */
export class DeletedPortPropertyView extends PropertyView implements PortProperty {
  get portId(): number {
    return this.buffer.portPropertyDelete.PortId;
  }
  get propertyType(): PortPropertyType {
    return PROPERTY_TYPE_NAMES[this.buffer.portPropertyDelete.PropertyType] ?? 'custom';
  }
  get propertyId(): Guid {
    return this.buffer.portPropertyDelete.PropertyId;
  }
  get propertyInstanceId(): Guid {
    return this.buffer.portPropertyDelete.PropertyInstanceId;
  }
  get propertyVersion(): number {
    return 0;
  }
  get serializationVersion(): number {
    return 0;
  }
}

export class SwitchPropertyView extends PropertyView implements SwitchProperty {
  get propertyType(): 'custom' {
    return 'custom';
  }
  get propertyId(): Guid {
    return this.buffer.switchProperty.PropertyId;
  }
  get propertyInstanceId(): Guid {
    return this.buffer.switchProperty.PropertyInstanceId;
  }
  get propertyVersion(): number {
    return this.buffer.switchProperty.PropertyVersion;
  }
  get serializationVersion(): number {
    return this.buffer.switchProperty.SerializationVersion;
  }
}

/** NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS carries neither version nor data. */
export class DeletedSwitchPropertyView extends PropertyView implements SwitchProperty {
  get propertyType(): 'custom' {
    return 'custom';
  }
  get propertyId(): Guid {
    return this.buffer.switchPropertyDelete.PropertyId;
  }
  get propertyInstanceId(): Guid {
    return this.buffer.switchPropertyDelete.PropertyInstanceId;
  }
  get propertyVersion(): number {
    return 0;
  }
  get serializationVersion(): number {
    return 0;
  }
}
