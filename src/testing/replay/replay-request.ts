import { OidRequest, REQUEST_TYPE } from '../../../switch/oid-request.ts';
import type { Pipeline } from '../../../switch/pipeline.ts';
import {
  DeletedPortPropertyView,
  DeletedSwitchPropertyView,
  PortPropertyView,
  SwitchPropertyView,
} from '../../../switch/property-view.ts';
import { RequestBuffer } from '../../../switch/request-buffer.ts';
import {
  CUSTOM_TYPE,
  oidByName,
  oidIndex,
  PropertyBuffer,
  type Scope,
  structure,
} from '../../abi/index.ts';
import { ExtSwitchError } from '../../core/errors.ts';
import type { Guid } from '../../core/guid.ts';
import type { TraceEntry } from '../../policy/api.ts';
import type { FeatureRegistry } from '../../policy/feature-registry.ts';

const PORT_DELETE = structure('NDIS_SWITCH_PORT_PROPERTY_DELETE_PARAMETERS');
const SWITCH_DELETE = structure('NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS');
const PORT_STATUS = structure('NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS');
const SWITCH_STATUS = structure('NDIS_SWITCH_FEATURE_STATUS_PARAMETERS');
const PROPERTY = /^OID_SWITCH_(PORT_)?PROPERTY_(ADD|UPDATE|DELETE)$/;

/** A property OID taken apart. */
export interface PropertyFacts {
  readonly verb: 'ADD' | 'UPDATE' | 'DELETE';
  readonly codec: NonNullable<ReturnType<FeatureRegistry['setting']>>;
  readonly instanceId: Guid;
  /** `undefined`: the switch. */
  readonly portId: number | undefined;
  /** Where the bytes of the class stand; zeros for a delete, which has none. */
  readonly dataOffset: number;
  readonly dataLength: number;
}

/** What a property OID is about, or `undefined` for another OID. Throws `NOT_FOUND` for a class nobody registered. */
export function propertyFacts(
  registry: FeatureRegistry,
  entry: TraceEntry,
): PropertyFacts | undefined {
  const match = PROPERTY.exec(entry.oid);
  if (match === null) return undefined;
  const scope = match[1] === undefined ? 'switch' : 'port';
  const verb = match[2] as PropertyFacts['verb'];
  if (verb === 'DELETE') {
    const port = scope === 'port' ? PORT_DELETE.view(entry.input, 0) : undefined;
    const view = port ?? SWITCH_DELETE.view(entry.input, 0);
    const codec = codecOf(registry, entry, scope, view.PropertyType, view.PropertyId);
    const { PropertyInstanceId: instanceId } = view;
    return { verb, codec, instanceId, portId: port?.PortId, dataOffset: 0, dataLength: 0 };
  }
  const buffer = new PropertyBuffer(scope).bind(entry.input, 0, entry.input.length);
  const { PropertyType, PropertyId, PropertyInstanceId: instanceId } = buffer.parameters;
  const codec = codecOf(registry, entry, scope, PropertyType, PropertyId);
  const { portId, dataOffset, dataLength } = buffer;
  return { verb, codec, instanceId, portId, dataOffset, dataLength };
}

function codecOf(
  registry: FeatureRegistry,
  { oid, seq }: TraceEntry,
  scope: Scope,
  type: number,
  id: Guid,
): PropertyFacts['codec'] {
  const codec = type === CUSTOM_TYPE ? registry.setting(scope, id) : registry.standard(type);
  if (codec !== undefined) return codec;
  throw new ExtSwitchError(
    'NOT_FOUND',
    `${oid} (number ${seq}) has a property of class ${id}, which neither the recording nor the extension's MOF brings`,
    { oid, found: id },
  );
}

/** The recorded request anew, with the same bytes. */
export function requestOf(
  entry: TraceEntry,
  facts: PropertyFacts | undefined,
  pipeline: Pipeline,
  registry: FeatureRegistry,
): OidRequest {
  const code = oidByName(entry.oid)?.code;
  if (code === undefined) {
    throw new ExtSwitchError(
      'NOT_FOUND',
      `${entry.oid} (number ${entry.seq}) is no OID this version knows`,
      { oid: entry.oid },
    );
  }
  const { input } = entry;
  const { length } = input;
  if (entry.requestType !== 'set') {
    // Its room was its input: the sender presets the head of the answer.
    const type = entry.requestType === 'query' ? REQUEST_TYPE.query : REQUEST_TYPE.method;
    const request = new OidRequest(code, oidIndex(code), type, input.slice(), length, length);
    request.codec = statusCodec(registry, entry);
    return request;
  }
  const buffer = new RequestBuffer(length);
  buffer.bytes.set(input);
  const request = new OidRequest(code, oidIndex(code), REQUEST_TYPE.set, buffer.bytes, length, 0);
  request.words = buffer.prefix(length);
  if (facts === undefined) return request;
  request.codec = facts.codec;
  request.dataOffset = facts.dataOffset;
  request.dataLength = facts.dataLength;
  const forPort = facts.portId !== undefined;
  const View =
    facts.verb === 'DELETE'
      ? forPort
        ? DeletedPortPropertyView
        : DeletedSwitchPropertyView
      : forPort
        ? PortPropertyView
        : SwitchPropertyView;
  request.property = new View(request, buffer, pipeline);
  return request;
}

/** The class a feature status query asks for, when it is registered. */
function statusCodec(registry: FeatureRegistry, { oid, input }: TraceEntry): OidRequest['codec'] {
  if (oid === 'OID_SWITCH_PORT_FEATURE_STATUS_QUERY') {
    return registry.status('port', PORT_STATUS.view(input, 0).FeatureStatusId);
  }
  if (oid !== 'OID_SWITCH_FEATURE_STATUS_QUERY') return undefined;
  return registry.status('switch', SWITCH_STATUS.view(input, 0).FeatureStatusId);
}
