import { readFileSync } from 'node:fs';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { guidHex, hex, lastEntry, mofClass, openWorld, PORT_SETTING } from './open-world.ts';

const VENDOR_MOF = readFileSync(new URL('../../policies/vendor-sample.mof', import.meta.url));
const VENDOR = 'Vendor_SampleFeatureSettingData';
const VENDOR_ID = 'f2f73f23-2b8e-457a-96c4-f541201c9150';
const PORT_SETTING_ID = 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb';
const TEST_ID = '0a0a0a0a-0000-4000-8000-000000000001';

const open = (): Promise<Fabric> => Fabric.open({ clock: 'manual', seed: 'features' });
const u16 = (bytes: Uint8Array, at: number): number => Buffer.from(bytes).readUInt16LE(at);
const u32 = (bytes: Uint8Array, at: number): number => Buffer.from(bytes).readUInt32LE(at);

t.test(
  'registering: new is changed, identical again is not, UTF-16 bytes are as good as text',
  async (t) => {
    const fabric = await open();
    const first = await fabric.features.register(FABRIKAM_MOF, { source: 'fabrikam.mof' });
    t.equal(first.changed, true);
    t.same(
      first.features.map(({ name, scope, kind, version, size, builtIn }) => ({
        name,
        scope,
        kind,
        version,
        size,
        builtIn,
      })),
      [
        {
          name: PORT_SETTING,
          scope: 'port',
          kind: 'setting',
          version: 256,
          size: 16,
          builtIn: false,
        },
        {
          name: 'Fabrikam_SwitchCustomSettingData',
          scope: 'switch',
          kind: 'setting',
          version: 256,
          size: 4,
          builtIn: false,
        },
        {
          name: 'Fabrikam_CustomPortData',
          scope: 'port',
          kind: 'status',
          version: 256,
          size: 4,
          builtIn: false,
        },
        {
          name: 'Fabrikam_CustomSwitchData',
          scope: 'switch',
          kind: 'status',
          version: 256,
          size: 4,
          builtIn: false,
        },
      ],
    );
    t.same(first.features[0], {
      id: PORT_SETTING_ID,
      name: PORT_SETTING,
      displayName: 'Fabrikam',
      extensionId: FABRIKAM,
      scope: 'port',
      kind: 'setting',
      version: 256,
      size: 16,
      builtIn: false,
      members: [
        { name: 'SettingIntA', wmiDataId: 1, type: 'uint32', ctype: 'UINT32', offset: 0, size: 4 },
        { name: 'SettingIntB', wmiDataId: 2, type: 'uint64', ctype: 'UINT64', offset: 8, size: 8 },
      ],
      defaults: { SettingIntA: 1, SettingIntB: 2n },
    });
    const utf16 = Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from(FABRIKAM_MOF, 'utf16le')]);
    const again = await fabric.features.register(utf16, { source: 'elsewhere.mof' });
    t.equal(again.changed, false);
    t.same(again.features, first.features);
    await fabric.close();
  },
);

t.test(
  'a feature is found by GUID in any form and by name in any case; a setting before a status',
  async (t) => {
    const { fabric } = await openWorld();
    const { features } = fabric;
    await features.register(mofClass({ name: 'Fabrikam_Both' }));
    await features.register(mofClass({ name: 'Fabrikam_Both', base: 'Msvm_EthernetPortData' }));
    for (const id of [
      PORT_SETTING_ID,
      `{${PORT_SETTING_ID.toUpperCase()}}`,
      PORT_SETTING,
      PORT_SETTING.toUpperCase(),
    ]) {
      t.equal(features.get(id).name, PORT_SETTING, id);
      t.equal(features.classOf(id, 'setting').id, PORT_SETTING_ID);
      t.throws(() => features.get(id, 'status'), { code: 'NOT_FOUND' });
    }
    t.equal(
      features.get(TEST_ID).kind,
      'setting',
      'same UUID on a setting and a status (management 1.4)',
    );
    t.equal(features.get(TEST_ID, 'status').kind, 'status');
    t.equal(features.get('fabrikam_both', 'status').kind, 'status');
    // 24AD3CE1… is on a built-in setting and on a built-in status (management 3.4, 3.5).
    t.equal(
      features.get('24AD3CE1-69BD-4978-B2AC-DAAD389D699C').name,
      'Msvm_EthernetSwitchPortBandwidthSettingData',
    );
    t.equal(
      features.get('24AD3CE1-69BD-4978-B2AC-DAAD389D699C', 'status').name,
      'Msvm_EthernetSwitchPortBandwidthData',
    );
    t.throws(() => features.get('Nobody_Knows'), { code: 'NOT_FOUND', message: /"Nobody_Knows"/ });
    t.throws(() => features.classOf('00000000-0000-4000-8000-000000000009', 'status'), {
      code: 'NOT_FOUND',
      message: /no status feature class/,
    });
    await fabric.close();
  },
);

