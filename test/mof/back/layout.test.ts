import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../../src/core/errors.ts';
import type { FeatureClass, FeatureMember } from '../../../src/mof/feature-class.ts';
import { featureAtVersion, layoutOf } from '../../../src/mof/index.ts';
import {
  fabrikamClass,
  featureClass,
  macRuleClass,
  macStatusClass,
  member,
  randomFeature,
  sampleClass,
} from '../../support/feature-classes.ts';
import '../../support/uncovered-children.ts';

/** `name ctype offset size` of each C member. */
function rows(
  members: readonly FeatureMember[],
  profile: Parameters<typeof layoutOf>[1] = {},
): string[] {
  return layoutOf(featureClass('Vendor_Any', members), profile).members.map(
    (m) => `${m.name} ${m.ctype} ${m.offset} ${m.size}`,
  );
}

/** management.md 2.3, column native16. */
const NATIVE = [
  ['IntValue8', 1, 'UINT8', 0, 1],
  ['IntValue16', 2, 'UINT16', 2, 2],
  ['IntValue32', 3, 'UINT32', 4, 4],
  ['IntValue64', 4, 'UINT64', 8, 8],
  ['FixedLengthStringByteCount', 5, 'UINT16', 16, 2],
  ['FixedLengthString', 5, 'WCHAR[256]', 18, 512],
  ['VariableLengthStringOffset', 6, 'UINT32', 532, 4],
  ['FixedLengthArrayElementCount', 7, 'UINT32', 536, 4],
  ['FixedLengthArray', 7, 'UINT32[8]', 540, 32],
  ['VariableLengthArrayElementCount', 8, 'UINT32', 572, 4],
  ['VariableLengthArrayOffset', 8, 'UINT32', 576, 4],
];
/** management.md 2.3, column doc32. */
const DOC32 = [
  ['IntValue8', 1, 'UINT8', 0, 1],
  ['IntValue16', 2, 'UINT32', 4, 4],
  ['IntValue32', 3, 'UINT32', 8, 4],
  ['IntValue64', 4, 'UINT64', 16, 8],
  ['FixedLengthStringByteCount', 5, 'UINT16', 24, 2],
  ['FixedLengthString', 5, 'WCHAR[256]', 26, 512],
  ['VariableLengthStringOffset', 6, 'UINT32', 540, 4],
  ['FixedLengthArrayElementCount', 7, 'UINT32', 544, 4],
  ['FixedLengthArray', 7, 'UINT32[8]', 548, 32],
  ['VariableLengthArrayElementCount', 8, 'UINT32', 580, 4],
  ['VariableLengthArrayOffset', 8, 'UINT32', 584, 4],
];
const asMembers = (table: typeof NATIVE) =>
  table.map(([name, wmiDataId, ctype, offset, size]) => ({ name, wmiDataId, ctype, offset, size }));

t.test('the documented sample class has the documented layout in both profiles', (t) => {
  const native = layoutOf(sampleClass);
  t.same(native.members, asMembers(NATIVE));
  t.equal(native.size, 584);
  t.equal(native.alignment, 8);
  const doc32 = layoutOf(sampleClass, { uint16: 'doc32' });
  t.same(doc32.members, asMembers(DOC32));
  t.equal(doc32.size, 592);
  t.end();
});

t.test('the other published classes have their known sizes', (t) => {
  const mac = layoutOf(macRuleClass);
  t.equal(mac.size, 12, 'R18: 12, not 10');
  t.same(
    mac.members.map((m) => [m.name, m.offset, m.size]),
    [
      ['MacAddressElementCount', 0, 4],
      ['MacAddress', 4, 6],
    ],
  );
  t.same(
    layoutOf(macStatusClass).members.map((m) => [m.name, m.offset]),
    [
      ['PortIdsElementCount', 0],
      ['PortIdsOffset', 4],
    ],
  );
  t.equal(layoutOf(macStatusClass).size, 8);
  t.same(
    layoutOf(fabrikamClass).members.map((m) => m.offset),
    [0, 8],
  );
  t.equal(layoutOf(fabrikamClass).size, 16);
  t.end();
});

t.test('R1: members given out of order are laid out by ascending WmiDataId', (t) => {
  t.same(rows([member(3, 'C', 'uint8'), member(1, 'A', 'uint32'), member(2, 'B', 'uint8')]), [
    'A UINT32 0 4',
    'B UINT8 4 1',
    'C UINT8 5 1',
  ]);
  t.end();
});

