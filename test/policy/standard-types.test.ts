import t from 'tap';
import type { ProfileName } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { guidHex, hex, openWorld, SWITCH_SETTING } from './open-world.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const ADD = 'OID_SWITCH_PORT_PROPERTY_ADD';
const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData';
const SECURITY = 'Msvm_EthernetSwitchPortSecuritySettingData';
const PROFILE = 'Msvm_EthernetSwitchPortProfileSettingData';
const ISOLATION = 'Msvm_EthernetSwitchPortIsolationSettingData';
const ROUTING = 'Msvm_EthernetSwitchPortRoutingDomainSettingData';

/** The NDIS structure behind the head of the last ADD, and the head's type, id, version, length and offset. */
async function standardBytes(
  feature: string,
  settings: Record<string, unknown>,
  profile: ProfileName = 'ws2022',
): Promise<{ head: string; data: Uint8Array; decoded: object; route: number }> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 's', profile });
  const sw = await fabric.switches.create({ name: 'S' });
  const port = await sw.ports.create();
  await port.properties.add(feature, settings, { id: ID });
  const entries = sw.trace.entries({ oid: ADD });
  const input = entries[0]?.input ?? new Uint8Array(0);
  const result = {
    head: hex(input.subarray(0, 64)),
    data: input.subarray(64),
    decoded: entries[0] === undefined ? {} : fabric.trace.decode(entries[0]),
    route: entries.length,
  };
  await fabric.close();
  return result;
}

const head = (type: number, lengthBytes: number): string => {
  const u32 = (n: number): string => hex(Buffer.from(Uint32Array.of(n).buffer));
  // Rule E24: PropertyId is zero unless the type is custom.
  return `8001400000000000${u32(1)}${u32(type)}${'00'.repeat(16)}00010100${guidHex(ID)}${u32(lengthBytes)}${u32(64)}${u32(0)}`;
};

t.test(
  'security: revision 1 (17 of 20 bytes) on ws2012, revision 2 (24) from ws2012r2',
  async (t) => {
    const settings = {
      AllowMacSpoofing: true,
      AllowIeeePriorityTag: false,
      VirtualSubnetId: 0x123456,
      AllowTeaming: true,
      DynamicIPAddressLimit: 10,
    };
    const old = await standardBytes(SECURITY, settings, 'ws2012');
    // The class is version 3 (management 3.4): PropertyVersion 3.0.
    t.equal(old.head, head(2, 20).replace('00010100', '00030100'));
    t.equal(hex(old.data), '8001110000000000' + '01000000' + '56341200' + '01000000');
    for (const profile of ['ws2012r2', 'ws2016', 'ws2019', 'ws2022', 'ws2025'] as const) {
      const now = await standardBytes(SECURITY, settings, profile);
      t.equal(now.head, head(2, 24).replace('00010100', '00030100'), profile);
      t.equal(
        hex(now.data),
        '8002180000000000' + '01000000' + '56341200' + '01000000' + '0a000000',
      );
    }
  },
);

