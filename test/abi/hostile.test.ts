import fc from 'fast-check';
import t from 'tap';
import {
  checkSaveState,
  decodePayload,
  describe,
  FeatureStatusBuffer,
  featureStatusSize,
  formatDump,
  isolationParametersSize,
  OID_LIST,
  PropertyBuffer,
  propertySize,
  readIsolationParameters,
  readRoutingDomain,
  readSecurity,
  readVlan,
  routingDomainSize,
  type Scope,
  STRUCTURES,
  type StructureName,
  structure,
  walkArray,
  walkEnum,
  writeArray,
  writeEnumEntry,
  writeEnumQuestion,
  writeEnumReplyHead,
  writeFeatureStatusQuery,
  writeIsolationParameters,
  writeProperty,
  writeRoutingDomain,
  writeSaveState,
  writeSecurity,
  writeVlan,
} from '../../src/abi/index.ts';
import { isExtSwitchError } from '../../src/core/errors.ts';

const NAMES = Object.keys(STRUCTURES) as StructureName[];
const ID = '00112233-4455-6677-8899-aabbccddeeff';
const GUARD = 64;
const SECURITY = {
  AllowMacSpoofing: true,
  AllowIeeePriorityTag: false,
  VirtualSubnetId: 1,
  AllowTeaming: true,
};

/** What a decoder makes of bytes that stand between two guards filled with `fill`: its result, or its error. */
function guarded(bytes: Uint8Array, fill: number, decode: (bytes: Uint8Array) => unknown): string {
  const memory = new Uint8Array(bytes.length + 2 * GUARD).fill(fill);
  memory.set(bytes, GUARD);
  const inside = memory.subarray(GUARD, GUARD + bytes.length);
  let result: string;
  try {
    result = JSON.stringify(decode(inside), (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
  } catch (error) {
    if (!isExtSwitchError(error) || error.code !== 'ABI_INVALID') throw error;
    const { structure: name, offset, expected, found } = error.place;
    if ([name, offset, expected, found].includes(undefined)) {
      throw new Error(`error without its place: ${error.message}`);
    }
    result = error.message;
  }
  const unchanged = inside.every((byte, i) => byte === bytes[i]);
  if (!unchanged) throw new Error('a reader changed the bytes');
  return result;
}

/** The result may not depend on what stands around the bytes: then nothing around them was read. */
function readsInside(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): void {
  const zeros = guarded(bytes, 0x00, decode);
  const ones = guarded(bytes, 0xff, decode);
  if (zeros !== ones) throw new Error(`the bytes around matter: ${zeros} and ${ones}`);
}

type Sample = readonly [name: string, bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown];

function property(scope: Scope): Sample {
  const bytes = new Uint8Array(propertySize(scope, 24));
  const head = { portId: 1, propertyId: ID, propertyVersion: 256, propertyInstanceId: ID };
  writeProperty(scope, bytes, 0, head, 24);
  const read = (given: Uint8Array) => {
    const buffer = new PropertyBuffer(scope).bind(given);
    const { dataOffset, dataLength, data } = buffer;
    if (dataOffset + dataLength > given.length) throw new Error('data outside');
    return [dataOffset, dataLength, [...data], describe(oid(scope, 'ADD'), given)];
  };
  return [`${scope} property`, bytes, read];
}

function oid(scope: Scope, verb: string): string {
  return `OID_SWITCH_${scope === 'port' ? 'PORT_' : ''}PROPERTY_${verb}`;
}

function standard(
  type: number,
  size: number,
  write: (bytes: Uint8Array, at: number) => unknown,
): Sample {
  const bytes = new Uint8Array(propertySize('port', size, type));
  const head = { propertyType: type, propertyId: ID, propertyVersion: 256, propertyInstanceId: ID };
  write(bytes, writeProperty('port', bytes, 0, head, size));
  return [
    `standard property ${type}`,
    bytes,
    (given) => describe('OID_SWITCH_PORT_PROPERTY_ADD', given),
  ];
}

function enumeration(scope: Scope): Sample {
  const bytes = new Uint8Array(400);
  writeEnumQuestion(scope, bytes, 0, { propertyType: 2, propertyId: ID });
  let at = writeEnumReplyHead(scope, bytes, 0, 3);
  for (let i = 0; i < 3; i += 1) {
    const next = writeEnumEntry(
      scope,
      bytes,
      at,
      { propertyVersion: 256, propertyInstanceId: ID },
      24,
    );
    writeSecurity(bytes, at + 40, {
      AllowMacSpoofing: true,
      AllowIeeePriorityTag: false,
      VirtualSubnetId: 1,
      AllowTeaming: true,
    });
    at = next;
  }
  const read = (given: Uint8Array) => [
    [...walkEnum(scope, given)],
    describe(oid(scope, 'ENUM'), given),
  ];
  return [`${scope} enumeration`, bytes.subarray(0, at), read];
}

function status(scope: Scope): Sample {
  const bytes = new Uint8Array(featureStatusSize(scope, 16));
  writeFeatureStatusQuery(
    scope,
    bytes,
    0,
    { featureStatusId: ID, featureStatusInstanceId: ID },
    16,
  );
  const read = (given: Uint8Array) => {
    const buffer = new FeatureStatusBuffer(scope).bind(given);
    const name =
      scope === 'port' ? 'OID_SWITCH_PORT_FEATURE_STATUS_QUERY' : 'OID_SWITCH_FEATURE_STATUS_QUERY';
    return [buffer.dataOffset, [...buffer.data], describe(name, given)];
  };
  return [`${scope} feature status`, bytes, read];
}

const DOMAIN = {
  RoutingDomainId: ID,
  RoutingDomainName: 'Blue',
  IsolationEntries: [1, 2, 3].map((id) => ({ IsolationIdName: `net ${id}`, IsolationId: id })),
};

function samples(): Sample[] {
  const nic = new Uint8Array(24 + 2 * 2208);
  writeArray('nic', nic, 0, 2, '6.30');
  const routing = new Uint8Array(routingDomainSize(3));
  writeRoutingDomain(routing, 0, DOMAIN);
  const isolation = new Uint8Array(isolationParametersSize([DOMAIN, DOMAIN]));
  writeIsolationParameters(isolation, 0, {
    IsolationMode: 1,
    AllowUntaggedTraffic: true,
    RoutingDomains: [DOMAIN, DOMAIN],
  });
  const saved = new Uint8Array(600);
  writeSaveState(
    saved,
    0,
    { portId: 1, nicIndex: 0, extensionId: ID, extensionFriendlyName: 'x', featureClassId: ID },
    24,
  );
  return [
    property('port'),
    property('switch'),
    standard(2, 24, (bytes, at) => writeSecurity(bytes, at, SECURITY)),
    standard(3, 1048, (bytes, at) =>
      writeVlan(bytes, at, { OperationMode: 2, TrunkVlanIdArray: [5] }),
    ),
    standard(6, routing.length, (bytes, at) => bytes.set(routing, at)),
    enumeration('port'),
    enumeration('switch'),
    status('port'),
    status('switch'),
    [
      'NIC array',
      nic,
      (given) => [[...walkArray('nic', given)], describe('NDIS_SWITCH_NIC_ARRAY', given)],
    ],
    [
      'routing domain',
      routing,
      (given) => [
        readRoutingDomain(given),
        describe('NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN', given),
      ],
    ],
    [
      'isolation parameters',
      isolation,
      (given) => [readIsolationParameters(given), describe('OID_GEN_ISOLATION_PARAMETERS', given)],
    ],
    [
      'save state',
      saved,
      (given) => [checkSaveState(given), describe('OID_SWITCH_NIC_SAVE', given)],
    ],
  ];
}

const RUNS = { numRuns: 250 };
/** Values that make lengths wrap, overlap or end one byte off. */
const NASTY = fc.oneof(
  fc.constantFrom(
    0,
    1,
    7,
    8,
    15,
    16,
    24,
    40,
    56,
    63,
    64,
    65,
    0x7fffffff,
    0x80000000,
    0xfffffff0,
    0xffffffff,
  ),
  fc.nat(0xffffffff),
);

t.test('random bytes decode or fail with their place, and nothing outside is read', async (t) => {
  for (const name of NAMES) {
    const of = structure(name);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: of.row.size + 16 }), (bytes) => {
        readsInside(bytes, (given) => of.decode(given));
        readsInside(bytes, (given) => formatDump(describe(name, given), given));
      }),
      { numRuns: 40 },
    );
  }
  t.pass('42 structures');
});

