import { deepEqual } from 'node:assert';
import { deepStrictEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { compileMof } from '../../src/mof/compiler.ts';
import type { FeatureClass, FeatureMember, MemberValue } from '../../src/mof/feature-class.ts';
import { classOfFeature } from '../../src/mof/feature-mof.ts';
import { printMof } from '../../src/mof/print.ts';
import type { VmHandle } from '../../src/policy/api.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { PortableDocument } from '../../src/policy/migration-api.ts';
import { canonicalJson, checksumOf, portableText } from '../../src/policy/portable-canonical.ts';
import { FABRIKAM } from '../support/fabrikam.ts';
import { randomSettings } from '../support/feature-classes.ts';
import { PORT_SETTING } from './open-world.ts';
import { keeper, picture, plain, refusal, withoutIds } from './portable-world.ts';
import { contents, first, KeptStore, openVmWorld } from './vm-world.ts';

t.test(
  'canonical JSON: sorted names, no space, bytes as base64, 64-bit integers as text',
  async (t) => {
    // RFC 8785, 3.2.3: its example of sorting by UTF-16 units.
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    t.equal(
      canonicalJson(Object.fromEntries(names.map((name) => [name, 0]))),
      '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\ud83d\ude00":0,"\ufb33":0}',
    );
    // RFC 4648, 10: the vectors of base64.
    t.equal(canonicalJson(Buffer.from('fooba')), '"Zm9vYmE="');
    t.equal(
      canonicalJson({
        b: [1e21, -0, 0.1, null],
        a: 2n ** 64n,
        u: undefined,
        t: true,
      }),
      '{"a":"18446744073709551616","b":[1e+21,0,0.1,null],"t":true}',
    );
    t.equal(
      // As sha256sum gives for {"a":1,"b":"x"}.
      checksumOf({ b: 'x', a: 1, checksum: 'left out' }),
      'sha256:ecf9e98ec0641e23113ff3ce8bdc78d0ddd249886517fd4a7f68cc83d4e65667',
    );
  },
);

t.test(
  'the MOF text of any class compiles to the same class, under any serialization',
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(richFeature(), (feature) => {
          const compiled = compileMof(printMof([classOfFeature(feature)]), { file: 'again' });
          deepStrictEqual(compiled.features.map(withoutSource), [withoutSource(feature)]);
        }),
        { numRuns: 150 },
      ),
    );
  },
);

function withoutSource({ source: _source, ...facts }: FeatureClass): object {
  return facts;
}

/** A class as the compiler gives them, with everything a member may carry. */
function richFeature(): fc.Arbitrary<FeatureClass> {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  return fc
    .tuple(legalSettings(), fc.integer({ min: 0x0100, max: 0xffff }), text, text, fc.boolean())
    .map(([[feature, settings], version, displayName, description, hasNames]) => ({
      ...feature,
      version,
      displayName,
      description,
      members: feature.members.map((m) => {
        const value = settings[m.name];
        const isInteger = typeof value === 'number' && !m.type.startsWith('real');
        return {
          ...m,
          version: 0x0100 + (version & 0xff),
          ...(isInteger && hasNames ? { minValue: value, maxValue: value } : {}),
          ...(value === undefined || isEmptyTime(m, value) ? {} : { default: value }),
          ...(hasNames
            ? { displayName, description, valueNames: { 0: 'none', 7: description } }
            : {}),
        };
      }),
    }));
}

/** An empty datetime is what NULL gives: no default at all. */
function isEmptyTime({ type }: FeatureMember, value: MemberValue): boolean {
  return type === 'datetime' && [value].flat().includes('');
}

/** MaxLen(0) is no MOF. */
function legalSettings(): ReturnType<typeof randomSettings> {
  return randomSettings().filter(([{ members }]) => members.every(({ maxLen }) => maxLen !== 0));
}

/** What is done to a VM before it is exported. */
interface Story {
  readonly adapters: readonly {
    readonly isConnected: boolean;
    readonly isStatic: boolean;
    readonly policies: readonly (readonly [number, bigint])[];
    readonly revisions: number;
    readonly mtu: number;
  }[];
  readonly end: 'off' | 'running' | 'paused' | 'saved' | 'restored';
}

const story: fc.Arbitrary<Story> = fc.record({
  adapters: fc.array(
    fc.record({
      isConnected: fc.boolean(),
      isStatic: fc.boolean(),
      policies: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: 0xffff_ffff }),
          fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        ),
        { maxLength: 4 },
      ),
      revisions: fc.nat(2),
      mtu: fc.integer({ min: 68, max: 65_535 }),
    }),
    { maxLength: 3 },
  ),
  end: fc.constantFrom('off', 'running', 'paused', 'saved', 'restored'),
});

