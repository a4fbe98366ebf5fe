import { type Guid, NULL_GUID } from '../core/guid.ts';
import { type AnnotatedNode, hexText, memberNodes } from './annotate.ts';
import { type ArrayKind, walkArray } from './arrays.ts';
import { readNicRequest, readNicStatus } from './encapsulated.ts';
import { checkEnumQuestion, walkEnum } from './enumeration.ts';
import { FeatureStatusBuffer, statusData } from './feature-status.ts';
import { CUSTOM_TYPE, customData, PropertyBuffer, type Scope } from './property.ts';
import { ISOLATION_ENTRIES, walkDomains, walkEntries } from './routing-domain.ts';
import { checkSaveState } from './save-state.ts';
import { type AnyStructure, type HeaderCheck, structure } from './structure.ts';
import { ENUMS } from './tables/enums.ts';
import type { StructureName } from './tables/structures.ts';

/** Setting: a custom property; status: a feature status. */
export type FeatureKind = 'setting' | 'status';

/** What a caller knows about vendor data: parts of it (offsets from the start of the data), or values by name. */
export interface CustomReading {
  readonly nodes?: readonly AnnotatedNode[];
  readonly plain?: Readonly<Record<string, unknown>>;
}

/** What a description is made with. */
export interface DescribeContext {
  /** For the structures whose questions may carry any Size. */
  readonly header: HeaderCheck;
  readonly custom: (
    scope: Scope,
    kind: FeatureKind,
    id: Guid,
    version: number,
    data: Uint8Array,
  ) => CustomReading | undefined;
}

/** Whose vendor data it is. */
interface Feature {
  readonly scope: Scope;
  readonly kind: FeatureKind;
  readonly id: Guid;
  readonly version: number;
}

type Follow = (
  bytes: Uint8Array,
  offset: number,
  length: number,
  context: DescribeContext,
) => AnnotatedNode[];

/** Structures whose questions may carry any Size (quirk 18). */
const ANY_SIZE = new Set<string>([
  'NDIS_SWITCH_PORT_ARRAY',
  'NDIS_SWITCH_NIC_ARRAY',
  'NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS',
  'NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS',
]);

/** The structure at `offset`, checked, with everything it points to inside its `length` bytes. */
export function nodeOf(
  of: AnyStructure,
  name: string,
  bytes: Uint8Array,
  offset: number,
  length: number,
  context: DescribeContext,
): AnnotatedNode {
  of.check(bytes, offset, length, ANY_SIZE.has(of.name) ? context.header : 'strict');
  const follow = FOLLOW[of.name];
  const members = memberNodes(of, bytes, offset, length);
  const pieces = follow === undefined ? [] : follow(bytes, offset, length, context);
  const size = Math.min(of.row.size, length);
  return {
    name,
    ctype: of.name,
    offset,
    size,
    value: undefined,
    children: [...members, ...pieces],
  };
}

function rawNode(name: string, bytes: Uint8Array, offset: number, length: number): AnnotatedNode {
  const value = hexText(bytes.subarray(offset, offset + length));
  return { name, ctype: `UCHAR[${length}]`, offset, size: length, value };
}

function shifted(node: AnnotatedNode, by: number): AnnotatedNode {
  const { children, offset } = node;
  const moved = { ...node, offset: offset + by };
  return children === undefined
    ? moved
    : { ...moved, children: children.map((child) => shifted(child, by)) };
}

/** Vendor data: with children when its class is known. */
function dataNode(
  bytes: Uint8Array,
  offset: number,
  length: number,
  feature: Feature | undefined,
  context: DescribeContext,
): AnnotatedNode {
  const raw = rawNode('CustomData', bytes, offset, length);
  if (feature === undefined) return raw;
  const { scope, kind, id, version } = feature;
  const data = bytes.subarray(offset, offset + length);
  const known = context.custom(scope, kind, id, version, data);
  if (known === undefined) return raw;
  const { nodes, plain } = known;
  return {
    ...raw,
    ...(plain === undefined ? {} : { plain }),
    ...(nodes === undefined ? {} : { children: nodes.map((node) => shifted(node, offset)) }),
  };
}

