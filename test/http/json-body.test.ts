import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { BODY_LIMITS } from '../../src/http/body-limits.ts';
import { parseJson } from '../../src/http/json-body.ts';
import { findJsonError } from '../../src/http/json-error.ts';
import { jsonText } from '../../src/http/json-text.ts';

const parse = (text: string): unknown => parseJson(Buffer.from(text));

function refusal(bytes: Buffer | string) {
  try {
    parseJson(Buffer.from(bytes));
  } catch (error) {
    if (isExtSwitchError(error)) return error;
    throw error;
  }
  throw new Error('was not refused');
}

t.test('an empty body has no value', (t) => {
  t.equal(parse(''), undefined);
  t.end();
});

t.test('an integer literal beyond 2^53 stays exact', (t) => {
  t.strictSame(parse('{"a":18446744073709551615,"b":-9223372036854775808}'), {
    a: 18446744073709551615n,
    b: -9223372036854775808n,
  });
  t.strictSame(parse('[9007199254740991,9007199254740993,0000.5e1]'.replace('0000.5e1', '5')), [
    9007199254740991,
    9007199254740993n,
    5,
  ]);
  t.strictSame(
    parse('{"s":"18446744073709551615","r":0.12345678901234568,"e":12345678901234567e3}'),
    {
      s: '18446744073709551615',
      r: 0.12345678901234568,
      e: 12345678901234567e3,
    },
  );
  t.strictSame(parse('{"a\\"b":12345678901234567890}'), { 'a"b': 12345678901234567890n });
  t.end();
});

t.test('a malformed body names line, column and what was expected', (t) => {
  const error = refusal('{\n  "name": }');
  t.equal(error.code, 'MALFORMED');
  t.match(error.place, { line: 2, column: 11, offset: 12, expected: 'a value', found: '"}"' });
  t.equal(error.message, 'malformed JSON at line 2, column 11: expected a value, found "}"');
  for (const [text, column, expected] of [
    ['{"a":1,}', 8, 'a member name in double quotes'],
    ['{a:1}', 2, 'a member name in double quotes'],
    ['{"a" 1}', 6, '":"'],
    ['[1 2]', 4, '"," or "]"'],
    ['{"a":1]', 7, '"," or "}"'],
    ['[1,2', 5, '"," or "]"'],
    ['"a\nb"', 3, 'the closing "'],
    ['"a\\x"', 3, 'an escape such as \\n or \\u0041'],
    ['01', 2, 'the end'],
    ['nul', 1, 'a value'],
    ['{} {}', 4, 'the end'],
    ['   ', 4, 'a value'],
  ] as const) {
    const place = refusal(text).place;
    const at = text.includes('\n') ? place.offset === 2 : place.column === column;
    t.ok(at, `${JSON.stringify(text)}: column ${place.column}`);
    t.equal(place.expected, expected, JSON.stringify(text));
  }
  t.end();
});

t.test('bytes that are not UTF-8 are refused', (t) => {
  t.match(refusal(Buffer.from([0x22, 0xff, 0x22])).message, /not UTF-8/);
  t.end();
});

t.test('members that reach a prototype are refused', (t) => {
  t.equal(refusal('{"a":[{"__proto__":{"x":1}}]}').place.member, '__proto__');
  t.equal(refusal('{"\\u005f_proto__":1}').place.member, '__proto__');
  t.equal(refusal('{"constructor":{"prototype":{}}}').place.member, 'constructor');
  t.strictSame(parse('{"constructor":5,"prototype":6}'), { constructor: 5, prototype: 6 });
  t.end();
});

t.test('depth, members and elements are bounded', (t) => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  t.doesNotThrow(() => parse(nested(BODY_LIMITS.depth)));
  t.match(refusal(nested(BODY_LIMITS.depth + 1)).message, /deeper than 32/);
  t.match(refusal(nested(400_000)).message, /deeper than 32/);
  const members = (count: number): string =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, i])));
  t.doesNotThrow(() => parse(members(BODY_LIMITS.members)));
  t.match(refusal(members(BODY_LIMITS.members + 1)).message, /4097 members/);
  const elements = (count: number): string => JSON.stringify(new Array(count).fill(0));
  t.doesNotThrow(() => parse(elements(BODY_LIMITS.elements)));
  t.match(refusal(elements(BODY_LIMITS.elements + 1)).message, /65537 elements/);
  t.end();
});

t.test('law: any JSON text means what JSON.parse says, unless it is refused by name', (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const expected = JSON.parse(text);
      let ours: unknown;
      try {
        ours = parse(text);
      } catch (error) {
        return isExtSwitchError(error) && error.code === 'MALFORMED';
      }
      const asNumbers = JSON.stringify(ours, (_name, value) =>
        typeof value === 'bigint' ? Number(value) : value,
      );
      return asNumbers === JSON.stringify(expected);
    }),
  );
  t.end();
});

t.test(
  'law: a text cut or changed in one place fails at or before the end, never at a wrong place',
  (t) => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '}', ']', ',', '"', 'x'),
        (text, n, with_) => {
          const at = n % (text.length + 1);
          const broken = text.slice(0, at) + with_ + text.slice(at + 1);
          let valid = true;
          try {
            JSON.parse(broken);
          } catch {
            valid = false;
          }
          const found = findJsonError(broken);
          if (valid) return found.at === broken.length && found.expected === 'the end';
          return (
            found.at <= broken.length &&
            !(found.expected === 'the end' && found.at === broken.length)
          );
        },
      ),
    );
    t.end();
  },
);

t.test('an answer has bigint as decimal strings, bytes as base64, no undefined members', (t) => {
  t.equal(
    jsonText({ a: 1n, b: Uint8Array.of(1, 2, 255), c: undefined, d: [], e: [null, true, 'x"y'] }),
    '{"a":"1","b":"AQL/","d":[],"e":[null,true,"x\\"y"]}',
  );
  t.equal(jsonText([Number.NaN, Number.NEGATIVE_INFINITY, -0.5]), '["NaN","-Infinity",-0.5]');
  t.equal(jsonText({ f: () => 1 }), '{"f":null}');
  t.equal(jsonText('\ud800'), '"\\ud800"');
  t.end();
});

t.test('law: an answer without bigint and bytes is what JSON.stringify writes', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      t.strictSame(JSON.parse(jsonText(value)), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 200 },
  );
  t.end();
});
