import t from 'tap';
import type { MofClass, MofProperty, MofValue } from '../../../src/mof/ast.ts';
import { type CompileOptions, compileMof, type MofResult } from '../../../src/mof/compiler.ts';

const run = (text: string, options: CompileOptions = {}): MofResult =>
  compileMof(text, { preprocess: true, ...options });

/** Findings as `CODE:line`. */
function findings(text: string, options: CompileOptions = {}): string[] {
  return run(text, options).diagnostics.map((each) => `${each.code}:${each.line}`);
}

function property(declaration: MofClass | undefined, name: string): MofProperty | undefined {
  const found = declaration?.features.find((each) => each.name === name);
  return found?.kind === 'property' ? found : undefined;
}

function initial(result: MofResult, name = 'X'): bigint | string | undefined {
  const value: MofValue | undefined = property(result.classes[0], name)?.initial;
  return value?.kind === 'integer' || value?.kind === 'string' ? value.value : undefined;
}

/** True when the text behind the directives counts. */
function holds(condition: string, before = ''): boolean {
  const text = `${before}#if ${condition}\nclass A {};\n#endif`;
  const result = run(text);
  t.same(result.diagnostics, [], condition);
  return result.classes.length === 1;
}

t.test('object-like macros stand for types, values and qualifier lists, over joined lines', (t) => {
  const text = `#define ULONG uint32
#define LIMIT 0x10
#define NEG -5
#define QUALS [read, \\
   WmiDataId(1), \\
   Description("joined " \\
     "text")]
class A {
  QUALS ULONG X = LIMIT;
  sint8 Y = NEG; string Z = "LIMIT";
};
`;
  const result = run(text);
  t.same(result.diagnostics, []);
  t.equal(initial(result), 16n);
  t.equal(initial(result, 'Y'), -5n);
  t.equal(initial(result, 'Z'), 'LIMIT', 'nothing is replaced in a string');
  const found = property(result.classes[0], 'X');
  t.same(
    found?.qualifiers.map((each) => each.name),
    ['read', 'WmiDataId', 'Description'],
  );
  t.match(found?.type, { kind: 'scalar', name: 'uint32' });
  t.end();
});

t.test('function-like macros take arguments, make strings and join words', (t) => {
  const texts: [string, bigint | string][] = [
    ['#define ID(n) n\nclass A { uint8 X = ID(7); };', 7n],
    ['#define TWO() 2\nclass A { uint8 X = TWO(); };', 2n],
    ['#define SECOND(a, b) b\nclass A { uint8 X = SECOND((1, 2), 3); };', 3n],
    ['#define STR(x) #x\nclass A { string X = STR(one two); };', 'one two'],
    ['#define CAT(a, b) a##b\nclass A { uint8 CAT(X, ) = CAT(1, 2); };', 12n],
    ['#define A1 4\n#define CAT(a, b) a ## b\nclass A { uint8 X = CAT(A, 1); };', 4n],
    ['#define F(a) G(a)\n#define G(a) a\nclass A { uint8 X = F(G(9)); };', 9n],
    ['#define F(a) a\nclass A { uint8 X = F\n (\n 3 ); };', 3n],
    ['#define OBJ (5)\n#define F(a) a\nclass A { uint8 X = F OBJ; };', 5n],
    ['#define X X\nclass A { uint8 X = 1; };', 1n],
    ['#define P Q\n#define Q P\nclass A { uint8 X = 1; string P; };', 1n],
  ];
  for (const [text, value] of texts) {
    const result = run(text);
    const expected = text.includes('F OBJ') ? undefined : value;
    t.equal(initial(result), expected, text);
  }
  t.end();
});

t.test('a function-like macro without parenthesis is an ordinary word', (t) => {
  const result = run('#define F(a) a\nclass F { uint8 X = F(1); };');
  t.same(result.diagnostics, []);
  t.equal(result.classes[0]?.name, 'F');
  t.equal(initial(result), 1n);
  t.end();
});

t.test('wrong macros are errors with their place', (t) => {
  const texts: [string, string[]][] = [
    ['#define\n', ['E-CPP-DIRECTIVE:1']],
    ['#define 5 6\n', ['E-CPP-DIRECTIVE:1']],
    ['#define F(a\n', ['E-CPP-DIRECTIVE:1']],
    ['#define F(a,) a\n', ['E-CPP-DIRECTIVE:1']],
    ['#define F(1) a\n', ['E-CPP-DIRECTIVE:1']],
    ['#define F(a b) a\n', ['E-CPP-DIRECTIVE:1']],
    ['#define F(a) a\n\n;F(1, 2)', ['E-CPP-MACRO:3']],
    ['#define F() a\n;F(1)', ['E-CPP-MACRO:2']],
    ['#define F(a) a\n;F(1', ['E-CPP-MACRO:2']],
    ['#undef\n#unknown\n', ['E-CPP-DIRECTIVE:2']],
    ['#error stop here\n', ['E-CPP-DIRECTIVE:1']],
  ];
  for (const [text, codes] of texts) t.same(findings(text), codes, text);
  t.match(run('#error stop here\n').diagnostics[0]?.message, '#error stop here');
  t.end();
});

