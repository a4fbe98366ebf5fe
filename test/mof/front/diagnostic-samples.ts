import type { CompileOptions } from '../../../src/mof/compiler.ts';
import type { DiagnosticCode } from '../../../src/mof/diagnostic-codes.ts';
import { featureText, memberText } from './feature-text.ts';

/** One text that gives the code, and a neighbour that differs as little as possible and does not. */
export interface DiagnosticSample {
  readonly bad: string | Uint8Array;
  readonly good: string | Uint8Array;
  /** Text the code is reported at; checked when given. */
  readonly at?: string;
  readonly options?: CompileOptions;
  /** Options of the good text, when they are what differs. */
  readonly goodOptions?: CompileOptions;
}

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const cls = (body: string): string => `class Acme_A { ${body} };`;
const preprocess = { preprocess: true } as const;
const header = (name: string, text: string): CompileOptions => ({
  include: (path) => (path === name ? text : undefined),
});
const qual = (name: string, text: string): string => featureText({ qualifiers: { [name]: text } });
const body = (text: string): string => featureText({ body: text });
const id = (n: number): string => `[Read, Write, WmiDataId(${n})]`;

const TEXT: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'E-ENCODING': { bad: bytes(0xff, 0xfe, 0x41), good: bytes(0xff, 0xfe, 0x3b, 0x00) },
  'E-SIZE': { bad: ' '.repeat(16 * 1024 * 1024 + 1), good: ' '.repeat(16 * 1024 * 1024) },
  'E-TOO-MANY': { bad: 'class ;'.repeat(100), good: 'class ;'.repeat(99) },
  'E-CHAR': { bad: 'class A { uint8 x? = 1; };', good: 'class A { uint8 x = 1; };', at: '?' },
  'E-COMMENT': { bad: 'class A {}; /* open', good: 'class A {}; /* closed */', at: '/*' },
  'E-STRING': { bad: cls('string s = "abc\n";'), good: cls('string s = "ab" \n "c";') },
  'E-ESCAPE': { bad: cls('string s = "a\\q";'), good: cls('string s = "a\\t";'), at: '\\q' },
  'E-NUMBER': { bad: cls('uint8 x = 08;'), good: cls('uint8 x = 07;'), at: '08' },
  'E-CHAR16': { bad: cls("char16 c = 'ab';"), good: cls("char16 c = 'a';"), at: "'ab'" },
  'E-DUMP-LINE': { bad: '# a dump\nclass A {};', good: '// a dump\nclass A {};', at: '# a' },
  'E-CPP': {
    bad: '#define N 1\nclass A {};',
    good: '#define N 1\nclass A {};',
    at: '#define',
    goodOptions: preprocess,
  },
  'E-CPP-DIRECTIVE': {
    bad: '#if 1\nclass A {};',
    good: '#if 1\nclass A {};\n#endif',
    at: '#if',
    options: preprocess,
    goodOptions: preprocess,
  },
  'E-CPP-INCLUDE': {
    bad: '#include "no.h"\n',
    good: '#include "yes.h"\n',
    at: '#include',
    options: { ...preprocess, ...header('yes.h', '#define X 1') },
    goodOptions: { ...preprocess, ...header('yes.h', '#define X 1') },
  },
  'E-CPP-MACRO': {
    bad: '#define F(a) a\nclass A { uint8 X = F(1, 2); };',
    good: '#define F(a) a\nclass A { uint8 X = F(1); };',
    options: preprocess,
    goodOptions: preprocess,
  },
};

const SYNTAX: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'E-SYNTAX': { bad: 'class A { uint8 = 1; };', good: 'class A { uint8 x = 1; };', at: '=' },
  'E-DEPTH': {
    bad: `${'instance of A { P = '.repeat(66)}`,
    good: `class A { [EmbeddedObject] string P; }; ${'instance of A { P = '.repeat(64)}1${'; }'.repeat(64)};`,
  },
  'E-MOF3': { bad: 'structure A {};', good: 'class A {};', at: 'structure' },
  'E-INCLUDE': {
    bad: '#pragma include("no.mof")',
    good: '#pragma include("yes.mof")',
    options: header('yes.mof', 'class A {};'),
    goodOptions: header('yes.mof', 'class A {};'),
  },
  'E-INCLUDE-CYCLE': {
    bad: '#pragma include("b.mof")',
    good: '#pragma include("b.mof")\n#pragma include("b.mof")',
    options: { file: 'a.mof', ...header('b.mof', '#pragma include("a.mof")') },
    goodOptions: { file: 'a.mof', ...header('b.mof', 'class A {};') },
  },
  'E-NAMESPACE-HOST': {
    bad: '#pragma namespace("\\\\\\\\.\\\\root\\\\virtualization\\\\v2")',
    good: '#pragma namespace("root\\\\virtualization\\\\v2")',
    options: { strict: true },
    goodOptions: { strict: true },
  },
};

