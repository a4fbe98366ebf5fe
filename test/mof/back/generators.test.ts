import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import t from 'tap';
import ts from 'typescript';
import type { FeatureClass } from '../../../src/mof/feature-class.ts';
import { cHeader, layoutOf, typescriptTypes } from '../../../src/mof/index.ts';
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

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Names and texts that try to break out of what is generated. */
const nasty: FeatureClass = featureClass(
  'class',
  [
    member(1, 'int', 'uint8', { description: 'ends */ here \\\nnext ??/' }),
    member(2, 'größe', 'real64', { valueNames: { '1': 'one */', '2': 'two' } }),
    member(3, 'Name', 'string', { maxLen: 3 }),
    member(4, 'NameByteCount', 'uint8', { minValue: 1, maxValue: 9, displayName: 'Count' }),
    member(5, 'Blocks', 'string', { maxLen: 3, array: { max: 2 } }),
    member(6, 'BlockTail', 'string', { maxLen: 3, array: {} }),
    member(7, 'Texts', 'string', { array: {} }),
    member(8, 'Dates', 'datetime', { array: { max: 3 } }),
    member(9, 'DateTail', 'datetime', { array: {} }),
    member(10, 'When', 'datetime'),
    member(11, 'UINT8', 'sint8'),
    member(12, 'char', 'char16'),
    member(13, 'Flag', 'boolean'),
    member(14, 'Wide', 'sint64'),
    member(15, 'Real', 'real32'),
  ],
  { displayName: 'evil */ int x; /* \\', description: '*/ export const a = 1; /*' },
);
const ALL = [sampleClass, macRuleClass, macStatusClass, fabrikamClass, nasty];

const skipWithout = (program: string): false | string =>
  spawnSync(program, ['--version']).status === 0 ? false : `no ${program} here`;

function compile(
  folder: string,
  program: string,
  standard: string,
  header: string,
  body = '',
): void {
  const name = program === 'gcc' ? 'driver.c' : 'driver.cc';
  writeFileSync(join(folder, 'features.h'), header);
  // Twice: the include guard; and the driver's own meaning of a macro survives.
  const source = `#define WCHAR mine\n#include "features.h"\n#include "features.h"\n${body}\nint mine;\nint *driver(void) { return &WCHAR; }\n`;
  writeFileSync(join(folder, name), source);
  const flags = [`-std=${standard}`, '-Wall', '-Wextra', '-Werror', '-pedantic', '-c'];
  const files = ['-o', join(folder, 'driver.o'), join(folder, name)];
  execFileSync(program, [...flags, ...files], { stdio: 'pipe' });
}
t.test('the header compiles as C with every offset asserted', { skip: skipWithout('gcc') }, (t) => {
  for (const uint16 of ['native', 'doc32'] as const) {
    const header = cHeader(ALL, { profile: { uint16 }, sourceName: 'all.mof' });
    for (const feature of ALL) {
      const count = layoutOf(feature, { uint16 }).members.length;
      const struct = feature === nasty ? 'class_' : feature.name;
      t.equal(header.split(`offsetof(${struct}, `).length - 1, count, `${struct} ${uint16}`);
    }
    t.doesNotThrow(() => compile(t.testdir({}), 'gcc', 'c11', header));
  }
  const guid =
    'struct guid { unsigned a; unsigned short b, c; unsigned char d[8]; };\n' +
    'extern struct guid const id;\nstruct guid const id = Fabrikam_PortCustomSettingData_ID_INIT;\n' +
    'extern Vendor_SampleFeatureSettingData sample;\n' +
    'char check[sizeof(sample.FixedLengthString) == 512 && Vendor_SampleFeatureSettingData_VERSION == 0x0100 ? 1 : -1];';
  t.doesNotThrow(() => compile(t.testdir({}), 'gcc', 'c11', cHeader(ALL), guid));
  t.doesNotThrow(() => compile(t.testdir({}), 'gcc', 'gnu89', cHeader([sampleClass])));
  t.end();
});

t.test('the header compiles as C++', { skip: skipWithout('g++') }, (t) => {
  t.doesNotThrow(() => compile(t.testdir({}), 'g++', 'c++11', cHeader(ALL)));
  t.doesNotThrow(() =>
    compile(t.testdir({}), 'g++', 'c++20', cHeader(ALL, { sourceName: 'x.mof' })),
  );
  t.end();
});

t.test('headers of random classes compile', { skip: skipWithout('gcc') }, (t) => {
  const seed = 7;
  const features = fc
    .sample(randomFeature(), { seed, numRuns: 30 })
    .map((feature, i) => ({ ...feature, name: `Vendor_Random${i}` }));
  const profile = { uint16: 'doc32', stringUnit: 'chars' } as const;
  t.doesNotThrow(
    () => compile(t.testdir({}), 'gcc', 'c11', cHeader(features, { profile })),
    `${seed}`,
  );
  t.end();
});

t.test('a wrong offset in the header does not compile', { skip: skipWithout('gcc') }, (t) => {
  const header = cHeader([sampleClass]).replace(
    'offsetof(Vendor_SampleFeatureSettingData, IntValue16) == 2',
    'offsetof(Vendor_SampleFeatureSettingData, IntValue16) == 4',
  );
  try {
    compile(t.testdir({}), 'gcc', 'c11', header);
    t.fail('compiled');
  } catch (error) {
    t.match(String(error), /IntValue16 is not at 2/);
  }
  t.end();
});

