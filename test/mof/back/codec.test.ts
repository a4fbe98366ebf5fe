import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../../src/core/errors.ts';
import type { FeatureMember, SerializationProfile } from '../../../src/mof/feature-class.ts';
import { FeatureCodec, featureAtVersion, type Settings } from '../../../src/mof/index.ts';
import {
  fabrikamClass,
  featureClass,
  macRuleClass,
  macStatusClass,
  member,
  randomSettings,
  sampleClass,
} from '../../support/feature-classes.ts';

type Profile = Partial<SerializationProfile>;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function encode(members: readonly FeatureMember[], settings: Settings, profile?: Profile): string {
  return hex(new FeatureCodec(featureClass('Vendor_Any', members), profile).encode(settings));
}

/** A buffer of zeroes with some bytes set: offset → hex text, spaces allowed. */
function bytesOf(length: number, parts: Readonly<Record<number, string>>): Uint8Array {
  const bytes = new Uint8Array(length);
  for (const [offset, text] of Object.entries(parts)) {
    bytes.set(Buffer.from(text.replaceAll(' ', ''), 'hex'), Number(offset));
  }
  return bytes;
}

const WORKED: Settings = {
  IntValue8: 0x11,
  IntValue16: 0x2233,
  IntValue32: 0x44556677,
  IntValue64: 0x8899aabbccddeeffn,
  FixedLengthString: 'Fix',
  VariableLengthString: 'Hi',
  FixedLengthArray: [1, 0xffffffff],
  VariableLengthArray: [1, 2],
};

t.test('the documented sample class becomes the documented bytes, native16', (t) => {
  const codec = new FeatureCodec(sampleClass);
  const expected = bytesOf(600, {
    0: '11',
    2: '33 22',
    4: '77 66 55 44',
    8: 'ff ee dd cc bb aa 99 88',
    16: '06 00',
    18: '46 00 69 00 78 00',
    532: '48 02 00 00', // 584
    536: '02 00 00 00',
    540: '01 00 00 00 ff ff ff ff',
    572: '02 00 00 00',
    576: '50 02 00 00', // 592
    584: '04 00 48 00 69 00',
    592: '01 00 00 00 02 00 00 00',
  });
  t.equal(codec.size(WORKED), 600);
  t.equal(hex(codec.encode(WORKED)), hex(expected));
  t.same(codec.decode(expected), WORKED);
  t.end();
});

t.test('the documented sample class becomes the documented bytes, doc32', (t) => {
  const codec = new FeatureCodec(sampleClass, { uint16: 'doc32' });
  const expected = bytesOf(608, {
    0: '11',
    4: '33 22',
    8: '77 66 55 44',
    16: 'ff ee dd cc bb aa 99 88',
    24: '06 00',
    26: '46 00 69 00 78 00',
    540: '50 02 00 00', // 592
    544: '02 00 00 00',
    548: '01 00 00 00 ff ff ff ff',
    580: '02 00 00 00',
    584: '58 02 00 00', // 600
    592: '04 00 48 00 69 00',
    600: '01 00 00 00 02 00 00 00',
  });
  t.equal(codec.size(WORKED), 608);
  t.equal(hex(codec.encode(WORKED)), hex(expected));
  t.same(codec.decode(expected), WORKED);
  t.end();
});

t.test(
  'every byte is written, pads too, and none outside: a used buffer gives the same bytes',
  (t) => {
    for (const uint16 of ['native', 'doc32'] as const) {
      const codec = new FeatureCodec(sampleClass, { uint16 });
      const room = new Uint8Array(700).fill(0xcc);
      const length = codec.write(WORKED, room, 24);
      t.equal(length, codec.size(WORKED));
      t.equal(hex(room.subarray(24, 24 + length)), hex(codec.encode(WORKED)));
      t.ok(room.subarray(0, 24).every((byte) => byte === 0xcc));
      t.ok(room.subarray(24 + length).every((byte) => byte === 0xcc));
    }
    t.end();
  },
);

t.test('E58: the published MAC rule, its status and the Fabrikam class', (t) => {
  const rule = new FeatureCodec(macRuleClass);
  t.equal(hex(rule.encode({ MacAddress: [0, 0x15, 0x5d, 1, 2, 3] })), '0600000000155d0102030000');
  const status = new FeatureCodec(macStatusClass);
  t.equal(hex(status.encode({ PortIds: [1, 7] })), '02000000080000000100000007000000');
  t.equal(hex(status.encode({ PortIds: [] })), '0000000000000000', 'R13');
  const fabrikam = new FeatureCodec(fabrikamClass);
  t.equal(
    hex(fabrikam.encode({ SettingIntA: 5, SettingIntB: 6n })),
    '05000000000000000600000000000000',
  );
  t.end();
});

