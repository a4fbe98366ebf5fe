import t from 'tap';
import { nicRequestSize, OFFLOAD_OIDS, writeNicRequest } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  ExtensionType,
  NicRequestOptions,
  OidResult,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import { freeVfParameters, vfParameters } from '../../switch/offload-parameters.ts';
import type { Nic } from '../../switch/ports.ts';
import {
  extension,
  hex,
  nicOptions,
  now,
  rules,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';
import { adapterOf, makeUplink, makeVm } from '../support/uplink.ts';

const ALLOCATE_VF = OFFLOAD_OIDS.OID_NIC_SWITCH_ALLOCATE_VF.code;
const FREE_VF = OFFLOAD_OIDS.OID_NIC_SWITCH_FREE_VF.code;
const OID_GEN_LINK_STATE = 0x00010207;
const OID_802_3_CURRENT_ADDRESS = 0x01010102;

/** A switch with one extension whose context the test uses, a team of two adapters, and a VM. */
function scene(
  handlers: (sw: SwitchContext) => ExtensionHandlers = () => ({}),
  type: ExtensionType = 'forward',
) {
  const world = switchWorld();
  let context: SwitchContext | undefined;
  const definition = extension(type, (sw) => {
    context = sw;
    return handlers(sw);
  });
  const machine = startSwitch(world, [definition]);
  const uplink = makeUplink(machine, [
    { name: 'A', virtualFunctions: 1, queues: 1 },
    { name: 'B', virtualFunctions: 1 },
  ]);
  if (context === undefined) throw new Error('attach was not called');
  return { world, machine, uplink, sw: context as SwitchContext, ...makeVm(machine) };
}

/** Originates with a reference held around it (rule D34). */
function referenced(sw: SwitchContext, options: NicRequestOptions): OidResult {
  const { portId, nicIndex } = options.destination;
  if (sw.referenceNic(portId, nicIndex) !== NdisStatus.SUCCESS) throw new Error('no reference');
  const result = now(sw.nicRequest(options));
  sw.dereferenceNic(portId, nicIndex);
  return result;
}

/** A teaming provider: everything goes to adapter `index` with the source it came from (rules D30-D34, D38). */
const redirect =
  (index: number) =>
  (sw: SwitchContext): ExtensionHandlers => ({
    nicRequest: ({ source, destination: { portId }, requestType, oid, data }) => {
      if (portId === 0) return 'forward';
      const destination = { portId, nicIndex: index };
      const room = data.length;
      const options = { source, destination, requestType, oid, input: data };
      const isVm = source.portId !== 0;
      if (isVm) sw.referenceNic(source.portId, source.nicIndex);
      const { status } = referenced(sw, { ...options, outputLengthBytes: room });
      if (isVm) sw.dereferenceNic(source.portId, source.nicIndex);
      return status;
    },
  });

const allocate = (nic: Nic) => ({
  nic,
  requestType: 'method' as const,
  oid: ALLOCATE_VF,
  input: vfParameters(nic),
});

t.test(
  'S16: a redirected request is a request of its own; the original ends with its status and its answer',
  (t) => {
    const { world, machine, uplink, nic } = scene(redirect(2));
    const outcome = now(machine.nicRequest(allocate(nic)));
    t.equal(outcome.status, NdisStatus.SUCCESS);
    t.equal(adapterOf(uplink, 1).virtualFunctionsUsed, 0);
    t.equal(adapterOf(uplink, 2).virtualFunctionsUsed, 1);
    t.equal(hex(outcome.output.subarray(1626, 1632)), '00 00 10 01 00 00', 'VFId and RequestorId');
    const [redirected, original] = world.trace.entries({ oid: 'OID_SWITCH_NIC_REQUEST' });
    const id = machine.modules[0]?.id ?? '';
    t.match(redirected, {
      origin: id,
      route: [{ module: 'miniportEdge', verdict: 'NDIS_STATUS_SUCCESS' }],
    });
    t.equal(redirected?.input[20], 2, 'DestinationNicIndex');
    t.equal(redirected?.input[8], 2, 'SourcePortId is kept (rule D30)');
    t.match(original, { origin: 'protocolEdge', route: [{ module: id }] });
    t.same(rules(world), []);
    t.equal(uplink.nics.get(2)?.references, 0);
    t.end();
  },
);

t.test('D31, D38: the status of a redirected request that fails is the original status', (t) => {
  const { world, machine, nic } = scene(redirect(2));
  now(machine.nicRequest(allocate(nic)));
  const second = now(machine.nicRequest(allocate(nic)));
  t.equal(second.status, NdisStatus.RESOURCES);
  t.same(rules(world), []);
  t.end();
});

t.test('D38: completing the original otherwise than its replacement is a finding', (t) => {
  const { world, machine, nic } = scene((sw) => {
    const inner = redirect(2)(sw);
    return {
      nicRequest: (request) => {
        now(inner.nicRequest?.(request));
        return NdisStatus.FAILURE;
      },
    };
  });
  t.equal(now(machine.nicRequest(allocate(nic))).status, NdisStatus.FAILURE);
  t.same(rules(world), ['D38']);
  t.match(
    world.findings[0]?.message,
    /NDIS_STATUS_FAILURE although its own one has NDIS_STATUS_SUCCESS/,
  );
  t.end();
});

t.test(
  'a handler that throws after its redirect: the original ends as that one did (D6, D38)',
  (t) => {
    const { world, machine, uplink, nic } = scene((sw) => {
      const inner = redirect(2)(sw);
      return {
        nicRequest: (request) => {
          now(inner.nicRequest?.(request));
          throw new Error('boom');
        },
      };
    });
    t.equal(now(machine.nicRequest(allocate(nic))).status, NdisStatus.SUCCESS);
    t.equal(adapterOf(uplink, 2).virtualFunctionsUsed, 1);
    t.same(rules(world), ['D6']);
    t.end();
  },
);

t.test('D38: a redirected request is not forwarded as well', (t) => {
  const { world, machine, nic } = scene((sw) => {
    const inner = redirect(1)(sw);
    return {
      nicRequest: (request) => {
        now(inner.nicRequest?.(request));
        return 'forward';
      },
    };
  });
  t.equal(now(machine.nicRequest(allocate(nic))).status, NdisStatus.INVALID_PARAMETER);
  t.same(rules(world), ['D38'], 'index 0 of a team is nobody');
  t.end();
});

t.test(
  'a redirect that pends in the handler: the original waits for it and has its answer',
  async (t) => {
    const { world, machine, nic } = scene((sw) => {
      const inner = redirect(1)(sw);
      return {
        nicRequest: async (request) => {
          await Promise.resolve();
          return inner.nicRequest?.(request) as NdisStatus;
        },
      };
    });
    const outcome = await machine.nicRequest(allocate(nic));
    t.equal(outcome.status, NdisStatus.SUCCESS);
    t.equal(hex(outcome.output.subarray(1626, 1628)), '00 00');
    t.same(rules(world), []);
    t.end();
  },
);

t.test('D2: an originated request is seen only below its extension', (t) => {
  const world = switchWorld();
  const seen: string[] = [];
  const sees = (name: string) => ({ nicRequest: () => void seen.push(name) });
  let context: SwitchContext | undefined;
  const machine = startSwitch(world, [
    extension('capture', sees('capture')),
    extension('filter', (sw) => {
      context = sw;
      return sees('filter');
    }),
    extension('forward', sees('forward')),
  ]);
  const uplink = makeUplink(machine);
  const result = referenced(context as unknown as SwitchContext, {
    destination: { portId: uplink.portId, nicIndex: 1 },
    requestType: 'query',
    oid: OID_GEN_LINK_STATE,
    outputLengthBytes: 40,
  });
  t.same(seen, ['forward']);
  t.equal(result.status, NdisStatus.SUCCESS);
  // NDIS_LINK_STATE: connected, full duplex, 10 Gbit/s = 0x2540BE400 both ways.
  t.equal(
    hex(result.output),
    '80 01 28 00 01 00 00 00 02 00 00 00 00 00 00 00 00 e4 0b 54 02 00 00 00 00 e4 0b 54 02 00 00 00 00 00 00 00 00 00 00 00',
  );
  t.same(rules(world), []);
  t.end();
});

t.test(
  'D36: capture and filter originate queries only; D37: a forwarding extension standard OIDs as well',
  (t) => {
    const group = Uint8Array.of(1, 0, 0x5e, 0, 0, 9);
    const add = OFFLOAD_OIDS.OID_802_3_ADD_MULTICAST_ADDRESS.code;
    for (const type of ['capture', 'filter', 'forward'] as const) {
      const { world, uplink, sw } = scene(undefined, type);
      const destination = { portId: uplink.portId, nicIndex: 1 };
      const asked = referenced(sw, {
        destination,
        requestType: 'query',
        oid: OID_802_3_CURRENT_ADDRESS,
        outputLengthBytes: 6,
      });
      t.equal(hex(asked.output), '02 00 00 00 00 01');
      t.same(rules(world), []);
      const set = referenced(sw, { destination, requestType: 'set', oid: add, input: group });
      t.equal(set.status, NdisStatus.SUCCESS, 'the switch does not refuse it');
      t.same(adapterOf(uplink).multicastAddresses, ['01005e000009']);
      t.same(rules(world), type === 'forward' ? [] : ['D36']);
    }
    t.end();
  },
);

t.test(
  'D32, D34, C58: the destination is the external port and an adapter, and is referenced',
  (t) => {
    const { world, uplink, port, sw } = scene();
    const query = { requestType: 'query' as const, oid: OID_GEN_LINK_STATE, outputLengthBytes: 40 };
    const ask = (portId: number, nicIndex: number): NdisStatus =>
      now(sw.nicRequest({ ...query, destination: { portId, nicIndex } })).status;
    t.equal(ask(uplink.portId, 0), NdisStatus.INVALID_PARAMETER, 'index 0 of a team');
    t.equal(ask(0, 0), NdisStatus.SUCCESS, 'rule D27');
    t.equal(ask(port.portId, 0), NdisStatus.INVALID_PARAMETER);
    t.equal(ask(99, 1), NdisStatus.INVALID_PARAMETER);
    t.same(rules(world), ['D32', 'D32', 'D32', 'D32']);
    world.findings.length = 0;
    t.equal(
      ask(uplink.portId, 1),
      NdisStatus.SUCCESS,
      'without a reference it is carried all the same',
    );
    t.equal(ask(uplink.portId, 9), NdisStatus.INVALID_PARAMETER);
    t.same(rules(world), ['D34', 'D34']);
    t.match(world.findings[1]?.message, /which does not exist/);
    t.end();
  },
);

t.test('D33, D30: the source of a partition is referenced, and kept by a redirect', (t) => {
  const { world, machine, uplink, port, nic, sw } = scene((context) => ({
    nicRequest: ({ destination: { portId }, requestType, oid, data }) =>
      referenced(context, {
        destination: { portId, nicIndex: 1 },
        requestType,
        oid,
        input: data,
        outputLengthBytes: data.length,
      }).status,
  }));
  t.equal(now(machine.nicRequest(allocate(nic))).status, NdisStatus.SUCCESS);
  t.same(rules(world), ['D30']);
  world.findings.length = 0;
  referenced(sw, {
    source: { portId: port.portId, nicIndex: 0 },
    destination: { portId: uplink.portId, nicIndex: 1 },
    requestType: 'query',
    oid: OID_GEN_LINK_STATE,
    outputLengthBytes: 40,
  });
  t.same(rules(world), ['D33']);
  t.end();
});

t.test(
  'D38, D39: offload OIDs of its own accord, and the release of what it did not allocate',
  (t) => {
    const { world, machine, uplink, nic, sw } = scene(redirect(1));
    now(machine.nicRequest(allocate(nic)));
    const destination = { portId: uplink.portId, nicIndex: 2 };
    const input = vfParameters(nic);
    const own = { destination, requestType: 'method' as const, oid: ALLOCATE_VF, input };
    t.equal(referenced(sw, { ...own, outputLengthBytes: 1632 }).status, NdisStatus.SUCCESS);
    t.same(rules(world), ['D38'], 'nobody above asked for it');
    world.findings.length = 0;
    const free = { destination, requestType: 'set' as const, oid: FREE_VF };
    t.equal(referenced(sw, { ...free, input: freeVfParameters(0) }).status, NdisStatus.SUCCESS);
    t.same(rules(world), ['D38'], 'but it was its own');
    t.end();
  },
);

t.test(
  'D39: a request in the place of another frees what that one names, not something else',
  (t) => {
    const vfs: number[] = [];
    const { world, machine, uplink, port, nic } = scene((sw) => ({
      nicRequest: ({ source, destination: { portId }, requestType, oid }) => {
        if (oid !== FREE_VF) return 'forward';
        const [vfId = 0] = vfs;
        sw.referenceNic(source.portId, source.nicIndex);
        const destination = { portId, nicIndex: 1 };
        const input = freeVfParameters(vfId);
        const { status } = referenced(sw, { source, destination, requestType, oid, input });
        sw.dereferenceNic(source.portId, source.nicIndex);
        return status;
      },
    }));
    now(machine.closeNics(uplink));
    now(
      machine.openNics(uplink, [
        nicOptions({ index: 0, type: 'external', name: 'x' }),
        nicOptions({
          index: 1,
          type: 'external',
          name: 'A',
          adapter: { name: 'A', virtualFunctions: 2 },
        }),
      ]),
    );
    for (let i = 0; i < 2; i += 1) now(machine.nicRequest(allocate(nic)));
    vfs.push(1);
    const ask = (vfId: number) =>
      now(
        machine.nicRequest({
          nic,
          requestType: 'set',
          oid: FREE_VF,
          input: freeVfParameters(vfId),
        }),
      );
    t.equal(ask(0).status, NdisStatus.SUCCESS);
    t.same(rules(world), ['D39'], 'asked to free 0, it freed 1');
    world.findings.length = 0;
    vfs[0] = 0;
    t.equal(ask(0).status, NdisStatus.SUCCESS);
    t.same(rules(world), []);
    t.equal(port.state, 'created');
    t.end();
  },
);

t.test(
  'C43, C46, C47: a NIC not connected is named only by who referenced it before NIC_DISCONNECT',
  (t) => {
    let atDisconnect: (() => void) | undefined;
    let atCreate: (() => void) | undefined;
    const { world, machine, uplink, sw } = scene(() => ({
      createNic: () => atCreate?.(),
      disconnectNic: (nic) => {
        if (nic.index === 1) atDisconnect?.();
      },
    }));
    const destination = { portId: uplink.portId, nicIndex: 1 };
    const ask = () =>
      now(
        sw.nicRequest({
          destination,
          requestType: 'query',
          oid: OID_GEN_LINK_STATE,
          outputLengthBytes: 40,
        }),
      ).status;
    t.equal(sw.referenceNic(uplink.portId, 1), NdisStatus.SUCCESS);
    atDisconnect = () => {
      t.equal(ask(), NdisStatus.SUCCESS);
      t.same(rules(world), [], 'rule C47');
      sw.dereferenceNic(uplink.portId, 1);
      t.equal(ask(), NdisStatus.SUCCESS, 'the adapter is still there');
      t.same(rules(world), ['C46']);
    };
    now(machine.closeNics(uplink));
    world.findings.length = 0;
    atCreate = () => {
      const created = uplink.nics.get(0) !== undefined && uplink.nics.get(1) !== undefined;
      if (created) t.equal(ask(), NdisStatus.INVALID_PARAMETER);
    };
    const external = (index: number) =>
      nicOptions({ index, type: 'external', name: `n${index}`, adapter: { name: 'A' } });
    now(machine.openNics(uplink, [external(0), external(1), external(2)], { connect: false }));
    t.same(rules(world), ['C43']);
    t.end();
  },
);

t.test(
  'A53: no request while attaching; options that do not fit are refused with the member',
  (t) => {
    const world = switchWorld();
    const errors: unknown[] = [];
    startSwitch(world, [
      extension('forward', (sw) => {
        for (const call of [
          () =>
            sw.nicRequest({
              destination: { portId: 1, nicIndex: 1 },
              requestType: 'query',
              oid: 1,
            }),
          () => sw.indicateNicStatus({ statusCode: 0x40010017 }),
        ]) {
          try {
            call();
          } catch (error) {
            errors.push(error);
          }
        }
        return {};
      }),
    ]);
    t.match(errors, [{ place: { rule: 'A53' } }, { place: { rule: 'A53' } }]);
    const { sw } = scene();
    const right = {
      destination: { portId: 1, nicIndex: 1 },
      requestType: 'query' as const,
      oid: 1,
    };
    const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
      ['destination', { destination: undefined }],
      ['destination', { destination: { portId: -1, nicIndex: 1 } }],
      ['source', { source: { portId: 1, nicIndex: 65_536 } }],
      ['requestType', { requestType: 'statistics' }],
      ['oid', { oid: 2 ** 32 }],
      ['input', { input: [1, 2] }],
      ['input', { input: new Uint8Array(2 ** 20 + 1) }],
      ['outputLengthBytes', { outputLengthBytes: -1 }],
    ];
    for (const [member, change] of wrong) {
      const options = { ...right, ...change } as unknown as NicRequestOptions;
      t.throws(
        () => sw.nicRequest(options),
        { code: 'INVALID_ARGUMENT', place: { member } },
        member,
      );
    }
    t.throws(() => sw.indicateNicStatus({ statusCode: 1, data: 'x' as unknown as Uint8Array }), {
      code: 'INVALID_ARGUMENT',
      place: { member: 'data' },
    });
    t.end();
  },
);

t.test('D11: raw bytes that are no NIC_REQUEST are refused; right ones are carried', (t) => {
  const { world, uplink, sw } = scene();
  const bytes = new Uint8Array(nicRequestSize(40));
  const head = {
    sourcePortId: 0,
    sourceNicIndex: 0,
    destinationPortId: uplink.portId,
    destinationNicIndex: 1,
    requestType: 0,
    oid: OID_GEN_LINK_STATE,
  };
  writeNicRequest(bytes, 0, head, new Uint8Array(0), 40);
  sw.referenceNic(uplink.portId, 1);
  const carried = now(sw.request('method', 0x10270, bytes, bytes.length));
  sw.dereferenceNic(uplink.portId, 1);
  t.equal(carried.status, NdisStatus.SUCCESS);
  t.equal(hex(carried.output.subarray(280, 288)), '80 01 28 00 01 00 00 00');
  t.same(rules(world), []);
  bytes[24] = 0xff;
  const refused = now(sw.request('method', 0x10270, bytes));
  t.equal(refused.status, NdisStatus.INVALID_PARAMETER);
  t.same(rules(world), ['D11']);
  t.end();
});
