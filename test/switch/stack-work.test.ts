import t from 'tap';
import { NdisStatus } from '../../src/core/status.ts';
import type { OidRequest, SwitchContext } from '../../src/sdk/extension.ts';
import { startInactive } from '../support/living.ts';
import {
  extension,
  fromHex,
  makePort,
  nicOptions,
  now,
  portOptions,
  rules,
  settle,
  startSwitch,
  switchWorld,
} from '../support/switch-world.ts';

const PORT_ARRAY = 0x10276;

t.test(
  'detach with work pending: the switch waits for what others hold, ends what it holds, cancels timers, takes references back (A63)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    const log: string[] = [];
    let upper: SwitchContext | undefined;
    let leaving: SwitchContext | undefined;
    const top = extension('capture', (sw) => {
      upper = sw;
      return {};
    });
    const leaver = extension(
      'filter',
      (sw) => {
        leaving = sw;
        sw.after(50, () => log.push('late timer'));
        return {
          oidRequest: (request) => {
            if (request.oidName !== 'OID_SWITCH_PARAMETERS') return 'forward';
            held.push(request);
            return request.pend();
          },
          detach: () => void log.push('detach'),
        };
      },
      'leaver',
    );
    const below = extension(
      'forward',
      (sw) => ({
        oidRequest: (request) => {
          if (request.oidName !== 'OID_SWITCH_PORT_ARRAY') return 'forward';
          sw.after(30, () => request.forward());
          return request.pend();
        },
      }),
      'below',
    );
    const machine = startSwitch(world, [top, leaver, below]);
    const port = makePort(machine);
    t.equal(leaving?.referencePort(port.portId), NdisStatus.SUCCESS);
    const issued = leaving?.request('query', PORT_ARRAY, new Uint8Array(0));
    const asked = upper?.request('query', 0x10275, new Uint8Array(0));
    t.ok(issued instanceof Promise && asked instanceof Promise);
    t.equal(held.length, 1);
    const changed = machine.changeStack([top, below]);
    await settle();
    t.same(log, [], 'waits for the OID it issued, which is held below');
    world.clock.advance(30);
    await changed;
    t.match(await issued, { status: NdisStatus.INVALID_LENGTH });
    t.match(await asked, { status: NdisStatus.REQUEST_ABORTED });
    world.clock.advance(1000);
    t.same(log, ['detach'], 'its timer is cancelled');
    t.equal(port.references, 0);
    t.same(
      world.findings.map(({ rule, oid, message }) => [rule, oid, message]),
      [
        [
          'A63',
          'OID_SWITCH_PARAMETERS',
          'leaver detached while it held OID_SWITCH_PARAMETERS; the switch ended it',
        ],
        ['B39', undefined, 'leaver detached with 1 reference(s) on port 1'],
      ],
    );
    t.equal(machine.pipeline.inFlight.size, 0);
  },
);

t.test(
  'an extension that completes in detach what it held broke nothing; what it issues there is reported (A63)',
  async (t) => {
    const world = switchWorld();
    const held: OidRequest[] = [];
    let upper: SwitchContext | undefined;
    const top = extension('capture', (sw) => {
      upper = sw;
      return {};
    });
    const clean = extension('filter', {
      oidRequest: (request) => {
        held.push(request);
        return request.pend();
      },
      detach: () => {
        for (const request of held) request.forward();
      },
    });
    const machine = startSwitch(world, [top, clean]);
    const asked = upper?.request('query', 0x10275, new Uint8Array(0));
    now(machine.changeStack([top]));
    t.match(await asked, { status: NdisStatus.INVALID_LENGTH }, 'answered at the miniport edge');
    t.same(world.findings, []);

    const late = extension(
      'filter',
      (sw) => ({
        detach: () => void sw.request('query', PORT_ARRAY, new Uint8Array(0)),
      }),
      'late',
    );
    const slow = extension('forward', { oidRequest: (request) => request.pend() });
    now(machine.changeStack([late, slow]));
    now(machine.changeStack([slow]));
    t.match(world.findings, [
      { rule: 'A63', oid: 'OID_SWITCH_PORT_ARRAY', message: /^late detached while .* outstanding/ },
    ]);
    world.clock.advance(12_000);
    t.equal(machine.pipeline.inFlight.size, 0);
  },
);

t.test('control OIDs reach a module that is paused or restarting (A65, A64)', async (t) => {
  const world = switchWorld();
  const seen: string[] = [];
  let asking: SwitchContext | undefined;
  const top = extension('capture', (sw) => {
    asking = sw;
    return {};
  });
  const slow = extension(
    'filter',
    (sw) => ({
      oidRequest: (request) => {
        const state = machine.modules.find(({ name }) => name === 'slow')?.state;
        seen.push(`${request.oidName} while ${state}`);
      },
      pause: () => new Promise<void>((done) => sw.after(10, done)),
      restart: () => new Promise<void>((done) => sw.after(10, done)),
    }),
    'slow',
  );
  const below = extension('forward', (sw) => ({
    pause: () => new Promise<void>((done) => sw.after(10, done)),
  }));
  const machine = startSwitch(world, []);
  const started = machine.changeStack([top, slow, below]);
  world.clock.advance(10);
  await started;
  const ask = (): void => void asking?.request('query', PORT_ARRAY, new Uint8Array(0));
  const changed = machine.changeStack([top, slow]);
  await settle();
  ask();
  world.clock.advance(10);
  await settle();
  ask();
  world.clock.advance(10);
  await settle();
  ask();
  world.clock.advance(10);
  await changed;
  ask();
  t.same(seen, [
    'OID_SWITCH_PORT_ARRAY while pausing',
    'OID_SWITCH_PORT_ARRAY while paused',
    'OID_SWITCH_PORT_ARRAY while restarting',
    'OID_SWITCH_PORT_ARRAY while running',
  ]);
});

