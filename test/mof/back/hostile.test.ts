import fc from 'fast-check';
import t from 'tap';
import { ExtSwitchError, isExtSwitchError } from '../../../src/core/errors.ts';
import { FeatureCodec, type TailOverlap } from '../../../src/mof/index.ts';
import {
  featureClass,
  macStatusClass,
  member,
  randomSettings,
  sampleClass,
} from '../../support/feature-classes.ts';

const codec = new FeatureCodec(sampleClass);
const SAMPLE = codec.encode({
  IntValue8: 1,
  IntValue16: 2,
  IntValue32: 3,
  IntValue64: 4n,
  FixedLengthString: 'ab',
  VariableLengthString: 'Hi',
  FixedLengthArray: [7],
  VariableLengthArray: [1, 2],
});

/** The sample with a little-endian number changed. */
function changed(offset: number, value: number, size: 2 | 4): Uint8Array {
  const bytes = SAMPLE.slice();
  const view = new DataView(bytes.buffer);
  if (size === 2) view.setUint16(offset, value, true);
  else view.setUint32(offset, value, true);
  return bytes;
}

function errorOf(bytes: Uint8Array, of = codec): ExtSwitchError {
  try {
    of.decode(bytes);
  } catch (error) {
    if (isExtSwitchError(error)) return error;
    throw error;
  }
  throw new Error('accepted');
}

t.test(
  'bytes that are not the class are refused naming member, offset, expected and found',
  (t) => {
    const cases: readonly (readonly [string, Uint8Array, string, number, RegExp, string])[] = [
      ['odd count', changed(16, 3, 2), 'FixedLengthString', 16, /an even byte count/, '3'],
      ['count over MaxLen + 1', changed(16, 514, 2), 'FixedLengthString', 16, /at most 255/, '257'],
      ['inline count over Max', changed(536, 9, 4), 'FixedLengthArray', 536, /at most 8/, '9'],
      ['text offset 0', changed(532, 0, 4), 'VariableLengthString', 532, /584\.\.600/, 'offset 0'],
      [
        'text offset in the fixed part',
        changed(532, 583, 4),
        'VariableLengthString',
        532,
        /584\.\.600/,
        'offset 583',
      ],
      [
        'text offset with half a count',
        changed(532, 599, 4),
        'VariableLengthString',
        532,
        /a string record within/,
        'offset 599',
      ],
      [
        'text offset 2^32 - 1',
        changed(532, 0xffffffff, 4),
        'VariableLengthString',
        532,
        /a string record within/,
        'offset 4294967295',
      ],
      ['odd text', changed(584, 5, 2), 'VariableLengthString', 584, /an even byte count/, '5'],
      [
        'long text',
        changed(584, 16, 2),
        'VariableLengthString',
        532,
        /18 bytes within/,
        'offset 584',
      ],
      [
        'array one too long',
        changed(572, 3, 4),
        'VariableLengthArray',
        576,
        /12 bytes/,
        'offset 592',
      ],
      [
        'count whose product wraps 32 bits',
        changed(572, 0x40000001, 4),
        'VariableLengthArray',
        576,
        /4294967300 bytes within/,
        'offset 592',
      ],
      [
        'count 2^32 - 1',
        changed(572, 0xffffffff, 4),
        'VariableLengthArray',
        572,
        /at most 2147483647/,
        '4294967295',
      ],
      [
        'array offset that wraps with its size',
        changed(576, 0xfffffff8, 4),
        'VariableLengthArray',
        576,
        /8 bytes within/,
        'offset 4294967288',
      ],
    ];
    for (const [what, bytes, name, offset, expected, found] of cases) {
      const error = errorOf(bytes);
      t.equal(error.code, 'ABI_INVALID', what);
      t.match(
        error.place,
        { structure: sampleClass.name, member: name, offset, expected, found },
        what,
      );
      t.match(error.message, `${sampleClass.name}.${name} at offset ${offset}: expected `, what);
    }
    t.end();
  },
);

