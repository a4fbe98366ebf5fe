import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
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
  t.throws(() => port.properties.get('no guid'), { code: 'NOT_FOUND' });
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