const TYPE = ENUMS.NDIS_SWITCH_PORT_PROPERTY_TYPE;
const STANDARD: Readonly<Record<number, StructureName>> = {
  [TYPE.NdisSwitchPortPropertyTypeSecurity]: 'NDIS_SWITCH_PORT_PROPERTY_SECURITY',
  [TYPE.NdisSwitchPortPropertyTypeVlan]: 'NDIS_SWITCH_PORT_PROPERTY_VLAN',
  [TYPE.NdisSwitchPortPropertyTypeProfile]: 'NDIS_SWITCH_PORT_PROPERTY_PROFILE',
  [TYPE.NdisSwitchPortPropertyTypeIsolation]: 'NDIS_SWITCH_PORT_PROPERTY_ISOLATION',
  [TYPE.NdisSwitchPortPropertyTypeRoutingDomain]: 'NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN',
};

const CUSTOM_OF: Readonly<Record<Scope, StructureName>> = {
  port: 'NDIS_SWITCH_PORT_PROPERTY_CUSTOM',
  switch: 'NDIS_SWITCH_PROPERTY_CUSTOM',
};

/** A property structure by its type; of a type nobody knows the raw bytes. */
function propertyNode(
  propertyType: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  feature: Feature,
  context: DescribeContext,
): AnnotatedNode {
  if (propertyType === CUSTOM_TYPE) {
    const of = structure(CUSTOM_OF[feature.scope]);
    const data = customData(feature.scope, bytes, offset, length);
    const members = memberNodes(of, bytes, offset, length);
    const child = dataNode(bytes, data.offset, data.length, feature, context);
    return {
      name: 'Property',
      ctype: of.name,
      offset,
      size: of.row.size,
      value: undefined,
      children: [...members, child],
    };
  }
  const standard = feature.scope === 'port' ? STANDARD[propertyType] : undefined;
  return standard === undefined
    ? rawNode('Property', bytes, offset, length)
    : nodeOf(structure(standard), 'Property', bytes, offset, length, context);
}

function followProperty(scope: Scope): Follow {
  return (bytes, offset, length, context) => {
    const buffer = new PropertyBuffer(scope).bind(bytes, offset, length);
    const { PropertyType, PropertyId, PropertyVersion } = buffer.parameters;
    const feature: Feature = { scope, kind: 'setting', id: PropertyId, version: PropertyVersion };
    const { structureOffset, structureLength } = buffer;
    if (structureLength === 0) return [];
    return [propertyNode(PropertyType, bytes, structureOffset, structureLength, feature, context)];
  };
}

function followPropertyCustom(scope: Scope): Follow {
  return (bytes, offset, length, context) => {
    const data = customData(scope, bytes, offset, length);
    return [dataNode(bytes, data.offset, data.length, undefined, context)];
  };
}

function followStatus(scope: Scope): Follow {
  const customName: StructureName =
    scope === 'port'
      ? 'NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM'
      : 'NDIS_SWITCH_FEATURE_STATUS_CUSTOM';
  return (bytes, offset, length, context) => {
    const buffer = new FeatureStatusBuffer(scope).bind(bytes, offset, length);
    const { FeatureStatusId: id, FeatureStatusVersion: version } = buffer.parameters;
    const { customOffset, customLength, dataOffset, dataLength } = buffer;
    // The version is not preset (rule F3): while it is 0 nobody answered and the vendor area is only room.
    const feature: Feature | undefined =
      version === 0 ? undefined : { scope, kind: 'status', id, version };
    const of = structure(customName);
    const members = memberNodes(of, bytes, customOffset, customLength);
    const data = dataNode(bytes, dataOffset, dataLength, feature, context);
    return [
      {
        name: 'FeatureStatus',
        ctype: of.name,
        offset: customOffset,
        size: of.row.size,
        value: undefined,
        children: [...members, data],
      },
    ];
  };
}