async function play(fabric: Fabric, { adapters, end }: Story, name: string): Promise<VmHandle> {
  const vm = await fabric.vms.create({
    name,
    adapters: adapters.map(({ isConnected, isStatic, mtu }, i) => ({
      name: `eth${i}`,
      mtu,
      ...(isConnected ? { switch: i % 2 === 0 ? 'S' : 'T' } : {}),
      ...(isStatic ? { mac: `02-00-00-00-0${name.length}-0${i}` } : {}),
    })),
  });
  for (const [i, { policies, revisions }] of adapters.entries()) {
    const { properties } = vm.adapters[i] as VmHandle['adapters'][number];
    for (const [a, b] of policies) {
      const { id } = await properties.add(PORT_SETTING, { SettingIntA: a, SettingIntB: b });
      for (let n = 0; n < revisions; n += 1) {
        await properties.update(id, { SettingIntA: a, SettingIntB: b });
      }
    }
  }
  if (end === 'off') return vm;
  await vm.start();
  if (end === 'paused') await vm.pause();
  if (end === 'saved' || end === 'restored') await vm.save();
  if (end === 'restored') await vm.restore();
  return vm;
}

t.test(
  'a VM exported, imported and exported again is the same document, ids aside or with them',
  async (t) => {
    await t.resolves(
      fc.assert(
        fc.asyncProperty(story, fc.constantFrom('fresh', 'keep'), async (one, ids) => {
          const there = await openVmWorld([keeper()], { seed: 'there' }, ['S', 'T']);
          const here = await openVmWorld([keeper()], { seed: 'here' }, ['S', 'T']);
          try {
            const document = await (await play(there.fabric, one, 'V')).export();
            const { vms, notes } = await here.fabric.vms.import(plain(document), { ids });
            deepStrictEqual(notes, []);
            const state = one.end === 'saved' ? 'saved' : 'off';
            deepStrictEqual([vms[0]?.name, vms[0]?.state], ['V', state]);
            const again = await here.fabric.vms.get('V').export();
            // Ids of switches are the world's own.
            deepStrictEqual(withoutIds(again), withoutIds(document));
            if (ids === 'keep') deepStrictEqual(idsOf(again), idsOf(document));
            else for (const id of idsOf(document)) ok(!idsOf(again).includes(id));
            if (state === 'saved') await here.fabric.vms.get('V').restore();
            else await here.fabric.vms.get('V').start();
          } finally {
            await there.fabric.close();
            await here.fabric.close();
          }
        }),
        { numRuns: 25 },
      ),
    );
  },
);

function idsOf({ vms }: PortableDocument): string[] {
  return vms.flatMap(({ id, adapters }) => [
    id,
    ...adapters.flatMap((one) => [one.id, one.portName ?? '', ...one.properties.map((p) => p.id)]),
  ]);
}

t.test('settings of any class survive the journey through JSON text, -0 as 0', async (t) => {
  await t.resolves(
    fc.assert(
      fc.asyncProperty(legalSettings(), async ([feature, settings]) => {
        const there = await Fabric.open({ clock: 'manual', seed: 'a' });
        const here = await Fabric.open({ clock: 'manual', seed: 'b' });
        try {
          await there.features.register(printMof([classOfFeature(feature)]));
          const vm = await there.vms.create({ name: 'V', adapters: [{}] });
          await first(vm).properties.add(feature.name, settings);
          const text = portableText(await vm.export());
          const { notes } = await here.vms.import(JSON.parse(text));
          equal(notes[0], `class ${feature.name} 1.0 was registered`);
          const [before] = first(vm).properties.list();
          const [after] = first(here.vms.get('V')).properties.list();
          // loosely: JSON has one zero
          deepEqual({ ...after?.settings }, { ...before?.settings });
        } finally {
          await there.close();
          await here.close();
        }
      }),
      { numRuns: 40 },
    ),
  );
});

