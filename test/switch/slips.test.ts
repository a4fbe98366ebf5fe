import t from 'tap';
import {
  writeEnumEntry,
  writeFeatureStatusQuery,
  writeNicRequest,
  writeSaveState,
} from '../../src/abi/index.ts';
import { Rng } from '../../src/core/rng.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidRequest, SwitchContext } from '../../src/sdk/extension.ts';
import { REQUEST_TYPE, OidRequest as Request } from '../../switch/oid-request.ts';
import {
  PORT_DELETE_HEAD,
  PORT_HEAD,
  SWITCH_DELETE_HEAD,
  SWITCH_HEAD,
  writeHead,
} from '../../switch/property-bytes.ts';
import { Switch } from '../../switch/switch.ts';
import { TraceRing } from '../../switch/trace.ts';
import {
  extension,
  INSTANCE,
  makePort,
  nicOptions,
  PORT_FEATURE,
  portOptions,
  portProperty,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/* Small slips in the runtime that no other test noticed when they were made on purpose (docs/reference/mutants.md). */

const PORT_ARRAY = 0x10276;
const SWITCH_PARAMETERS = 0x10275;
const nothing = new Uint8Array(0);

t.test(
  'requests that wait at several modules go on from the bottom up: none overtakes one below it (D1, D2)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const contexts: SwitchContext[] = [];
    const seen: string[] = [];
    const asking = (sw: SwitchContext) => {
      contexts.push(sw);
      return {};
    };
    const machine = startSwitch(world, [
      extension('capture', asking, 'top'),
      extension('filter', asking, 'middle'),
      extension('forward', {
        oidRequest: (request) => {
          seen.push(request.oidName);
          if (request.oidName !== 'OID_SWITCH_PORT_CREATE') return 'forward';
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const sent = machine.createPort(portOptions());
    // Attached from the bottom up.
    const [middle, top] = contexts;
    const asked = [
      top?.request('query', PORT_ARRAY, nothing),
      middle?.request('query', SWITCH_PARAMETERS, nothing),
    ];
    t.same(
      machine.modules.map(({ queue }) => queue.length),
      [0, 1, 1],
      'one waits at the middle, one at the bottom',
    );
    held[0]?.forward();
    await sent;
    await Promise.all(asked);
    t.same(seen, ['OID_SWITCH_PORT_CREATE', 'OID_SWITCH_PARAMETERS', 'OID_SWITCH_PORT_ARRAY']);
  },
);

t.test('counters of a module that forwards are not those of who completes (D5)', async (t) => {
  const world = switchWorld();
  let top: SwitchContext | undefined;
  startSwitch(world, [
    extension('capture', (sw) => {
      top = sw;
      return {};
    }),
    extension('filter', {
      oidRequest: (request) => {
        request.bytesRead = 7;
        request.bytesWritten = 8;
        request.bytesNeeded = 9;
        return 'forward';
      },
    }),
  ]);
  const answer = await top?.request('set', 0x00ff_0001, nothing);
  t.match(answer, { status: NdisStatus.NOT_SUPPORTED });
  t.equal(answer?.bytesNeeded, 0);
});

t.test(
  'what comes to a module while it is detached is not held by it any more (A63)',
  async (t) => {
    const world = switchWorld();
    let top: SwitchContext | undefined;
    let late: ReturnType<SwitchContext['request']> | undefined;
    const upper = extension('capture', (sw) => {
      top = sw;
      return {};
    });
    const middle = extension('filter', (sw) => ({
      oidRequestComplete: () => {
        late ??= sw.request('query', PORT_ARRAY, nothing);
      },
    }));
    const held: string[] = [];
    const leaver = extension('filter', {
      oidRequest: (request) => {
        held.push(request.oidName);
        return request.pend();
      },
    });
    const machine = startSwitch(world, [upper, middle, leaver]);
    const asked = top?.request('query', SWITCH_PARAMETERS, nothing);
    await machine.changeStack([upper, middle]);
    t.same(held, ['OID_SWITCH_PARAMETERS', 'OID_SWITCH_PORT_ARRAY'], 'it was shown both');
    t.equal(machine.pipeline.inFlight.size, 0, 'and has neither');
    t.match(await asked, { status: NdisStatus.REQUEST_ABORTED });
    if (machine.pipeline.inFlight.size === 0) {
      t.match(await late, { status: NdisStatus.REQUEST_ABORTED });
    }
  },
);

t.test(
  'a policy that a filtering extension ends marks who is below as having missed it (E28, OP-28)',
  async (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('capture', {}),
      extension('filter', { addPortProperty: () => NdisStatus.SUCCESS }),
      extension('forward', {}),
    ]);
    const port = makePort(machine);
    await machine.addProperty(port, portProperty(world));
    t.same(rules(world), ['E28']);
    t.same(
      machine.modules.map(({ desynchronized }) => desynchronized),
      [false, false, true],
    );
    await settle();
  },
);

t.test(
  'a stack whose modules only change places is announced to all of them (S13 step 4, S14 step 4)',
  async (t) => {
    const world = switchWorld();
    const told: string[] = [];
    const filter = (name: string) =>
      extension(
        'filter',
        { netPnPEvent: ({ event, stack }) => void told.push(`${name}: ${event} ${stack.length}`) },
        name,
      );
    const [a, b] = [filter('a'), filter('b')];
    const machine = startSwitch(world, [a, b]);
    told.length = 0;
    await machine.changeStack([b, a]);
    t.same(told, ['b: stackChange 2', 'a: stackChange 2']);
    t.match(
      world.changes.findLast(({ event }) => event === 'netPnPEvent'),
      {
        netPnPEvent: 'stackChange',
        stack: [b.id, a.id],
      },
    );
  },
);

t.test('a port id whose PORT_CREATE is under way is taken: it stays unique (B1)', async (t) => {
  const world = switchWorld('6.85', 'ids', { scheduling: 'seeded' });
  const held: OidRequest[] = [];
  const machine = new Switch(
    { id: '5a5a5a5a-0000-0000-0000-000000000001', name: 'sw', type: 'external' },
    world.environment,
  );
  await machine.start([
    extension('filter', {
      createPort: (_port, request) => {
        held.push(request);
        return request.pend();
      },
    }),
  ]);
  const first = machine.createPort({ ...portOptions('synthetic', 'a'), portId: 5 });
  const second = machine.createPort({ ...portOptions('synthetic', 'b'), portId: 5 });
  const refused = t.rejects(Promise.resolve(second), /rule B1/);
  for (let i = 0; i < 10 && held.length === 0; i += 1) await settle();
  for (const request of held) request.forward();
  t.equal((await first).port.portId, 5);
  await refused;
  t.equal(held.length, 1, 'no extension is told of a second port 5');
});

t.test(
  'where rules are enforced, a veto of another extension keeps its own status (D19)',
  async (t) => {
    const { environment, ...world } = switchWorld();
    const machine = startSwitch({ ...world, environment: { ...environment, enforce: true } }, [
      extension('filter', {
        createPort: (_port, request) => {
          // PortType, u32 at 1032 (rule B26).
          request.bytes[1032] = 9;
          return 'forward';
        },
      }),
      extension('forward', { createPort: () => NdisStatus.RESOURCES }),
    ]);
    const { request } = await machine.createPort(portOptions());
    t.equal(request.status, NdisStatus.RESOURCES);
    t.equal(request.completedBy?.name, 'forward');
    t.same(
      world.findings.map(({ rule }) => rule),
      ['B26'],
    );
  },
);

t.test(
  'what fails with RESOURCES is sent again as often as the option says, not once more (B18, C24, E18, OP-29)',
  async (t) => {
    const world = switchWorld('6.85', 'retries', { transientRetries: 2 });
    const sent: string[] = [];
    const refuse = (what: string) => (): NdisStatus => {
      sent.push(what);
      return NdisStatus.RESOURCES;
    };
    let isPortRefused = false;
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: () => (isPortRefused ? refuse('port')() : 'forward'),
        createNic: refuse('nic'),
        addPortProperty: refuse('property'),
      }),
    ]);
    const port = makePort(machine);
    const refused = await machine.addProperty(port, portProperty(world));
    t.equal(refused?.status, NdisStatus.RESOURCES);
    const { request } = await machine.connectNic(port, nicOptions());
    t.equal(request.status, NdisStatus.RESOURCES);
    isPortRefused = true;
    await machine.createPort(portOptions('synthetic', 'b'));
    t.same(
      sent,
      ['property', 'nic', 'port'].flatMap((what) => Array(3).fill(what)),
    );
  },
);