const CLASSES: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'E-SUPER': { bad: 'class A : Nobody {};', good: 'class A : CIM_SettingData {};', at: 'Nobody' },
  'E-SUPER-FORWARD': {
    bad: 'class A : B {}; class B {};',
    good: 'class B {}; class A : B {};',
    at: 'B',
  },
  'E-CLASS-DUPLICATE': {
    bad: featureText() + featureText(),
    good:
      featureText() +
      featureText({
        name: 'Acme_Other',
        qualifiers: { UUID: 'UUID("00000000-0000-0000-0000-00000000a002")' },
      }),
  },
  'E-CLASS-CLASH': {
    bad: featureText({ name: 'Msvm_MySettingData' }),
    good: featureText({ name: 'Acme_MySettingData' }),
    at: 'Msvm_MySettingData',
  },
  'E-NAME-DUPLICATE': { bad: cls('uint8 x; uint8 X;'), good: cls('uint8 x; uint8 y;'), at: 'X' },
  'E-QUALIFIER-DUPLICATE': {
    bad: '[Abstract, ABSTRACT] class A {};',
    good: '[Abstract, Dynamic] class A {};',
    at: 'ABSTRACT',
  },
  'E-QUALIFIER-VALUE': {
    bad: memberText(', MaxLen("9")', 'string A;'),
    good: memberText(', MaxLen(9)', 'string A;'),
    at: '"9"',
  },
  'E-QUALIFIER-UNDECLARED': {
    bad: 'Qualifier Known : string, Scope(any); [Other("x")] class A {};',
    good: 'Qualifier Known : string, Scope(any); [Known("x")] class A {};',
    at: 'Other',
    options: { strict: true },
    goodOptions: { strict: true },
  },
  'E-TYPE': { bad: cls('unit32 x;'), good: cls('uint32 x;'), at: 'unit32' },
  'E-VALUE-TYPE': { bad: cls('uint8 x = TRUE;'), good: cls('boolean x = TRUE;'), at: 'TRUE' },
  'E-VALUE-RANGE': { bad: cls('uint8 x = 256;'), good: cls('uint8 x = 255;'), at: '256' },
  'E-VALUE-LENGTH': {
    bad: memberText(', MaxLen(2)', 'string A = "abc";'),
    good: memberText(', MaxLen(3)', 'string A = "abc";'),
    at: '"abc"',
  },
  'E-ALIAS': {
    bad: 'class A { A REF r; }; instance of A { r = $X; };',
    good: 'class A { A REF r; }; instance of A { r = $X; }; instance of A as $x {};',
    at: '$X',
  },
  'E-ALIAS-DUPLICATE': {
    bad: 'class A {}; instance of A as $X {}; instance of A as $x {};',
    good: 'class A {}; instance of A as $X {}; instance of A as $y {};',
  },
  'E-INSTANCE-CLASS': { bad: 'instance of B {};', good: 'class B {}; instance of B {};', at: 'B' },
  'E-INSTANCE-PROPERTY': {
    bad: 'class A { uint8 x; }; instance of A { y = 1; };',
    good: 'class A { uint8 x; }; instance of A { X = 1; };',
    at: 'y',
  },
};

