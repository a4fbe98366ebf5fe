import fc from 'fast-check';
import t from 'tap';
import { isExtSwitchError } from '../../../src/core/errors.ts';
import { FeatureCodec, type Settings } from '../../../src/mof/index.ts';
import { RepeatedView } from '../../../src/mof/repeated-view.ts';
import {
  fabrikamClass,
  featureClass,
  member,
  randomSettings,
  sampleClass,
} from '../../support/feature-classes.ts';

/* A class is compiled once one buffer has come often enough: from then on nothing may look different. */

const OFTEN = 80;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('a buffer that comes often: its bytes and values stay those of a buffer used once', (t) => {
  fc.assert(
    fc.property(
      randomSettings(),
      fc.record(
        {
          uint16: fc.constantFrom('native' as const, 'doc32' as const),
          stringUnit: fc.constantFrom('bytes' as const, 'chars' as const),
          nul: fc.constantFrom('appended' as const, 'counted' as const, 'none' as const),
        },
        { requiredKeys: [] },
      ),
      fc.constantFrom(0, 8, 80),
      ([feature, settings], profile, base) => {
        const once = new FeatureCodec(feature, profile).encode(settings);
        const codec = new FeatureCodec(feature, profile);
        const room = new Uint8Array(base + once.length + 8);
        for (let i = 0; i < OFTEN; i += 1) {
          room.fill(0xa5);
          t.equal(codec.write(settings, room, base), once.length);
          const read = codec.decode(room, base, once.length);
          if (i === 0 || i === OFTEN - 1) t.strictSame(read, settings);
        }
        t.equal(hex(room.subarray(base, base + once.length)), hex(once));
        t.ok(room.subarray(0, base).every((byte) => byte === 0xa5));
        t.ok(room.subarray(base + once.length).every((byte) => byte === 0xa5));
        // Another buffer afterwards, at another offset.
        const other = new Uint8Array(once.length + 16);
        t.equal(codec.write(settings, other, 16), once.length);
        t.strictSame(codec.decode(other, 16, once.length), settings);
      },
    ),
    { numRuns: 60 },
  );
  t.end();
});

t.test('a buffer that comes often: integers at their ends and a text in between', (t) => {
  const codec = new FeatureCodec(fabrikamClass);
  const bytes = new Uint8Array(64);
  for (let i = 0; i < OFTEN; i += 1) {
    codec.write({ SettingIntA: i, SettingIntB: 1n }, bytes, 0);
    codec.decode(bytes, 0, 16);
  }
  for (const [a, b, expected] of [
    [0, 0n, '00000000000000000000000000000000'],
    [4_294_967_295, 18_446_744_073_709_551_615n, 'ffffffff00000000ffffffffffffffff'],
    [0x01020304, 0x0102030405060708n, '04030201000000000807060504030201'],
  ] as const) {
    bytes.fill(0xee);
    codec.write({ SettingIntA: a, SettingIntB: b }, bytes, 0);
    t.equal(hex(bytes.subarray(0, 16)), expected);
    t.strictSame(codec.decode(bytes, 0, 16), { SettingIntA: a, SettingIntB: b });
    // Settings whose members stand in another order, or in an object of another kind.
    codec.write(Object.assign(Object.create(null), { SettingIntB: b, SettingIntA: a }), bytes, 32);
    t.equal(hex(bytes.subarray(32, 48)), expected);
  }
  t.end();
});

t.test('a buffer that comes often: wrong values and wrong bytes are refused as before', (t) => {
  const good: Settings = {
    ...{ IntValue8: 1, IntValue16: 2, IntValue32: 3, IntValue64: 4n, FixedLengthString: 'a' },
    ...{ VariableLengthString: 'b', FixedLengthArray: [1], VariableLengthArray: [2] },
  };
  const codec = new FeatureCodec(sampleClass);
  const length = codec.size(good);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < OFTEN; i += 1) {
    codec.write(good, bytes, 0);
    codec.decode(bytes, 0, length);
  }
  const errorOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (isExtSwitchError(error)) return `${error.code} ${error.place.member ?? ''}`;
      throw error;
    }
    return 'none';
  };
  const refused = (more: Record<string, unknown>): string =>
    errorOf(() => codec.write({ ...good, ...more } as Settings, bytes, 0));
  t.equal(refused({ IntValue8: '1' }), 'SETTINGS_INVALID IntValue8');
  t.equal(refused({ IntValue64: 4 }), 'SETTINGS_INVALID IntValue64');
  t.equal(refused({ IntValue32: undefined }), 'SETTINGS_INVALID IntValue32');
  t.equal(refused({ FixedLengthString: 'x'.repeat(256) }), 'SETTINGS_INVALID FixedLengthString');
  t.equal(refused({ FixedLengthArray: [1n] }), 'SETTINGS_INVALID FixedLengthArray[0]');
  t.equal(
    errorOf(() => codec.write(good, bytes, 8)),
    'INVALID_ARGUMENT ',
  );
  codec.write(good, bytes, 0);
  t.equal(
    errorOf(() => codec.decode(bytes, 0, 575)),
    'ABI_INVALID ',
  );
  bytes[535] = 0xff;
  t.equal(
    errorOf(() => codec.decode(bytes, 0, length)),
    'ABI_INVALID VariableLengthString',
  );
  t.end();
});

t.test('members called __proto__ or by no identifier: written and read as any other', (t) => {
  for (const name of ['__proto__', "it's", '1st', 'a"];throw 1;//', 'constructor']) {
    const feature = featureClass('Vendor_Odd', [
      member(1, 'Plain', 'uint8'),
      member(2, name, 'boolean'),
    ]);
    const codec = new FeatureCodec(feature);
    const settings = codec.normalize(JSON.parse(`{"Plain":7,${JSON.stringify(name)}:true}`));
    const bytes = new Uint8Array(2);
    for (let i = 0; i < OFTEN; i += 1) {
      codec.write(settings, bytes, 0);
      const read = codec.decode(bytes);
      t.equal(hex(bytes), '0701');
      t.equal(Object.getOwnPropertyDescriptor(read, name)?.value, true, name);
    }
  }
  t.end();
});

t.test('RepeatedView: none for new, alternating and large buffers', (t) => {
  const views = new RepeatedView();
  const one = new Uint8Array(new ArrayBuffer(24), 8, 16);
  const two = new Uint8Array(16);
  for (let i = 0; i < OFTEN; i += 1) {
    t.equal(views.of(one), undefined);
    t.equal(views.of(two), undefined);
  }
  for (let i = 0; i < OFTEN; i += 1) views.of(one);
  const view = views.of(one);
  t.same([view?.byteOffset, view?.byteLength], [8, 16]);
  t.equal(views.of(two), undefined);
  const large = new Uint8Array(65_537);
  for (let i = 0; i < OFTEN; i += 1) t.equal(views.of(large), undefined);
  t.end();
});
