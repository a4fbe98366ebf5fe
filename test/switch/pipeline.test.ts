import t from 'tap';
import { OIDS, oidIndex } from '../../src/abi/index.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  FinalVerdict,
  OidRequest,
  Verdict,
} from '../../src/sdk/extension.ts';
import { FORWARD } from '../../src/sdk/index.ts';
import { REQUEST_TYPE, OidRequest as SwitchRequest } from '../../switch/oid-request.ts';
import {
  extension,
  makePort,
  now,
  portOptions,
  portProperty,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/** Three extensions, top to bottom, that write down what they saw. */
function watched(seen: string[], verdicts: Partial<Record<string, ExtensionHandlers>>) {
  return (['capture', 'filter', 'forward'] as const).map((type) =>
    extension(type, {
      oidRequest: (request) => {
        seen.push(`${type} down ${request.oidName.slice('OID_SWITCH_'.length)}`);
      },
      oidRequestComplete: (request) => {
        seen.push(`${type} up 0x${request.status.toString(16)}`);
      },
      ...verdicts[type],
    }),
  );
}

t.test(
  'a set nobody ends goes capture, filter, forward and is completed by the miniport edge in reverse order (A2, A6, D2, D5, E19)',
  (t) => {
    const seen: string[] = [];
    const world = switchWorld();
    const machine = startSwitch(world, watched(seen, {}));
    const { request } = now(machine.createPort(portOptions()));
    t.same(seen, [
      'capture down PORT_CREATE',
      'filter down PORT_CREATE',
      'forward down PORT_CREATE',
      'forward up 0x0',
      'filter up 0x0',
      'capture up 0x0',
    ]);
    t.equal(request.completedBy, undefined);
    const [entry] = world.trace.entries();
    t.same(
      entry?.route.map(({ verdict }) => verdict),
      ['forward', 'forward', 'forward', 'NDIS_STATUS_SUCCESS'],
    );
    t.equal(entry?.route.at(-1)?.module, 'miniportEdge');
    t.same(world.findings, []);
    t.end();
  },
);

t.test(
  'a veto stops the OID: modules below never see it, modules above learn the status (D18, D21, D14, B17)',
  (t) => {
    const seen: string[] = [];
    const world = switchWorld();
    const machine = startSwitch(
      world,
      watched(seen, { filter: { createPort: () => NdisStatus.DATA_NOT_ACCEPTED } }),
    );
    const { request } = now(machine.createPort(portOptions()));
    t.equal(request.status, 0xc000021b);
    t.equal(request.completedBy?.name, 'filter');
    t.same(seen, ['capture down PORT_CREATE', 'filter down PORT_CREATE', 'capture up 0xc000021b']);
    t.equal(machine.state.ports.size, 0, 'the port does not exist (B16)');
    t.equal(world.trace.entries().length, 1, 'no TEARDOWN and no DELETE (B17)');
    t.end();
  },
);

t.test(
  'any other error on a vetoable OID is a veto too; nothing is tried again by itself (D19, D20, E18, OP-29)',
  (t) => {
    for (const status of [NdisStatus.RESOURCES, NdisStatus.NOT_SUPPORTED, NdisStatus.FAILURE]) {
      const world = switchWorld();
      const machine = startSwitch(world, [extension('filter', { createPort: () => status })]);
      t.equal(now(machine.createPort(portOptions())).request.status, status);
      t.equal(machine.state.ports.size, 0);
      t.equal(world.trace.entries().length, 1, 'no retry of its own (OP-29)');
    }
    t.end();
  },
);

t.test(
  'a status that is neither success nor an error does not pass for success (D19, E16)',
  (t) => {
    for (const status of [
      NdisStatus.NOT_ACCEPTED,
      NdisStatus.BUSY,
      NdisStatus.INDICATION_REQUIRED,
    ]) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('forward', { addPortProperty: () => status, createPort: () => 'forward' }),
      ]);
      const port = makePort(machine);
      const outcome = now(machine.addProperty(port, portProperty(world)));
      t.equal(outcome?.status, NdisStatus.FAILURE);
      t.equal(port.properties.size, 0);
      t.same(rules(world), ['D19']);
    }
    t.end();
  },
);