t.test('R3, R4: every scalar has its size and natural alignment', (t) => {
  const expected: readonly (readonly [FeatureMember['type'], string, number, number])[] = [
    ['boolean', 'BOOLEAN', 1, 1],
    ['uint8', 'UINT8', 1, 1],
    ['sint8', 'INT8', 1, 1],
    ['uint16', 'UINT16', 2, 2],
    ['sint16', 'INT16', 2, 2],
    ['uint32', 'UINT32', 4, 4],
    ['sint32', 'INT32', 4, 4],
    ['uint64', 'UINT64', 8, 8],
    ['sint64', 'INT64', 8, 8],
    ['real32', 'float', 4, 4],
    ['real64', 'double', 8, 8],
    ['char16', 'WCHAR', 2, 2],
    ['datetime', 'WCHAR[25]', 2, 50],
  ];
  for (const [type, ctype, offset, size] of expected) {
    const members = [member(1, 'First', 'uint8'), member(2, 'X', type)];
    t.equal(rows(members)[1], `X ${ctype} ${offset} ${size}`, type);
  }
  t.end();
});

t.test('R5, E59: MaxLen(n) gives a byte count and WCHAR[n + 1] without a pad between', (t) => {
  const members = [member(1, 'A', 'uint8'), member(2, 'S', 'string', { maxLen: 3 })];
  t.same(rows(members), ['A UINT8 0 1', 'SByteCount UINT16 2 2', 'S WCHAR[4] 4 8']);
  t.same(rows([member(1, 'S', 'string', { maxLen: 0 })]), [
    'SByteCount UINT16 0 2',
    'S WCHAR[1] 2 2',
  ]);
  t.equal(rows(members, { stringUnit: 'chars' })[1], 'SCharCount UINT16 2 2');
  t.end();
});

t.test(
  'R7, R8, R9, E60: offsets and counts are UINT32; inline elements keep their alignment',
  (t) => {
    t.same(rows([member(1, 'A', 'uint8'), member(2, 'S', 'string')]), [
      'A UINT8 0 1',
      'SOffset UINT32 4 4',
    ]);
    t.same(rows([member(1, 'B', 'uint8', { array: { max: 5 } })]), [
      'BElementCount UINT32 0 4',
      'B UINT8[5] 4 5',
    ]);
    t.same(rows([member(1, 'Q', 'uint64', { array: { max: 2 } })]), [
      'QElementCount UINT32 0 4',
      'Q UINT64[2] 8 16',
    ]);
    t.same(rows([member(1, 'D', 'datetime', { array: { max: 2 } })]), [
      'DElementCount UINT32 0 4',
      'D WCHAR[2][25] 4 100',
    ]);
    t.same(rows([member(1, 'V', 'uint64', { array: {} })]), [
      'VElementCount UINT32 0 4',
      'VOffset UINT32 4 4',
    ]);
    t.end();
  },
);

t.test('R17: string arrays are blocks inline, blocks in the tail, or offsets in the tail', (t) => {
  const blocks = member(1, 'S', 'string', { maxLen: 2, array: { max: 3 } });
  t.same(rows([blocks]), ['SElementCount UINT32 0 4', 'S {UINT16, WCHAR[3]}[3] 4 24']);
  const tail = ['SElementCount UINT32 0 4', 'SOffset UINT32 4 4'];
  t.same(rows([member(1, 'S', 'string', { maxLen: 2, array: {} })]), tail);
  t.same(rows([member(1, 'S', 'string', { array: {} })]), tail);
  t.same(rows([member(1, 'S', 'string', { array: { max: 3 } })]), tail);
  t.end();
});

t.test('management.md 2.4: doc32 widens uint16 scalars only', (t) => {
  const members = [
    member(1, 'A', 'uint16', { array: { max: 2 } }),
    member(2, 'B', 'sint16'),
    member(3, 'C', 'uint16'),
  ];
  t.same(rows(members, { uint16: 'doc32' }), [
    'AElementCount UINT32 0 4',
    'A UINT16[2] 4 4',
    'B INT16 8 2',
    'C UINT32 12 4',
  ]);
  t.end();
});

t.test('a member called like the count field of another gets a name of its own', (t) => {
  const members = [member(1, 'S', 'string', { maxLen: 1 }), member(2, 'SByteCount', 'uint8')];
  t.same(rows(members), ['SByteCount UINT16 0 2', 'S WCHAR[2] 2 4', 'SByteCount_ UINT8 6 1']);
  t.end();
});

t.test('a class without members has no bytes', (t) => {
  t.same(layoutOf(featureClass('Vendor_Empty', [])), { size: 0, alignment: 1, members: [] });
  t.end();
});

