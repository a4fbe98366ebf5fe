import t from 'tap';
import { builtInClasses } from '../../../src/mof/builtin-classes.ts';
import { builtinFeatures } from '../../../src/mof/builtin-features.ts';
import type { FeatureClass } from '../../../src/mof/feature-class.ts';

const byName = (name: string): FeatureClass => {
  const found = builtinFeatures().find((feature) => feature.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

/** `id:name type` of the members, as the tables of management.md 3.4 and 3.5 write them. */
const brief = (feature: FeatureClass): string[] =>
  feature.members.map(({ wmiDataId, name, type, array, maxLen, default: initial }) => {
    const size = maxLen === undefined ? '' : `(${maxLen})`;
    return `${wmiDataId}:${name} ${type}${size}${array === undefined ? '' : '[]'}=${initial}`;
  });

t.test('the built-in features are those of management.md 3.4 and 3.5', (t) => {
  const expected: [string, string, string, string, number, number][] = [
    ['PortVlanSettingData', '952c5004-4465-451c-8cb8-fa9ab382b773', 'port', 'setting', 1, 9],
    ['PortSecuritySettingData', '776e0ba7-94a1-41c8-8f28-951f524251b5', 'port', 'setting', 3, 14],
    ['PortProfileSettingData', '9940cd46-8b06-43bb-b9d5-93d50381fd56', 'port', 'setting', 1, 12],
    ['PortIsolationSettingData', '83af2ccb-72c9-4479-a285-94e58a98caa6', 'port', 'setting', 1, 4],
    [
      'PortRoutingDomainSettingData',
      'bf874df0-f729-4312-a0fa-194271b88990',
      'port',
      'setting',
      1,
      4,
    ],
    ['PortAclSettingData', '998bef4a-5d55-492a-9c43-8b2f5eae9f2b', 'port', 'setting', 1, 9],
    [
      'PortExtendedAclSettingData',
      'cd168ff0-a16d-4514-b7b5-8bbba791a928',
      'port',
      'setting',
      1,
      12,
    ],
    ['PortBandwidthSettingData', '24ad3ce1-69bd-4978-b2ac-daad389d699c', 'port', 'setting', 1, 5],
    ['PortOffloadSettingData', 'c885bfd1-abb7-418f-8163-9f379c9f7166', 'port', 'setting', 4, 16],
    ['PortRdmaSettingData', '7a498fc4-8572-4fdc-92ab-7a6fc7042d53', 'port', 'setting', 1, 1],
    ['PortTeamMappingSettingData', '8d45d4bd-8c18-435c-98a7-d632a7c618ff', 'port', 'setting', 1, 2],
    ['PortVfpSettingData', '0cb580d8-77cd-4471-956d-90ed2636ff68', 'port', 'setting', 1, 0],
    [
      'PortMigrationQosSettingData',
      'fd2a5de3-dc6c-4320-82a5-234d3af55297',
      'port',
      'setting',
      1,
      10,
    ],
    [
      'HardwareOffloadSettingData',
      '1550e863-4337-4917-a040-5a27dbc58b59',
      'switch',
      'setting',
      2,
      7,
    ],
    ['BandwidthData', '8f425906-034d-42ab-bd16-edb31cec55ef', 'switch', 'status', 1, 5],
    ['HardwareOffloadData', '1c37e01c-0cd6-496f-9076-90c131033dc2', 'switch', 'status', 4, 16],
    ['OperationalData', '1d18cdcf-209e-4172-875d-6d208a0a8375', 'switch', 'status', 1, 2],
    ['PortBandwidthData', '24ad3ce1-69bd-4978-b2ac-daad389d699c', 'port', 'status', 1, 1],
    ['PortOffloadData', 'c885bfd1-abb7-418f-8163-9f379c9f7166', 'port', 'status', 3, 15],
  ];
  for (const [name, id, scope, kind, major, count] of expected) {
    const feature = byName(`Msvm_EthernetSwitch${name}`);
    t.match(feature, { id, scope, kind, version: major * 256, builtIn: true }, name);
    t.equal(feature.members.length, count, `${name}: members`);
  }
  t.match(byName('Msvm_VirtualEthernetSwitchBandwidthSettingData'), {
    id: '3eb2b8e8-4abf-4dbf-9071-16dd47481fbe',
    scope: 'switch',
    kind: 'setting',
  });
  t.match(byName('Msvm_VirtualEthernetSwitchNicTeamingSettingData'), {
    id: '17ad26f1-dd6f-4ed9-bd2f-3750ade6b68b',
    scope: 'switch',
    kind: 'setting',
  });
  t.equal(builtinFeatures().length, expected.length + 2);
  const vfp = builtinFeatures().filter(
    (feature) => feature.extensionId === 'e9b59cfa-2be1-4b21-828f-b6fbdbddc017',
  );
  t.same(
    vfp.map((feature) => feature.name),
    ['Msvm_EthernetSwitchPortVfpSettingData', 'Msvm_EthernetSwitchPortMigrationQosSettingData'],
  );
  const native = '11ec6134-128a-4a23-b12f-164184b48348';
  t.equal(builtinFeatures().filter((feature) => feature.extensionId === native).length, 19);
  t.end();
});

t.test(
  'members of the standard properties have the types, rooms and defaults of the tables',
  (t) => {
    t.same(brief(byName('Msvm_EthernetSwitchPortVlanSettingData')), [
      '1:OperationMode uint32=0',
      '2:AccessVlanId uint16=0',
      '3:NativeVlanId uint16=0',
      '4:PvlanMode uint32=0',
      '5:PrimaryVlanId uint16=0',
      '6:SecondaryVlanId uint16=0',
      '7:PruneVlanIdArray uint16[]=',
      '8:TrunkVlanIdArray uint16[]=',
      '9:SecondaryVlanIdArray uint16[]=',
    ]);
    t.same(brief(byName('Msvm_EthernetSwitchPortIsolationSettingData')), [
      '1:IsolationMode uint32=0',
      '2:AllowUntaggedTraffic boolean=false',
      '3:DefaultIsolationId uint32=0',
      '4:EnableMultiTenantStack boolean=false',
    ]);
    t.same(brief(byName('Msvm_EthernetSwitchPortRoutingDomainSettingData')), [
      '1:RoutingDomainGuid string(38)=',
      '2:RoutingDomainName string(127)=',
      '3:IsolationIdList uint32[]=',
      '4:IsolationIdNameList string[]=',
    ]);
    const zero = '{00000000-0000-0000-0000-000000000000}';
    t.same(brief(byName('Msvm_EthernetSwitchPortProfileSettingData')).slice(0, 6), [
      '1:ProfileName string(127)=',
      '2:ProfileId string(38)=',
      '3:VendorName string(127)=',
      `4:VendorId string(38)=${zero}`,
      '5:ProfileData uint32=0',
      `6:NetCfgInstanceId string(38)=${zero}`,
    ]);
    t.same(brief(byName('Msvm_EthernetSwitchBandwidthData')).slice(0, 3), [
      '1:Capacity uint64=100000000',
      '2:Reservation uint64=100000000',
      '3:DefaultFlowReservationPercentage uint32=10',
    ]);
    t.same(byName('Msvm_EthernetSwitchBandwidthData').members[0]?.default, 100000000n);
    t.same(brief(byName('Msvm_EthernetSwitchOperationalData')), [
      '1:CurrentSwitchingMode uint32=1',
      '2:SupportedSwitchingModes uint32[]=1',
    ]);
    t.end();
  },
);

t.test(
  'security: ids 1-10 are version 1, 11-12 version 2, 13-14 version 3 (management.md 2.7)',
  (t) => {
    const { members } = byName('Msvm_EthernetSwitchPortSecuritySettingData');
    t.same(
      members.map((member) => member.version / 256),
      [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3],
    );
    t.match(members[6], { name: 'VirtualSubnetId', minValue: 0, maxValue: 16777215 });
    t.same(members[3]?.valueNames, { 0: 'None', 1: 'Destination', 2: 'Source' });
    t.match(members[8], { name: 'TeamName', type: 'string', maxLen: 127, default: '' });
    t.end();
  },
);

t.test('offload: ids 1-5 are version 1, 6-8 version 2, 9-11 version 3, 12-16 version 4', (t) => {
  const { members } = byName('Msvm_EthernetSwitchPortOffloadSettingData');
  t.same(
    members.map((member) => member.version / 256),
    [1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4],
  );
  t.same(
    members.map((member) => member.default),
    [512, 100, 0, 1, 0, 1, 0, 0, true, false, 16, 1, 2, false, false, 3],
  );
  t.end();
});

t.test('ids are 1, 2, 3, … and UUIDs unique within a kind', (t) => {
  const seen = new Set<string>();
  for (const feature of builtinFeatures()) {
    t.same(
      feature.members.map((member) => member.wmiDataId),
      feature.members.map((_, index) => index + 1),
      feature.name,
    );
    const key = `${feature.kind} ${feature.id}`;
    t.notOk(seen.has(key), key);
    seen.add(key);
    t.ok(
      feature.members.every((member) => member.version <= feature.version),
      `${feature.name}: no member is newer than its class`,
    );
  }
  t.end();
});

t.test('the lists are made once and shared', (t) => {
  t.equal(builtinFeatures(), builtinFeatures());
  t.equal(builtInClasses(), builtInClasses());
  t.end();
});

t.test('the class tree is that of management.md 3.1', (t) => {
  const tree = builtInClasses();
  const line = (name: string): string =>
    tree
      .lineage(name)
      .map((info) => info.name)
      .join(' ');
  t.equal(
    line('Msvm_EthernetSwitchPortVlanSettingData'),
    'Msvm_EthernetSwitchPortVlanSettingData Msvm_EthernetSwitchPortFeatureSettingData ' +
      'Msvm_FeatureSettingData CIM_SettingData CIM_ManagedElement',
  );
  t.equal(
    line('msvm_virtualethernetswitchsettingdata'),
    'Msvm_VirtualEthernetSwitchSettingData CIM_VirtualEthernetSwitchSettingData ' +
      'CIM_VirtualSystemSettingData CIM_SettingData CIM_ManagedElement',
  );
  t.equal(line('Msvm_EthernetPortData'), 'Msvm_EthernetPortData CIM_ManagedElement');
  t.equal(
    line('Msvm_EthernetPortAllocationSettingData'),
    'Msvm_EthernetPortAllocationSettingData CIM_EthernetPortAllocationSettingData ' +
      'CIM_ResourceAllocationSettingData CIM_SettingData CIM_ManagedElement',
  );
  const names = tree.membersOf('Msvm_EthernetPortData').map(({ feature }) => feature.name);
  t.same(names, [
    'InstanceID',
    'Caption',
    'Description',
    'ElementName',
    'SystemCreationClassName',
    'SystemName',
    'CreationClassName',
    'Name',
    'DeviceCreationClassName',
    'DeviceID',
  ]);
  const instanceId = tree
    .membersOf('CIM_SettingData')
    .find((each) => each.feature.name === 'InstanceID');
  t.equal(instanceId?.owner.name, 'CIM_SettingData', 'the nearest declaration of a name counts');
  t.end();
});