t.test('VLAN: access, trunk bitmaps and private modes in 1,048 bytes', async (t) => {
  const access = await standardBytes(VLAN, { OperationMode: 1, AccessVlanId: 0x0abc });
  t.equal(access.head, head(3, 1048));
  t.equal(access.data.length, 1048);
  t.equal(
    hex(access.data.subarray(0, 24)),
    '8001180400000000' + '0100000000000000' + 'bc0a000000000000',
  );
  t.ok(access.data.subarray(24).every((byte) => byte === 0));
  const trunk = await standardBytes(VLAN, {
    OperationMode: 2,
    NativeVlanId: 5,
    PruneVlanIdArray: [0],
    TrunkVlanIdArray: [1, 64, 4095],
  });
  t.equal(
    hex(trunk.data.subarray(8, 32)),
    '0200000000000000' + '0000050000000000' + '0100000000000000',
  );
  const set = [...trunk.data.subarray(536).entries()].filter(([, byte]) => byte !== 0);
  t.same(
    set,
    [
      [0, 0x02],
      [8, 0x01],
      [511, 0x80],
    ],
    'VLAN v is bit v & 63 of word v >> 6',
  );
  const isolated = await standardBytes(VLAN, {
    OperationMode: 3,
    PvlanMode: 1,
    PrimaryVlanId: 10,
    SecondaryVlanId: 200,
  });
  t.equal(
    hex(isolated.data.subarray(8, 32)),
    '0300000000000000' + '01000000' + '0a000000' + 'c800000000000000',
  );
  const promiscuous = await standardBytes(VLAN, {
    OperationMode: 3,
    PvlanMode: 3,
    PrimaryVlanId: 10,
    SecondaryVlanIdArray: [9],
  });
  t.equal(hex(promiscuous.data.subarray(16, 32)), '03000000' + '0a000000' + '0002000000000000');
});

t.test('profile: GUID texts become GUIDs, the PCI place one word, in 1,616 bytes', async (t) => {
  const { head: given, data } = await standardBytes(PROFILE, {
    ProfileName: 'Gold',
    ProfileId: `{${ID}}`,
    VendorName: 'V',
    VendorId: 'EB29F0F2-F5DC-45C6-81BB-3CD9F219BBBB',
    ProfileData: 7,
    PciSegmentNumber: 0x1234,
    PciBusNumber: 0x56,
    PciDeviceNumber: 0x1f,
    PciFunctionNumber: 7,
    CdnLabelId: 3,
    CdnLabelString: 'L',
  });
  t.equal(given, head(4, 1616));
  t.equal(data.length, 1616);
  t.equal(hex(data.subarray(0, 20)), '8001500600000000' + '0800' + '47006f006c006400' + '0000');
  t.equal(hex(data.subarray(524, 540)), guidHex(ID));
  t.equal(hex(data.subarray(540, 544)), '02005600');
  t.equal(
    hex(data.subarray(1056, 1076)),
    `${guidHex('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb')}07000000`,
  );
  t.equal(hex(data.subarray(1076, 1104)), `${'00'.repeat(16)}341256ff0300000002004c00`);
});

t.test('isolation and routing domain, from NDIS 6.40; before, they are refused (E1)', async (t) => {
  const isolation = await standardBytes(ISOLATION, {
    IsolationMode: 3,
    AllowUntaggedTraffic: true,
    DefaultIsolationId: 9,
  });
  t.equal(isolation.head, head(5, 20));
  t.equal(hex(isolation.data), '8001140000000000' + '03000000' + '01000000' + '09000000');
  const routing = await standardBytes(ROUTING, {
    RoutingDomainGuid: `{${ID}}`,
    RoutingDomainName: 'Red',
    IsolationIdList: [6001, 6002],
    IsolationIdNameList: ['a'],
  });
  const { data } = routing;
  const at = data[288] ?? 0;
  const first = at | ((data[289] ?? 0) << 8);
  t.equal(routing.head, head(6, data.length));
  t.equal(hex(data.subarray(0, 8)), '8001220100000000', 'header size 290');
  t.equal(hex(data.subarray(8, 34)), `${guidHex(ID)}06005200650064000000`);
  t.equal(hex(data.subarray(284, 288)), '02000000');
  t.ok(first >= 290 && first % 4 === 0);
  t.equal(data.length, first + 2 * 272);
  t.equal(hex(data.subarray(first, first + 14)), '8001100100000000' + '02006100' + '0000');
  t.equal(
    hex(data.subarray(first + 268, first + 284)),
    '71170000' + '8001100100000000' + '00000000',
  );
  t.equal(hex(data.subarray(first + 540)), '72170000');
  for (const feature of [ISOLATION, ROUTING]) {
    await t.rejects(standardBytes(feature, {}, 'ws2012'), {
      code: 'INVALID_ARGUMENT',
      place: { rule: 'E1', member: 'feature', expected: 'NDIS 6.40', found: feature },
    });
  }
});

