import t from 'tap';
import { decodePayload, OFFLOAD_OIDS } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, SwitchContext } from '../../src/sdk/extension.ts';
import { FORWARD } from '../../src/sdk/index.ts';
import { filterParameters } from '../../switch/offload-parameters.ts';
import { Switch } from '../../switch/switch.ts';
import {
  extension,
  hex,
  makePort,
  nicOptions,
  now,
  rules,
  type SwitchWorld,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';
import { adapterOf, makeUplink, makeVm } from '../support/uplink.ts';

type Handlers = ExtensionHandlers | ((sw: SwitchContext) => ExtensionHandlers);

function scene(handlers: Handlers = {}, adapters?: Parameters<typeof makeUplink>[1]) {
  const world = switchWorld();
  const machine = startSwitch(world, [extension('forward', handlers)]);
  const uplink = makeUplink(machine, adapters);
  const vm = makeVm(machine);
  world.trace.clear();
  world.changes.length = 0;
  return { world, machine, uplink, adapter: adapterOf(uplink), ...vm };
}

/** What was sent, with the OID inside of NIC_REQUESTs and VFAssigned of NIC_UPDATED. */
function sent(world: SwitchWorld): string[] {
  return world.trace.entries().map(({ oid, input, status }) => {
    const short = oid.replace('OID_SWITCH_', '');
    if (oid === 'OID_SWITCH_NIC_REQUEST') {
      const view = new DataView(input.buffer, input.byteOffset);
      const code = view.getUint32(64, true);
      const name = Object.entries(OFFLOAD_OIDS).find(([, row]) => row.code === code)?.[0];
      const failed = status === 'NDIS_STATUS_SUCCESS' ? '' : ` ${status}`;
      return `${name}${failed}`;
    }
    if (oid !== 'OID_SWITCH_NIC_UPDATED') return short;
    return `${short} VFAssigned ${decodePayload(oid, input)['VFAssigned']}`;
  });
}

const ASSIGNED = [
  'OID_NIC_SWITCH_ALLOCATE_VF',
  'OID_NIC_SWITCH_CREATE_VPORT',
  'NIC_UPDATED VFAssigned true',
];

t.test(
  'S2 step 7: a VF and a VPort, then NIC_UPDATED; from then on the NIC is on the path that bypasses the switch',
  (t) => {
    const { world, machine, adapter, port, nic } = scene();
    t.equal(nic.path, 'synthetic');
    t.equal(now(machine.assignVf(port, nic)).refused, undefined);
    t.same(sent(world), ASSIGNED);
    t.equal(nic.vfAssigned, true);
    t.equal(nic.path, 'vf');
    t.match(world.changes.at(-1), { event: 'vfAssigned', portId: port.portId, path: 'vf' });
    t.equal(adapter.virtualFunctionsUsed, 1);
    // NDIS_NIC_SWITCH_VF_PARAMETERS behind 280 bytes: header, names, addresses; 0xffff and 0xffffffff ask for new ids.
    const vf = world.trace.entries()[0]?.input.subarray(280) ?? new Uint8Array(0);
    t.equal(hex(vf.subarray(0, 12)), '80 01 60 06 00 00 00 00 00 00 00 00');
    t.equal(hex(vf.subarray(12, 18)), '10 00 69 00 64 00', 'VMName "id of vm", 16 bytes');
    t.equal(hex(vf.subarray(528, 534)), '04 00 76 00 6d 00', 'VMFriendlyName "vm"');
    t.equal(hex(vf.subarray(1044, 1050)), '04 00 76 00 6d 00', 'NicName "vm"');
    t.equal(hex(vf.subarray(1560, 1568)), '06 00 00 15 5d 01 02 03', 'PermanentMacAddress');
    t.equal(hex(vf.subarray(1594, 1600)), '00 15 5d 01 02 03', 'CurrentMacAddress');
    t.equal(hex(vf.subarray(1626, 1632)), 'ff ff ff ff ff ff');
    // NDIS_NIC_SWITCH_VPORT_PARAMETERS: Size 572, one queue pair on VF 0, activated.
    const vport = world.trace.entries()[1]?.input.subarray(280) ?? new Uint8Array(0);
    t.equal(vport.length, 576);
    t.equal(hex(vport.subarray(0, 4)), '80 01 3c 02');
    t.equal(hex(vport.subarray(532, 548)), '00 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00');
    t.same(rules(world), []);
    t.end();
  },
);

t.test('D41, D43: a veto of ALLOCATE_VF refuses it and nothing is left', (t) => {
  const { world, machine, adapter, port, nic } = scene({
    nicRequest: ({ oidName }) =>
      oidName === 'OID_NIC_SWITCH_ALLOCATE_VF' ? NdisStatus.FAILURE : 'forward',
  });
  const { refused } = now(machine.assignVf(port, nic));
  t.equal(refused?.status, NdisStatus.FAILURE);
  t.equal(refused?.completedBy?.name, 'forward');
  t.same(sent(world), ['OID_NIC_SWITCH_ALLOCATE_VF NDIS_STATUS_FAILURE']);
  t.equal(nic.vfAssigned, false);
  t.equal(adapter.virtualFunctionsUsed, 0);
  t.same(nic.offloads ?? [], []);
  t.same(rules(world), []);
  t.end();
});

t.test('D41: a veto of CREATE_VPORT gives the VF back', (t) => {
  const { world, machine, adapter, port, nic } = scene({
    nicRequest: ({ oidName }) =>
      oidName === 'OID_NIC_SWITCH_CREATE_VPORT' ? NdisStatus.DATA_NOT_ACCEPTED : 'forward',
  });
  t.equal(now(machine.assignVf(port, nic)).refused?.status, NdisStatus.DATA_NOT_ACCEPTED);
  t.same(sent(world), [
    'OID_NIC_SWITCH_ALLOCATE_VF',
    'OID_NIC_SWITCH_CREATE_VPORT NDIS_STATUS_DATA_NOT_ACCEPTED',
    'OID_NIC_SWITCH_FREE_VF',
  ]);
  t.same(adapter.resources, []);
  t.same(nic.offloads, []);
  t.end();
});

t.test('an adapter that has none left, or none at all, refuses', (t) => {
  const used = scene({}, [{ name: 'A', virtualFunctions: 1 }]);
  now(used.machine.assignVf(used.port, used.nic));
  const second = makeVm(used.machine, 'vm2');
  const { refused } = now(used.machine.assignVf(second.port, second.nic));
  t.equal(refused?.status, NdisStatus.RESOURCES);
  const without = scene({}, [{ name: 'A' }]);
  t.equal(
    now(without.machine.assignVf(without.port, without.nic)).refused?.status,
    NdisStatus.NOT_SUPPORTED,
  );
  t.end();
});

t.test('C16: no VF for NICs that are not of a VM; none twice, none before NIC_CONNECT', (t) => {
  const { machine, uplink, port, nic } = scene();
  const host = makePort(machine, 'internal', 'host');
  const { nic: internal } = now(
    machine.connectNic(host, nicOptions({ type: 'internal', name: 'host' })),
  );
  const external = uplink.nics.get(0) as typeof nic;
  for (const [of, at] of [
    [internal, host],
    [external, uplink],
  ] as const) {
    t.throws(() => machine.assignVf(at, of), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C16' },
    });
  }
  t.throws(() => machine.removeVf(port, nic), {
    code: 'ILLEGAL_TRANSITION',
    place: { rule: 'H12' },
  });
  now(machine.assignVf(port, nic));
  t.throws(() => machine.assignVf(port, nic), {
    code: 'ILLEGAL_TRANSITION',
    place: { rule: 'H12' },
  });
  now(machine.disconnectNic(port, nic));
  t.throws(() => machine.assignVf(port, nic), {
    code: 'ILLEGAL_TRANSITION',
    place: { rule: 'C43' },
  });
  t.end();
});