t.test('random bytes behind a valid header decode or fail with their place', async (t) => {
  for (const name of NAMES) {
    const of = structure(name);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: of.row.size, maxLength: of.row.size + 900 }),
        (bytes) => {
          const head = new Uint8Array(of.row.size);
          of.initialize(head);
          bytes.set(head.subarray(0, of.revisions.length > 0 ? 4 : 0));
          readsInside(bytes, (given) => of.decode(given));
          readsInside(bytes, (given) => describe(name, given));
        },
      ),
      { numRuns: 40 },
    );
  }
  t.pass('42 structures');
});

for (const [name, bytes, decode] of samples()) {
  t.test(`${name}: valid, cut and edited buffers decode or fail with their place`, async (t) => {
    t.notMatch(guarded(bytes, 0xa5, decode), /expected .* found/, 'the sample itself is valid');
    fc.assert(
      fc.property(fc.nat(bytes.length), (length) => {
        readsInside(bytes.subarray(0, length), decode);
      }),
      RUNS,
    );
    const edits = fc.array(fc.tuple(fc.nat(bytes.length - 4), NASTY), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(edits, (list) => {
        const copy = bytes.slice();
        const data = new DataView(copy.buffer);
        // Every member starts at an even offset; most edits should hit one.
        for (const [at, value] of list) data.setUint32(at & ~3, value, true);
        readsInside(copy, decode);
      }),
      RUNS,
    );
    t.pass();
  });
}

t.test('decodePayload shows any bytes of any OID and never throws', async (t) => {
  const all = fc.constantFrom(...OID_LIST.map((one) => one.code));
  fc.assert(
    fc.property(all, fc.uint8Array({ maxLength: 300 }), fc.boolean(), (code, bytes, valid) => {
      if (valid && bytes.length >= 4) bytes.set([0x80, 1, 40, 0]);
      readsInside(bytes, (given) => decodePayload(code, given));
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

t.test('the readers of standard properties take random bytes', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 17, maxLength: 1100 }), fc.boolean(), (bytes, vlan) => {
      bytes.set(vlan ? [0x80, 1, 0x18, 4] : [0x80, 2, 24, 0]);
      readsInside(bytes, (given) => (vlan ? readVlan(given) : readSecurity(given)));
    }),
    RUNS,
  );
  t.pass();
});
