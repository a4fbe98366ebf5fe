import t from 'tap';
import {
  type AnnotatedNode,
  arraySize,
  decodePayload,
  describe,
  FeatureStatusBuffer,
  featureStatusSize,
  formatDump,
  isolationParametersSize,
  propertySize,
  structure,
  writeArray,
  writeCustom,
  writeEnumEntry,
  writeEnumQuestion,
  writeEnumReplyHead,
  writeFeatureStatusQuery,
  writeIsolationParameters,
  writeProperty,
  writePropertyDelete,
  writeSaveState,
  writeSecurity,
  writeVlan,
} from '../../src/abi/index.ts';

// The worked ids of the Fabrikam pages are not needed here: any GUIDs do.
const ID = '00112233-4455-6677-8899-aabbccddeeff';
const INSTANCE = 'ffeeddcc-bbaa-9988-7766-554433221100';
const HEAD = { portId: 7, propertyId: ID, propertyVersion: 0x0101, propertyInstanceId: INSTANCE };

function customProperty(): Uint8Array {
  const bytes = new Uint8Array(propertySize('port', 16));
  const at = writeProperty('port', bytes, 0, HEAD, 16);
  bytes.set([100, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0x27], at);
  return bytes;
}

/** SettingIntA, SettingIntB at 0 and 8 (management.md 2.3, last line). */
const fabrikamNodes = (
  scope: string,
  kind: string,
  id: string,
  version: number,
  data: Uint8Array,
): AnnotatedNode[] | undefined => {
  if (scope !== 'port' || kind !== 'setting' || id !== ID || version !== 0x0101) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return [
    { name: 'SettingIntA', ctype: 'UINT32', offset: 0, size: 4, value: view.getUint32(0, true) },
    {
      name: 'SettingIntB',
      ctype: 'UINT64',
      offset: 8,
      size: 8,
      value: undefined,
      children: [{ name: 'low', ctype: 'UINT32', offset: 8, size: 4, value: 9999 }],
    },
  ];
};

function find(node: AnnotatedNode, ...path: readonly string[]): AnnotatedNode {
  let at = node;
  for (const name of path) {
    const next = at.children?.find((child) => child.name === name);
    if (next === undefined) throw new Error(`no ${name} in ${at.name}`);
    at = next;
  }
  return at;
}

t.test('a custom port property is dumped with its nested buffers', async (t) => {
  const bytes = customProperty();
  const tree = describe('OID_SWITCH_PORT_PROPERTY_ADD', bytes, { custom: fabrikamNodes });
  t.equal(
    formatDump(tree, bytes),
    `offset      size  bytes                    member
00000000      64                           NDIS_SWITCH_PORT_PROPERTY_PARAMETERS
00000000       4                             Header: NDIS_OBJECT_HEADER
00000000       1  80                           Type = 128 0x80 (NDIS_OBJECT_TYPE_DEFAULT)
00000001       1  01                           Revision = 1
00000002       2  40 00                        Size = 64 0x40
00000004       4  00 00 00 00                Flags = 0
00000008       4  07 00 00 00                PortId = 7
0000000C       4  01 00 00 00                PropertyType = 1 (NdisSwitchPortPropertyTypeCustom)
00000010      16  33 22 11 00 55 44 77 66    PropertyId = "${ID}"
00000018          88 99 aa bb cc dd ee ff
00000020       2  01 01                      PropertyVersion = 257 0x101 (1.1)
00000022       2  01 00                      SerializationVersion = 1
00000024      16  cc dd ee ff aa bb 88 99    PropertyInstanceId = "${INSTANCE}"
0000002C          77 66 55 44 33 22 11 00
00000034       4  20 00 00 00                PropertyBufferLength = 32 0x20
00000038       4  40 00 00 00                PropertyBufferOffset = 64 0x40
0000003C       4  00 00 00 00                Reserved = 0
00000040      16                             Property: NDIS_SWITCH_PORT_PROPERTY_CUSTOM
00000040       4                               Header: NDIS_OBJECT_HEADER
00000040       1  80                             Type = 128 0x80 (NDIS_OBJECT_TYPE_DEFAULT)
00000041       1  01                             Revision = 1
00000042       2  10 00                          Size = 16 0x10
00000044       4  00 00 00 00                  Flags = 0
00000048       4  10 00 00 00                  PropertyBufferLength = 16 0x10
0000004C       4  10 00 00 00                  PropertyBufferOffset = 16 0x10
00000050      16                               CustomData: UCHAR[16]
00000050       4  64 00 00 00                    SettingIntA = 100 0x64
00000058       8                                 SettingIntB: UINT64
00000058       4  0f 27 00 00                      low = 9999 0x270F
`,
  );
  const raw = formatDump(describe('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS', bytes), bytes);
  t.match(raw, '00000050      16  64 00 00 00 00 00 00 00      CustomData\n');
  t.match(raw, '00000058          0f 27 00 00 00 00 00 00\n', 'unknown vendor data in full');
});