t.test(
  'a saved VM arrives with its records and gives them back to the extension (G11, G26)',
  async (t) => {
    const { fabric } = await openVmWorld([keeper()]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await vm.start();
    await vm.save();
    const document = await vm.export();
    t.match(document.vms[0]?.adapters[0]?.saved, [
      { extensionId: FABRIKAM, data: Uint8Array.of(9, 7) },
    ]);
    t.equal(
      (JSON.parse(portableText(document)) as PortableDocument).vms[0]?.adapters[0]?.saved[0]?.data,
      'CQc=',
      'base64 in JSON (RFC 4648)',
    );
    const store = new KeptStore();
    const here = await openVmWorld([keeper()], { seed: 'here', store });
    await here.fabric.vms.import(document);
    await here.fabric.close();
    const again = await Fabric.open({
      clock: 'manual',
      seed: 'here',
      store,
      extensions: [keeper()],
    });
    t.match(again.vms.get('V').info, { state: 'saved', savedRecords: 1 }, 'after a restart too');
    t.match(await again.vms.get('V').restore(), { restored: 1, unowned: [] });
  },
);

t.test(
  'a document of a running VM: off, nobody is asked, its policies are told again when it starts',
  async (t) => {
    const { fabric, oids } = await openVmWorld([keeper()]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 5 });
    await vm.start();
    oids();
    const document = await vm.export();
    t.same(oids(), [], 'an export sends nothing');
    t.match(document.vms, [{ state: 'running', adapters: [{ isKnown: true, saved: [] }] }]);
    await vm.stop();
    await vm.delete();
    oids();
    await fabric.vms.import(document, { ids: 'keep' });
    t.same(
      oids(),
      ['PORT_CREATE?', 'PORT_PROPERTY_ADD', 'PORT_TEARDOWN?', 'PORT_DELETE?'],
      'asked on a validation port as when a VM is created (B44-B47)',
    );
    t.match(fabric.vms.get('V').info, { id: document.vms[0]?.id, state: 'off' });
    await fabric.vms.get('V').start();
    t.same(oids(), ['PORT_CREATE', 'PORT_PROPERTY_ADD', 'NIC_CREATE', 'NIC_CONNECT']);
  },
);

t.test('a copy in the same world: another name, fresh ids, the next dynamic address', async (t) => {
  const { fabric } = await openVmWorld([keeper()]);
  const vm = await fabric.vms.create({
    name: 'V',
    adapters: [{ switch: 'S' }, { name: 'lan', mac: '02-00-00-00-00-01' }],
  });
  const before = await picture(fabric);
  const document = await vm.export();
  t.match(
    await refusal(() => fabric.vms.import(document)),
    /^ALREADY_EXISTS: a VM named "V" exists already/,
  );
  t.match(
    await refusal(() => fabric.vms.import(document, { name: 'W' })),
    /^ALREADY_EXISTS: vms\[0\]\.adapters\[1\]\.mac: mac 02-00-00-00-00-01 of network adapter "lan" of VM "W" belongs to network adapter "lan" of VM "V"/,
    'a static address is not given away',
  );
  t.match(
    await refusal(() => fabric.vms.import(document, { name: 'W', ids: 'keep' })),
    /^ALREADY_EXISTS: vms\[0\]\.id: id [-0-9a-f]{36} belongs to VM "V": import with fresh ids/,
  );
  t.equal(await picture(fabric), before, 'refusals leave nothing');
  await vm.removeAdapter('lan');
  const { vms, notes } = await fabric.vms.import(await vm.export(), { name: 'W' });
  t.match(notes, [/VM "W" has the dynamic address 00-15-5d-.* has 00-15-5d-/]);
  t.not(vms[0]?.adapters[0]?.mac, first(vm).info.mac);
  await vm.start();
  await fabric.vms.get('W').start();
});

t.test(
  'switches are found by name or by the mapping; what is not there refuses, naming it',
  async (t) => {
    const { fabric } = await openVmWorld([keeper()]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING);
    const document = await vm.export();
    const store = new KeptStore();
    const here = await openVmWorld([keeper()], { seed: 'here', store });
    await here.fabric.switches.get('S').delete();
    await here.fabric.switches.create({ name: 'Other', extensions: [FABRIKAM] });
    const before = contents(store);
    t.match(
      await refusal(() => here.fabric.vms.import(document)),
      /^NOT_FOUND: vms\[0\]\.adapters\[0\]\.switch: .* connects to switch "S", and there is no switch "S" here: map its name/,
    );
    t.match(
      await refusal(() => here.fabric.vms.import(document, { switches: { S: 'Gone' } })),
      /^NOT_FOUND: .* there is no switch "Gone" here, that it is mapped to/,
    );
    t.match(
      await refusal(() => here.fabric.vms.import(document, { switches: { Typo: 'Other' } })),
      /^INVALID_ARGUMENT: switches: expected names of switches of the document's adapters \("S"\), found "Typo"/,
    );
    t.same(contents(store), before, 'nothing was stored');
    await here.fabric.vms.import(document, { switches: { S: 'Other' } });
    t.match(here.fabric.vms.get('V').info.adapters, [{ switch: { name: 'Other' } }]);
  },
);