t.test(
  'S3 step 1: what a NIC has of an adapter is given back before NIC_DISCONNECT, the last first',
  (t) => {
    const { world, machine, adapter, port, nic } = scene();
    now(machine.assignVf(port, nic));
    t.equal(now(machine.assignQueue(port, nic)).refused, undefined);
    t.equal(adapter.queuesUsed, 1);
    world.trace.clear();
    now(machine.deletePort(port));
    t.same(sent(world), [
      'OID_RECEIVE_FILTER_CLEAR_FILTER',
      'OID_RECEIVE_FILTER_FREE_QUEUE',
      'OID_NIC_SWITCH_DELETE_VPORT',
      'OID_NIC_SWITCH_FREE_VF',
      'NIC_DISCONNECT',
      'NIC_DELETE',
      'PORT_TEARDOWN',
      'PORT_DELETE',
    ]);
    t.same(adapter.resources, []);
    t.same(rules(world), []);
    t.end();
  },
);

t.test(
  'a receive queue: allocated, filtered, its batch completed; a vetoed filter gives it back',
  (t) => {
    const { world, machine, adapter, port, nic } = scene();
    now(machine.assignQueue(port, nic));
    t.same(sent(world), [
      'OID_RECEIVE_FILTER_ALLOCATE_QUEUE',
      'OID_RECEIVE_FILTER_SET_FILTER',
      'OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE',
    ]);
    // One element behind 20 bytes: QueueId 1, CompletionStatus success.
    const complete = world.trace.entries().at(-1)?.output?.subarray(280) ?? new Uint8Array(0);
    t.equal(
      hex(complete),
      '80 01 14 00 00 00 00 00 14 00 00 00 01 00 00 00 10 00 00 00 80 01 10 00 00 00 00 00 01 00 00 00 00 00 00 00',
    );
    t.match(adapter.resources, [
      { kind: 'queue', id: 1, source: { portId: port.portId, nicIndex: 0 } },
      { kind: 'filter', id: 1, queueId: 1 },
    ]);
    const vetoed = scene({
      nicRequest: ({ oidName }) =>
        oidName === 'OID_RECEIVE_FILTER_SET_FILTER' ? NdisStatus.FAILURE : 'forward',
    });
    const { refused } = now(vetoed.machine.assignQueue(vetoed.port, vetoed.nic));
    t.equal(refused?.status, NdisStatus.FAILURE);
    t.same(vetoed.adapter.resources, []);
    t.end();
  },
);

