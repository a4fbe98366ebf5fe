import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { NicType, OidRequest, PortType, SwitchContext } from '../../src/sdk/extension.ts';
import type { Nic, NicChange } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  hex,
  makePort,
  nicOptions,
  now,
  portOptions,
  type SwitchWorld,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/*
 * Rules of chapter C that a NIC connection keeps by itself. Offsets of NDIS_SWITCH_NIC_PARAMETERS: NicFriendlyName 524,
 * PortId 1040, NicIndex 1044, NicType 1048, NicState 1052, NetCfgInstanceId 2088, MTU 2104, NumaNodeId 2108,
 * PermanentMacAddress 2110, VMMacAddress 2142, CurrentMacAddress 2174, VFAssigned 2206 (ndis-switch-abi.md).
 */

const word = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);

/** `OID word-at` of the NIC OIDs, oldest first; the names without OID_SWITCH_. */
function words(world: SwitchWorld, at: number): string[] {
  return world.trace
    .entries()
    .filter(({ oid }) => oid.startsWith('OID_SWITCH_NIC'))
    .map(({ oid, input }) => `${oid.slice(11)} ${word(input, at)}`);
}

const names = (world: SwitchWorld): string[] =>
  world.trace.entries().map(({ oid }) => oid.slice(11));

const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isExtSwitchError(error)) return `${error.code} ${error.place.rule}`;
    throw error;
  }
  return 'not refused';
};

/** A started switch, and the context of an extension on it. */
function withContext(): { world: SwitchWorld; machine: Switch; sw: SwitchContext } {
  let context: SwitchContext | undefined;
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', (sw) => {
      context = sw;
      return {};
    }),
  ]);
  if (context === undefined) throw new Error('attached by start');
  return { world, machine, sw: context };
}

/** A port with a connected NIC of a VM. */
function connected(machine: Switch, name = 'p'): Nic {
  const port = makePort(machine, 'synthetic', name);
  return now(machine.connectNic(port, nicOptions({ name: `nic-${name}` }))).nic;
}

t.test(
  'a NIC is known by its port and its index: the same index on two ports, two indexes on one (C1, C2, A9)',
  (t) => {
    const { machine, sw } = withContext();
    const ofVm = { vmName: 'vm-1', vmFriendlyName: 'Web' };
    for (const name of ['a', 'b']) {
      const port = makePort(machine, 'synthetic', name);
      now(machine.connectNic(port, nicOptions({ name: `nic-${name}`, ...ofVm })));
    }
    const uplink = makePort(machine, 'external', 'x');
    now(
      machine.openNics(uplink, [
        nicOptions({ type: 'external', name: 'x0' }),
        nicOptions({ type: 'external', name: 'x1', index: 1 }),
      ]),
    );
    t.same(
      sw.nics().map(({ portId, index, name, vmName }) => [portId, index, name, vmName]),
      [
        [1, 0, 'nic-a', 'vm-1'],
        [2, 0, 'nic-b', 'vm-1'],
        [3, 0, 'x0', ''],
        [3, 1, 'x1', ''],
      ],
      'two NICs of one VM, each on a port of its own',
    );
    now(machine.disconnectNic(uplink, uplink.nics.get(1) as Nic));
    t.equal(sw.referenceNic(3, 1), NdisStatus.INVALID_PARAMETER);
    t.equal(sw.referenceNic(3, 0), NdisStatus.SUCCESS);
    sw.dereferenceNic(3, 0);
    t.end();
  },
);

t.test('NIC_CREATE of each type carries 0 to 3 at NicType (C6)', (t) => {
  const types: readonly (NicType & PortType)[] = ['external', 'synthetic', 'emulated', 'internal'];
  for (const [code, type] of types.entries()) {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const port = makePort(machine, type);
    now(machine.connectNic(port, nicOptions({ type })));
    t.same(words(world, 1048), [`NIC_CREATE ${code}`, `NIC_CONNECT ${code}`], type);
  }
  t.end();
});

t.test(
  'a NIC through its life: NicState is 1 created, 2 connected and updated, 3 disconnected, 4 deleted, never 0 (C7)',
  (t) => {
    const { world, machine } = withContext();
    const port = makePort(machine);
    const { nic } = now(machine.connectNic(port, nicOptions()));
    now(machine.updateNic(port, nic, { mtu: 1400 }));
    now(machine.disconnectNic(port, nic));
    t.same(words(world, 1052), [
      'NIC_CREATE 1',
      'NIC_CONNECT 2',
      'NIC_UPDATED 2',
      'NIC_DISCONNECT 3',
      'NIC_DELETE 4',
    ]);
    t.end();
  },
);