t.test('sizes no buffer should have are refused as MOF_INVALID naming the member', (t) => {
  const bad: readonly FeatureMember[] = [
    member(1, 'Big', 'string', { maxLen: 32_767 }),
    member(1, 'Big', 'uint8', { array: { max: 0 } }),
    member(1, 'Big', 'uint8', { array: { max: 1.5 } }),
    member(1, 'Big', 'uint8', { array: { max: 1_000_000_000 } }),
    member(1, 'Big', 'uint64', { array: { max: 1_000_000 } }),
  ];
  for (const m of bad) {
    try {
      layoutOf(featureClass('Vendor_Big', [m]));
      t.fail('accepted');
    } catch (error) {
      t.ok(isExtSwitchError(error) && error.code === 'MOF_INVALID', String(error));
      t.match(error, { message: /^Vendor_Big\.Big: /, place: { member: 'Big' } });
    }
  }
  t.equal(
    layoutOf(featureClass('Vendor_Max', [member(1, 'S', 'string', { maxLen: 32_766 })])).size,
    65_536,
  );
  t.end();
});

t.test('management.md 2.7: featureAtVersion drops members that are newer', (t) => {
  const feature = featureClass(
    'Vendor_Grown',
    [
      member(1, 'A', 'uint32'),
      member(2, 'B', 'uint32', { version: 0x0101 }),
      member(3, 'C', 'uint32', { version: 0x0200 }),
    ],
    { version: 0x0200 },
  );
  const names = (version: number) => featureAtVersion(feature, version).members.map((m) => m.name);
  t.same(names(0x0100), ['A']);
  t.same(names(0x0101), ['A', 'B']);
  t.same(names(0x0200), ['A', 'B', 'C']);
  t.equal(featureAtVersion(feature, 0x0300), feature, 'never newer than the class');
  t.equal(featureAtVersion(feature, 0x0101).version, 0x0101);
  t.end();
});

/** Our own spelling of each member in C, not the one of header.ts: the two must agree by way of the compiler. */
function cMembers(m: FeatureMember, isDoc32: boolean): string {
  const scalars: Readonly<Record<string, string>> = {
    boolean: 'uint8_t',
    uint8: 'uint8_t',
    sint8: 'int8_t',
    uint16: 'uint16_t',
    sint16: 'int16_t',
    uint32: 'uint32_t',
    sint32: 'int32_t',
    uint64: 'uint64_t',
    sint64: 'int64_t',
    real32: 'float',
    real64: 'double',
    char16: 'uint16_t',
  };
  const count = `uint32_t ${m.name}ElementCount;`;
  const offset = `uint32_t ${m.name}Offset;`;
  if (m.type === 'string') {
    const block =
      m.maxLen === undefined
        ? ''
        : `uint16_t ${m.name}ByteCount; uint16_t ${m.name}[${m.maxLen + 1}];`;
    if (m.array === undefined) return block === '' ? offset : block;
    if (m.maxLen === undefined || m.array.max === undefined) return count + offset;
    return `${count} struct { uint16_t n; uint16_t s[${m.maxLen + 1}]; } ${m.name}[${m.array.max}];`;
  }
  const dimension = m.type === 'datetime' ? '[25]' : '';
  const type = scalars[m.type] ?? 'uint16_t';
  if (m.array === undefined) {
    const wide = m.type === 'uint16' && isDoc32 ? 'uint32_t' : type;
    return `${wide} ${m.name}${dimension};`;
  }
  if (m.array.max === undefined) return count + offset;
  return `${count} ${type} ${m.name}[${m.array.max}]${dimension};`;
}

const hasGcc = spawnSync('gcc', ['--version']).status === 0;
const skip = hasGcc ? false : 'no gcc here';

t.test('the layout of random classes is what a C compiler computes', { skip }, (t) => {
  const seed = 20_261_122;
  const classes: FeatureClass[] = fc.sample(randomFeature(), { seed, numRuns: 48 });
  const lines = [
    '#include <stddef.h>',
    '#include <stdint.h>',
    '#include <stdio.h>',
    '#pragma pack(push, 8)',
  ];
  const prints: string[] = [];
  const expected: string[] = [];
  classes.forEach((feature, i) => {
    const isDoc32 = i % 2 === 1;
    const layout = layoutOf(feature, { uint16: isDoc32 ? 'doc32' : 'native' });
    const members = feature.members.map((m) => cMembers(m, isDoc32)).join(' ');
    lines.push(`struct S${i} { ${members} };`);
    for (const m of layout.members) {
      prints.push(`printf("%zu\\n", offsetof(struct S${i}, ${m.name}));`);
      expected.push(`${m.offset}`);
    }
    prints.push(`printf("%zu\\n", sizeof(struct S${i}));`);
    expected.push(`${layout.size}`);
  });
  const folder = t.testdir({});
  const source = join(folder, 'random.c');
  const program = join(folder, 'random');
  writeFileSync(source, [...lines, 'int main(void) {', ...prints, 'return 0; }'].join('\n'));
  execFileSync('gcc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-o', program, source]);
  const printed = execFileSync(program, { encoding: 'utf8' }).trimEnd().split('\n');
  t.same(printed, expected, `seed ${seed}`);
  t.end();
});
