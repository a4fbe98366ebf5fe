import { readFileSync } from 'node:fs';
import t from 'tap';
import { builtInClasses } from '../../../src/mof/builtin-classes.ts';
import { ClassTree } from '../../../src/mof/class-tree.ts';
import { type CompileOptions, compileMof, type MofResult } from '../../../src/mof/compiler.ts';
import type { FeatureClass, FeatureMember } from '../../../src/mof/feature-class.ts';
import { featureText, memberText } from './feature-text.ts';

const policy = (name: string, options: CompileOptions = {}): MofResult => {
  const bytes = readFileSync(new URL(`../../../policies/${name}`, import.meta.url));
  return compileMof(bytes, { file: name, ...options });
};

function only(text: string, options: CompileOptions = {}): FeatureClass {
  const result = compileMof(text, options);
  const [feature] = result.features;
  const found = result.diagnostics.map((each) => `${each.code} ${each.message}`).join('; ');
  if (feature === undefined) throw new Error(`no feature: ${found}`);
  return feature;
}

function member(text: string): FeatureMember {
  const [found] = only(text).members;
  if (found === undefined) throw new Error('no member');
  return found;
}

const codes = (text: string, options: CompileOptions = {}): string[] =>
  compileMof(text, options).diagnostics.map((each) => each.code);

t.test('vendor-sample.mof has the facts of the policy overview page (E53, E9)', (t) => {
  const result = policy('vendor-sample.mof');
  t.same(
    result.diagnostics.map((each) => each.code),
    ['W-SUPER', 'W-ACCESS'],
  );
  const [feature] = result.features;
  t.match(feature, {
    name: 'Vendor_SampleFeatureSettingData',
    id: 'f2f73f23-2b8e-457a-96c4-f541201c9150',
    extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
    scope: 'port',
    kind: 'setting',
    version: 0x0100,
    displayName: 'VendorName Port Settings Friendly Name',
    description: 'VendorName Port Settings detailed description.',
    superclass: 'Msvm_EthernetSwitchPortFeatureSettingData',
    source: { file: 'vendor-sample.mof' },
    builtIn: false,
  });
  t.strictSame(feature?.members, [
    { name: 'IntValue8', wmiDataId: 1, type: 'uint8', version: 256, default: 0 },
    { name: 'IntValue16', wmiDataId: 2, type: 'uint16', version: 256, default: 0 },
    { name: 'IntValue32', wmiDataId: 3, type: 'uint32', version: 256, default: 0 },
    { name: 'IntValue64', wmiDataId: 4, type: 'uint64', version: 256, default: 0n },
    {
      name: 'FixedLengthString',
      wmiDataId: 5,
      type: 'string',
      maxLen: 255,
      version: 256,
      default: '',
    },
    { name: 'VariableLengthString', wmiDataId: 6, type: 'string', version: 256, default: '' },
    {
      name: 'FixedLengthArray',
      wmiDataId: 7,
      type: 'uint32',
      array: { max: 8 },
      version: 256,
      default: [],
    },
    {
      name: 'VariableLengthArray',
      wmiDataId: 8,
      type: 'uint32',
      array: {},
      version: 256,
      default: [],
    },
  ]);
  const strict = policy('vendor-sample.mof', { strict: true });
  t.same(
    strict.diagnostics.map((each) => [each.code, each.severity]),
    [
      ['E-NAMESPACE-HOST', 'error'],
      ['W-SUPER', 'error'],
      ['W-ACCESS', 'error'],
    ],
  );
  t.same(strict.features, []);
  t.end();
});

t.test('fabrikam.mof has the facts of its four pages and no finding, also in strict mode', (t) => {
  const result = policy('fabrikam.mof', { strict: true });
  t.same(result.diagnostics, []);
  const extensionId = '5cbf81be-5055-47cd-9055-a76b2b4e369e';
  t.match(result.features, [
    {
      name: 'Fabrikam_PortCustomSettingData',
      id: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb',
      extensionId,
      scope: 'port',
      kind: 'setting',
      version: 256,
      members: [
        { name: 'SettingIntA', wmiDataId: 1, type: 'uint32', default: 0 },
        { name: 'SettingIntB', wmiDataId: 2, type: 'uint64', default: 0n },
      ],
    },
    {
      name: 'Fabrikam_SwitchCustomSettingData',
      id: 'ff36c3a6-d2f1-46ed-a376-32b43d6b8390',
      extensionId,
      scope: 'switch',
      kind: 'setting',
      members: [
        { name: 'SwitchSettingIntA', wmiDataId: 1, type: 'uint32' },
        { name: 'SwitchSettingIntB', wmiDataId: 2, type: 'uint64' },
      ],
    },
    {
      name: 'Fabrikam_CustomPortData',
      id: 'daa0b7cc-74db-41ef-8354-7002f9fa463e',
      extensionId,
      scope: 'port',
      kind: 'status',
      members: [{ name: 'CurrentStatus', wmiDataId: 1, type: 'uint32', default: 0 }],
    },
    {
      name: 'Fabrikam_CustomSwitchData',
      id: 'b3e57d77-8e95-4977-97de-524f8daf03e4',
      extensionId,
      scope: 'switch',
      kind: 'status',
      members: [{ name: 'CurrentStatus', wmiDataId: 1, type: 'uint32', default: 0 }],
    },
  ]);
  t.end();
});

