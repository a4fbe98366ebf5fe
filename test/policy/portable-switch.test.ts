import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import { Fabric } from '../../src/policy/fabric.ts';
import type { ExtensionDefinition } from '../../src/sdk/extension.ts';
import { extensionWith, FABRIKAM, FABRIKAM_MOF } from '../support/fabrikam.ts';
import { PORT_SETTING, SWITCH_SETTING } from './open-world.ts';
import { changed, keeper, picture, plain, refusal, withoutIds } from './portable-world.ts';
import { contents, first, KeptStore } from './vm-world.ts';

const WATCHER = '5cbf81be-5055-47cd-9055-a76b2b4e36aa';

const watcher = (): ExtensionDefinition =>
  extensionWith(() => ({}), { id: WATCHER, name: 'Watcher', type: 'capture' });

/** A world with both extensions and Fabrikam's classes. */
async function world(seed: string, more: Parameters<typeof Fabric.open>[0] = {}): Promise<Fabric> {
  const extensions = [keeper(), watcher()];
  const fabric = await Fabric.open({ clock: 'manual', seed, extensions, ...more });
  await fabric.features.register(FABRIKAM_MOF);
  return fabric;
}

/** Switch `S` with everything a switch can have, and a VM on it. */
async function full(fabric: Fabric): Promise<void> {
  const sw = await fabric.switches.create({
    name: 'S',
    extensions: [FABRIKAM],
    uplink: {
      team: 'switch',
      adapters: [
        { name: 'a', queues: 4 },
        { name: 'b', virtualFunctions: 8 },
      ],
    },
    managementOs: true,
  });
  await sw.extensions.change(FABRIKAM, { required: true });
  const { id } = await sw.properties.add(SWITCH_SETTING, { SettingIntA: 3 });
  await sw.properties.update(id, { SettingIntA: 4 });
  const hand = await sw.ports.create({ name: 'hand' });
  await hand.properties.add(PORT_SETTING, { SettingIntB: 9n });
  await hand.nics.connect({ name: 'guest', mtu: 9000 });
  const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
  await first(vm).properties.add(PORT_SETTING);
}

t.test(
  'a switch with uplink, internal NIC, ports, policies, stack and VMs comes back whole, with its ids or fresh ones',
  async (t) => {
    const there = await world('there');
    await full(there);
    const document = await there.switches.get('S').export({ vms: true });
    t.match(document.switches, [
      {
        type: 'external',
        extensions: [
          { id: FABRIKAM, name: 'Fabrikam Filter', version: '1.0', enabled: true, required: true },
          { id: WATCHER, enabled: false },
        ],
        properties: [{ feature: SWITCH_SETTING, revision: 2, settings: { SettingIntA: 4 } }],
        ports: [
          { type: 'external', team: 'switch', nics: [{ index: 0 }, { index: 1 }, { index: 2 }] },
          { type: 'internal', nics: [{ index: 0 }] },
          { name: 'hand', nics: [{ friendlyName: 'guest', mtu: 9000 }], properties: [{}] },
        ],
      },
    ]);
    t.equal(document.vms.length, 1);
    t.same((await there.switches.get('S').export()).vms, [], 'VMs only when asked for');
    for (const ids of ['keep', 'fresh'] as const) {
      const store = new KeptStore();
      const here = await world('here', { store });
      const report = await here.switches.import(plain(document), { ids });
      t.match(report, {
        switches: [{ name: 'S', isActive: true, portCount: 3 }],
        vms: [{ name: 'V' }],
        notes: [],
      });
      const again = await here.switches.get('S').export({ vms: true });
      t.strictSame(withoutIds(again), withoutIds(document), ids);
      t.equal(
        again.checksum === document.checksum,
        ids === 'keep',
        'and the same to the last byte',
      );
      t.match(here.switches.get('S').host.uplink, {
        team: 'switch',
        operational: true,
        adapters: [{ queues: 4 }, { virtualFunctions: 8 }],
      });
      await here.vms.get('V').start();
      t.match([...first(here.vms.get('V')).properties.list()], [{ delivered: true }]);
      await here.vms.get('V').stop();
      const before = await picture(here);
      await here.close();
      const reopened = await Fabric.open({
        clock: 'manual',
        seed: 'here',
        store,
        extensions: [keeper(), watcher()],
      });
      t.equal(await picture(reopened), before, 'and after a restart');
    }
  },
);

