import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type {
  MofClass,
  MofDeclaration,
  MofFeature,
  MofInstance,
  MofQualifier,
  MofType,
  MofValue,
} from '../../../src/mof/ast.ts';
import { builtinFeatures } from '../../../src/mof/builtin-features.ts';
import { compileMof } from '../../../src/mof/compiler.ts';
import { DiagnosticSink } from '../../../src/mof/diagnostic.ts';
import { classOfFeature } from '../../../src/mof/feature-mof.ts';
import { Lexer } from '../../../src/mof/lexer.ts';
import { parseDeclarations } from '../../../src/mof/parser.ts';
import { Cursor } from '../../../src/mof/parser-cursor.ts';
import { printClass, printInstance, printMof } from '../../../src/mof/print.ts';
import { SourceFile } from '../../../src/mof/source.ts';
import { SCALAR_TYPES } from '../../../src/mof/type-names.ts';
import { featureText } from './feature-text.ts';

const span = { source: new SourceFile('made', ''), start: 0, end: 0 };

function parse(text: string): MofDeclaration[] {
  const sink = new DiagnosticSink(true);
  const declarations: MofDeclaration[] = [];
  const cursor = new Cursor(new Lexer(new SourceFile('printed', text), sink), sink);
  parseDeclarations(cursor, (declaration) => declarations.push(declaration));
  const [problem] = sink.diagnostics;
  if (problem !== undefined) throw new Error(`${problem.code} ${problem.message}\n${text}`);
  return declarations;
}

/** The tree without places, comparable. */
function bare(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (key === 'span') return undefined;
      if (typeof each === 'bigint') return `${each}n`;
      return Object.is(each, -0) ? '-0' : each;
    }),
  );
}

const name = fc
  .tuple(
    fc.constantFrom('A', 'b', '_', 'Ü', 'class', 'instance'),
    fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/),
  )
  .map(([head, tail]) => head + tail);
const text = fc.string({ unit: 'binary', maxLength: 12 });
const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });

const constant: fc.Arbitrary<MofValue> = fc.oneof(
  integer.map((value) => ({ kind: 'integer', value, span }) as const),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => ({ kind: 'real', value, span }) as const),
  text.map((value) => ({ kind: 'string', value, span }) as const),
  fc.nat(0xffff).map((value) => ({ kind: 'char', value, span }) as const),
  fc.boolean().map((value) => ({ kind: 'boolean', value, span }) as const),
  fc.constant({ kind: 'null', span } as const),
);
const plainArray: fc.Arbitrary<MofValue> = fc
  .array(constant, { maxLength: 3 })
  .map((items) => ({ kind: 'array', items, span }) as const);

/** Leaves keys out whose value is undefined, as the parser does. */
function dense<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

const qualifier: fc.Arbitrary<MofQualifier> = fc
  .record({
    name,
    value: fc.option(fc.oneof(constant, plainArray), { nil: undefined }),
    flavors: fc.subarray(['Amended', 'ToSubclass', 'EnableOverride']),
  })
  .map((made) => dense({ ...made, span }) as MofQualifier);
const qualifiers = fc.array(qualifier, { maxLength: 2 });

const type: fc.Arbitrary<MofType> = fc.oneof(
  fc.constantFrom(...SCALAR_TYPES).map((each) => ({ kind: 'scalar', name: each, span }) as const),
  name.map((each) => ({ kind: 'reference', name: `${each}X`, span }) as const),
  name.map((each) => ({ kind: 'class', name: `${each}X`, span }) as const),
);
const array = fc.option(
  fc.oneof(
    fc.constant({}),
    fc.integer({ min: 1, max: 9 }).map((size) => ({ size })),
  ),
  { nil: undefined },
);

const feature: fc.Arbitrary<MofFeature> = fc.oneof(
  fc
    .record({
      kind: fc.constant('property' as const),
      name,
      type,
      array,
      initial: fc.option(fc.oneof(constant, plainArray), { nil: undefined }),
      qualifiers,
    })
    .map((made) => dense({ ...made, span }) as MofFeature),
  fc
    .record({
      kind: fc.constant('method' as const),
      name,
      returns: fc.option(type, { nil: undefined }),
      parameters: fc.array(
        fc.record({ name, type, array, qualifiers }).map((made) => dense({ ...made, span })),
        { maxLength: 2 },
      ),
      qualifiers,
    })
    .map((made) => dense({ ...made, span }) as MofFeature),
);

const mofClass: fc.Arbitrary<MofClass> = fc
  .record({
    kind: fc.constant('class' as const),
    name,
    alias: fc.option(name, { nil: undefined }),
    superclass: fc.option(
      name.map((each) => ({ text: each, span })),
      { nil: undefined },
    ),
    qualifiers,
    features: fc.array(feature, { maxLength: 4 }),
    broken: fc.constant(false),
  })
  .map((made) => dense({ ...made, span }) as MofClass);