t.test(
  'a pended request that is completed: status and verdict come from its holder (D6)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: (_port, request) => {
          held.push(request);
          return request.pend();
        },
      }),
    ]);
    const sent = machine.createPort(portOptions());
    t.ok(sent instanceof Promise);
    t.equal(machine.pipeline.inFlight.size, 1);
    held[0]?.complete(NdisStatus.DATA_NOT_ACCEPTED);
    const { request } = await sent;
    t.equal(request.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.equal(machine.pipeline.inFlight.size, 0);
    t.same(
      world.trace.entries()[0]?.route.map(({ verdict }) => verdict),
      ['pend', 'NDIS_STATUS_DATA_NOT_ACCEPTED'],
    );
    t.equal(world.clock.nextAt(), undefined, 'its timer is gone');
  },
);

t.test('a pended request that is forwarded later goes on below its holder', async (t) => {
  const seen: string[] = [];
  const world = switchWorld();
  const held: OidRequest[] = [];
  const machine = startSwitch(
    world,
    watched(seen, {
      filter: {
        createPort: (_port, request) => {
          held.push(request);
          return NdisStatus.PENDING;
        },
      },
    }),
  );
  const sent = machine.createPort(portOptions());
  world.clock.advance(11_999);
  held[0]?.forward();
  const { request } = await sent;
  t.equal(request.status, NdisStatus.SUCCESS);
  t.same(seen.slice(-3), ['forward up 0x0', 'filter up 0x0', 'capture up 0x0']);
  t.same(
    world.trace.entries()[0]?.route.map(({ verdict }) => verdict),
    ['forward', 'pend', 'forward', 'forward', 'NDIS_STATUS_SUCCESS'],
  );
  t.same(world.findings, [], 'NdisStatus.PENDING is pend(request)');
});

t.test(
  'a request completed or forwarded inside the handler that pended it ends at once, without a promise',
  (t) => {
    const ends: ((request: OidRequest) => void)[] = [
      (request) => request.complete(NdisStatus.RESOURCES),
      (request) => request.forward(),
    ];
    const statuses = ends.map((end) => {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('filter', {
          createPort: (_port, request) => {
            const pended = request.pend();
            end(request);
            return pended;
          },
        }),
      ]);
      const { status } = now(machine.createPort(portOptions())).request;
      t.same(world.findings, []);
      return status;
    });
    t.same(statuses, [NdisStatus.RESOURCES, NdisStatus.SUCCESS]);
    t.end();
  },
);

t.test('a promise is a pended request: forward, nothing, a status, a rejection', async (t) => {
  const verdicts: (() => Verdict)[] = [
    async (): Promise<FinalVerdict> => 'forward',
    async () => undefined,
    async (): Promise<FinalVerdict> => NdisStatus.DATA_NOT_ACCEPTED,
    async () => {
      throw new TypeError('no');
    },
    async (): Promise<FinalVerdict> => NdisStatus.PENDING,
  ];
  const outcomes: string[] = [];
  for (const verdict of verdicts) {
    const world = switchWorld();
    const machine = startSwitch(world, [extension('filter', { createPort: verdict })]);
    const { request } = await machine.createPort(portOptions());
    outcomes.push(`0x${request.status.toString(16)} ${rules(world).join()}`);
  }
  t.same(outcomes, ['0x0 ', '0x0 ', '0xc000021b ', '0xc0000001 D6', '0xc0000001 D6']);
});

t.test('an async handler may pend, wait, and complete by hand', async (t) => {
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {
      async createPort(_port, request) {
        request.pend();
        await Promise.resolve();
        request.complete(NdisStatus.DATA_NOT_ACCEPTED);
      },
    }),
  ]);
  const { request } = await machine.createPort(portOptions());
  await settle();
  t.equal(request.status, NdisStatus.DATA_NOT_ACCEPTED);
  t.same(world.findings, []);
});

t.test('an async handler that pends and ends without a verdict keeps the request', async (t) => {
  const world = switchWorld();
  let held: OidRequest | undefined;
  const machine = startSwitch(world, [
    extension('filter', {
      async createPort(_port, request) {
        held = request;
        request.pend();
      },
    }),
  ]);
  const sent = machine.createPort(portOptions());
  await settle();
  t.equal(machine.pipeline.inFlight.size, 1, 'still held');
  held?.forward();
  t.equal((await sent).request.status, NdisStatus.SUCCESS);
  t.same(world.findings, []);
});

