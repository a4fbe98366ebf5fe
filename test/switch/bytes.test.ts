import t from 'tap';
import { OIDS } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { ExtensionHandlers, OidRequest } from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  owner,
  PORT_STATUS,
  portOptions,
  portProperty,
  rules,
  SWITCH_STATUS,
  startSwitch,
  switchProperty,
  switchWorld,
} from '../support/switch-world.ts';

/** Byte changed in each OID, and the rule that forbids it. Every structure has its header at 0. */
const FORBIDDEN: readonly [oid: string, offset: number, rule: string][] = [
  ['OID_SWITCH_PORT_CREATE', 8, 'B26'],
  ['OID_SWITCH_PORT_TEARDOWN', 1052, 'B26'],
  ['OID_SWITCH_PORT_DELETE', 0, 'B26'],
  ['OID_SWITCH_NIC_CREATE', 8, 'C42'],
  ['OID_SWITCH_NIC_CONNECT', 2104, 'C42'],
  ['OID_SWITCH_NIC_DISCONNECT', 1044, 'C42'],
  ['OID_SWITCH_NIC_DELETE', 1052, 'C42'],
  ['OID_SWITCH_PORT_PROPERTY_ADD', 80, 'E22'],
  ['OID_SWITCH_PORT_PROPERTY_UPDATE', 32, 'E22'],
  ['OID_SWITCH_PORT_PROPERTY_DELETE', 16, 'E22'],
  ['OID_SWITCH_PROPERTY_ADD', 72, 'E22'],
  ['OID_SWITCH_PROPERTY_UPDATE', 8, 'E22'],
  ['OID_SWITCH_PROPERTY_DELETE', 12, 'E22'],
  ['OID_SWITCH_PORT_FEATURE_STATUS_QUERY', 8, 'F10'],
  ['OID_SWITCH_FEATURE_STATUS_QUERY', 12, 'F10'],
  ['OID_SWITCH_PARAMETERS', 4, 'D4'],
  ['OID_SWITCH_PORT_ARRAY', 4, 'D4'],
  ['OID_SWITCH_NIC_ARRAY', 4, 'D4'],
  ['OID_SWITCH_PORT_PROPERTY_ENUM', 12, 'D4'],
  ['OID_SWITCH_PROPERTY_ENUM', 8, 'D4'],
];

/** Runs every OID this version sends past `middle`, an extension between an asking one and a watching one. */
function everyOid(middle: ExtensionHandlers) {
  const world = switchWorld();
  const below = new Map<string, string>();
  let ask: (() => unknown[]) | undefined;
  const machine = startSwitch(world, [
    extension('capture', (sw) => {
      ask = () => [
        sw.parameters(),
        sw.ports(),
        sw.nics(),
        sw.portProperties(1, 'Fabrikam_PortSettingData'),
        sw.switchProperties('Fabrikam_SwitchSettingData'),
      ];
      return {};
    }),
    extension('filter', middle, 'middle'),
    extension('forward', {
      oidRequest: (request) => {
        below.set(request.oidName, request.bytes.slice(0, 128).join());
      },
    }),
  ]);
  const port = makePort(machine);
  now(machine.connectNic(port, nicOptions()));
  const property = portProperty(world);
  now(machine.addProperty(port, property));
  now(machine.updateProperty(port, property, { A: 5, B: 6n }));
  const own = switchProperty(world);
  now(machine.addProperty(machine.state, own));
  now(machine.updateProperty(machine.state, own, { Limit: 8 }));
  now(machine.queryStatus(1, PORT_STATUS, world.registry.status('port', PORT_STATUS)));
  now(machine.queryStatus(-1, SWITCH_STATUS, world.registry.status('switch', SWITCH_STATUS)));
  const answers = ask?.() ?? [];
  now(machine.deleteProperty(port, property));
  now(machine.deleteProperty(machine.state, own));
  now(machine.deletePort(port));
  return { world, below, answers };
}

