import t from 'tap';
import {
  checkSaveState,
  customData,
  customSize,
  FeatureStatusBuffer,
  featureStatusSize,
  PropertyBuffer,
  propertySize,
  saveDataOffset,
  statusData,
  structure,
  writeCustom,
  writeFeatureStatusQuery,
  writeProperty,
  writePropertyDelete,
  writeSaveState,
  writeSecurity,
} from '../../src/abi/index.ts';

const ID = '00112233-4455-6677-8899-aabbccddeeff';
const ID_WIRE = '33221100554477668899aabbccddeeff';
const INSTANCE = 'ffeeddcc-bbaa-9988-7766-554433221100';
const INSTANCE_WIRE = 'ccddeeffaabb88997766554433221100';
const HEAD = { portId: 7, propertyId: ID, propertyVersion: 0x0101, propertyInstanceId: INSTANCE };

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer).toString('hex');

/** A filled buffer with the property at 16, so that absolute and relative offsets differ. */
function portProperty(dataLength = 8): Uint8Array {
  const bytes = new Uint8Array(16 + propertySize('port', dataLength)).fill(0xa5);
  const at = writeProperty('port', bytes, 16, HEAD, dataLength);
  bytes.fill(0x11, at, at + dataLength);
  return bytes;
}

const get32 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer).getUint32(at, true);
const set32 = (bytes: Uint8Array, at: number, value: number) =>
  new DataView(bytes.buffer).setUint32(at, value, true);

function edit(bytes: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(offset, value, true);
  return copy;
}

t.test('E9-E12, E14: a custom port property is 64 + 16 + data, byte for byte', async (t) => {
  const bytes = portProperty();
  t.equal(
    hex(bytes.subarray(16)),
    `80014000${u32(0)}${u32(7)}${u32(1)}${ID_WIRE}01010100${INSTANCE_WIRE}${u32(24)}${u32(64)}${u32(0)}` +
      `80011000${u32(0)}${u32(8)}${u32(16)}${'11'.repeat(8)}`,
  );
  const buffer = new PropertyBuffer('port').bind(bytes, 16);
  t.equal(buffer.isCustom, true);
  t.equal(buffer.portId, 7);
  t.equal(buffer.parameters.PropertyId, ID);
  t.equal(buffer.parameters.PropertyInstanceId, INSTANCE);
  t.equal(buffer.parameters.PropertyVersion, 0x0101);
  t.equal(buffer.parameters.SerializationVersion, 1, 'E10');
  t.same(
    [buffer.structureOffset, buffer.structureLength, buffer.dataOffset, buffer.dataLength],
    [80, 24, 96, 8],
  );
  t.equal(buffer.data.buffer, bytes.buffer, 'a window, not a copy');
  t.equal(hex(buffer.data), '11'.repeat(8));
});

t.test('E15: a custom switch property is 56 + 16 + data, byte for byte', async (t) => {
  const bytes = new Uint8Array(propertySize('switch', 4));
  t.equal(bytes.length, 76);
  bytes.fill(0x22, writeProperty('switch', bytes, 0, HEAD, 4));
  t.equal(
    hex(bytes),
    `80013800${u32(0)}${u32(1)}${ID_WIRE}01010100${INSTANCE_WIRE}${u32(20)}${u32(56)}` +
      `80011000${u32(0)}${u32(4)}${u32(16)}22222222`,
  );
  const buffer = new PropertyBuffer('switch').bind(bytes);
  t.equal(buffer.portId, undefined);
  t.same([buffer.dataOffset, buffer.dataLength], [72, 4]);
});

t.test('a standard property follows its parameters without a custom structure', async (t) => {
  const bytes = new Uint8Array(propertySize('port', 24, 2));
  t.equal(bytes.length, 88);
  const at = writeProperty('port', bytes, 0, { ...HEAD, propertyType: 2 }, 24);
  t.equal(at, 64);
  writeSecurity(bytes, at, {
    AllowMacSpoofing: true,
    AllowIeeePriorityTag: false,
    VirtualSubnetId: 0,
    AllowTeaming: false,
  });
  const buffer = new PropertyBuffer('port').bind(bytes);
  t.equal(buffer.isCustom, false);
  t.same([buffer.dataOffset, buffer.dataLength], [64, 24]);
});

t.test('a delete carries type, id and instance and nothing else', async (t) => {
  const port = new Uint8Array(48);
  t.equal(writePropertyDelete('port', port, 0, HEAD), 48);
  t.equal(hex(port), `80013000${u32(0)}${u32(7)}${u32(1)}${ID_WIRE}${INSTANCE_WIRE}`);
  const own = new Uint8Array(44);
  t.equal(writePropertyDelete('switch', own, 0, { ...HEAD, propertyType: 1 }), 44);
  t.equal(hex(own), `80012c00${u32(0)}${u32(1)}${ID_WIRE}${INSTANCE_WIRE}`);
  t.throws(() => writePropertyDelete('port', new Uint8Array(47), 0, HEAD), { code: 'ABI_INVALID' });
});

