import type { FeatureClass, FeatureMember, ScalarType } from '../src/mof/feature-class.ts';
import { FeatureCodec } from '../src/mof/feature-codec.ts';
import type { Settings } from '../src/mof/settings.ts';
import type { BenchCase } from './bench-case.ts';
import {
  binaryParserSample,
  handDecode,
  handEncode,
  restructureSample,
  restructureValue,
  type Sample,
} from './mof-baselines.ts';

const BATCH = 2_000;

function member(
  wmiDataId: number,
  name: string,
  type: ScalarType,
  more: Partial<FeatureMember> = {},
): FeatureMember {
  return { name, wmiDataId, type, version: 0x0100, ...more };
}

/** "Overview of Hyper-V Extensible Switch Policies" (management.md 2.3). */
const sampleClass: FeatureClass = {
  name: 'Vendor_SampleFeatureSettingData',
  id: '11111111-2222-3333-4444-555555555555',
  extensionId: '66666666-7777-8888-9999-aaaaaaaaaaaa',
  scope: 'port',
  kind: 'setting',
  version: 0x0100,
  displayName: 'Sample',
  description: '',
  superclass: 'Msvm_EthernetSwitchPortFeatureSettingData',
  members: [
    member(1, 'IntValue8', 'uint8'),
    member(2, 'IntValue16', 'uint16'),
    member(3, 'IntValue32', 'uint32'),
    member(4, 'IntValue64', 'uint64'),
    member(5, 'FixedLengthString', 'string', { maxLen: 255 }),
    member(6, 'VariableLengthString', 'string'),
    member(7, 'FixedLengthArray', 'uint32', { array: { max: 8 } }),
    member(8, 'VariableLengthArray', 'uint32', { array: {} }),
  ],
  source: { file: 'bench', line: 1 },
  builtIn: false,
};

const codec = new FeatureCodec(sampleClass);

/** Values of the worked sample, and values as a real policy has them. */
const VALUES: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['', { VariableLengthString: 'Hi', VariableLengthArray: [1, 2] }],
  [
    '.typical',
    {
      IntValue8: 200,
      IntValue16: 60_000,
      IntValue32: 4_000_000_000,
      IntValue64: '18446744073709551615',
      FixedLengthString: 'Tenant 42, web tier, north rack',
      VariableLengthString: 'Allow the load balancer to reach the web tier on 443',
      FixedLengthArray: [10, 20, 30, 40],
      VariableLengthArray: [4_000_000_000, 1, 2, 3, 4, 5],
    },
  ],
];

function repeat(work: () => number): () => number {
  return () => {
    let total = 0;
    for (let i = 0; i < BATCH; i += 1) total += work();
    if (total === 0) throw new Error('nothing was done');
    return BATCH;
  };
}

function casesOf(suffix: string, input: Readonly<Record<string, unknown>>): BenchCase[] {
  const settings: Settings = codec.normalize(input);
  const sample = settings as unknown as Sample;
  const room = new Uint8Array(2_048);
  const handRoom = new Uint8Array(2_048);
  const handView = new DataView(handRoom.buffer);
  const bytes = codec.encode(settings);
  const buffer = Buffer.from(bytes);
  const view = new DataView(bytes.buffer);
  const forRestructure = restructureValue(sample);
  const write = repeat(() => codec.write(settings, room, 0));
  const encode = repeat(() => codec.encode(settings).length);
  const decode = repeat(() => (codec.decode(bytes)['FixedLengthArray'] === undefined ? 0 : 1));
  const one = (
    name: string,
    unit: string,
    run: () => number,
    baselineName: string,
    work: () => number,
  ): BenchCase => ({
    name: `${name}${suffix}`,
    unit,
    run,
    baseline: { name: baselineName, run: repeat(work) },
  });
  return [
    one('mof.serialize.sample', 'classes', write, 'DataView by hand', () =>
      handEncode(sample, handRoom, handView),
    ),
    one(
      'mof.serialize.sample.vs-restructure',
      'classes',
      encode,
      'restructure',
      () => restructureSample.toBuffer(forRestructure).length,
    ),
    one('mof.deserialize.sample', 'classes', decode, 'DataView by hand', () =>
      handDecode(view).FixedLengthArray === undefined ? 0 : 1,
    ),
    one('mof.deserialize.sample.vs-restructure', 'classes', decode, 'restructure', () =>
      restructureSample.fromBuffer(bytes).fixedNumbers === undefined ? 0 : 1,
    ),
    one('mof.deserialize.sample.vs-binary-parser', 'classes', decode, 'binary-parser', () =>
      binaryParserSample.parse(buffer)['FixedLengthArray'] === undefined ? 0 : 1,
    ),
  ];
}

/** Serializer and deserializer against the same work by hand and by npm libraries; wanted: 0.5 and 5 times as fast. */
export const benches: readonly BenchCase[] = VALUES.flatMap(([suffix, input]) =>
  casesOf(suffix, input),
);
