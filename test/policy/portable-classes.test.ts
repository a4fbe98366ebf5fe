import t from 'tap';
import type { FabricOptions } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { PortableDocument } from '../../src/policy/migration-api.ts';
import { mofClass } from './open-world.ts';
import { changed, picture, refusal } from './portable-world.ts';
import { contents, first, KeptStore } from './vm-world.ts';

const UUID = '00000000-0000-0000-0000-00000000a001';

/** Class Fabrikam_Policy of one version with these members. */
function policy(
  version: string,
  members: string,
  more: Parameters<typeof mofClass>[0] = {},
): string {
  return mofClass({ name: 'Fabrikam_Policy', uuid: UUID, version, ...more }, members);
}

const OLD =
  '[WmiDataId(1)] uint32 Rate = 1; [WmiDataId(2)] string Label; [WmiDataId(3)] uint16 Kind = 3;';

/** A VM with one policy of the class this MOF text has. */
async function documentOf(
  mof: string,
  settings: Readonly<Record<string, unknown>>,
  uint16: 'native' | 'doc32' = 'native',
): Promise<PortableDocument> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'there' });
  await fabric.features.register(mof, { uint16 });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{}] });
  await first(vm).properties.add('Fabrikam_Policy', settings);
  const document = await vm.export();
  await fabric.close();
  return document;
}

async function worldWith(mof: string | undefined, options: FabricOptions = {}): Promise<Fabric> {
  const fabric = await Fabric.open({ clock: 'manual', seed: 'here', ...options });
  if (mof !== undefined) await fabric.features.register(mof);
  return fabric;
}

t.test(
  'a class that is missing is registered from the document, in its uint16 form, durably',
  async (t) => {
    const document = await documentOf(
      policy('1.2', OLD),
      { Rate: 8, Kind: 4, Label: 'x' },
      'doc32',
    );
    t.match(document.features, [
      { id: UUID, name: 'Fabrikam_Policy', version: 0x0102, uint16: 'doc32' },
    ]);
    const store = new KeptStore();
    const here = await worldWith(undefined, { store });
    const { notes } = await here.vms.import(document);
    t.same(notes[0], 'class Fabrikam_Policy 1.2 was registered');
    await here.close();
    const again = await worldWith(undefined, { store });
    t.match(
      [...first(again.vms.get('V')).properties.list()],
      [{ settings: { Rate: 8, Kind: 4, Label: 'x' }, version: 0x0102 }],
    );
    t.match(
      (await again.vms.get('V').export()).features,
      [{ uint16: 'doc32' }],
      'as it was registered there',
    );
    const { notes: second } = await again.vms.import(document, { name: 'W' });
    t.notMatch(second.join(), /registered/, 'once');
  },
);

t.test(
  'a newer class here takes the values: by name, by WmiDataId when renamed, defaults for new members',
  async (t) => {
    const document = await documentOf(policy('1', OLD), { Rate: 8, Kind: 3, Label: 'x' });
    const newer = policy(
      '2',
      '[WmiDataId(1)] uint64 Rate = 1; [WmiDataId(2)] string Title; [WmiDataId(3)] boolean Strict = TRUE;',
    );
    const here = await worldWith(newer);
    const { notes } = await here.vms.import(document);
    t.equal(notes[0], 'values of class Fabrikam_Policy were upgraded from version 1.0 to 2.0');
    t.match(
      [...first(here.vms.get('V')).properties.list()],
      [{ version: 0x0200, settings: { Rate: 8n, Title: 'x', Strict: true } }],
    );
    const lost = await documentOf(policy('1', OLD), { Kind: 4 });
    t.match(
      await refusal(() => here.vms.import(lost, { name: 'W' })),
      /^CLASS_MISMATCH: vms\[0\]\.adapters\[0\]\.properties\[0\]: class Fabrikam_Policy 2\.0 has no member Kind any more, and its value 4 is not the default of version 1\.0/,
      'a value is never dropped silently',
    );
    const narrow = await worldWith(
      policy(
        '3',
        '[WmiDataId(1)] uint8 Rate; [WmiDataId(2)] string Label; [WmiDataId(3)] uint16 Kind;',
      ),
    );
    const wide = await documentOf(policy('1', OLD), { Rate: 256 });
    t.match(
      await refusal(() => narrow.vms.import(wide)),
      /^SETTINGS_INVALID: vms\[0\]\.adapters\[0\]\.properties\[0\]: Fabrikam_Policy\.Rate: expected .*255, found 256/,
    );
  },
);