function followStatusCustom(scope: Scope): Follow {
  return (bytes, offset, length, context) => {
    const data = statusData(scope, bytes, offset, length);
    return [dataNode(bytes, data.offset, data.length, undefined, context)];
  };
}

/** A list node whose children are named `[0]`, `[1]`, …; none for an empty list. */
function listNode(
  name: string,
  of: AnyStructure,
  items: readonly AnnotatedNode[],
): AnnotatedNode[] {
  const first = items[0];
  const last = items[items.length - 1];
  if (first === undefined || last === undefined) return [];
  return [
    {
      name,
      ctype: `${of.name}[${items.length}]`,
      offset: first.offset,
      size: last.offset + last.size - first.offset,
      value: undefined,
      children: items,
    },
  ];
}

function followEnum(scope: Scope): Follow {
  const of = structure(
    scope === 'port' ? 'NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO' : 'NDIS_SWITCH_PROPERTY_ENUM_INFO',
  );
  return (bytes, offset, length, context) => {
    const { PropertyType, PropertyId: id } = checkEnumQuestion(scope, bytes, offset, length);
    const items: AnnotatedNode[] = [];
    for (const entry of walkEnum(scope, bytes, offset, length)) {
      const { infoOffset, propertyOffset, propertyLength, propertyVersion: version } = entry;
      const feature: Feature = { scope, kind: 'setting', id, version };
      const info = memberNodes(of, bytes, infoOffset, of.row.size);
      const property =
        propertyLength === 0
          ? []
          : [propertyNode(PropertyType, bytes, propertyOffset, propertyLength, feature, context)];
      items.push({
        name: `[${items.length}]`,
        ctype: of.name,
        offset: infoOffset,
        size: propertyOffset + propertyLength - infoOffset,
        value: undefined,
        children: [...info, ...property],
      });
    }
    return listNode('Properties', of, items);
  };
}

function followArray(kind: ArrayKind): Follow {
  const of = structure(
    kind === 'port' ? 'NDIS_SWITCH_PORT_PARAMETERS' : 'NDIS_SWITCH_NIC_PARAMETERS',
  );
  return (bytes, offset, length, context) => {
    const items: AnnotatedNode[] = [];
    for (const element of walkArray(kind, bytes, offset, length, context.header)) {
      items.push(nodeOf(of, `[${items.length}]`, bytes, element.offset, element.size, context));
    }
    return listNode('Elements', of, items);
  };
}

const ISOLATION_ENTRY = structure('NDIS_ROUTING_DOMAIN_ISOLATION_ENTRY');
const DOMAIN_ENTRY = structure('NDIS_ROUTING_DOMAIN_ENTRY');

function followIsolationEntries(
  name: 'NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN' | 'NDIS_ROUTING_DOMAIN_ENTRY',
): Follow {
  return (bytes, offset, length, context) => {
    const of = structure(name);
    const view = of.view(bytes, offset, length);
    const entries = walkEntries(
      of,
      ISOLATION_ENTRIES,
      ISOLATION_ENTRY,
      bytes,
      offset,
      offset + length,
      view.FirstIsolationEntryOffset,
      view.NumIsolationEntries,
    );
    const items: AnnotatedNode[] = [];
    for (const at of entries) {
      const room = offset + length - at;
      items.push(nodeOf(ISOLATION_ENTRY, `[${items.length}]`, bytes, at, room, context));
    }
    return listNode('IsolationEntries', ISOLATION_ENTRY, items);
  };
}

const followIsolationParameters: Follow = (bytes, offset, length, context) => {
  const items: AnnotatedNode[] = [];
  for (const at of walkDomains(bytes, offset, length)) {
    const room = offset + length - at;
    items.push(nodeOf(DOMAIN_ENTRY, `[${items.length}]`, bytes, at, room, context));
  }
  return listNode('RoutingDomains', DOMAIN_ENTRY, items);
};

const SAVE_STATE = structure('NDIS_SWITCH_NIC_SAVE_STATE');

