import { readFile } from 'node:fs/promises';
import t from 'tap';
import { Fabric } from '../../src/policy/fabric.ts';
import { extensionWith, FABRIKAM } from '../support/fabrikam.ts';
import { at, picture, refusal } from './portable-world.ts';

/*
 * The fixture is made by hand, as the script writes what the cmdlets give: InstanceIDs as management.md 3.8 (WDD, real dumps),
 * feature names as the examples of Get-VMSwitchExtensionPortFeature and …SwitchFeature (Microsoft Learn, module Hyper-V),
 * ids of Microsoft's own extensions as Get-VMSwitchExtension shows them.
 */
const FIXTURE = JSON.parse(await readFile('test/fixtures/hyperv-dump.json', 'utf8'));
const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData';

const fabrikam = extensionWith(() => ({}));

/** A copy of the fixture with another value at `path`. */
function other(path: readonly (string | number)[], value: unknown): object {
  const copy = structuredClone(FIXTURE);
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  parent[path.at(-1) ?? ''] = value;
  return copy;
}

t.test(
  'a dump of a Hyper-V host becomes switch, uplink, policies and VMs with the ids they have there',
  async (t) => {
    const fabric = await Fabric.open({ clock: 'manual', seed: 'here', extensions: [fabrikam] });
    const { notes } = await fabric.switches.import(FIXTURE, { ids: 'keep' });
    t.match(notes, [
      'member AddedByALaterWindows of Msvm_EthernetSwitchPortSecuritySettingData is not known here and was left out',
      'network adapter "Legacy Network Adapter" of VM "web1" has no address yet: it was given one',
      'VM "db1" is saved there; its run-time data stays on the host',
      'class Fabrikam_PortCustomSettingData 1.0 was registered',
      /^extension Microsoft Windows Filtering Platform \(e7c3b2f0-f3c5-48df-af2b-10fed6d72e7a\) of switch "Outside" is not installed here/,
    ]);
    t.equal(notes.length, 5);
    const sw = fabric.switches.get('b1a1c8f2-6c3e-4b8b-9b1e-0f4c5d1e2a3b');
    t.match(sw.info, { name: 'Outside', type: 'external', isActive: true });
    t.match(sw.host.uplink, {
      team: 'switch',
      operational: true,
      adapters: [
        { index: 1, name: 'SLOT 2 Port 1', mac: '3c-fd-fe-00-00-01' },
        { index: 2, name: 'SLOT 2 Port 2', mac: '3c-fd-fe-00-00-02' },
      ],
    });
    t.match(
      [...sw.properties.list()],
      [
        {
          id: '0c0ffee0-0000-4000-8000-000000000004',
          settings: { DefaultFlowReservation: 100_000_000n },
        },
      ],
    );
    const inside = sw.ports.get('0ddb0a11-2222-4333-8444-555555555555');
    t.match(inside.info, {
      name: 'Outside',
      type: 'internal',
      nics: [{ mac: '3c-fd-fe-00-00-03' }],
    });
    t.match(
      [...inside.properties.list()],
      [{ feature: VLAN, settings: { AccessVlanId: 12, TrunkVlanIdArray: [] } }],
    );
    const vm = fabric.vms.get('f28e3c2a-1f5b-4c7e-9d55-6a1b2c3d4e5f');
    t.match(vm.info, {
      name: 'web1',
      state: 'off',
      adapters: [
        {
          id: 'a5d1e6b4-0c1f-4b6e-8a5e-111111111111',
          mac: '00-15-5d-01-2a-00',
          macType: 'dynamic',
          type: 'synthetic',
          switch: { name: 'Outside' },
        },
        { type: 'emulated', macType: 'dynamic', mac: /^00-15-5d-/ },
      ],
    });
    t.match(vm.info.adapters[0]?.requiredFeatures, [{ name: 'Fabrikam_PortCustomSettingData' }]);
    await vm.start();
    t.match(
      [...(vm.adapters[0]?.properties.list() ?? [])],
      [
        {
          id: '0c0ffee0-0000-4000-8000-000000000001',
          settings: { OperationMode: 1, AccessVlanId: 7 },
        },
        { settings: { AllowMacSpoofing: true, EnableDhcpGuard: true } },
        { settings: { SettingIntA: 100, SettingIntB: 2n ** 64n - 1n }, delivered: true },
      ],
    );
    t.same(fabric.vms.get('db1').info.adapters, []);
  },
);

t.test('the same dump gives the same ids; its VMs alone go to a switch by its name', async (t) => {
  const worlds = [];
  for (const seed of ['a', 'b']) {
    const fabric = await Fabric.open({ clock: 'manual', seed, extensions: [fabrikam] });
    await fabric.switches.import(FIXTURE, { ids: 'keep' });
    worlds.push(await fabric.switches.get('Outside').export());
  }
  t.equal(worlds[0]?.checksum, worlds[1]?.checksum);
  const fabric = await Fabric.open({ clock: 'manual', extensions: [fabrikam] });
  await fabric.switches.create({ name: 'Lab', extensions: [FABRIKAM] });
  const { vms } = await fabric.vms.import(FIXTURE, { switches: { Outside: 'Lab' } });
  t.match(vms, [{ name: 'web1', adapters: [{ switch: { name: 'Lab' } }, {}] }, { name: 'db1' }]);
});

