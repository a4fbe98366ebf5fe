import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { ProfileName } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith } from '../support/fabrikam.ts';
import {
  guidHex,
  hex,
  holder,
  lastEntry,
  openWorld,
  PORT_SETTING,
  SWITCH_SETTING,
  turn,
} from './open-world.ts';

const ID = '11111111-2222-4333-8444-555555555555';
const ADD = 'OID_SWITCH_PORT_PROPERTY_ADD';
const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData';
const SECURITY = 'Msvm_EthernetSwitchPortSecuritySettingData';
const PROFILE = 'Msvm_EthernetSwitchPortProfileSettingData';
const ISOLATION = 'Msvm_EthernetSwitchPortIsolationSettingData';
const ROUTING = 'Msvm_EthernetSwitchPortRoutingDomainSettingData';

t.test('add, get, list, update, delete of a property, as the caller sees them', async (t) => {
  const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
  const added = await port.properties.add(
    PORT_SETTING,
    { SettingIntA: 7 },
    { id: `{${ID.toUpperCase()}}` },
  );
  const port1 = port.info.id.toUpperCase();
  const sw1 = sw.info.id.toUpperCase();
  t.same(added, {
    id: ID,
    featureId: 'eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb',
    feature: PORT_SETTING,
    version: 0x0100,
    settings: { SettingIntA: 7, SettingIntB: 2n },
    revision: 1,
    instanceId: `Microsoft:${sw1}\\${port1}\\EB29F0F2-F5DC-45C6-81BB-3CD9F219BBBB\\${ID}`,
    delivered: true,
  });
  t.same(port.properties.get(ID.toUpperCase()), added);
  t.same([...port.properties.list()], [added]);
  // The update is the whole new value: what is left out takes the default.
  const updated = await port.properties.update(ID, { SettingIntB: '18446744073709551615' });
  t.same(updated, {
    ...added,
    revision: 2,
    settings: { SettingIntA: 1, SettingIntB: 2n ** 64n - 1n },
  });
  const own = await sw.properties.add(SWITCH_SETTING, {});
  t.equal(
    own.instanceId,
    `Microsoft:${sw1}\\EB29F0F2-F5DC-45C6-81BB-3CD9F219BBBC\\${own.id.toUpperCase()}`,
    'management 3.8',
  );
  await sw.properties.update(own.id, { SettingIntA: 9 });
  await sw.properties.delete(own.id, { ifRevision: 2 });
  await port.properties.delete(ID);
  t.same([...port.properties.list(), ...sw.properties.list()], []);
  t.same(
    sw.trace.entries().map(({ oid }) => oid.replace('OID_SWITCH_', '')),
    [
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'PORT_PROPERTY_UPDATE',
      'PROPERTY_ADD',
      'PROPERTY_UPDATE',
      'PROPERTY_DELETE',
      'PORT_PROPERTY_DELETE',
    ],
  );
  await fabric.close();
});

