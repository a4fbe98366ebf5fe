import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  FeatureStatusQuery,
  PortFeatureStatusQuery,
  Verdict,
} from '../../src/sdk/extension.ts';
import { CLASS_OWNER } from '../support/feature-classes.ts';
import {
  extension,
  fromHex,
  hex,
  makePort,
  now,
  owner,
  PORT_STATUS,
  rules,
  SWITCH_STATUS,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

const PORT_STATUS_BYTES = '0d 0c 0b 0a 0f 0e 11 10 12 13 14 15 16 17 18 19';
const SWITCH_STATUS_BYTES = '1d 1c 1b 1a 1f 1e 21 20 22 23 24 25 26 27 28 29';

/** Asks the port's status and the switch's past these handlers. */
function asked(handlers: ExtensionHandlers, withCodec = true) {
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {}),
    owner('forward', handlers, 'owner'),
  ]);
  makePort(machine);
  world.trace.clear();
  return {
    world,
    machine,
    port: () =>
      now(
        machine.queryStatus(
          1,
          PORT_STATUS,
          withCodec ? world.registry.status('port', PORT_STATUS) : undefined,
        ),
      ),
    sw: () =>
      now(
        machine.queryStatus(
          -1,
          SWITCH_STATUS,
          withCodec ? world.registry.status('switch', SWITCH_STATUS) : undefined,
        ),
      ),
  };
}

t.test(
  'OID_SWITCH_PORT_FEATURE_STATUS_QUERY goes out with these bytes and comes back with these (F1-F4, F9, OP-33)',
  (t) => {
    const seen: unknown[] = [];
    const { port, world } = asked({
      queryPortFeatureStatus: (query) => {
        seen.push([
          query.portId,
          query.featureStatusId,
          query.featureStatusInstanceId,
          query.feature,
          query.capacityBytes,
          query.request.oidName,
        ]);
        return query.respond({ Packets: 0x01020304 });
      },
    });
    const answer = port();
    t.same(seen, [
      [
        1,
        PORT_STATUS,
        '00000000-0000-0000-0000-000000000000',
        'Fabrikam_PortStatus',
        4,
        'OID_SWITCH_PORT_FEATURE_STATUS_QUERY',
      ],
    ]);
    t.match(answer, { status: 0, version: 0x0203 });
    t.equal(hex(answer.data), '04 03 02 01');
    const [entry] = world.trace.entries();
    t.equal(entry?.requestType, 'method');
    const head = (version: string): string => `80 01 40 00 00 00 00 00 01 00 00 00 01 00 00 00
    ${PORT_STATUS_BYTES} ${version} 01 00 16*00   ; version, SerializationVersion 1, instance
    14 00 00 00 40 00 00 00 00 00 00 00           ; length 16 + 4, offset 64, Reserved
    80 01 10 00 00 00 00 00 04 00 00 00 10 00 00 00`;
    t.equal(hex(entry?.input ?? new Uint8Array()), hex(fromHex(`${head('00 00')} 4*00`)));
    t.equal(
      hex(entry?.output ?? new Uint8Array()),
      hex(fromHex(`${head('03 02')} 04 03 02 01`)),
      'version and data are what the owner set',
    );
    t.end();
  },
);