t.test('ms-forward-ext.mof has the facts of the driver sample', (t) => {
  const result = policy('ms-forward-ext.mof');
  t.same(
    result.diagnostics.map((each) => each.code),
    ['W-VERSION-TYPE', 'W-VERSION-TYPE'],
  );
  const extensionId = '37d9eae6-5bae-48c5-bff1-63a7cdd7e4f4';
  t.match(result.features, [
    {
      name: 'MSForwardExt_MacAddressRule',
      id: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb',
      extensionId,
      scope: 'switch',
      kind: 'setting',
      members: [
        { name: 'MacAddress', type: 'uint8', array: { max: 6 }, version: 256, default: [] },
      ],
    },
    {
      name: 'MSForwardExt_MacAddressRuleStatus',
      id: 'a3e2aff5-e6fa-4e52-ab74-13250bf7e8cf',
      extensionId,
      scope: 'switch',
      kind: 'status',
      members: [{ name: 'AllowedPortIds', type: 'uint32', array: {}, default: [] }],
    },
  ]);
  t.end();
});

t.test(
  'the form of the custom switch status page registers as a setting, with named warnings',
  (t) => {
    const text = `#pragma namespace("\\\\\\\\.\\\\root\\\\virtualization\\\\v2")
[ Dynamic, UUID("B3E57D77-8E95-4977-97DE-524F8DAF03E4"),
  ExtensionId("{5CBF81BE-5055-47CD-9055-A76B2B4E369E}"),
  Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevison("0"),
  Locale("MS\\\\0x409"), DisplayName("Switch custom feature status") : Amended]
class Fabrikam_CustomSwitchData  : Msvm_EthernetSwitchFeatureSettingData{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0"),
    Description(
     "The current status.") : Amended]
  uint32 CurrentStatus = 0 ;
};`;
    t.same(codes(text), ['W-GUID-BRACES', 'W-QUALIFIER-TYPO', 'W-STATUS-BASE']);
    t.match(only(text), {
      kind: 'setting',
      scope: 'switch',
      version: 256,
      extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
    });
    t.end();
  },
);

t.test(
  'versions: "1", "1.1", numbers and revisions become major * 256 + minor (management.md 2.6)',
  (t) => {
    const version = (qualifiers: Record<string, string>): number =>
      only(featureText({ qualifiers })).version;
    t.equal(version({ InterfaceVersion: 'InterfaceVersion("1")' }), 0x0100);
    t.equal(version({ InterfaceVersion: 'InterfaceVersion("1.1")' }), 0x0101);
    t.equal(version({ InterfaceVersion: 'InterfaceVersion("255.255")' }), 0xffff);
    t.equal(version({ InterfaceVersion: 'InterfaceVersion(2)' }), 0x0200);
    t.equal(version({ InterfaceVersion: 'Version("3")', Revision: 'Revision("4")' }), 0x0304);
    t.equal(version({ InterfaceRevision: 'InterfaceRevision("2")' }), 0x0102);
    t.equal(version({ InterfaceRevision: 'InterfaceRevison(2)' }), 0x0102);
    t.equal(
      version({
        InterfaceVersion: 'InterfaceVersion("1.1")',
        InterfaceRevision: 'InterfaceRevision("2")',
      }),
      0x0101,
    );
    for (const text of ['"256"', '"1.256"', '"x"', '""', '"1.2.3"', '-1', '300']) {
      const qualifiers = { InterfaceVersion: `InterfaceVersion(${text})` };
      t.same(codes(featureText({ qualifiers })), ['E-VERSION'], text);
    }
    t.same(codes(featureText({ qualifiers: { InterfaceVersion: 'Version' } })), [
      'W-QUALIFIER-ALIAS',
      'E-VERSION',
    ]);
    t.same(codes(featureText({ qualifiers: { InterfaceRevision: 'InterfaceRevision("x")' } })), [
      'E-VERSION',
    ]);
    t.end();
  },
);