t.test('clashes are refused and change nothing', async (t) => {
  const fabric = await open();
  await fabric.features.register(mofClass({}), { source: 'one.mof' });
  const other = '0a0a0a0a-0000-4000-8000-000000000002';
  const clashes: readonly [string, string, { code: string; place?: Record<string, string> }][] = [
    [
      'UUID',
      mofClass({ name: 'Fabrikam_Other' }),
      { code: 'ALREADY_EXISTS', place: { member: 'UUID', file: 'two.mof' } },
    ],
    ['name', mofClass({ uuid: other }), { code: 'ALREADY_EXISTS', place: { member: 'name' } }],
    [
      'name in another case',
      mofClass({ uuid: other, name: 'FABRIKAM_TEST' }),
      { code: 'ALREADY_EXISTS' },
    ],
    [
      'same class, other members',
      mofClass({}, '[WmiDataId(1)] uint32 B;'),
      { code: 'ALREADY_EXISTS' },
    ],
    ['same class, older version', mofClass({ version: '0.9' }), { code: 'ALREADY_EXISTS' }],
    [
      'newer version for another owner',
      mofClass({ version: '2', base: 'Msvm_EthernetSwitchFeatureSettingData' }),
      { code: 'ALREADY_EXISTS' },
    ],
    [
      'UUID of a built-in class',
      mofClass({ uuid: '952C5004-4465-451C-8CB8-FA9AB382B773', version: '9' }),
      { code: 'MOF_INVALID' },
    ],
    [
      'two classes, the second clashes',
      mofClass({ uuid: other, name: 'Fabrikam_Fine' }) + mofClass({ name: 'Fabrikam_Other' }),
      { code: 'ALREADY_EXISTS' },
    ],
  ];
  const before = fabric.features.list();
  for (const [what, mof, error] of clashes) {
    await t.rejects(fabric.features.register(mof, { source: 'two.mof' }), error, what);
    t.same(fabric.features.list(), before, `${what}: nothing changed`);
  }
  await t.rejects(fabric.features.register(mofClass({}), { uint16: 'doc32' }), {
    code: 'ALREADY_EXISTS',
    message: /one\.mof:\d+/,
  });
  const fine = await fabric.features.register(
    mofClass({ base: 'Msvm_EthernetPortData', name: 'Fabrikam_State' }),
  );
  t.equal(fine.changed, true, 'a status may have the UUID of a setting');
  await fabric.close();
});

