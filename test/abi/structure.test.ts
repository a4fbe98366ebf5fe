import t, { type Test } from 'tap';
import {
  isStructureName,
  type NdisVersion,
  revisionFor,
  STRUCTURES,
  type StructureName,
  structure,
  U16Member,
  U64Member,
} from '../../src/abi/index.ts';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { at, type Golden, goldenFiles, readGolden, valueText, writeGolden } from './golden-file.ts';

const NAMES = Object.keys(STRUCTURES) as StructureName[];

/** Elements of an array member straight from the file's bytes. */
function elementsOf(golden: Golden, offset: number, size: number, count: number): bigint[] {
  const width = size / count;
  return Array.from({ length: count }, (_, i) => {
    let value = 0n;
    for (let b = width - 1; b >= 0; b -= 1) {
      value = (value << 8n) | BigInt(golden.bytes[offset + i * width + b] ?? 0);
    }
    return value;
  });
}

function checkReading(test: Test, golden: Golden): void {
  const view = structure(golden.name).view(golden.bytes);
  for (const member of golden.members) {
    const value = at(view, member.path);
    test.equal(valueText(value), member.value, `${member.path} reads ${member.value}`);
    const field = STRUCTURES[golden.name].fields.find(({ name }) => name === member.path);
    if (field === undefined || !('count' in field)) continue;
    const expected = elementsOf(golden, field.offset, field.size, field.count);
    const actual =
      value instanceof Uint8Array
        ? Array.from(value, BigInt)
        : (value as U64Member | U16Member).toArray().map(BigInt);
    test.same(actual, expected, `${member.path} has the elements of the file`);
  }
}

/** Value of the file as the accessor takes it. */
function parsed(text: string, current: unknown): unknown {
  if (typeof current === 'number') return Number(text);
  if (typeof current === 'bigint') return BigInt(text);
  if (typeof current === 'boolean') return text === 'true';
  return text.startsWith('"') ? JSON.parse(text) : text;
}

function writeMembers(golden: Golden, bytes: Uint8Array): void {
  const view = structure(golden.name).view(bytes);
  for (const { path, value } of golden.members) {
    const steps = path.split('.');
    const last = steps.pop() ?? '';
    const owner = (steps.length === 0 ? view : at(view, steps.join('.'))) as Record<
      string,
      unknown
    >;
    const current = owner[last];
    const field = STRUCTURES[golden.name].fields.find(({ name }) => name === path);
    if (field !== undefined && 'count' in field) {
      const elements = elementsOf(golden, field.offset, field.size, field.count);
      if (current instanceof U64Member)
        for (const [i, word] of elements.entries()) current.set(i, word);
      else if (current instanceof U16Member) {
        for (const [i, unit] of elements.entries()) current.set(i, Number(unit));
      } else owner[last] = Uint8Array.from(elements, Number);
    } else owner[last] = parsed(value, current);
  }
}

t.test('every structure has a golden file, those with two revisions have two', async (t) => {
  const files = goldenFiles();
  t.equal(NAMES.length, 42);
  t.equal(files.length, 47);
  for (const name of NAMES) t.ok(files.includes(`${name}.hex`), name);
});

for (const file of goldenFiles()) {
  const golden = readGolden(file);
  t.test(`${file}: literal bytes read and write as the members say`, async (t) => {
    t.equal(golden.source, STRUCTURES[golden.name].source, 'source page');
    checkReading(t, golden);
    const target = structure(golden.name);
    const bytes = new Uint8Array(golden.bytes.length + 16).fill(0xa5);
    const written =
      golden.revision === 0
        ? target.initialize(bytes, 8)
        : target.initialize(bytes, 8, { revision: golden.revision });
    t.equal(written, golden.bytes.length, 'sizeof');
    const inside = bytes.subarray(8, 8 + written);
    writeMembers(golden, inside);
    if (process.env['UPDATE_GOLDEN'] === '1') writeGolden(golden, inside);
    t.same(Buffer.from(inside), Buffer.from(golden.bytes), 'written bytes');
    t.same(bytes.subarray(0, 8), Buffer.alloc(8, 0xa5), 'nothing written before');
    t.same(bytes.subarray(8 + written), Buffer.alloc(8, 0xa5), 'nothing written behind');
    const plain = target.decode(golden.bytes);
    for (const { path, value } of golden.members) {
      t.equal(valueText(at(plain, path)), value, `decode gives ${path}`);
    }
  });
}