t.test('findings behind directives and joined lines keep the line of the file', (t) => {
  const text = `#define A1 \\\n  1\n#if 0\nunit8 hidden;\n#endif\n/* two\nlines */ class A {\n  unit8 X;\n};`;
  t.same(findings(text), ['E-TYPE:8']);
  t.match(run('#define BAD unit8\nclass A {\n\n  BAD X;\n};').diagnostics, [
    { code: 'E-TYPE', line: 4, column: 3, endColumn: 6, message: /unit8/ },
  ]);
  t.end();
});

t.test('#if evaluates integer expressions like a C compiler', (t) => {
  for (const [condition, value] of [
    ['1', true],
    ['0', false],
    ['UNKNOWN', false],
    ['!UNKNOWN', true],
    ['1 + 2 * 3 == 7', true],
    ['(1 + 2) * 3 == 9', true],
    ['10 - 2 - 3 == 5', true],
    ['7 / 2 == 3 && 7 % 2 == 1', true],
    ['1 << 4 == 16 && 16 >> 2 == 4', true],
    ['(6 & 3) == 2 && (6 | 1) == 7 && (6 ^ 2) == 4', true],
    ['1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2', true],
    ['0 || 0', false],
    ['0 || 5', true],
    ['-1 < 0 && ~0 == -1 && +1 == 1', true],
    ['1 ? 0 : 1', false],
    ['0 ? 0 : 1', true],
    ['0x10 == 16 && 010 == 8', true],
    ['defined A || defined(B)', false],
    ['1 /* comment */ // comment', true],
  ] as const) {
    t.equal(holds(condition), value, condition);
  }
  t.equal(holds('defined(V) && V >= 0x600', '#define V 0x0601\n'), true);
  t.equal(holds('defined V', '#define V\n#undef V\n'), false);
  t.equal(holds('MAX(2, 3) == 3', '#define MAX(a, b) ((a) > (b) ? (a) : (b))\n'), true);
  t.end();
});

t.test('a wrong condition is one error and counts as false', (t) => {
  for (const condition of [
    '',
    '1 +',
    '(1',
    '1 2',
    '1 ? 2',
    '1 / 0',
    '1 % 0',
    '1 << 64',
    'defined',
    'defined(A',
    '"text"',
    '* 2',
    `${'('.repeat(100)}1`,
  ]) {
    const result = run(`#if ${condition}\nclass A {};\n#endif\nclass B {};`);
    t.same(
      result.diagnostics.map((each) => each.code),
      ['E-CPP-DIRECTIVE'],
      condition,
    );
    t.equal(result.classes[0]?.name, 'B', condition);
  }
  t.end();
});

t.test('branches: one of them counts, also nested in text that does not', (t) => {
  const names = (text: string): string =>
    run(text)
      .classes.map((each) => each.name)
      .join('');
  const four = (a: number, b: number): string =>
    `#if ${a}\nclass A {};\n#elif ${b}\nclass B {};\n#else\nclass C {};\n#endif\nclass D {};`;
  t.equal(names(four(1, 1)), 'AD');
  t.equal(names(four(0, 1)), 'BD');
  t.equal(names(four(0, 0)), 'CD');
  t.equal(names('#ifdef X\nclass A {};\n#else\nclass B {};\n#endif'), 'B');
  t.equal(names('#define X\n#ifdef X\nclass A {};\n#endif\n#ifndef X\nclass B {};\n#endif'), 'A');
  const nested =
    '#if 0\n#if 1\nclass A {};\n#else\nclass B {};\n#endif\n#define Y\n#error no\n#bad\n#else\n' +
    '#ifdef Y\nclass C {};\n#endif\nclass D {};\n#endif';
  t.equal(names(nested), 'D');
  t.same(findings(nested), []);
  t.same(findings('#endif\n#else\n#elif 1\n'), [
    'E-CPP-DIRECTIVE:1',
    'E-CPP-DIRECTIVE:2',
    'E-CPP-DIRECTIVE:3',
  ]);
  t.same(findings('#if 1\n#else\n#else\n#endif'), ['E-CPP-DIRECTIVE:3']);
  t.same(findings('#ifdef\n#endif\n#ifndef 5\n#endif'), ['E-CPP-DIRECTIVE:1', 'E-CPP-DIRECTIVE:3']);
  t.same(findings('#if 1\n#ifdef X\n'), ['E-CPP-DIRECTIVE:1', 'E-CPP-DIRECTIVE:2']);
  t.end();
});

