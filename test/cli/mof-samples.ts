/**
 * The sample class of "Overview of Hyper-V Extensible Switch Policies" (learn.microsoft.com) with the facts of
 * management.md 2.3: the superclass is misspelled there, ids and names are as printed.
 */
export const SAMPLE_MOF = `#pragma namespace("\\\\\\\\.\\\\root\\\\virtualization\\\\v2")
[ Dynamic, UUID("CFC8D0A7-6AB9-4DE4-8DD5-10A2B9B5E33D"),
  ExtensionId("5CBF81BE-5055-47CD-9055-A76B2B4E369E"),
  Provider("VmmsWmiInstanceAndMethodProvider"), Locale(0x409),
  InterfaceVersion("1"), InterfaceRevision("0"),
  DisplayName("Vendor sample") : Amended, Description("A sample") : Amended ]
class Vendor_SampleFeatureSettingData : Msvm_EthernetSwitchPortFeatureSettingDataMsvm
{
  [WmiDataId(1), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint8 IntValue8;
  [WmiDataId(2), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint16 IntValue16;
  [WmiDataId(3), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint32 IntValue32;
  [WmiDataId(4), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint64 IntValue64;
  [WmiDataId(5), Read, Write, InterfaceVersion("1"), InterfaceRevision("0"), MaxLen(255)] string FixedLengthString;
  [WmiDataId(6), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] string VariableLengthString;
  [WmiDataId(7), Read, Write, InterfaceVersion("1"), InterfaceRevision("0"), Max(8)] uint32 FixedLengthArray[];
  [WmiDataId(8), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint32 VariableLengthArray[];
};
`;

/** C member, C type, offset and size of the sample with `uint16: native` (management.md 2.3). */
export const SAMPLE_MEMBERS: readonly (readonly [string, number, string, number, number])[] = [
  ['IntValue8', 1, 'UINT8', 0, 1],
  ['IntValue16', 2, 'UINT16', 2, 2],
  ['IntValue32', 3, 'UINT32', 4, 4],
  ['IntValue64', 4, 'UINT64', 8, 8],
  ['FixedLengthStringByteCount', 5, 'UINT16', 16, 2],
  ['FixedLengthString', 5, 'WCHAR[256]', 18, 512],
  ['VariableLengthStringOffset', 6, 'UINT32', 532, 4],
  ['FixedLengthArrayElementCount', 7, 'UINT32', 536, 4],
  ['FixedLengthArray', 7, 'UINT32[8]', 540, 32],
  ['VariableLengthArrayElementCount', 8, 'UINT32', 572, 4],
  ['VariableLengthArrayOffset', 8, 'UINT32', 576, 4],
];

/** The Fabrikam port class of the custom-property pages: uint32 and uint64 at 0 and 8, size 16. */
export const FABRIKAM_MOF = `[ Dynamic, UUID("F2F73F23-2B8E-457a-96C4-F541201C9150"),
  ExtensionId("5CBF81BE-5055-47CD-9055-A76B2B4E369E"),
  Provider("VmmsWmiInstanceAndMethodProvider"), Locale(0x409),
  InterfaceVersion("1"), InterfaceRevision("0"),
  DisplayName("Fabrikam port settings") : Amended, Description("Settings") : Amended ]
class Fabrikam_PortCustomSettingData : Msvm_EthernetSwitchPortFeatureSettingData
{
  [WmiDataId(1), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint32 SettingIntA;
  [WmiDataId(2), Read, Write, InterfaceVersion("1"), InterfaceRevision("0")] uint64 SettingIntB;
};
`;