t.test('Header.Size is the end of the last member, sizeof includes the padding', async (t) => {
  // ndis-switch-abi.md 1: Size / sizeof where they differ, for each revision.
  const rows: readonly (readonly [StructureName, NdisVersion, number, number, number])[] = [
    ['NDIS_SWITCH_PARAMETERS', '6.30', 1, 1045, 1048],
    ['NDIS_SWITCH_NIC_PARAMETERS', '6.30', 1, 2207, 2208],
    ['NDIS_SWITCH_NIC_PARAMETERS', '6.40', 2, 2224, 2224],
    ['NDIS_SWITCH_PORT_PROPERTY_ENUM_PARAMETERS', '6.30', 1, 46, 48],
    ['NDIS_SWITCH_PORT_PROPERTY_SECURITY', '6.30', 1, 17, 20],
    ['NDIS_SWITCH_PORT_PROPERTY_SECURITY', '6.85', 2, 24, 24],
    ['NDIS_SWITCH_PORT_PROPERTY_ROUTING_DOMAIN', '6.40', 1, 290, 292],
    ['NDIS_OID_REQUEST', '6.40', 1, 236, 240],
    ['NDIS_OID_REQUEST', '6.50', 2, 248, 248],
    ['NDIS_SWITCH_OPTIONAL_HANDLERS', '6.40', 1, 112, 128],
    ['NDIS_SWITCH_OPTIONAL_HANDLERS', '6.60', 2, 240, 240],
    ['NDIS_SWITCH_NIC_SAVE_STATE', '6.40', 1, 568, 568],
    ['NDIS_SWITCH_NIC_SAVE_STATE', '6.50', 2, 572, 572],
    ['NDIS_SWITCH_PROPERTY_DELETE_PARAMETERS', '6.85', 1, 44, 44],
  ];
  for (const [name, ndis, revision, size, sizeof] of rows) {
    const bytes = new Uint8Array(sizeof);
    const label = `${name} in ${ndis}`;
    t.equal(structure(name).sizeof(ndis), sizeof, `${label}: sizeof`);
    t.equal(revisionFor(name, ndis), revision, `${label}: revision`);
    t.equal(structure(name).initialize(bytes, 0, { ndis }), sizeof);
    t.equal(bytes[1], revision, `${label}: Header.Revision`);
    t.equal((bytes[2] ?? 0) + (bytes[3] ?? 0) * 256, size, `${label}: Header.Size`);
  }
  t.equal(structure('NDIS_SWITCH_NIC_PARAMETERS').alignof('6.30'), 4);
  t.equal(structure('NDIS_SWITCH_NIC_PARAMETERS').alignof('6.40'), 8);
  t.equal(structure('NDIS_SWITCH_OPTIONAL_HANDLERS').headerType, 0xb8);
  t.equal(structure('GUID').headerType, undefined);
});

t.test(
  'a structure newer than the NDIS version has no revision and cannot be initialized',
  async (t) => {
    const isolation = structure('NDIS_SWITCH_PORT_PROPERTY_ISOLATION');
    t.equal(isolation.sizeof('6.30'), 0);
    t.equal(isolation.revisionFor('6.30'), 0);
    t.equal(isolation.revisionFor('6.40'), 1);
    t.throws(() => isolation.initialize(new Uint8Array(20), 0, { ndis: '6.30' }), {
      code: 'INVALID_ARGUMENT',
      place: { structure: 'NDIS_SWITCH_PORT_PROPERTY_ISOLATION', expected: '6.40', found: '6.30' },
    });
    t.throws(() => isolation.initialize(new Uint8Array(20), 0, { revision: 2 }), {
      code: 'INVALID_ARGUMENT',
      place: { expected: '1 to 1', found: '2' },
    });
    t.throws(() => structure('GUID').initialize(new Uint8Array(16), 0, { revision: 1 }), {
      code: 'INVALID_ARGUMENT',
    });
    t.equal(revisionFor('GUID', '6.85'), 0);
  },
);

t.test('an unknown name is NOT_FOUND', async (t) => {
  t.throws(() => structure('NDIS_NOTHING' as StructureName), { code: 'NOT_FOUND' });
  t.notOk(isStructureName('constructor'));
});

