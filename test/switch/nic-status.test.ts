import t from 'tap';
import { decodePayload } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  NicStatusIndication,
  NicStatusOptions,
  SwitchContext,
} from '../../src/sdk/extension.ts';
import type { TraceEntry } from '../../switch/trace.ts';
import {
  extension,
  fromHex,
  hex,
  nicOptions,
  now,
  rules,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';
import { makeUplink, makeVm } from '../support/uplink.ts';

type Handlers = ExtensionHandlers | ((sw: SwitchContext) => ExtensionHandlers);

/** A switch with a capture, a filter and a forwarding extension, a team of two adapters, and a VM. */
function scene(handlers: Partial<Record<'capture' | 'filter' | 'forward', Handlers>> = {}) {
  const world = switchWorld();
  const contexts: Record<string, SwitchContext> = {};
  const stack = (['capture', 'filter', 'forward'] as const).map((type) =>
    extension(type, (sw) => {
      contexts[type] = sw;
      const given = handlers[type] ?? {};
      return typeof given === 'function' ? given(sw) : given;
    }),
  );
  const machine = startSwitch(world, stack);
  const uplink = makeUplink(machine, [
    { name: 'A', virtualFunctions: 1 },
    { name: 'B', virtualFunctions: 1 },
  ]);
  const indications = (): TraceEntry[] =>
    world.trace.entries({ oid: 'NDIS_STATUS_SWITCH_NIC_STATUS' });
  const names = new Map(machine.modules.map(({ id, name }) => [id, name]));
  const routeOf = (entry: TraceEntry | undefined) =>
    entry?.route.map(({ module, verdict }) => `${names.get(module) ?? module}:${verdict}`);
  const arrived = () => world.changes.filter(({ event }) => event === 'nicStatus');
  const context = (type: string): SwitchContext => contexts[type] as SwitchContext;
  return { world, machine, uplink, indications, routeOf, arrived, context, ...makeVm(machine) };
}

t.test(
  'H1, H2, H3: an adapter status is wrapped, goes up forward, filter, capture, and is unwrapped at the protocol edge',
  (t) => {
    const seen: string[] = [];
    const sees = (name: string): ExtensionHandlers => ({
      nicStatus: ({ source, destination, statusName, data }) =>
        void seen.push(
          `${name} ${source.portId}/${source.nicIndex} ${destination.portId}/${destination.nicIndex} ${statusName} ${hex(data)}`,
        ),
    });
    const { world, machine, indications, routeOf, arrived } = scene({
      capture: sees('capture'),
      filter: sees('filter'),
      forward: sees('forward'),
    });
    machine.indicateAdapterStatus(2, 0x40010018, Uint8Array.of(0xca, 0xfe));
    const what = '1/2 0/0 NDIS_STATUS_NETWORK_CHANGE ca fe';
    t.same(seen, [`forward ${what}`, `filter ${what}`, `capture ${what}`]);
    t.match(arrived(), [
      {
        status: 'NDIS_STATUS_NETWORK_CHANGE',
        sourcePortId: 1,
        sourceNicIndex: 2,
        destinationPortId: 0,
        destinationNicIndex: 0,
      },
    ]);
    const [entry] = indications();
    t.match(entry, {
      request: 0,
      requestType: 'indication',
      origin: 'miniportEdge',
      status: 'NDIS_STATUS_NETWORK_CHANGE',
    });
    t.same(routeOf(entry), [
      'forward:forward',
      'filter:forward',
      'capture:forward',
      'protocolEdge:NDIS_STATUS_NETWORK_CHANGE',
    ]);
    t.equal(
      hex(entry?.input.subarray(0, 32) ?? new Uint8Array(0)),
      hex(fromHex('80 01 20 00 4*00 01 00 00 00 02 00 2*00 8*00 20 7*00')),
    );
    t.equal(entry?.input.length, 146);
    t.match(decodePayload(entry?.oid ?? '', entry?.input ?? new Uint8Array(0)), {
      SourceNicIndex: 2,
      EncapsulatedIndication: { StatusBufferSize: 2, Data: 'cafe' },
    });
    t.same(rules(world), []);
    t.end();
  },
);

t.test(
  'S8 step 7: a link that goes down and up indicates NDIS_LINK_STATE; no change, no indication',
  (t) => {
    const { machine, uplink, indications } = scene();
    machine.setLink(1, true);
    machine.setLink(1, false);
    machine.setLink(1, false);
    machine.setLink(1, true);
    t.equal(uplink.nics.get(1)?.adapter?.linkUp, true);
    t.same(
      indications().map(({ status, input }) => `${status} ${hex(input.subarray(144, 156))}`),
      [
        // MediaConnectState disconnected, duplex unknown; then connected, full duplex.
        'NDIS_STATUS_LINK_STATE 80 01 28 00 02 00 00 00 00 00 00 00',
        'NDIS_STATUS_LINK_STATE 80 01 28 00 01 00 00 00 02 00 00 00',
      ],
    );
    for (const index of [0, 3, 33]) {
      t.throws(() => machine.setLink(index, false), {
        code: 'NOT_FOUND',
        place: { member: 'index' },
      });
    }
    const privateSwitch = startSwitch(switchWorld(), [], 'private');
    t.throws(() => privateSwitch.indicateAdapterStatus(1, 1), {
      code: 'NOT_FOUND',
      place: { member: 'index' },
    });
    t.end();
  },
);

/** A teaming provider's way: its own copy in the name of the external NIC, the original swallowed (rules H6, H7, H9). */
const consolidate = (sw: SwitchContext): ExtensionHandlers => ({
  nicStatus: ({ source: { portId, nicIndex }, statusCode, data }) => {
    if (nicIndex === 0) return 'forward';
    sw.referenceNic(portId, 0);
    sw.indicateNicStatus({ source: { portId, nicIndex: 0 }, statusCode, data });
    sw.dereferenceNic(portId, 0);
    return 'drop';
  },
});

t.test(
  'H6, H7: a forwarding extension swallows an indication and raises its own from its place upwards',
  (t) => {
    const seen: string[] = [];
    const { world, machine, indications, routeOf, arrived } = scene({
      filter: {
        nicStatus: ({ source: { portId, nicIndex } }) => void seen.push(`${portId}/${nicIndex}`),
      },
      forward: consolidate,
    });
    machine.setLink(2, false);
    t.same(seen, ['1/0'], 'modules above see the one with the external NIC as source');
    const [own, original] = indications();
    t.same(routeOf(own), [
      'filter:forward',
      'capture:forward',
      'protocolEdge:NDIS_STATUS_LINK_STATE',
    ]);
    t.equal(own?.origin, machine.modules[2]?.id);
    t.same(routeOf(original), ['forward:drop']);
    t.equal(arrived().length, 1, 'the swallowed one did not arrive');
    // Rule H10: SourceHandle at 32 + 8; the miniport is 1, the third module from the top 4.
    t.equal(own?.input[40], 4);
    t.equal(original?.input[40], 1);
    t.same(rules(world), []);
    t.end();
  },
);

t.test(
  'H4, H5: who is no forwarding extension cannot swallow; throwing, promises and nonsense are contained',
  (t) => {
    const verdicts: readonly (readonly [string, () => unknown, string])[] = [
      ['drop', () => 'drop', 'H5'],
      [
        'throw',
        () => {
          throw new Error('boom');
        },
        'H4',
      ],
      ['promise', () => Promise.reject(new Error('late')), 'H4'],
      ['nonsense', () => NdisStatus.FAILURE, 'H4'],
    ];
    for (const [name, nicStatus, rule] of verdicts) {
      const { world, machine, arrived } = scene({ filter: { nicStatus } as ExtensionHandlers });
      machine.setLink(1, false);
      t.equal(arrived().length, 1, `${name}: it arrives all the same`);
      t.same(rules(world), [rule], name);
    }
    t.end();
  },
);

t.test('H6: bytes a handler changes are put back before the next module sees them', (t) => {
  const kept: NicStatusIndication[] = [];
  const seen: string[] = [];
  const { world, machine } = scene({
    forward: {
      nicStatus: (indication) => {
        kept.push(indication);
        indication.data.fill(0);
      },
    },
    filter: {
      nicStatus: ({ data, bytes }) => void seen.push(`${hex(data.subarray(0, 4))} ${bytes[0]}`),
    },
  });
  machine.setLink(1, false);
  t.same(seen, ['80 01 28 00 128']);
  t.same(rules(world), ['H6']);
  t.end();
});

t.test('H5, H7, H8, H9, H11, H12, H13: what an extension may not indicate is a finding', (t) => {
  const cases: readonly (readonly [
    string,
    string,
    (at: { external: number; vm: number }) => NicStatusOptions,
    readonly string[],
  ])[] = [
    [
      'a filter raises one',
      'filter',
      ({ external }) => ({ source: { portId: external, nicIndex: 0 }, statusCode: 0x40010017 }),
      ['H5', 'H9'],
    ],
    [
      'the source is an adapter',
      'forward',
      ({ external }) => ({ source: { portId: external, nicIndex: 1 }, statusCode: 0x40010017 }),
      ['H7', 'H9'],
    ],
    ['nothing is named', 'forward', () => ({ statusCode: 0x40010017 }), ['H7', 'H9']],
    [
      'a VM and a source',
      'forward',
      ({ external, vm }) => ({
        source: { portId: external, nicIndex: 0 },
        destination: { portId: vm, nicIndex: 0 },
        statusCode: 0x40020010,
      }),
      ['H8', 'H9'],
    ],
    [
      'REMOVE_VF with data, for a NIC without a virtual function',
      'forward',
      ({ vm }) => ({
        destination: { portId: vm, nicIndex: 0 },
        statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF,
        data: Uint8Array.of(1),
      }),
      ['H11', 'H12', 'H9'],
    ],
    [
      'a capture extension raises REMOVE_VF',
      'capture',
      ({ vm }) => ({
        destination: { portId: vm, nicIndex: 0 },
        statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF,
      }),
      ['H12', 'H12', 'H9'],
    ],
  ];
  for (const [why, type, options, expected] of cases) {
    const { world, uplink, port, context, arrived } = scene();
    context(type).indicateNicStatus(options({ external: uplink.portId, vm: port.portId }));
    t.same(rules(world), expected, why);
    t.equal(arrived().length, 1, 'and arrives all the same');
  }
  t.end();
});

t.test(
  'C43, C46, H13: no indication for a NIC that is created only or disconnected, unless referenced before (C47)',
  (t) => {
    let atDisconnect: (() => void) | undefined;
    const { world, machine, port, nic, context } = scene({
      forward: { disconnectNic: () => atDisconnect?.() },
    });
    const sw = context('forward');
    const destination = { portId: port.portId, nicIndex: 0 };
    sw.referenceNic(port.portId, 0);
    atDisconnect = () => {
      sw.indicateNicStatus({ destination, statusCode: 0x40020010 });
      t.same(rules(world), [], 'rule C47');
      sw.indicateNicStatus({ destination, statusCode: NdisStatus.SWITCH_PORT_REMOVE_VF });
      t.same(rules(world), ['H13']);
      sw.dereferenceNic(port.portId, 0);
      sw.indicateNicStatus({ destination, statusCode: 0x40020010 });
      t.same(rules(world), ['H13', 'C46']);
    };
    now(machine.disconnectNic(port, nic));
    world.findings.length = 0;
    now(machine.openNics(port, [nicOptions()], { connect: false }));
    sw.indicateNicStatus({ destination, statusCode: 0x40020010 });
    t.same(rules(world), ['C43']);
    t.end();
  },
);

t.test('the trace keeps indications in its ring beside requests, and lets the oldest go', (t) => {
  const { world, machine, indications } = scene();
  for (let i = 0; i < 1100; i += 1) machine.setLink(1, i % 2 === 1);
  const kept = indications();
  t.ok(kept.length > 900 && kept.length <= 1000);
  t.match(kept.at(-1), { status: 'NDIS_STATUS_LINK_STATE', requestType: 'indication' });
  t.equal(world.trace.entries({ limit: 1 })[0]?.seq, kept.at(-1)?.seq);
  const large = new Uint8Array(2 ** 20);
  machine.indicateAdapterStatus(1, 0x40010018, large);
  t.equal(indications().at(-1)?.input.length, 0, 'larger than the whole ring: no bytes');
  t.end();
});