t.test(
  'H14, S17: REMOVE_VF takes VPort and VF away and reports it as NIC_UPDATED with VFAssigned FALSE',
  (t) => {
    let context: SwitchContext | undefined;
    const { world, machine, adapter, port, nic } = scene((sw) => {
      context = sw;
      return {};
    });
    const sw = context as unknown as SwitchContext;
    now(machine.assignVf(port, nic));
    world.trace.clear();
    const raise = (): void => {
      sw.referenceNic(port.portId, 0);
      sw.indicateNicStatus({
        destination: { portId: port.portId, nicIndex: 0 },
        statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF,
      });
      sw.dereferenceNic(port.portId, 0);
    };
    raise();
    t.same(sent(world), [
      'NDIS_STATUS_SWITCH_NIC_STATUS',
      'OID_NIC_SWITCH_DELETE_VPORT',
      'OID_NIC_SWITCH_FREE_VF',
      'NIC_UPDATED VFAssigned false',
    ]);
    t.equal(nic.path, 'synthetic');
    t.same(adapter.resources, []);
    t.match(world.changes.at(-1), { event: 'vfRemoved', path: 'synthetic' });
    t.same(rules(world), []);
    raise();
    t.same(rules(world), ['H12'], 'once per assignment');
    now(machine.assignVf(port, nic));
    raise();
    t.same(rules(world), ['H12'], 'a new assignment may be removed again');
    t.end();
  },
);

t.test(
  'H12, H14: REMOVE_VF raised twice while the switch is busy removes once, when its turn comes',
  async (t) => {
    let context: SwitchContext | undefined;
    const { world, machine, port, nic } = scene((sw) => {
      context = sw;
      return {
        updatePort: async () => {
          for (let i = 0; i < 2; i += 1) {
            sw.referenceNic(port.portId, 0);
            sw.indicateNicStatus({
              destination: { portId: port.portId, nicIndex: 0 },
              statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF,
            });
            sw.dereferenceNic(port.portId, 0);
          }
          await Promise.resolve();
        },
      };
    });
    t.ok(context);
    now(machine.assignVf(port, nic));
    await machine.updatePort(port, { friendlyName: 'new' });
    await settle();
    t.equal(nic.vfAssigned, false);
    t.equal(sent(world).filter((oid) => oid === 'OID_NIC_SWITCH_FREE_VF').length, 1);
    t.same(rules(world), ['H12']);
    t.end();
  },
);

t.test(
  'G46: before a migration filters move to the default VPort, the VPort goes, the VF is reset and freed',
  (t) => {
    const { world, machine, adapter, port, nic } = scene();
    now(machine.fallBackToSynthetic(port, nic));
    t.same(sent(world), [], 'a NIC without a VF is on the synthetic path already');
    now(machine.assignVf(port, nic));
    const vport = nic.offloads?.find(({ kind }) => kind === 'vport')?.id ?? 0;
    t.equal(vport, 1);
    const oid = OFFLOAD_OIDS.OID_RECEIVE_FILTER_SET_FILTER.code;
    now(machine.nicRequest({ nic, requestType: 'method', oid, input: filterParameters(0, vport) }));
    t.match(adapter.resources.at(-1), { kind: 'filter', vportId: 1 });
    world.trace.clear();
    now(machine.fallBackToSynthetic(port, nic));
    t.same(sent(world), [
      'OID_RECEIVE_FILTER_MOVE_FILTER',
      'OID_NIC_SWITCH_DELETE_VPORT',
      'OID_SRIOV_RESET_VF',
      'OID_NIC_SWITCH_FREE_VF',
      'NIC_UPDATED VFAssigned false',
    ]);
    t.match(adapter.resources, [{ kind: 'filter', vportId: 0 }]);
    world.trace.clear();
    now(machine.disconnectNic(port, nic));
    t.equal(sent(world)[0], 'OID_RECEIVE_FILTER_CLEAR_FILTER', 'the filter goes with the NIC');
    t.end();
  },
);

