import { parseMac } from '../../switch/parameters.ts';
import type { JsonSetting } from '../mof/settings.ts';
import type { PortableDocument } from './migration-api.ts';
import { checksumOf } from './portable-canonical.ts';
import {
  bytes,
  dictionary,
  flag,
  guid,
  integer,
  list,
  oneOf,
  pattern,
  record,
  type Shape,
  text,
  wrongAt,
} from './portable-shape.ts';
import { PROFILE_NDIS } from './profile.ts';

/** What a document may hold at most: beyond what a host has, within what a process can take. */
export const PORTABLE_LIMITS = {
  switches: 1_024,
  /** Bindings of one switch. */
  extensions: 1_024,
  ports: 65_535,
  nics: 33,
  vms: 65_536,
  /** Of one VM. */
  adapters: 1_024,
  properties: 65_536,
  records: 4_096,
  features: 4_096,
  members: 4_096,
  elements: 65_536,
  /** UTF-16 units of one MOF text. */
  mof: 5 * 1024 * 1024,
  /** Bytes of one record's data: the most NIC_SAVE takes (rule G12). */
  data: 16 * 1024 * 1024,
} as const;

const MAX = PORTABLE_LIMITS;
const U32 = 0xffff_ffff;

const name = text(256, 1);
const version = integer(0, 0xffff);

const mac: Shape<string> = (value, path) => {
  if (typeof value === 'string' && /^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/.test(value)) {
    const [first = 0, ...rest] = parseMac(value) ?? [];
    if ((first & 1) === 0 && (first !== 0 || rest.some((byte) => byte !== 0))) return value;
  }
  throw wrongAt(path, 'a unicast MAC address like 00-15-5d-00-00-01, lower case', value);
};

/** A large integer that a parser of JSON or MessagePack gave as `bigint` is a real: 64-bit members are text. */
const scalar: Shape<boolean | number | string> = (value, path) => {
  if (typeof value === 'boolean') return value;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number)) return number === 0 ? 0 : number;
  if (typeof value === 'string') return text(0xffff)(value, path);
  throw wrongAt(path, 'a boolean, a number or text', value);
};

const setting: Shape<JsonSetting> = (value, path) =>
  Array.isArray(value) ? list(scalar, MAX.elements)(value, path) : scalar(value, path);

const property = record({
  id: guid,
  featureId: guid,
  feature: name,
  version,
  settings: dictionary(setting, MAX.members),
  revision: integer(1, Number.MAX_SAFE_INTEGER),
});
const properties = list(property, MAX.properties);

const savedRecord = record({
  extensionId: guid,
  extensionFriendlyName: text(256),
  featureClassId: guid,
  portId: integer(0, U32),
  data: bytes(MAX.data, 1),
});

const adapter = record(
  {
    id: guid,
    name,
    type: oneOf('synthetic', 'emulated'),
    mac,
    macType: oneOf('static', 'dynamic'),
    mtu: integer(0, 0xffff),
    numaNode: integer(0, 0xffff),
    isKnown: flag,
    requiredFeatures: list(record({ id: guid, name: text(256) }), MAX.features),
    properties,
    saved: list(savedRecord, MAX.records),
  },
  { portName: guid, vmMac: mac, switch: record({ id: guid, name }) },
);

const vm = record({
  id: guid,
  name,
  state: oneOf('off', 'running', 'paused', 'saved'),
  adapters: list(adapter, MAX.adapters),
});

const feature = record({
  id: guid,
  name,
  kind: oneOf('setting', 'status'),
  version,
  extensionId: guid,
  uint16: oneOf('native', 'doc32'),
  mof: text(MAX.mof, 1),
});

const extension = record({
  id: guid,
  name: text(256),
  version: text(256),
  enabled: flag,
  required: flag,
});

