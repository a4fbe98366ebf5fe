import t from 'tap';
import type { PortHandle } from '../../src/policy/api.ts';
import { extensionWith } from '../support/fabrikam.ts';
import { hex, PORT_SETTING } from './open-world.ts';
import { first, openVmWorld, STARTED, STOPPED, VALIDATED } from './vm-world.ts';

/** Rules of chapters A, B and G about VMs as a whole. */

t.test(
  'a VM that is created, stopped or saved is seen on a validation port; one that starts or is restored is not (B44)',
  async (t) => {
    const { fabric, oids } = await openVmWorld();
    const vm = await fabric.vms.create({ name: 'V', adapters: [{ switch: 'S' }] });
    t.same(oids(), VALIDATED, 'created');
    await vm.start();
    t.same(oids(), STARTED);
    await vm.stop();
    t.same(oids(), [...STOPPED, ...VALIDATED], 'stopped');
    await vm.start();
    oids();
    await vm.save();
    const saved = oids().filter((oid) => !oid.startsWith('NIC_SAVE'));
    t.same(saved, [...STOPPED, ...VALIDATED], 'saved');
    await vm.restore();
    t.same(
      oids().filter((oid) => oid.includes('?')),
      [],
      'restored: the operational port at once',
    );
    await fabric.close();
  },
);

t.test(
  'a save asks each connected adapter of the VM at NIC index 0; a stop and a pause ask nobody (G1, G4, OP-15, OP-16)',
  async (t) => {
    const { fabric, sw, oids } = await openVmWorld();
    const adapters = [{ switch: 'S', name: 'A' }, { name: 'B' }, { switch: 'S', name: 'C' }];
    const vm = await fabric.vms.create({ name: 'V', adapters });
    await vm.start();
    await vm.pause();
    await vm.resume();
    await vm.stop();
    t.same(
      oids().filter((oid) => oid.startsWith('NIC_SAVE')),
      [],
    );
    await vm.start();
    const ports = [...sw.ports.list()].map(({ portId }) => portId);
    t.equal(ports.length, 2);
    await vm.save();
    // NDIS_SWITCH_NIC_SAVE_STATE: PortId at 8, NicIndex at 12 (ndis-switch-abi.md).
    const asked = sw.trace
      .entries({ oid: 'OID_SWITCH_NIC_SAVE' })
      .map(({ input }) => hex(input.subarray(8, 14)));
    t.same(
      asked,
      ports.map((portId) => `0${portId.toString(16)}0000000000`),
    );
    await fabric.close();
  },
);

t.test(
  'several adapters of one VM on one switch: each has a port of its own, and policies of its own (A9, E62)',
  async (t) => {
    const { fabric, sw } = await openVmWorld([extensionWith(() => ({}))]);
    const adapters = [
      { switch: 'S', name: 'A' },
      { switch: 'S', name: 'B' },
    ];
    const vm = await fabric.vms.create({ name: 'V', adapters });
    await first(vm).properties.add(PORT_SETTING, { SettingIntA: 7 });
    await vm.start();
    const [a, b] = vm.adapters.map((adapter): PortHandle => adapter.port);
    t.not(a?.info.portId, b?.info.portId);
    t.same(
      [...sw.ports.list()].map(({ nics, names }) => [names.vmName, nics.length]),
      [
        ['V', 1],
        ['V', 1],
      ],
    );
    t.equal([...(a?.properties.list() ?? [])].length, 1);
    t.same([...(b?.properties.list() ?? [])], []);
    await fabric.close();
  },
);