t.test(
  'OP-20: a switch may get host ports before it is activated; the event is delivered while an OID is pended for it (A73, A74)',
  async (t) => {
    const world = switchWorld();
    const log: string[] = [];
    const waiting: OidRequest[] = [];
    const patient = extension('filter', (sw) => ({
      restart: () => void log.push(`restart ${sw.parameters().isActive}`),
      createPort: (port, request) => {
        log.push(`create ${port.name}`);
        if (sw.parameters().isActive) return 'forward';
        waiting.push(request);
        return request.pend();
      },
      activate: () => {
        log.push(`activate ${sw.ports().length} ports`);
        for (const request of waiting.splice(0)) request.forward();
      },
    }));
    const early = startInactive(world, [patient]);
    t.equal(early.state.isActive, false);
    t.equal(early.state.life, 'starting');
    const created = early.createPort(portOptions('internal', 'mgmt'));
    t.ok(created instanceof Promise, 'pended until activation');
    early.activateNow();
    const { port, request } = await created;
    t.equal(request.status, NdisStatus.SUCCESS);
    t.equal(port.state, 'created');
    t.equal(world.clock.now(), 0, 'no deadlock, no timeout');
    t.same(log, ['restart false', 'create mgmt', 'activate 0 ports']);
    t.same(world.findings, []);
  },
);

t.test('arrays asked at activation repeat what came before it (A73, J12, OP-20)', (t) => {
  const world = switchWorld();
  const seen: string[] = [];
  const merging = extension('filter', (sw) => ({
    createPort: ({ portId }) => void seen.push(`created ${portId}`),
    connectNic: ({ portId, index }) => void seen.push(`connected ${portId}/${index}`),
    activate: () => {
      for (const { portId, state } of sw.ports()) seen.push(`array ${portId} ${state}`);
      for (const { portId, index, state } of sw.nics())
        seen.push(`array ${portId}/${index} ${state}`);
    },
  }));
  const early = startInactive(world, [merging]);
  const port = makePort(early, 'internal', 'mgmt');
  now(early.connectNic(port, nicOptions({ type: 'internal' })));
  early.activateNow();
  t.same(seen, ['created 1', 'connected 1/0', 'array 1 created', 'array 1/0 connected']);
  t.end();
});

t.test(
  'an extension may ask for a port from PORT_CREATE to PORT_TEARDOWN, longer while it holds a reference (B22, B30, B33, OP-23)',
  (t) => {
    const world = switchWorld();
    let context: SwitchContext | undefined;
    const statuses: unknown[] = [];
    const question = fromHex('80 01 2e 00 00 00 00 00 01 00 00 00 01 00 00 00 16*00 01 00 14*00');
    const ask = (): void => {
      const result = context?.request('method', 0x10274, question, 100);
      statuses.push(result instanceof Promise ? 'promise' : result?.status);
    };
    let hold = false;
    const machine = startSwitch(world, [
      extension('filter', (sw) => {
        context = sw;
        return {
          teardownPort: () => ask(),
          deletePort: () => ask(),
          disconnectNic: () => {
            if (hold) t.equal(sw.referencePort(1), NdisStatus.SUCCESS);
          },
          oidRequestComplete: ({ oidName }) => {
            if (hold && oidName === 'OID_SWITCH_PORT_TEARDOWN') sw.dereferencePort(1);
          },
        };
      }),
    ]);
    ask();
    for (const isHeld of [false, true]) {
      hold = isHeld;
      statuses.length = 0;
      const port = now(machine.createPort({ ...portOptions(), portId: 1 })).port;
      now(machine.connectNic(port, nicOptions()));
      ask();
      now(machine.deletePort(port));
      ask();
      t.same(statuses, [
        NdisStatus.SUCCESS,
        isHeld ? NdisStatus.SUCCESS : NdisStatus.INVALID_PARAMETER,
        NdisStatus.INVALID_PARAMETER,
        NdisStatus.INVALID_PARAMETER,
      ]);
    }
    t.same(rules(world), ['B30', 'B33', 'B33', 'B30', 'B33', 'B30']);
    t.equal(
      world.trace.entries({ oid: 'OID_SWITCH_PORT_PROPERTY_ENUM' }).length,
      3,
      'the others were delivered to nobody',
    );
    t.end();
  },
);

t.test(
  'who missed an OID because a module above ended it is marked until it is attached anew (OP-28)',
  (t) => {
    const world = switchWorld();
    const rude = extension('filter', { connectNic: () => NdisStatus.SUCCESS }, 'rude');
    const below = extension('forward', {}, 'below');
    const machine = startSwitch(world, [rude, below]);
    now(machine.connectNic(makePort(machine), nicOptions()));
    const marks = (): string[] =>
      machine.modules.map(({ name, desynchronized }) => `${name} ${desynchronized}`);
    t.same(marks(), ['rude false', 'below true']);
    now(machine.changeStack([below]));
    t.same(marks(), ['below true'], 'a restart does not tell it what it missed');
    now(machine.changeStack([]));
    now(machine.changeStack([below]));
    t.same(marks(), ['below false']);
    t.end();
  },
);
