import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import {
  guidHex,
  hex,
  lastEntry,
  mofClass,
  openWorld,
  PORT_SETTING,
  SWITCH_SETTING,
} from './open-world.ts';

/** Rules of chapters A, E and F that bind management: classes, templates, instances. */

const TEST_ID = '0a0a0a0a-0000-4000-8000-000000000001';
const open = (): Promise<Fabric> => Fabric.open({ clock: 'manual', seed: 'rules' });

/** What `run` throws. */
async function thrown(
  run: () => Promise<unknown>,
): Promise<Error & { code?: string; problems?: readonly { code: string }[] }> {
  try {
    await run();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

t.test(
  'the superclass decides where a property class belongs: port, switch, or refused when it is neither (E54)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    const register = async (name: string, uuid: string, base: string) =>
      (await fabric.features.register(mofClass({ name, uuid, base }))).features[0];
    const ofPort = await register(
      'Test_Port',
      TEST_ID,
      'Msvm_EthernetSwitchPortFeatureSettingData',
    );
    const ofSwitch = await register(
      'Test_Switch',
      '0a0a0a0a-0000-4000-8000-000000000002',
      'Msvm_EthernetSwitchFeatureSettingData',
    );
    t.match(ofPort, { scope: 'port', kind: 'setting' });
    t.match(ofSwitch, { scope: 'switch', kind: 'setting' });
    await port.properties.add('Test_Port');
    t.equal(lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD').status, 'NDIS_STATUS_SUCCESS');
    await sw.properties.add('Test_Switch');
    t.equal(lastEntry(sw, 'OID_SWITCH_PROPERTY_ADD').status, 'NDIS_STATUS_SUCCESS');
    const count = sw.trace.entries().length;
    await t.rejects(sw.properties.add('Test_Port'), { code: /INVALID_ARGUMENT|NOT_FOUND/ });
    await t.rejects(port.properties.add('Test_Switch'), { code: /INVALID_ARGUMENT|NOT_FOUND/ });
    t.equal(sw.trace.entries().length, count, 'no OID on the wrong scope');
    const neither = await thrown(() =>
      fabric.features.register(
        mofClass({
          name: 'Test_Neither',
          uuid: '0a0a0a0a-0000-4000-8000-000000000003',
          base: 'Msvm_FeatureSettingData',
        }),
      ),
    );
    t.equal(neither.code, 'MOF_INVALID');
    t.match(neither.message, /neither a port feature nor a switch feature/);
    await fabric.close();
  },
);

t.test(
  'a class without UUID or ExtensionId, or with two members of one WmiDataId, is refused; a good one keeps all four (E53)',
  async (t) => {
    const fabric = await open();
    const good = mofClass({ version: '1' }, '[WmiDataId(1)] uint32 A; [WmiDataId(2)] uint64 B;');
    const wrong = [
      good.replace(/UUID\("[^"]*"\),/, ''),
      good.replace(/ExtensionId\("[^"]*"\),/, ''),
      good.replace('WmiDataId(2)', 'WmiDataId(1)'),
    ];
    for (const mof of wrong) {
      t.not(mof, good);
      t.equal((await thrown(() => fabric.features.register(mof))).code, 'MOF_INVALID');
    }
    await fabric.features.register(good);
    t.match(fabric.features.get(TEST_ID), {
      id: TEST_ID,
      name: 'Fabrikam_Test',
      extensionId: FABRIKAM,
      version: 0x0100,
      members: [
        { name: 'A', wmiDataId: 1 },
        { name: 'B', wmiDataId: 2 },
      ],
    });
    await fabric.close();
  },
);

t.test(
  'every registered property id has a template: its defaults, edited and added; the template stays as it is (E56, E57)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    const settings = fabric.features.list().filter(({ kind }) => kind === 'setting');
    t.ok(settings.length > 10, 'the built-in classes and two of Fabrikam');
    for (const { name, scope, defaults } of settings) {
      const owner = scope === 'port' ? port : sw;
      const { id, settings: taken } = await owner.properties.add(name, defaults);
      t.same(taken, defaults, name);
      await owner.properties.delete(id);
    }
    const count = sw.trace.entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ADD' }).length;
    const template = fabric.features.get(PORT_SETTING).defaults;
    t.same(template, { SettingIntA: 1, SettingIntB: 2n });
    const first = await port.properties.add(PORT_SETTING, { ...template, SettingIntA: 7 });
    const second = await port.properties.add(PORT_SETTING, template);
    t.same(first.settings, { SettingIntA: 7, SettingIntB: 2n });
    t.same(second.settings, template);
    t.same(fabric.features.get(PORT_SETTING).defaults, { SettingIntA: 1, SettingIntB: 2n });
    t.equal(new Set([first.id, second.id, first.featureId, FABRIKAM]).size, 4, 'own instance ids');
    const told = sw.trace
      .entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ADD' })
      .slice(count)
      .map(({ input }) => hex(input.subarray(36, 52)));
    t.same(told, [guidHex(first.id), guidHex(second.id)], 'PropertyInstanceId at 36');
    await fabric.close();
  },
);

t.test(
  'properties of a port and of a switch: listed, added, changed and removed, each apart from the other (E62)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    for (const [owner, feature, add, update, remove] of [
      [port, PORT_SETTING, 'PORT_PROPERTY_ADD', 'PORT_PROPERTY_UPDATE', 'PORT_PROPERTY_DELETE'],
      [sw, SWITCH_SETTING, 'PROPERTY_ADD', 'PROPERTY_UPDATE', 'PROPERTY_DELETE'],
    ] as const) {
      const other = owner === sw ? port : sw;
      t.same([...owner.properties.list()], []);
      const added = await owner.properties.add(feature, { SettingIntA: 3 });
      t.same([...owner.properties.list()], [added]);
      t.same([...other.properties.list()], []);
      const changed = await owner.properties.update(added.id, { SettingIntA: 4 });
      t.match(changed, { id: added.id, revision: 2, settings: { SettingIntA: 4 } });
      t.same(owner.properties.get(added.id), changed);
      await owner.properties.delete(added.id);
      t.same([...owner.properties.list()], []);
      for (const oid of [add, update, remove]) {
        t.equal(sw.trace.entries({ oid: `OID_SWITCH_${oid}` }).length, 1, oid);
      }
    }
    await fabric.close();
  },
);