t.test(
  'members of a newer revision read as zero from an older sender and refuse a write',
  async (t) => {
    const security = structure('NDIS_SWITCH_PORT_PROPERTY_SECURITY');
    const bytes = new Uint8Array(24).fill(0xff);
    security.initialize(bytes, 0, { ndis: '6.30' });
    const view = security.view(bytes);
    t.equal(view.DynamicIPAddressLimit, 0, 'the 0xff behind the 20 bytes are not read');
    t.throws(
      () => {
        view.DynamicIPAddressLimit = 1;
      },
      { code: 'ABI_INVALID', place: { member: 'DynamicIPAddressLimit', offset: 20 } },
    );
    security.initialize(bytes);
    view.DynamicIPAddressLimit = 7;
    t.equal(view.DynamicIPAddressLimit, 7);
    t.equal(security.view(bytes, 0, 20).DynamicIPAddressLimit, 0, 'only 20 bytes of room');

    const nic = structure('NDIS_SWITCH_NIC_PARAMETERS');
    const old = new Uint8Array(2224).fill(0xff);
    nic.initialize(old, 0, { ndis: '6.30' });
    const reserved = nic.view(old).NdisReserved;
    t.same(reserved.toArray(), [0n, 0n]);
    t.equal(reserved.hasBit(0), false);
    t.same(reserved.bits(), []);
    t.throws(() => reserved.set(0, 1n), { code: 'ABI_INVALID', place: { offset: 2208 } });
    t.throws(() => reserved.setBit(0, true), { code: 'ABI_INVALID' });

    // Quirk 14: with Size 112 the two switch-context handlers are absent although 6.30 declares them.
    const handlers = structure('NDIS_SWITCH_OPTIONAL_HANDLERS');
    const table = new Uint8Array(128).fill(1);
    handlers.initialize(table, 0, { revision: 1 });
    table.fill(1, 112);
    t.equal(handlers.view(table).SetNetBufferListSwitchContext, 0n);
  },
);

t.test('a view is rebound in place and never past the bytes', async (t) => {
  const of = structure('NDIS_SWITCH_PORT_PROPERTY_CUSTOM');
  const memory = new Uint8Array(64);
  const view = of.view(memory.subarray(8, 40), 8);
  view.PropertyBufferLength = 0x01020304;
  t.same(
    memory.subarray(24, 28),
    Buffer.from([4, 3, 2, 1]),
    'window offset and structure offset add up',
  );
  t.equal(view.rebind(memory, 16), view, 'rebind gives the view');
  t.equal(view.PropertyBufferLength, 0x01020304);
  t.equal(view.Header.Type, 0, 'nested views follow');
  t.equal(view.rebind(new Uint8Array(16)).PropertyBufferLength, 0, 'another ArrayBuffer');
  t.equal(view.offset, 0);
  t.equal(view.length, 16);
  for (const offset of [49, 65, -1, 0.5, Number.NaN, 2 ** 32]) {
    t.throws(() => view.rebind(memory, offset), { code: 'ABI_INVALID' }, `offset ${offset}`);
    t.throws(() => of.check(memory, offset), { code: 'ABI_INVALID' }, `check at ${offset}`);
  }
  t.throws(() => view.rebind(memory, 0, 15), { code: 'ABI_INVALID' });
  t.throws(() => view.rebind(memory, 0, 65), {
    code: 'ABI_INVALID',
    place: { expected: 'at least 65 bytes', found: '64 bytes' },
  });
  t.throws(() => of.initialize(new Uint8Array(15)), {
    message:
      'NDIS_SWITCH_PORT_PROPERTY_CUSTOM at offset 0: expected at least 16 bytes, found 15 bytes',
  });
});

