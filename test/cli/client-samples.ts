/** Objects as the server shows them. */
export const SWITCH = {
  id: '0c5f1f4e-0000-4000-8000-000000000001',
  name: 'TestSwitch',
  type: 'private',
  isActive: true,
  portCount: 2,
};
export const FEATURE = {
  id: 'f3b1a6f2-0000-4000-8000-000000000001',
  name: 'Fabrikam_PortCustomSettingData',
  displayName: 'Fabrikam',
  extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
  scope: 'port',
  kind: 'setting',
  version: 258,
  size: 16,
  builtIn: false,
  members: [
    { name: 'SettingIntA', wmiDataId: 1, type: 'uint32', ctype: 'UINT32', offset: 0, size: 4 },
    { name: 'SettingIntB', wmiDataId: 2, type: 'uint64', ctype: 'UINT64', offset: 8, size: 8 },
    { name: 'Text', wmiDataId: 3, type: 'string', ctype: 'WCHAR[8]', offset: 16, size: 16 },
    { name: 'Flag', wmiDataId: 4, type: 'boolean', ctype: 'BOOLEAN', offset: 32, size: 1 },
    { name: 'Ratio', wmiDataId: 5, type: 'real64', ctype: 'DOUBLE', offset: 40, size: 8 },
    { name: 'List', wmiDataId: 6, type: 'uint16', ctype: 'UINT16[4]', offset: 48, size: 8 },
  ],
  defaults: { SettingIntA: 0, SettingIntB: '0', Text: '', Flag: false, Ratio: 0, List: [] },
};
export const PROPERTY = {
  id: 'a0000000-0000-4000-8000-000000000001',
  featureId: FEATURE.id,
  feature: FEATURE.name,
  version: 258,
  settings: { SettingIntA: 100, SettingIntB: '18446744073709551615', Text: 'old' },
  revision: 3,
  instanceId: 'Microsoft:X',
  delivered: true,
};
export const P = '/v1/switches/TestSwitch/ports/web';