t.test('a newer version replaces a class without instances, and only then', async (t) => {
  const { fabric, sw, port } = await openWorld();
  await fabric.features.register(mofClass({}));
  const added = await port.properties.add('Fabrikam_Test', { A: 7 });
  const newer = mofClass(
    { version: '1.1' },
    '[WmiDataId(1)] uint32 A = 5; [WmiDataId(2)] uint16 B = 6;',
  );
  await t.rejects(fabric.features.register(newer), {
    code: 'FEATURE_IN_USE',
    message: /1 instance/,
  });
  t.equal(fabric.features.get('Fabrikam_Test').version, 0x0100);
  await port.properties.delete(added.id);
  const upgraded = await fabric.features.register(newer);
  t.equal(upgraded.changed, true);
  t.equal(upgraded.features[0]?.version, 0x0101, 'E9: 1.1 is 0x0101');
  t.equal((await port.properties.add(TEST_ID, { A: 7 })).version, 0x0101);
  const entry = lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD');
  t.equal(u16(entry.input, 32), 0x0101, 'PropertyVersion on the wire');
  t.equal(hex(entry.input.subarray(80)), '0700000006000000');
  // Status classes have no instances.
  await fabric.features.register(mofClass({ name: 'Fabrikam_S', base: 'Msvm_EthernetPortData' }));
  await fabric.features.register(
    mofClass({ name: 'Fabrikam_S', base: 'Msvm_EthernetPortData', version: '2' }),
  );
  t.equal(fabric.features.get('Fabrikam_S').version, 0x0200);
  await fabric.close();
});

t.test(
  'MOF errors carry file, line, column and all problems of the file; nothing is registered',
  async (t) => {
    const fabric = await open();
    const before = fabric.features.list().length;
    const bad = `${mofClass({})}\nclass {\n};\nclass Fabrikam_B : {\n};\n`;
    const lines = bad.split('\n');
    const firstLine = lines.indexOf('class {') + 1;
    const error = await fabric.features.register(bad, { source: 'bad.mof' }).then(
      () => t.fail('registered'),
      (thrown) => thrown,
    );
    t.match(error, {
      code: 'MOF_INVALID',
      httpStatus: 422,
      place: { file: 'bad.mof', line: firstLine, column: 7 },
    });
    t.same(
      error.place.problems.map((problem: { line: number; column: number }) => [
        problem.line,
        problem.column,
      ]),
      [
        [firstLine, 7],
        [firstLine + 2, 20],
      ],
    );
    await t.rejects(fabric.features.register('class Plain { uint32 A; };'), {
      code: 'MOF_INVALID',
      message: /no feature class/,
      place: { file: 'mof', line: 1, column: 1 },
    });
    t.equal(fabric.features.list().length, before);
    await fabric.close();
  },
);

t.test('deleting: a registered class goes, one in use or built in stays', async (t) => {
  const { fabric, sw, port } = await openWorld();
  await fabric.features.register(mofClass({}));
  const added = await port.properties.add('Fabrikam_Test', {});
  const inUse = { code: 'FEATURE_IN_USE', httpStatus: 409 };
  await t.rejects(fabric.features.delete('Fabrikam_Test'), inUse);
  await port.properties.delete(added.id);
  await fabric.features.delete(TEST_ID.toUpperCase());
  t.throws(() => fabric.features.get(TEST_ID), { code: 'NOT_FOUND' });
  await t.rejects(fabric.features.delete('Fabrikam_Test'), { code: 'NOT_FOUND' });
  await t.rejects(port.properties.add('Fabrikam_Test', {}), { code: 'NOT_FOUND' });
  await t.rejects(fabric.features.delete('Msvm_EthernetSwitchPortVlanSettingData'), inUse);
  const own = await sw.properties.add('Fabrikam_SwitchCustomSettingData', {});
  await t.rejects(fabric.features.delete('Fabrikam_SwitchCustomSettingData'), inUse);
  await sw.properties.delete(own.id);
  await fabric.features.delete('Fabrikam_SwitchCustomSettingData');
  await fabric.features.delete('Fabrikam_CustomPortData', 'status');
  await fabric.close();
});

/** Offsets of management.md 2.3: [member, native, doc32]. */
const VENDOR_OFFSETS: readonly [string, number, number][] = [
  ['IntValue8', 0, 0],
  ['IntValue16', 2, 4],
  ['IntValue32', 4, 8],
  ['IntValue64', 8, 16],
  ['FixedLengthStringByteCount', 16, 24],
  ['FixedLengthString', 18, 26],
  ['VariableLengthStringOffset', 532, 540],
  ['FixedLengthArrayElementCount', 536, 544],
  ['FixedLengthArray', 540, 548],
  ['VariableLengthArrayElementCount', 572, 580],
  ['VariableLengthArrayOffset', 576, 584],
];