t.test(
  'a status has a class of its own: without its ExtensionId it is refused, and with the UUID of a property it is warned of (F6)',
  async (t) => {
    const fabric = await open();
    const base = 'Msvm_EthernetPortData';
    const status = mofClass({ name: 'Test_Status', base });
    t.equal(
      (await thrown(() => fabric.features.register(status.replace(/ExtensionId\("[^"]*"\),/, ''))))
        .code,
      'MOF_INVALID',
    );
    const own = await fabric.features.register(status);
    t.match(own.features[0], { kind: 'status', scope: 'port', extensionId: FABRIKAM });
    t.notOk(own.warnings.some(({ code }) => code === 'W-UUID-SHARED'));
    await fabric.features.delete(TEST_ID);
    const shared = await fabric.features.register(mofClass({ name: 'Test_Setting' }) + status);
    const warning = shared.warnings.find(({ code }) => code === 'W-UUID-SHARED');
    t.match(warning?.message, /Test_Status \(status\) has the UUID of Test_Setting \(setting\)/);
    t.not(
      fabric.features.get(TEST_ID, 'setting').name,
      fabric.features.get(TEST_ID, 'status').name,
    );
    await fabric.close();
  },
);

t.test(
  'the id of an extension is a GUID, and the ExtensionId of every class that comes with it (A32)',
  async (t) => {
    t.throws(() => extensionWith(() => ({}), { id: 'fabrikam' }), { code: 'EXTENSION_INVALID' });
    const { fabric, sw } = await openWorld([extensionWith(() => ({}))]);
    t.equal(fabric.extensions.get('Fabrikam Filter').id, FABRIKAM);
    t.equal(sw.extensions.get(FABRIKAM).id, FABRIKAM);
    const own = fabric.features.list().filter(({ builtIn }) => !builtIn);
    t.equal(own.length, 4);
    for (const feature of own) t.equal(feature.extensionId, FABRIKAM, feature.name);
    await fabric.close();
  },
);

t.test(
  'a class with each kind of string and array becomes these bytes: in place with counts, by offset behind (E58-E60)',
  async (t) => {
    const { fabric, sw, port } = await openWorld([extensionWith(() => ({}))]);
    await fabric.features.register(
      mofClass(
        {},
        `[WmiDataId(1)] uint8 A; [WmiDataId(2), MaxLen(3)] string S; [WmiDataId(3), Max(2)] uint16 F[];
         [WmiDataId(4)] string T; [WmiDataId(5)] uint32 V[];`,
      ),
    );
    await port.properties.add(TEST_ID, { A: 0x11, S: 'ab', F: [0x0102], T: 'xyz', V: [7, 8] });
    const { input } = lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD');
    // Parameters 64 bytes, custom structure 16, then the class.
    t.equal(
      hex(input.subarray(80)),
      [
        '11 00', // A, pad
        '0400 6100 6200 0000 0000', // S: 4 bytes counted, room for 3 characters and a terminator
        '01000000 0201 0000', // F: 1 element in place, the unused one zero
        '20000000', // T: offset 32
        '02000000 2c000000', // V: 2 elements, offset 44
        '0600 7800 7900 7a00 0000', // at 32: length in bytes, text, terminator
        '0000', // pad to the alignment of V
        '07000000 08000000', // at 44
      ]
        .join('')
        .replaceAll(' ', ''),
    );
    t.match(fabric.trace.decode(lastEntry(sw, 'OID_SWITCH_PORT_PROPERTY_ADD')), { PortId: 1 });
    await fabric.close();
  },
);
