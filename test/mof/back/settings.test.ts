import t from 'tap';
import { type ExtSwitchError, isExtSwitchError } from '../../../src/core/errors.ts';
import type { FeatureMember } from '../../../src/mof/feature-class.ts';
import {
  defaultSettings,
  FeatureCodec,
  normalizeSettings,
  settingsToJson,
} from '../../../src/mof/index.ts';
import { featureClass, member, sampleClass } from '../../support/feature-classes.ts';

function errorOf(members: readonly FeatureMember[], input: unknown): ExtSwitchError {
  try {
    normalizeSettings(featureClass('Vendor_Any', members), input as Record<string, unknown>);
  } catch (error) {
    if (isExtSwitchError(error)) return error;
    throw error;
  }
  throw new Error('accepted');
}

/** Expected and found of the one problem `value` has for a member X. */
function problemOf(more: Partial<FeatureMember>, value: unknown): readonly (string | undefined)[] {
  const error = errorOf([{ ...member(1, 'X', more.type ?? 'uint8'), ...more }], { X: value });
  if (error.code !== 'SETTINGS_INVALID' || error.place.problems?.length !== 1) throw error;
  return [error.place.member, error.place.expected, error.place.found];
}

function normalized(more: Partial<FeatureMember>, value: unknown): unknown {
  const members = [{ ...member(1, 'X', more.type ?? 'uint8'), ...more }];
  return normalizeSettings(featureClass('Vendor_Any', members), { X: value })['X'];
}

t.test('R14: members left out take the class default, else zero, empty or false', (t) => {
  const members = [
    member(1, 'B', 'boolean'),
    member(2, 'N', 'uint32', { default: 7, minValue: 5 }),
    member(3, 'Q', 'sint64'),
    member(4, 'S', 'string', { default: 'x' }),
    member(5, 'A', 'uint8', { array: { max: 6 }, default: [1, 2] }),
    member(6, 'V', 'uint64', { array: {} }),
    member(7, 'D', 'datetime'),
    member(8, 'C', 'char16'),
    member(9, 'R', 'real32', { minValue: 1 }),
    member(10, 'F', 'boolean', { default: true }),
  ];
  const feature = featureClass('Vendor_Defaults', members);
  const expected = {
    B: false,
    N: 7,
    Q: 0n,
    S: 'x',
    A: [1, 2],
    V: [],
    D: '',
    C: '',
    R: 0,
    F: true,
  };
  t.strictSame(normalizeSettings(feature, {}), expected);
  t.strictSame(normalizeSettings(feature, { N: undefined }), expected);
  t.strictSame(defaultSettings(feature), expected);
  const nulls = Object.fromEntries(members.map((m) => [m.name, null]));
  t.strictSame(normalizeSettings(feature, nulls), {
    ...expected,
    N: 0,
    S: '',
    A: [],
    F: false,
  });
  t.throws(() => (defaultSettings(feature)['A'] as number[]).push(3), TypeError);
  t.end();
});

t.test('the result has all members in WmiDataId order, whatever order they were given in', (t) => {
  const settings = normalizeSettings(sampleClass, {
    VariableLengthArray: [1],
    IntValue8: 1,
    FixedLengthString: 'a',
  });
  t.same(
    Object.keys(settings),
    sampleClass.members.map((m) => m.name),
  );
  const turned = { ...sampleClass, members: [...sampleClass.members].reverse() };
  t.same(Object.keys(normalizeSettings(turned, {})), Object.keys(settings));
  t.end();
});

t.test('a class whose own default does not fit is refused when it is first used', (t) => {
  const feature = featureClass('Vendor_Bad', [member(1, 'N', 'uint8', { default: 256 })]);
  t.throws(() => new FeatureCodec(feature), { code: 'SETTINGS_INVALID', place: { member: 'N' } });
  t.end();
});

t.test('integers: the edges of each type fit, one more does not', (t) => {
  const ranges: readonly (readonly [FeatureMember['type'], number, number])[] = [
    ['uint8', 0, 255],
    ['sint8', -128, 127],
    ['uint16', 0, 65_535],
    ['sint16', -32_768, 32_767],
    ['uint32', 0, 4_294_967_295],
    ['sint32', -2_147_483_648, 2_147_483_647],
  ];
  for (const [type, low, high] of ranges) {
    t.equal(normalized({ type }, low), low);
    t.equal(normalized({ type }, high), high);
    t.equal(normalized({ type }, BigInt(high)), high, 'MessagePack may send a bigint');
    for (const value of [low - 1, high + 1, BigInt(high) + 1n]) {
      t.same(problemOf({ type }, value), ['X', `${type} ${low}..${high}`, `${value}`]);
    }
    t.same(problemOf({ type }, 1e300), ['X', `${type} ${low}..${high}`, '1e+300']);
  }
  t.end();
});