t.test('R3, R4: scalars in little-endian order, both ways', (t) => {
  const cases: readonly (readonly [FeatureMember['type'], Settings[string], string])[] = [
    ['boolean', true, '01'],
    ['boolean', false, '00'],
    ['uint8', 0xfe, 'fe'],
    ['sint8', -2, 'fe'],
    ['uint16', 0xfffe, 'feff'],
    ['sint16', -2, 'feff'],
    ['uint32', 0xfffffffe, 'feffffff'],
    ['sint32', -2, 'feffffff'],
    ['uint64', 0xfffffffffffffffen, 'feffffffffffffff'],
    ['sint64', -2n, 'feffffffffffffff'],
    ['real32', 1.5, '0000c03f'],
    ['real64', -2.5, '00000000000004c0'],
    ['char16', '\u4133', '3341'],
    ['char16', '', '0000'],
    ['datetime', '', '00'.repeat(50)],
    [
      'datetime',
      '20261122071356.000000+060',
      Buffer.from('20261122071356.000000+060', 'utf16le').toString('hex'),
    ],
  ];
  for (const [type, value, text] of cases) {
    const codec = new FeatureCodec(featureClass('Vendor_One', [member(1, 'X', type)]));
    t.equal(hex(codec.encode({ X: value })), text, `${type} ${String(value)}`);
    t.same(codec.decode(Buffer.from(text, 'hex')), { X: value }, `${type} ${String(value)} back`);
    const array = featureClass('Vendor_Array', [member(1, 'X', type, { array: {} })]);
    const list = new FeatureCodec(array);
    const settings = { X: [value, value] as readonly string[] };
    t.same(list.decode(list.encode(settings)), settings, `${type} as array`);
  }
  const flag = new FeatureCodec(featureClass('Vendor_One', [member(1, 'X', 'boolean')]));
  t.same(flag.decode(Uint8Array.of(2)), { X: true }, 'R3: not zero is true');
  t.end();
});

t.test('R5, R6: a fixed string counts bytes without a terminator and is zero to its end', (t) => {
  const s = member(1, 'S', 'string', { maxLen: 3 });
  t.equal(encode([s], { S: 'ab' }), '0400 61006200 0000 0000'.replaceAll(' ', ''));
  t.equal(encode([s], { S: 'abc' }), '0600 610062006300 0000'.replaceAll(' ', ''));
  t.equal(encode([s], { S: '' }), '0000 0000000000000000'.replaceAll(' ', ''));
  t.end();
});

t.test('R7, R10-R13: tails in WmiDataId order, aligned, from the start of the class', (t) => {
  const members = [
    member(1, 'S', 'string'),
    member(2, 'Q', 'uint64', { array: {} }),
    member(3, 'T', 'string'),
  ];
  // Fixed part 16 bytes; S at 16 (4 + 2 NUL), Q at 24, T at 32: empty but there.
  t.equal(
    encode(members, { S: 'a', Q: [1n], T: '' }),
    '10000000 01000000 18000000 20000000 0200 6100 0000 0000 0100000000000000 0000 0000'.replaceAll(
      ' ',
      '',
    ),
  );
  t.end();
});

t.test('R11: the first tail starts at sizeof, behind the trailing pad', (t) => {
  const members = [member(1, 'V', 'uint8', { array: {} }), member(2, 'B', 'uint8')];
  t.equal(encode(members, { V: [9], B: 7 }), '01000000 0c000000 07 000000 09'.replaceAll(' ', ''));
  t.end();
});

t.test('R8: unused elements are zero', (t) => {
  const members = [member(1, 'A', 'uint16', { array: { max: 3 } })];
  t.equal(encode(members, { A: [1] }), '01000000 0100 0000 0000 0000'.replaceAll(' ', ''));
  t.end();
});

t.test('R17: arrays of strings in their three forms', (t) => {
  const texts = { S: ['a', 'bc'] };
  const blocks = '0200 6100 0000 0000 0400 6200 6300 0000';
  const cases: readonly (readonly [Partial<FeatureMember>, string])[] = [
    [{ maxLen: 2, array: { max: 2 } }, `02000000 ${blocks}`],
    [{ maxLen: 2, array: {} }, `02000000 08000000 ${blocks}`],
    [{ array: {} }, '02000000 08000000 10000000 16000000 0200 6100 0000 0400 6200 6300 0000'],
  ];
  for (const [more, text] of cases) {
    const codec = new FeatureCodec(featureClass('Vendor_Texts', [member(1, 'S', 'string', more)]));
    const bytes = codec.encode(texts);
    t.equal(hex(bytes), text.replaceAll(' ', ''));
    t.same(codec.decode(bytes), texts);
    t.same(codec.decode(codec.encode({ S: [] })), { S: [] }, 'R13');
    t.equal(codec.size(texts), bytes.length);
  }
  t.end();
});

