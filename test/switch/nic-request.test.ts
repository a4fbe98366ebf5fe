import t from 'tap';
import { OFFLOAD_OIDS, type OffloadOidName } from '../../src/abi/index.ts';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, NicOidRequest } from '../../src/sdk/extension.ts';
import type { DriverRequest } from '../../switch/nic-requests.ts';
import {
  freeVfParameters,
  queueParameters,
  vfParameters,
} from '../../switch/offload-parameters.ts';
import type { Nic } from '../../switch/ports.ts';
import type { Switch } from '../../switch/switch.ts';
import {
  extension,
  fromHex,
  hex,
  makePort,
  nicOptions,
  now,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';
import { adapterOf, makeUplink, makeVm } from '../support/uplink.ts';

const code = (name: OffloadOidName): number => OFFLOAD_OIDS[name].code;
const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0, 0, 1);

/** ALLOCATE_VF on behalf of a NIC. */
const allocateVf = (nic: Nic): DriverRequest => ({
  nic,
  requestType: 'method',
  oid: code('OID_NIC_SWITCH_ALLOCATE_VF'),
  input: vfParameters(nic),
});

/** A world with one stack, an uplink of one adapter and a VM. */
function scene(handlers: Partial<Record<'capture' | 'filter' | 'forward', ExtensionHandlers>>) {
  const world = switchWorld();
  const stack = (['capture', 'filter', 'forward'] as const).map((type) =>
    extension(type, handlers[type] ?? {}),
  );
  const machine = startSwitch(world, stack);
  const uplink = makeUplink(machine);
  return { world, machine, uplink, adapter: adapterOf(uplink), ...makeVm(machine) };
}

/** The route of the last request with its module names. */
function lastRoute(world: ReturnType<typeof switchWorld>, machine: Switch): string[] {
  const names = new Map(machine.modules.map(({ id, name }) => [id, name]));
  const entry = world.trace.entries({ oid: 'OID_SWITCH_NIC_REQUEST', limit: 1 })[0];
  return (
    entry?.route.map(({ module, verdict }) => `${names.get(module) ?? module}:${verdict}`) ?? []
  );
}

t.test(
  'D24, D25: a hardware-offload OID of a VM goes to the external NIC with the VM as its source',
  (t) => {
    const seen: NicOidRequest[] = [];
    const facts: unknown[] = [];
    const { world, machine, uplink, port, nic } = scene({
      capture: {
        nicRequest: (request) => {
          seen.push(request);
          const { source, destination, requestType, oidName, data } = request;
          facts.push({ source, destination, requestType, oidName, length: data.length });
        },
      },
    });
    const outcome = now(machine.nicRequest(allocateVf(nic)));
    t.same(facts, [
      {
        source: { portId: port.portId, nicIndex: 0 },
        destination: { portId: uplink.portId, nicIndex: 0 },
        requestType: 'method',
        oidName: 'OID_NIC_SWITCH_ALLOCATE_VF',
        length: 1632,
      },
    ]);
    t.equal(outcome.status, NdisStatus.SUCCESS);
    t.same(lastRoute(world, machine), [
      'capture:forward',
      'filter:forward',
      'forward:forward',
      'miniportEdge:NDIS_STATUS_SUCCESS',
    ]);
    const [entry] = world.trace.entries({ oid: 'OID_SWITCH_NIC_REQUEST' });
    t.match(entry, {
      requestType: 'method',
      origin: 'protocolEdge',
      status: 'NDIS_STATUS_SUCCESS',
    });
    // Header, Flags, source 2/0, destination 1/0, OidRequest at 32: port ids in the order of creation.
    t.equal(
      hex(entry?.input.subarray(0, 32) ?? new Uint8Array(0)),
      hex(fromHex('80 01 20 00 4*00 02 00 00 00 00 00 2*00 01 00 00 00 00 00 2*00 20 7*00')),
    );
    t.same(rules(world), []);
    t.end();
  },
);

