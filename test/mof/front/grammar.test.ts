import t from 'tap';
import { type CompileOptions, compileMof } from '../../../src/mof/compiler.ts';
import { isMofValid, mofError } from '../../../src/mof/diagnostic.ts';
import { normalizeNamespace } from '../../../src/mof/namespace.ts';
import { resolveInclude } from '../../../src/mof/unit-reader.ts';

/** Codes with their lines, e.g. `E-SYNTAX:3`. */
function findings(text: string, options: CompileOptions = {}): string[] {
  return compileMof(text, options).diagnostics.map((each) => `${each.code}:${each.line}`);
}

t.test('every production of management.md 1.3 parses without a finding', (t) => {
  const texts: Record<string, string> = {
    'empty file': '',
    'only comments and semicolons': '/* a */ ; // b\n;;',
    'class without body': 'class A {};',
    'class with alias and superclass': 'class A as $X : CIM_SettingData { };',
    'arrays of each form':
      'class A { uint8 X[]; uint8 Y[8]; uint8 Z[] = {}; uint8 W[] = {1, 2}; };',
    references: 'class A { A REF One; A ref Two; [Key] A Ref Three = "A.x=1"; };',
    methods:
      'class A { void M(); uint32 N([IN] string P, [OUT] uint8 Q[], [In, Out] A REF R, string S[4]); };',
    'qualifiers of each form':
      '[A, B(1), C("x" "y"), D{"a","b"}, E : Amended ToSubclass, F(0x409), G(TRUE), H(NULL), I(-1.5), ' +
      "J('c'), K({1,2}), L{}] class A {};",
    'flavor directly behind the value': '[Description("a"):Amended,Locale(0x409)] class A {};',
    'qualifier split over lines':
      '[Description (\n   "first "\n   "second"\n  ) :\n  Amended] class A {};',
    'every flavor':
      '[X : EnableOverride, Y : DisableOverride, Z : Restricted ToSubclass ToInstance NotToInstance ' +
      'NotToSubClass Amended Translatable] class A {};',
    'full qualifier declaration':
      'Qualifier MaxLen : uint32 = NULL, Scope(property, method, parameter);\n' +
      'Qualifier Values : string[], Scope(any), Flavor(EnableOverride, ToSubclass, Translatable);\n' +
      'qualifier Key : boolean = false, scope(property reference), flavor(DisableOverride);\n' +
      'Qualifier Fixed : string[2] = {"a", "b"}, Scope(class, association, indication);',
    'short qualifier declaration':
      'Qualifier Description : Amended ToSubclass;\nQualifier X : Amended, Restricted;',
    association:
      'class B {}; [Association] class A { [Key] B REF Left; [Key, Max(1)] B REF Right; };',
    indication: '[Indication] class A : __ExtrinsicEvent { uint32 Code; };',
    'instance with alias, array and reference':
      'class A { uint8 x; uint8 y[]; A REF z; };\n' +
      'instance of A as $One { x = 1; y = {1, 2}; z = "A.x=\\"1\\""; };',
    'alias before its definition':
      'class A { A REF z; }; instance of A { z = $Later; }; instance of A as $LATER {};',
    'nested instances':
      'class A { [EmbeddedObject] string o; [EmbeddedInstance("A")] string p[]; };\n' +
      'instance of A { o = instance of A { o = NULL; }; p = {instance of A {}, instance of A {}}; };',
    'qualifiers on instances and their values':
      'class A { uint8 x; }; [Locale(1)] instance of A { [Description("d")] x = 1; };',
    'WDM embedded classes':
      'class B { A Prop; A Props[]; [WmiSizeIs("n")] A Sized[]; }; class A {};',
    'pragmas of each form':
      '#pragma autorecover\n#pragma classflags("forceupdate")\n#pragma classflags("createonly", "x")\n' +
      '#pragma deleteclass("X",NOFAIL)\n#pragma locale("en_US")\n# pragma instancelocale(1033)\n' +
      '#PRAGMA amendment("MS_409")\n#pragma instanceflags("createonly") #pragma deleteinstance("a" "b", fail)',
    'instance dump with quoted 64-bit numbers':
      'instance of Msvm_EthernetSwitchPortBandwidthSettingData {\n Caption = "x";\n Limit = "1000";\n' +
      ' Weight = 5; Reservation = NULL;\n __PATH = "p";\n};',
    'dump of an open class': 'instance of Msvm_VirtualEthernetSwitch { Whatever = {"a"}; };',
  };
  for (const [name, text] of Object.entries(texts)) t.same(findings(text), [], name);
  t.end();
});