const FEATURES: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'E-UUID-MISSING': { bad: qual('UUID', ''), good: featureText() },
  'E-EXTENSION-MISSING': { bad: qual('ExtensionId', ''), good: featureText() },
  'E-PROVIDER-MISSING': { bad: qual('Provider', ''), good: featureText() },
  'E-VERSION-MISSING': { bad: qual('InterfaceVersion', ''), good: featureText() },
  'E-UUID-DUPLICATE': {
    bad: featureText() + featureText({ name: 'Acme_Other' }),
    good:
      featureText() +
      featureText({
        name: 'Acme_Other',
        qualifiers: { UUID: 'UUID("00000000-0000-0000-0000-00000000a002")' },
      }),
    at: '"00000000-0000-0000-0000-00000000a001"',
  },
  'E-GUID': { bad: qual('UUID', 'UUID("1234")'), good: featureText(), at: '"1234"' },
  'E-VERSION': {
    bad: qual('InterfaceVersion', 'InterfaceVersion("256")'),
    good: qual('InterfaceVersion', 'InterfaceVersion("255.255")'),
    at: '"256"',
  },
  'E-PROPERTY-VERSION': {
    bad: memberText(', InterfaceVersion("1.1")', 'uint8 A;'),
    good: memberText(', InterfaceVersion("1.0")', 'uint8 A;'),
    at: 'InterfaceVersion',
  },
  'E-DATAID': {
    bad: body(`${id(0)} uint8 A;`),
    good: body(`${id(1)} uint8 A;`),
    at: '0',
  },
  'E-DATAID-DUPLICATE': {
    bad: body(`${id(1)} uint8 A; ${id(1)} uint8 B;`),
    good: body(`${id(2)} uint8 A; ${id(1)} uint8 B;`),
  },
  'E-DATAID-GAP': {
    bad: body(`${id(1)} uint8 A; ${id(3)} uint8 B;`),
    good: body(`${id(1)} uint8 A; ${id(2)} uint8 B;`),
  },
  'E-MAXLEN-TYPE': {
    bad: memberText(', MaxLen(5)', 'uint8 A[];'),
    good: memberText(', MaxLen(5)', 'string A[];'),
    at: 'MaxLen',
  },
  'E-MAXLEN-RANGE': {
    bad: memberText(', MaxLen(32767)', 'string A;'),
    good: memberText(', MaxLen(32766)', 'string A;'),
    at: '32767',
  },
  'E-MAX-TYPE': {
    bad: memberText(', Max(5)', 'uint8 A;'),
    good: memberText(', Max(5)', 'uint8 A[];'),
    at: 'Max',
  },
  'E-MAX-RANGE': {
    bad: memberText(', Max(5)', 'uint8 A[6];'),
    good: memberText(', Max(6)', 'uint8 A[6];'),
    at: '5',
  },
  'E-CLASS-SIZE': {
    bad: memberText(', Max(1048576)', 'uint8 A[];'),
    good: memberText(', Max(1048572)', 'uint8 A[];'),
    at: 'A',
  },
  'E-RANGE': {
    bad: memberText(', MinValue(5), MaxValue(4)', 'uint8 A = 5;'),
    good: memberText(', MinValue(5), MaxValue(5)', 'uint8 A = 5;'),
    at: 'MaxValue',
  },
  'E-APPLICABILITY': {
    bad: qual('Applicability', 'Applicability(2)'),
    good: qual('Applicability', 'Applicability("1")'),
  },
  'E-FEATURE-METHOD': { bad: body('void M();'), good: cls('void M();'), at: 'M' },
  'E-FEATURE-REFERENCE': {
    bad: body('CIM_SettingData REF R;'),
    good: cls('CIM_SettingData REF R;'),
    at: 'R',
  },
  'E-FEATURE-EMBEDDED': {
    bad: memberText(', EmbeddedObject', 'string A;'),
    good: cls('[WmiDataId(1), EmbeddedObject] string A;'),
    at: 'A',
  },
  'E-FEATURE-KEY': {
    bad: memberText(', Key', 'uint8 A;'),
    good: memberText(', Key(FALSE)', 'uint8 A;'),
    at: 'A',
  },
  'E-FEATURE-OCTETSTRING': {
    bad: memberText(', OctetString', 'uint8 A[];'),
    good: memberText('', 'uint8 A[];'),
    at: 'A',
  },
  'E-FEATURE-ASSOCIATION': {
    bad: qual('Association', 'Association'),
    good: '[Association] class A {};',
    at: 'Association',
  },
};