t.test('every entry a trace holds has the bytes it was recorded with, however full it is', (t) => {
  for (const [most, limit] of [
    [10_000, 4096],
    [10_000, 8192],
    // The number of entries is the limit, and ever larger ones make the bytes grow meanwhile.
    [20, 65_536],
  ] as const) {
    const rng = new Rng(`trace ${limit}`);
    let seq = 0;
    const trace = new TraceRing(most, limit, () => {
      seq += 1;
      return seq;
    });
    let wrong = 0;
    let held = 0;
    for (let id = 1; id <= 1500; id += 1) {
      const larger = most === 20 ? id : 100;
      const [input, output] = [rng.uint32() % (20 + larger), rng.uint32() % (100 + larger)];
      const bytes = new Uint8Array(Math.max(input, output)).fill((id * 7) & 0xff);
      const request = new Request(PORT_ARRAY, 0, REQUEST_TYPE.method, bytes, input, output);
      request.methodInput = new Uint8Array(input).fill(id & 0xff);
      request.bytesWritten = output;
      request.id = id;
      trace.record('sw', request);
      // All of them each time would be quadratic: the oldest is what may have been overwritten.
      const entries =
        most === 20 || id % 100 === 0
          ? trace.entries()
          : trace.entries({ untilSeq: trace.firstSeq });
      for (const entry of entries) {
        held += 1;
        const isRight =
          entry.input.every((byte) => byte === (entry.request & 0xff)) &&
          entry.output?.every((byte) => byte === ((entry.request * 7) & 0xff)) === true;
        if (!isRight) wrong += 1;
      }
    }
    t.equal(wrong, 0, `of ${held} entries in ${limit} bytes`);
    t.ok(trace.droppedSeq > 0 && held > 1500, 'it was full');
  }
  t.end();
});