const { instance } = fc.letrec<{ instance: MofInstance; value: MofValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    constant,
    plainArray,
    name.map((each) => ({ kind: 'alias', name: each, span }) as const),
    tie('instance').map(
      (each) => ({ kind: 'instance', instance: { ...each, qualifiers: [] }, span }) as const,
    ),
  ),
  instance: fc
    .record({
      kind: fc.constant('instance' as const),
      className: name,
      alias: fc.option(name, { nil: undefined }),
      qualifiers,
      properties: fc.array(
        fc.record({ name, value: tie('value'), qualifiers }).map((made) => ({ ...made, span })),
        { maxLength: 3 },
      ),
    })
    .map((made) => dense({ ...made, span }) as MofInstance),
}));

t.test('law: parsing the print of a class gives the class', (t) => {
  fc.assert(
    fc.property(mofClass, (made) => {
      const [parsed, ...rest] = parse(printClass(made));
      if (rest.length > 0 || !isDeepStrictEqual(bare(parsed), bare(made)))
        throw new Error(printClass(made));
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('law: parsing the print of an instance gives the instance', (t) => {
  fc.assert(
    fc.property(instance, (made) => {
      const [parsed, ...rest] = parse(printInstance(made));
      if (rest.length > 0 || !isDeepStrictEqual(bare(parsed), bare(made)))
        throw new Error(printInstance(made));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('pragmas and qualifier declarations survive printing', (t) => {
  const source =
    '#pragma autorecover\n#pragma namespace("root\\virtualization\\v2")\n#pragma locale("a\\"b", "c")\n' +
    'Qualifier A : string[2] = {"x"}, Scope(class, any), Flavor(Amended);\n' +
    'Qualifier B : Amended ToSubclass;\nQualifier C : boolean = FALSE;\nclass X {};\ninstance of X {};';
  const first = parse(source);
  t.equal(first.length, 8);
  const printed = printMof(first);
  t.same(bare(parse(printed)), bare(first));
  t.equal(printMof(parse(printed)), printed);
  t.end();
});

t.test('a class prints in one plain form', (t) => {
  const [declaration] = compileMof(
    '[Key,X("a"):Amended]class A:CIM_SettingData{[Read]uint8 X[]={1,0x2};void M([In]string p);}',
  ).classes;
  if (declaration === undefined) throw new Error('no class');
  t.equal(
    printClass(declaration),
    `[Key,
 X("a") : Amended]
class A : CIM_SettingData
{
  [Read]
  uint8 X[] = {1, 2};

  void M([In] string p);
};
`,
  );
  t.end();
});

t.test('compiling the print of a feature class gives the feature class', (t) => {
  const features = compileMof(
    featureText({
      body:
        '[Read, Write, WmiDataId(1), MinValue(1), MaxValue(9)] uint64 A = 5; ' +
        '[Read, Write, WmiDataId(2), MaxLen(4), Max(2)] string B[] = {"a", "\\"\\x0041"}; ' +
        '[Read, Write, WmiDataId(3), MinValue(0.5)] real64 C = 1.5; ' +
        "[Read, Write, WmiDataId(4)] char16 D = 'x'; [Read, Write, WmiDataId(5)] boolean E = TRUE; " +
        '[Read, Write, WmiDataId(6), Values{"a","b"}, DisplayName("n"), Description("d")] sint8 F;',
      qualifiers: { InterfaceVersion: 'InterfaceVersion("1.2")' },
    }),
  ).features;
  t.equal(features.length, 1);
  for (const each of features) {
    const again = compileMof(printClass(classOfFeature(each)));
    t.same(again.diagnostics, []);
    t.strictSame(again.features, [{ ...each, source: again.features[0]?.source }]);
  }
  t.end();
});

t.test('a built-in feature printed under a vendor name compiles to the same members', (t) => {
  for (const feature of builtinFeatures()) {
    // Neither name nor UUID may be that of the built-in class.
    const id = `00000000${feature.id.slice(8)}`;
    const renamed = { ...feature, id, name: feature.name.replace('Msvm_', 'Acme_') };
    const result = compileMof(printClass(classOfFeature(renamed)));
    const errors = result.diagnostics.filter((each) => each.severity === 'error');
    t.same(errors, [], feature.name);
    const { source, ...again } = result.features[0] ?? {};
    const { source: _, ...wanted } = renamed;
    t.strictSame(again, { ...wanted, builtIn: false }, feature.name);
    t.ok(source);
  }
  t.end();
});
