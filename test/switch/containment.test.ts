import t from 'tap';
import { isExtSwitchError } from '../../src/core/errors.ts';
import { NdisStatus } from '../../src/core/status.ts';
import type {
  ExtensionHandlers,
  ExtensionType,
  FinalVerdict,
  OidRequest,
  PortProperty,
  Verdict,
} from '../../src/sdk/extension.ts';
import {
  extension,
  makePort,
  nicOptions,
  now,
  portOptions,
  portProperty,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

/** One extension with these handlers on a switch with a port and a connected NIC. */
function withNic(handlers: ExtensionHandlers, type: ExtensionType = 'filter') {
  const world = switchWorld();
  const machine = startSwitch(
    world,
    [extension(type, handlers), extension('forward', {}, 'below')].slice(
      0,
      type === 'forward' ? 1 : 2,
    ),
  );
  const port = makePort(machine);
  return { world, machine, port };
}

t.test(
  'a handler that throws: what may fail fails, what must be forwarded is forwarded (D6, D23)',
  (t) => {
    const boom = (): never => {
      throw new RangeError('boom\nsecond line');
    };
    const failing = withNic({ addPortProperty: boom, connectNic: boom, deletePort: boom });
    const { world, machine, port } = failing;
    t.equal(now(machine.addProperty(port, portProperty(world)))?.status, NdisStatus.FAILURE);
    t.equal(port.properties.size, 0);
    now(machine.connectNic(port, nicOptions()));
    t.equal(port.nics.get(0)?.state, 'connected');
    now(machine.deletePort(port));
    t.equal(machine.state.ports.size, 0);
    t.same(rules(world), ['D6', 'D6', 'D6']);
    t.equal(
      world.findings[0]?.message,
      'filter threw in its handler of OID_SWITCH_PORT_PROPERTY_ADD: RangeError: boom',
    );
    t.match(world.findings[0], { oid: 'OID_SWITCH_PORT_PROPERTY_ADD', severity: 'error' });
    t.end();
  },
);

t.test(
  'an extension that throws in oidRequestComplete is reported, the status stays (D14)',
  async (t) => {
    const { world, machine } = withNic({
      oidRequestComplete: (request) => {
        if (request.oidName === 'OID_SWITCH_PORT_CREATE') throw new Error('late');
      },
    });
    t.equal(now(machine.createPort(portOptions('synthetic', 'two'))).request.status, 0);
    t.same(rules(world), ['D14', 'D14']);
  },
);

t.test('counters written on the way back up are reported as such, and stay (D5)', (t) => {
  const { world } = withNic({
    oidRequestComplete: (request) => {
      if (request.oidName === 'OID_SWITCH_PORT_CREATE') request.bytesRead = 1;
    },
  });
  t.same(rules(world), ['D5']);
  t.match(world.findings[0]?.message, /its counters belong to who completes it/);
  t.end();
});

t.test(
  'oidRequestComplete may neither pend nor answer: the request has its status (D6, D8)',
  (t) => {
    const errors: string[] = [];
    const { world, machine } = withNic({
      oidRequestComplete: (request) => {
        try {
          request.pend();
        } catch (error) {
          errors.push(isExtSwitchError(error) ? error.code : String(error));
        }
        request.complete(NdisStatus.RESOURCES);
        request.forward();
      },
    });
    t.equal(machine.state.ports.size, 1);
    t.same(errors, ['ILLEGAL_TRANSITION']);
    t.same(rules(world), ['D8', 'D8']);
    t.end();
  },
);

t.test(
  'an async oidRequestComplete, timer, activate or detach that rejects is reported and ends nothing',
  async (t) => {
    const fail = async (): Promise<void> => {
      await Promise.resolve();
      throw new Error('rejected');
    };
    const world = switchWorld();
    const handlers = { activate: fail, detach: fail, oidRequestComplete: fail };
    const machine = startSwitch(world, [
      extension('filter', (sw) => {
        sw.after(5, fail);
        return handlers as ExtensionHandlers;
      }),
    ]);
    makePort(machine);
    world.clock.advance(5);
    now(machine.changeStack([]));
    await settle();
    t.same(rules(world).sort(), ['A61', 'A72', 'D14', 'D6']);
  },
);

t.test(
  'a timer that throws is reported; one that was cancelled or belongs to a detached extension does not fire',
  (t) => {
    const world = switchWorld();
    const fired: string[] = [];
    let late: (() => void) | undefined;
    const machine = startSwitch(world, [
      extension('filter', (sw) => {
        sw.after(1, () => {
          throw new Error('tick');
        });
        sw.after(2, () => fired.push('cancelled')).cancel();
        sw.after(3, () => fired.push('three'));
        sw.after(50, () => fired.push('after detach'));
        late = () => sw.after(1, () => fired.push('set after detach')).cancel();
        t.throws(() => sw.after(Number.NaN, () => undefined), { code: 'INVALID_ARGUMENT' });
        t.throws(() => sw.after('5' as unknown as number, () => undefined), {
          code: 'INVALID_ARGUMENT',
        });
        return {};
      }),
    ]);
    world.clock.advance(10);
    now(machine.changeStack([]));
    late?.();
    world.clock.advance(100);
    t.same(fired, ['three']);
    t.same(rules(world), ['D6']);
    t.match(world.findings[0]?.message, /^filter threw in a timer: Error: tick/);
    t.end();
  },
);

t.test(
  'completing twice, completing what was never pended, settling late: reported, nothing changes (NdisOidDoubleComplete, D8)',
  async (t) => {
    const held: OidRequest[] = [];
    const { world, machine } = withNic({
      createPort: (port, request) => {
        if (port.name === 'port') return 'forward';
        held.push(request);
        return request.pend();
      },
    });
    const sent = machine.createPort(portOptions('synthetic', 'two'));
    held[0]?.complete(NdisStatus.RESOURCES);
    held[0]?.complete(NdisStatus.SUCCESS);
    held[0]?.forward();
    t.equal((await sent).request.status, NdisStatus.RESOURCES);
    t.same(rules(world), ['NdisOidDoubleComplete', 'NdisOidDoubleComplete']);

    let kept: OidRequest | undefined;
    const other = withNic({
      createPort: (_port, request) => {
        request.complete(NdisStatus.RESOURCES);
        kept = request;
        return 'forward';
      },
    });
    t.equal(other.machine.state.ports.size, 1);
    t.same(rules(other.world), ['D8']);
    t.throws(() => kept?.bytes, { code: 'ILLEGAL_TRANSITION' }, 'bytes are gone');
    t.throws(() => kept?.pend(), { code: 'ILLEGAL_TRANSITION' });
  },
);

t.test('completing twice inside the handler that pends (NdisOidDoubleComplete)', (t) => {
  const { world, machine } = withNic({
    createPort: (_port, request) => {
      const pended = request.pend();
      request.forward();
      request.complete(NdisStatus.RESOURCES);
      return pended;
    },
  });
  t.equal(machine.state.ports.size, 1);
  t.same(rules(world), ['NdisOidDoubleComplete']);
  t.end();
});

t.test('a promise that settles after the request was completed by hand', async (t) => {
  const { world, machine } = withNic({
    createPort(port, request) {
      if (port.name === 'port') return 'forward';
      return (async (): Promise<FinalVerdict> => {
        request.pend();
        request.complete(NdisStatus.RESOURCES);
        return 'forward';
      })();
    },
  });
  const second = await machine.createPort(portOptions('synthetic', 'two'));
  await settle();
  t.equal(second.request.status, NdisStatus.RESOURCES);
  t.same(rules(world), ['NdisOidDoubleComplete']);
});

t.test('pending and answering at once: the answer counts (D8)', (t) => {
  const answers: [Verdict, number][] = [
    [NdisStatus.RESOURCES, NdisStatus.RESOURCES],
    ['forward', NdisStatus.SUCCESS],
  ];
  for (const [answer, status] of answers) {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: (_port, request) => {
          request.pend();
          return answer;
        },
      }),
    ]);
    t.equal(now(machine.createPort(portOptions())).request.status, status);
    t.same(rules(world), ['D8']);
    t.equal(machine.pipeline.inFlight.size, 0);
  }
  t.end();
});

