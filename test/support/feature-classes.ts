import fc from 'fast-check';
import type {
  FeatureClass,
  FeatureMember,
  MemberValue,
  ScalarType,
} from '../../src/mof/feature-class.ts';
import type { Settings } from '../../src/mof/settings.ts';

/** A member with what a test does not care about filled in. */
export function member(
  wmiDataId: number,
  name: string,
  type: ScalarType,
  more: Partial<FeatureMember> = {},
): FeatureMember {
  return { name, wmiDataId, type, version: 0x0100, ...more };
}

/** ExtensionId of {@link featureClass}. */
export const CLASS_OWNER = '66666666-7777-8888-9999-aaaaaaaaaaaa';

/** A feature class made by hand, as the MOF compiler would give it. */
export function featureClass(
  name: string,
  members: readonly FeatureMember[],
  more: Partial<FeatureClass> = {},
): FeatureClass {
  return {
    name,
    id: '11111111-2222-3333-4444-555555555555',
    extensionId: CLASS_OWNER,
    scope: 'port',
    kind: 'setting',
    version: 0x0100,
    displayName: name,
    description: '',
    superclass: 'Msvm_EthernetSwitchPortFeatureSettingData',
    members,
    source: { file: 'test.mof', line: 1 },
    builtIn: false,
    ...more,
  };
}

/** The class of "Overview of Hyper-V Extensible Switch Policies" (management.md 2.3). */
export const sampleClass: FeatureClass = featureClass('Vendor_SampleFeatureSettingData', [
  member(1, 'IntValue8', 'uint8'),
  member(2, 'IntValue16', 'uint16'),
  member(3, 'IntValue32', 'uint32'),
  member(4, 'IntValue64', 'uint64'),
  member(5, 'FixedLengthString', 'string', { maxLen: 255 }),
  member(6, 'VariableLengthString', 'string'),
  member(7, 'FixedLengthArray', 'uint32', { array: { max: 8 } }),
  member(8, 'VariableLengthArray', 'uint32', { array: {} }),
]);

/** MSForwardExtPolicy.mof and MSForwardExtPolicyStatus.mof of the driver samples (management.md 2.3). */
export const macRuleClass: FeatureClass = featureClass(
  'MSForwardExt_MacAddressRule',
  [member(1, 'MacAddress', 'uint8', { array: { max: 6 } })],
  { scope: 'switch', superclass: 'Msvm_EthernetSwitchFeatureSettingData' },
);
export const macStatusClass: FeatureClass = featureClass(
  'MSForwardExt_MacAddressRuleStatus',
  [member(1, 'PortIds', 'uint32', { array: {} })],
  { scope: 'switch', kind: 'status', superclass: 'Msvm_EthernetSwitchData' },
);

/** The class of the custom port property pages (management.md 2.3). */
export const fabrikamClass: FeatureClass = featureClass('Fabrikam_PortCustomSettingData', [
  member(1, 'SettingIntA', 'uint32'),
  member(2, 'SettingIntB', 'uint64'),
]);

const SCALARS: readonly ScalarType[] = [
  'boolean',
  'uint8',
  'sint8',
  'uint16',
  'sint16',
  'uint32',
  'sint32',
  'uint64',
  'sint64',
  'real32',
  'real64',
  'char16',
  'string',
  'datetime',
];

/** Any member: every type, alone or as an array, limited or not. */
function randomMember(index: number): fc.Arbitrary<FeatureMember> {
  return fc
    .record({
      type: fc.constantFrom(...SCALARS),
      array: fc.constantFrom('none', 'inline', 'tail'),
      max: fc.integer({ min: 1, max: 9 }),
      maxLen: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    })
    .map(({ type, array, max, maxLen }) => ({
      name: `M${index}`,
      wmiDataId: index,
      type,
      version: 0x0100,
      ...(array === 'none' ? {} : { array: array === 'inline' ? { max } : {} }),
      ...(type === 'string' && maxLen !== undefined ? { maxLen } : {}),
    }));
}

/** A feature class of one to twenty random members. */
export function randomFeature(): fc.Arbitrary<FeatureClass> {
  return fc
    .integer({ min: 1, max: 20 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => randomMember(i + 1))))
    .map((members) => featureClass('Vendor_Random', members));
}

const INTEGERS: Readonly<Partial<Record<ScalarType, readonly [number, number]>>> = {
  uint8: [0, 255],
  sint8: [-128, 127],
  uint16: [0, 65_535],
  sint16: [-32_768, 32_767],
  uint32: [0, 4_294_967_295],
  sint32: [-2_147_483_648, 2_147_483_647],
};

/** A normalized value of one type: what decoding its bytes must give back. */
function randomScalar(m: FeatureMember): fc.Arbitrary<boolean | number | bigint | string> {
  const range = INTEGERS[m.type];
  if (range !== undefined) return fc.integer({ min: range[0], max: range[1] });
  switch (m.type) {
    case 'boolean':
      return fc.boolean();
    case 'uint64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case 'sint64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'real32':
      return fc.float({ noNaN: true, noDefaultInfinity: true });
    case 'real64':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'char16':
      return fc.constantFrom('', 'A', '\u4133', '\uffff');
    case 'datetime':
      return fc.constantFrom('', '20261122071356.000000+060', '00000001******.000000:000');
    default:
      return fc
        .string({ unit: fc.constantFrom('a', 'ß', '語', '😀', ' '), maxLength: m.maxLen ?? 80 })
        .map((text) => cutAt(text, m.maxLen ?? 80));
  }
}

/** At most `units` UTF-16 units, without half of a pair at the end. */
function cutAt(text: string, units: number): string {
  const cut = text.slice(0, units);
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

/** A class and normalized settings for it. */
export function randomSettings(): fc.Arbitrary<readonly [FeatureClass, Settings]> {
  return randomFeature().chain((feature) => {
    const values: Record<string, fc.Arbitrary<MemberValue>> = {};
    for (const m of feature.members) {
      const one = randomScalar(m);
      values[m.name] =
        m.array === undefined ? one : fc.array(one, { maxLength: m.array.max ?? 12 });
    }
    return fc.tuple(fc.constant(feature), fc.record(values, { noNullPrototype: true }));
  });
}