t.test('DSP0221 words are refused by name and the next declaration is read', (t) => {
  for (const word of ['structure', 'ENUMERATION']) {
    const result = compileMof(`${word} A { x };\nclass B {};`);
    t.match(result.diagnostics, [{ code: 'E-MOF3', message: word, line: 1 }], word);
    t.equal(result.classes[0]?.name, 'B');
  }
  t.match(compileMof('class A { A REF x = value of A {}; };').diagnostics, [{ code: 'E-MOF3' }]);
  t.end();
});

t.test('all errors of a file come in one run, in the order of the text', (t) => {
  const text = `
class A {
  uint8 = 5;
  uint8 X = ;
  unit32 Y;
  [WmiDataId(] uint8 Z;
  uint8 W
  uint16 V = 70000;
};
class B : Missing { };
instance of A { X 1; W = 1; };
garbage here;
class C { uint8 Q = 08; };
`;
  t.same(findings(text), [
    'E-SYNTAX:3',
    'E-SYNTAX:4',
    'E-TYPE:5',
    'E-SYNTAX:6',
    'E-SYNTAX:7',
    'E-VALUE-RANGE:8',
    'E-SUPER:10',
    'E-SYNTAX:11',
    'E-SYNTAX:12',
    'E-NUMBER:13',
  ]);
  t.equal(compileMof(text).classes.length, 3, 'the classes around the errors are there');
  t.end();
});

t.test('recovery: a broken piece costs one error, what follows is read', (t) => {
  const texts: [string, string, string[], string[]][] = [
    ['missing member semicolon', 'class A { uint8 x\n uint8 y; };', ['E-SYNTAX:1'], ['A']],
    ['missing last semicolon', 'class A { uint8 x };', ['E-SYNTAX:1'], ['A']],
    ['two words on one line', 'class A { uint8 x uint8 y; };', ['E-SYNTAX:1'], ['A']],
    ['unclosed class', 'class A { uint8 x;\nclass B { };', ['E-SYNTAX:1'], ['A', 'B']],
    [
      'unclosed class before qualifiers',
      'class A { uint8 x;\n[Abstract]\nclass B : A { };',
      ['E-SYNTAX:1'],
      ['A', 'B'],
    ],
    ['unclosed class at the end', 'class A { uint8 x;', ['E-SYNTAX:1'], ['A']],
    ['unclosed qualifiers', '[Abstract class A {}; class B {};', ['E-SYNTAX:1'], ['A', 'B']],
    ['wrong bracket in qualifiers', '[A("x" }] class B {};', ['E-SYNTAX:1'], ['B']],
    [
      'prose behind a broken quote',
      '[A("x" "\n the instance of B" "y"), C]\nclass B {};',
      ['E-STRING:1', 'E-SYNTAX:2', 'E-STRING:2'],
      ['B'],
    ],
    ['no class name', 'class { uint8 x; };\nclass B {};', ['E-SYNTAX:1'], ['B']],
    ['no superclass name', 'class A : { uint8 x; };\nclass B {};', ['E-SYNTAX:1'], ['B']],
    ['stray brace', '} class A {};', ['E-SYNTAX:1'], ['A']],
    ['brackets at the type', 'class A { uint8[] x; uint8 y; };', ['E-SYNTAX:1'], ['A']],
    ['size zero', 'class A { uint8 x[0]; };', ['E-SYNTAX:1'], ['A']],
    ['size in words', 'class A { uint8 x[n]; };', ['E-SYNTAX:1'], ['A']],
    ['array of arrays', 'class A { uint8 x[] = {{1}}; };', ['E-SYNTAX:1'], ['A']],
    ['missing comma', 'class A { uint8 x[] = {1 2}; };', ['E-SYNTAX:1'], ['A']],
    ['void property', 'class A { void x; };', ['E-SYNTAX:1'], ['A']],
    ['void parameter', 'class A { void x(void y); };', ['E-TYPE:1'], ['A']],
    ['unclosed parameters', 'class A { void x(uint8 y; uint8 z; };', ['E-SYNTAX:1'], ['A']],
    ['alias without dollar', 'class A as B {};\nclass C {};', ['E-SYNTAX:1'], ['C']],
    ['bare word as value', 'class A { string x = hello; };', ['E-SYNTAX:1'], ['A']],
    ['qualifiers before a pragma', '[A]\n#pragma autorecover\nclass B {};', ['E-SYNTAX:2'], ['B']],
    ['qualifiers before nothing', '[A]', ['E-SYNTAX:1'], []],
    ['pragma without name', '#pragma (1)\nclass A {};', ['E-SYNTAX:1'], ['A']],
    ['unclosed pragma', '#pragma locale("x"\nclass A {};', ['E-SYNTAX:2'], ['A']],
    ['pragma with a brace', '#pragma locale({)\nclass A {};', ['E-SYNTAX:1'], ['A']],
    ['namespace without argument', '#pragma namespace\nclass A {};', ['E-SYNTAX:1'], ['A']],
    ['instance without of', 'instance A {};\nclass A {};', ['E-SYNTAX:1'], ['A']],
    ['qualifier without colon', 'qualifier A;\nclass A {};', ['E-SYNTAX:1'], ['A']],
    [
      'qualifier with a wrong word',
      'qualifier A : string, Size(1);\nclass A {};',
      ['E-SYNTAX:1'],
      ['A'],
    ],
    ['class in one word', 'classs A {};\nclass B {};', ['E-SYNTAX:1'], ['B']],
  ];
  for (const [name, text, codes, classes] of texts) {
    const result = compileMof(text);
    const errors = result.diagnostics.filter((each) => each.severity === 'error');
    t.same(
      errors.map((each) => `${each.code}:${each.line}`),
      codes,
      name,
    );
    t.same(
      result.classes.map((each) => each.name),
      classes,
      `${name}: classes`,
    );
  }
  t.end();
});