t.test('pending and returning nothing is pending', async (t) => {
  let held: OidRequest | undefined;
  const world = switchWorld();
  const machine = startSwitch(world, [
    extension('filter', {
      createPort: (_port, request) => {
        held = request;
        request.pend();
      },
    }),
  ]);
  const sent = machine.createPort(portOptions());
  held?.forward();
  t.equal((await sent).request.status, NdisStatus.SUCCESS);
  t.same(world.findings, []);
});

t.test(
  'an OID never completed is ended after 12,000 virtual ms, not sooner (NdisTimedOidComplete)',
  async (t) => {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', {
        createPort: (_port, request) => request.pend(),
        teardownPort: (_port, request) => request.pend(),
      }),
    ]);
    const sent = machine.createPort(portOptions());
    world.clock.advance(11_999);
    t.same(world.findings, []);
    t.equal(machine.pipeline.inFlight.size, 1);
    world.clock.advance(1);
    t.same(rules(world), ['NdisTimedOidComplete']);
    t.equal((await sent).request.status, NdisStatus.REQUEST_ABORTED);
    t.equal(machine.state.ports.size, 0);
  },
);

t.test(
  'an OID that must be forwarded is forwarded for an extension that keeps it too long (D23)',
  async (t) => {
    const world = switchWorld();
    const below: string[] = [];
    const machine = startSwitch(world, [
      extension('filter', { teardownPort: (_port, request) => request.pend() }),
      extension('forward', {
        teardownPort: () => {
          below.push('teardown');
        },
      }),
    ]);
    const port = makePort(machine);
    const sent = machine.deletePort(port);
    world.clock.advance(12_000);
    await sent;
    t.same(below, ['teardown']);
    t.equal(machine.state.ports.size, 0);
  },
);