t.test('B11, D25: what the management OS issues has source 0/0, its internal NIC included', (t) => {
  const sources: unknown[] = [];
  const { machine } = scene({ filter: { nicRequest: ({ source }) => void sources.push(source) } });
  const port = makePort(machine, 'internal', 'host');
  const { nic } = now(machine.connectNic(port, nicOptions({ type: 'internal', name: 'host' })));
  const input = queueParameters('', 'q');
  const oid = code('OID_RECEIVE_FILTER_ALLOCATE_QUEUE');
  for (const of of [undefined, nic]) {
    const outcome = now(machine.nicRequest({ nic: of, requestType: 'method', oid, input }));
    t.equal(outcome.status, NdisStatus.SUCCESS);
  }
  t.same(sources, [
    { portId: 0, nicIndex: 0 },
    { portId: 0, nicIndex: 0 },
  ]);
  t.end();
});

t.test(
  'B11, D26, D27: a multicast list goes to 0/0 with the NIC as source and completes at the miniport edge',
  (t) => {
    const seen: unknown[] = [];
    const { machine, adapter, port, nic } = scene({
      forward: {
        nicRequest: ({ source, destination, oidName, data }) =>
          void seen.push({ source, destination, oidName, data: hex(data) }),
      },
    });
    now(machine.multicast(port, nic, [GROUP]));
    const other = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
    now(machine.multicast(port, nic, [other]));
    const at = {
      source: { portId: port.portId, nicIndex: 0 },
      destination: { portId: 0, nicIndex: 0 },
    };
    t.same(seen, [
      { ...at, oidName: 'OID_802_3_ADD_MULTICAST_ADDRESS', data: '01 00 5e 00 00 01' },
      { ...at, oidName: 'OID_802_3_DELETE_MULTICAST_ADDRESS', data: '01 00 5e 00 00 01' },
      { ...at, oidName: 'OID_802_3_ADD_MULTICAST_ADDRESS', data: '33 33 00 00 00 01' },
    ]);
    t.same(adapter.multicastAddresses, [], 'no adapter is asked');
    const host = makePort(machine, 'internal', 'host');
    const { nic: internal } = now(
      machine.connectNic(host, nicOptions({ type: 'internal', name: 'host' })),
    );
    now(machine.multicast(host, internal, [GROUP]));
    t.match(seen.at(-1), { source: { portId: host.portId, nicIndex: 0 } }, 'the management OS too');
    t.end();
  },
);

t.test(
  'D28: the external NIC hands the request to the adapter named; index 0 is the only one',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const uplink = makeUplink(machine, [{ name: 'A', virtualFunctions: 1 }]);
    const { nic } = makeVm(machine);
    const outcome = now(machine.nicRequest(allocateVf(nic)));
    t.equal(outcome.status, NdisStatus.SUCCESS);
    t.equal(adapterOf(uplink).virtualFunctionsUsed, 1);
    // VFId 0 at 1626, RequestorId at 1628: of the adapter.
    t.equal(hex(outcome.output.subarray(1626, 1632)), '00 00 10 01 00 00');
    const again = now(machine.nicRequest(allocateVf(nic)));
    t.equal(again.status, NdisStatus.RESOURCES, 'one virtual function is all it has');
    t.equal(again.request.status, NdisStatus.RESOURCES, 'the status inside is that of the whole');
    t.end();
  },
);

t.test('D28: index 0 of a team names nobody: a teaming provider has to choose', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, []);
  makeUplink(machine, [
    { name: 'A', virtualFunctions: 1 },
    { name: 'B', virtualFunctions: 1 },
  ]);
  const { nic } = makeVm(machine);
  t.equal(now(machine.nicRequest(allocateVf(nic))).status, NdisStatus.INVALID_PARAMETER);
  t.end();
});

t.test('D29: other OIDs of drivers above are not wrapped', (t) => {
  const { world, machine, nic } = scene({});
  const refused = (wanted: DriverRequest, rule: string, code: string): void => {
    try {
      now(machine.nicRequest(wanted));
      t.fail(`${rule}: not refused`);
    } catch (error) {
      if (!isExtSwitchError(error)) throw error;
      t.match(error, { code, place: { rule } });
    }
  };
  // OID_GEN_MAXIMUM_FRAME_SIZE, OID_SWITCH_NIC_REQUEST itself.
  for (const oid of [0x00010106, 0x00010270]) {
    refused({ nic, requestType: 'query', oid }, 'D29', 'INVALID_ARGUMENT');
  }
  const add = code('OID_802_3_ADD_MULTICAST_ADDRESS');
  refused({ requestType: 'set', oid: add, input: GROUP }, 'D26', 'INVALID_ARGUMENT');
  t.throws(() => machine.multicast(makePort(machine, 'synthetic', 'x'), nic, [new Uint8Array(6)]), {
    code: 'INVALID_ARGUMENT',
    place: { rule: 'D26' },
  });
  t.same(world.trace.entries({ oid: 'OID_SWITCH_NIC_REQUEST' }), [], 'nothing was sent');
  t.end();
});