t.test('the header shows the documented struct, its GUIDs and no folder names', (t) => {
  const feature = {
    ...sampleClass,
    id: '01234567-89ab-cdef-0123-456789abcdef',
    version: 0x0102,
  };
  const header = cHeader([feature], { sourceName: '/somewhere/else/Sample Policy.mof' });
  t.match(header, '#ifndef EXTSWITCH_SAMPLE_POLICY_MOF_H');
  t.match(header, 'from Sample Policy.mof.');
  t.notMatch(header, /somewhere/);
  t.match(header, '#pragma pack(push, 8)');
  t.match(header, 'UUID 01234567-89ab-cdef-0123-456789abcdef');
  t.match(
    header,
    '#define Vendor_SampleFeatureSettingData_ID_INIT { 0x01234567, 0x89ab, 0xcdef, { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef } }',
  );
  t.match(header, '#define Vendor_SampleFeatureSettingData_VERSION 0x0102');
  const struct = header.slice(header.indexOf('typedef struct'), header.indexOf('} Vendor'));
  t.equal(
    struct.replace(/ *\/\*.*\*\//g, ''),
    `typedef struct Vendor_SampleFeatureSettingData {
    UINT8 IntValue8;
    UINT16 IntValue16;
    UINT32 IntValue32;
    UINT64 IntValue64;
    UINT16 FixedLengthStringByteCount;
    WCHAR FixedLengthString[256];
    UINT32 VariableLengthStringOffset;
    UINT32 FixedLengthArrayElementCount;
    UINT32 FixedLengthArray[8];
    UINT32 VariableLengthArrayElementCount;
    UINT32 VariableLengthArrayOffset;
`,
  );
  t.end();
});

t.test('two classes whose names meet, and one without members, stay apart', (t) => {
  const header = cHeader([
    featureClass('Vendor_ä', [member(1, 'A', 'uint8')]),
    featureClass('Vendor__u00e4', [member(1, 'B', 'uint8')]),
    featureClass('Vendor_Empty', []),
    featureClass('1st', [member(1, 'C', 'uint8')]),
  ]);
  t.match(header, '} Vendor__u00e4;');
  t.match(header, '} Vendor__u00e4_;');
  t.match(header, '} _1st;');
  t.match(header, 'No members: nothing is serialized.');
  t.notMatch(header, '} Vendor_Empty;');
  t.end();
});

/** Named apart: it exists only while the test runs. */
const TYPES_FILE = './features.ts';

/** Errors of a program made of the types and a file that uses them, with the real SDK. */
function typeErrors(folder: string, types: string, use: string): string[] {
  writeFileSync(join(folder, 'features.ts'), types);
  writeFileSync(join(folder, 'use.ts'), use);
  const program = ts.createProgram([join(folder, 'use.ts'), join(folder, 'features.ts')], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    paths: { 'extswitch/extension': [join(ROOT, 'src/sdk/index.ts')] },
  });
  return ts
    .getPreEmitDiagnostics(program)
    .filter((diagnostic) => diagnostic.file?.fileName.startsWith(folder) !== false)
    .map((diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
}

t.test('the types give settings of the SDK their members', (t) => {
  const types = typescriptTypes([...ALL, sampleClass]);
  const use = `
    import type { PortProperty, SettingsOf } from 'extswitch/extension';
    import type { Fabrikam_PortCustomSettingData } from '${TYPES_FILE}';
    export function handle(property: PortProperty<'Fabrikam_PortCustomSettingData'>): bigint {
      const settings: Fabrikam_PortCustomSettingData | undefined = property.settings;
      const a: number = property.settings?.SettingIntA ?? 0;
      return (settings?.SettingIntB ?? 0n) + BigInt(a);
    }
    export const sample: SettingsOf<'Vendor_SampleFeatureSettingData'> = {
      IntValue8: 1, IntValue16: 2, IntValue32: 3, IntValue64: 4n, FixedLengthString: '',
      VariableLengthString: '', FixedLengthArray: [1], VariableLengthArray: [],
    };
    export const odd: SettingsOf<'class'>['größe'] = 0.5;
    export type Blocks = SettingsOf<'class'>['Blocks'][0];
    export const text: Blocks = 'x';
  `;
  t.same(typeErrors(t.testdir({}), types, use), []);
  t.end();
});

t.test('the types refuse a misspelled member and a wrong type', (t) => {
  const use = `
    import type { PortProperty } from 'extswitch/extension';
    export const a = (property: PortProperty<'Fabrikam_PortCustomSettingData'>) =>
      property.settings?.SettingIntC;
    export const b = (property: PortProperty<'Fabrikam_PortCustomSettingData'>): number =>
      property.settings?.SettingIntB ?? 0;
  `;
  const errors = typeErrors(t.testdir({}), typescriptTypes([fabrikamClass]), use);
  t.equal(errors.length, 2, errors.join('\n'));
  t.match(errors[0], /'SettingIntC' does not exist/);
  t.match(errors[1], /'bigint' is not assignable to type 'number'/);
  t.end();
});

t.test('doc comments say type, limits and names of values, and cannot be left', (t) => {
  const types = typescriptTypes([nasty]);
  t.match(types, /Count\n {3}\* uint8, MinValue\(1\), MaxValue\(9\)\.\n/);
  t.match(types, 'string[], Max(2), MaxLen(3).');
  t.match(types, 'Values: 1 one * /, 2 two.');
  t.notMatch(types, /^export const/m);
  const empty = typescriptTypes([]);
  t.match(empty, /^export \{\};$/m);
  const odd = typescriptTypes([
    featureClass("it's", []),
    featureClass('1x', [member(1, '2y', 'uint8')]),
  ]);
  t.match(odd, "'it\\'s': it_s;");
  t.match(odd, 'readonly "2y": number;');
  t.match(odd, 'export interface _1x {');
  t.end();
});