t.test(
  'a byte changed in any OID is put back before the next module sees it and reported with its offset (D4, B26, C42, E22, F10)',
  (t) => {
    const clean = everyOid({});
    t.same(clean.world.findings, []);
    for (const [oid, offset, rule] of FORBIDDEN) {
      const dirty = everyOid({
        oidRequest: (request) => {
          if (request.oidName === oid) request.bytes[offset] = (request.bytes[offset] ?? 0) ^ 0x5a;
        },
      });
      const [finding] = dirty.world.findings;
      t.match(finding, { rule, severity: 'error', oid }, oid);
      t.match(finding?.message, `middle changed byte ${offset} of ${oid} from 0x`);
      t.same(dirty.below, clean.below, `${oid}: the module below sees the bytes as issued`);
      t.same(dirty.answers, clean.answers, `${oid}: the answers are right`);
    }
    t.equal(clean.below.size, 20, 'all OIDs this version sends');
    t.end();
  },
);

t.test(
  'a module that reads the bytes on the way down does not spoil the answer on the way up',
  (t) => {
    const clean = everyOid({});
    const reading = everyOid({
      oidRequest: (request) => {
        t.ok(request.bytes.length > 0);
      },
      oidRequestComplete: (request) => {
        t.ok(request.bytes.length > 0);
      },
    });
    t.same(reading.world.findings, []);
    t.same(reading.answers, clean.answers);
    t.end();
  },
);

t.test('an answer changed in oidRequestComplete is put back (D4, F10)', (t) => {
  const clean = everyOid({});
  const dirty = everyOid({
    oidRequestComplete: (request) => {
      if (/ARRAY/.test(request.oidName)) request.bytes[12] = 77;
    },
  });
  t.same(dirty.answers, clean.answers);
  t.same(new Set(rules(dirty.world)), new Set(['D4']));
  t.end();
});

t.test('an upper module cannot forge the answer of the owner of a feature status (F10)', (t) => {
  for (const where of ['oidRequest', 'oidRequestComplete'] as const) {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        [where]: (request: OidRequest) => {
          request.bytes[80] = 99;
        },
      }),
      owner('forward', { queryPortFeatureStatus: (query) => query.respond({ Packets: 5 }) }),
    ]);
    const port = makePort(machine);
    const codec = world.registry.status('port', PORT_STATUS);
    const answer = now(machine.queryStatus(port.portId, PORT_STATUS, codec));
    t.same([...answer.data], [5, 0, 0, 0], where);
    t.ok(rules(world).includes('F10'), where);
  }
  t.end();
});

t.test(
  'what an extension scribbles while it holds a request is put back however the hold ends (D4)',
  async (t) => {
    const ends: ((request: OidRequest) => unknown)[] = [
      (request) => request.forward(),
      (request) => request.complete(NdisStatus.RESOURCES),
      () => undefined,
    ];
    for (const end of ends) {
      const world = switchWorld();
      let held: OidRequest | undefined;
      const below: number[] = [];
      const machine = startSwitch(world, [
        extension('filter', {
          teardownPort: (_port, request) => {
            held = request;
            return request.pend();
          },
        }),
        extension('forward', {
          teardownPort: (_port, request) => {
            below.push(request.bytes[8] ?? -1);
          },
        }),
      ]);
      const port = makePort(machine);
      const sent = machine.deletePort(port);
      const bytes = held?.bytes;
      if (bytes !== undefined) bytes[8] = 0xee;
      if (held !== undefined) end(held);
      world.clock.advance(12_000);
      await sent;
      t.equal(rules(world).filter((rule) => rule === 'B26').length, 1);
      t.match(
        world.findings.find(({ rule }) => rule === 'B26')?.message,
        'filter changed byte 8 of',
      );
      t.same(
        below.filter((byte) => byte !== 1),
        [],
      );
    }
  },
);

t.test(
  'an async handler that scribbles and rejects is found out itself, not the module below (D4)',
  async (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        async teardownPort(_port, request) {
          await Promise.resolve();
          request.bytes[8] = 0xee;
          throw new Error('gone');
        },
      }),
      extension('forward', { teardownPort: (_port, request) => void request.bytes }),
    ]);
    const port = makePort(machine);
    await machine.deletePort(port);
    t.same(
      world.findings.map(({ rule, message }) => `${rule} ${message.split(' ', 1)[0]}`),
      ['D6 filter', 'B26 filter'],
    );
  },
);