t.test('a broken instance gives one error and its neighbours stay', (t) => {
  const known = 'class A { uint8 x; uint8 y; uint8 z; };\n';
  t.same(findings(`${known}instance of A { x = ; y = 1; };\ninstance of A {};`), ['E-SYNTAX:2']);
  t.same(findings(`${known}instance of A { x = 1 y = 1; };`), ['E-SYNTAX:2']);
  t.same(findings(`${known}instance of A { x = 1\n y = 1 };`), ['E-SYNTAX:2', 'E-SYNTAX:3']);
  const open = compileMof(`${known}instance of A { x = 1;\ninstance of A { z = 1; };`);
  t.match(open.diagnostics, [{ code: 'E-SYNTAX', message: /not closed/ }]);
  t.equal(open.instances.length, 1);
  t.same(findings(`${known}instance of A { x = 1; }`), ['W-SEMICOLON:2']);
  t.end();
});

t.test('mofError has the first place and every problem', (t) => {
  const result = compileMof('class A {\n uint8 = 1;\n unit8 b; };', { file: 'x.mof' });
  const error = mofError(result);
  t.equal(error.code, 'MOF_INVALID');
  t.equal(error.httpStatus, 422);
  t.match(error.message, /^x\.mof:2:8: E-SYNTAX: .* \(and 1 more\)$/);
  t.match(error.place, { file: 'x.mof', line: 2, column: 8 });
  t.same(
    error.place.problems?.map((each) => [each['code'], each['line'], each['column']]),
    [
      ['E-SYNTAX', 2, 8],
      ['E-TYPE', 3, 2],
    ],
  );
  t.equal(isMofValid(result), false);
  t.equal(mofError(compileMof('class A {};')).code, 'INTERNAL', 'there is no error to tell');
  t.equal(mofError(compileMof('class A { x; };')).message.includes('more'), false);
  t.end();
});

t.test('namespaces in every spelling are root\\virtualization\\v2', (t) => {
  const v2 = 'root\\virtualization\\v2';
  for (const [literal, host] of [
    ['\\\\\\\\.\\\\root\\\\virtualization\\\\v2', '.'],
    ['\\\\.\\root\\virtualization\\v2', '.'],
    ['root\\virtualization\\v2', undefined],
    ['root\\\\virtualization\\\\v2', undefined],
    ['root/virtualization/v2', undefined],
    ['//server/root/virtualization/v2', 'server'],
    ['\\root\\virtualization\\v2', undefined],
  ] as const) {
    const { pragmas, diagnostics } = compileMof(`#pragma namespace("${literal}")`);
    t.same(diagnostics, [], literal);
    t.same(pragmas[0]?.arguments, [v2], literal);
    t.equal(normalizeNamespace(literal).host, host, literal);
  }
  t.same(normalizeNamespace('interop'), { namespace: 'interop' });
  t.same(findings('#pragma namespace("\\\\\\\\.\\\\root")', { strict: true }), [
    'E-NAMESPACE-HOST:1',
  ]);
  t.end();
});