t.test('MaxLen characters and a full last unit are told apart from a counted NUL', (t) => {
  const short = new FeatureCodec(
    featureClass('Vendor_Short', [member(1, 'S', 'string', { maxLen: 2 })]),
  );
  t.same(short.decode(Buffer.from('060061006200 0000'.replace(' ', ''), 'hex')), { S: 'ab' });
  t.equal(errorOf(Buffer.from('0600610062006300', 'hex'), short).place.member, 'S');
  t.same(short.decode(Buffer.from('0400610000000000', 'hex')), { S: 'a' }, 'NULs trimmed');
  t.end();
});

t.test('a doc32 value above 65535 is no uint16', (t) => {
  const wide = new FeatureCodec(featureClass('Vendor_Wide', [member(1, 'A', 'uint16')]), {
    uint16: 'doc32',
  });
  t.same(wide.decode(Uint8Array.of(0xff, 0xff, 0, 0)), { A: 65_535 });
  t.match(errorOf(Uint8Array.of(0, 0, 1, 0), wide).place, { member: 'A', found: '65536' });
  t.end();
});

t.test('a short buffer or a range outside the bytes is refused', (t) => {
  t.match(errorOf(SAMPLE.subarray(0, 583)), {
    code: 'ABI_INVALID',
    message: `${sampleClass.name} at offset 0: expected at least 584 bytes, found 583 bytes`,
  });
  for (const [offset, length] of [
    [-1, 584],
    [0, 601],
    [601, 0],
    [0.5, 584],
    [0, Number.NaN],
    [Number.NaN, 584],
  ] as const) {
    t.throws(() => codec.decode(SAMPLE, offset, length), { code: 'ABI_INVALID' });
  }
  t.end();
});

t.test('R13: a count of 0 makes the offset meaningless', (t) => {
  const bytes = SAMPLE.slice();
  bytes.fill(0, 572, 576);
  bytes.fill(0xff, 576, 580);
  t.same(codec.decode(bytes)['VariableLengthArray'], []);
  t.end();
});

t.test('R12: tails in any order and unaligned are read', (t) => {
  const bytes = new Uint8Array(604);
  bytes.set(SAMPLE.subarray(0, 584));
  const view = new DataView(bytes.buffer);
  view.setUint32(576, 585, true); // array first, at an odd offset
  view.setUint32(585, 1, true);
  view.setUint32(589, 2, true);
  view.setUint32(532, 595, true);
  bytes.set([4, 0, 0x48, 0, 0x69, 0], 595);
  t.match(codec.decode(bytes), { VariableLengthString: 'Hi', VariableLengthArray: [1, 2] });
  t.end();
});

t.test('overlapping tails are read and reported', (t) => {
  const seen: TailOverlap[] = [];
  const listener = (overlap: TailOverlap) => seen.push(overlap);
  codec.decode(SAMPLE, 0, SAMPLE.length, listener);
  t.same(seen, [], 'ours do not overlap');
  const settings = codec.decode(changed(576, 588, 4), 0, SAMPLE.length, listener);
  t.same(settings['VariableLengthArray'], [0x69, 1]);
  t.same(seen, [
    { first: 'VariableLengthString', second: 'VariableLengthArray', offset: 588, sizeBytes: 2 },
  ]);
  t.end();
});

t.test('many offsets to one long text end with an error, not with the memory', (t) => {
  const texts = new FeatureCodec(
    featureClass('Vendor_Texts', [member(1, 'S', 'string', { array: {} })]),
  );
  const count = 2_000;
  const bytes = new Uint8Array(8 + count * 4 + 65_536);
  const view = new DataView(bytes.buffer);
  const record = 8 + count * 4;
  view.setUint32(0, count, true);
  view.setUint32(4, 8, true);
  for (let i = 0; i < count; i += 1) view.setUint32(8 + i * 4, record, true);
  view.setUint16(record, 65_534, true);
  bytes.fill(0x41, record + 2);
  t.match(errorOf(bytes, texts), { code: 'ABI_INVALID', message: /tails that share at most/ });
  t.end();
});