t.test('texts hold exactly Length bytes and zeros behind', async (t) => {
  const of = structure('NDIS_SWITCH_PARAMETERS');
  const bytes = new Uint8Array(1048).fill(0xee);
  of.initialize(bytes);
  const view = of.view(bytes);
  view.SwitchName = 'a rather long name of more than twenty-four units \ud800';
  t.equal(view.SwitchName, 'a rather long name of more than twenty-four units \ud800');
  view.SwitchName = 'Hi';
  t.same(bytes.subarray(8, 16), Buffer.from([4, 0, 72, 0, 105, 0, 0, 0]));
  t.ok(
    bytes.subarray(14, 524).every((byte) => byte === 0),
    'rest is zero',
  );
  view.SwitchName = 'x'.repeat(256);
  t.equal(view.SwitchName.length, 256);
  t.throws(
    () => {
      view.SwitchName = 'x'.repeat(257);
    },
    {
      code: 'ABI_INVALID',
      place: { member: 'SwitchName', expected: 'at most 256 UTF-16 units', found: '257 units' },
    },
  );
  t.equal(view.SwitchName.length, 256, 'a refused text changes nothing');
  bytes[8] = 0xff;
  bytes[9] = 0xff;
  t.equal(view.SwitchName.length, 256, 'never more than 512 bytes are read');
  for (const [low, high] of [
    [2, 2],
    [3, 0],
  ] as const) {
    bytes[8] = low;
    bytes[9] = high;
    t.throws(() => of.check(bytes), {
      code: 'ABI_INVALID',
      place: { member: 'SwitchName.Length', offset: 8, found: String(low + high * 256) },
    });
  }
  t.throws(() => structure('IF_COUNTED_STRING').check(new Uint8Array(516).fill(3)), {
    code: 'ABI_INVALID',
    place: { member: 'Length' },
  });
  // Quirk 12: 0-254 bytes.
  const name = new Uint8Array(258);
  name[0] = 254;
  structure('NDIS_ISOLATION_NAME').check(name);
  name[1] = 1;
  t.throws(() => structure('NDIS_ISOLATION_NAME').check(name), { code: 'ABI_INVALID' });
});

t.test('GUIDs take any case and braces, give canonical text, refuse the rest', async (t) => {
  const of = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
  const bytes = new Uint8Array(64);
  const view = of.view(bytes);
  const text = '00112233-4455-6677-8899-aabbccddeeff';
  const wire = '33221100554477668899aabbccddeeff';
  for (const given of [text, text.toUpperCase(), `{${text}}`, text]) {
    bytes.fill(0);
    view.PropertyId = given;
    t.equal(Buffer.from(bytes.subarray(16, 32)).toString('hex'), wire, given);
    t.equal(view.PropertyId, text);
  }
  const wrong = [
    '',
    'x',
    text.slice(1),
    `${text}0`,
    text.replace('0', 'g'),
    text.replace('1', 'h'),
    text.replace('-', '0'),
    text.replace('ff', '\u{1f6}f'),
    `${text.slice(0, 35)}g`,
  ];
  for (const given of wrong) {
    t.throws(
      () => {
        view.PropertyId = given;
      },
      {
        code: 'INVALID_ARGUMENT',
        place: { member: 'NDIS_SWITCH_PORT_PROPERTY_PARAMETERS.PropertyId' },
      },
      given,
    );
    t.equal(view.PropertyId, text, 'unchanged');
  }
});

t.test('array members refuse an index outside and longer bytes', async (t) => {
  const vlan = structure('NDIS_SWITCH_PORT_PROPERTY_VLAN').view(new Uint8Array(1048));
  const trunk = vlan.VlanProperties.TrunkVlanIdArray;
  trunk.setBits([0, 63, 64, 4095]);
  // VLAN v is bit `v & 63` of word `v >> 6`; the trunk array starts at 536.
  t.equal(vlan.bytes[536], 1);
  t.equal(vlan.bytes[543], 0x80);
  t.equal(vlan.bytes[544], 1);
  t.equal(vlan.bytes[1047], 0x80);
  t.same(trunk.bits(), [0, 63, 64, 4095]);
  t.equal(trunk.get(0), (1n << 63n) | 1n);
  t.ok(trunk.hasBit(4095));
  trunk.setBit(4095, false);
  t.notOk(trunk.hasBit(4095));
  for (const bit of [4096, -1]) t.throws(() => trunk.hasBit(bit), { code: 'ABI_INVALID' });
  for (const index of [64, -1, 0.5]) {
    t.throws(() => trunk.get(index), {
      code: 'ABI_INVALID',
      place: { member: 'VlanProperties.TrunkVlanIdArray', expected: 'an index from 0 to 63' },
    });
  }
  const string = structure('IF_COUNTED_STRING').view(new Uint8Array(516));
  t.throws(() => string.String.set(257, 1), { code: 'ABI_INVALID' });
  const nic = structure('NDIS_SWITCH_NIC_PARAMETERS').view(new Uint8Array(2224).fill(9));
  nic.CurrentMacAddress = Uint8Array.of(1, 2, 3, 4, 5, 6);
  t.same(nic.CurrentMacAddress, Buffer.concat([Buffer.from([1, 2, 3, 4, 5, 6]), Buffer.alloc(26)]));
  nic.CurrentMacAddress[0] = 7;
  t.equal(nic.bytes[2174], 7, 'a window, not a copy');
  t.throws(
    () => {
      nic.CurrentMacAddress = new Uint8Array(33);
    },
    { code: 'ABI_INVALID', place: { expected: 'at most 32 bytes', found: '33 bytes' } },
  );
});