t.test('what the class allows and the structure cannot hold is refused by member', async (t) => {
  const { fabric, port } = await openWorld();
  const wrong: readonly [string, string, Record<string, unknown>][] = [
    [VLAN, 'OperationMode', { OperationMode: 4 }],
    [VLAN, 'PvlanMode', { PvlanMode: 4 }],
    [VLAN, 'AccessVlanId', { AccessVlanId: 4096 }],
    [VLAN, 'SecondaryVlanId', { SecondaryVlanId: 4096 }],
    [VLAN, 'TrunkVlanIdArray', { TrunkVlanIdArray: [1, 4096] }],
    [SECURITY, 'VirtualSubnetId', { VirtualSubnetId: 16_777_216 }],
    [PROFILE, 'ProfileId', { ProfileId: 'gold' }],
    [PROFILE, 'PciFunctionNumber', { PciFunctionNumber: 8 }],
    [PROFILE, 'PciDeviceNumber', { PciDeviceNumber: 32 }],
    [PROFILE, 'PciBusNumber', { PciBusNumber: 256 }],
    [PROFILE, 'PciSegmentNumber', { PciSegmentNumber: 65_536 }],
    [ISOLATION, 'IsolationMode', { IsolationMode: 4 }],
    [ROUTING, 'RoutingDomainGuid', { RoutingDomainGuid: '{x}' }],
    [ROUTING, 'IsolationIdNameList', { IsolationIdList: [1], IsolationIdNameList: ['a', 'b'] }],
    [
      ROUTING,
      'IsolationIdNameList',
      { IsolationIdList: [1], IsolationIdNameList: ['x'.repeat(128)] },
    ],
  ];
  for (const [feature, member, settings] of wrong) {
    await t.rejects(
      port.properties.add(feature, settings),
      { code: 'SETTINGS_INVALID', place: { member } },
      JSON.stringify(settings).slice(0, 60),
    );
  }
  t.same([...port.properties.list()], []);
  await fabric.close();
});

t.test(
  'E45, OP-8: an extension that enumerates standard types gets the value in force',
  async (t) => {
    const seen: Record<string, unknown> = {};
    const extension = extensionWith((sw) => ({
      addSwitchProperty: () => {
        for (const feature of [VLAN, SECURITY, ISOLATION, PROFILE, ROUTING]) {
          seen[feature] = sw.portProperties(1, feature).map(({ settings }) => settings);
        }
        return 'forward';
      },
    }));
    const { fabric, sw, port } = await openWorld([extension]);
    await sw.properties.add(SWITCH_SETTING, {});
    t.match(seen, {
      [VLAN]: [{ OperationMode: 1, AccessVlanId: 0 }],
      [SECURITY]: [{ AllowMacSpoofing: false, AllowTeaming: false }],
      [PROFILE]: [],
      [ROUTING]: [],
    });
    await port.properties.add(VLAN, { OperationMode: 2, TrunkVlanIdArray: [7] });
    await port.properties.add(PROFILE, { CdnLabelString: 'L' });
    await port.properties.add(ROUTING, {
      RoutingDomainName: 'Red',
      IsolationIdList: [5],
      IsolationIdNameList: ['n'],
    });
    await sw.properties.add(SWITCH_SETTING, {});
    t.match(seen, {
      [VLAN]: [{ OperationMode: 2, TrunkVlanIdArray: [7] }],
      [PROFILE]: [{ CdnLabelString: 'L', ProfileId: '00000000-0000-0000-0000-000000000000' }],
      [ROUTING]: [{ RoutingDomainName: 'Red', IsolationIdList: [5], IsolationIdNameList: ['n'] }],
    });
    await fabric.close();
  },
);