t.test(
  'the wire sees a switch as it is made: policies of a port before its NICs (E20, S8)',
  async (t) => {
    const there = await world('there');
    await full(there);
    const document = await there.switches.get('S').export();
    const here = await world('here');
    await here.switches.import(document);
    const oids = here.trace
      .entries()
      .filter(({ origin, requestType }) => origin === 'protocolEdge' && requestType !== 'query')
      .map(({ oid }) => oid.replace('OID_SWITCH_', ''));
    t.same(oids, [
      'PROPERTY_ADD',
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
      'NIC_CONNECT',
      'NIC_CONNECT',
      'PORT_CREATE',
      'NIC_CREATE',
      'NIC_CONNECT',
      'PORT_CREATE',
      'PORT_PROPERTY_ADD',
      'NIC_CREATE',
      'NIC_CONNECT',
    ]);
  },
);

t.test(
  'names, ids and addresses that are taken refuse the switch, naming who has them',
  async (t) => {
    const store = new KeptStore();
    const fabric = await world('there', { store });
    await full(fabric);
    const document = await fabric.switches.get('S').export();
    const before = [contents(store), await picture(fabric)];
    for (const [options, message] of [
      [{}, /^ALREADY_EXISTS: a switch named "S" exists already/],
      [
        { name: 'T', ids: 'keep' },
        /^ALREADY_EXISTS: switches\[0\]\.id: id .* belongs to switch "S"/,
      ],
      [
        { name: 'T' },
        /^ALREADY_EXISTS: switches\[0\]\.ports\[0\]\.nics\[0\]\.mac: mac .* of port "S_External" of switch T belongs to NIC/,
      ],
    ] as const) {
      t.match(await refusal(() => fabric.switches.import(document, options)), message);
      t.same([contents(store), await picture(fabric)], before, 'nothing is left of it');
    }
    const port = changed(document, ['switches', 0, 'id'], WATCHER);
    t.match(
      await refusal(() => fabric.switches.import(port, { name: 'T', ids: 'keep' })),
      /^ALREADY_EXISTS: switches\[0\]\.ports\[0\]\.id: id .* belongs to port "S_External"/,
    );
    await fabric.switches.get('S').host.disconnectUplink();
    const inner = await fabric.switches.get('S').export();
    const hand = changed(inner, ['switches', 0, 'ports'], [inner.switches[0]?.ports[0]]);
    const { notes } = await fabric.switches.import(hand, { name: 'T' });
    t.match(
      notes,
      [/^port "S_Internal" of switch T has the dynamic address/],
      'a copy has its own',
    );
  },
);

t.test(
  'an extension that is not here: bound and not run when enabled, refused when required (A50)',
  async (t) => {
    const there = await world('there');
    await full(there);
    const document = await there.switches.get('S').export();
    const bare = await Fabric.open({ clock: 'manual', seed: 'here', extensions: [watcher()] });
    t.match(
      await refusal(() => bare.switches.import(document)),
      /^ILLEGAL_TRANSITION: switches\[0\]\.extensions\[0\]: switch "S" does not run without extension Fabrikam Filter \(.*\), which is not installed here \(rule A50\)/,
    );
    const wanted = changed(document, ['switches', 0, 'extensions', 0, 'required'], false);
    const { notes } = await bare.switches.import(wanted);
    t.match(notes, [
      /class .* was registered/,
      /class .* was registered/,
      /^extension Fabrikam Filter \(.*\) of switch "S" is not installed here: it stays bound and does not run$/,
      /^policies Fabrikam_SwitchCustomSettingData of switch "S" are kept and delivered to nobody/,
      /^policies Fabrikam_PortCustomSettingData of port "hand" are kept and delivered to nobody/,
    ]);
    const again = await bare.switches.get('S').export();
    t.match(again.switches[0]?.extensions, [
      { id: FABRIKAM, name: '', enabled: true },
      { id: WATCHER },
    ]);
    const { notes: unnamed } = await bare.switches.import(
      changed(again, ['switches', 0, 'ports'], []),
      { name: 'T' },
    );
    t.match(unnamed, [
      new RegExp(`^extension ${FABRIKAM} of switch "T" is not installed here`),
      /policies/,
    ]);
    const off = changed(document, ['switches', 0], {
      ...document.switches[0],
      name: 'U',
      ports: [],
      properties: [],
      extensions: [{ id: FABRIKAM, name: 'F', version: '1', enabled: false, required: false }],
    });
    t.same((await bare.switches.import(off)).notes, [], 'a disabled one is nothing to tell');
  },
);