t.test('a veto on a validation port refuses the whole document (B47)', async (t) => {
  const { fabric } = await openVmWorld([keeper()]);
  const documents: PortableDocument[] = [];
  for (const [name, value] of [
    ['A', 1],
    ['B', 666],
  ] as const) {
    const vm = await fabric.vms.create({ name, adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: value });
    documents.push(await vm.export());
  }
  const [a, b] = documents as [PortableDocument, PortableDocument];
  const content = { ...a, vms: [...a.vms, ...b.vms] };
  const both = { ...content, checksum: checksumOf(content) };
  const store = new KeptStore();
  const strict = keeper((settings) => (settings as { SettingIntA: number }).SettingIntA === 666);
  const here = await openVmWorld([strict], { store, seed: 'here' });
  const before = [contents(store), await picture(here.fabric)];
  t.match(
    await refusal(() => here.fabric.vms.import(both)),
    /^VETOED: extension Fabrikam Filter refused property Fabrikam_PortCustomSettingData of network adapter "Network Adapter" of VM "B"/,
  );
  t.same([contents(store), await picture(here.fabric)], before, 'VM "A" is gone again too');
  t.same(here.fabric.switches.get('S').info.portCount, 0, 'and no validation port is left');
});

t.test('inside an atomic change a refused import leaves what came before it there', async (t) => {
  const { fabric } = await openVmWorld([keeper()]);
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  const document = await vm.export();
  await fabric.atomic(async (world) => {
    await world.vms.create({ name: 'First' });
    t.match(await refusal(() => world.vms.import(document)), /^ALREADY_EXISTS/);
    await world.vms.import(document, { name: 'Second' });
  });
  t.same(
    Array.from(fabric.vms.list(), ({ name }) => name),
    ['V', 'First', 'Second'],
  );
});

t.test(
  'policies of an extension that is not here are kept, delivered to nobody, and noted',
  async (t) => {
    const { fabric } = await openVmWorld([keeper()]);
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 7 });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 8 });
    const document = await vm.export();
    const here = await Fabric.open({ clock: 'manual' });
    await here.switches.create({ name: 'S' });
    const { notes } = await here.vms.import(document);
    t.same(notes, [
      `class ${PORT_SETTING} 1.0 was registered`,
      `policies ${PORT_SETTING} of network adapter "Network Adapter" of VM "V" are kept and delivered to nobody: extension ${FABRIKAM} is not installed`,
    ]);
    await here.vms.get('V').start();
    t.match(
      [...first(here.vms.get('V')).properties.list()],
      [
        { settings: { SettingIntA: 7 }, delivered: false },
        { settings: { SettingIntA: 8 }, delivered: false },
      ],
    );
    await here.extensions.install(keeper());
    const { notes: later } = await here.vms.import(document, { name: 'W' });
    t.match(
      later.filter((note) => note.startsWith('policies')),
      [/delivered to nobody: extension Fabrikam Filter is not enabled on switch "S"$/],
    );
  },
);

t.test(
  'features a connection requires travel, and are noted when the switch does not offer them',
  async (t) => {
    const { fabric } = await openVmWorld([keeper()]);
    const vm = await fabric.vms.create({
      name: 'V',
      adapters: [{ switch: 'S', requiredFeatures: [PORT_SETTING] }],
    });
    const document = await vm.export();
    t.match(document.vms[0]?.adapters[0]?.requiredFeatures, [{ name: PORT_SETTING }]);
    const here = await Fabric.open({ clock: 'manual' });
    await here.switches.create({ name: 'S' });
    const { vms, notes } = await here.vms.import(document);
    t.match(notes, [
      /requires feature Fabrikam_PortCustomSettingData .* switch "S" does not offer now/,
    ]);
    t.match(vms[0]?.adapters[0]?.requiredFeatures, [{ name: PORT_SETTING }]);
  },
);

t.test('options that fit no document are refused', async (t) => {
  const { fabric } = await openVmWorld([keeper()]);
  const vm = await fabric.vms.create({ name: 'V' });
  const document = await vm.export();
  const both = {
    ...document,
    vms: [...document.vms, { ...document.vms[0], id: FABRIKAM, name: 'W' }],
  };
  const two = { ...both, checksum: checksumOf(both) };
  for (const [given, options, message] of [
    [two, { name: 'X' }, /name: expected a document with one VM, found "2"/],
    [document, { name: '' }, /name: expected 1 to 256 characters, found "0 characters"/],
    [document, { ids: 'old' as 'keep' }, /ids: expected fresh, keep, found "old"/],
    [document, { switches: { S: 'T' } }, /\(nothing: no adapter has a switch\), found "S"/],
  ] as const) {
    t.match(await refusal(() => fabric.vms.import(given, options)), message);
  }
  t.match(
    await refusal(() => fabric.switches.import(document)),
    /^INVALID_ARGUMENT: switches: expected at least one switch, found an array of 0/,
  );
  const sw = await fabric.switches.get('S').export();
  t.match(
    await refusal(() => fabric.vms.import(sw)),
    /^INVALID_ARGUMENT: vms: expected at least one VM/,
  );
  await vm.delete();
  t.match(await refusal(() => vm.export()), /^NOT_FOUND: VM V no longer exists/);
  t.same([...fabric.vms.list()], []);
});
