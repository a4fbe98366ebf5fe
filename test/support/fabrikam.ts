import { defineExtension } from '../../src/sdk/define.ts';
import type {
  ExtensionDefinition,
  ExtensionHandlers,
  ExtensionType,
  SwitchContext,
} from '../../src/sdk/extension.ts';

/** NetCfgInstanceId of the fictional extension of the documentation's samples. */
export const FABRIKAM = '5cbf81be-5055-47cd-9055-a76b2b4e369e';

const head = (uuid: string): string =>
  `[Dynamic, Provider("VmmsWmiInstanceAndMethodProvider"), UUID("${uuid}"), ExtensionId("${FABRIKAM}"), ` +
  'DisplayName("Fabrikam"), InterfaceVersion("1"), InterfaceRevision("0")]';

/** Port and switch setting (u32 at 0, u64 at 8; 16 bytes), port and switch status. */
export const FABRIKAM_MOF = `
${head('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb')}
class Fabrikam_PortCustomSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 SettingIntA = 1;
  [Read, Write, WmiDataId(2)] uint64 SettingIntB = 2;
};
${head('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbc')}
class Fabrikam_SwitchCustomSettingData : Msvm_EthernetSwitchFeatureSettingData {
  [Read, Write, WmiDataId(1)] uint32 SettingIntA = 1;
};
${head('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbd')}
class Fabrikam_CustomPortData : Msvm_EthernetPortData {
  [Read, WmiDataId(1)] uint32 CurrentStatus;
};
${head('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbe')}
class Fabrikam_CustomSwitchData : Msvm_EthernetSwitchData {
  [Read, WmiDataId(1)] uint32 CurrentStatus;
};`;

/** An extension with these handlers; `id` tells several apart. */
export function extensionWith(
  handlers: (sw: SwitchContext) => ExtensionHandlers,
  options: { readonly id?: string; readonly name?: string; readonly type?: ExtensionType } = {},
): ExtensionDefinition {
  return defineExtension({
    id: options.id ?? FABRIKAM,
    name: options.name ?? 'Fabrikam Filter',
    vendor: 'Fabrikam',
    version: '1.0',
    type: options.type ?? 'filter',
    attach: handlers,
  });
}