t.test(
  'OID_SWITCH_FEATURE_STATUS_QUERY: INVALID_LENGTH with BytesNeeded, asked again with room (F5, F11, S7)',
  (t) => {
    const rooms: number[] = [];
    const { sw, world } = asked({
      querySwitchFeatureStatus: (query) => {
        rooms.push(query.capacityBytes);
        t.equal(query.featureStatusId, SWITCH_STATUS);
        t.equal(query.featureStatusInstanceId, '00000000-0000-0000-0000-000000000000');
        t.equal('portId' in query, false);
        return query.respond({ PortIds: [1, 2, 3] });
      },
    });
    const answer = sw();
    // Fixed part: u32 count and u32 offset of the array (R9), then three u32: 8 + 12 bytes.
    t.same(rooms, [8, 20]);
    t.equal(answer.status, NdisStatus.SUCCESS);
    t.equal(hex(answer.data), '03 00 00 00 08 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00');
    const [first, second] = world.trace.entries();
    t.equal(first?.status, 'NDIS_STATUS_INVALID_LENGTH');
    t.equal(first?.output?.length, 0);
    t.equal(
      hex(second?.input.subarray(0, 72) ?? new Uint8Array()),
      hex(
        fromHex(`80 01 38 00 00 00 00 00 01 00 00 00 ${SWITCH_STATUS_BYTES} 16*00
      00 00 01 00 38 00 00 00 24 00 00 00              ; version, serialization 1, offset 56, length 16 + 20
      80 01 10 00 00 00 00 00 14 00 00 00 10 00 00 00`),
      ),
    );
    t.equal(second?.output?.length, 92);
    t.equal(hex(second?.output?.subarray(44, 46) ?? new Uint8Array()), '00 01', 'version 1.0');
    t.same(
      second?.route.map(({ verdict }) => verdict),
      ['forward', 'NDIS_STATUS_SUCCESS'],
    );
    t.end();
  },
);

t.test('BUFFER_TOO_SHORT is taken for INVALID_LENGTH (OP-32)', (t) => {
  let calls = 0;
  const { port } = asked({
    queryPortFeatureStatus: (query) => {
      calls += 1;
      if (query.capacityBytes >= 100) return query.respondRaw(new Uint8Array(100).fill(7));
      query.request.bytesNeeded = 80 + 100;
      return NdisStatus.BUFFER_TOO_SHORT;
    },
  });
  t.equal(port().data.length, 100);
  t.equal(calls, 2);
  t.end();
});

t.test(
  'an owner that always wants more, wants nothing more or wants too much is not asked for ever',
  (t) => {
    const greedy = (needed: (query: PortFeatureStatusQuery) => number): number[] => {
      let calls = 0;
      const { port } = asked({
        queryPortFeatureStatus: (query) => {
          calls += 1;
          query.request.bytesNeeded = needed(query);
          return NdisStatus.INVALID_LENGTH;
        },
      });
      const answer = port();
      t.equal(answer.status, NdisStatus.INVALID_LENGTH);
      return [calls, answer.data.length];
    };
    t.same(
      greedy((query) => 80 + query.capacityBytes + 8),
      [8, 0],
    );
    t.same(
      greedy((query) => 80 + query.capacityBytes),
      [1, 0],
    );
    t.same(
      greedy(() => 0),
      [1, 0],
    );
    t.same(
      greedy(() => 0xffff_ffff),
      [1, 0],
    );
    t.end();
  },
);

t.test('an id nobody owns ends as NOT_SUPPORTED at the miniport edge (F7, F13, OP-34)', (t) => {
  const { port, sw, world } = asked({
    queryPortFeatureStatus: () => 'forward',
    querySwitchFeatureStatus: () => undefined,
  });
  for (const answer of [port(), sw()]) {
    t.equal(answer.status, NdisStatus.NOT_SUPPORTED);
    t.equal(answer.completedBy, undefined);
    t.equal(answer.data.length, 0);
  }
  t.same(world.findings, []);
  t.end();
});

t.test(
  'a status without a registered class: raw bytes with a version of their own, respond() forwards (F7)',
  (t) => {
    const raw = asked(
      {
        queryPortFeatureStatus: (query) => query.respondRaw(Uint8Array.of(1, 2, 3), 0x0507),
        querySwitchFeatureStatus: (query) => query.respondRaw(Uint8Array.of(9)),
      },
      false,
    );
    const port = raw.port();
    t.same([...port.data], [1, 2, 3]);
    t.equal(port.version, 0x0507);
    t.equal(raw.sw().version, 0x0100);
    const values = asked(
      { queryPortFeatureStatus: (query) => query.respond({ Packets: 1 }) },
      false,
    );
    const nobody = values.port();
    t.equal(nobody.status, NdisStatus.NOT_SUPPORTED, 'the miniport edge ends it');
    t.equal(nobody.completedBy, undefined);
    t.same(values.world.findings, []);
    const named = asked({ queryPortFeatureStatus: (query) => query.respondRaw(Uint8Array.of(1)) });
    t.equal(named.port().version, 0x0203, 'the class version');
    t.end();
  },
);