const QUIRKS: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'W-SUPER': {
    bad: featureText({ base: 'Msvm_EthernetSwitchPortFeatureSettingDataMsvm' }),
    good: featureText(),
    at: 'Msvm_EthernetSwitchPortFeatureSettingDataMsvm',
  },
  'W-QUALIFIER-TYPO': {
    bad: qual('InterfaceRevision', 'InterfaceRevison("0")'),
    good: qual('InterfaceRevision', 'InterfaceRevision("0")'),
    at: 'InterfaceRevison',
  },
  'W-QUALIFIER-ALIAS': {
    bad: qual('InterfaceVersion', 'Version("1")'),
    good: featureText(),
    at: 'Version',
  },
  'W-VERSION-TYPE': {
    bad: qual('InterfaceVersion', 'InterfaceVersion(1)'),
    good: featureText(),
    at: 'InterfaceVersion',
  },
  'W-GUID-BRACES': {
    bad: qual('UUID', 'UUID("{00000000-0000-0000-0000-00000000A001}")'),
    good: qual('UUID', 'UUID("00000000-0000-0000-0000-00000000A001")'),
  },
  'W-STATUS-BASE': {
    bad: featureText({ name: 'Acme_CustomPortData' }),
    good: featureText({ name: 'Acme_CustomPortData', base: 'Msvm_EthernetPortData' }),
    at: 'Msvm_EthernetSwitchPortFeatureSettingData',
  },
  'W-UUID-SHARED': {
    bad: featureText() + featureText({ name: 'Acme_PortData', base: 'Msvm_EthernetPortData' }),
    good:
      featureText() +
      featureText({
        name: 'Acme_PortData',
        base: 'Msvm_EthernetPortData',
        qualifiers: { UUID: 'UUID("00000000-0000-0000-0000-00000000a002")' },
      }),
  },
  'W-ACCESS': { bad: body('[WmiDataId(1)] uint8 A;'), good: body(`${id(1)} uint8 A;`), at: 'A' },
  'W-TYPE-ALIAS': { bad: cls('int32 x;'), good: cls('sint32 x;'), at: 'int32' },
  'W-SEMICOLON': { bad: 'class A {} class B {};', good: 'class A {}; class B {};' },
  'W-SCALAR-TO-ARRAY': { bad: cls('uint8 x[] = 2;'), good: cls('uint8 x[] = {2};'), at: '2' },
  'W-REAL': { bad: cls('uint8 x = 1.4;'), good: cls('real32 x = 1.4;'), at: '1.4' },
  'W-QUOTED-NUMBER': { bad: cls('uint8 x = "1";'), good: cls('uint64 x = "1";'), at: '"1"' },
  'W-ENCODING': {
    bad: Uint8Array.from([...utf8('// caf'), 0xe9]),
    good: utf8('// café'),
  },
  'W-CLASS-AGAIN': { bad: 'class A {}; class a {};', good: 'class A {}; class b {};', at: 'a' },
  'W-FLAVOR': {
    bad: '[Description("x") : Amendd] class A {};',
    good: '[Description("x") : Amended] class A {};',
    at: 'Amendd',
  },
};

const ADVICE: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  'W-PRAGMA': { bad: '#pragma once', good: '#pragma autorecover' },
  'W-NAMESPACE': {
    bad: `#pragma namespace("root\\\\wmi")\n${featureText()}`,
    good: `#pragma namespace("ROOT/virtualization/v2")\n${featureText()}`,
    at: 'Acme_PortSettingData',
  },
  'W-CLASS-BUILTIN': { bad: 'class CIM_SettingData {};', good: 'class CIM_MyData {};' },
  'W-DYNAMIC': { bad: qual('Dynamic', ''), good: featureText() },
  'W-PROVIDER': {
    bad: qual('Provider', 'Provider("Other")'),
    good: qual('Provider', 'Provider("VMMSWmiInstanceAndMethodProvider")'),
    at: 'Provider',
  },
  'W-DISPLAYNAME': { bad: qual('DisplayName', ''), good: featureText() },
  'W-VENDOR': { bad: featureText({ name: 'SettingData' }), good: featureText() },
  'W-EXTENSION-UNKNOWN': {
    bad: featureText(),
    good: featureText(),
    options: { installedExtensions: () => false },
    goodOptions: {
      installedExtensions: (extension) => extension === '00000000-0000-0000-0000-00000000e001',
    },
    at: '"00000000-0000-0000-0000-00000000e001"',
  },
  'W-DATAID-MISSING': {
    bad: body(`${id(1)} uint8 A; [Read, Write] uint8 B;`),
    good: body(`${id(1)} uint8 A; ${id(2)} uint8 B;`),
    at: 'B',
  },
  'W-NO-MEMBERS': { bad: body(''), good: featureText() },
  'W-REVISION': {
    bad: featureText({
      qualifiers: {
        InterfaceVersion: 'InterfaceVersion("1.1")',
        InterfaceRevision: 'InterfaceRevision("2")',
      },
    }),
    good: featureText({
      qualifiers: {
        InterfaceVersion: 'InterfaceVersion("1.1")',
        InterfaceRevision: 'InterfaceRevision("0")',
      },
    }),
    at: 'InterfaceRevision',
  },
};

/** Every diagnostic code with its two texts; the test refuses a code without them. */
export const DIAGNOSTIC_SAMPLES: Partial<Record<DiagnosticCode, DiagnosticSample>> = {
  ...TEXT,
  ...SYNTAX,
  ...CLASSES,
  ...FEATURES,
  ...QUIRKS,
  ...ADVICE,
};