t.test(
  'what a buffer had before shows nowhere in what is written into it (E7-E12, E43, F2)',
  (t) => {
    const world = switchWorld();
    const id = INSTANCE;
    const custom = world.registry.setting('port', PORT_FEATURE);
    const standard = world.registry.standard(2);
    if (custom === undefined || standard === undefined) throw new Error('both are registered');
    /** Bytes that the caller fills in are left out. */
    type Writer = (bytes: Uint8Array) => readonly [from: number, to: number];
    const writers: Record<string, Writer> = {
      'a save state': (bytes) => {
        const head = { portId: 1, nicIndex: 0, extensionId: id, featureClassId: id };
        return [writeSaveState(bytes, 0, { ...head, extensionFriendlyName: 'x' }, 32), 1024];
      },
      'a NIC_REQUEST': (bytes) => {
        const ends = { sourcePortId: 0, sourceNicIndex: 0, destinationPortId: 1 };
        const head = { ...ends, destinationNicIndex: 1, requestType: 12, oid: 0x0001_0207 };
        return [writeNicRequest(bytes, 0, head, Uint8Array.of(1, 2, 3), 40), 1024];
      },
      'an enumeration entry': (bytes) => {
        const next = writeEnumEntry(
          'port',
          bytes,
          0,
          { propertyVersion: 1, propertyInstanceId: id },
          5,
        );
        bytes.fill(7, 40, 45);
        return [next, 1024];
      },
      'a feature status question': (bytes) => {
        const head = { portId: 1, featureStatusId: id, featureStatusInstanceId: id };
        return [writeFeatureStatusQuery('port', bytes, 0, head, 16) + 16, 1024];
      },
    };
    for (const [name, layout] of Object.entries({
      PORT_HEAD,
      SWITCH_HEAD,
      PORT_DELETE_HEAD,
      SWITCH_DELETE_HEAD,
    })) {
      for (const codec of [custom, standard]) {
        writers[`${name} of ${codec.name}`] = (bytes) => {
          const words = new Uint32Array(bytes.buffer);
          writeHead(words, layout, 1, codec, Uint32Array.of(1, 2, 3, 4), 8);
          const isCustom = codec === custom && layout.version >= 0;
          return [layout.sizeBytes + (isCustom ? 16 : 0), 1024];
        };
      }
    }
    for (const [name, write] of Object.entries(writers)) {
      const clean = new Uint8Array(1024);
      const dirty = new Uint8Array(1024).fill(0xa5);
      const [from, to] = write(clean);
      write(dirty);
      clean.fill(0, from, to);
      dirty.fill(0, from, to);
      t.same(Buffer.from(dirty).toString('hex'), Buffer.from(clean).toString('hex'), name);
    }
    t.end();
  },
);

t.test(
  'a promise that is broken after the request was ended for it ends nothing again (D6)',
  async (t) => {
    const world = switchWorld();
    let fail: (error: Error) => void = () => undefined;
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: () =>
          new Promise((_resolve, reject) => {
            fail = reject;
          }),
      }),
    ]);
    const made = machine.createPort(portOptions());
    world.clock.advance(12_000);
    t.equal((await made).request.status, NdisStatus.REQUEST_ABORTED);
    fail(new Error('too late'));
    await settle();
    t.equal(world.trace.entries().length, 1, 'it completed once');
    t.same(rules(world), ['NdisTimedOidComplete']);
  },
);