t.test('includes are relative to the including file and compiled where they stand', (t) => {
  const files: Record<string, string> = {
    'dir/b.mof': '#pragma include("../c.mof")\n#pragma include("sub\\d.mof")\nclass B : C {};',
    'c.mof': 'class C {};',
    'dir/sub/d.mof': 'class D : C { unit8 x; };',
  };
  const asked: string[] = [];
  const include = (path: string, from: string): string | undefined => {
    asked.push(`${from} → ${path}`);
    return files[path];
  };
  const result = compileMof('#pragma include("dir/b.mof")\nclass A : B {};', {
    file: 'a.mof',
    include,
  });
  t.same(asked, ['a.mof → dir/b.mof', 'dir/b.mof → c.mof', 'dir/b.mof → dir/sub/d.mof']);
  t.same(
    result.classes.map((each) => each.name),
    ['C', 'D', 'B', 'A'],
  );
  t.match(result.diagnostics, [{ code: 'E-TYPE', file: 'dir/sub/d.mof', line: 1 }]);
  t.same(findings('#pragma include("x")'), ['E-INCLUDE:1'], 'without a reader');
  const endless = { include: (path: string) => `#pragma include("x${path}")` };
  t.same(findings('#pragma include("x")', endless), ['E-DEPTH:1'], 'a chain without end');
  t.end();
});

t.test('paths of includes are normalized', (t) => {
  t.equal(resolveInclude('b.mof', 'a.mof'), 'b.mof');
  t.equal(resolveInclude('./x/../b.mof', 'd\\a.mof'), 'd/b.mof');
  t.equal(resolveInclude('../../b.mof', 'd/a.mof'), '../b.mof');
  t.equal(resolveInclude('/b.mof', 'd/a.mof'), '/b.mof');
  t.equal(resolveInclude('C:\\x\\b.mof', 'd/a.mof'), 'C:/x/b.mof');
  t.end();
});

t.test('the dialect is told', (t) => {
  t.equal(compileMof('class A {};').dialect, 'wmi');
  t.equal(compileMof('[WMI, guid("x")] class A {};').dialect, 'wdm');
  t.equal(compileMof('class A {}; class B { A X; };').dialect, 'wdm');
  t.equal(compileMof('Qualifier X : string, Scope(any); class A {};').dialect, 'dmtf');
  t.end();
});

t.test('hints name what was meant', (t) => {
  const hint = (text: string): string | undefined => compileMof(text).diagnostics[0]?.hint;
  t.equal(hint('class A { bool x; };'), 'did you mean boolean?');
  t.equal(hint('class A { DWORD x; };'), 'did you mean uint32?');
  t.equal(hint('class A { unt64 x; };'), 'did you mean uint64?');
  t.equal(hint('class Foobar {}; class A { Fobar x; };'), 'did you mean Foobar?');
  t.equal(hint('class A { Qqqqqq x; };'), undefined);
  t.equal(hint('class A : CIM_SetingData {};'), 'did you mean CIM_SettingData?');
  t.match(hint('class A : Qqqqqqqqqq {};'), /declare it earlier/);
  t.equal(hint('instance of CIM_SetingData {};'), 'did you mean CIM_SettingData?');
  t.equal(hint('instance of Qqqqqqqqqqqqq {};'), undefined);
  t.equal(hint('class A { uint8 alpha; }; instance of A { alpa = 1; };'), 'did you mean alpha?');
  t.equal(hint('class A { uint8 alpha; }; instance of A { zzz = 1; };'), undefined);
  t.end();
});

t.test('instance values are checked against their class', (t) => {
  const known =
    'class A { uint8 n; A REF r; A REF rs[]; [EmbeddedObject] string o; A c; object x; };';
  const bad: [string, string[]][] = [
    ['n = 300;', ['E-VALUE-RANGE:2']],
    ['n = instance of A {};', ['E-VALUE-TYPE:2']],
    ['r = 5;', ['E-VALUE-TYPE:2']],
    ['r = {5};', ['E-VALUE-TYPE:2']],
    ['c = TRUE;', ['E-VALUE-TYPE:2']],
    ['n = 1; N = 2;', ['E-NAME-DUPLICATE:2']],
    ['o = instance of A { n = 300; };', ['E-VALUE-RANGE:2']],
    ['o = instance of Bad { n = 300; };', ['E-INSTANCE-CLASS:2']],
    ['rs = {$X, $Y};', ['E-ALIAS:2', 'E-ALIAS:2']],
    ['o = instance of A as $Q {}; r = $q;', []],
    ['o = "text"; c = NULL; x = instance of A {}; rs = {"a", NULL};', []],
  ];
  for (const [text, codes] of bad) {
    const all = findings(`${known}\ninstance of A { ${text} };`);
    t.same(
      all.filter((each) => each !== 'W-TYPE-ALIAS:1'),
      codes,
      text,
    );
  }
  const inherited = 'class B : Unknown { uint8 n; };\ninstance of B { whatever = 1; };';
  t.same(findings(inherited), ['E-SUPER:1'], 'nothing is said about members of an unknown class');
  t.end();
});