t.test('a # inside a string, a comment or a character is no directive', (t) => {
  const text =
    'class A { string X = "\\\n" "x"; };\n/*\n#error in a comment\n*/\n// #error\n  # pragma autorecover\n' +
    'class B { string X = "#error"; char16 C = \'"\';\n};\n#define Q \'"\'\nclass C { char16 C = Q; };';
  t.same(findings(text.replace('"\\\n" ', '')), []);
  t.same(
    run(text.replace('"\\\n" ', '')).classes.map((each) => each.name),
    ['A', 'B', 'C'],
  );
  t.end();
});

t.test('#include reads headers, with guards, relative to the including file', (t) => {
  const files: Record<string, string> = {
    'inc/types.h':
      '#ifndef TYPES\n#define TYPES\n#include "more/limits.h"\n#define UINT uint32\n#endif\n',
    'inc/more/limits.h': '#include "../types.h"\n#define LIMIT 9',
    'part.mof': 'UINT X = LIMIT;',
    'bad.h': '#define\n#if\n#endif\n',
  };
  const include = (path: string): string | undefined => files[path];
  const text =
    '#include "inc/types.h"\n#include <inc/types.h>\nclass A {\n#include "part.mof"\n uint8 Y = 1; };';
  const result = run(text, { include });
  t.same(result.diagnostics, []);
  t.equal(initial(result), 9n);
  t.equal(initial(result, 'Y'), 1n);
  t.match(run('\n#include "bad.h"', { include }).diagnostics, [
    { code: 'E-CPP-DIRECTIVE', file: 'bad.h', line: 1 },
    { code: 'E-CPP-DIRECTIVE', file: 'bad.h', line: 2 },
  ]);
  t.same(findings('#include\n#include nothing\n'), ['E-CPP-DIRECTIVE:1', 'E-CPP-DIRECTIVE:2']);
  t.same(findings('#include "a.h"\nclass A {};'), ['E-CPP-INCLUDE:1'], 'without a reader');
  t.end();
});

t.test('macros of a header hold in a file that #pragma include names', (t) => {
  const files: Record<string, string> = { 'b.mof': 'class B { T X; };', 'c.h': '#define T uint8' };
  const result = run('#include "c.h"\n#pragma include("b.mof")', {
    include: (path) => files[path],
  });
  t.same(result.diagnostics, []);
  t.match(property(result.classes[0], 'X')?.type, { name: 'uint8' });
  t.end();
});

t.test('endless headers and macros stop with a finding', (t) => {
  const self = run('#include "mof"\n', { include: () => '#include "mof"\n' });
  t.ok(self.diagnostics.length >= 1);
  t.ok(self.diagnostics.every((each) => each.code === 'E-CPP-INCLUDE'));
  const wide = run('#include "h"\n'.repeat(1200), { include: () => '#define X' });
  t.match(wide.diagnostics, [{ code: 'E-CPP-INCLUDE', message: /more than 1000 headers/ }]);
  const doubling = Array.from({ length: 40 }, (_, i) => `#define L${i + 1} L${i} L${i}\n`).join('');
  const laughs = run(`${doubling}class A { L40 };`);
  t.match(laughs.diagnostics[0], { code: 'E-CPP-MACRO', line: 41, message: /1000000 tokens/ });
  const chain = Array.from({ length: 200 }, (_, i) => `#define L${i + 1} L${i}\n`).join('');
  t.equal(findings(`${chain}class A { uint8 X = L200; };`)[0], 'E-CPP-MACRO:201');
  t.end();
});

t.test('the option defines macros; without it the file gives E-CPP alone', (t) => {
  const text = '#ifdef DEBUG\nclass A { T X = N; };\n#endif\nclass B {};';
  const result = run(text, { preprocess: { defines: { DEBUG: '', T: 'uint8', N: '5' } } });
  t.same(result.diagnostics, []);
  t.equal(initial(result), 5n);
  t.equal(run(text, { preprocess: {} }).classes.length, 1);
  const plain = compileMof('class A { T X; };\n#define T uint8\nclass B { T X; oops', {});
  t.match(plain.diagnostics, [{ code: 'E-CPP', line: 2, message: /C-preprocessed MOF: #define/ }]);
  t.match(compileMof('class A {}; \\\nclass B {};').diagnostics, [
    { code: 'E-CPP', line: 1, column: 13 },
  ]);
  t.same(findings('class A \\\n{ };\\'), [], 'joined lines');
  t.same(
    compileMof('class A {};\\ x').diagnostics.map((each) => each.code)[0],
    'E-CHAR',
    'a backslash elsewhere joins nothing',
  );
  t.end();
});