t.test(
  'the plain way makes no promise and needs no microtask: port, NIC, property, status, stack',
  (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        addPortProperty: () => 'forward',
        oidRequestComplete: () => undefined,
      }),
      extension('forward', { addPortProperty: () => NdisStatus.SUCCESS }),
    ]);
    let microtask = false;
    queueMicrotask(() => {
      microtask = true;
    });
    const port = makePort(machine);
    const property = portProperty(world);
    now(machine.addProperty(port, property));
    now(machine.updateProperty(port, property, { A: 2, B: 3n }));
    now(machine.deleteProperty(port, property));
    now(machine.queryStatus(port.portId, property.codec.id, undefined));
    now(machine.changeStack([]));
    now(machine.deletePort(port));
    t.equal(microtask, false);
    t.equal(world.trace.entries().length, 7);
    t.end();
  },
);

t.test(
  'the generic handler comes first; its status ends the request, forward lets the specific one decide',
  (t) => {
    const world = switchWorld();
    const calls: string[] = [];
    let generic: Verdict = 'forward';
    const machine = startSwitch(world, [
      extension('filter', {
        oidRequest: () => {
          calls.push('generic');
          return generic;
        },
        createPort: () => {
          calls.push('specific');
          return NdisStatus.RESOURCES;
        },
      }),
    ]);
    t.equal(now(machine.createPort(portOptions())).request.status, NdisStatus.RESOURCES);
    generic = NdisStatus.DATA_NOT_ACCEPTED;
    t.equal(now(machine.createPort(portOptions())).request.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.same(calls, ['generic', 'specific', 'generic']);
    t.end();
  },
);

t.test(
  'an async generic handler that forwards leaves the verdict to the specific one',
  async (t) => {
    const world = switchWorld();
    const calls: string[] = [];
    let pended: { complete(status: NdisStatus): void } | undefined;
    const machine = startSwitch(world, [
      extension('filter', {
        oidRequest: async () => {
          calls.push('generic');
          await Promise.resolve();
          return FORWARD;
        },
        createPort: (port, request) => {
          calls.push(port.friendlyName);
          if (port.friendlyName !== 'later') return NdisStatus.RESOURCES;
          pended = request;
          return request.pend();
        },
      }),
    ]);
    const refused = await machine.createPort({ ...portOptions(), friendlyName: 'now' });
    t.equal(refused.request.status, NdisStatus.RESOURCES);
    const waiting = machine.createPort({ ...portOptions(), friendlyName: 'later' });
    await new Promise((resolve) => setImmediate(resolve));
    pended?.complete(NdisStatus.DATA_NOT_ACCEPTED);
    t.equal((await waiting).request.status, NdisStatus.DATA_NOT_ACCEPTED);
    t.same(calls, ['generic', 'now', 'generic', 'later']);
    t.same(rules(world), []);
  },
);

t.test(
  'a set with an empty buffer is forwarded unhandled: the generic handler sees it (D12)',
  (t) => {
    const world = switchWorld();
    const seen: string[] = [];
    const machine = startSwitch(world, [
      extension('filter', {
        oidRequest: ({ oidName, bytes }) => {
          if (bytes.length === 0) seen.push(oidName);
        },
        updatePort: ({ portId }) => void seen.push(`port ${portId}`),
      }),
      extension('forward', {
        oidRequest: async () => {
          await settle();
        },
        updatePort: ({ portId }) => void seen.push(`port ${portId}`),
      }),
    ]);
    const { code } = OIDS.OID_SWITCH_PORT_UPDATED;
    const nothing = new Uint8Array(0);
    const request = new SwitchRequest(code, oidIndex(code), REQUEST_TYPE.set, nothing, 0, 0);
    machine.pipeline.start(request, machine.modules);
    return settle()
      .then(settle)
      .then(() => {
        t.equal(request.status, NdisStatus.SUCCESS);
        t.equal(request.completedBy, undefined);
        t.same(seen, ['OID_SWITCH_PORT_UPDATED']);
        t.same(rules(world), []);
      });
  },
);

t.test('an unknown OID of an extension is forwarded and ends as NOT_SUPPORTED (D13)', (t) => {
  const world = switchWorld();
  const below: string[] = [];
  let result: unknown;
  startSwitch(world, [
    extension('filter', (sw) => ({
      activate: () => {
        result = sw.request('set', 0x00ff_0001, Uint8Array.of(1, 2, 3));
      },
    })),
    extension('forward', {
      oidRequest: (request) => {
        below.push(`${request.oidName} ${request.requestType} ${request.bytes.join()}`);
        return NdisStatus.SUCCESS;
      },
    }),
  ]);
  t.same(below, ['0x00FF0001 set 1,2,3']);
  t.match(result, { status: NdisStatus.SUCCESS, bytesNeeded: 0 }, 'as if it had succeeded (OP-28)');
  t.same(rules(world), ['D13']);
  t.end();
});
