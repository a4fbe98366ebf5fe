import fc from 'fast-check';
import t from 'tap';
import { type CompileOptions, compileMof, type MofResult } from '../../../src/mof/compiler.ts';
import { formatDiagnostic } from '../../../src/mof/diagnostic.ts';
import { featureText } from './feature-text.ts';

const MEGA = 1_000_000;

/** Codes of a text that must end soon: the time is far above what a linear compiler needs on a busy machine. */
function endless(text: string, options: CompileOptions = {}): string[] {
  const start = performance.now();
  const result = compileMof(text, options);
  const took = performance.now() - start;
  t.ok(took < 30_000, `${text.slice(0, 30).replaceAll('\n', ' ')}… ends within 30 s`);
  return [...new Set(result.diagnostics.map((each) => each.code))];
}

t.test('5 MB of nesting gives an error, never a stack overflow', (t) => {
  t.same(endless(`class Acme_A { uint8 X[] = ${'{'.repeat(5 * MEGA)}`), ['E-DEPTH']);
  t.same(endless('instance of A { P = '.repeat(MEGA / 4)), ['E-DEPTH']);
  t.same(endless(`class A { [${'A('.repeat((5 * MEGA) / 2)}`), ['E-SYNTAX']);
  t.same(endless('['.repeat(5 * MEGA)), ['E-SYNTAX']);
  t.same(endless('class A { '.repeat(MEGA / 2)), ['E-SYNTAX', 'E-TOO-MANY']);
  t.same(endless(`#if ${'('.repeat(5 * MEGA)}`, { preprocess: true }), ['E-CPP-DIRECTIVE']);
  t.same(endless('#if 1\n'.repeat(MEGA / 2), { preprocess: true }), [
    'E-CPP-DIRECTIVE',
    'E-TOO-MANY',
  ]);
  const calls = `#define F(x) x\nclass A {${'F('.repeat(MEGA)}`;
  t.same(endless(calls, { preprocess: true }).includes('E-CPP-MACRO'), true);
  t.end();
});

t.test('big flat texts are read in linear time', (t) => {
  const many = (count: number, each: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => each(index)).join('');
  t.same(endless(`class A { ${many(50_000, (i) => `uint8 P${i};\n`)} };`), []);
  t.same(endless(many(50_000, (i) => `class A${i} { uint8 P; };\n`)), []);
  t.same(endless(`class A { string S = ${'"ab" '.repeat(MEGA / 4)}; };`), ['E-VALUE-LENGTH']);
  t.same(endless(`class A { uint8 X[] = {${'1,'.repeat(MEGA / 4)}1}; };`), []);
  t.same(endless(`class A { uint64 X = ${'9'.repeat(MEGA)}; };`), ['E-NUMBER']);
  t.same(endless(`class ${'a'.repeat(MEGA)} : ${'b'.repeat(MEGA)} {};`), ['E-SUPER']);
  t.same(endless('/'.repeat(MEGA)), []);
  t.same(endless(' '.repeat(MEGA)), []);
  t.same(endless(`/* ${'*'.repeat(MEGA)}`), ['E-COMMENT']);
  const chain = many(10_000, (i) => `class A${i} ${i > 0 ? `: A${i - 1}` : ''} {};\n`);
  t.same(endless(chain), ['E-DEPTH', 'E-TOO-MANY']);
  const features = many(3000, (i) => {
    const id = `UUID("00000000-0000-0000-0000-${String(i).padStart(12, '0')}")`;
    return featureText({ name: `Acme_${i}SettingData`, qualifiers: { UUID: id } });
  });
  t.same(endless(features), []);
  t.equal(compileMof(features).features.length, 3000);
  t.end();
});

t.test('at most 100 errors or 1000 warnings are collected, then one says that it stopped', (t) => {
  const errors = compileMof(`${featureText()}\n${'oops;\n'.repeat(500)}`);
  t.equal(errors.diagnostics.length, 101);
  t.equal(errors.diagnostics.at(-1)?.code, 'E-TOO-MANY');
  t.same(errors.features, []);
  const warnings = compileMof('#pragma nobody\n'.repeat(2000));
  t.equal(warnings.diagnostics.length, 1001);
  t.equal(warnings.diagnostics.at(-1)?.code, 'E-TOO-MANY');
  t.equal(warnings.diagnostics.at(-1)?.severity, 'error');
  t.end();
});

t.test('the text with its includes has a limit', (t) => {
  const include = (path: string): string => (path === 'big' ? ' '.repeat(MEGA * 17) : '');
  t.same(endless('#pragma include("big")', { include }), ['E-SIZE']);
  const part = ' '.repeat(15 * MEGA);
  const parts = Array.from({ length: 6 }, (_, i) => `#pragma include("p${i}")`).join('\n');
  t.same(endless(parts, { include: () => part }), ['E-SIZE']);
  t.end();
});

const PIECES = (
  'class|instance|of|as|qualifier|#pragma|namespace|include|ref|void|uint8|string|datetime|object|' +
  'TRUE|NULL|{|}|[|]|(|)|:|;|,|=|$A|A|Acme_B|Msvm_EthernetSwitchPortFeatureSettingData|' +
  'CIM_SettingData|UUID|Provider|WmiDataId|MaxLen|Max|InterfaceVersion|Dynamic|Amended|Scope|any|' +
  '"x"|"|\'a\'|\'|1|0x|08|1.5|-|/*|*/|//|\\|#define|#if|#else|#endif|#include|#|##|defined|\n|structure|value'
).split('|');

const soup = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: fc.constantFrom(...PIECES) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
    ),
    { maxLength: 120 },
  )
  .map((pieces) => pieces.join(' '));

/** What every result keeps, whatever the text. */
function checkResult(text: string | Uint8Array, result: MofResult): void {
  const fail = (why: string): never => {
    throw new Error(`${why}: ${JSON.stringify(String(text))}`);
  };
  const hasError = result.diagnostics.some((each) => each.severity === 'error');
  if (hasError && result.features.length > 0) fail('features beside errors');
  for (const each of result.diagnostics) {
    if (each.line < 1 || each.column < 1) fail('a place outside the text');
    if (each.endColumn <= each.column) fail('an empty mark');
    if (each.column - 1 > each.lineText.length) fail('a place behind the line');
    if (!formatDiagnostic(each).includes('^')) fail('no caret');
  }
}

t.test('random token soup never throws, with every option', (t) => {
  const include = (path: string): string | undefined =>
    path.length > 3 ? undefined : 'class A { uint8 X; };';
  fc.assert(
    fc.property(soup, fc.boolean(), fc.boolean(), (text, strict, preprocess) => {
      checkResult(text, compileMof(text, { strict, preprocess, include }));
    }),
    { numRuns: 3000 },
  );
  t.end();
});

t.test('random bytes never throw', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      checkResult(bytes, compileMof(bytes)),
    ),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('a good class with one piece changed never throws and never loses its place', (t) => {
  const whole = `${featureText()}\ninstance of Acme_PortSettingData as $A { A = 1; InstanceID = "x"; };\n`;
  fc.assert(
    fc.property(
      fc.nat(whole.length),
      fc.nat(12),
      fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 4 })),
      fc.boolean(),
      (at, cut, piece, preprocess) => {
        const text = whole.slice(0, at) + piece + whole.slice(at + cut);
        checkResult(text, compileMof(text, { preprocess }));
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});