t.test(
  'respond() forwards the id of a class that is another extension’s, untouched (F7)',
  async (t) => {
    const said: Verdict[] = [];
    const greedy = (query: FeatureStatusQuery): Verdict => {
      const verdict = query.respond({ Packets: 9, PortIds: [9] });
      said.push(verdict);
      return verdict;
    };
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('capture', { queryPortFeatureStatus: greedy, querySwitchFeatureStatus: greedy }),
      extension('filter', { queryPortFeatureStatus: async (query) => greedy(query) as 'forward' }),
      owner('forward', {
        queryPortFeatureStatus: (query) => query.respond({ Packets: 0x01020304 }),
        querySwitchFeatureStatus: (query) => query.respond({ PortIds: [5] }),
      }),
    ]);
    makePort(machine);
    const port = world.registry.status('port', PORT_STATUS);
    const sw = world.registry.status('switch', SWITCH_STATUS);
    const ofPort = await machine.queryStatus(1, PORT_STATUS, port);
    t.match(ofPort, { status: NdisStatus.SUCCESS, completedBy: CLASS_OWNER, version: 0x0203 });
    t.equal(hex(ofPort.data), '04 03 02 01');
    const ofSwitch = await machine.queryStatus(-1, SWITCH_STATUS, sw);
    t.equal(ofSwitch.completedBy, CLASS_OWNER);
    t.equal(hex(ofSwitch.data), '01 00 00 00 08 00 00 00 05 00 00 00');
    // Two asked about the port, one about the switch: without room for the array, then with it (rule F5).
    t.same(said, ['forward', 'forward', 'forward', 'forward']);
    t.same(world.findings, []);
  },
);

t.test('values that do not fit the class end the query with FAILURE (F12)', (t) => {
  const { port, world } = asked({
    queryPortFeatureStatus: (query) => query.respond({ Packets: 'many' }),
  });
  t.equal(port().status, NdisStatus.FAILURE);
  t.same(rules(world), ['D6']);
  t.end();
});

t.test('an answer that claims more bytes than there is room is cut to the room (F9)', (t) => {
  const claim =
    (at: number) =>
    (query: FeatureStatusQuery): Verdict => {
      query.request.bytes.fill(0xff, at, at + 4);
      return NdisStatus.SUCCESS;
    };
  const { port, sw, world } = asked({
    queryPortFeatureStatus: claim(72),
    querySwitchFeatureStatus: claim(64),
  });
  t.equal(port().data.length, 4);
  t.equal(sw().data.length, 8);
  t.same(world.findings, [], 'the length is the owner’s to write');
  t.end();
});

t.test(
  'an answering extension may write version, custom length and data, and nothing else (F9, F10)',
  (t) => {
    const changed: number[] = [];
    for (let offset = 0; offset < 84; offset += 1) {
      const { port, world } = asked({
        queryPortFeatureStatus: (query) => {
          const { bytes } = query.request;
          bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
          return NdisStatus.SUCCESS;
        },
      });
      port();
      if (world.findings.length === 0) changed.push(offset);
      else t.match(world.findings, [{ rule: 'F10' }]);
    }
    t.same(changed, [32, 33, 72, 73, 74, 75, 80, 81, 82, 83]);
    t.end();
  },
);

t.test('a capturing extension may answer for its own id (OP-2)', (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, [
    owner('capture', { querySwitchFeatureStatus: (query) => query.respond({ PortIds: [] }) }),
  ]);
  const codec = world.registry.status('switch', SWITCH_STATUS);
  t.equal(now(machine.queryStatus(-1, SWITCH_STATUS, codec)).status, NdisStatus.SUCCESS);
  t.same(world.findings, []);
  t.end();
});