t.test('a member has its own version, or that of the class', (t) => {
  const text = featureText({
    qualifiers: { InterfaceVersion: 'InterfaceVersion("2")' },
    body:
      '[Read, WmiDataId(1), InterfaceVersion("1")] uint8 A; [Read, WmiDataId(2)] uint8 B; ' +
      '[Read, WmiDataId(3), InterfaceVersion("1"), InterfaceRevision("5")] uint8 C;',
  });
  t.same(
    only(text).members.map((each) => each.version),
    [0x0100, 0x0200, 0x0105],
  );
  t.end();
});

t.test('members take their facts from qualifiers, in WmiDataId order', (t) => {
  const text = featureText({
    body:
      '[Read, WmiDataId(2), Max(2), MaxLen(3), DisplayName("Names"), Description("d")] string B[] = {"abc", ""};' +
      '[Read, WmiDataId(1), MinValue(-5), MaxValue("5"), ValueMap{"0","1"}, Values{"Off","On"}] sint64 A = 5;' +
      '[Read, WmiDataId(3), MinValue(0.5), MaxValue(2)] real32 C = 1;' +
      '[Read, WmiDataId(4), Values{"None","Some"}] uint8 D[4] = {1, 2};' +
      "[Read, WmiDataId(5)] char16 E = 'e'; [Read, WmiDataId(6)] boolean F = TRUE;" +
      '[Read, WmiDataId(7)] datetime G = "00000000000000.000000:000"; [Read, WmiDataId(8)] sint8 H = NULL;',
  });
  t.strictSame(only(text).members, [
    {
      name: 'A',
      wmiDataId: 1,
      type: 'sint64',
      minValue: -5n,
      maxValue: 5n,
      version: 256,
      default: 5n,
      valueNames: { 0: 'Off', 1: 'On' },
    },
    {
      name: 'B',
      wmiDataId: 2,
      type: 'string',
      array: { max: 2 },
      maxLen: 3,
      version: 256,
      default: ['abc', ''],
      displayName: 'Names',
      description: 'd',
    },
    {
      name: 'C',
      wmiDataId: 3,
      type: 'real32',
      minValue: 0.5,
      maxValue: 2,
      version: 256,
      default: 1,
    },
    {
      name: 'D',
      wmiDataId: 4,
      type: 'uint8',
      array: { max: 4 },
      version: 256,
      default: [1, 2],
      valueNames: { 0: 'None', 1: 'Some' },
    },
    { name: 'E', wmiDataId: 5, type: 'char16', version: 256, default: 'e' },
    { name: 'F', wmiDataId: 6, type: 'boolean', version: 256, default: true },
    {
      name: 'G',
      wmiDataId: 7,
      type: 'datetime',
      version: 256,
      default: '00000000000000.000000:000',
    },
    { name: 'H', wmiDataId: 8, type: 'sint8', version: 256 },
  ]);
  t.equal(member(memberText(', MaxLen(NULL)', 'string A;')).maxLen, undefined);
  t.equal(member(memberText('', "char16 A = '\\x0000';")).default, '');
  t.end();
});