t.test(
  'a wrong offset or length is named with structure, member, offset, expected, found',
  async (t) => {
    const good = portProperty();
    const buffer = new PropertyBuffer('port');
    // Positions in the buffer: parameters at 16 (length 52, offset 56 in it), custom at 80 (8 and 12 in it).
    const cases: readonly (readonly [number, number, string, string, string, string])[] = [
      [
        72,
        63,
        'PARAMETERS',
        'PropertyBufferOffset',
        'at least 64, behind the structure itself',
        '63',
      ],
      [
        72,
        0,
        'PARAMETERS',
        'PropertyBufferOffset',
        'at least 64, behind the structure itself',
        '0',
      ],
      [72, 89, 'PARAMETERS', 'PropertyBufferOffset', 'at most 88, the room there is', '89'],
      [
        72,
        0xffffffff,
        'PARAMETERS',
        'PropertyBufferOffset',
        'at most 88, the room there is',
        '4294967295',
      ],
      [68, 25, 'PARAMETERS', 'PropertyBufferLength', 'at most 24, the room behind offset 64', '25'],
      // 64 + 0xffffffff wraps to 63 in 32 bits.
      [
        68,
        0xffffffff,
        'PARAMETERS',
        'PropertyBufferLength',
        'at most 24, the room behind offset 64',
        '4294967295',
      ],
      [92, 15, 'CUSTOM', 'PropertyBufferOffset', 'at least 16, behind the structure itself', '15'],
      [92, 25, 'CUSTOM', 'PropertyBufferOffset', 'at most 24, the room there is', '25'],
      [88, 9, 'CUSTOM', 'PropertyBufferLength', 'at most 8, the room behind offset 16', '9'],
      [
        88,
        0xfffffff1,
        'CUSTOM',
        'PropertyBufferLength',
        'at most 8, the room behind offset 16',
        '4294967281',
      ],
    ];
    for (const [at, value, kind, member, expected, found] of cases) {
      const structureName = `NDIS_SWITCH_PORT_PROPERTY_${kind}`;
      t.throws(() => buffer.bind(edit(good, at, value), 16), {
        code: 'ABI_INVALID',
        place: { structure: structureName, member, offset: at, expected, found },
      });
    }
    t.throws(() => buffer.bind(good, 16, 63), { code: 'ABI_INVALID' }, 'short parameters');
    t.throws(() => buffer.bind(edit(good, 68, 15), 16), {
      code: 'ABI_INVALID',
      place: { structure: 'NDIS_SWITCH_PORT_PROPERTY_CUSTOM', offset: 80, found: '15 bytes' },
    });
    t.throws(() => buffer.bind(edit(good, 80, 0), 16), {
      place: { structure: 'NDIS_SWITCH_PORT_PROPERTY_CUSTOM', member: 'Header.Type' },
      code: 'ABI_INVALID',
    });
    t.equal(
      buffer.bind(edit(edit(good, 88, 0), 92, 0), 16).data.length,
      0,
      'an empty piece may claim any offset',
    );
  },
);

t.test('a newer sender with bigger structures is followed by its own offsets', async (t) => {
  const bytes = new Uint8Array(120);
  writeProperty('port', bytes, 0, HEAD, 8);
  const parameters = structure('NDIS_SWITCH_PORT_PROPERTY_PARAMETERS').view(bytes);
  parameters.Header.Revision = 2;
  parameters.Header.Size = 72;
  parameters.PropertyBufferOffset = 80;
  parameters.PropertyBufferLength = 40;
  const data = writeCustom('port', bytes, 80, 8);
  t.equal(data, 96);
  const buffer = new PropertyBuffer('port').bind(bytes);
  t.same([buffer.structureOffset, buffer.dataOffset, buffer.dataLength], [80, 96, 8]);
  parameters.PropertyBufferOffset = 71;
  t.throws(() => buffer.bind(bytes), {
    code: 'ABI_INVALID',
    place: { expected: 'at least 72, behind the structure itself' },
  });
});

t.test('a custom structure of its own gives the place of its data', async (t) => {
  const bytes = new Uint8Array(8 + customSize(3));
  t.equal(writeCustom('switch', bytes, 8, 3), 24);
  t.same(customData('switch', bytes, 8, 19), { offset: 24, length: 3 });
  t.throws(() => customData('switch', bytes, 8, 18), {
    code: 'ABI_INVALID',
    place: { member: 'PropertyBufferLength' },
  });
});