t.test('a status query that is pended is answered later', async (t) => {
  const world = switchWorld();
  let kept: FeatureStatusQuery | undefined;
  const machine = startSwitch(world, [
    owner('filter', {
      querySwitchFeatureStatus: (query) => {
        kept = query;
        return query.request.pend();
      },
    }),
  ]);
  const codec = world.registry.status('switch', SWITCH_STATUS);
  const sent = machine.queryStatus(-1, SWITCH_STATUS, codec);
  const verdict = kept?.respond({ PortIds: [] });
  if (verdict !== undefined && verdict !== 'forward') kept?.request.complete(verdict);
  const answer = await sent;
  t.equal(answer.status, NdisStatus.SUCCESS);
  t.equal(hex(answer.data), '00 00 00 00 00 00 00 00');
});

t.test(
  'SerializationVersion behind FeatureStatusVersion is not the answering extension’s (F9, F10)',
  async (t) => {
    // Of the switch: version at 44, serialization at 46; of a port: 32 and 34.
    for (const [portId, versionAt] of [
      [-1, 44],
      [1, 32],
    ] as const) {
      const broken: number[] = [];
      for (let offset = versionAt; offset < versionAt + 4; offset += 1) {
        const world = switchWorld();
        const scribble = ({ request }: FeatureStatusQuery): Verdict => {
          request.bytes[offset] = (request.bytes[offset] ?? 0) ^ 0xff;
          return NdisStatus.SUCCESS;
        };
        const machine = startSwitch(world, [
          extension('forward', {
            queryPortFeatureStatus: scribble,
            querySwitchFeatureStatus: scribble,
          }),
        ]);
        makePort(machine);
        const codec =
          portId === -1
            ? world.registry.status('switch', SWITCH_STATUS)
            : world.registry.status('port', PORT_STATUS);
        await machine.queryStatus(portId, portId === -1 ? SWITCH_STATUS : PORT_STATUS, codec);
        if (rules(world).includes('F10')) broken.push(offset - versionAt);
      }
      t.same(broken, [2, 3], `port ${portId}`);
    }
  },
);

t.test(
  'an answer one byte longer than the room ends with INVALID_LENGTH and what it needs (F11)',
  async (t) => {
    for (const [portId, fixed] of [
      // Parameters 56 or 64 bytes, custom structure 16.
      [-1, 72],
      [1, 80],
    ] as const) {
      for (let more = 1; more <= 8; more += 1) {
        const world = switchWorld();
        const ends: (readonly [status: Verdict, needed: number])[] = [];
        const rooms: number[] = [];
        const answer = (query: FeatureStatusQuery): Verdict => {
          rooms.push(query.capacityBytes);
          const status = query.respondRaw(new Uint8Array((rooms[0] ?? 0) + more).fill(7));
          ends.push([status, query.request.bytesNeeded]);
          return status;
        };
        const machine = startSwitch(world, [
          extension('forward', {
            queryPortFeatureStatus: answer,
            querySwitchFeatureStatus: answer,
          }),
        ]);
        makePort(machine);
        const id = portId === -1 ? SWITCH_STATUS : PORT_STATUS;
        const codec = world.registry.status(portId === -1 ? 'switch' : 'port', id);
        const { data } = await machine.queryStatus(portId, id, codec);
        const wanted = (rooms[0] ?? 0) + more;
        t.same(ends[0], [NdisStatus.INVALID_LENGTH, fixed + wanted], `${portId}: ${more} more`);
        t.equal(data.length, wanted, 'asked again with that room');
        t.same(rules(world), []);
      }
    }
  },
);

t.test(
  'values one element longer than the room end with INVALID_LENGTH and what they need (F11)',
  async (t) => {
    const world = switchWorld();
    const ends: (readonly [status: Verdict, needed: number])[] = [];
    const machine = startSwitch(world, [
      owner('forward', {
        querySwitchFeatureStatus: (query) => {
          // Count and offset of the array, 8 bytes, then one u32 (R9): 4 bytes beyond the room for none.
          const status = query.respond({ PortIds: [5] });
          ends.push([status, query.request.bytesNeeded]);
          return status;
        },
      }),
    ]);
    const codec = world.registry.status('switch', SWITCH_STATUS);
    const { data } = await machine.queryStatus(-1, SWITCH_STATUS, codec);
    t.same(ends[0], [NdisStatus.INVALID_LENGTH, 72 + 12]);
    t.same([...data], [1, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0]);
    t.same(rules(world), []);
  },
);
