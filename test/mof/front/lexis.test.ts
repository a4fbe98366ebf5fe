import t from 'tap';
import type { MofProperty, MofValue } from '../../../src/mof/ast.ts';
import { compileMof } from '../../../src/mof/compiler.ts';
import { formatDiagnostic } from '../../../src/mof/diagnostic.ts';
import { SourceFile } from '../../../src/mof/source.ts';

/** Initial value of the one property in a class. */
function initialOf(text: string): MofValue | undefined {
  const result = compileMof(`class A { ${text} };`);
  const [property] = result.classes[0]?.features ?? [];
  t.same(result.diagnostics, [], text);
  return (property as MofProperty | undefined)?.initial;
}

function codesOf(text: string | Uint8Array, strict = false): string[] {
  return compileMof(text, { strict }).diagnostics.map((each) => each.code);
}

t.test('integer literals in every form have their value (management.md 1.2)', (t) => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['+127', 127n],
    ['-128', -128n],
    ['0x7F', 127n],
    ['0Xff', 255n],
    ['-0x10', -16n],
    ['017', 15n],
    ['00', 0n],
    ['101b', 5n],
    ['-1B', -1n],
    ['18446744073709551615', 18446744073709551615n],
    ['-9223372036854775808', -9223372036854775808n],
    [`${'0'.repeat(30)}7`, 7n],
  ];
  for (const [text, value] of cases) {
    const isBig = value > 127n || value < -128n;
    const type = value < 0n ? 'sint64' : isBig ? 'uint64' : 'sint16';
    const initial = initialOf(`${type} X = ${text};`);
    t.equal(initial?.kind === 'integer' ? initial.value : undefined, value, text);
  }
  t.end();
});

t.test('malformed numbers are one error each', (t) => {
  const bad = ['08', '09', '2b', '1a', '0x', '0xG', '1.', '1E5', '1_000', '1.2.3', '1.5x', '--1'];
  for (const text of bad) {
    const codes = codesOf(`class A { real64 X = ${text}; };`);
    t.ok(codes.includes('E-NUMBER') || codes.includes('E-CHAR'), `${text}: ${codes}`);
  }
  t.same(codesOf(`class A { uint64 X = ${'1'.repeat(81)}; };`), ['E-NUMBER']);
  t.end();
});

t.test('real literals have their value', (t) => {
  const cases: [string, number][] = [
    ['1.0', 1],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['-1.2778E+02', -127.78],
    ['+1.5e-3', 0.0015],
  ];
  for (const [text, value] of cases) {
    const initial = initialOf(`real64 X = ${text};`);
    t.equal(initial?.kind === 'real' ? initial.value : undefined, value, text);
  }
  t.end();
});

t.test('string escapes are decoded and adjacent strings joined over lines and comments', (t) => {
  const cases: [string, string][] = [
    ['"a\\b\\t\\n\\f\\r\\"\\\'\\\\z"', 'a\b\t\n\f\r"\'\\z'],
    ['"\\x41\\x0041B\\xe9."', 'AABé.'],
    ['"\\X41"', 'A'],
    ['"one" "two"\n  // comment\n  /* another */ "three"', 'onetwothree'],
    ['"// no comment /* here */"', '// no comment /* here */'],
    ['""', ''],
    ['"日本 😀"', '日本 😀'],
  ];
  for (const [text, value] of cases) {
    const initial = initialOf(`string X = ${text};`);
    t.equal(initial?.kind === 'string' ? initial.value : undefined, value, text);
  }
  t.end();
});

t.test(
  'char16 takes a character, an escape or an integer; surrogates and pairs are refused',
  (t) => {
    for (const [text, unit] of [
      ["'A'", 0x41],
      ["'\\x4133'", 0x4133],
      ["'\\''", 0x27],
      ["'\"'", 0x22],
    ] as const) {
      const initial = initialOf(`char16 X = ${text};`);
      t.equal(initial?.kind === 'char' ? initial.value : undefined, unit, text);
    }
    t.equal(initialOf('char16 X = 65535;')?.kind, 'integer');
    t.same(codesOf('class A { char16 X = 65536; };'), ['E-VALUE-RANGE']);
    t.same(codesOf('class A { char16 X = 55296; };'), ['E-VALUE-RANGE']);
    t.same(codesOf("class A { char16 X = '😀'; };").includes('E-CHAR16'), true);
    t.same(codesOf("class A { char16 X = ''; };"), ['E-CHAR16']);
    t.same(codesOf("class A { char16 X = 'a; };\nclass B {};")[0], 'E-CHAR16');
    t.end();
  },
);