t.test(
  'C43, C46: no request for a NIC that is created only, or disconnected; none without an uplink (D25)',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, []);
    const { port, nic } = makeVm(machine);
    t.throws(() => machine.nicRequest(allocateVf(nic)), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'D25' },
    });
    makeUplink(machine);
    now(machine.disconnectNic(port, nic));
    t.throws(() => machine.nicRequest(allocateVf(nic)), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C43' },
    });
    const created = now(machine.openNics(port, [nicOptions()], { connect: false }))
      .nics?.[0] as Nic;
    t.throws(() => machine.nicRequest(allocateVf(created)), {
      code: 'ILLEGAL_TRANSITION',
      place: { rule: 'C43' },
    });
    t.end();
  },
);

t.test('nicRequestComplete sees what it forwarded come back with the status inside', (t) => {
  const seen: string[] = [];
  const { machine, nic } = scene({
    filter: {
      nicRequestComplete: ({ oidName, status }) => void seen.push(`${oidName} ${status}`),
      oidRequestComplete: ({ oidName, status }) => void seen.push(`${oidName} ${status}`),
    },
    forward: { nicRequest: () => NdisStatus.FAILURE },
  });
  seen.length = 0;
  now(machine.nicRequest(allocateVf(nic)));
  t.same(seen, [
    `OID_SWITCH_NIC_REQUEST ${NdisStatus.FAILURE}`,
    `OID_NIC_SWITCH_ALLOCATE_VF ${NdisStatus.FAILURE}`,
  ]);
  t.end();
});

t.test('an extension fails a request of a VM: what may be ended by whom (D23, D40-D42)', (t) => {
  const cases: readonly (readonly [
    OffloadOidName,
    'capture' | 'filter' | 'forward',
    boolean,
    readonly string[],
  ])[] = [
    // name, class, stands, findings
    ['OID_NIC_SWITCH_ALLOCATE_VF', 'forward', true, []],
    ['OID_NIC_SWITCH_CREATE_VPORT', 'forward', true, []],
    ['OID_RECEIVE_FILTER_ALLOCATE_QUEUE', 'forward', true, []],
    ['OID_RECEIVE_FILTER_SET_FILTER', 'forward', true, []],
    ['OID_NIC_SWITCH_ALLOCATE_VF', 'filter', true, ['D41 error']],
    ['OID_NIC_SWITCH_ALLOCATE_VF', 'capture', true, ['D41 error']],
    ['OID_NIC_SWITCH_FREE_VF', 'forward', false, ['NdisOidComplete error']],
    ['OID_NIC_SWITCH_DELETE_VPORT', 'forward', false, ['NdisOidComplete error']],
    ['OID_RECEIVE_FILTER_FREE_QUEUE', 'forward', false, ['NdisOidComplete error']],
    ['OID_RECEIVE_FILTER_CLEAR_FILTER', 'forward', false, ['NdisOidComplete error']],
    ['OID_RECEIVE_FILTER_QUEUE_ALLOCATION_COMPLETE', 'forward', false, ['NdisOidComplete error']],
    ['OID_RECEIVE_FILTER_MOVE_FILTER', 'forward', true, ['D40 warning']],
    ['OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA', 'forward', false, ['D42 error']],
    ['OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA', 'forward', false, ['D42 error']],
    ['OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA', 'forward', true, ['D42 warning']],
    ['OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX', 'forward', true, ['D42 warning']],
    ['OID_802_3_ADD_MULTICAST_ADDRESS', 'forward', false, ['D23 error']],
    ['OID_SRIOV_RESET_VF', 'filter', false, ['D23 error']],
  ];
  for (const [name, type, stands, expected] of cases) {
    const { world, machine, nic } = scene({ [type]: { nicRequest: () => NdisStatus.FAILURE } });
    const { requestType } = OFFLOAD_OIDS[name];
    const outcome = now(machine.nicRequest({ nic, requestType, oid: code(name), input: GROUP }));
    t.equal(outcome.status === NdisStatus.FAILURE, stands, `${name} failed by ${type}`);
    const found = world.findings.map(({ rule, severity }) => `${rule} ${severity}`);
    t.same(found, expected, `${name} failed by ${type}`);
    t.equal(lastRoute(world, machine).at(-1)?.startsWith('miniportEdge'), !stands);
  }
  t.end();
});