t.test('decodePayload gives plain JSON with the class values where they are known', async (t) => {
  const bytes = customProperty();
  const decoded = decodePayload(0x10271, bytes, {
    custom: (scope, kind, id) => ({ scope, kind, id, SettingIntA: 100 }),
  });
  t.same(JSON.parse(JSON.stringify(decoded)), {
    structure: 'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS',
    Header: { Type: 128, Revision: 1, Size: 64 },
    Flags: 0,
    PortId: 7,
    PropertyType: 'NdisSwitchPortPropertyTypeCustom',
    PropertyId: ID,
    PropertyVersion: 257,
    SerializationVersion: 1,
    PropertyInstanceId: INSTANCE,
    PropertyBufferLength: 32,
    PropertyBufferOffset: 64,
    Reserved: 0,
    Property: {
      Header: { Type: 128, Revision: 1, Size: 16 },
      Flags: 0,
      PropertyBufferLength: 16,
      PropertyBufferOffset: 16,
      CustomData: { scope: 'port', kind: 'setting', id: ID, SettingIntA: 100 },
    },
  });
  const unknown = decodePayload('OID_SWITCH_PORT_PROPERTY_ADD', bytes, { custom: () => undefined });
  t.match(unknown, { Property: { CustomData: '64000000000000000f27000000000000' } });
  t.same(decodePayload(0x10271, new Uint8Array(0)), {});
  t.same(decodePayload(0x10268, bytes), {}, 'not an OID of the switch');
  bytes[0] = 0;
  t.match(decodePayload(0x10271, bytes), {
    error: {
      structure: 'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS',
      member: 'Header.Type',
      offset: 0,
      expected: '0x80',
      found: '0x00',
    },
  });
  t.throws(
    () =>
      decodePayload(0x10271, customProperty(), {
        custom: () => {
          throw new Error('broken decoder');
        },
      }),
    { message: 'broken decoder' },
    'a fault of the caller is not hidden',
  );
});

t.test('standard properties are followed by their type, unknown types stay raw', async (t) => {
  const bytes = new Uint8Array(propertySize('port', 1048, 3));
  const at = writeProperty('port', bytes, 0, { ...HEAD, propertyType: 3 }, 1048);
  writeVlan(bytes, at, { OperationMode: 2, NativeVlanId: 5, TrunkVlanIdArray: [1, 2, 3, 9] });
  const vlan = find(describe('OID_SWITCH_PORT_PROPERTY_UPDATE', bytes), 'Property');
  t.equal(vlan.ctype, 'NDIS_SWITCH_PORT_PROPERTY_VLAN');
  t.equal(find(vlan, 'VlanProperties.TrunkVlanIdArray').value, '1-3,9');
  t.notOk(
    vlan.children?.some((child) => child.name.startsWith('Pvlan')),
    'only the arm in use',
  );
  t.match(decodePayload('OID_SWITCH_PORT_PROPERTY_ADD', bytes), {
    Property: {
      VlanProperties: { NativeVlanId: 5, PruneVlanIdArray: '' },
      OperationMode: 'NdisSwitchPortVlanModeTrunk',
    },
  });
  for (const [mode, shown, hidden] of [
    [1, 'SecondaryVlanId', 'SecondaryVlanIdArray'],
    [3, 'SecondaryVlanIdArray', 'SecondaryVlanId'],
  ] as const) {
    writeVlan(bytes, at, { OperationMode: 3, PvlanMode: mode });
    const arm = find(describe('OID_SWITCH_PORT_PROPERTY_ADD', bytes), 'Property');
    const names = arm.children?.map((child) => child.name) ?? [];
    t.ok(names.includes(`PvlanProperties.${shown}`));
    t.notOk(names.includes(`PvlanProperties.${hidden}`));
    t.notOk(names.includes('VlanProperties.AccessVlanId'));
  }
  structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS').view(bytes).PropertyType = 99;
  t.equal(find(describe('OID_SWITCH_PORT_PROPERTY_ADD', bytes), 'Property').ctype, 'UCHAR[1048]');
  structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS').view(bytes).PropertyBufferLength = 0;
  t.throws(() => find(describe('OID_SWITCH_PORT_PROPERTY_ADD', bytes), 'Property'), /no Property/);
});