t.test('limits of members: each wrong one is an error at its place', (t) => {
  const bad: [string, string, string][] = [
    [', MaxLen(0)', 'string A;', 'E-MAXLEN-RANGE'],
    [', Max(0)', 'uint8 A[];', 'E-MAX-RANGE'],
    [', Max(1048577)', 'uint8 A[];', 'E-MAX-RANGE'],
    ['', 'uint8 A[4294967295];', 'E-MAX-RANGE'],
    [', Max(1048576)', 'uint64 A[];', 'E-CLASS-SIZE'],
    [', MaxLen(32766), Max(100)', 'string A[];', 'E-CLASS-SIZE'],
    [', Max(1)', 'uint8 A[] = {1, 2};', 'E-VALUE-LENGTH'],
    ['', 'uint8 A[1] = {1, 2};', 'E-VALUE-LENGTH'],
    [', MinValue(5)', 'uint8 A = 4;', 'E-VALUE-RANGE'],
    [', MaxValue(16777215)', 'uint32 A = 16777216;', 'E-VALUE-RANGE'],
    [', MaxValue(1.5)', 'real64 A = 1.6;', 'E-VALUE-RANGE'],
    [', MinValue(-1)', 'uint8 A;', 'E-RANGE'],
    [', MaxValue(256)', 'uint8 A;', 'E-RANGE'],
    [', MaxValue(1.5)', 'uint8 A;', 'E-RANGE'],
    [', MaxValue("x")', 'uint8 A;', 'E-RANGE'],
    [', MaxValue("")', 'real32 A;', 'E-RANGE'],
    [', MinValue(1)', 'string A;', 'E-RANGE'],
    [', MaxLen', 'string A;', 'E-QUALIFIER-VALUE'],
    [', Max("1")', 'uint8 A[];', 'E-QUALIFIER-VALUE'],
    [', Values(5)', 'uint8 A;', 'E-QUALIFIER-VALUE'],
    [', Key(1)', 'uint8 A;', 'E-QUALIFIER-VALUE'],
    [', Description(5)', 'uint8 A;', 'E-QUALIFIER-VALUE'],
    [', InterfaceVersion(TRUE)', 'uint8 A;', 'E-QUALIFIER-VALUE'],
  ];
  for (const [qualifiers, declaration, code] of bad) {
    const text = memberText(qualifiers, declaration);
    t.same(codes(text), [code], `${qualifiers} ${declaration}`);
    t.same(compileMof(text).features, [], 'and no feature comes out');
  }
  t.same(codes(featureText({ body: '[Read, WmiDataId("1")] uint8 A;' })), ['E-QUALIFIER-VALUE']);
  t.same(codes(featureText({ body: '[Read, WmiDataId(NULL)] uint8 A;' })), ['E-QUALIFIER-VALUE']);
  t.same(codes(featureText({ body: '[Read, WmiDataId(1)] unit8 A;' })), ['E-TYPE']);
  t.same(codes(featureText({ body: '[Read, WmiDataId(1)] CIM_SettingData A;' })), [
    'E-FEATURE-EMBEDDED',
  ]);
  t.same(codes(featureText({ body: '[Read, WmiDataId(1)] object A;' })), [
    'W-TYPE-ALIAS',
    'E-FEATURE-EMBEDDED',
  ]);
  t.end();
});

t.test('WmiDataIds: every gap and duplicate is named once', (t) => {
  const ids = (...list: number[]): string =>
    featureText({
      body: list.map((id, i) => `[Read, WmiDataId(${id})] uint8 P${i};`).join(' '),
    });
  const messages = (text: string): string[] =>
    compileMof(text).diagnostics.map((each) => `${each.code} ${each.message}`);
  t.same(messages(ids(2, 1, 3)), []);
  t.match(messages(ids(2)), [/^E-DATAID-GAP WmiDataId 1 is missing/]);
  t.match(messages(ids(1, 5, 9)), [
    /^E-DATAID-GAP WmiDataId 2 to 4 are missing in Acme_PortSettingData: P1 has 5/,
    /^E-DATAID-GAP WmiDataId 6 to 8 are missing/,
  ]);
  t.match(messages(ids(1, 3, 3)), [/^E-DATAID-DUPLICATE P2 has the WmiDataId 3 of P1/]);
  t.match(messages(ids(1, -1)), [/^E-DATAID /]);
  const broken = featureText({
    body: '[Read, WmiDataId(1) uint8 A; [Read, WmiDataId(3)] uint8 B;',
  });
  t.same(codes(broken), ['E-SYNTAX'], 'nothing about gaps in a class that was not read whole');
  t.end();
});

t.test('an abstract class hands members on; numbers continue in the derived class', (t) => {
  const base = featureText({ name: 'Acme_BaseSettingData' }).replace(
    '[Dynamic',
    '[Abstract, Dynamic',
  );
  const derived = featureText({
    name: 'Acme_MoreSettingData',
    base: 'acme_basesettingdata',
    body: '[Read, WmiDataId(2)] uint8 B; [Override("A"), Read, WmiDataId(1)] uint32 a = 7;',
  });
  const result = compileMof(base + derived);
  t.same(result.diagnostics, []);
  t.match(result.features, [
    {
      name: 'Acme_MoreSettingData',
      superclass: 'Acme_BaseSettingData',
      scope: 'port',
      members: [
        { name: 'a', default: 7 },
        { name: 'B', wmiDataId: 2 },
      ],
    },
  ]);
  t.end();
});

