import t from 'tap';
import { compileMof, typescriptTypes } from '../../src/mof/index.ts';
import { settingsOf } from '../../src/sdk/index.ts';
import { consumerProject, typeErrors } from './consumer-project.ts';

/** Fabrikam_PortCustomSettingData of the custom property pages: uint32 and uint64 (management.md 2.3), and a second class. */
const MOF = `
[Dynamic, UUID("F2F73F23-2B8E-457A-96C4-F541201C9150"), ExtensionId("5CBF81BE-5055-47CD-9055-A76B2B4E369E"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0")]
class Fabrikam_PortCustomSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0")] uint32 SettingIntA;
  [WmiDataId(2), InterfaceVersion("1"), InterfaceRevision("0")] uint64 SettingIntB;
};
[Dynamic, UUID("F2F73F23-2B8E-457A-96C4-F541201C9151"), ExtensionId("5CBF81BE-5055-47CD-9055-A76B2B4E369E"),
 Provider("VmmsWmiInstanceAndMethodProvider"), InterfaceVersion("1"), InterfaceRevision("0")]
class Fabrikam_NameSettingData : Msvm_EthernetSwitchPortFeatureSettingData {
  [WmiDataId(1), InterfaceVersion("1"), InterfaceRevision("0")] string Name;
};`;

const EXTENSION = `
import { defineExtension, NdisStatus, settingsOf, type PortProperty, type Settings } from 'extswitch/extension';
export default defineExtension({
  id: '5cbf81be-5055-47cd-9055-a76b2b4e369e', name: 'Typed', vendor: 'Fabrikam', version: '1.0', type: 'filter',
  attach: () => ({
    addPortProperty(property: PortProperty<'Fabrikam_PortCustomSettingData'>) {
      const a: number | undefined = property.settings?.SettingIntA;
      const b: bigint | undefined = property.settings?.SettingIntB;
      return a === 1 && b === 2n ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
    },
    updatePortProperty(property) {
      const numbers = settingsOf(property, 'Fabrikam_PortCustomSettingData');
      const b: bigint | undefined = numbers?.SettingIntB;
      const name: string | undefined = settingsOf(property, 'Fabrikam_NameSettingData')?.Name;
      const other: Settings | undefined = settingsOf(property, 'Unregistered_Class');
      return b === 0n || name === '' || other?.['X'] === 1 ? NdisStatus.DATA_NOT_ACCEPTED : 'forward';
    },
  }),
});
`;

t.test(
  'the output of mof types types the settings in a project of its own',
  {
    timeout: 100_000,
  },
  async (t) => {
    const folder = t.testdir();
    consumerProject(folder);
    const compiled = compileMof(MOF, { file: 'fabrikam.mof' });
    t.equal(compiled.features.length, 2);
    const wrong = EXTENSION.replace('a: number |', 'a: string |')
      .replace('a === 1', "a === ''")
      .replace('settings?.SettingIntB', 'settings?.SettingIntC')
      .replace('name: string |', 'name: number |')
      .replace("name === ''", 'name === 0');
    const errors = typeErrors(folder, {
      'fabrikam.ts': typescriptTypes(compiled.features),
      'right.ts': EXTENSION,
      'wrong.ts': wrong,
    });
    t.equal(errors.length, 3, 'a wrong type, a member that is not there, the other class');
    t.match(errors[0], /^wrong\.ts:7: .*'number.*' is not assignable to type 'string/);
    t.match(errors[1], /^wrong\.ts:8: .*'SettingIntC' does not exist/);
    t.match(errors[2], /^wrong\.ts:14: .*'string.*' is not assignable to type 'number/);
  },
);

t.test(
  'settingsOf gives the settings of the class that was asked for and of no other',
  async (t) => {
    const settings = { SettingIntA: 1 };
    t.equal(settingsOf({ feature: 'A', settings }, 'A'), settings);
    t.equal(settingsOf({ feature: 'A', settings }, 'B'), undefined);
    t.equal(settingsOf({ feature: undefined, settings }, 'B'), undefined);
    t.equal(settingsOf({ feature: 'A', settings: undefined }, 'A'), undefined);
  },
);