t.test('kinds of uplinks: one adapter, an LBFO team, none', async (t) => {
  const s = ['switches', 0] as const;
  const [one] = FIXTURE.switches[0].adapters;
  const cases: readonly (readonly [string | number, unknown, object | undefined])[] = [
    ['adapters', [one], { team: 'none', adapters: [{ index: 1 }] }],
    [
      'adapters',
      [{ ...one, description: 'Microsoft Network Adapter Multiplexor Driver #2' }],
      { team: 'lbfo' },
    ],
    ['adapters', [], undefined],
  ];
  for (const [member, value, uplink] of cases) {
    const fabric = await Fabric.open({ clock: 'manual', seed: 'x', extensions: [fabrikam] });
    await fabric.switches.import(other([...s, member], value));
    const { host } = fabric.switches.get('Outside');
    if (uplink === undefined) t.equal(host.uplink, undefined);
    else t.match(host.uplink, uplink);
  }
  const fabric = await Fabric.open({ clock: 'manual', extensions: [fabrikam] });
  const two = FIXTURE.switches[0].internal[0];
  const many = other(
    [...s, 'internal'],
    [two, { name: 'Second', mac: '3CFDFE000004', features: [] }],
  );
  t.match(await refusal(() => fabric.switches.import(many)), /^ILLEGAL_TRANSITION: .* \(OP-36\)/);
  const more = await Fabric.open({
    clock: 'manual',
    extensions: [fabrikam],
    behaviour: { internalNics: 2 },
  });
  t.match(await more.switches.import(many), { switches: [{ portCount: 3 }] });
});

t.test('builds of Windows and their profiles', async (t) => {
  for (const [build, profile] of [
    [9200, 'ws2012'],
    [9600, 'ws2012r2'],
    [14393, 'ws2016'],
    [17763, 'ws2019'],
    [20348, 'ws2022'],
    [26100, 'ws2025'],
  ] as const) {
    const { contentOfHyperVDump } = await import('../../src/policy/hyperv-import.ts');
    t.equal(contentOfHyperVDump(other(['build'], build)).content.profile, profile);
  }
});

t.test('what is wrong in a dump is named by its place, and nothing is imported', async (t) => {
  const fabric = await Fabric.open({ clock: 'manual', extensions: [fabrikam] });
  const before = await picture(fabric);
  const p = ['vms', 0, 'adapters', 0] as const;
  const cases: readonly (readonly [readonly (string | number)[], unknown, RegExp])[] = [
    [['version'], 2, /^INVALID_ARGUMENT: version: expected 1, found 2/],
    [
      ['classes'],
      [],
      /^NOT_FOUND: vms\[0\]\.adapters\[0\]\.features\[2\]: the dump has no class Fabrikam_PortCustomSettingData \(eb29.*: run the script as an administrator/,
    ],
    [['classes', 0, 'mof'], 'class', /^MOF_INVALID: classes\[0\]\.mof:1/],
    [
      ['classes', 0, 'mof'],
      FIXTURE.classes[0].mof.replace('bbbb"', 'cccc"'),
      /^INVALID_ARGUMENT: classes\[0\]\.mof: expected class Fabrikam_PortCustomSettingData/,
    ],
    [
      [...p, 'mac'],
      '00155D',
      /^INVALID_ARGUMENT: vms\[0\]\.adapters\[0\]\.mac: expected a MAC address of 12 hexadecimal digits/,
    ],
    [[...p, 'id'], 'NIC', /adapters\[0\]\.id: expected a GUID, found "NIC"/],
    [
      [...p, 'features', 0, 'instanceId'],
      'Microsoft:Definition\\X\\Default',
      /features\[0\]\.instanceId: expected an InstanceID that ends with a GUID/,
    ],
    [
      [...p, 'features', 0, 'settings', 'AccessVlanId'],
      70_000,
      /^SETTINGS_INVALID: vms\[0\]\.adapters\[0\]\.features\[0\]: Msvm_EthernetSwitchPortVlanSettingData\.AccessVlanId/,
    ],
    [
      [...p, 'features', 0, 'settings', 'AccessVlanId'],
      {},
      /settings\.AccessVlanId: expected a value of a WMI property, found an object/,
    ],
  ];
  for (const [path, value, message] of cases) {
    t.match(await refusal(() => fabric.switches.import(other(path, value))), message);
  }
  t.equal(await picture(fabric), before);
});

t.test(
  'the script writes what the importer reads: every member of the dump, by name',
  async (t) => {
    const script = await readFile('policies/hyperv/Export-ExtSwitchDocument.ps1', 'utf8');
    const names = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [name, inner] of Object.entries(value)) {
        if (Array.isArray(value)) collect(inner);
        else {
          names.add(name);
          if (name !== 'settings') collect(inner);
        }
      }
    };
    collect(FIXTURE);
    for (const name of names) {
      t.match(script, new RegExp(`(^|[\\s;{])${name}\\s+= |\\['${name}'\\] = `, 'm'), name);
    }
    t.match(script, /format\s+= 'extswitch-hyperv-dump'\s+version\s+= 1\s/);
    // ConvertTo-Json of 5.1 writes an array that came through the pipeline as a whole as { value, Count }.
    t.notMatch(script, /return\s*,/);
  },
);