t.test('check names what is wrong with a header', async (t) => {
  const of = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS');
  const fresh = () => {
    const bytes = new Uint8Array(80);
    of.initialize(bytes, 8);
    return bytes;
  };
  const cases: readonly (readonly [number, number, string, string, string])[] = [
    [8, 0x98, 'Header.Type', '0x80', '0x98'],
    [9, 0, 'Header.Revision', 'at least 1', '0'],
    [10, 63, 'Header.Size', '64 to 72', '63'],
    [10, 73, 'Header.Size', '64 to 72', '73'],
  ];
  for (const [index, value, member, expected, found] of cases) {
    const bytes = fresh();
    bytes[index] = value;
    t.throws(() => of.check(bytes, 8), {
      code: 'ABI_INVALID',
      message: `NDIS_SWITCH_PORT_PROPERTY_PARAMETERS.${member} at offset ${index}: expected ${expected}, found ${found}`,
      place: { structure: of.name, member, offset: index, expected, found },
    });
  }
  const newer = fresh();
  newer[9] = 9;
  newer[10] = 72;
  t.doesNotThrow(() => of.check(newer, 8), 'a newer revision is accepted');
  t.throws(() => of.check(newer, 8, 63), {
    code: 'ABI_INVALID',
    place: { offset: 8, found: '63 bytes' },
  });
  newer[10] = 0;
  t.doesNotThrow(() => of.check(newer, 8, 72, 'anySize'), 'quirk 18');
});

t.test('the two headers with quirks are taken as the field writes them', async (t) => {
  const status = structure('NDIS_SWITCH_NIC_STATUS_INDICATION');
  const bytes = new Uint8Array(32);
  status.initialize(bytes);
  t.equal(bytes[0], 0x80, 'quirk 16: 0x80 is sent');
  bytes[0] = 0x98;
  t.doesNotThrow(() => status.check(bytes), 'quirk 16: 0x98 is accepted');
  bytes[0] = 0x96;
  t.throws(() => status.check(bytes), { code: 'ABI_INVALID' });
  // Quirk 15: declared objects carry Revision 24, Size 1.
  const context = structure('NDIS_SWITCH_NET_BUFFER_LIST_CONTEXT_TYPE_INFO');
  t.doesNotThrow(() =>
    context.check(Uint8Array.from({ length: 24 }, (_, i) => [0x80, 24, 1][i] ?? 0)),
  );
});

t.test('union arms of a request are reachable at their own offsets', async (t) => {
  // ndis-switch-abi.md 2: offsets inside DATA, which starts at 32.
  const bytes = new Uint8Array(248);
  structure('NDIS_OID_REQUEST').initialize(bytes);
  const { DATA } = structure('NDIS_OID_REQUEST').view(bytes);
  DATA.Oid = 0x10271;
  DATA.METHOD_INFORMATION.MethodId = 1;
  DATA.METHOD_INFORMATION.BytesWritten = 2;
  DATA.METHOD_INFORMATION.BytesRead = 3;
  DATA.METHOD_INFORMATION.BytesNeeded = 4;
  DATA.METHOD_INFORMATION.OutputBufferLength = 5;
  t.equal(DATA.SET_INFORMATION.Oid, 0x10271);
  t.same(
    [56, 60, 64, 68, 52].map((o) => bytes[o]),
    [1, 2, 3, 4, 5],
  );
  t.equal(DATA.SET_INFORMATION.BytesNeeded, 1, 'a set-style BytesNeeded overwrites MethodId');
  t.equal(DATA.QUERY_INFORMATION.BytesWritten, 5);
});

t.test('errors are ExtSwitchErrors that HTTP answers with 422', async (t) => {
  try {
    structure('GUID').view(new Uint8Array(3));
    t.fail('expected an error');
  } catch (error) {
    t.ok(isExtSwitchError(error) && error.httpStatus === 422);
  }
});