t.test('integers: fractions, NaN, infinities and other types are refused', (t) => {
  for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, -Number.POSITIVE_INFINITY]) {
    t.same(problemOf({ type: 'uint8' }, value), ['X', 'uint8, a whole number', String(value)]);
    t.same(problemOf({ type: 'uint64' }, value), ['X', 'uint64, a whole number', String(value)]);
  }
  t.same(problemOf({ type: 'uint8' }, '1'), ['X', 'uint8, a number', '"1"']);
  t.same(problemOf({ type: 'uint8' }, true), ['X', 'uint8, a number', 'true']);
  t.same(problemOf({ type: 'uint8' }, [1]), ['X', 'uint8, a number', 'an array of 1']);
  t.same(problemOf({ type: 'uint8' }, {}), ['X', 'uint8, a number', 'an object']);
  t.end();
});

t.test('64-bit integers: bigint, safe number or decimal string; always a bigint inside', (t) => {
  const max = 2n ** 64n - 1n;
  t.equal(normalized({ type: 'uint64' }, max), max);
  t.equal(normalized({ type: 'uint64' }, '18446744073709551615'), max);
  t.equal(normalized({ type: 'uint64' }, '+0018446744073709551615'), max);
  t.equal(normalized({ type: 'uint64' }, 9_007_199_254_740_991), 9_007_199_254_740_991n);
  t.equal(normalized({ type: 'sint64' }, '-9223372036854775808'), -(2n ** 63n));
  const range = 'uint64 0..18446744073709551615';
  t.same(problemOf({ type: 'uint64' }, 2n ** 64n), ['X', range, '18446744073709551616']);
  t.same(problemOf({ type: 'uint64' }, '18446744073709551616'), [
    'X',
    range,
    '18446744073709551616',
  ]);
  t.same(problemOf({ type: 'uint64' }, -1), ['X', range, '-1']);
  t.same(problemOf({ type: 'uint64' }, 2 ** 53), [
    'X',
    'uint64 as a decimal string',
    '9007199254740992',
  ]);
  const big = errorOf([member(1, 'X', 'uint64')], { X: 2 ** 60 });
  t.match(big.message, /numbers above 2\^53 lose digits in JSON: send a decimal string/);
  for (const text of ['', '0x10', '1e3', ' 1', '1.0', '--1', '１']) {
    t.same(problemOf({ type: 'uint64' }, text), ['X', 'uint64, digits only', JSON.stringify(text)]);
  }
  const long = problemOf({ type: 'uint64' }, '9'.repeat(100_000));
  t.equal(long[1], 'uint64, digits only', 'never parsed');
  t.ok((long[2] ?? '').length < 80, 'and shown shortened');
  t.same(problemOf({ type: 'uint64' }, true)[1], 'uint64, a number or a decimal string');
  t.end();
});

t.test('MinValue and MaxValue bound numbers of every size, elements too', (t) => {
  const vsid = { type: 'uint32', minValue: 1, maxValue: 16_777_215 } as const;
  t.equal(normalized(vsid, 16_777_215), 16_777_215);
  const expected = 'MinValue 1, MaxValue 16777215';
  t.same(problemOf(vsid, 16_777_216), ['X', expected, '16777216']);
  t.same(problemOf(vsid, 0), ['X', expected, '0']);
  t.same(problemOf({ ...vsid, array: {} }, [1, 0]), ['X[1]', expected, '0']);
  t.same(problemOf({ type: 'sint64', maxValue: 5n }, '6'), ['X', 'MinValue none, MaxValue 5', '6']);
  t.same(problemOf({ type: 'real64', minValue: 0 }, -0.5)[1], 'MinValue 0, MaxValue none');
  t.same(problemOf({ type: 'real32', minValue: 0 }, -0.5)[1], 'MinValue 0, MaxValue none');
  t.end();
});

t.test('reals: finite numbers; real32 as it will be read back', (t) => {
  t.equal(normalized({ type: 'real64' }, 0.1), 0.1);
  t.equal(normalized({ type: 'real64' }, 3n), 3);
  t.equal(normalized({ type: 'real32' }, 0.1), 0.10000000149011612);
  t.same(problemOf({ type: 'real32' }, 1e39)[2], '1e+39');
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '1', true]) {
    t.equal(problemOf({ type: 'real64' }, value)[1], 'real64, a finite number');
  }
  t.end();
});

t.test('booleans are true or false, nothing like them', (t) => {
  t.equal(normalized({ type: 'boolean' }, true), true);
  for (const value of [0, 1, 'true', '']) {
    t.equal(problemOf({ type: 'boolean' }, value)[1], 'boolean, true or false');
  }
  t.end();
});