t.test('E14, E15: an add to the switch and both deletes, byte for byte', async (t) => {
  const { fabric, sw, port } = await openWorld();
  await sw.properties.add(SWITCH_SETTING, { SettingIntA: 0x0a0b0c0d }, { id: ID });
  t.equal(
    hex(lastEntry(sw, 'OID_SWITCH_PROPERTY_ADD').input),
    `8001380000000000${'01000000'}${guidHex('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbc')}00010100${guidHex(ID)}` +
      '1400000038000000' +
      '80011000000000000400000010000000' +
      '0d0c0b0a',
  );
  await sw.properties.delete(ID);
  t.equal(
    hex(lastEntry(sw, 'OID_SWITCH_PROPERTY_DELETE').input),
    `80012c0000000000${'01000000'}${guidHex('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbc')}${guidHex(ID)}`,
  );
  await port.properties.add(PORT_SETTING, {}, { id: ID });
  await port.properties.delete(ID);
  t.equal(
    hex(lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_DELETE').input),
    `8001300000000000${'01000000'}${'01000000'}${guidHex('eb29f0f2-f5dc-45c6-81bb-3cd9f219bbbb')}${guidHex(ID)}`,
  );
  await fabric.close();
});

t.test(
  'OP-6: nobody owns it: stored, not delivered; delivered once its extension runs',
  async (t) => {
    const { fabric, sw, port } = await openWorld();
    const added = await port.properties.add(PORT_SETTING, {});
    t.equal(added.delivered, false);
    await fabric.extensions.install(extensionWith(() => ({})));
    t.equal(port.properties.get(added.id).delivered, false, 'bound is not running');
    await sw.extensions.change('Fabrikam Filter', { enabled: true });
    t.equal(port.properties.get(added.id).delivered, true);
    await fabric.close();
  },
);

t.test('what is wrong is refused by name and changes nothing', async (t) => {
  const { fabric, sw, port } = await openWorld();
  await port.properties.add(PORT_SETTING, {}, { id: ID });
  const { seq } = lastEntry(sw, ADD);
  const before = [...port.properties.list()];
  const invalid = (member: string) => ({ code: 'SETTINGS_INVALID', place: { member } });
  const e54 = { code: 'INVALID_ARGUMENT', place: { rule: 'E54', member: 'feature' } };
  await t.rejects(port.properties.add(SWITCH_SETTING, {}), e54);
  await t.rejects(sw.properties.add(PORT_SETTING, {}), e54);
  await t.rejects(sw.properties.add(VLAN, {}), e54);
  await t.rejects(
    port.properties.add('Fabrikam_CustomPortData', {}),
    { code: 'NOT_FOUND' },
    'a status is no setting',
  );
  await t.rejects(port.properties.add('Nobody', {}), {
    code: 'NOT_FOUND',
    place: { member: 'feature' },
  });
  await t.rejects(port.properties.add(PORT_SETTING, { SettingIntA: -1 }), invalid('SettingIntA'));
  await t.rejects(
    port.properties.add(PORT_SETTING, { SettingIntB: 2n ** 64n }),
    invalid('SettingIntB'),
  );
  await t.rejects(port.properties.add(PORT_SETTING, { settingInt: 1 }), invalid('settingInt'));
  await t.rejects(port.properties.add(PORT_SETTING, {}, { id: 'x' }), {
    code: 'INVALID_ARGUMENT',
    place: { member: 'id' },
  });
  await t.rejects(port.properties.add(PORT_SETTING, {}, { id: ID }), {
    code: 'ALREADY_EXISTS',
    place: { rule: 'E57' },
  });
  await t.rejects(port.properties.update(ID, { SettingIntA: 2 ** 32 }), invalid('SettingIntA'));
  await t.rejects(port.properties.update(ID, {}, { ifRevision: 2 }), {
    code: 'STALE_REVISION',
    httpStatus: 412,
    place: { expected: '2', found: '1' },
  });
  await t.rejects(port.properties.delete(ID, { ifRevision: 0 }), { code: 'STALE_REVISION' });
  const nobody = '99999999-2222-4333-8444-555555555555';
  t.throws(() => port.properties.get(nobody), {
    code: 'NOT_FOUND',
    message: /^port P has no property 9999/,
  });
  t.throws(() => sw.properties.get(nobody), {
    code: 'NOT_FOUND',
    message: /^switch S has no property 9999/,
  });
  t.throws(() => port.properties.get('no guid'), { code: 'INVALID_ARGUMENT' });
  await t.rejects(port.properties.update(nobody, {}), { code: 'NOT_FOUND' });
  await t.rejects(port.properties.delete(nobody), { code: 'NOT_FOUND' });
  t.same([...port.properties.list()], before);
  t.equal(sw.trace.entries().at(-1)?.seq, seq, 'no OID was issued');
  t.ok(
    await sw.properties.add(SWITCH_SETTING, {}, { id: ID }),
    'E7: the same instance id on another owner',
  );
  await fabric.close();
});

t.test(
  'E8, E57: several instances of a custom class; of a built-in one only where the field allows it',
  async (t) => {
    const { fabric, port } = await openWorld();
    await port.properties.add(PORT_SETTING, {});
    await port.properties.add(PORT_SETTING, {});
    for (const feature of [
      VLAN,
      SECURITY,
      PROFILE,
      ISOLATION,
      'Msvm_EthernetSwitchPortOffloadSettingData',
      'Msvm_EthernetSwitchPortBandwidthSettingData',
    ]) {
      const { id } = await port.properties.add(feature, {});
      await t.rejects(
        port.properties.add(feature, {}),
        { code: 'SINGLE_INSTANCE', httpStatus: 409, place: { found: id } },
        feature,
      );
      await port.properties.delete(id);
      await port.properties.add(feature, {});
    }
    for (const feature of [
      ROUTING,
      'Msvm_EthernetSwitchPortAclSettingData',
      'Msvm_EthernetSwitchPortExtendedAclSettingData',
    ]) {
      await port.properties.add(feature, {});
      await port.properties.add(feature, {});
    }
    t.equal([...port.properties.list()].length, 14);
    await fabric.close();
  },
);

t.test('E3: built-in policies are stored and listed, and no OID carries them', async (t) => {
  const { fabric, sw, port } = await openWorld();
  const { seq } = lastEntry(sw, 'OID_SWITCH_PORT_CREATE');
  const acl = await port.properties.add('Msvm_EthernetSwitchPortAclSettingData', {
    Name: 'web',
    Action: 1,
  });
  t.match(acl, {
    delivered: true,
    revision: 1,
    settings: { Name: 'web', Action: 1, Direction: 0 },
  });
  t.match(await port.properties.update(acl.id, { Action: 2 }), {
    revision: 2,
    settings: { Name: '', Action: 2 },
  });
  await t.rejects(port.properties.update(acl.id, {}, { ifRevision: 1 }), {
    code: 'STALE_REVISION',
  });
  await port.properties.delete(acl.id);
  await sw.properties.add('Msvm_VirtualEthernetSwitchBandwidthSettingData', {
    DefaultFlowWeight: 5n,
  });
  t.equal(sw.trace.entries().at(-1)?.seq, seq);
  await fabric.close();
});

t.test(
  'E16, E17, OP-4: a veto of add, update or delete changes nothing and names who refused',
  async (t) => {
    const veto = () => NdisStatus.DATA_NOT_ACCEPTED;
    let refusing = false;
    const verdict = () => (refusing ? veto() : 'forward');
    const { fabric, sw, port } = await openWorld([
      extensionWith(() => ({
        addPortProperty: verdict,
        updatePortProperty: verdict,
        deletePortProperty: verdict,
        addSwitchProperty: verdict,
        updateSwitchProperty: verdict,
        deleteSwitchProperty: verdict,
      })),
    ]);
    for (const [owner, feature, prefix] of [
      [port.properties, PORT_SETTING, 'OID_SWITCH_PORT_PROPERTY_'],
      [sw.properties, SWITCH_SETTING, 'OID_SWITCH_PROPERTY_'],
    ] as const) {
      refusing = false;
      const { id } = await owner.add(feature, { SettingIntA: 3 });
      refusing = true;
      const vetoed = (verb: string) => ({
        code: 'VETOED',
        place: {
          ndisStatus: 'NDIS_STATUS_DATA_NOT_ACCEPTED',
          extensionId: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
          oid: `${prefix}${verb}`,
        },
      });
      await t.rejects(owner.add(feature, {}), vetoed('ADD'));
      await t.rejects(owner.update(id, { SettingIntA: 4 }), vetoed('UPDATE'));
      await t.rejects(owner.delete(id), vetoed('DELETE'));
      t.match([...owner.list()], [{ id, revision: 1, settings: { SettingIntA: 3 } }]);
    }
    t.equal(fabric.counters()['vetoes_total'], 6);
    await fabric.close();
  },
);

t.test('updates queued behind a pended one see the revision of their turn', async (t) => {
  const { held, extension } = holder('OID_SWITCH_PORT_PROPERTY_UPDATE');
  const { fabric, port } = await openWorld([extension]);
  const { id } = await port.properties.add(PORT_SETTING, { SettingIntA: 1 });
  const first = port.properties.update(id, { SettingIntA: 2 }, { ifRevision: 1 });
  const second = port.properties.update(id, { SettingIntA: 3 }, { ifRevision: 1 });
  const third = port.properties.update(id, { SettingIntA: 4 }, { ifRevision: 2 });
  const gone = port.properties.delete(id, { ifRevision: 3 });
  const late = port.properties.update(id, { SettingIntA: 5 });
  await turn();
  t.match(fabric.pending(), [{ request: 3, oid: 'OID_SWITCH_PORT_PROPERTY_UPDATE', queued: 4 }]);
  held.shift()?.forward();
  t.equal((await first).revision, 2);
  await t.rejects(second, { code: 'STALE_REVISION' });
  await turn();
  held.shift()?.forward();
  t.match(await third, { revision: 3, settings: { SettingIntA: 4 } });
  await gone;
  await t.rejects(late, { code: 'NOT_FOUND' });
  await fabric.close();
});

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

t.test(
  'isolation and routing domain, from NDIS 6.40; before, the switch keeps them to itself',
  async (t) => {
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
      t.equal((await standardBytes(feature, {}, 'ws2012')).route, 0, `${feature} on ws2012`);
    }
  },
);

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