t.test('classes that are no features stay classes', (t) => {
  t.same(compileMof('[Dynamic, Provider("x")] class Acme_A : CIM_SettingData {};').features, []);
  const other = compileMof(featureText({ qualifiers: { Provider: 'Provider("Other")' } }));
  t.same(other.features, []);
  t.equal(other.classes.length, 1);
  t.same(codes(featureText({ base: 'Msvm_FeatureSettingData' })), ['E-APPLICABILITY']);
  t.same(
    codes(
      'class Msvm_EthernetSwitchPortVlanSettingData : Msvm_EthernetSwitchPortFeatureSettingData {};',
    ),
    ['E-CLASS-CLASH'],
  );
  t.same(codes('[Abstract] class Msvm_EthernetSwitchData : CIM_ManagedElement {};'), [
    'W-CLASS-BUILTIN',
  ]);
  t.end();
});

t.test('Applicability agrees with the superclass', (t) => {
  const with_ = (value: string, base?: string): string[] => {
    const qualifiers = { Applicability: `Applicability(${value})` };
    return codes(
      featureText({ qualifiers, ...(base === undefined ? {} : { base, name: 'Acme_X' }) }),
    );
  };
  t.same(with_('1'), []);
  t.same(with_('"2"', 'Msvm_EthernetSwitchData'), []);
  t.same(with_('1', 'Msvm_EthernetSwitchData'), ['E-APPLICABILITY']);
  t.same(with_('0'), ['E-APPLICABILITY']);
  t.same(with_('"port"'), ['E-APPLICABILITY']);
  t.same(with_('TRUE'), ['E-QUALIFIER-VALUE', 'E-APPLICABILITY']);
  t.end();
});

t.test('the UUID of another known class of the same kind is refused with both files named', (t) => {
  const known = new ClassTree(builtInClasses());
  known.adopt(policy('fabrikam.mof'));
  const result = policy('ms-forward-ext.mof', { knownClasses: known });
  const found = result.diagnostics.find((each) => each.code === 'E-UUID-DUPLICATE');
  t.match(found, {
    file: 'ms-forward-ext.mof',
    line: 8,
    message: /MSForwardExt_MacAddressRule .* Fabrikam_PortCustomSettingData \(fabrikam\.mof:\d+\)/,
    related: { file: 'fabrikam.mof' },
  });
  t.same(policy('fabrikam.mof', { knownClasses: known }).diagnostics, [], 'the same file again');
  t.equal(known.remove('fabrikam_portcustomSETTINGdata'), true);
  t.equal(known.remove('Fabrikam_PortCustomSettingData'), false);
  t.equal(policy('ms-forward-ext.mof', { knownClasses: known }).features.length, 2);
  const vlan = { UUID: 'UUID("952C5004-4465-451C-8CB8-FA9AB382B773")' };
  t.match(compileMof(featureText({ qualifiers: vlan })).diagnostics, [
    { code: 'E-UUID-DUPLICATE', message: /Msvm_EthernetSwitchPortVlanSettingData/ },
  ]);
  t.end();
});

t.test('a world knows the classes it adopted, and the shared tree does not change', (t) => {
  const world = new ClassTree(builtInClasses());
  world.adopt(compileMof('class Acme_Base { uint8 X; };'));
  t.same(codes('class B : Acme_Base {};', { knownClasses: world }), []);
  t.same(codes('class B : Acme_Base {};'), ['E-SUPER']);
  t.equal(world.isA('Msvm_EthernetSwitchPort', 'cim_managedelement'), true);
  t.equal(world.isA('Acme_Base', 'CIM_ManagedElement'), false);
  t.ok([...world.names()].includes('Acme_Base'));
  const loop = compileMof('class Acme_Base : C2 {};', {
    knownClasses: (() => {
      const tree = new ClassTree(builtInClasses());
      tree.adopt(compileMof('class Acme_Base {}; class C2 : Acme_Base {};'));
      return tree;
    })(),
  });
  t.equal(loop.tree.lineage('Acme_Base').length, 2, 'a circle over two files ends');
  t.end();
});

t.test('missing qualifiers are all reported at once, at the class', (t) => {
  const text = '\nclass Bare : Msvm_EthernetSwitchData { uint8 A; };';
  const result = compileMof(text);
  t.same(
    result.diagnostics.map((each) => each.code).sort(),
    [
      'E-EXTENSION-MISSING',
      'E-PROVIDER-MISSING',
      'E-UUID-MISSING',
      'E-VERSION-MISSING',
      'W-DATAID-MISSING',
      'W-DISPLAYNAME',
      'W-DYNAMIC',
      'W-NO-MEMBERS',
      'W-VENDOR',
    ].sort(),
  );
  t.ok(result.diagnostics.every((each) => each.line === 2));
  t.end();
});