const followSaveState: Follow = (bytes, offset, length) => {
  const data = checkSaveState(bytes, offset, length);
  if (data.length === 0) return [];
  const node = rawNode('SaveData', bytes, data.offset, data.length);
  // Room that no extension has taken is no data (rule G2, OP-10).
  const isRoom =
    SAVE_STATE.view(bytes, offset, length).ExtensionId === NULL_GUID &&
    bytes.subarray(data.offset, data.offset + data.length).every((byte) => byte === 0);
  return [isRoom ? { ...node, value: '', text: 'room' } : node];
};

const OID_REQUEST = structure('NDIS_OID_REQUEST');
const STATUS_INDICATION = structure('NDIS_STATUS_INDICATION');

/** The structure a pointer leads to, with the data that one points to. */
function pointedTo(
  name: string,
  of: AnyStructure,
  bytes: Uint8Array,
  end: number,
  at: { readonly innerOffset: number; readonly dataOffset: number; readonly dataLength: number },
): AnnotatedNode {
  const { innerOffset, dataOffset, dataLength } = at;
  const members = memberNodes(of, bytes, innerOffset, end - innerOffset);
  const data = dataLength === 0 ? [] : [rawNode('Data', bytes, dataOffset, dataLength)];
  const size = Math.min(
    of.row.size,
    end - innerOffset,
    dataLength === 0 ? end : dataOffset - innerOffset,
  );
  return {
    name,
    ctype: of.name,
    offset: innerOffset,
    size,
    value: undefined,
    children: [...members, ...data],
  };
}

/** The structure alone is what a memory dump shows: its pointer is a real one and leads nowhere here. */
const followNicRequest: Follow = (bytes, offset, length) => {
  if (length <= structure('NDIS_SWITCH_NIC_OID_REQUEST').row.size) return [];
  const parts = readNicRequest(bytes, offset, length);
  return [pointedTo('EncapsulatedRequest', OID_REQUEST, bytes, offset + length, parts)];
};

const followNicStatus: Follow = (bytes, offset, length) => {
  if (length <= structure('NDIS_SWITCH_NIC_STATUS_INDICATION').row.size) return [];
  const parts = readNicStatus(bytes, offset, length);
  return [pointedTo('EncapsulatedIndication', STATUS_INDICATION, bytes, offset + length, parts)];
};

/** What to look for behind a structure. Structures not named here point to nothing inside the buffer. */
const FOLLOW: Readonly<Partial<Record<StructureName, Follow>>> = {
  NDIS_SWITCH_PORT_PROPERTY_PARAMETERS: followProperty('port'),
  NDIS_SWITCH_PROPERTY_PARAMETERS: followProperty('switch'),
  NDIS_SWITCH_PORT_PROPERTY_CUSTOM: followPropertyCustom('port'),
  NDIS_SWITCH_PROPERTY_CUSTOM: followPropertyCustom('switch'),
  NDIS_SWITCH_PORT_FEATURE_STATUS_PARAMETERS: followStatus('port'),
  NDIS_SWITCH_FEATURE_STATUS_PARAMETERS: followStatus('switch'),
  NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM: followStatusCustom('port'),
  NDIS_SWITCH_FEATURE_STATUS_CUSTOM: followStatusCustom('switch'),
  NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS: followEnum('port'),
  NDIS_SWITCH_PROPERTY_ENUM_PARAMETERS: followEnum('switch'),
  NDIS_SWITCH_PORT_ARRAY: followArray('port'),
  NDIS_SWITCH_NIC_ARRAY: followArray('nic'),
  NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN: followIsolationEntries(
    'NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN',
  ),
  NDIS_ROUTING_DOMAIN_ENTRY: followIsolationEntries('NDIS_ROUTING_DOMAIN_ENTRY'),
  NDIS_ISOLATION_PARAMETERS: followIsolationParameters,
  NDIS_SWITCH_NIC_SAVE_STATE: followSaveState,
  NDIS_SWITCH_NIC_OID_REQUEST: followNicRequest,
  NDIS_SWITCH_NIC_STATUS_INDICATION: followNicStatus,
};