t.test('datetime takes points in time, intervals and starred fields', (t) => {
  for (const text of [
    '20240229235959.000000+060',
    '19980525133015.000000-300',
    '20240101******.******+***',
    '00000012001530.000000:000',
    '********002000.000000:000',
  ]) {
    t.equal(initialOf(`datetime X = "${text}";`)?.kind, 'string', text);
  }
  for (const text of ['20241301000000.000000+000', '2024', '20240101000000.000000', '']) {
    t.same(codesOf(`class A { datetime X = "${text}"; };`), ['E-VALUE-TYPE'], text);
  }
  t.end();
});

t.test('keywords, types, names, booleans and NULL ignore case and keep the first spelling', (t) => {
  const text =
    'CLASS a_B : cim_settingdata { UINT32 X = 1; Boolean b = True; STRING s = null; Uint16 y[] = {}; };\n' +
    'INSTANCE OF A_b { x = 2; B = FALSE; InstanceId = "i"; };';
  const result = compileMof(text);
  t.same(result.diagnostics, []);
  t.same(
    result.classes[0]?.features.map((each) => each.name),
    ['X', 'b', 's', 'y'],
  );
  t.equal(result.tree.get('A_B')?.name, 'a_B');
  t.equal(result.tree.get('A_B')?.superclass, 'CIM_SettingData');
  t.end();
});

t.test('keywords may be names where nothing else can stand', (t) => {
  const text =
    'class association { string class; uint8 instance; uint8 of; string qualifier; uint8 ref; ' +
    'boolean pragma; uint8 as; association REF property; uint8 indication[]; };\n' +
    'instance of association { class = "x"; of = 1; ref = 2; as = 3; };';
  t.same(codesOf(text), []);
  t.end();
});

t.test('identifiers may have letters of any script', (t) => {
  t.same(codesOf('class Ünïcode_名前 { uint8 größe = 1; uint8 _x9; };'), []);
  t.equal(codesOf('class A { uint8 9x; };')[0], 'E-NUMBER');
  t.end();
});

t.test('every encoding of the same text gives the same class', (t) => {
  const text = 'class Acme_Ü {\r\n  string S = "é日";\r\n};\r\n';
  const utf16le = new Uint8Array([0xff, 0xfe, ...Buffer.from(text, 'utf16le')]);
  const utf16be = new Uint8Array([0xfe, 0xff, ...Buffer.from(text, 'utf16le').swap16()]);
  const utf8 = new TextEncoder().encode(text);
  const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...utf8]);
  for (const [name, input] of Object.entries({ text, utf16le, utf16be, utf8, marked })) {
    const result = compileMof(input);
    t.same(result.diagnostics, [], name);
    t.equal(result.classes[0]?.name, 'Acme_Ü', name);
  }
  t.same(codesOf(`\ufeff${text}`), [], 'a string with a mark');
  t.end();
});

t.test('bytes that are no UTF-8 are Windows-1252, with a warning', (t) => {
  const bytes = Uint8Array.from(Buffer.from('class A { string S = "\x80\xe9"; };', 'latin1'));
  const result = compileMof(bytes);
  const [property] = result.classes[0]?.features ?? [];
  const initial = (property as MofProperty).initial;
  t.equal(initial?.kind === 'string' ? initial.value : undefined, '€é');
  t.same(
    result.diagnostics.map((each) => each.code),
    ['W-ENCODING'],
  );
  t.end();
});

t.test('bytes that are no text are refused with the reason', (t) => {
  const refused: [string, number[], RegExp][] = [
    ['UTF-32 little-endian', [0xff, 0xfe, 0, 0, 0x41, 0, 0, 0], /UTF-32/],
    ['UTF-32 big-endian', [0, 0, 0xfe, 0xff, 0, 0, 0, 0x41], /UTF-32/],
    ['odd UTF-16', [0xfe, 0xff, 0x41], /odd number of bytes \(3\)/],
    ['UTF-16 without mark', [0x41, 0, 0x42, 0], /byte-order mark/],
  ];
  for (const [name, bytes, reason] of refused) {
    const result = compileMof(Uint8Array.from(bytes));
    t.same(
      result.diagnostics.map((each) => each.code),
      ['E-ENCODING'],
      name,
    );
    t.match(result.diagnostics[0]?.message, reason, name);
  }
  t.same(codesOf(new Uint8Array(0)), [], 'an empty file is fine');
  t.end();
});

