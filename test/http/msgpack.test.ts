import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { packValue, parseMessagePack, unpackValue } from '../../src/http/msgpack.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function refusal(bytes: Buffer) {
  try {
    parseMessagePack(bytes);
  } catch (error) {
    if (isExtSwitchError(error)) return error;
    throw error;
  }
  throw new Error('was not refused');
}

t.test('bytes written by hand from the MessagePack specification decode', (t) => {
  t.equal(parseMessagePack(Buffer.alloc(0)), undefined);
  t.strictSame(parseMessagePack(hex('81 a1 61 01')), { a: 1 });
  t.strictSame(parseMessagePack(hex('93 c0 c2 c3')), [null, false, true]);
  t.strictSame(parseMessagePack(hex('dc 0002 cc ff cd 0100')), [255, 256]);
  t.strictSame(parseMessagePack(hex('de 0001 d9 01 78 d0 80')), { x: -128 });
  t.strictSame(parseMessagePack(hex('92 cb 3ff8000000000000 ca 3fc00000')), [1.5, 1.5]);
  t.strictSame(parseMessagePack(hex('c4 02 0102')), Buffer.from([1, 2]));
  t.strictSame(parseMessagePack(hex('93 d1 ff00 d2 ffffff00 ce 00010000')), [-256, -256, 65536]);
  t.end();
});

t.test('64-bit integers: safe ones are numbers, larger ones bigint', (t) => {
  t.strictSame(parseMessagePack(hex('92 cf 0000000000000005 d3 ffffffffffffffff')), [5, -1]);
  t.strictSame(parseMessagePack(hex('81 a1 61 cf ffffffffffffffff')), { a: 18446744073709551615n });
  t.strictSame(parseMessagePack(hex('cf 0020000000000000')), 9007199254740992n);
  t.strictSame(parseMessagePack(hex('cf 001fffffffffffff')), 9007199254740991);
  t.strictSame(parseMessagePack(hex('92 d3 8000000000000000 c4 01 07')), [
    -9223372036854775808n,
    Buffer.from([7]),
  ]);
  t.end();
});

t.test('what a decoder must not see is refused with its byte offset', (t) => {
  for (const [bytes, offset, message] of [
    ['c1', 0, /0xC1/],
    ['81 a1 61 c1', 3, /0xC1/],
    ['92 01', 2, /ends where a value is expected/],
    ['a5 6162', 1, /ends inside a value/],
    ['cf 00', 1, /ends inside a value/],
    ['da 00', 1, /ends inside a value/],
    ['01 02', 1, /1 bytes after the value/],
    ['dd ffffffff', 5, /4294967295 elements/],
    ['df 00100000', 5, /1048576 members/],
    ['d6 ff 00000000', 0, /extension/],
    ['c7 01 01 00', 0, /extension/],
  ] as const) {
    const error = refusal(hex(bytes));
    t.equal(error.code, 'MALFORMED', bytes);
    t.equal(error.place.offset, offset, bytes);
    t.match(error.message, message, bytes);
  }
  t.match(refusal(Buffer.alloc(1_000_000, 0x91)).message, /deeper than 32/);
  const nested = (depth: number): Buffer =>
    Buffer.concat([Buffer.alloc(depth - 1, 0x91), hex('90')]);
  t.doesNotThrow(() => parseMessagePack(nested(32)));
  t.match(refusal(nested(33)).message, /deeper than 32/);
  t.end();
});

t.test('a member called __proto__ never becomes a prototype', (t) => {
  const value = parseMessagePack(hex('81 a9 5f5f70726f746f5f5f 81 a1 78 01')) as object;
  t.equal(Object.getPrototypeOf(value), Object.prototype);
  t.notOk('x' in value);
  t.end();
});

t.test('answers carry real 64-bit integers and bin', (t) => {
  t.equal(packValue({ a: 9999n }).toString('hex'), '81a161d3000000000000270f');
  t.equal(packValue(18446744073709551615n).toString('hex'), 'cfffffffffffffffff');
  t.equal(packValue(Uint8Array.of(1, 2)).toString('hex'), 'c4020102');
  t.strictSame(unpackValue(packValue({ n: [1, 'x', true, null] })), { n: [1, 'x', true, null] });
  t.end();
});

t.test('law: what was packed parses to the same value', (t) => {
  const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n });
  const leaf = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(null), integer);
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('node'), { maxLength: 5 }),
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((k) => k !== '__proto__'),
        tie('node'),
        { maxKeys: 5 },
      ),
    ),
  })).node;
  const plain = (v: unknown): unknown =>
    JSON.parse(
      JSON.stringify(v, (_k, x) =>
        typeof x === 'bigint' ? `int ${x}` : Number.isInteger(x) ? `int ${x}` : x,
      ),
    );
  fc.assert(
    fc.property(value, (v) => {
      t.strictSame(plain(parseMessagePack(packValue(v))), plain(v));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('law: any bytes either decode or are refused as MALFORMED', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parseMessagePack(bytes);
        return true;
      } catch (error) {
        return isExtSwitchError(error) && error.code === 'MALFORMED';
      }
    }),
    { numRuns: 2_000 },
  );
  t.end();
});