const nic = record(
  {
    index: integer(0, MAX.nics - 1),
    name,
    friendlyName: text(256),
    mac,
    mtu: integer(0, 0xffff),
  },
  {
    vmMac: mac,
    netCfgInstanceId: guid,
    numaNode: integer(0, 0xffff),
    vmName: text(256),
    vmFriendlyName: text(256),
    adapter: record({
      name: text(256),
      virtualFunctions: integer(0, 0xffff),
      queues: integer(0, 0xffff),
    }),
  },
);

const port = record(
  {
    id: guid,
    portId: integer(1, U32),
    name,
    type: oneOf('generic', 'synthetic', 'emulated', 'external', 'internal'),
    nics: list(nic, MAX.nics),
    properties,
  },
  { team: oneOf('none', 'lbfo', 'switch') },
);

const portableSwitch = record({
  id: guid,
  name,
  type: oneOf('private', 'internal', 'external'),
  extensions: list(extension, MAX.extensions),
  properties,
  ports: list(port, MAX.ports),
});

const document = record({
  format: oneOf('extswitch-portable'),
  version: oneOf(1),
  profile: oneOf(...(Object.keys(PROFILE_NDIS) as (keyof typeof PROFILE_NDIS)[])),
  features: list(feature, MAX.features),
  switches: list(portableSwitch, MAX.switches),
  vms: list(vm, MAX.vms),
  checksum: pattern(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits, lower case'),
});

/** Format and version before all else: of another version nothing more can be said. */
function checkHead(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  const { format, version: found } = value as Readonly<Record<string, unknown>>;
  oneOf('extswitch-portable')(format, 'format');
  if (found !== 1)
    throw wrongAt('version', '1, which is what this version of extswitch reads', found);
}

/**
 * A document from anywhere, checked member by member and copied. Bytes may be binary or base64. Throws `INVALID_ARGUMENT`
 * naming the path, what was expected and what was found; also when the checksum is not that of the content, or an id
 * stands twice.
 */
export function checkPortableDocument(value: unknown): PortableDocument {
  checkHead(value);
  const checked: PortableDocument = document(value, '');
  const expected = checksumOf(checked);
  if (checked.checksum !== expected) {
    throw wrongAt(
      'checksum',
      `${expected}, which is that of the content: the document was changed or cut after it was made`,
      checked.checksum,
    );
  }
  checkIds(checked);
  return checked;
}

/** Ids that must be different: what has the same one would be one thing. */
function checkIds({ features, switches, vms }: PortableDocument): void {
  const seen = new Map<string, string>();
  const once = (scope: string, id: string, path: string): void => {
    const before = seen.get(`${scope}/${id}`);
    if (before !== undefined) throw wrongAt(path, `another id than ${before}`, id);
    seen.set(`${scope}/${id}`, path);
  };
  features.forEach(({ kind, id }, i) => {
    once(kind, id, `features[${i}].id`);
  });
  const policies = (owner: string, all: readonly { readonly id: string }[]): void => {
    for (const [i, { id }] of all.entries()) once(owner, id, `${owner}.properties[${i}].id`);
  };
  switches.forEach((one, i) => {
    const path = `switches[${i}]`;
    once('switch', one.id, `${path}.id`);
    once('switch name', one.name, `${path}.name`);
    policies(path, one.properties);
    for (const [j, { id }] of one.extensions.entries()) {
      once(path, id, `${path}.extensions[${j}].id`);
    }
    one.ports.forEach((each, j) => {
      once('port', each.id, `${path}.ports[${j}].id`);
      once(`${path} port`, String(each.portId), `${path}.ports[${j}].portId`);
      policies(`${path}.ports[${j}]`, each.properties);
      for (const [k, { index }] of each.nics.entries()) {
        once(`${path}.ports[${j}]`, String(index), `${path}.ports[${j}].nics[${k}].index`);
      }
    });
  });
  vms.forEach((one, i) => {
    once('vm', one.id, `vms[${i}].id`);
    once('vm name', one.name, `vms[${i}].name`);
    one.adapters.forEach((each, j) => {
      once('adapter', each.id, `vms[${i}].adapters[${j}].id`);
      policies(`vms[${i}].adapters[${j}]`, each.properties);
    });
  });
}