t.test(
  'a handler that throws after it pended or completed leaves nothing behind for the next module',
  async (t) => {
    const world = switchWorld();
    let held: OidRequest | undefined;
    const machine = startSwitch(world, [
      extension('filter', {
        teardownPort: (_port, request) => {
          request.pend();
          request.complete(NdisStatus.RESOURCES);
          throw new Error('after completing');
        },
      }),
      extension('forward', {
        teardownPort: (_port, request) => {
          held = request;
          return request.pend();
        },
      }),
    ]);
    const port = makePort(machine);
    const sent = machine.deletePort(port);
    t.ok(sent instanceof Promise, 'the module below really holds it');
    t.equal(machine.pipeline.inFlight.size, 1);
    held?.forward();
    await sent;
    t.same(rules(world), ['D6']);
    t.equal(machine.state.ports.size, 0);
  },
);

t.test(
  'nonsense for a verdict is reported and forwarded, also when the request was pended before (D6)',
  (t) => {
    const nonsense: unknown[] = ['yes', {}, null, true, () => 0, 5n];
    for (const [i, answer] of nonsense.entries()) {
      const world = switchWorld();
      const machine = startSwitch(world, [
        extension('filter', {
          createPort: (_port, request) => {
            if (i % 2 === 0) request.pend();
            return answer as Verdict;
          },
        }),
      ]);
      const { request } = now(machine.createPort(portOptions()));
      t.equal(request.status, NdisStatus.SUCCESS);
      t.equal(request.holder, undefined);
      t.same(rules(world), ['D6']);
      world.clock.advance(20_000);
      t.equal(world.findings.length, 1, 'no timer is left');
    }
    t.end();
  },
);

t.test('a number that is no NDIS_STATUS fails the request (D6)', (t) => {
  for (const status of [Number.NaN, -1, 1.5, 0x1_0000_0000, Number.POSITIVE_INFINITY]) {
    const world = switchWorld();
    const machine = startSwitch(world, [
      extension('filter', { createPort: () => status as NdisStatus }),
    ]);
    t.equal(now(machine.createPort(portOptions())).request.status, NdisStatus.FAILURE);
    t.same(rules(world), ['D6']);
  }
  const unnamed = startSwitch(switchWorld(), [
    extension('filter', { createPort: () => 0xc0de_0001 as NdisStatus }),
  ]);
  t.equal(
    now(unnamed.createPort(portOptions())).request.status,
    0xc0de0001,
    'an error without a name',
  );
  t.end();
});

t.test(
  'NDIS_STATUS_PENDING is no completion: by handle at once, by handle later, by promise (D6)',
  async (t) => {
    const ways: ((request: OidRequest, later: (() => void)[]) => Verdict)[] = [
      (request) => {
        const pended = request.pend();
        request.complete(NdisStatus.PENDING);
        return pended;
      },
      (request, later) => {
        later.push(() => request.complete(NdisStatus.PENDING));
        return request.pend();
      },
    ];
    for (const way of ways) {
      const world = switchWorld();
      const later: (() => void)[] = [];
      const machine = startSwitch(world, [
        extension('forward', { addPortProperty: (property) => way(property.request, later) }),
      ]);
      const port = makePort(machine);
      const sent = machine.addProperty(port, portProperty(world));
      for (const step of later) step();
      t.equal((await sent)?.status, NdisStatus.FAILURE);
      t.equal(port.properties.size, 0);
      t.same(rules(world), ['D6']);
    }
  },
);

t.test('pend() outside the handler that received the request throws (D6)', async (t) => {
  const { machine } = withNic({
    createPort: (port, request) => {
      if (port.name === 'port') return 'forward';
      return new Promise((resolve) => {
        queueMicrotask(() => {
          t.throws(() => request.pend(), { code: 'ILLEGAL_TRANSITION', place: { rule: 'D6' } });
          resolve('forward');
        });
      });
    },
  });
  const { request } = await machine.createPort(portOptions('synthetic', 'two'));
  t.equal(request.status, NdisStatus.SUCCESS);
});

t.test(
  'a property kept and completed twice by its holder is laid at that extension’s door (NdisOidDoubleComplete)',
  async (t) => {
    const world = switchWorld();
    let kept: PortProperty | undefined;
    const machine = startSwitch(world, [
      extension('capture', {}, 'innocent'),
      extension(
        'filter',
        {
          addPortProperty: (property) => {
            kept = property;
            return property.request.pend();
          },
        },
        'guilty',
      ),
    ]);
    const port = makePort(machine);
    const sent = machine.addProperty(port, portProperty(world));
    kept?.request.complete(NdisStatus.RESOURCES);
    kept?.request.complete(NdisStatus.RESOURCES);
    await sent;
    t.match(world.findings, [{ rule: 'NdisOidDoubleComplete', message: /^guilty completed / }]);
  },
);
