import type { FeatureClass, FeatureMember, ScalarType } from '../../src/mof/feature-class.ts';

/** A member with what a test does not care about filled in. */
export function member(
  wmiDataId: number,
  name: string,
  type: ScalarType,
  more: Partial<FeatureMember> = {},
): FeatureMember {
  return { name, wmiDataId, type, version: 0x0100, ...more };
}

/** A feature class made by hand, as the MOF compiler would give it. */
export function featureClass(
  name: string,
  members: readonly FeatureMember[],
  more: Partial<FeatureClass> = {},
): FeatureClass {
  return {
    name,
    id: '11111111-2222-3333-4444-555555555555',
    extensionId: '66666666-7777-8888-9999-aaaaaaaaaaaa',
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