t.test('enumeration entries and array elements are expanded', async (t) => {
  const bytes = new Uint8Array(400);
  writeEnumQuestion('port', bytes, 0, { propertyType: 2, propertyId: ID });
  bytes[2] = 0;
  t.match(
    decodePayload('OID_SWITCH_PORT_PROPERTY_ENUM', bytes),
    { NumProperties: 0 },
    'a question, quirk 18',
  );
  t.throws(() => describe('NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS', bytes), {
    code: 'ABI_INVALID',
  });
  let at = writeEnumReplyHead('port', bytes, 0, 2);
  const entry = { propertyVersion: 256, propertyInstanceId: INSTANCE };
  const next = writeEnumEntry('port', bytes, at, entry, 20);
  writeSecurity(
    bytes,
    at + 40,
    {
      AllowMacSpoofing: true,
      AllowIeeePriorityTag: false,
      VirtualSubnetId: 0,
      AllowTeaming: false,
    },
    '6.30',
  );
  at = writeEnumEntry('port', bytes, next, entry, 0);
  const reply = bytes.subarray(0, at);
  const list = find(describe('OID_SWITCH_PORT_PROPERTY_ENUM', reply), 'Properties');
  t.equal(list.ctype, 'NDIS_SWITCH_PORT_PROPERTY_ENUM_INFO[2]');
  t.equal(find(list, '[0]', 'Property', 'AllowMacSpoofing').offset, 48 + 40 + 8);
  t.notOk(
    find(list, '[0]', 'Property').children?.some(({ name }) => name === 'DynamicIPAddressLimit'),
    'absent in revision 1',
  );
  t.match(decodePayload('OID_SWITCH_PORT_PROPERTY_ENUM', reply), {
    Properties: [{ Property: { AllowMacSpoofing: true } }, { PropertyBufferLength: 0 }],
  });

  const custom = new Uint8Array(40 + 40 + 24);
  writeEnumQuestion('switch', custom, 0, { propertyType: 1, propertyId: ID });
  writeEnumEntry('switch', custom, writeEnumReplyHead('switch', custom, 0, 1), entry, 24);
  writeCustom('switch', custom, 80, 8);
  const seen: unknown[] = [];
  const values = decodePayload('OID_SWITCH_PROPERTY_ENUM', custom, {
    custom: (...feature) => {
      seen.push(feature.slice(0, 4));
      return { known: true };
    },
  });
  t.same(seen, [['switch', 'setting', ID, 256]]);
  t.match(values, { Properties: [{ Property: { CustomData: { known: true } } }] });

  const nics = new Uint8Array(arraySize('nic', 2));
  const first = writeArray('nic', nics, 0, 2);
  const nic = structure('NDIS_SWITCH_NIC_PARAMETERS').view(nics, first);
  nic.VMMacAddress = Uint8Array.of(0, 0x15, 0x5d, 0, 0, 1);
  nic.Flags = 0x80000005;
  nic.NicName = 'nic';
  const element = find(describe('OID_SWITCH_NIC_ARRAY', nics), 'Elements', '[0]');
  t.equal(find(element, 'VMMacAddress').text, '00-15-5d-00-00-01');
  t.equal(
    find(element, 'Flags').text,
    'NDIS_SWITCH_NIC_FLAGS_NIC_INITIALIZING|NDIS_SWITCH_NIC_FLAGS_MAPPED_NIC_UPDATED|0x80000000',
  );
  t.match(formatDump(element, nics), 'zeros up to the end of CurrentMacAddress');
  t.match(decodePayload('OID_SWITCH_NIC_ARRAY', nics), {
    Elements: [{ NicName: 'nic' }, { NicName: '' }],
  });
  const ports = new Uint8Array(arraySize('port', 1));
  writeArray('port', ports, 0, 1);
  t.match(decodePayload('OID_SWITCH_PORT_ARRAY', ports), {
    Elements: [{ PortType: 'NdisSwitchPortTypeGeneric' }],
  });
});

t.test('a feature status answer is read by its class, a question is only room', async (t) => {
  for (const scope of ['port', 'switch'] as const) {
    const oid =
      scope === 'port' ? 'OID_SWITCH_PORT_FEATURE_STATUS_QUERY' : 'OID_SWITCH_FEATURE_STATUS_QUERY';
    const bytes = new Uint8Array(featureStatusSize(scope, 8));
    writeFeatureStatusQuery(
      scope,
      bytes,
      0,
      { featureStatusId: ID, featureStatusInstanceId: INSTANCE },
      8,
    );
    const custom = (own: string, kind: string, id: string, version: number, data: Uint8Array) => ({
      own,
      kind,
      id,
      version,
      length: data.length,
    });
    t.match(decodePayload(oid, bytes, { custom }), {
      FeatureStatus: { CustomData: '0000000000000000' },
    });
    new FeatureStatusBuffer(scope).bind(bytes).answer(0x0100, 4);
    t.match(decodePayload(oid, bytes, { custom }), {
      FeatureStatus: {
        CustomData: { own: scope, kind: 'status', id: ID, version: 256, length: 4 },
      },
    });
    const at = scope === 'port' ? 64 : 56;
    const inner = bytes.subarray(at);
    const name =
      scope === 'port'
        ? 'NDIS_SWITCH_PORT_FEATURE_STATUS_CUSTOM'
        : 'NDIS_SWITCH_FEATURE_STATUS_CUSTOM';
    t.equal(find(describe(name, inner), 'CustomData').size, 4);
    const own = new Uint8Array(24);
    writeCustom(scope, own, 0, 8);
    const customName =
      scope === 'port' ? 'NDIS_SWITCH_PORT_PROPERTY_CUSTOM' : 'NDIS_SWITCH_PROPERTY_CUSTOM';
    t.equal(find(describe(customName, own), 'CustomData').offset, 16);
  }
});