/** NIC_CREATE past these handlers; gives the MTU at the end and what was found. */
function createNic(
  handlers: readonly ((bytes: DataView) => void)[],
  options: { readonly type?: 'emulated'; readonly ndis?: '6.30' } = {},
) {
  const world = switchWorld(options.ndis ?? '6.85');
  const machine = startSwitch(
    world,
    handlers.map((change, i) =>
      extension(
        'filter',
        {
          createNic: (_nic, request) => {
            const { bytes } = request;
            change(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
          },
        },
        `f${i}`,
      ),
    ),
  );
  const type = options.type ?? 'synthetic';
  const port = makePort(machine, type);
  const { nic } = now(machine.connectNic(port, nicOptions({ type })));
  const connect = world.trace.entries({ oid: 'OID_SWITCH_NIC_CONNECT' })[0];
  return {
    mtu: nic.mtu,
    connectMtu: new DataView((connect as { input: Uint8Array }).input.buffer).getUint32(2104, true),
    rules: rules(world),
  };
}
const setMtu =
  (mtu: number) =>
  (bytes: DataView): void =>
    bytes.setUint32(2104, mtu, true);

t.test(
  'MTU may be lowered in NIC_CREATE while the NIC initializes; CONNECT shows the lowest value (C19, C20, OP-35)',
  (t) => {
    t.same(createNic([setMtu(1400)]), { mtu: 1400, connectMtu: 1400, rules: [] });
    t.same(createNic([setMtu(1400), setMtu(1300)]), { mtu: 1300, connectMtu: 1300, rules: [] });
    t.same(createNic([setMtu(1501)]), { mtu: 1500, connectMtu: 1500, rules: ['C20'] });
    t.same(
      createNic([setMtu(1400), setMtu(1450)]),
      { mtu: 1400, connectMtu: 1400, rules: ['C20'] },
      'raising what an extension above lowered',
    );
    t.same(
      createNic([setMtu(1400)], { type: 'emulated' }),
      { mtu: 1500, connectMtu: 1500, rules: ['C20'] },
      'an emulated NIC is never NIC_INITIALIZING (C17)',
    );
    t.same(
      createNic([setMtu(1400)], { ndis: '6.30' }),
      { mtu: 1500, connectMtu: 1500, rules: ['C20'] },
      'the flag came with NDIS 6.40 (C17)',
    );
    t.end();
  },
);

t.test(
  'lowering MTU and changing another byte: the MTU stays, the rest is put back (C19, C42)',
  (t) => {
    const changed = createNic([
      (bytes) => {
        bytes.setUint32(2104, 1280, true);
        bytes.setUint8(1040, 9);
      },
    ]);
    t.same(changed, { mtu: 1280, connectMtu: 1280, rules: ['C42'] });
    t.end();
  },
);

t.test('an MTU lowered in oidRequestComplete comes too late (C42)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {
      oidRequestComplete: (request) => {
        if (request.oid !== OIDS.OID_SWITCH_NIC_CREATE.code) return;
        request.bytes[2104] = 1;
        request.bytes[2105] = 1;
      },
    }),
  ]);
  const port = makePort(machine);
  t.equal(now(machine.connectNic(port, nicOptions())).nic.mtu, 1500);
  t.equal(world.findings.length, 1);
  t.end();
});

t.test(
  'result counters are ULONGs, belong to the module that has the request, and are no way to break the switch (D5)',
  (t) => {
    const world = switchWorld();
    const wrong = [Number.NaN, -5, 1.5, 2 ** 40];
    let next = 0;
    const machine = startSwitch(world, [
      extension('filter', {
        oidRequest: (request) => {
          const value = wrong[next % wrong.length] ?? 0;
          next += 1;
          request.bytesWritten = value;
          request.bytesNeeded = value;
          request.bytesRead = value;
          t.ok(request.bytesWritten >= 0 && Number.isInteger(request.bytesWritten));
        },
        oidRequestComplete: (request) => {
          t.throws(
            () => {
              request.bytesNeeded = 0xffff_ffff;
            },
            { code: 'ILLEGAL_TRANSITION' },
          );
          t.equal(
            request.bytesRead + request.bytesNeeded + request.bytesWritten,
            request.bytesRead,
          );
        },
      }),
    ]);
    for (const name of ['a', 'b', 'c', 'd'])
      now(machine.createPort(portOptions('synthetic', name)));
    now(machine.queryStatus(-1, SWITCH_STATUS, undefined));
    t.equal(world.trace.entries().length, 5);
    t.same(
      world.trace.entries().map(({ output }) => output?.length),
      [undefined, undefined, undefined, undefined, 0],
    );
    t.same(world.findings, []);
    t.end();
  },
);