t.test(
  'what only NICs of VMs have is refused for external and internal ones, and NetCfgInstanceId for those of VMs (C12-C14, C16)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const guid = '11111111-0000-0000-0000-000000000001';
    for (const type of ['external', 'internal', 'synthetic', 'emulated'] as const) {
      const isVm = type === 'synthetic' || type === 'emulated';
      const port = makePort(machine, type, type);
      const { nic } = now(machine.connectNic(port, nicOptions({ type })));
      const changes: readonly (readonly [NicChange, boolean, string])[] = [
        [{ vmMac: Uint8Array.of(2, 0, 0, 0, 0, 2) }, isVm, 'C14'],
        [{ numaNodeId: 3 }, isVm, 'C13'],
        [{ vfAssigned: true }, isVm, 'C16'],
        [{ netCfgInstanceId: guid }, !isVm, 'C12'],
      ];
      for (const [change, allowed, rule] of changes) {
        const expected = allowed ? 'not refused' : `ILLEGAL_TRANSITION ${rule}`;
        t.equal(
          refusal(() => now(machine.updateNic(port, nic, change))),
          expected,
          `${type} ${rule}`,
        );
      }
      t.equal(nic.vfAssigned, isVm);
      t.equal(nic.netCfgInstanceId === guid, !isVm);
    }
    t.equal(world.trace.entries({ oid: 'OID_SWITCH_NIC_UPDATED' }).length, 3 + 3 + 1 + 1);
    t.end();
  },
);

t.test(
  'NIC_CREATE that fails with RESOURCES is sent again as often as allowed; nothing of it is left after the last (C23, C24, OP-29)',
  (t) => {
    for (const [retries, failures, sent, created] of [
      [0, 1, 1, false],
      [2, 2, 3, true],
      [2, 3, 3, false],
    ] as const) {
      const ids: number[] = [];
      const world = switchWorld('6.85', 'test', { transientRetries: retries });
      const machine = startSwitch(world, [
        extension('filter', {
          createNic: (_nic, request) => {
            ids.push(request.id);
            return ids.length <= failures ? NdisStatus.RESOURCES : 'forward';
          },
        }),
      ]);
      const port = makePort(machine);
      const { request } = now(machine.connectNic(port, nicOptions()));
      t.equal(new Set(ids).size, sent, `${retries} retries, ${failures} failures`);
      t.equal(request.status, created ? NdisStatus.SUCCESS : NdisStatus.RESOURCES);
      t.equal(port.nics.size, created ? 1 : 0);
      t.equal(port.state, 'created', 'the port stays');
      t.equal(names(world).includes('NIC_DELETE'), false);
    }
    t.end();
  },
);

t.test(
  'the NIC of a VM is created when the VM starts and connected when its guest has bound (C25, C26)',
  (t) => {
    const { world, machine, sw } = withContext();
    const { port } = now(
      machine.openConnection({
        port: portOptions(),
        properties: [],
        nics: [nicOptions()],
        connect: false,
      }),
    );
    if (port === undefined) throw new Error('nobody refuses');
    const nic = port.nics.get(0) as Nic;
    t.same(names(world), ['PORT_CREATE', 'NIC_CREATE']);
    t.match(sw.nics(), [{ state: 'created' }]);
    t.equal(sw.referenceNic(1, 0), NdisStatus.INVALID_PARAMETER, 'not connected yet (C57)');
    now(machine.bindNic(port, nic));
    t.equal(names(world).at(-1), 'NIC_CONNECT');
    t.equal(nic.state, 'connected');
    t.equal(
      refusal(() => now(machine.bindNic(port, nic))),
      'ILLEGAL_TRANSITION C25',
      'once',
    );
    t.end();
  },
);

t.test(
  'NIC_UPDATED is for connected NICs only: neither before CONNECT nor after DISCONNECT (C28)',
  (t) => {
    const { world, machine } = withContext();
    const { port } = now(
      machine.openConnection({
        port: portOptions(),
        properties: [],
        nics: [nicOptions()],
        connect: false,
      }),
    );
    if (port === undefined) throw new Error('nobody refuses');
    const nic = port.nics.get(0) as Nic;
    t.equal(
      refusal(() => now(machine.updateNic(port, nic, { mtu: 1400 }))),
      'ILLEGAL_TRANSITION C28',
    );
    now(machine.bindNic(port, nic));
    now(machine.updateNic(port, nic, { mtu: 1400 }));
    now(machine.disconnectNic(port, nic));
    t.match(
      refusal(() => now(machine.updateNic(port, nic, { mtu: 1300 }))),
      /^ILLEGAL_TRANSITION C(28|32)$/,
    );
    t.equal(world.trace.entries({ oid: 'OID_SWITCH_NIC_UPDATED' }).length, 1);
    t.end();
  },
);