t.test('strings: UTF-16 units count; NUL and lone surrogates are refused', (t) => {
  const s = { type: 'string', maxLen: 4 } as const;
  t.equal(normalized(s, '😀😀'), '😀😀');
  t.same(problemOf(s, '😀😀a'), ['X', 'at most 4 characters (MaxLen 4)', '5 characters']);
  t.same(problemOf(s, 'a\0b'), ['X', 'a string without NUL', 'NUL at character 1']);
  t.same(problemOf(s, 'ab\ud800'), ['X', 'well-formed UTF-16', 'a lone surrogate at character 2']);
  t.same(problemOf(s, '\udc00\ud800')[2], 'a lone surrogate at character 0');
  t.same(problemOf(s, 5), ['X', 'a string', '5']);
  t.equal((normalized({ type: 'string' }, 'x'.repeat(32_766)) as string).length, 32_766);
  t.same(problemOf({ type: 'string' }, 'x'.repeat(32_767)), [
    'X',
    'at most 32766 characters',
    '32767 characters',
  ]);
  t.end();
});

t.test('char16: one unit as text or a number', (t) => {
  t.equal(normalized({ type: 'char16' }, 'A'), 'A');
  t.equal(normalized({ type: 'char16' }, 0x4133), '\u4133');
  t.equal(normalized({ type: 'char16' }, 0), '');
  t.equal(normalized({ type: 'char16' }, '\0'), '');
  for (const value of ['ab', '\ud800', 0xd800, 65_536, -1, 0.5, true]) {
    t.match(problemOf({ type: 'char16' }, value)[1], /^char16, one UTF-16 unit/);
  }
  t.end();
});

t.test('datetime: points in time and intervals, whole fields may be asterisks', (t) => {
  const good = [
    '',
    '20261122071356.123456+060',
    '20261122071356.123456-480',
    '00000001235959.000000:000',
    '********235959.******:000',
    '****1122******.******+***',
  ];
  for (const text of good) t.equal(normalized({ type: 'datetime' }, text), text);
  const bad: readonly (readonly [unknown, RegExp])[] = [
    ['2026-11-22T07:13:56Z', /^yyyymmdd/],
    ['20261122071356.123456+06', /^yyyymmdd/],
    ['20261122071356.12345*+060', /^yyyymmdd/],
    ['00000001235959.000000:001', /^yyyymmdd/],
    ['20261322071356.123456+060', /month 01\.\.12/],
    ['20261100071356.123456+060', /day 01\.\.31/],
    ['20261122241356.123456+060', /hour 00\.\.23/],
    ['20261122076056.123456+060', /minute 00\.\.59/],
    ['20261122071360.123456+060', /second 00\.\.59/],
    ['2*261122071356.123456+060', /year 0000\.\.9999/],
    ['00000001240000.000000:000', /hours 00\.\.23/],
    [5, /a datetime string/],
  ];
  for (const [value, expected] of bad) t.match(problemOf({ type: 'datetime' }, value)[1], expected);
  t.end();
});

t.test('R8: arrays have at most Max elements, and each element is checked', (t) => {
  const mac = { type: 'uint8', array: { max: 6 } } as const;
  t.same(normalized(mac, [1, 2]), [1, 2]);
  t.same(problemOf(mac, [1, 2, 3, 4, 5, 6, 7]), ['X', 'at most 6 elements', '7']);
  t.same(problemOf(mac, 1), ['X', 'an array of uint8', '1']);
  t.same(problemOf(mac, { length: 1, 0: 1 }), ['X', 'an array of uint8', 'an object']);
  t.same(problemOf(mac, [1, null]), ['X[1]', 'uint8, a number', 'null']);
  t.same(problemOf(mac, new Array(1))[0], 'X[0]');
  t.end();
});

t.test('all problems are reported at once, the first in the message', (t) => {
  const error = errorOf([member(1, 'A', 'uint8'), member(2, 'B', 'string', { maxLen: 1 })], {
    C: 1,
    B: 'xx',
    A: 300,
  });
  t.equal(error.code, 'SETTINGS_INVALID');
  t.equal(error.message, 'Vendor_Any.A: expected uint8 0..255, found 300, and 2 more problems');
  t.match(error.place, { structure: 'Vendor_Any', member: 'A', found: '300' });
  t.same(error.place.problems, [
    {
      member: 'A',
      message: 'Vendor_Any.A: expected uint8 0..255, found 300',
      expected: 'uint8 0..255',
      found: '300',
    },
    {
      member: 'B',
      message: 'Vendor_Any.B: expected at most 1 characters (MaxLen 1), found 2 characters',
      expected: 'at most 1 characters (MaxLen 1)',
      found: '2 characters',
    },
    {
      member: 'C',
      message: 'Vendor_Any.C: expected a member of Vendor_Any, found an unknown name',
      expected: 'a member of Vendor_Any',
      found: 'an unknown name',
    },
  ]);
  const two = errorOf([member(1, 'A', 'uint8')], { A: -1, B: 1 });
  t.match(two.message, /, and 1 more problem$/);
  t.end();
});