t.test('management.md 2.4: string unit and NUL as the profile says', (t) => {
  const variable = member(1, 'S', 'string');
  const fixed = member(1, 'S', 'string', { maxLen: 2 });
  const cases: readonly (readonly [Profile, string, string])[] = [
    [{}, '04000000 0200 6100 0000', '0200 6100 0000 0000'],
    [{ nul: 'none' }, '04000000 0200 6100', '0200 6100 0000 0000'],
    [{ nul: 'counted' }, '04000000 0400 6100 0000', '0400 6100 0000 0000'],
    [{ stringUnit: 'chars' }, '04000000 0100 6100 0000', '0100 6100 0000 0000'],
    [{ stringUnit: 'chars', nul: 'counted' }, '04000000 0200 6100 0000', '0200 6100 0000 0000'],
  ];
  for (const [profile, variableText, fixedText] of cases) {
    for (const [m, text] of [
      [variable, variableText],
      [fixed, fixedText],
    ] as const) {
      const codec = new FeatureCodec(featureClass('Vendor_Text', [m]), profile);
      const what = JSON.stringify(profile);
      t.equal(hex(codec.encode({ S: 'a' })), text.replaceAll(' ', ''), what);
      t.same(codec.decode(codec.encode({ S: 'a' })), { S: 'a' }, what);
      t.same(codec.decode(codec.encode({ S: '' })), { S: '' }, what);
    }
  }
  t.end();
});

t.test('texts long enough for every way of copying keep each unit', (t) => {
  const codec = new FeatureCodec(featureClass('Vendor_Text', [member(1, 'S', 'string')]));
  for (const length of [7, 8, 9, 15, 16, 17, 55, 56, 57, 64, 255, 32_766]) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(0x4100 + (i % 512))).join('');
    const bytes = codec.encode({ S: text });
    t.equal(hex(bytes.subarray(6, 6 + length * 2)), Buffer.from(text, 'utf16le').toString('hex'));
    const shifted = new Uint8Array(bytes.length + 3);
    t.equal(codec.write({ S: text }, shifted, 3), bytes.length);
    t.same(codec.decode(shifted, 3), { S: text }, `${length} units at an odd address`);
  }
  t.end();
});

t.test('settings in another order, or with more members, give the same bytes', (t) => {
  const codec = new FeatureCodec(sampleClass);
  const turned = Object.fromEntries(Object.entries(WORKED).reverse());
  t.equal(hex(codec.encode(turned)), hex(codec.encode(WORKED)));
  t.equal(hex(codec.encode({ ...WORKED, Other: 1 })), hex(codec.encode(WORKED)));
  t.end();
});

t.test('a buffer without room is refused as INVALID_ARGUMENT, wherever it ends', (t) => {
  const codec = new FeatureCodec(sampleClass);
  for (const length of [0, 583, 584, 585, 591, 592, 599]) {
    t.throws(() => codec.write(WORKED, new Uint8Array(length), 0), { code: 'INVALID_ARGUMENT' });
  }
  const texts = new FeatureCodec(
    featureClass('Vendor_Texts', [member(1, 'S', 'string', { array: {} })]),
  );
  const settings = { S: ['abc', 'd'] };
  const length = texts.size(settings);
  for (let room = 0; room < length; room += 1) {
    t.throws(() => texts.write(settings, new Uint8Array(room), 0), { code: 'INVALID_ARGUMENT' });
  }
  t.throws(() => codec.write(WORKED, new Uint8Array(700), -1), { code: 'INVALID_ARGUMENT' });
  t.throws(() => codec.write(WORKED, new Uint8Array(700), 101), {
    code: 'INVALID_ARGUMENT',
    message: /Vendor_SampleFeatureSettingData does not fit: .* at offset 101, found 599/,
  });
  t.end();
});