t.test('F2-F4: a feature status query presets all but the version', async (t) => {
  const head = { portId: 7, featureStatusId: ID, featureStatusInstanceId: INSTANCE };
  const port = new Uint8Array(featureStatusSize('port', 8)).fill(0xa5);
  t.equal(port.length, 88);
  t.equal(writeFeatureStatusQuery('port', port, 0, head, 8), 80);
  t.equal(
    hex(port),
    `80014000${u32(0)}${u32(7)}${u32(1)}${ID_WIRE}00000100${INSTANCE_WIRE}${u32(24)}${u32(64)}${u32(0)}` +
      `80011000${u32(0)}${u32(8)}${u32(16)}${'00'.repeat(8)}`,
  );
  // Quirk 7: offset before length, instance id before version.
  const own = new Uint8Array(featureStatusSize('switch', 8)).fill(0xa5);
  t.equal(own.length, 80);
  t.equal(writeFeatureStatusQuery('switch', own, 0, head, 8), 72);
  t.equal(
    hex(own),
    `80013800${u32(0)}${u32(1)}${ID_WIRE}${INSTANCE_WIRE}00000100${u32(56)}${u32(24)}` +
      `80011000${u32(0)}${u32(8)}${u32(16)}${'00'.repeat(8)}`,
  );
});

t.test('F9: an answer sets version and length, in both scopes', async (t) => {
  for (const scope of ['port', 'switch'] as const) {
    const bytes = new Uint8Array(featureStatusSize(scope, 8));
    const dataAt = writeFeatureStatusQuery(
      scope,
      bytes,
      0,
      { featureStatusId: ID, featureStatusInstanceId: INSTANCE },
      8,
    );
    const buffer = new FeatureStatusBuffer(scope).bind(bytes);
    t.equal(buffer.dataOffset, dataAt);
    t.equal(buffer.dataLength, 8, 'the room');
    t.equal(buffer.portId, scope === 'port' ? 0 : undefined);
    bytes.set([1, 2, 3, 4], dataAt);
    buffer.answer(0x0200, 4);
    const again = new FeatureStatusBuffer(scope).bind(bytes);
    t.equal(again.parameters.FeatureStatusVersion, 0x0200);
    t.equal(hex(again.data), '01020304');
    t.same(statusData(scope, bytes, again.customOffset, again.customLength), {
      offset: dataAt,
      length: 4,
    });
  }
});

t.test('a feature status buffer with wrong offsets is refused by member', async (t) => {
  const bytes = new Uint8Array(featureStatusSize('switch', 8));
  writeFeatureStatusQuery(
    'switch',
    bytes,
    0,
    { featureStatusId: ID, featureStatusInstanceId: INSTANCE },
    8,
  );
  const buffer = new FeatureStatusBuffer('switch');
  const cases: readonly (readonly [number, number, string])[] = [
    [48, 55, 'FeatureStatusBufferOffset'],
    [52, 25, 'FeatureStatusBufferLength'],
    [64, 9, 'FeatureStatusCustomBufferLength'],
    [68, 0xffffffff, 'FeatureStatusCustomBufferOffset'],
  ];
  for (const [at, value, member] of cases) {
    t.throws(() => buffer.bind(edit(bytes, at, value)), {
      code: 'ABI_INVALID',
      place: { member, offset: at, found: String(value) },
    });
  }
  t.throws(() => statusData('switch', edit(bytes, 64, 9), 56, 24), { code: 'ABI_INVALID' });
});

t.test(
  'a save state puts its data at a multiple of 8 and its overflow into revision 2',
  async (t) => {
    const head = {
      portId: 1,
      nicIndex: 0,
      extensionId: ID,
      extensionFriendlyName: 'Ext',
      featureClassId: INSTANCE,
    };
    t.equal(saveDataOffset('6.40'), 568);
    t.equal(saveDataOffset('6.50'), 576);
    const small = new Uint8Array(600).fill(0xa5);
    t.equal(writeSaveState(small, 0, head, 24, '6.50'), 576);
    t.same(checkSaveState(small), { offset: 576, length: 24 });
    t.equal(get32(small, 0) >>> 16, 600, 'quirk 19: Size is that of the whole buffer');
    t.equal(writeSaveState(small, 0, head, 32, '6.40'), 568);
    t.same(checkSaveState(small), { offset: 568, length: 32 });
    const big = new Uint8Array(576 + 70_000);
    t.equal(writeSaveState(big, 0, head, 70_000), 576);
    // Quirk 22: total = SaveDataSize + SaveDataSizeOverflow.
    t.equal(get32(big, 568), 70_000 - (65_535 - 576));
    t.same(checkSaveState(big), { offset: 576, length: 70_000 });
    t.throws(() => writeSaveState(new Uint8Array(71_000), 0, head, 70_000, '6.40'), {
      code: 'ABI_INVALID',
      place: { member: 'SaveDataSizeOverflow' },
    });
    t.throws(() => writeSaveState(new Uint8Array(599), 0, head, 24), {
      code: 'ABI_INVALID',
      place: { expected: '600 bytes' },
    });
    writeSaveState(small, 0, head, 24);
    small[566] = 0x38; // 568: inside revision 2's own overflow member
    t.throws(() => checkSaveState(small), {
      code: 'ABI_INVALID',
      place: { member: 'SaveDataOffset', expected: 'at least 572, behind the structure itself' },
    });
    writeSaveState(small, 0, head, 24);
    set32(small, 568, 0xffffffff);
    t.throws(() => checkSaveState(small), {
      code: 'ABI_INVALID',
      place: { member: 'SaveDataSize' },
    });
  },
);