t.test('S8 step 8: an uplink that goes takes the VMs back to the synthetic path first', (t) => {
  const { world, machine, uplink, port, nic } = scene();
  const other = makeVm(machine, 'other');
  now(machine.assignVf(port, nic));
  now(machine.assignQueue(other.port, other.nic));
  world.trace.clear();
  now(machine.closeNics(uplink));
  t.same(sent(world), [
    'OID_NIC_SWITCH_DELETE_VPORT',
    'OID_NIC_SWITCH_FREE_VF',
    'NIC_UPDATED VFAssigned false',
    'OID_RECEIVE_FILTER_CLEAR_FILTER',
    'OID_RECEIVE_FILTER_FREE_QUEUE',
    'NIC_DISCONNECT',
    'NIC_DELETE',
    'NIC_DISCONNECT',
    'NIC_DELETE',
  ]);
  t.equal(nic.path, 'synthetic');
  t.end();
});

t.test('a VM closed after its uplink has nobody to give anything back to', (t) => {
  const { world, machine, uplink, port, nic } = scene();
  now(machine.assignQueue(port, nic));
  // The adapter dies without a word: nothing of the switch has been told.
  uplink.nics.delete(1);
  uplink.nics.delete(0);
  world.trace.clear();
  now(machine.disconnectNic(port, nic));
  t.same(sent(world), ['NIC_DISCONNECT', 'NIC_DELETE']);
  t.equal(nic.offloads, undefined);
  t.end();
});

t.test(
  'seeded scheduling: many VMs get and lose VFs in any order, and the adapter accounts for it',
  async (t) => {
    for (const seed of ['1', '2', '3', '4']) {
      const world = switchWorld('6.85', seed, { scheduling: 'seeded' });
      const seeded = new Switch(
        { id: '5a5a5a5a-0000-0000-0000-000000000002', name: 'sw', type: 'external' },
        world.environment,
      );
      await seeded.start([
        extension('filter', { nicRequest: () => 'forward', connectNic: async () => FORWARD }),
      ]);
      const opened = await seeded.openConnection({
        port: {
          id: '00000000-0000-0000-0000-00000000000a',
          name: 'u',
          friendlyName: 'u',
          type: 'external',
        },
        properties: [],
        nics: [
          nicOptions({ type: 'external', name: 'e' }),
          nicOptions({
            index: 1,
            type: 'external',
            name: 'a',
            adapter: { name: 'a', virtualFunctions: 3 },
          }),
        ],
      });
      const uplink = opened.port;
      if (uplink === undefined) throw new Error('refused');
      const vms = await Promise.all(
        [1, 2, 3, 4, 5].map(async (n) => {
          const made = await seeded.openConnection({
            port: {
              id: `00000000-0000-0000-0000-0000000000b${n}`,
              name: `v${n}`,
              friendlyName: 'v',
              type: 'synthetic',
            },
            properties: [],
            nics: [nicOptions({ name: `v${n}` })],
          });
          const nic = made.port?.nics.get(0);
          if (made.port === undefined || nic === undefined) throw new Error('refused');
          return { port: made.port, nic };
        }),
      );
      const outcomes = await Promise.all(vms.map(({ port, nic }) => seeded.assignVf(port, nic)));
      const adapter = adapterOf(uplink);
      t.equal(outcomes.filter(({ refused }) => refused === undefined).length, 3, `seed ${seed}`);
      t.equal(adapter.virtualFunctionsUsed, 3, `seed ${seed}`);
      await Promise.all([
        ...vms.map(({ port }) => seeded.deletePort(port)),
        seeded.closeNics(uplink),
      ]);
      t.same(adapter.resources, [], `seed ${seed}`);
      t.same(rules(world), [], `seed ${seed}`);
    }
    t.end();
  },
);