t.test('requests, indications, save states and isolation parameters show their own', async (t) => {
  const request = new Uint8Array(248);
  structure('NDIS_OID_REQUEST').initialize(request);
  const view = structure('NDIS_OID_REQUEST').view(request);
  view.RequestType = 12;
  view.DATA.Oid = 0x10274;
  view.DATA.METHOD_INFORMATION.BytesNeeded = 5;
  const tree = describe('NDIS_OID_REQUEST', request);
  t.equal(find(tree, 'DATA.Oid').text, 'OID_SWITCH_PORT_PROPERTY_ENUM');
  t.equal(find(tree, 'DATA.METHOD_INFORMATION.BytesNeeded').value, 5);
  t.notOk(
    tree.children?.some(({ name }) => name.startsWith('DATA.SET')),
    'never one arm through another',
  );
  const indication = new Uint8Array(112);
  structure('NDIS_STATUS_INDICATION').initialize(indication);
  structure('NDIS_STATUS_INDICATION').view(indication).StatusCode = 0xc0241002;
  t.equal(
    find(describe('NDIS_STATUS_INDICATION', indication), 'StatusCode').text,
    'NDIS_STATUS_SWITCH_NIC_STATUS',
  );

  const saved = new Uint8Array(600);
  writeSaveState(
    saved,
    0,
    { portId: 1, nicIndex: 0, extensionId: ID, extensionFriendlyName: 'x', featureClassId: ID },
    24,
  );
  t.equal(find(describe('OID_SWITCH_NIC_SAVE', saved), 'SaveData').offset, 576);
  writeSaveState(
    saved,
    0,
    { portId: 1, nicIndex: 0, extensionId: ID, extensionFriendlyName: 'x', featureClassId: ID },
    0,
  );
  t.notOk(describe('OID_SWITCH_NIC_SAVE', saved).children?.some(({ name }) => name === 'SaveData'));

  const domain = {
    RoutingDomainId: ID,
    RoutingDomainName: 'Blue',
    IsolationEntries: [{ IsolationIdName: 'a', IsolationId: 0x123456 }],
  };
  const isolation = new Uint8Array(isolationParametersSize([domain]));
  writeIsolationParameters(isolation, 0, {
    IsolationMode: 3,
    AllowUntaggedTraffic: true,
    RoutingDomains: [domain],
  });
  t.match(decodePayload('OID_GEN_ISOLATION_PARAMETERS', isolation), {
    IsolationMode: 'NdisIsolationModeVlan',
    RoutingDomains: [
      { RoutingDomainName: 'Blue', IsolationEntries: [{ IsolationId: 0x123456, VlanId: 0x456 }] },
    ],
  });
  const nicRequest = new Uint8Array(32);
  structure('NDIS_SWITCH_NIC_OID_REQUEST').initialize(nicRequest);
  t.match(
    decodePayload('OID_SWITCH_NIC_REQUEST', nicRequest),
    { OidRequest: '0' },
    '64-bit values as text',
  );
  const gone = new Uint8Array(48);
  writePropertyDelete('port', gone, 0, HEAD);
  t.match(decodePayload('OID_SWITCH_PORT_PROPERTY_DELETE', gone), { PropertyInstanceId: INSTANCE });
});

t.test('a header of a type that has no name and an unknown name', async (t) => {
  const bytes = Uint8Array.of(0x12, 1, 4, 0);
  t.match(describe('NDIS_OBJECT_HEADER', bytes), { children: [{ name: 'Type', value: 0x12 }] });
  const context = new Uint8Array(24);
  context[0] = 0x12;
  const header = find(
    describe('NDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE_INFO', context),
    'Header',
    'Type',
  );
  t.equal(header.text, undefined);
  for (const name of ['NDIS_NOTHING', 'OID_NOTHING', '__proto__', '']) {
    t.throws(() => describe(name, bytes), { code: 'NOT_FOUND' });
  }
});
