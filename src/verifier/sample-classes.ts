import { SAMPLE_ID } from './rule-check.ts';

/** One policy class with a limit, of the sample. */
export const LIMIT_MOF = `
[ Dynamic, UUID("7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e20"), ExtensionId("${SAMPLE_ID}"),
  Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0") ]
class Sample_LimitSettingData : Msvm_EthernetSwitchPortFeatureSettingData
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Limit = 7;
};`;

/** One status class of ports with a counter, of the sample. */
export const STATUS_MOF = `
[ Dynamic, UUID("7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e21"), ExtensionId("${SAMPLE_ID}"),
  Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0") ]
class Sample_PortStatusData : Msvm_EthernetPortData
{
  [ Read, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Count = 0;
};`;

/** One policy class of the switch, of the sample. */
export const SWITCH_MOF = `
[ Dynamic, UUID("7e51a3d0-2b64-4c1f-8f0e-6a9d3c5b2e22"), ExtensionId("${SAMPLE_ID}"),
  Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0") ]
class Sample_SwitchSettingData : Msvm_EthernetSwitchFeatureSettingData
{
  [ Read, Write, WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0") ]
  uint32 Limit = 7;
};`;