t.test('CR LF, LF and CR each end one line', (t) => {
  const source = new SourceFile('f', 'a\r\nb\nc\rd\n\re');
  t.same(
    [...'abcde'].map((letter) => source.position(source.text.indexOf(letter))),
    [
      { line: 1, column: 1 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 4, column: 1 },
      { line: 6, column: 1 },
    ],
  );
  t.same(
    [1, 2, 3, 4, 5, 6, 7].map((line) => source.lineText(line)),
    ['a', 'b', 'c', 'd', '', 'e', ''],
  );
  t.end();
});

t.test('a finding prints its line with the caret under the text, tabs kept', (t) => {
  const [found] = compileMof('class A {\n\t\tunit32 X;\n};', { file: 'a.mof' }).diagnostics;
  if (found === undefined) throw new Error('no finding');
  t.equal(
    formatDiagnostic(found),
    [
      'a.mof:2:3: error E-TYPE: unknown type "unit32"',
      '    2 | \t\tunit32 X;',
      '      | \t\t^^^^^^',
      '      = hint: did you mean uint32?',
    ].join('\n'),
  );
  t.end();
});

t.test('a finding on a very long line prints a piece of it', (t) => {
  const text = `class A { ${'uint8 P; '.replace('P', 'x'.repeat(500))} unit32 X; ${' '.repeat(300)}};`;
  const [found] = compileMof(text).diagnostics;
  if (found === undefined) throw new Error('no finding');
  const [, line = '', caret = ''] = formatDiagnostic(found).split('\n');
  t.ok(line.length < 120, 'the line is cut');
  t.equal(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1), 'unit32');
  t.end();
});

t.test('dump lines are refused politely, once for a run of lines, and the rest is read', (t) => {
  const text = '# dump\n# of a host\nclass A {};\n#\nclass B {};';
  const result = compileMof(text);
  t.same(
    result.diagnostics.map((each) => [each.code, each.line]),
    [
      ['E-DUMP-LINE', 1],
      ['E-DUMP-LINE', 4],
    ],
  );
  t.equal(result.classes.length, 2);
  t.end();
});

t.test('an unusable run of characters is one error with its code point', (t) => {
  const [found] = compileMof('class A { ??? uint8 X; };').diagnostics;
  t.match(found, { code: 'E-CHAR', column: 11, endColumn: 14 });
  t.match(compileMof('😀😀').diagnostics, [{ code: 'E-CHAR', message: /U\+1F600/ }]);
  t.end();
});

t.test('values of wrong kinds are refused with what was found', (t) => {
  const cases: [string, string][] = [
    ['uint8 X = "abc"', 'E-VALUE-TYPE'],
    ['uint8 X = "09"', 'E-VALUE-TYPE'],
    ["uint8 X = 'a'", 'E-VALUE-TYPE'],
    ['sint8 X = -129', 'E-VALUE-RANGE'],
    ['uint64 X = 18446744073709551616', 'E-VALUE-RANGE'],
    ['uint64 X = "-1"', 'E-VALUE-RANGE'],
    ['real32 X = "1"', 'E-VALUE-TYPE'],
    ['real32 X = 1.0E39', 'E-VALUE-RANGE'],
    ['string X = 5', 'E-VALUE-TYPE'],
    ['string X = "\\xD800"', 'E-VALUE-TYPE'],
    ['string X = "a\\x0000"', 'E-VALUE-TYPE'],
    [`string X = "${'a'.repeat(32_767)}"`, 'E-VALUE-LENGTH'],
    ['boolean X = 1', 'E-VALUE-TYPE'],
    ["boolean X = 'a'", 'E-VALUE-TYPE'],
    ['char16 X = "a"', 'E-VALUE-TYPE'],
    ['datetime X = 5', 'E-VALUE-TYPE'],
    ['uint8 X = {1}', 'E-VALUE-TYPE'],
    ['uint8 X[] = {1, NULL}', 'E-VALUE-TYPE'],
    ['uint8 X[] = {1, $A}', 'E-VALUE-TYPE'],
    ['uint8 X[] = {1, instance of CIM_SettingData {}}', 'E-VALUE-TYPE'],
  ];
  for (const [text, code] of cases) t.same(codesOf(`class A { ${text}; };`), [code], text);
  t.match(compileMof('class A { uint8 X = 300; };').diagnostics[0]?.message, /0 to 255; found 300/);
  t.same(codesOf('class A { uint8 X = "0x1FF"; };'), ['W-QUOTED-NUMBER', 'E-VALUE-RANGE']);
  t.same(codesOf('class A { uint8 X = 254.5; sint8 Y = -1.5; };'), ['W-REAL', 'W-REAL']);
  t.same(codesOf('class A { uint8 X = 255.5; };'), ['W-REAL', 'E-VALUE-RANGE']);
  t.end();
});
