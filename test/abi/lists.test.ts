import t from 'tap';
import {
  arraySize,
  checkEnumQuestion,
  enumEntrySize,
  enumParametersSize,
  isolationParametersSize,
  readIsolation,
  readIsolationParameters,
  readProfile,
  readRoutingDomain,
  readSecurity,
  readVlan,
  routingDomainSize,
  type Scope,
  structure,
  walkArray,
  walkEnum,
  writeArray,
  writeEnumEntry,
  writeEnumQuestion,
  writeEnumReplyHead,
  writeIsolation,
  writeIsolationParameters,
  writeProfile,
  writeRoutingDomain,
  writeSecurity,
  writeVlan,
} from '../../src/abi/index.ts';

const ID = '00112233-4455-6677-8899-aabbccddeeff';
const INSTANCE = 'ffeeddcc-bbaa-9988-7766-554433221100';
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const set32 = (bytes: Uint8Array, at: number, value: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value, true);
const get32 = (bytes: Uint8Array, at: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

/** A reply with properties of these lengths, each filled with its index + 1. */
function reply(scope: Scope, lengths: readonly number[]): Uint8Array {
  const total = lengths.reduce(
    (sum, length) => sum + enumEntrySize(length),
    enumParametersSize(scope),
  );
  const bytes = new Uint8Array(total).fill(0xa5);
  writeEnumQuestion(scope, bytes, 0, { portId: 3, propertyType: 1, propertyId: ID });
  let at = writeEnumReplyHead(scope, bytes, 0, lengths.length);
  lengths.forEach((length, i) => {
    const next = writeEnumEntry(
      scope,
      bytes,
      at,
      { propertyVersion: 256 + i, propertyInstanceId: INSTANCE },
      length,
    );
    bytes.fill(i + 1, at + 40, at + 40 + length);
    at = next;
  });
  t.equal(at, total);
  return bytes;
}

t.test(
  'E41-E43: entries start behind the parameters and advance by 40 + aligned length',
  async (t) => {
    const port = reply('port', [20, 8, 0]);
    t.equal(port.length, 48 + 64 + 48 + 40);
    t.equal(get32(port, 36), 48, 'FirstPropertyOffset');
    t.equal(get32(port, 40), 3, 'NumProperties');
    t.same([get32(port, 48 + 28), get32(port, 48 + 32), get32(port, 48 + 36)], [24, 20, 40]);
    t.equal(hex(port.subarray(48 + 60, 48 + 64)), '00000000', 'padding is zero');
    t.same(
      [...walkEnum('port', port)],
      [
        {
          propertyVersion: 256,
          propertyInstanceId: INSTANCE,
          infoOffset: 48,
          propertyOffset: 88,
          propertyLength: 20,
        },
        {
          propertyVersion: 257,
          propertyInstanceId: INSTANCE,
          infoOffset: 112,
          propertyOffset: 152,
          propertyLength: 8,
        },
        {
          propertyVersion: 258,
          propertyInstanceId: INSTANCE,
          infoOffset: 160,
          propertyOffset: 200,
          propertyLength: 0,
        },
      ],
    );
    const own = reply('switch', [1]);
    t.equal(get32(own, 32), 40, 'FirstPropertyOffset');
    t.equal(get32(own, 36), 1, 'NumProperties');
    // The switch's info has instance id (8) then version (24); the port's the other way round.
    t.equal(own[40 + 25], 1);
    t.equal(port[48 + 9], 1);
    t.equal([...walkEnum('switch', own)][0]?.propertyOffset, 80);
    t.equal(
      [...walkEnum('switch', own.subarray(0, 81))].length,
      1,
      'the last padding may be cut off',
    );
  },
);

t.test('E41: a reply without properties has no first offset and no entries', async (t) => {
  const bytes = reply('switch', []);
  t.equal(bytes.length, 40);
  t.equal(get32(bytes, 32), 0);
  t.same([...walkEnum('switch', bytes)], []);
});

t.test('E46, quirk 18: a question is read whatever its Size says', async (t) => {
  const bytes = new Uint8Array(48);
  t.equal(writeEnumQuestion('port', bytes, 0, { portId: 3, propertyType: 2, propertyId: ID }), 48);
  t.equal(bytes[32], 1, 'SerializationVersion');
  bytes[2] = 0;
  t.equal(checkEnumQuestion('port', bytes).PropertyType, 2);
  bytes[0] = 0;
  t.throws(() => checkEnumQuestion('port', bytes), {
    code: 'ABI_INVALID',
    place: { member: 'Header.Type' },
  });
});

t.test('a hostile reply is refused by member before anything outside is read', async (t) => {
  const cases: readonly (readonly [number, number, string])[] = [
    [36, 45, 'FirstPropertyOffset'],
    [36, 0xffffffff, 'FirstPropertyOffset'],
    [48 + 32, 25, 'PropertyBufferLength'],
    [48 + 36, 39, 'PropertyBufferOffset'],
    [48 + 36, 45, 'PropertyBufferLength'],
    [48 + 36, 0xfffffff8, 'PropertyBufferOffset'],
    [48, 0, 'Header.Type'],
  ];
  for (const [at, value, member] of cases) {
    const bytes = reply('port', [20, 8]);
    set32(bytes, at, value);
    t.throws(
      () => [...walkEnum('port', bytes)],
      { code: 'ABI_INVALID', place: { member } },
      `${member} = ${value}`,
    );
  }
  const many = reply('port', [20, 8]);
  set32(many, 40, 0xffffffff);
  t.throws(() => [...walkEnum('port', many)], { code: 'ABI_INVALID' }, 'more entries than bytes');
  const far = reply('port', [20, 8]);
  set32(far, 48 + 28, 0xffffffff);
  t.throws(
    () => [...walkEnum('port', far)],
    { code: 'ABI_INVALID' },
    'the next entry lies outside',
  );
  t.throws(
    () =>
      writeEnumEntry(
        'port',
        new Uint8Array(63),
        0,
        { propertyVersion: 0, propertyInstanceId: ID },
        20,
      ),
    {
      code: 'ABI_INVALID',
      place: { expected: '64 bytes', found: '63 bytes' },
    },
  );
});

t.test('arrays start at 24 and step by sizeof of the NDIS version', async (t) => {
  // ndis-switch-abi.md 4: a 6.30 host sends 2208-byte NIC elements, a 6.40+ host 2224.
  for (const [kind, ndis, size] of [
    ['nic', '6.30', 2208],
    ['nic', '6.40', 2224],
    ['port', '6.85', 1056],
  ] as const) {
    const bytes = new Uint8Array(8 + arraySize(kind, 2, ndis)).fill(0xa5);
    t.equal(bytes.length, 8 + 24 + 2 * size);
    t.equal(writeArray(kind, bytes, 8, 2, ndis), 32);
    t.equal(hex(bytes.subarray(8, 12)), '80011400', 'Size is 20');
    t.same([bytes[16], get32(bytes, 20), get32(bytes, 24)], [24, 2, size]);
    t.same(
      [...walkArray(kind, bytes, 8)],
      [
        { offset: 32, size },
        { offset: 32 + size, size },
      ],
    );
  }
  t.throws(() => writeArray('port', new Uint8Array(1079), 0, 1), {
    code: 'ABI_INVALID',
    place: { found: '1079 bytes' },
  });
});

t.test('an array is walked by the ElementSize and offset received', async (t) => {
  const bytes = new Uint8Array(20 + 2 * 1064);
  structure('NDIS_SWITCH_PORT_ARRAY').initialize(bytes);
  const head = structure('NDIS_SWITCH_PORT_ARRAY').view(bytes);
  head.FirstElementOffset = 20;
  head.NumElements = 2;
  head.ElementSize = 1064;
  for (const at of [20, 1084]) structure('NDIS_SWITCH_PORT_PARAMETERS').initialize(bytes, at);
  t.same(
    [...walkArray('port', bytes)],
    [
      { offset: 20, size: 1064 },
      { offset: 1084, size: 1064 },
    ],
  );
  const cases: readonly (readonly [string, () => void, string])[] = [
    [
      'ElementSize',
      () => {
        head.ElementSize = 1055;
      },
      'at least 1056',
    ],
    [
      'FirstElementOffset',
      () => {
        head.FirstElementOffset = 19;
      },
      '20 to 2148',
    ],
    [
      'FirstElementOffset',
      () => {
        head.FirstElementOffset = 0xffff;
      },
      '20 to 2148',
    ],
    [
      'NumElements',
      () => {
        head.NumElements = 3;
      },
      'at most 2, the room there is',
    ],
    [
      'NumElements',
      () => {
        head.NumElements = 0xffffffff;
      },
      'at most 2, the room there is',
    ],
  ];
  for (const [member, spoil, expected] of cases) {
    const before = bytes.slice();
    spoil();
    t.throws(() => [...walkArray('port', bytes)], {
      code: 'ABI_INVALID',
      place: { member, expected },
    });
    bytes.set(before);
  }
  bytes[20] = 0;
  t.throws(() => [...walkArray('port', bytes)], {
    code: 'ABI_INVALID',
    place: { structure: 'NDIS_SWITCH_PORT_PARAMETERS' },
  });
  head.NumElements = 0;
  head.FirstElementOffset = 0;
  t.same([...walkArray('port', bytes)], [], 'without elements the offset says nothing');
  head.Header.Size = 5;
  t.throws(() => [...walkArray('port', bytes)], { code: 'ABI_INVALID' });
  t.same([...walkArray('port', bytes, 0, bytes.length, 'anySize')], [], 'quirk 18');
});

t.test('standard properties go through their bytes and come back equal', async (t) => {
  const bytes = new Uint8Array(2000).fill(0xa5);
  const security = {
    AllowMacSpoofing: true,
    AllowIeeePriorityTag: true,
    VirtualSubnetId: 0x1234,
    AllowTeaming: true,
  };
  t.equal(writeSecurity(bytes, 8, security, '6.30'), 20);
  t.equal(hex(bytes.subarray(8, 28)), '80011100000000000101000034120000' + '01000000');
  t.same(readSecurity(bytes, 8, 20), security, 'revision 1 has no limit');
  t.equal(writeSecurity(bytes, 8, { ...security, DynamicIPAddressLimit: 9 }), 24);
  t.same(readSecurity(bytes, 8, 24), { ...security, DynamicIPAddressLimit: 9 });
  writeSecurity(bytes, 8, security);
  t.equal(readSecurity(bytes, 8).DynamicIPAddressLimit, 0, 'left out: 0');

  const isolation = { IsolationMode: 3, AllowUntaggedTraffic: true, DefaultIsolationId: 5 };
  t.equal(writeIsolation(bytes, 0, isolation), 20);
  t.equal(hex(bytes.subarray(0, 20)), '80011400000000000300000001000000' + '05000000');
  t.same(readIsolation(bytes), isolation);

  const profile = {
    ProfileName: 'Gold',
    ProfileId: ID,
    VendorName: 'Fabrikam',
    VendorId: INSTANCE,
    ProfileData: 4,
    NetCfgInstanceId: ID,
    PciSegmentNumber: 0xffff,
    PciBusNumber: 0xaa,
    PciDeviceNumber: 31,
    PciFunctionNumber: 5,
    CdnLabelId: 6,
    CdnLabel: 'label',
  };
  t.equal(writeProfile(bytes, 0, profile), 1616);
  // One word at 1092, least significant field first: 16, 8, 5 and 3 bits.
  t.equal(get32(bytes, 1092), (0xffff | (0xaa << 16) | (31 << 24) | (5 << 29)) >>> 0);
  t.same(readProfile(bytes), profile);
  t.equal(writeProfile(bytes, 0, {}), 1616);
  t.equal(readProfile(bytes).ProfileId, '00000000-0000-0000-0000-000000000000');
});

t.test('a VLAN property writes and reads the arm of its mode', async (t) => {
  const bytes = new Uint8Array(1048);
  const values = [
    { OperationMode: 1, AccessVlanId: 12 },
    {
      OperationMode: 2,
      NativeVlanId: 3,
      PruneVlanIdArray: [0],
      TrunkVlanIdArray: [1, 63, 64, 4095],
    },
    { OperationMode: 3, PvlanMode: 1, PrimaryVlanId: 10, SecondaryVlanId: 200 },
    { OperationMode: 3, PvlanMode: 3, PrimaryVlanId: 10, SecondaryVlanIdArray: [200, 201] },
    { OperationMode: 0 },
  ];
  for (const value of values) {
    bytes.fill(0xa5);
    t.equal(writeVlan(bytes, 0, value), 1048);
    t.same(readVlan(bytes), value);
  }
  writeVlan(bytes, 0, {
    OperationMode: 3,
    PvlanMode: 1,
    PrimaryVlanId: 10,
    SecondaryVlanId: 0x1c8,
  });
  // Quirk 11: SecondaryVlanId at 24, not behind PrimaryVlanId.
  t.same([bytes[16], bytes[20], bytes[22], bytes[24], bytes[25]], [1, 10, 0, 0xc8, 1]);
  for (const member of ['PruneVlanIdArray', 'TrunkVlanIdArray', 'SecondaryVlanIdArray']) {
    t.throws(() => writeVlan(bytes, 0, { OperationMode: 2, [member]: [4096] }), {
      code: 'ABI_INVALID',
      place: { expected: 'VLAN ids from 0 to 4095', found: '4096' },
    });
  }
  writeVlan(bytes, 0, { OperationMode: 2 });
  t.same(readVlan(bytes), {
    OperationMode: 2,
    NativeVlanId: 0,
    PruneVlanIdArray: [],
    TrunkVlanIdArray: [],
  });
  writeVlan(bytes, 0, { OperationMode: 3 });
  t.same(readVlan(bytes), { OperationMode: 3, PvlanMode: 0, PrimaryVlanId: 0, SecondaryVlanId: 0 });
  writeVlan(bytes, 0, { OperationMode: 3, PvlanMode: 3 });
  t.same(readVlan(bytes).SecondaryVlanIdArray, []);
});

const DOMAIN = {
  RoutingDomainId: ID,
  RoutingDomainName: 'Blue',
  IsolationEntries: [
    { IsolationIdName: 'one', IsolationId: 0x01000001 },
    { IsolationIdName: 'two', IsolationId: 2 },
  ],
};
const EMPTY_DOMAIN = { RoutingDomainId: INSTANCE, RoutingDomainName: '', IsolationEntries: [] };

t.test('a routing domain carries its entries from 296 on, stepping by Header.Size', async (t) => {
  const bytes = new Uint8Array(routingDomainSize(2)).fill(0xa5);
  t.equal(bytes.length, 296 + 2 * 272);
  t.equal(writeRoutingDomain(bytes, 0, DOMAIN), 840);
  t.same([get32(bytes, 284), bytes[288], bytes[289]], [2, 0x28, 0x01], 'count 2, offset 296');
  t.equal(hex(bytes.subarray(292, 300)), '0000000080011001');
  t.same(readRoutingDomain(bytes), DOMAIN);
  t.equal(writeRoutingDomain(bytes, 0, EMPTY_DOMAIN), 292);
  t.equal(routingDomainSize(0), 292);
  t.same(readRoutingDomain(bytes, 0, 292), EMPTY_DOMAIN);
  t.throws(() => writeRoutingDomain(new Uint8Array(839), 0, DOMAIN), { code: 'ABI_INVALID' });

  // A sender whose entries are 280 bytes long: the second stands where the first's Size says.
  const wide = new Uint8Array(296 + 2 * 280);
  writeRoutingDomain(wide, 0, DOMAIN);
  wide.copyWithin(296 + 280, 296 + 272, 296 + 544);
  wide[298] = 280 & 0xff;
  t.same(readRoutingDomain(wide), DOMAIN);
});

t.test('hostile routing domains are refused by member', async (t) => {
  const fresh = () => {
    const bytes = new Uint8Array(840);
    writeRoutingDomain(bytes, 0, DOMAIN);
    return bytes;
  };
  const cases: readonly (readonly [number, number, string])[] = [
    [288, 289, 'FirstIsolationEntryOffset'],
    [288, 0xffff, 'FirstIsolationEntryOffset'],
    [284, 3, 'NumIsolationEntries'],
    [284, 0xffffffff, 'NumIsolationEntries'],
    [296, 0x01100181, 'Header.Type'],
    [296, 0x00000180, 'Header.Size'],
  ];
  for (const [at, value, member] of cases) {
    const bytes = fresh();
    set32(bytes, at, value);
    t.throws(
      () => readRoutingDomain(bytes),
      { code: 'ABI_INVALID', place: { member } },
      `${member} = ${value}`,
    );
  }
});

t.test('isolation parameters hold domains, each with its own entries', async (t) => {
  const value = {
    IsolationMode: 1,
    AllowUntaggedTraffic: false,
    RoutingDomains: [DOMAIN, EMPTY_DOMAIN, DOMAIN],
  };
  const size = isolationParametersSize(value.RoutingDomains);
  // Entries of 292 follow each other by Header.Size; isolation entries start at the next multiple of 8.
  t.equal(size, 904 + 4 * 272);
  const bytes = new Uint8Array(size).fill(0xa5);
  t.equal(writeIsolationParameters(bytes, 0, value), size);
  t.same([get32(bytes, 16), get32(bytes, 20), get32(bytes, 24 + 288)], [3, 24, 904 - 24]);
  t.same(readIsolationParameters(bytes), value);
  const none = { ...value, RoutingDomains: [] };
  t.equal(writeIsolationParameters(bytes, 0, none), 24);
  t.same(readIsolationParameters(bytes, 0, 24), none);
  t.throws(() => writeIsolationParameters(new Uint8Array(size - 1), 0, value), {
    code: 'ABI_INVALID',
  });
  writeIsolationParameters(bytes, 0, value);
  set32(bytes, 20, 8);
  t.throws(() => readIsolationParameters(bytes), {
    code: 'ABI_INVALID',
    place: { member: 'FirstRoutingDomainEntryOffset' },
  });
});

t.test('domains that share their entries cannot multiply a small buffer', async (t) => {
  const domains = [DOMAIN, DOMAIN];
  const bytes = new Uint8Array(isolationParametersSize(domains));
  writeIsolationParameters(bytes, 0, {
    IsolationMode: 1,
    AllowUntaggedTraffic: false,
    RoutingDomains: domains,
  });
  // 1,696 bytes hold six entries of 272 at most, and the first domain has two.
  set32(bytes, 24 + 292 + 284, 5);
  t.throws(() => readIsolationParameters(bytes), {
    code: 'ABI_INVALID',
    place: {
      structure: 'NDIS_ROUTING_DOMAIN_ENTRY',
      member: 'NumIsolationEntries',
      offset: 600,
      expected: 'at most 4, what is left of the room',
      found: '5',
    },
  });
});