t.test(
  'values that were not normalized are refused as SETTINGS_INVALID, never written over others',
  (t) => {
    const wrong: readonly (readonly [string, unknown])[] = [
      ['IntValue8', '1'],
      ['IntValue16', 1n],
      ['IntValue32', undefined],
      ['IntValue64', 1],
      ['FixedLengthString', 'x'.repeat(256)],
      ['FixedLengthString', 5],
      ['VariableLengthString', null],
      ['VariableLengthString', 'x'.repeat(32_767)],
      ['FixedLengthArray', [1, 2, 3, 4, 5, 6, 7, 8, 9]],
      ['FixedLengthArray', 1],
      ['FixedLengthArray', ['1']],
      ['VariableLengthArray', null],
      ['VariableLengthArray', [1, true]],
    ];
    const codec = new FeatureCodec(sampleClass);
    for (const [name, value] of wrong) {
      const settings = { ...WORKED, [name]: value } as Settings;
      try {
        codec.write(settings, new Uint8Array(70_000), 0);
        t.fail(`${name} accepted`);
      } catch (error) {
        t.ok(isExtSwitchError(error) && error.code === 'SETTINGS_INVALID', `${name}: ${error}`);
        t.match(error, { message: new RegExp(`^Vendor_SampleFeatureSettingData\\.${name}`) });
      }
    }
    const odd = featureClass('Vendor_Odd', [
      member(1, 'C', 'char16'),
      member(2, 'D', 'datetime'),
      member(3, 'B', 'boolean'),
      member(4, 'R', 'real64'),
      member(5, 'T', 'string', { array: {} }),
      member(6, 'U', 'string', { array: {}, maxLen: 1 }),
      member(7, 'E', 'uint8', { array: {} }),
    ]);
    const oddCodec = new FeatureCodec(odd);
    const good = oddCodec.normalize({});
    const bad: readonly Settings[] = [
      { C: 'ab' },
      { C: 1 },
      { D: 'x'.repeat(26) },
      { B: 1 },
      { B: 'x' },
      { R: true },
      { T: [1] },
      { U: ['ab'] },
      { E: [1n] },
    ];
    for (const part of bad) {
      t.throws(() => oddCodec.encode({ ...good, ...part }), { code: 'SETTINGS_INVALID' });
    }
    t.throws(() => oddCodec.encode({ ...good, U: ['a', 'bc'] }), {
      message: 'Vendor_Odd.U[1]: expected a length of at most 1, found 2',
    });
    t.throws(() => oddCodec.size({ ...good, T: 'x' }), { code: 'SETTINGS_INVALID' });
    t.end();
  },
);

t.test('E51: a longer buffer of a newer class is read as far as it is known, at any place', (t) => {
  const newer = featureClass(
    'Vendor_Grown',
    [
      member(1, 'A', 'uint32'),
      member(2, 'S', 'string'),
      member(3, 'B', 'uint64', { version: 0x0200 }),
      member(4, 'V', 'uint8', { version: 0x0200, array: {} }),
    ],
    { version: 0x0200 },
  );
  const settings = { A: 1, S: 'both', B: 2n, V: [3] };
  const bytes = new FeatureCodec(newer).encode(settings);
  const older = new FeatureCodec(featureAtVersion(newer, 0x0100));
  t.same(older.decode(bytes), { A: 1, S: 'both' });
  const room = new Uint8Array(bytes.length + 16).fill(0xcc);
  room.set(bytes, 8);
  t.same(older.decode(room, 8, bytes.length), { A: 1, S: 'both' });
  t.equal(hex(older.encode({ A: 1, S: 'both' })).slice(0, 8), '01000000', 'management.md 2.7');
  t.end();
});

t.test('decode(encode(v)) is v for random classes, values and profiles', (t) => {
  const profile = fc.record<SerializationProfile>({
    uint16: fc.constantFrom('native', 'doc32'),
    stringUnit: fc.constantFrom('bytes', 'chars'),
    nul: fc.constantFrom('none', 'appended', 'counted'),
  });
  fc.assert(
    fc.property(randomSettings(), profile, ([feature, settings], switches) => {
      const codec = new FeatureCodec(feature, switches);
      const bytes = codec.encode(settings);
      t.strictSame(codec.decode(bytes), settings);
      t.equal(bytes.length, codec.size(settings));
      const used = new Uint8Array(bytes.length + 8).fill(0xa5);
      t.equal(codec.write(settings, used, 8), bytes.length);
      t.equal(hex(used.subarray(8)), hex(bytes));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('adding a member with a higher id leaves the fields before it alone', (t) => {
  fc.assert(
    fc.property(randomSettings(), ([feature, settings]) => {
      const before = new FeatureCodec(feature);
      const id = feature.members.length + 1;
      const added = member(id, `M${id}`, 'uint64');
      const after = new FeatureCodec({ ...feature, members: [...feature.members, added] });
      const fields = before.layout.members;
      t.same(after.layout.members.slice(0, fields.length), fields);
      const old = before.encode(settings);
      const grown = after.encode({ ...settings, [`M${id}`]: 1n });
      for (const { name, offset, size } of fields) {
        if (name.endsWith('Offset')) continue; // Tails move with sizeof (management.md 2.7).
        t.equal(
          hex(grown.subarray(offset, offset + size)),
          hex(old.subarray(offset, offset + size)),
        );
      }
      t.same(before.decode(grown), settings);
    }),
    { numRuns: 60 },
  );
  t.end();
});