t.test('a million problems become a hundred', (t) => {
  const array = errorOf([member(1, 'A', 'uint8', { array: {} })], {
    A: new Array(100_000).fill(''),
  });
  t.equal(array.place.problems?.length, 100);
  const unknown = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`N${i}`, 1]));
  t.equal(errorOf([member(1, 'A', 'uint8')], unknown).place.problems?.length, 100);
  t.end();
});

t.test('an unknown member is refused by name, with the name that was meant', (t) => {
  const hint = (name: string) => errorOf(sampleClass.members, { [name]: 1 }).message;
  t.match(hint('IntValue9'), 'did you mean IntValue8?');
  t.match(hint('intvalue32'), 'did you mean IntValue32?');
  t.match(hint('VariableLengthSting'), 'did you mean VariableLengthString?');
  t.notMatch(hint('Colour'), /did you mean/);
  const long = hint('x'.repeat(1_000_000));
  t.ok(long.length < 300);
  const crowded = [member(1, `L${'x'.repeat(80)}`, 'uint8')];
  t.notMatch(errorOf(crowded, { Lxx: 1 }).message, /did you mean/);
  t.end();
});

t.test('names of the prototype are neither members nor values', (t) => {
  const input = JSON.parse('{"__proto__": {"A": 1}, "constructor": 1}');
  const error = errorOf([member(1, 'A', 'uint8')], input);
  t.same(
    error.place.problems?.map((problem) => problem['member']),
    ['__proto__', 'constructor'],
  );
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const feature = featureClass(
    'Vendor_Proto',
    names.map((name, i) => member(i + 1, name, 'uint8')),
  );
  const empty = normalizeSettings(feature, {});
  t.same(Object.keys(empty), names);
  t.same(Object.values(empty), [0, 0, 0, 0], 'nothing inherited is taken');
  const given = normalizeSettings(feature, JSON.parse('{"__proto__":7,"toString":8}'));
  t.same(Object.values(given), [7, 0, 8, 0]);
  t.equal(Object.getPrototypeOf(given), Object.prototype);
  const codec = new FeatureCodec(feature);
  t.same([...codec.encode(given)], [7, 0, 8, 0]);
  t.same(Object.values(codec.decode(Uint8Array.of(1, 2, 3, 4))), [1, 2, 3, 4]);
  t.same(Object.entries(settingsToJson(feature, given)).length, 4);
  t.end();
});

t.test('what is no object is refused', (t) => {
  for (const input of [null, [], 'x', 5]) {
    t.match(errorOf([], input), { code: 'SETTINGS_INVALID', place: { expected: 'an object' } });
  }
  t.end();
});

t.test('settingsToJson writes 64-bit integers as decimal strings and can be read back', (t) => {
  const feature = featureClass('Vendor_Json', [
    member(1, 'Q', 'uint64'),
    member(2, 'L', 'sint64', { array: {} }),
    member(3, 'S', 'string'),
    member(4, 'B', 'boolean'),
    member(5, 'R', 'real64'),
  ]);
  const settings = { Q: 2n ** 64n - 1n, L: [-1n, 5n], S: 'ß', B: true, R: 0.5 };
  const json = settingsToJson(feature, settings);
  t.strictSame(json, { Q: '18446744073709551615', L: ['-1', '5'], S: 'ß', B: true, R: 0.5 });
  t.strictSame(normalizeSettings(feature, JSON.parse(JSON.stringify(json))), settings);
  t.same(settingsToJson(feature, { R: Number.NaN }), { Q: '0', L: [], S: '', B: false, R: 'NaN' });
  t.end();
});

t.test(
  'normalized and decoded settings of a class have one shape of twenty and more members',
  (t) => {
    const members = Array.from({ length: 20 }, (_, i) => member(i + 1, `M${i}`, 'uint32'));
    const codec = new FeatureCodec(featureClass('Vendor_Long', members));
    const input = Object.fromEntries(members.map((m, i) => [m.name, i * 200_000_000]));
    const settings = codec.normalize(input);
    t.same(settings, input);
    t.same(Object.keys(codec.decode(codec.encode(settings))), Object.keys(settings));
    t.same(codec.decode(codec.encode(settings)), input);
    t.end();
  },
);