t.test(
  'a veto of a policy, a port or a NIC refuses the switch; two forwarding extensions too (A41)',
  async (t) => {
    const there = await world('there');
    await full(there);
    const document = await there.switches.get('S').export({ vms: true });
    const { DATA_NOT_ACCEPTED } = NdisStatus;
    const refusing: readonly (readonly [string, RegExp])[] = [
      ['OID_SWITCH_PROPERTY_ADD', /refused property Fabrikam_SwitchCustomSettingData of switch S/],
      [
        'OID_SWITCH_PORT_PROPERTY_ADD',
        /refused property Fabrikam_PortCustomSettingData of port hand/,
      ],
      ['OID_SWITCH_NIC_CREATE', /refused port S_External/],
    ];
    for (const [name, message] of refusing) {
      const store = new KeptStore();
      const strict = extensionWith(() => ({
        oidRequest: ({ oidName }) => (oidName === name ? DATA_NOT_ACCEPTED : 'forward'),
      }));
      const here = await Fabric.open({
        clock: 'manual',
        seed: 'here',
        store,
        extensions: [strict],
      });
      const before = contents(store);
      t.match(await refusal(() => here.switches.import(document)), message);
      t.same([contents(store), [...here.switches.list()], [...here.vms.list()]], [before, [], []]);
      t.throws(() => here.features.get(PORT_SETTING), { code: 'NOT_FOUND' }, 'classes too');
      await here.switches.create({ name: 'S' });
    }
    const forward = (id: string): ExtensionDefinition =>
      extensionWith(() => ({}), { id, name: id, type: 'forward' });
    const two = [`${WATCHER.slice(0, -1)}b`, `${WATCHER.slice(0, -1)}c`];
    const here = await Fabric.open({ clock: 'manual', extensions: two.map(forward) });
    const both = changed(
      document,
      ['switches', 0, 'extensions'],
      two.map((id) => ({ id, name: id, version: '1', enabled: true, required: false })),
    );
    t.match(await refusal(() => here.switches.import(both)), /^SECOND_FORWARDING_EXTENSION/);
  },
);

t.test(
  'a VM of the document goes to the switch that came with it, unless it is mapped elsewhere',
  async (t) => {
    const fabric = await world('there');
    await full(fabric);
    await fabric.switches.get('S').host.disconnectUplink();
    const document = await fabric.switches.get('S').export({ vms: true });
    const here = await world('here');
    await here.switches.create({ name: 'Old' });
    await here.switches.import(document, { name: 'New' });
    t.match(here.vms.get('V').info.adapters, [{ switch: { name: 'New' } }]);
    const other = await world('other');
    await other.switches.create({ name: 'Old' });
    await other.switches.import(document, { switches: { S: 'Old' } });
    t.match(other.vms.get('V').info.adapters, [{ switch: { name: 'Old' } }]);
  },
);

t.test('a port that was refused at a restart is in the document all the same', async (t) => {
  const store = new KeptStore();
  const fabric = await world('there', { store });
  await full(fabric);
  const document = await fabric.switches.get('S').export();
  await fabric.close();
  const strict = extensionWith(() => ({
    oidRequest: ({ oidName }) =>
      oidName === 'OID_SWITCH_PORT_CREATE' ? NdisStatus.FAILURE : 'forward',
  }));
  const again = await Fabric.open({
    clock: 'manual',
    seed: 'there',
    store,
    extensions: [strict, watcher()],
  });
  t.match([...again.switches.get('S').ports.list()], [{ problem: /refused/ }, {}, {}]);
  t.equal((await again.switches.get('S').export()).checksum, document.checksum);
});

t.test('any host ports in any order come back as they were', async (t) => {
  const part = fc.constantFrom('port', 'nic', 'policy', 'lbfo', 'internal', 'switch policy');
  await t.resolves(
    fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 6 }),
        fc.constantFrom('keep', 'fresh'),
        async (parts, ids) => {
          const there = await world('there');
          const here = await world('here');
          try {
            const sw = await there.switches.create({
              name: 'S',
              type: 'external',
              extensions: [FABRIKAM],
            });
            for (const [i, one] of parts.entries()) {
              if (one === 'lbfo') {
                if (sw.host.uplink === undefined)
                  await sw.host.connectUplink({ team: 'lbfo', adapters: [{ name: 'n' }] });
              } else if (one === 'internal') {
                if (![...sw.ports.list()].some(({ type }) => type === 'internal'))
                  await sw.host.addInternalNic();
              } else if (one === 'switch policy')
                await sw.properties.add(SWITCH_SETTING, { SettingIntA: i });
              else {
                const port = await sw.ports.create({
                  type: i % 2 === 0 ? 'synthetic' : 'emulated',
                });
                if (one === 'nic') await port.nics.connect();
                if (one === 'policy') await port.properties.add(PORT_SETTING, { SettingIntA: i });
              }
            }
            const document = await sw.export();
            await here.switches.import(plain(document), { ids });
            const again = await here.switches.get('S').export();
            deepStrictEqual(withoutIds(again), withoutIds(document));
            if (ids === 'keep') deepStrictEqual(again, document);
          } finally {
            await there.close();
            await here.close();
          }
        },
      ),
      { numRuns: 30 },
    ),
  );
});