for (const [uint16, size, column] of [
  ['native', 584, 1],
  ['doc32', 592, 2],
] as const) {
  t.test(
    `Vendor_SampleFeatureSettingData as uint16 ${uint16}: ${size} bytes, worked values of the fact sheet`,
    async (t) => {
      const { fabric, sw, port } = await openWorld();
      const { features, warnings } = await fabric.features.register(VENDOR_MOF, { uint16 });
      t.ok(
        warnings.some(({ code, line }) => code === 'W-SUPER' && line > 1),
        'the misspelt superclass is repaired (1.4)',
      );
      t.equal(features[0]?.size, size);
      t.same(
        features[0]?.members.map(({ name, offset }) => [name, offset]),
        VENDOR_OFFSETS.map((row) => [row[0], row[column]]),
      );
      const added = await port.properties.add(VENDOR, {
        IntValue8: 1,
        IntValue16: 0x0203,
        IntValue32: 0x04050607,
        IntValue64: 0x08090a0b0c0d0e0fn,
        FixedLengthString: 'AB',
        VariableLengthString: 'Hi',
        FixedLengthArray: [9],
        VariableLengthArray: [1, 2],
      });
      const { input } = lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD');
      const total = size + 16;
      t.equal(input.length, 64 + 16 + total);
      t.equal(
        hex(input.subarray(0, 16)),
        '80014000' + '00000000' + '01000000' + '01000000',
        'header, flags, PortId 1, Custom',
      );
      t.equal(hex(input.subarray(16, 32)), guidHex(VENDOR_ID));
      t.equal(hex(input.subarray(32, 36)), '00010100', 'E9, E10: version 1.0, serialization 1');
      t.equal(hex(input.subarray(36, 52)), guidHex(added.id));
      t.same(
        [u32(input, 52), u32(input, 56)],
        [16 + total, 64],
        'length and offset of the property',
      );
      t.equal(
        hex(input.subarray(64, 80)),
        `80011000${'00000000'}${hex(Buffer.from(Uint32Array.of(total).buffer))}10000000`,
      );
      const data = input.subarray(80);
      const at = (name: string): number =>
        VENDOR_OFFSETS.find((row) => row[0] === name)?.[column] as number;
      t.equal(data[0], 1);
      t.equal(u16(data, at('IntValue16')), 0x0203);
      if (uint16 === 'doc32') t.equal(u32(data, 4), 0x0203);
      t.equal(u32(data, at('IntValue32')), 0x04050607);
      t.equal(Buffer.from(data).readBigUInt64LE(at('IntValue64')), 0x08090a0b0c0d0e0fn);
      t.equal(
        hex(data.subarray(at('FixedLengthStringByteCount'), at('FixedLengthStringByteCount') + 8)),
        '0400410042000000',
      );
      t.equal(
        u32(data, at('VariableLengthStringOffset')),
        size,
        'the string record stands at the end of the fixed part',
      );
      t.equal(hex(data.subarray(size, size + 6)), '040048006900');
      t.same(
        [u32(data, at('FixedLengthArrayElementCount')), u32(data, at('FixedLengthArray'))],
        [1, 9],
      );
      t.same(
        [
          u32(data, at('VariableLengthArrayElementCount')),
          u32(data, at('VariableLengthArrayOffset')),
        ],
        [2, size + 8],
      );
      t.equal(hex(data.subarray(size + 8)), '0100000002000000');
      await fabric.close();
    },
  );
}

t.test('what is no text where text belongs is refused by its name', async (t) => {
  const fabric = await open();
  for (const given of [5, null, undefined, {}]) {
    await t.rejects(fabric.features.register(given as never), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'mof', expected: 'MOF text or its bytes' },
    });
    const named = {
      code: 'INVALID_ARGUMENT',
      place: { member: 'name', expected: /^text, found / },
    };
    await t.rejects(fabric.switches.create({ name: given as never }), named);
    await t.rejects(fabric.vms.create({ name: given as never }), named);
  }
  t.same([...fabric.switches.list()], []);
  await fabric.close();
});