t.test(
  'D38: success without a request of its own in its place is no completion: the request goes on',
  (t) => {
    const { world, machine, adapter, nic } = scene({
      filter: { nicRequest: () => NdisStatus.SUCCESS },
    });
    t.equal(now(machine.nicRequest(allocateVf(nic))).status, NdisStatus.SUCCESS);
    t.equal(adapter.virtualFunctionsUsed, 1, 'the adapter was asked');
    t.same(rules(world), ['D38']);
    t.end();
  },
);

t.test('a handler that throws: what may be refused fails, a release goes on (D6, D40)', (t) => {
  const boom = {
    nicRequest: (): never => {
      throw new Error('boom');
    },
  };
  const { world, machine, adapter, nic } = scene({ filter: boom });
  t.equal(now(machine.nicRequest(allocateVf(nic))).status, NdisStatus.FAILURE);
  t.equal(adapter.virtualFunctionsUsed, 0);
  now(
    machine.nicRequest({
      nic,
      requestType: 'set',
      oid: code('OID_NIC_SWITCH_FREE_VF'),
      input: new Uint8Array(12),
    }),
  );
  t.match(lastRoute(world, machine).at(-1), /miniportEdge/);
  t.same(rules(world), ['D6', 'D6']);
  t.end();
});

t.test('D31, D40: bytes a handler scribbles into the request inside are put back', (t) => {
  const { world, machine, adapter, nic } = scene({
    capture: {
      nicRequest: (request) => {
        request.data.fill(0xee);
        request.request.bytes[8] = 0x77;
      },
    },
  });
  t.equal(now(machine.nicRequest(allocateVf(nic))).status, NdisStatus.SUCCESS);
  t.equal(adapter.virtualFunctionsUsed, 1, 'the adapter got what was sent');
  t.same(rules(world), ['D31']);
  world.findings.length = 0;
  const free = { nic, requestType: 'set' as const, oid: code('OID_NIC_SWITCH_FREE_VF') };
  t.equal(now(machine.nicRequest({ ...free, input: freeVfParameters(0) })).status, 0);
  t.equal(adapter.virtualFunctionsUsed, 0, 'what was to be freed is free');
  t.same(rules(world), ['D40'], 'a release is not to be altered at all');
  t.end();
});

t.test(
  'a pended request completes later, which D35 forbids; one held too long is ended: a veto fails, a release goes on',
  async (t) => {
    const held: NicOidRequest[] = [];
    const { world, machine, adapter, nic } = scene({
      forward: {
        nicRequest: (request) => {
          held.push(request);
          return request.request.pend();
        },
      },
    });
    const late = machine.nicRequest(allocateVf(nic));
    t.ok(late instanceof Promise);
    held[0]?.request.forward();
    t.equal((await late).status, NdisStatus.SUCCESS);
    const aborted = machine.nicRequest(allocateVf(nic));
    world.clock.advance(12_000);
    t.equal((await aborted).status, NdisStatus.REQUEST_ABORTED);
    const free = machine.nicRequest({
      nic,
      requestType: 'set',
      oid: code('OID_NIC_SWITCH_FREE_VF'),
      input: fromHex('80 01 0a 00 4*00 00 00 00 00'),
    });
    world.clock.advance(12_000);
    t.equal((await free).status, NdisStatus.SUCCESS);
    t.equal(adapter.virtualFunctionsUsed, 0);
    await settle();
    t.same(rules(world), ['D35', 'NdisTimedOidComplete', 'NdisTimedOidComplete']);
    t.end();
  },
);