t.test(
  'a class that does not fit refuses by name with both versions, and nothing is changed',
  async (t) => {
    const document = await documentOf(policy('2', OLD), { Rate: 8 });
    const wrongs: readonly (readonly [mof: string, doc32: boolean, message: RegExp])[] = [
      [
        policy('1.9', OLD),
        false,
        /^CLASS_MISMATCH: class Fabrikam_Policy \([-0-9a]+\): the document has version 2\.0, here is version 1\.9/,
      ],
      [
        policy('2', OLD),
        true,
        /^CLASS_MISMATCH: .* the document has uint16 native, here is uint16 doc32/,
      ],
      [
        policy('2', '[WmiDataId(1)] uint32 Rate;'),
        false,
        /^CLASS_MISMATCH: .* the document has version 2\.0, here is version 2\.0 with other members/,
      ],
      [
        policy('2', OLD, { name: 'Fabrikam_Other' }),
        false,
        /^CLASS_MISMATCH: .* has port class Fabrikam_Policy, here is port class Fabrikam_Other/,
      ],
      [
        policy('2', OLD, { uuid: '00000000-0000-0000-0000-00000000a002' }),
        false,
        /^ALREADY_EXISTS: .* class Fabrikam_Policy .* has the name of Fabrikam_Policy/,
      ],
    ];
    for (const [mof, doc32, message] of wrongs) {
      const store = new KeptStore();
      const here = await Fabric.open({ clock: 'manual', seed: 'here', store });
      await here.features.register(mof, { uint16: doc32 ? 'doc32' : 'native' });
      const before = [contents(store), await picture(here)];
      t.match(await refusal(() => here.vms.import(document)), message);
      t.same([contents(store), await picture(here)], before);
    }
    // Descriptions and names of values are for people.
    const described = policy('2', OLD.replace('(3)]', '(3), Description("said")]'));
    const here = await worldWith(described);
    t.match(await here.vms.import(document), { vms: [{ name: 'V' }] });
  },
);

t.test('a document whose parts do not fit each other is refused, naming the part', async (t) => {
  const document = await documentOf(policy('2', OLD), { Rate: 8 });
  const other = (await documentOf(policy('3', OLD), {})).features[0];
  const p = ['vms', 0, 'adapters', 0, 'properties', 0] as const;
  const here = await worldWith(undefined);
  const cases: readonly (readonly [(string | number)[], unknown, RegExp])[] = [
    [
      ['features'],
      [],
      /^NOT_FOUND: .*: class Fabrikam_Policy \(.*\) is neither in the document nor registered/,
    ],
    [['features', 0, 'mof'], 'class {', /^MOF_INVALID: features\[0\]\.mof:1/],
    [
      ['features', 0, 'mof'],
      other?.mof,
      /^INVALID_ARGUMENT: features\[0\]\.version: expected 768, as its MOF says, found 512/,
    ],
    [
      ['features', 0, 'mof'],
      policy('2', OLD) +
        policy('2', OLD, { name: 'Fabrikam_B', uuid: '00000000-0000-0000-0000-00000000a00b' }),
      /^INVALID_ARGUMENT: features\[0\]\.mof: expected one feature class, found "2 classes"/,
    ],
    [
      [...p, 'version'],
      1,
      /^INVALID_ARGUMENT: .*properties\[0\]\.version: expected 512, the version of Fabrikam_Policy in the document, found 1/,
    ],
    [
      [...p, 'feature'],
      'Fabrikam_X',
      /^INVALID_ARGUMENT: .*properties\[0\]\.feature: expected Fabrikam_Policy, found "Fabrikam_X"/,
    ],
    [
      [...p, 'settings'],
      { Speed: 1 },
      /^SETTINGS_INVALID: .*properties\[0\]: Fabrikam_Policy\.Speed: expected a member/,
    ],
  ];
  const before = await picture(here);
  for (const [path, value, message] of cases) {
    t.match(await refusal(() => here.vms.import(changed(document, path, value))), message);
  }
  t.equal(await picture(here), before);
});

t.test(
  'built-in policies need no class in the document, and only a profile that has them (E1)',
  async (t) => {
    const there = await Fabric.open({ clock: 'manual', seed: 'there' });
    const vm = await there.vms.create({ name: 'V', adapters: [{}] });
    await first(vm).properties.add('Msvm_EthernetSwitchPortVlanSettingData', {
      OperationMode: 1,
      AccessVlanId: 7,
    });
    const vlan = await vm.export();
    t.same(vlan.features, []);
    const old = await Fabric.open({ clock: 'manual', seed: 'here', profile: 'ws2012' });
    await old.vms.import(vlan);
    t.match([...first(old.vms.get('V')).properties.list()], [{ settings: { AccessVlanId: 7 } }]);
    await first(vm).properties.add('Msvm_EthernetSwitchPortIsolationSettingData', {});
    t.match(
      await refusal(async () => old.vms.import(await vm.export(), { name: 'W' })),
      /^INVALID_ARGUMENT: .*properties\[1\]: Msvm_EthernetSwitchPortIsolationSettingData needs NDIS 6\.40/,
    );
    const twice = changed(
      vlan,
      ['vms', 0, 'adapters', 0, 'properties'],
      [
        vlan.vms[0]?.adapters[0]?.properties[0],
        { ...vlan.vms[0]?.adapters[0]?.properties[0], id: UUID },
      ],
    );
    t.match(
      await refusal(() => old.vms.import(twice, { name: 'W' })),
      /^SINGLE_INSTANCE: .*properties\[1\]/,
    );
  },
);