t.test(
  'random bytes and random damage give settings or ABI_INVALID, and nothing outside is read',
  (t) => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 12,
    });
    let refused = 0;
    fc.assert(
      fc.property(
        randomSettings(),
        damage,
        fc.nat({ max: 40 }),
        fc.integer({ min: 0, max: 255 }),
        ([feature, settings], changes, cut, guard) => {
          const of = new FeatureCodec(feature);
          const bytes = of.encode(settings);
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          const length = Math.max(0, bytes.length - (cut > 20 ? cut - 20 : 0));
          const outcomes = [guard, 255 - guard].map((around) => {
            const room = new Uint8Array(bytes.length + 64).fill(around);
            room.set(bytes.subarray(0, length), 16);
            try {
              return of.decode(room, 16, length);
            } catch (error) {
              if (!(error instanceof ExtSwitchError) || error.code !== 'ABI_INVALID') throw error;
              refused += 1;
              return error.message;
            }
          });
          // The same whatever surrounds the buffer: nothing outside was looked at.
          t.strictSame(outcomes[0], outcomes[1]);
        },
      ),
      { numRuns: 400 },
    );
    t.ok(refused > 20, `${refused} were refused`);
    t.end();
  },
);

t.test('decodeAnnotated gives every C field with its place, tails as children', (t) => {
  const fields = codec.decodeAnnotated(SAMPLE, 1_000);
  t.same(
    fields.map((f) => [f.name, f.ctype, f.offset, f.size, f.value]),
    [
      ['IntValue8', 'UINT8', 1_000, 1, 1],
      ['IntValue16', 'UINT16', 1_002, 2, 2],
      ['IntValue32', 'UINT32', 1_004, 4, 3],
      ['IntValue64', 'UINT64', 1_008, 8, 4n],
      ['FixedLengthStringByteCount', 'UINT16', 1_016, 2, 4],
      ['FixedLengthString', 'WCHAR[256]', 1_018, 512, 'ab'],
      ['VariableLengthStringOffset', 'UINT32', 1_532, 4, 584],
      ['FixedLengthArrayElementCount', 'UINT32', 1_536, 4, 1],
      ['FixedLengthArray', 'UINT32[8]', 1_540, 32, [7]],
      ['VariableLengthArrayElementCount', 'UINT32', 1_572, 4, 2],
      ['VariableLengthArrayOffset', 'UINT32', 1_576, 4, 592],
    ],
  );
  t.same(fields[6]?.children, [
    {
      name: 'VariableLengthString',
      ctype: '{UINT16, WCHAR[2]}',
      offset: 1_584,
      size: 6,
      value: 'Hi',
    },
  ]);
  t.same(fields[10]?.children, [
    { name: 'VariableLengthArray', ctype: 'UINT32[2]', offset: 1_592, size: 8, value: [1, 2] },
  ]);
  t.equal(fields[0]?.children, undefined);
  const status = new FeatureCodec(macStatusClass);
  const empty = status.decodeAnnotated(new Uint8Array(8));
  t.equal(empty[1]?.children, undefined, 'an empty array has no tail');
  t.throws(() => codec.decodeAnnotated(SAMPLE.subarray(0, 100)), { code: 'ABI_INVALID' });
  t.end();
});

t.test('decodeAnnotated shows string arrays down to their records', (t) => {
  const feature = featureClass('Vendor_Texts', [
    member(1, 'S', 'string', { array: {} }),
    member(2, 'B', 'string', { array: {}, maxLen: 2 }),
    member(3, 'D', 'datetime', { array: {} }),
  ]);
  const texts = new FeatureCodec(feature, { nul: 'none' });
  const bytes = texts.encode({ S: ['a', 'bc'], B: ['d'], D: [''] });
  const fields = texts.decodeAnnotated(bytes);
  t.same(fields[1]?.children, [
    {
      name: 'S',
      ctype: 'UINT32[2]',
      offset: 24,
      size: 8,
      value: [32, 36],
      children: [
        { name: 'S[0]', ctype: '{UINT16, WCHAR[1]}', offset: 32, size: 4, value: 'a' },
        { name: 'S[1]', ctype: '{UINT16, WCHAR[2]}', offset: 36, size: 6, value: 'bc' },
      ],
    },
  ]);
  t.same(fields[3]?.children, [
    { name: 'B', ctype: '{UINT16, WCHAR[3]}[1]', offset: 42, size: 8, value: ['d'] },
  ]);
  t.same(fields[5]?.children, [
    { name: 'D', ctype: 'WCHAR[1][25]', offset: 50, size: 50, value: [''] },
  ]);
  t.end();
});