t.test(
  'NIC_UPDATED changes the bytes of what is asked and no other, and counts once it has completed (C29)',
  async (t) => {
    /** Member, its new value, where it stands in the structure. */
    const cases: readonly (readonly [NicChange, number, string])[] = [
      [{ friendlyName: 'LAN' }, 524, '06 00 4c 00 41 00 4e 00'],
      [{ mtu: 9014 }, 2104, '36 23 00 00'],
      [{ numaNodeId: 3 }, 2108, '03 00'],
      [{ permanentMac: Uint8Array.of(2, 0, 0, 0, 0, 1) }, 2110, '02 00 00 00 00 01'],
      [{ vmMac: Uint8Array.of(2, 0, 0, 0, 0, 2) }, 2142, '02 00 00 00 00 02'],
      [{ currentMac: Uint8Array.of(2, 0, 0, 0, 0, 3) }, 2174, '02 00 00 00 00 03'],
      [{ vfAssigned: true }, 2206, '01'],
    ];
    let held: OidRequest | undefined;
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        updateNic: (_nic, request) => {
          held = request;
          return request.pend();
        },
      }),
    ]);
    const nic = connected(machine);
    const port = machine.state.ports.get(1);
    if (port === undefined) throw new Error('made above');
    let before = Uint8Array.from(world.trace.entries().at(-1)?.input ?? []);
    for (const [change, at, bytes] of cases) {
      const [member] = Object.keys(change) as (keyof NicChange)[];
      if (member === undefined) throw new Error('one member each');
      const old = nic[member];
      const done = machine.updateNic(port, nic, change);
      t.same(nic[member], old, `${member}: not yet`);
      held?.forward();
      await done;
      t.same(nic[member], change[member], member);
      const after = Uint8Array.from(world.trace.entries().at(-1)?.input ?? []);
      const length = bytes.split(' ').length;
      t.equal(hex(after.subarray(at, at + length)), bytes, `${member} at ${at}`);
      before.set(after.subarray(at, at + length), at);
      // A longer name leaves characters of the old one behind its length: those are not part of it.
      if (member === 'friendlyName') before.set(after.subarray(at, at + 516), at);
      t.equal(hex(after), hex(before), `${member}: nothing else`);
      before = after;
    }
    t.end();
  },
);

t.test(
  'an update of an external or internal NIC leaves its VMMacAddress zero, in the OID and in NIC_ARRAY (C14, C29)',
  (t) => {
    for (const type of ['external', 'internal'] as const) {
      const { world, machine, sw } = withContext();
      const port = makePort(machine, type);
      const { nic } = now(machine.connectNic(port, nicOptions({ type })));
      for (const mtu of [9014, 1500]) {
        now(machine.updateNic(port, nic, { mtu }));
        const { input } = world.trace.entries({ oid: 'OID_SWITCH_NIC_UPDATED' }).at(-1) ?? {};
        t.equal(hex(input?.subarray(2142, 2148) ?? new Uint8Array()), '00 00 00 00 00 00', type);
        t.match(sw.nics(), [{ mtu, vmMacAddress: '00-00-00-00-00-00' }]);
      }
    }
    t.end();
  },
);

t.test(
  'a NIC that was created and never connected goes with NIC_DELETE alone; its port may then go or be used again (C34, C33, OP-26)',
  (t) => {
    const { world, machine } = withContext();
    const { port } = now(
      machine.openConnection({
        port: portOptions(),
        properties: [],
        nics: [nicOptions()],
        connect: false,
      }),
    );
    if (port === undefined) throw new Error('nobody refuses');
    now(machine.closeNics(port));
    t.same(names(world), ['PORT_CREATE', 'NIC_CREATE', 'NIC_DELETE']);
    now(machine.connectNic(port, nicOptions({ isKnown: true })));
    now(machine.deletePort(port));
    t.same(names(world).slice(3), [
      'NIC_CREATE',
      'NIC_CONNECT',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    t.end();
  },
);

t.test(
  'NIC_CONNECT, UPDATED, DISCONNECT and DELETE reach the miniport edge and end there with SUCCESS (A6, C35)',
  (t) => {
    const { world, machine } = withContext();
    const nic = connected(machine);
    const port = machine.state.ports.get(1);
    if (port === undefined) throw new Error('made above');
    now(machine.updateNic(port, nic, { mtu: 1400 }));
    now(machine.deletePort(port));
    for (const name of ['CONNECT', 'UPDATED', 'DISCONNECT', 'DELETE']) {
      const [entry] = world.trace.entries({ oid: `OID_SWITCH_NIC_${name}` });
      t.equal(entry?.status, 'NDIS_STATUS_SUCCESS', name);
      t.same(
        entry?.route.map(({ verdict }) => verdict),
        ['forward', 'NDIS_STATUS_SUCCESS'],
      );
    }
    t.end();
  },
);

t.test(
  'after NIC_DELETE the connection is in no array and takes no reference; nothing more is issued for it (C32)',
  (t) => {
    const { world, machine, sw } = withContext();
    const nic = connected(machine);
    const port = machine.state.ports.get(1);
    if (port === undefined) throw new Error('made above');
    now(machine.disconnectNic(port, nic));
    const issued = names(world).length;
    t.same(sw.nics(), []);
    t.equal(sw.referenceNic(1, 0), NdisStatus.INVALID_PARAMETER);
    for (const again of [
      () => machine.disconnectNic(port, nic),
      () => machine.bindNic(port, nic),
      () => machine.updateNic(port, nic, { mtu: 1400 }),
    ]) {
      t.match(
        refusal(() => now(again())),
        /^ILLEGAL_TRANSITION C/,
      );
    }
    t.same(names(world).slice(issued), ['NIC_ARRAY'], 'the query above');
    t.end();
  },
);
